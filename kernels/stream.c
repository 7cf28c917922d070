/* kernels/stream.c - loads streams block by block, and hands their blocks out to a team. */
#include "kernels/stream.h"

#include "kernels/half.h"
#include "kernels/lookup.h"
#include "kernels/memory.h"
#include "workloads/quants.h"
#include "workloads/ternary.h"

#include <stdlib.h>

static lpu_status init(lpu_stream *s, lpu_layout layout, size_t rows, size_t k, lpu_diag *diag)
{
    *s = (lpu_stream){.layout = layout, .rows = rows, .k = k};
    if (k > LPU_LAYOUT_K_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "stream: found rows of %zu elements, expected at most %d", k,
                        LPU_LAYOUT_K_MAX);
    }
    if ((layout == LPU_LAYOUT_Q8 || layout == LPU_LAYOUT_Q4) && k % LPU_LAYOUT_GROUP) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "stream: found rows of %zu elements in %s, expected "
                        "a multiple of %d",
                        k, lpu_layout_name(layout), LPU_LAYOUT_GROUP);
    }
    s->block_rows = lpu_layout_block_rows(layout);
    s->block_bytes = lpu_layout_block_bytes(layout, k);
    s->bytes = lpu_layout_bytes(layout, rows, k);
    return LPU_OK;
}

lpu_status lpu_stream_open(lpu_stream *s, lpu_layout layout, size_t rows, size_t k, lpu_diag *diag)
{
    lpu_status status = init(s, layout, rows, k, diag);

    if (status) return status;
    s->w = lpu_memory_open(s->bytes);
    if (!s->w) return lpu_fail(diag, LPU_ERR_MEMORY, "stream: no memory for %zu bytes", s->bytes);
    return LPU_OK;
}

lpu_status lpu_stream_borrow(lpu_stream *s, lpu_layout layout, size_t rows, size_t k,
                             const uint8_t *bytes, lpu_diag *diag)
{
    lpu_status status = init(s, layout, rows, k, diag);

    s->w = (uint8_t *)(uintptr_t)bytes;
    s->is_borrowed = true;
    return status;
}

void lpu_stream_close(lpu_stream *s)
{
    if (!s->is_borrowed) lpu_memory_close(s->w, s->bytes);
    *s = (lpu_stream){.layout = s->layout};
}

/* A matrix being packed by a team; each member fills a status of its own. */
typedef struct loading {
    lpu_stream *s;
    const lpu_matrix *m;
    const uint16_t *halves; /* (rows, k), instead of m */
    lpu_status status[LPU_TEAM_THREADS_MAX];
    lpu_diag diag[LPU_TEAM_THREADS_MAX];
} loading;

lpu_status lpu_stream_read_row(int8_t *row, int8_t *digits, const lpu_matrix *m, size_t r,
                               lpu_diag *diag)
{
    const size_t bytes = lpu_ternary_bytes(LPU_CODE_BASE3, m->cols);

    for (uint32_t p = 0; p < m->trits; p++) {
        const uint8_t *src = m->planes + (p * m->rows + r) * bytes;
        lpu_status status = lpu_ternary_decode(LPU_CODE_BASE3, digits, src, m->cols, diag);
        if (status) return status;
        for (size_t c = 0; c < m->cols; c++) {
            row[c] = (int8_t)((p ? 3 * row[c] : 0) + digits[c]); /* Horner */
        }
    }
    return LPU_OK;
}

/* The real values of row r of m, whose integers are row. */
static void to_reals(float *reals, const int8_t *row, const lpu_matrix *m, size_t r)
{
    const double scale =
        m->row_scales ? lpu_scale_to_real(m->row_scales[r]) : (double)m->real_scale;
    for (size_t c = 0; c < m->cols; c++) reals[c] = (float)(row[c] * scale);
}

/* What a member needs for a block of a stream. */
typedef struct scratch {
    int8_t *values; /* (block_rows + 1, k): the last row is for digits */
    float *reals;   /* (block_rows, k) */
    uint8_t *codes; /* the same, in up to two bytes each (Q8_0: 34 bytes for 32) */
} scratch;

static bool is_real(lpu_layout layout)
{
    return layout == LPU_LAYOUT_F16 || layout == LPU_LAYOUT_BF16 || layout == LPU_LAYOUT_Q8 ||
           layout == LPU_LAYOUT_Q4;
}

/* Packs n rows of reals. */
static void pack_reals(const lpu_stream *s, uint8_t *to, const scratch *r, size_t n)
{
    const size_t elems = n * s->k;
    uint16_t *two = (uint16_t *)(void *)r->codes;

    switch (s->layout) {
    case LPU_LAYOUT_BF16:
        for (size_t i = 0; i < elems; i++) two[i] = lpu_bf16_from_float(r->reals[i]);
        lpu_layout_pack_bf16(to, two, n, s->k);
        break;
    case LPU_LAYOUT_Q8:
        lpu_quants_encode(LPU_QUANT_Q8_0, r->codes, r->reals, elems);
        lpu_layout_pack_q8(to, r->codes, n, s->k);
        break;
    case LPU_LAYOUT_Q4:
        lpu_quants_encode(LPU_QUANT_Q4_0, r->codes, r->reals, elems);
        lpu_layout_pack_q4(to, r->codes, n, s->k);
        break;
    default:
        for (size_t i = 0; i < elems; i++) two[i] = lpu_half_from_float(r->reals[i]);
        lpu_layout_pack_f16(to, two, n, s->k);
        break;
    }
}

static lpu_status load_block(const loading *l, size_t block, const scratch *r, lpu_diag *diag)
{
    const lpu_stream *s = l->s;
    const size_t first = block * s->block_rows, left = s->rows - first;
    const size_t n = left < s->block_rows ? left : s->block_rows;
    uint8_t *to = s->w + block * s->block_bytes;

    if (l->halves && s->layout == LPU_LAYOUT_F16) {
        lpu_layout_pack_f16(to, l->halves + first * s->k, n, s->k);
        return LPU_OK;
    }
    for (size_t i = 0; l->halves && i < n * s->k; i++) {
        r->reals[i] = lpu_half_to_float(l->halves[first * s->k + i]);
    }
    for (size_t i = 0; !l->halves && i < n; i++) {
        int8_t *row = r->values + i * s->k;
        lpu_status status =
            lpu_stream_read_row(row, r->values + s->block_rows * s->k, l->m, first + i, diag);
        if (status) return status;
        if (is_real(s->layout)) to_reals(r->reals + i * s->k, row, l->m, first + i);
    }
    switch (s->layout) {
    case LPU_LAYOUT_B1: lpu_layout_pack_b1(to, r->values, n, s->k); break;
    case LPU_LAYOUT_T2: lpu_layout_pack_t2(to, r->values, n, s->k); break;
    case LPU_LAYOUT_B3: lpu_layout_pack_b3(to, r->values, n, s->k); break;
    case LPU_LAYOUT_I4: lpu_layout_pack_i4(to, r->values, n, s->k); break;
    case LPU_LAYOUT_I8: lpu_layout_pack_i8(to, r->values, n, s->k); break;
    default: pack_reals(s, to, r, n); break;
    }
    return LPU_OK;
}

static void load_work(void *arg, size_t member, size_t members)
{
    loading *l = arg;
    const size_t blocks = (l->s->rows + l->s->block_rows - 1) / l->s->block_rows;
    const size_t elems = (l->s->block_rows + 1) * l->s->k + 1;
    const bool has_reals = is_real(l->s->layout);
    const scratch r = {malloc(elems), has_reals ? malloc(sizeof(float) * elems) : NULL,
                       has_reals ? malloc(2 * elems) : NULL};
    size_t first;
    const size_t n = lpu_team_share(blocks, member, members, &first);

    l->status[member] = LPU_OK;
    if (!r.values || (has_reals && (!r.reals || !r.codes))) {
        l->status[member] = lpu_fail(&l->diag[member], LPU_ERR_MEMORY, "stream: out of memory");
    }
    for (size_t b = first; b < first + n && !l->status[member]; b++) {
        l->status[member] = load_block(l, b, &r, &l->diag[member]);
    }
    free(r.values);
    free(r.reals);
    free(r.codes);
}

static lpu_status load(lpu_stream *s, const lpu_matrix *m, const uint16_t *halves, lpu_team *team,
                       lpu_diag *diag)
{
    loading *l = calloc(1, sizeof(*l));
    lpu_status status = LPU_OK;

    if (!l) {
        lpu_stream_close(s);
        return lpu_fail(diag, LPU_ERR_MEMORY, "stream: out of memory");
    }
    l->s = s;
    l->m = m;
    l->halves = halves;
    lpu_team_run(team, load_work, l);
    for (uint32_t i = 0; i < lpu_team_threads(team) && !status; i++) {
        status = l->status[i];
        if (status && diag) *diag = l->diag[i];
    }
    free(l);
    if (status) lpu_stream_close(s);
    return status;
}

lpu_status lpu_stream_load(lpu_stream *s, lpu_layout layout, const lpu_matrix *m, lpu_team *team,
                           lpu_diag *diag)
{
    if (m->stream && m->stream_bytes != lpu_layout_bytes(layout, m->rows, m->cols)) {
        *s = (lpu_stream){.layout = layout};
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "stream: found %zu packed bytes of %zu by %zu, expected %zu in %s",
                        m->stream_bytes, m->rows, m->cols,
                        lpu_layout_bytes(layout, m->rows, m->cols), lpu_layout_name(layout));
    }
    if (m->stream) return lpu_stream_borrow(s, layout, m->rows, m->cols, m->stream, diag);
    lpu_status status = lpu_stream_open(s, layout, m->rows, m->cols, diag);
    return status ? status : load(s, m, NULL, team, diag);
}

lpu_status lpu_stream_load_halves(lpu_stream *s, lpu_layout layout, const uint16_t *halves,
                                  size_t rows, size_t k, lpu_team *team, lpu_diag *diag)
{
    lpu_status status = lpu_stream_open(s, layout, rows, k, diag);
    return status ? status : load(s, NULL, halves, team, diag);
}

lpu_stream_split lpu_stream_split_work(size_t tokens, size_t member, size_t members)
{
    const size_t each = tokens / members;

    if (tokens % members || each % LPU_LOOKUP_TOKENS || !each) {
        return (lpu_stream_split){0, tokens, member, members};
    }
    return (lpu_stream_split){each * member, each, 0, 1};
}

/* The rows that fall to a member: whole blocks. */
static size_t share_rows(const lpu_stream *s, size_t member, size_t members, size_t *rows)
{
    const size_t blocks = (s->rows + s->block_rows - 1) / s->block_rows;
    size_t first;
    const size_t end = lpu_team_share(blocks, member, members, &first) + first;
    const size_t last = end * s->block_rows < s->rows ? end * s->block_rows : s->rows;

    first *= s->block_rows;
    *rows = first < last ? last - first : 0;
    return first;
}

size_t lpu_stream_multiply_i32(const lpu_stream *s, const lpu_kernels *k, int32_t *y,
                               size_t y_stride, const int8_t *x, size_t x_stride, size_t tokens,
                               void *room, size_t member, size_t members, size_t *rows)
{
    const size_t first = share_rows(s, member, members, rows), n = *rows;
    const uint8_t *w = s->w + first / s->block_rows * s->block_bytes;

    y += first;
    if (!n) return first;
    if (tokens == 1) {
        if (s->layout == LPU_LAYOUT_B1) k->gemv_b1_i8(y, w, x, n, s->k);
        if (s->layout == LPU_LAYOUT_T2) k->gemv_t2_i8(y, w, x, n, s->k);
        if (s->layout == LPU_LAYOUT_B3) k->gemv_b3_i8(y, w, x, n, s->k);
        if (s->layout == LPU_LAYOUT_I4) k->gemv_i4_i8(y, w, x, n, s->k);
        if (s->layout == LPU_LAYOUT_I8) k->gemv_i8_i8(y, w, s->block_bytes, x, n, s->k);
        return first;
    }
    if (s->layout == LPU_LAYOUT_B1)
        k->gemm_b1_i8(y, y_stride, w, x, x_stride, n, s->k, tokens, room);
    if (s->layout == LPU_LAYOUT_T2)
        k->gemm_t2_i8(y, y_stride, w, x, x_stride, n, s->k, tokens, room);
    if (s->layout == LPU_LAYOUT_B3)
        k->gemm_b3_i8(y, y_stride, w, x, x_stride, n, s->k, tokens, room);
    if (s->layout == LPU_LAYOUT_I4)
        k->gemm_i4_i8(y, y_stride, w, x, x_stride, n, s->k, tokens, room);
    if (s->layout == LPU_LAYOUT_I8) {
        k->gemm_i8_i8(y, y_stride, w, s->block_bytes, x, x_stride, n, s->k, tokens);
    }
    return first;
}

size_t lpu_stream_multiply_f32(const lpu_stream *s, const lpu_kernels *k, float *y, size_t y_stride,
                               const float *x, size_t x_stride, size_t tokens, size_t member,
                               size_t members, size_t *rows)
{
    const size_t first = share_rows(s, member, members, rows), n = *rows;
    const uint8_t *w = s->w + first / s->block_rows * s->block_bytes;

    if (n && tokens == 1) k->gemv_f16_f32(y + first, w, x, n, s->k);
    if (n && tokens > 1) {
        k->gemm_f16_f32(y + first, y_stride, w, x, x_stride, n, s->k, tokens);
    }
    return first;
}

size_t lpu_stream_multiply_bf16(const lpu_stream *s, const lpu_kernels *k, float *y,
                                size_t y_stride, const uint16_t *x, size_t x_stride, size_t tokens,
                                size_t member, size_t members, size_t *rows)
{
    const size_t first = share_rows(s, member, members, rows), n = *rows;
    const uint8_t *w = s->w + first / s->block_rows * s->block_bytes;

    if (n && tokens == 1) k->gemv_bf16_bf16(y + first, w, x, n, s->k);
    if (n && tokens > 1) {
        k->gemm_bf16_bf16(y + first, y_stride, w, x, x_stride, n, s->k, tokens);
    }
    return first;
}

size_t lpu_stream_multiply_groups(const lpu_stream *s, const lpu_kernels *k, float *y,
                                  size_t y_stride, const int8_t *x, size_t x_stride,
                                  const lpu_group *xs, size_t tokens, size_t member, size_t members,
                                  size_t *rows)
{
    const size_t first = share_rows(s, member, members, rows), n = *rows;
    const uint8_t *w = s->w + first / s->block_rows * s->block_bytes;
    const bool is_q8 = s->layout == LPU_LAYOUT_Q8;

    if (n && tokens == 1) (is_q8 ? k->gemv_q8_i8 : k->gemv_q4_i8)(y + first, w, x, xs, n, s->k);
    if (n && tokens > 1) {
        (is_q8 ? k->gemm_q8_i8 : k->gemm_q4_i8)(y + first, y_stride, w, x, x_stride, xs, n, s->k,
                                                tokens);
    }
    return first;
}
