#include "curate/report/rule_values.h"

#include <float.h>
#include <math.h>

double value_finite(double v)
{
    if (isnan(v))
        return 0;
    return v > DBL_MAX ? DBL_MAX : v < -DBL_MAX ? -DBL_MAX : v;
}

int value_bin(double v)
{
    int exponent, octave;
    double m;

    if (v < 0)
        return 0;
    m = frexp(value_finite(v), &exponent);          /* m 0, or from 0.5 to below 1 */
    octave = exponent - 1 - VALUE_LEAST_EXPONENT;
    if (m == 0 || octave < 0)
        return 1;
    if (octave >= VALUE_OCTAVES)
        return VALUE_BINS - 1;
    return 2 + octave * VALUE_OCTAVE_BINS + (int)((m - 0.5) * 2 * VALUE_OCTAVE_BINS);
}

double value_bin_from(int i)
{
    int octave = (i - 2) / VALUE_OCTAVE_BINS, part = (i - 2) % VALUE_OCTAVE_BINS;

    if (i == 0)
        return -DBL_MAX;
    return i == 1 ? 0 : ldexp(1 + (double)part / VALUE_OCTAVE_BINS, octave + VALUE_LEAST_EXPONENT);
}

/* The values to add to; *to is made when it is NULL, with what v says of itself. */
static struct rule_values *values_for(struct rule_values **to, const struct rule_values *like)
{
    struct rule_values *r = *to;

    if (r == NULL) {
        *to = r = mem_alloc(sizeof *r);
        r->least = like->least;
        r->most = like->most;
        r->threshold_least = like->threshold_least;
        r->threshold_most = like->threshold_most;
        r->side = like->side;
    }
    r->least = fmin(r->least, like->least);
    r->most = fmax(r->most, like->most);
    r->threshold_least = fmin(r->threshold_least, like->threshold_least);
    r->threshold_most = fmax(r->threshold_most, like->threshold_most);
    return r;
}

void rule_values_add(struct rule_values **to, const struct rule_value *v)
{
    double value = value_finite(v->value), threshold = value_finite(v->threshold);
    struct rule_values *r = *to;

    if (r == NULL) {
        *to = r = mem_alloc(sizeof *r);
        r->least = r->most = value;
        r->threshold_least = r->threshold_most = threshold;
        r->side = v->side;
    }
    r->least = fmin(r->least, value);
    r->most = fmax(r->most, value);
    r->threshold_least = fmin(r->threshold_least, threshold);
    r->threshold_most = fmax(r->threshold_most, threshold);
    (v->broken ? r->broken : r->kept)[value_bin(value)]++;
}

void rule_values_merge(struct rule_values **to, const struct rule_values *from)
{
    struct rule_values *r;

    if (from == NULL)
        return;
    r = values_for(to, from);
    for (int i = 0; i < VALUE_BINS; i++) {
        r->kept[i] += from->kept[i];
        r->broken[i] += from->broken[i];
    }
}

/* ---- JSON ---- */

static const char *const sides[] = { "at_most", "at_least", "tells" };
#define SIDES (sizeof sides / sizeof *sides)

json_t *rule_values_partial(const struct rule_values *v)
{
    json_t *o = json_object(), *bins = json_array();

    for (int i = 0; i < VALUE_BINS; i++)
        if (v->kept[i] + v->broken[i] > 0)
            json_array_append_new(bins, json_pack("[iII]", i, (json_int_t)v->kept[i],
                                                  (json_int_t)v->broken[i]));
    json_object_set_new(o, "side", json_string(sides[v->side]));
    json_object_set_new(o, "least", json_real(v->least));
    json_object_set_new(o, "most", json_real(v->most));
    json_object_set_new(o, "threshold_least", json_real(v->threshold_least));
    json_object_set_new(o, "threshold_most", json_real(v->threshold_most));
    json_object_set_new(o, "bins", bins);
    return o;
}

static enum status read_bin(const json_t *row, const char *what, struct rule_values *v)
{
    json_int_t n[3];

    if (json_array_size(row) != 3)
        return fail(ST_FORMAT, "%s: a bin of a histogram is not [number, kept, broken]", what);
    for (int i = 0; i < 3; i++) {
        const json_t *item = json_array_get(row, (size_t)i);

        n[i] = json_integer_value(item);
        if (!json_is_integer(item) || n[i] < 0 || n[i] > (json_int_t)1 << 53)
            return fail(ST_FORMAT, "%s: a bin of a histogram has what is not a count", what);
    }
    if (n[0] >= VALUE_BINS)
        return fail(ST_FORMAT, "%s: a histogram has bin %lld, want less than %d", what,
                    (long long)n[0], VALUE_BINS);
    v->kept[n[0]] += (uint64_t)n[1];
    v->broken[n[0]] += (uint64_t)n[2];
    return ST_OK;
}

static enum status read_values(const json_t *from, const char *what, struct rule_values *v)
{
    const json_t *bins = json_object_get(from, "bins"), *row;
    const char *side;
    size_t i;

    TRY(json_get_str(from, "side", what, &side));
    TRY(json_get_real(from, "least", what, &v->least));
    TRY(json_get_real(from, "most", what, &v->most));
    TRY(json_get_real(from, "threshold_least", what, &v->threshold_least));
    TRY(json_get_real(from, "threshold_most", what, &v->threshold_most));
    for (i = 0; i < SIDES && strcmp(sides[i], side) != 0; i++)
        ;
    if (i == SIDES)
        return fail(ST_FORMAT, "%s: a histogram's side is '%.20s', want at_most, at_least or tells", what, side);
    v->side = (enum trace_side)i;
    if (!json_is_array(bins))
        return fail(ST_FORMAT, "%s: a histogram has no list of bins", what);
    json_array_foreach(bins, i, row)
        TRY(read_bin(row, what, v));
    return ST_OK;
}

enum status rule_values_read(const json_t *partial, const char *what, struct rule_values **out)
{
    struct rule_values *v = mem_alloc(sizeof *v);
    enum status st = read_values(partial, what, v);

    if (st == ST_OK)
        *out = v;
    else
        free(v);
    return st;
}

static json_t *bin_json(const struct rule_values *v, int i)
{
    double from = i == 0 ? v->least : value_bin_from(i);
    double to = i == VALUE_BINS - 1 ? fmax(v->most, from) : value_bin_from(i + 1);

    return json_pack("[ffII]", from, to, (json_int_t)v->kept[i], (json_int_t)v->broken[i]);
}

json_t *rule_values_json(const struct rule_values *v)
{
    json_t *o = json_object(), *bins = json_array();

    for (int i = 0; i < VALUE_BINS; i++)
        if (v->kept[i] + v->broken[i] > 0)
            json_array_append_new(bins, bin_json(v, i));
    json_object_set_new(o, "side", json_string(sides[v->side]));
    json_object_set_new(o, "threshold_min", json_real(v->threshold_least));
    json_object_set_new(o, "threshold_max", json_real(v->threshold_most));
    json_object_set_new(o, "value_min", json_real(v->least));
    json_object_set_new(o, "value_max", json_real(v->most));
    json_object_set_new(o, "bins", bins);
    return o;
}
