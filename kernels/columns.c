/* kernels/columns.c - packs columns, and multiplies those that meet something. */
#include "kernels/columns.h"

#include "kernels/memory.h"
#include "kernels/stream.h"

#include <stdlib.h>
#include <string.h>

enum {
    NEAR = 4096, /* columns that many tokens pass over before the next */
    ROWS_MAX = 1 << 20,
    FAR = 64, /* columns that are asked for from memory while as many are multiplied */
};

/* What lies in the room: the activations that are not zero, and their columns; sums of a part. */
typedef struct room {
    uint16_t at[LPU_LAYOUT_K_MAX + LPU_NONZEROS_SPARE];
    int8_t x[LPU_LAYOUT_K_MAX + LPU_NONZEROS_SPARE];
    int32_t sums[ROWS_MAX];
} room;

_Static_assert(sizeof(room) <= LPU_TEAM_ROOM_BYTES, "the room of a product");

bool lpu_columns_pay(const lpu_model *m, lpu_layout layout, uint32_t allowed)
{
    return m->activation == LPU_ACT_RELU2 && layout == LPU_LAYOUT_B3 &&
           (lpu_cpu_flags() & allowed & LPU_CPU_AVX512VNNI);
}

/* --- loading --- */

typedef struct loading {
    lpu_columns *c;
    const lpu_matrix *m;
    lpu_status status[LPU_TEAM_THREADS_MAX];
    lpu_diag diag[LPU_TEAM_THREADS_MAX];
} loading;

static void load_work(void *arg, size_t member, size_t members)
{
    loading *l = arg;
    const lpu_columns *c = l->c;
    int8_t *trits = malloc(LPU_LAYOUT_LINE_ROWS * c->k + 1), *digits = malloc(c->k + 1);
    lpu_status *status = &l->status[member];
    size_t line;
    const size_t lines = c->column_bytes / 64;
    const size_t end = lpu_team_share(lines, member, members, &line) + line;

    *status = LPU_OK;
    if (!trits || !digits) {
        *status = lpu_fail(&l->diag[member], LPU_ERR_MEMORY, "columns: out of memory");
    }
    for (; line < end && !*status; line++) {
        const size_t first = line * LPU_LAYOUT_LINE_ROWS, left = c->rows - first;
        const size_t n = left < LPU_LAYOUT_LINE_ROWS ? left : LPU_LAYOUT_LINE_ROWS;
        for (size_t r = 0; r < n && !*status; r++) {
            *status =
                lpu_stream_read_row(trits + r * c->k, digits, l->m, first + r, &l->diag[member]);
        }
        if (!*status) lpu_layout_pack_columns(c->w, c->column_bytes, trits, first, n, c->k);
    }
    free(trits);
    free(digits);
}

static lpu_status load(lpu_columns *c, const lpu_matrix *m, lpu_team *team, lpu_diag *diag)
{
    loading *l = calloc(1, sizeof(*l));
    lpu_status status = LPU_OK;

    c->w = lpu_memory_open(c->bytes);
    if (!l || !c->w) {
        free(l);
        return lpu_fail(diag, LPU_ERR_MEMORY, "columns: no memory for %zu bytes", c->bytes);
    }
    l->c = c;
    l->m = m;
    lpu_team_run(team, load_work, l);
    for (uint32_t i = 0; i < lpu_team_threads(team) && !status; i++) {
        status = l->status[i];
        if (status && diag) *diag = l->diag[i];
    }
    free(l);
    return status;
}

lpu_status lpu_columns_open(lpu_columns *c, const lpu_matrix *m, lpu_team *team, lpu_diag *diag)
{
    *c = (lpu_columns){.rows = m->rows,
                       .k = m->cols,
                       .column_bytes = lpu_layout_column_bytes(m->rows),
                       .bytes = m->cols * lpu_layout_column_bytes(m->rows)};
    if (m->cols > LPU_LAYOUT_K_MAX || m->rows > ROWS_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "columns: found %zu rows of %zu elements, expected at most %d of %d",
                        m->rows, m->cols, ROWS_MAX, LPU_LAYOUT_K_MAX);
    }
    if (m->stream && m->stream_bytes != c->bytes) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "columns: found %zu packed bytes of %zu by %zu, expected %zu",
                        m->stream_bytes, m->rows, m->cols, c->bytes);
    }
    if (m->stream) {
        c->w = (uint8_t *)(uintptr_t)m->stream;
        c->is_borrowed = true;
        return LPU_OK;
    }
    lpu_status status = load(c, m, team, diag);
    if (status) lpu_columns_close(c);
    return status;
}

void lpu_columns_close(lpu_columns *c)
{
    if (!c->is_borrowed) lpu_memory_close(c->w, c->bytes);
    *c = (lpu_columns){0};
}

/* --- products --- */

/* y += the columns from first on, n of them, that meet something; returns how many. */
static size_t add_columns(const lpu_columns *c, const lpu_kernels *k, int32_t *y, size_t row,
                          size_t rows, const int8_t *x, size_t first, size_t n, size_t chunk,
                          room *r)
{
    const size_t count = k->nonzeros_i8(r->at, r->x, x + first, n);
    const uint8_t *w = c->w + first * c->column_bytes + row / LPU_LAYOUT_LINE_ROWS * 64;

    k->columns_b3_i8(y + row, w, c->column_bytes, r->at, r->x, count, rows, chunk);
    return count;
}

size_t lpu_columns_multiply(const lpu_columns *c, const lpu_kernels *k, int32_t *y, size_t y_stride,
                            const int8_t *x, size_t x_stride, size_t tokens, void *room_,
                            size_t member, size_t members, size_t *rows, size_t *used)
{
    size_t line;
    const size_t n = lpu_team_share(c->column_bytes / 64, member, members, &line);
    const size_t first = line * LPU_LAYOUT_LINE_ROWS;
    const size_t end =
        first + n * LPU_LAYOUT_LINE_ROWS < c->rows ? first + n * LPU_LAYOUT_LINE_ROWS : c->rows;
    const size_t parts = tokens > 1 ? (c->k + NEAR - 1) / NEAR : 1;
    const size_t step = parts ? (c->k + parts - 1) / parts : 0;

    *rows = n ? end - first : 0;
    *used = 0;
    if (!n) return first;
    for (size_t t = 0; t < tokens; t++) memset(y + t * y_stride + first, 0, *rows * sizeof(*y));
    for (size_t at = 0; at < c->k; at += step) {
        const size_t here = c->k - at < step ? c->k - at : step;
        for (size_t t = 0; t < tokens; t++) {
            *used += add_columns(c, k, y + t * y_stride, first, *rows, x + t * x_stride, at, here,
                                 tokens > 1 ? NEAR : FAR, room_);
        }
    }
    return first;
}

void lpu_columns_part(const lpu_columns *c, const lpu_kernels *k, const int8_t *x, void *room_,
                      size_t member, size_t members, size_t *used)
{
    room *r = room_;
    size_t first;
    const size_t n = lpu_team_share(c->k, member, members, &first);

    memset(r->sums, 0, c->rows * sizeof(r->sums[0]));
    *used = add_columns(c, k, r->sums, 0, c->rows, x, first, n, FAR, r);
}

size_t lpu_columns_gather(const lpu_columns *c, int32_t *y, const lpu_team *team, size_t member,
                          size_t members, size_t *rows)
{
    size_t first;
    const size_t n = *rows = lpu_team_share(c->rows, member, members, &first);

    for (size_t i = 0; i < members; i++) {
        const int32_t *sums = ((const room *)lpu_team_room(team, i))->sums + first;
        for (size_t r = 0; r < n; r++) y[first + r] = i ? y[first + r] + sums[r] : sums[r];
    }
    return first;
}
