#include "curate/run/unique_ids.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "curate/run/group_sink.h"
#include "store/documents/documents.h"

#define FIRST_TRIES 4                /* names that are tried at once; twice as many each turn */
#define LAST_TRIES 4096

/* A place of a hash. */
struct place {
    uint64_t hash, line;
    uint32_t list;
};
struct search {
    const struct unique_ids_args *args;
    struct file_map *maps;           /* of the lists */
    struct renamed_ids *out;
};

static size_t count_of(const struct search *s, size_t list) { return s->maps[list].n / sizeof(uint64_t); }

/* With its mark. */
static uint64_t entry_at(const struct search *s, size_t list, size_t line)
{
    uint64_t entry;

    memcpy(&entry, s->maps[list].p + line * sizeof entry, sizeof entry);
    return entry;
}

static uint64_t hash_at(const struct search *s, size_t list, size_t line)
{
    return entry_at(s, list, line) & ~ID_RENAMED;
}

static enum status too_much(const struct search *s, uint64_t bytes, const char *what)
{
    char want[24], bound[24];

    return fail(ST_LIMIT, "%s take %s, more than memory %s allows; want more --memory (what is done is kept), or ids that "
                          "differ", what, str_bytes(bytes, want), str_bytes(s->args->memory, bound));
}

/* ---- which ids are there twice ---- */

static int by_hash(const void *va, const void *vb)
{
    const struct place *a = va, *b = vb;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->list != b->list)
        return a->list < b->list ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

static enum status add_renamed(struct search *s, const struct place *p, size_t times)
{
    struct renamed_ids *r = s->out;

    if (r->count == r->cap) {
        r->cap = r->cap ? r->cap * 2 : 64;
        if (r->cap * sizeof *r->v > s->args->memory)
            return too_much(s, r->cap * sizeof *r->v, "the places of documents whose ids are others' too");
        r->v = mem_grow(r->v, r->cap, sizeof *r->v);
    }
    r->v[r->count++] = (struct renamed_id){
        .list = p->list, .line = p->line, .number = (uint32_t)times,
        .again = (entry_at(s, p->list, (size_t)p->line) & ID_RENAMED) != 0,
    };
    return ST_OK;
}

static enum status add_doubles(struct search *s, struct place *places, size_t n)
{
    qsort(places, n, sizeof *places, by_hash);
    for (size_t i = 0, j; i < n; i = j)
        for (j = i + 1; j < n && places[j].hash == places[i].hash; j++)
            TRY(add_renamed(s, &places[j], j - i + 1));
    return ST_OK;
}

/* Hashes of turn `turn` of `turns`: by their high bits. */
static bool is_of_turn(uint64_t hash, size_t turn, size_t turns)
{
    return (size_t)(((unsigned __int128)hash * turns) >> 64) == turn;
}

static size_t gather(const struct search *s, struct place *places, size_t turn, size_t turns)
{
    size_t n = 0;

    for (size_t l = 0; l < s->args->count; l++)
        for (size_t i = 0; i < count_of(s, l); i++) {
            uint64_t hash = hash_at(s, l, i);

            if (!is_of_turn(hash, turn, turns))
                continue;
            if (places)
                places[n] = (struct place){ hash, i, (uint32_t)l };
            n++;
        }
    return n;
}

static enum status find_doubles(struct search *s)
{
    size_t all = gather(s, NULL, 0, 1), turns = 1;
    enum status st = ST_OK;

    /* room for three times as many as a turn has on average, hashes being as good as random */
    while (turns < all && (all / turns + 1) * 3 * sizeof(struct place) > s->args->memory)
        turns *= 2;
    for (size_t turn = 0; st == ST_OK && turn < turns; turn++) {
        size_t n = gather(s, NULL, turn, turns);
        struct place *places = mem_array(n + 1, sizeof *places);

        gather(s, places, turn, turns);
        st = add_doubles(s, places, n);
        free(places);
    }
    return st;
}

/* ---- free names ---- */

static int by_place(const void *va, const void *vb)
{
    const struct renamed_id *a = va, *b = vb;

    if (a->list != b->list)
        return a->list < b->list ? -1 : 1;
    return a->line < b->line ? -1 : a->line > b->line;
}

/* A document that waits for a name. */
struct nameless {
    struct renamed_id *of;
    const char *id;                  /* in the arena */
};
/* A set of hashes; 0 is none. */
struct hashes {
    uint64_t *v;
    size_t slots, used;
};

static size_t slot_of(const struct hashes *h, uint64_t hash)
{
    size_t i = (size_t)hash & (h->slots - 1);

    while (h->v[i] != 0 && h->v[i] != hash)
        i = (i + 1) & (h->slots - 1);
    return i;
}

static bool holds(const struct hashes *h, uint64_t hash) { return h->slots > 0 && h->v[slot_of(h, hash)] == hash; }

static void add_hash(struct hashes *h, uint64_t hash)
{
    struct hashes old = *h;
    size_t slot;

    if ((h->used + 1) * 2 > h->slots) {
        h->slots = old.slots ? old.slots * 2 : 1024;
        h->v = mem_array(h->slots, sizeof *h->v);
        for (size_t i = 0; i < old.slots; i++)
            if (old.v[i] != 0)
                h->v[slot_of(h, old.v[i])] = old.v[i];
        free(old.v);
    }
    slot = slot_of(h, hash);
    h->used += h->v[slot] == 0;
    h->v[slot] = hash;
}

static uint64_t hash_of_name(const char *id, uint32_t number)
{
    struct buf name = { 0 };
    uint64_t hash;

    buf_printf(&name, "%s~%" PRIu32, id, number);
    hash = xxh3(name.p, name.n) & ~ID_RENAMED;
    buf_release(&name);
    return hash ? hash : ID_RENAMED + 1;
}

struct naming {
    struct search *search;
    struct arena ids;
    struct nameless *v;
    size_t count;
    struct hashes given;             /* names of this run */
};

/* The ids of a list's documents that wait. */
static enum status read_ids(struct naming *n, size_t list, struct nameless *v, size_t count)
{
    const struct id_list *from = &n->search->args->lists[list];
    struct file_list files = { (const char **)from->shards, from->shard_count };
    struct document_reader *reader;
    enum status st;
    uint64_t at = 0, passed;

    TRY(document_reader_open_files(&files, &reader));
    st = ST_OK;
    for (size_t i = 0; st == ST_OK && i < count; i++) {
        struct document d;
        bool got = false;

        st = document_reader_skip(reader, v[i].of->line - at, &passed);
        if (st == ST_OK)
            st = document_reader_next(reader, &d, &got);
        if (st == ST_OK && !got)
            st = fail(ST_FORMAT, "the shards of '%s' hold fewer documents than it has ids; remove the .work folder to "
                                 "begin anew", from->hashes);
        if (st == ST_OK) {
            v[i].id = arena_strndup(&n->ids, d.id.p, d.id.n);
            at = v[i].of->line + 1;
        }
    }
    document_reader_close(reader);
    if (st == ST_OK && n->ids.used > n->search->args->memory)
        st = too_much(n->search, n->ids.used, "ids that are others' too");
    return st;
}

static enum status read_all_ids(struct naming *n)
{
    for (size_t i = 0, j; i < n->count; i = j) {
        for (j = i + 1; j < n->count && n->v[j].of->list == n->v[i].of->list;)
            j++;
        TRY(read_ids(n, n->v[i].of->list, n->v + i, j - i));
    }
    return ST_OK;
}

/* Which of the names that all who wait would try next are some document's. */
static void look_up(struct naming *n, uint32_t tries, struct hashes *taken)
{
    struct hashes wanted = { 0 };

    for (size_t i = 0; i < n->count; i++)
        for (uint32_t k = 0; k < tries; k++)
            add_hash(&wanted, hash_of_name(n->v[i].id, n->v[i].of->number + k));
    for (size_t l = 0; l < n->search->args->count; l++)
        for (size_t i = 0; i < count_of(n->search, l); i++) {
            uint64_t hash = hash_at(n->search, l, i);

            if (holds(&wanted, hash))
                add_hash(taken, hash);
        }
    free(wanted.v);
}

/* True: it has one. */
static bool give_name(struct naming *n, struct nameless *who, uint32_t tries, const struct hashes *taken)
{
    for (uint32_t k = 0; k < tries; k++) {
        uint64_t hash = hash_of_name(who->id, who->of->number);

        if (!holds(taken, hash) && !holds(&n->given, hash)) {
            add_hash(&n->given, hash);
            return true;
        }
        who->of->number++;
    }
    return false;
}

static enum status give_names(struct naming *n)
{
    uint32_t tries = FIRST_TRIES;

    while (n->count > 0) {
        struct hashes taken = { 0 };
        size_t left = 0;

        if (n->count * tries * 2 * sizeof(uint64_t) > n->search->args->memory)
            return too_much(n->search, n->count * tries * 2 * sizeof(uint64_t), "names for ids that are others' too");
        look_up(n, tries, &taken);
        for (size_t i = 0; i < n->count; i++)
            if (!give_name(n, &n->v[i], tries, &taken))
                n->v[left++] = n->v[i];
        free(taken.v);
        n->count = left;
        tries = tries < LAST_TRIES ? tries * 2 : tries;
    }
    return ST_OK;
}

static enum status find_names(struct search *s)
{
    struct naming n = { .search = s, .count = s->out->count };
    enum status st;

    if (n.count == 0)
        return ST_OK;
    qsort(s->out->v, s->out->count, sizeof *s->out->v, by_place);
    arena_init(&n.ids);
    n.v = mem_array(n.count, sizeof *n.v);
    for (size_t i = 0; i < n.count; i++)
        n.v[i].of = &s->out->v[i];
    st = read_all_ids(&n);
    if (st == ST_OK)
        st = give_names(&n);
    free(n.given.v);
    free(n.v);
    arena_release(&n.ids);
    return st;
}

/* ---- all ---- */

enum status unique_ids_find(const struct unique_ids_args *args, struct renamed_ids *out)
{
    struct search s = { .args = args, .out = out, .maps = mem_array(args->count + 1, sizeof *s.maps) };
    enum status st = ST_OK;
    size_t open = 0;

    *out = (struct renamed_ids){ 0 };
    while (st == ST_OK && open < args->count) {
        st = file_map_open(&s.maps[open], args->lists[open].hashes);
        open += st == ST_OK;
    }
    if (st == ST_OK)
        st = find_doubles(&s);
    if (st == ST_OK)
        st = find_names(&s);
    while (open-- > 0)
        file_map_close(&s.maps[open]);
    free(s.maps);
    return st;
}

void renamed_ids_release(struct renamed_ids *r)
{
    free(r->v);
    *r = (struct renamed_ids){ 0 };
}

/* The first of a list or a later one. */
static size_t first_of(const struct renamed_ids *r, size_t list)
{
    size_t low = 0, high = r->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (r->v[middle].list < list)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t renamed_ids_of(const struct renamed_ids *r, size_t list, size_t *first)
{
    *first = first_of(r, list);
    return first_of(r, list + 1) - *first;
}
