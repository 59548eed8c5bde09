/* A store that is changed again and again: it stays what its documents say, and tells what it was before each change. */
#include "store/making.h"

#include "store/change/store_change.h"
#include "store/tokens/store_history.h"
#include "store/tokens/token_shard.h"

#define DOCUMENTS_MOST 4000
#define CHANGES 14

static const struct making_store kind = { .documents = 160, .shard_tokens = 2500, .longest = 120, .vocab = 1000, .validation = 0.3 };

/* What a store holds: the makings' numbers of its documents, by part, in order. */
struct model {
    uint64_t v[TOKENS_PARTS][DOCUMENTS_MOST];
    size_t count[TOKENS_PARTS];
    char digest[SHA256_HEX];
};
static struct model states[CHANGES + 1];
static uint64_t next_document;           /* of the makings */

static uint32_t below(uint64_t *i, uint32_t n) { return (uint32_t)(rng_at(77, 5, (*i)++) % n); }

static bool stays_in(const struct model *m, uint64_t document)
{
    for (int p = 0; p < TOKENS_PARTS; p++)
        for (size_t i = 0; i < m->count[p]; i++)
            if (m->v[p][i] == document)
                return true;
    return false;
}

/* now NULL: the store as it is, else what is left of then. */
static void check_documents(const struct token_store *s, const struct model *m, const struct model *now)
{
    for (int p = 0; p < TOKENS_PARTS; p++) {
        enum token_part part = (enum token_part)p;
        uint64_t first = 0;

        assert_int_equal(token_store_documents(s, part), m->count[p]);
        for (size_t i = 0; i < m->count[p]; i++) {
            struct token_range d;
            char id[64], source[64];

            making_names(m->v[p][i], id, source);
            assert_ok(token_store_document(s, part, i, &d));
            assert_int_equal(d.count, making_length(&kind, m->v[p][i]));
            assert_int_equal(d.first, first);
            assert_int_equal(token_store_length(s, part, i), d.count);
            assert_int_equal(token_store_first(s, part, i), first);
            first += d.count;
            if (now == NULL || stays_in(now, m->v[p][i])) {
                assert_true(span_eq(d.id, id));
                continue;
            }
            assert_true(span_eq(d.id, TOKEN_STORE_REMOVED));
        }
        assert_int_equal(token_store_tokens(s, part), first);
    }
}

struct told {
    size_t count;
    enum token_part part;
    uint64_t index;
};

static enum status note_removed(void *ctx, enum token_part part, uint64_t index)
{
    struct told *t = ctx;

    *t = (struct told){ t->count + 1, part, index };
    return ST_OK;
}

static void check_removed(const struct token_store *s, const struct model *m, const struct model *now)
{
    for (int p = 0; p < TOKENS_PARTS; p++)
        for (size_t i = 0; i < m->count[p]; i++) {
            struct told r = { 0 };
            char id[64], source[64];

            making_names(m->v[p][i], id, source);
            assert_ok(token_store_removed(s, span_of(id), note_removed, &r));
            assert_int_equal(r.count, !stays_in(now, m->v[p][i]));
            if (r.count > 0) {
                assert_int_equal(r.part, p);
                assert_int_equal(r.index, i);
            }
        }
}

static bool goes(void *ctx, enum token_part part, uint64_t index) { return ((bool **)ctx)[part][index]; }

static json_t *tombstone(const struct token_store *s, enum token_part part, uint64_t index, const char *before)
{
    struct token_shard_place place;
    struct token_range d;
    char hash[SHA256_HEX], shard[TOKEN_SHARD_NAME];

    assert_ok(token_store_document(s, part, index, &d));
    token_store_place(s, part, index, &place);
    token_shard_name(place.shard, shard);
    store_history_hash(before, d.id, hash);
    return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:s}", "part", token_part_names[part], "document", (json_int_t)index,
                     "first", (json_int_t)d.first, "tokens", (json_int_t)d.count, "text_hash", "0123456789abcdef", "shard",
                     shard, "id_hash", hash);
}

/* Some documents at random; all of a shard, now and then. */
static void remove_some(const char *path, const struct model *before, struct model *after, uint64_t *r)
{
    struct store_change *c;
    const struct token_store *s;
    json_t *removed = json_array();
    bool *gone[TOKENS_PARTS];
    uint32_t share = 2 + below(r, 12);

    *after = (struct model){ 0 };
    assert_ok(store_change_begin(&(struct store_change_args){ path, "remove", true }, &c));
    s = store_change_store(c);
    for (int p = 0; p < TOKENS_PARTS; p++) {
        gone[p] = mem_array(before->count[p] + 1, sizeof *gone[p]);
        for (size_t i = 0; i < before->count[p]; i++) {
            gone[p][i] = below(r, share) == 0;
            if (gone[p][i])
                json_array_append_new(removed, tombstone(s, (enum token_part)p, i, before->digest));
            else
                after->v[p][after->count[p]++] = before->v[p][i];
        }
        store_change_count(c, (enum token_part)p, &(struct store_change_counts){ 0 });
    }
    for (size_t i = 0; i < token_store_shards(s); i++) {
        struct store_rewrite how = { .shard = i, .goes = goes, .ctx = gone };
        char is[TOKEN_SHARD_NAME];

        assert_ok(store_change_rewrite(c, &how, is));
    }
    json_object_set_new(store_change_entry(c), "removed", removed);
    assert_ok(store_change_commit(c, after->digest));
    for (int p = 0; p < TOKENS_PARTS; p++)
        free(gone[p]);
}

static void add_document(struct token_shard_writer *w, struct model *m, uint64_t i)
{
    enum token_part part = token_part_of(making_hash(i), kind.validation);
    uint64_t n = making_length(&kind, i);
    uint32_t tokens[128];
    char id[64], source[64];

    making_names(i, id, source);
    for (uint64_t k = 0; k < n; k++)
        tokens[k] = making_token(&kind, i, k);
    assert_ok(token_shard_add(w, part, &(struct token_document){ .id = span_of(id), .source = span_of(source), .text_hash = making_hash(i),
                                                                 .tokens = tokens, .count = n }));
    m->v[part][m->count[part]++] = i;
}

static void append_some(const char *path, const struct model *before, struct model *after, uint64_t *r)
{
    struct token_shard_writer *w;
    struct token_shard_place last;
    struct store_change *c;
    const struct token_store *s;
    char name[TOKEN_SHARD_NAME];
    uint32_t n = below(r, 60);

    *after = *before;
    assert_ok(store_change_begin(&(struct store_change_args){ path, "append", true }, &c));
    s = store_change_store(c);
    token_store_shard_place(s, token_store_shards(s) - 1, TOKENS_TRAIN, &last);
    token_shard_name((struct token_shard_id){ .number = last.shard.number + 1 }, name);
    assert_ok(token_shard_begin(join(path, name), token_store_shard_meta(s, 0), &w));
    for (uint32_t i = 0; i < n; i++)
        add_document(w, after, next_document++);
    assert_ok(token_shard_finish(w));
    amend_add(store_change_amendment(c), name);
    assert_ok(store_change_commit(c, after->digest));
}

static void begin_model(const char *path)
{
    json_t *manifest;

    for (uint64_t i = 0; i < kind.documents; i++) {
        enum token_part part = token_part_of(making_hash(i), kind.validation);

        states[0].v[part][states[0].count[part]++] = i;
    }
    next_document = kind.documents;
    assert_ok(artifact_open(path, "token-store", &manifest));
    memcpy(states[0].digest, artifact_digest(manifest), SHA256_HEX);
    json_decref(manifest);
}

static void check_states(const char *path, size_t now)
{
    struct token_store *s;

    assert_ok(token_store_open(path, &s));
    assert_string_equal(token_store_digest(s), states[now].digest);
    check_documents(s, &states[now], NULL);
    assert_ok(token_store_verify(s));
    token_store_close(s);
    for (size_t then = 0; then < now; then++) {
        int32_t token;

        assert_ok(token_store_open_then(path, states[then].digest, &s));
        assert_string_equal(token_store_digest(s), states[then].digest);
        check_documents(s, &states[then], &states[now]);
        check_removed(s, &states[then], &states[now]);
        assert_fails(ST_MISSING, "was changed since", token_store_read(s, TOKENS_TRAIN, 0, 1, &token));
        token_store_close(s);
    }
    assert_fails(ST_MISSING, "never had the digest", token_store_open_then(path, MAKING_TOKENIZER, &s));
}

static void a_store_knows_what_it_was_before_each_change(void **state)
{
    const char *path = make_store(&kind);
    uint64_t r = 0;

    begin_model(path);
    for (size_t i = 1; i <= CHANGES; i++) {
        (below(&r, 2) == 0 ? append_some : remove_some)(path, &states[i - 1], &states[i], &r);
        check_states(path, i);
    }
}

/* ---- histories that are none ---- */

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PARTS "\"parts\":{\"train\":{\"documents\":5,\"tokens\":50},\"validation\":{\"documents\":1,\"tokens\":4}}"
#define STONE(part, number, first) "{\"part\":\"" part "\",\"document\":" number ",\"first\":" first ",\"tokens\":2,\"text_hash\":\"0123456789abcdef\"," \
    "\"shard\":\"shard-00000.mdb\",\"id_hash\":\"" DIGEST "\"}"
#define REMOVE(stones) "{\"history\":1,\"changes\":[{\"change\":\"remove\",\"before\":\"" DIGEST "\"," PARTS ",\"shards\":[],\"removed\":[" stones "]}]}"

static void refused(enum status want, const char *words, const char *text)
{
    json_t *history;

    assert_fails(want, words, store_history_parse("h", text, strlen(text), &history));
    assert_null(history);
}

static void a_history_that_is_none_is_refused(void **state)
{
    json_t *history;

    assert_ok(store_history_parse("h", REMOVE(STONE("train", "1", "3")), strlen(REMOVE(STONE("train", "1", "3"))), &history));
    json_decref(history);
    refused(ST_FORMAT, "h", "[]");
    refused(ST_UNSUPPORTED, "version 2 of a history", "{\"history\":2,\"changes\":[]}");
    refused(ST_FORMAT, "no list of 1 to", "{\"history\":1,\"changes\":[]}");
    refused(ST_UNSUPPORTED, "a change 'rename'", "{\"history\":1,\"changes\":[{\"change\":\"rename\",\"before\":\"" DIGEST "\"," PARTS ",\"shards\":[]}]}");
    refused(ST_FORMAT, "'before' is 'x'", "{\"history\":1,\"changes\":[{\"change\":\"append\",\"before\":\"x\"," PARTS ",\"shards\":[]}]}");
    refused(ST_FORMAT, "no list 'removed'", "{\"history\":1,\"changes\":[{\"change\":\"remove\",\"before\":\"" DIGEST "\"," PARTS ",\"shards\":[]}]}");
    refused(ST_FORMAT, "'append' has a list 'removed'",
            "{\"history\":1,\"changes\":[{\"change\":\"append\",\"before\":\"" DIGEST "\"," PARTS ",\"shards\":[],\"removed\":[]}]}");
    refused(ST_FORMAT, "documents", "{\"history\":1,\"changes\":[{\"change\":\"append\",\"before\":\"" DIGEST "\",\"parts\":{},\"shards\":[]}]}");
    refused(ST_FORMAT, "part is none", REMOVE(STONE("test", "1", "3")));
    refused(ST_FORMAT, "number 5 of train, which had 5", REMOVE(STONE("train", "5", "3")));
    refused(ST_FORMAT, "number 1 of train, which had 5 of 50", REMOVE(STONE("train", "1", "49")));
    refused(ST_FORMAT, "'document' is -1", REMOVE(STONE("train", "-1", "3")));
    refused(ST_FORMAT, "not in order (number 1)", REMOVE(STONE("train", "1", "3") "," STONE("train", "1", "3")));
    refused(ST_FORMAT, "not in order (number 0)", REMOVE(STONE("validation", "0", "0") "," STONE("train", "0", "3")));
}

/* Numbers that agree with each other, but not with the store. */
static void a_history_that_does_not_fit_its_store_is_refused(void **state)
{
    const char *path = make_store(&kind), *name = join(path, "history-1.json");
    const char *text = "{\"history\":1,\"changes\":[{\"change\":\"append\",\"before\":\"" DIGEST "\",\"parts\":{\"train\":{\"documents\":100000,\"tokens\":9},"
                       "\"validation\":{\"documents\":0,\"tokens\":0}},\"shards\":[]}]}";
    json_t *manifest;
    struct token_store *s;

    put_file(name, text, strlen(text));
    assert_ok(json_read_file(join(path, "manifest.json"), &manifest));
    json_object_set_new(json_object_get(manifest, "files"), "history-1.json", json_object());
    assert_ok(json_write_file(join(path, "manifest.json"), manifest));
    json_decref(manifest);
    remake_manifest(path);
    assert_fails(ST_FORMAT, "had more documents than can be", token_store_open_then(path, DIGEST, &s));
    assert_ok(token_store_open(path, &s));
    token_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_knows_what_it_was_before_each_change),
        cmocka_unit_test(a_history_that_is_none_is_refused),
        cmocka_unit_test(a_history_that_does_not_fit_its_store_is_refused),
    };

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
