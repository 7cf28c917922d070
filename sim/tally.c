/* sim/tally.c - counts, from the definition. */
#include "sim/tally.h"

#include <stdlib.h>
#include <string.h>

void lpu_tally_begin(lpu_tally *t)
{
    t->next = 0;
}

/* The place of the next product's row, with room for k. NULL: out of memory. */
static lpu_tally_row *next_row(lpu_tally *t, uint32_t k)
{
    if (t->next == t->room) {
        const size_t room = t->room ? 2 * t->room : 8;
        lpu_tally_row *more = realloc(t->rows, room * sizeof(*more));
        if (!more) return NULL;
        memset(more + t->room, 0, (room - t->room) * sizeof(*more));
        t->rows = more;
        t->room = room;
    }
    lpu_tally_row *row = &t->rows[t->next];
    if (row->room < k) {
        int8_t *more = realloc(row->elems, 2 * (size_t)k);
        if (!more) return NULL;
        row->elems = more;
        row->room = 2 * k;
    }
    t->next++;
    return row;
}

static void compare(lpu_tally *t, const int8_t *before, const int16_t *now, uint32_t k)
{
    for (uint32_t i = 0; i < k; i++) {
        t->toggled_bits +=
            (uint64_t)__builtin_popcount((uint8_t)((uint8_t)before[i] ^ (uint8_t)now[i]));
    }
    t->bits += 8 * (uint64_t)k;
}

lpu_status lpu_tally_inputs(lpu_tally *t, const int16_t *x, uint32_t m, uint32_t k, lpu_diag *diag)
{
    lpu_tally_row *row = next_row(t, k);

    if (!row) return lpu_fail(diag, LPU_ERR_MEMORY, "tally: out of memory");
    for (uint32_t r = 0; r < m; r++, x += k) {
        compare(t, row->elems, x, row->k < k ? row->k : k);
        for (uint32_t i = 0; i < k; i++) {
            row->elems[i] = (int8_t)x[i];
            t->zero_inputs += !x[i];
        }
        row->k = k;
        t->inputs += k;
    }
    return LPU_OK;
}

void lpu_tally_digits(lpu_tally *t, const int16_t *digits, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) t->zero_digits += !digits[i];
    t->digits += n;
}

double lpu_tally_share(uint64_t part, uint64_t whole, double assumed)
{
    return whole ? (double)part / (double)whole : assumed;
}

void lpu_tally_close(lpu_tally *t)
{
    for (size_t i = 0; i < t->room; i++) free(t->rows[i].elems);
    free(t->rows);
    *t = (lpu_tally){0};
}
