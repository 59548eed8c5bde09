#include "store/sampling/sample_pack.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/status.h"

#define KEY_NUMBER_BITS 40 /* of a sort key, below T - count */

void sample_pack_init(struct sample_pack *p, uint64_t length)
{
    uint64_t words = length + 1;

    BUG_IF(length == 0 || length >= (uint64_t)1 << 24);
    *p = (struct sample_pack){ .length = length };
    for (int l = 0; l < SAMPLE_ROOM_LEVELS; l++) {
        words = (words + 63) / 64;
        p->rooms[l] = mem_array(words, sizeof *p->rooms[l]);
    }
    p->heads = mem_array(length + 1, sizeof *p->heads);
}

void sample_pack_release(struct sample_pack *p)
{
    for (int l = 0; l < SAMPLE_ROOM_LEVELS; l++)
        free(p->rooms[l]);
    free(p->heads);
    free(p->pieces);
    free(p->sorted);
    free(p->keys);
    free(p->row_of);
    free(p->next);
    free(p->room);
    free(p->begin);
    *p = (struct sample_pack){ 0 };
}

void sample_pack_clear(struct sample_pack *p)
{
    p->count = 0;
    p->rows = 0;
}

static void reserve(struct sample_pack *p)
{
    if (p->count < p->capacity)
        return;
    p->capacity = p->capacity * 2 + 1024;
    p->pieces = mem_grow(p->pieces, p->capacity, sizeof *p->pieces);
    p->sorted = mem_grow(p->sorted, p->capacity, sizeof *p->sorted);
    p->keys = mem_grow(p->keys, p->capacity, sizeof *p->keys);
    p->row_of = mem_grow(p->row_of, p->capacity, sizeof *p->row_of);
    p->next = mem_grow(p->next, p->capacity, sizeof *p->next);
    p->room = mem_grow(p->room, p->capacity, sizeof *p->room);
    p->begin = mem_grow(p->begin, p->capacity + 1, sizeof *p->begin);
}

void sample_pack_add(struct sample_pack *p, const struct sample_piece *piece)
{
    for (uint64_t done = 0; done < piece->count;) {
        uint64_t left = piece->count - done, n = left < p->length ? left : p->length;

        reserve(p);
        BUG_IF(p->count >= UINT32_MAX - 1);
        p->pieces[p->count] = *piece;
        p->pieces[p->count].offset += done;
        p->pieces[p->count].count = n;
        p->keys[p->count] = (p->length - n) << KEY_NUMBER_BITS | p->count;
        p->count++;
        done += n;
    }
}

/* ---- rows by their room ---- */

/* The least room of a row, at least `least`; false: there is none. */
static bool room_find(const struct sample_pack *p, uint64_t least, uint64_t *room)
{
    uint64_t at = least, most = p->length; /* numbers of bits of the level */

    for (int l = 0; l < SAMPLE_ROOM_LEVELS && at <= most; l++) {
        uint64_t word = p->rooms[l][at / 64] & ~(uint64_t)0 << at % 64;

        if (word != 0) {
            at = at / 64 * 64 + (uint64_t)__builtin_ctzll(word);
            while (l-- > 0)
                at = at * 64 + (uint64_t)__builtin_ctzll(p->rooms[l][at]);
            *room = at;
            return true;
        }
        at = at / 64 + 1;
        most /= 64;
    }
    return false;
}

static void room_set(struct sample_pack *p, uint64_t room)
{
    for (int l = 0; l < SAMPLE_ROOM_LEVELS; l++, room /= 64)
        p->rooms[l][room / 64] |= (uint64_t)1 << room % 64;
}

static void room_unset(struct sample_pack *p, uint64_t room)
{
    for (int l = 0; l < SAMPLE_ROOM_LEVELS; l++, room /= 64) {
        p->rooms[l][room / 64] &= ~((uint64_t)1 << room % 64);
        if (p->rooms[l][room / 64] != 0)
            return;
    }
}

static void put_row(struct sample_pack *p, uint32_t row, uint64_t room)
{
    p->room[row] = room;
    if (room == 0)
        return;
    p->next[row] = p->heads[room];
    if (p->heads[room] == 0)
        room_set(p, room);
    p->heads[room] = row + 1;
}

static uint32_t take_row(struct sample_pack *p, uint64_t room)
{
    uint32_t row = p->heads[room] - 1;

    p->heads[room] = p->next[row];
    if (p->heads[room] == 0)
        room_unset(p, room);
    return row;
}

static uint32_t put_piece(struct sample_pack *p, uint64_t count)
{
    uint64_t room;
    uint32_t row;

    if (count < p->length && room_find(p, count, &room)) {
        row = take_row(p, room);
    } else {
        row = (uint32_t)p->rows++;
        room = p->length;
    }
    put_row(p, row, room - count);
    return row;
}

static void empty_lists(struct sample_pack *p)
{
    for (size_t row = 0; row < p->rows; row++) {
        uint64_t room = p->room[row];

        if (room > 0 && p->heads[room] != 0) {
            p->heads[room] = 0;
            room_unset(p, room);
        }
    }
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Pieces in the order of their keys, each behind those of its row that came before it. */
static void sort_by_row(struct sample_pack *p)
{
    memset(p->begin, 0, (p->rows + 1) * sizeof *p->begin);
    for (size_t i = 0; i < p->count; i++)
        p->begin[p->row_of[i] + 1]++;
    for (size_t row = 0; row < p->rows; row++)
        p->begin[row + 1] += p->begin[row];
    for (size_t i = 0; i < p->count; i++)
        p->sorted[p->begin[p->row_of[i]]++] =
            p->pieces[p->keys[i] & (((uint64_t)1 << KEY_NUMBER_BITS) - 1)];
    for (size_t row = p->rows; row > 0; row--)
        p->begin[row] = p->begin[row - 1];
    p->begin[0] = 0;
}

void sample_pack_fit(struct sample_pack *p)
{
    p->rows = 0;
    if (p->count == 0)
        return;
    qsort(p->keys, p->count, sizeof *p->keys, compare_keys);
    for (size_t i = 0; i < p->count; i++)
        p->row_of[i] = put_piece(p, p->length - (p->keys[i] >> KEY_NUMBER_BITS));
    empty_lists(p);
    sort_by_row(p);
}

const struct sample_piece *sample_pack_row(const struct sample_pack *p, uint64_t row, size_t *count)
{
    BUG_IF(row >= p->rows);
    *count = p->begin[row + 1] - p->begin[row];
    return p->sorted + p->begin[row];
}

static int compare_pieces(const void *a, const void *b)
{
    const struct sample_piece *x = a, *y = b;

    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

size_t sample_pieces_join(struct sample_piece *pieces, size_t count)
{
    size_t n = 0;

    if (count > 1)
        qsort(pieces, count, sizeof *pieces, compare_pieces);
    for (size_t i = 0; i < count; i++) {
        struct sample_piece *last = n > 0 ? &pieces[n - 1] : NULL;

        if (last && last->place == pieces[i].place &&
            last->offset + last->count == pieces[i].offset)
            last->count += pieces[i].count;
        else
            pieces[n++] = pieces[i];
    }
    return n;
}
