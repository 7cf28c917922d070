/* sim/exec_vector.c - the operations of the vector unit: operands by the instruction's fields, the
 * arithmetic by functional.h. */
#include "sim/exec_private.h"
#include "sim/functional.h"
#include "sim/layout.h"

#include <string.h>

enum { FACTOR_MAX = (1 << 24) - 1 }; /* of a product of the set-up */

/* ---- operands ---- */

static uint32_t outer_of(const lpu_insn *i, uint32_t r)
{
    return r / i->m_inner;
}

/* Row r of buffer a, of n values. */
static int32_t *row_a(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const uint64_t inner = r % i->m_inner;
    return lpu_exec_elems(e, i->a, sizeof(int32_t),
                          i->a_off + (uint64_t)outer_of(i, r) * i->a_stride + inner * i->n, i->n);
}

/* Row r of dst, of n elements. */
static void *row_dst(lpu_exec *e, uint32_t r, size_t elem_bytes)
{
    const lpu_insn *i = e->insn;
    const uint64_t inner = r % i->m_inner;
    return lpu_exec_elems(e, i->dst, elem_bytes,
                          i->d_off + (uint64_t)outer_of(i, r) * i->d_stride + inner * i->n, i->n);
}

/* Scales first..first+count of those behind bytes bytes. */
static lpu_scale *scales_behind(lpu_exec *e, uint8_t buffer, uint64_t bytes, uint64_t first,
                                uint64_t count)
{
    return lpu_exec_elems(e, buffer, sizeof(lpu_scale), (bytes + 3) / 4 + first, count);
}

static lpu_status check_planes(const lpu_exec *e)
{
    const uint32_t planes = e->insn->planes;
    if (planes && planes <= LPU_TRITS_MAX) return LPU_OK;
    return lpu_exec_refuse(e, "planes", planes, "1 to 5");
}

/* ---- embedding, norms ---- */

static lpu_status embed(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const uint64_t plane_bytes = lpu_ternary_bytes(e->config.code, i->n);
    const uint64_t row_bytes = i->planes * plane_bytes;
    lpu_status status = check_planes(e);
    if (status) return status;

    int32_t *x = row_dst(e, r, sizeof(*x));
    const uint8_t *packed = lpu_exec_elems(e, i->a, 1, r * row_bytes, row_bytes);
    const lpu_scale *scale = scales_behind(e, i->a, i->m * row_bytes, r, 1);
    if (!x || !packed || !scale) return LPU_ERR_FORMAT;
    int8_t *v = lpu_exec_work(e, 2 * (size_t)i->n), *digits = v + i->n;
    if (!v) return LPU_ERR_MEMORY;

    memset(v, 0, i->n);
    for (uint32_t p = 0; p < i->planes && !status; p++) {
        status =
            lpu_ternary_decode(e->config.code, digits, packed + p * plane_bytes, i->n, e->diag);
        for (uint32_t n = 0; n < i->n && !status; n++) v[n] = (int8_t)(3 * v[n] + digits[n]);
    }
    if (!status) lpu_functional_embed(x, v, i->n, *scale);
    return status;
}

static lpu_status normq(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const uint64_t elems = (uint64_t)i->m * i->n;
    const int16_t *gain = NULL;
    int32_t exponent = -16;

    const int32_t *x = row_a(e, r);
    int8_t *q = row_dst(e, r, 1);
    lpu_scale *scale = scales_behind(e, i->dst, elems, r, 1);
    if (!x || !q || !scale) return LPU_ERR_FORMAT;
    if (i->b != LPU_BUFFER_NONE && !(gain = lpu_exec_elems(e, i->b, sizeof(*gain), 0, i->n))) {
        return LPU_ERR_FORMAT;
    }
    if (i->flags & LPU_FLAG_EXPONENT) {
        const int32_t *own = lpu_exec_elems(e, i->a, sizeof(*own), elems + r, 1);
        if (!own) return LPU_ERR_FORMAT;
        exponent = *own;
    }
    *scale = lpu_functional_normq(q, x, i->n, exponent, gain, i->scale.e, e->config.eps);
    return LPU_OK;
}

/* ---- products become values ---- */

static lpu_status dequant(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const int32_t *acc = row_a(e, r);
    int32_t *y = row_dst(e, r, sizeof(*y));
    const lpu_scale *scale = scales_behind(e, i->b, (uint64_t)i->m * i->k, r, 1);

    if (!acc || !y || !scale) return LPU_ERR_FORMAT;
    if (!i->mode) {
        lpu_functional_dequant(y, acc, 1, i->n, scale, &i->scale, 1);
        return LPU_OK;
    }
    for (uint32_t n = 0; n < i->n; n++) y[n] = lpu_functional_apply(acc[n], *scale, -16);
    return LPU_OK;
}

static lpu_status residual(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const int32_t *acc = row_a(e, r);
    int32_t *x = row_dst(e, r, sizeof(*x));
    const lpu_scale *scale = scales_behind(e, i->b, (uint64_t)i->m * i->k, r, 1);

    if (!acc || !x || !scale) return LPU_ERR_FORMAT;
    lpu_functional_residual(x, acc, i->n, lpu_functional_mul(*scale, i->scale));
    return LPU_OK;
}

/* ---- attention ---- */

static lpu_status rope(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const uint64_t table_row = i->k > 1 ? outer_of(i, r) : 0;
    const int16_t *table = lpu_exec_elems(e, i->b, sizeof(*table), table_row * i->n, i->n);
    int32_t *x = row_a(e, r);

    if (!x || !table) return LPU_ERR_FORMAT;
    lpu_functional_rope(x, i->n, table);
    return LPU_OK;
}

static lpu_status quant(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const int32_t *x = row_a(e, r);
    int8_t *q = row_dst(e, r, 1);
    lpu_scale *scale = scales_behind(e, i->dst, (uint64_t)i->m * i->n, r, 1);

    if (!x || !q || !scale) return LPU_ERR_FORMAT;
    *scale = lpu_functional_quant_head(q, x, i->n, 127);
    return LPU_OK;
}

/* A packed row is cut into pieces: keys (mode 0) into k tiles, values (mode 1) into row blocks. */
static uint32_t piece_count(const lpu_exec *e)
{
    return lpu_ktile_count(e->insn->n, e->insn->mode ? e->config.rows : e->config.cols);
}

static lpu_ktile piece_at(const lpu_exec *e, uint32_t t)
{
    const lpu_format format = {1, e->per_byte, 1};
    const uint32_t n = e->insn->n, rows = e->config.rows;

    if (!e->insn->mode) return lpu_ktile_at(&format, n, e->config.cols, t);
    const uint32_t elems = n - t * rows < rows ? n - t * rows : rows;
    return (lpu_ktile){t * rows, elems, (uint32_t)lpu_format_bytes(&format, elems)};
}

/* The pieces lie head by head, then piece > plane > token; digits is (planes, n). */
static lpu_status pack(lpu_exec *e, uint32_t r, uint64_t row_bytes, const int8_t *digits)
{
    const lpu_insn *i = e->insn;
    const uint64_t tokens = i->m / i->m_inner, head = r % i->m_inner;
    uint64_t at = head * row_bytes * tokens * i->planes;

    for (uint32_t t = 0; t < piece_count(e); t++) {
        const lpu_ktile piece = piece_at(e, t);
        for (uint32_t p = 0; p < i->planes; p++) {
            uint8_t *line =
                lpu_exec_elems(e, i->dst, 1, at + (p * tokens + outer_of(i, r)) * piece.line_bytes,
                               piece.line_bytes);
            if (!line) return LPU_ERR_FORMAT;
            lpu_ternary_encode(e->config.code, line, digits + (size_t)p * i->n + piece.first,
                               piece.elems);
        }
        at += tokens * i->planes * piece.line_bytes;
    }
    return LPU_OK;
}

static lpu_status kvpack(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const uint64_t tokens = i->m / i->m_inner;
    uint64_t row_bytes = 0;
    const lpu_status status = check_planes(e);
    if (status) return status;

    for (uint32_t t = 0; t < piece_count(e); t++) row_bytes += piece_at(e, t).line_bytes;
    const int32_t *x = row_a(e, r);
    lpu_scale *scale = scales_behind(e, i->dst, i->m * i->planes * row_bytes,
                                     r % i->m_inner * tokens + outer_of(i, r), 1);
    if (!x || !scale) return LPU_ERR_FORMAT;
    int8_t *q = lpu_exec_work(e, (1 + (size_t)i->planes) * i->n);
    if (!q) return LPU_ERR_MEMORY;

    *scale = lpu_functional_quant_head(q, x, i->n, lpu_ternary_limit(i->planes));
    for (uint32_t n = 0; n < i->n; n++) {
        int8_t digits[LPU_TRITS_MAX];
        lpu_ternary_split(digits, i->planes, q[n]);
        for (uint32_t p = 0; p < i->planes; p++) q[(1 + (size_t)p) * i->n + n] = digits[p];
    }
    return pack(e, r, row_bytes, q + i->n);
}

/* Rows are (token, head), contiguous in a and dst. The fields of strides say where the scale of the
 * first row's query is: a_off, and a_stride to the next token, behind d_stride x d_off bytes of b.
 * k is the first token's position; later keys do not exist for it. The scores are work space: the
 * weighed powers u of section 8.4 take their place. */
static lpu_status softmax(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const uint64_t keys = (uint64_t)i->k + outer_of(i, r) + 1;
    const uint64_t query = i->a_off + (uint64_t)outer_of(i, r) * i->a_stride + r % i->m_inner;

    if (keys > i->n) return lpu_exec_refuse(e, "a query at position", keys - 1, "one with a key");
    if (i->d_stride > FACTOR_MAX) {
        return lpu_exec_refuse(e, "d_stride", i->d_stride, "at most 2^24 - 1");
    }
    int32_t *acc = lpu_exec_elems(e, i->a, sizeof(*acc), (uint64_t)r * i->n, i->n);
    int8_t *p = lpu_exec_elems(e, i->dst, 1, (uint64_t)r * i->n, i->n);
    lpu_scale *out = scales_behind(e, i->dst, (uint64_t)i->m * i->n, r, 1);
    const lpu_scale *sq = scales_behind(e, i->b, (uint64_t)i->d_stride * i->d_off, query, 1);
    const lpu_scale *sk = scales_behind(e, i->c, 0, 0, 2 * (uint64_t)i->n);
    if (!acc || !p || !out || !sq || !sk) return LPU_ERR_FORMAT;
    int64_t *work = lpu_exec_work(e, keys * sizeof(*work));
    if (!work) return LPU_ERR_MEMORY;

    *out = lpu_functional_softmax(p, acc, keys, *sq, e->config.score_scale, sk, sk + i->n, work);
    memset(p + keys, 0, i->n - keys);
    for (uint64_t t = 0; t < keys; t++) acc[t] = (int32_t)work[t];
    return LPU_OK;
}

/* ---- gate, head ---- */

static lpu_status gate(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const int32_t *u = NULL;

    if (i->mode > LPU_ACT_GELU) return lpu_exec_refuse(e, "activation", i->mode, "0 to 2");
    const int32_t *g = row_a(e, r);
    int32_t *h = row_dst(e, r, sizeof(*h));
    int32_t *exponent = lpu_exec_elems(e, i->dst, sizeof(*exponent), (uint64_t)i->m * i->n + r, 1);
    if (!g || !h || !exponent) return LPU_ERR_FORMAT;
    if (i->b != LPU_BUFFER_NONE &&
        !(u = lpu_exec_elems(e, i->b, sizeof(*u), (uint64_t)r * i->n, i->n))) {
        return LPU_ERR_FORMAT;
    }
    *exponent = lpu_functional_gate(h, g, u, i->n, (lpu_activation)i->mode);
    return LPU_OK;
}

/* The rows of a are those of the head from d_off on. */
static lpu_status argmax(lpu_exec *e, uint32_t r)
{
    const lpu_insn *i = e->insn;
    const int32_t *acc = row_a(e, r);
    const lpu_scale *scale = scales_behind(e, i->b, (uint64_t)i->m * i->k, r, 1);
    const lpu_scale *rows = scales_behind(e, i->c, 0, 0, i->n);
    int32_t *best = lpu_exec_elems(e, i->dst, sizeof(*best), 2 * (uint64_t)r, 2);
    if (!acc || !scale || !rows || !best) return LPU_ERR_FORMAT;
    int32_t *logits = lpu_exec_work(e, i->n * sizeof(*logits));
    if (!logits) return LPU_ERR_MEMORY;

    lpu_functional_dequant(logits, acc, 1, i->n, scale, rows, i->n);
    const size_t top = lpu_functional_argmax(logits, i->n);
    if ((i->flags & LPU_FLAG_FIRST) || logits[top] > best[1]) {
        best[0] = (int32_t)(i->d_off + top);
        best[1] = logits[top];
    }
    if (r || !e->config.logits) return LPU_OK;
    if (i->d_off > e->config.logits_elems || i->n > e->config.logits_elems - i->d_off) {
        return lpu_exec_refuse(e, "logit", (uint64_t)i->d_off + i->n - 1, "one of the vocabulary");
    }
    memcpy(e->config.logits + i->d_off, logits, i->n * sizeof(*logits));
    return LPU_OK;
}

/* ---- one instruction ---- */

lpu_status lpu_exec_vector(lpu_exec *e)
{
    static lpu_status (*const row_of[LPU_INSN_OPS])(lpu_exec *, uint32_t) = {
        [LPU_INSN_embed] = embed,       [LPU_INSN_normq] = normq,     [LPU_INSN_dequant] = dequant,
        [LPU_INSN_residual] = residual, [LPU_INSN_rope] = rope,       [LPU_INSN_quant] = quant,
        [LPU_INSN_kvpack] = kvpack,     [LPU_INSN_softmax] = softmax, [LPU_INSN_gate] = gate,
        [LPU_INSN_argmax] = argmax,
    };
    lpu_status status = LPU_OK;

    for (uint32_t r = 0; r < e->insn->m && !status; r++) status = row_of[e->insn->op](e, r);
    return status;
}
