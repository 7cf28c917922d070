/* sim/compile_buffers.c - sizes and places of the scratchpad's buffers.
 *
 *   | X, ACT, RESULT, gains, rope | attention: Q K V Q8 packs scores P scales | <- one after
 *   |                             | FFN: GATE UP                              |    another in
 *   |                             | head: logits, row scales; embedding rows  |    one place
 */
#include "sim/compile_buffers.h"

#include <string.h>

static uint64_t max64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Places the listed buffers one after another from *at on. */
static void place(lpu_buffer_plan *p, const lpu_buffer *list, size_t count, uint64_t *at)
{
    for (size_t i = 0; i < count; i++) {
        p->base[list[i]] = *at;
        *at += (p->bytes[list[i]] + 63) / 64 * 64;
    }
}

static void size_attention(lpu_buffer_plan *p, const lpu_layout *l, uint64_t keys)
{
    const lpu_model *m = l->model;
    const uint64_t rows = p->rows, act = l->act_bytes;
    const uint64_t q = (uint64_t)m->heads * m->head_elems;
    const uint64_t kv = (uint64_t)m->kv_heads * m->head_elems;
    const uint64_t group = m->heads / m->kv_heads;
    const uint64_t score_rows = p->attend_rows * group;
    const uint64_t key_line = l->kv.planes * lpu_format_bytes(&l->kv, m->head_elems);
    const uint64_t blocks = (m->head_elems + l->design->rows - 1) / l->design->rows;
    const uint64_t value_line =
        l->kv.planes * ((blocks - 1) * l->value_lines[0] + l->value_lines[1]);

    p->bytes[LPU_BUF_Q] = rows * max64(q, m->hidden_elems) * 4;
    p->bytes[LPU_BUF_K] = p->bytes[LPU_BUF_V] = rows * kv * 4;
    p->bytes[LPU_BUF_Q8] = rows * q * act + 4 + rows * m->heads * 4;
    p->bytes[LPU_BUF_KPACK] = rows * m->kv_heads * (key_line + 4) + 4;
    p->bytes[LPU_BUF_VPACK] = rows * m->kv_heads * (value_line + 4) + 4;
    for (int i = 0; i < 2; i++) {
        p->bytes[LPU_BUF_SCORES0 + i] = score_rows * keys * 4;
        p->bytes[LPU_BUF_P0 + i] = score_rows * keys * act + 4 + score_rows * 4;
        p->bytes[LPU_BUF_KVSCALE0 + i] = 2 * keys * 4;
        p->bytes[LPU_BUF_OACC0 + i] = score_rows * m->head_elems * 4;
    }
}

static void size_rest(lpu_buffer_plan *p, const lpu_layout *l)
{
    const lpu_model *m = l->model;
    const uint64_t rows = p->rows, h = m->hidden_elems;
    const uint64_t q = (uint64_t)m->heads * m->head_elems;
    const uint64_t widest = max64(max64(h, m->ffn_elems), q);

    p->bytes[LPU_BUF_X] = rows * h * 4;
    p->bytes[LPU_BUF_ACT] = rows * widest * l->act_bytes + 4 + rows * 4;
    p->bytes[LPU_BUF_GATE] = rows * max64(m->ffn_elems, h) * 4 + rows * 4;
    p->bytes[LPU_BUF_UP] = rows * max64(m->ffn_elems, h) * 4;
    p->bytes[LPU_BUF_ROPE] = rows * m->head_elems * 2;
    p->bytes[LPU_BUF_GAIN0] = p->bytes[LPU_BUF_GAIN1] = widest * 2;
    p->bytes[LPU_BUF_EMBED] = rows * (l->head.planes * lpu_format_bytes(&l->head, h) + 4) + 4;
    p->bytes[LPU_BUF_LOGITS] = rows * l->head_chunk_rows * 4;
    p->bytes[LPU_BUF_ROWSCALE] = (uint64_t)l->head_chunk_rows * 4;
    p->bytes[LPU_BUF_RESULT] = rows * 8;
}

bool lpu_buffer_plan_init(lpu_buffer_plan *p, const lpu_layout *l, uint32_t rows, uint32_t keys)
{
    static const lpu_buffer common[] = {LPU_BUF_X,     LPU_BUF_ACT,   LPU_BUF_ROPE,
                                        LPU_BUF_GAIN0, LPU_BUF_GAIN1, LPU_BUF_RESULT};
    static const lpu_buffer attention[] = {
        LPU_BUF_Q,        LPU_BUF_K,        LPU_BUF_V,       LPU_BUF_Q8,   LPU_BUF_KPACK,
        LPU_BUF_VPACK,    LPU_BUF_SCORES0,  LPU_BUF_SCORES1, LPU_BUF_P0,   LPU_BUF_P1,
        LPU_BUF_KVSCALE0, LPU_BUF_KVSCALE1, LPU_BUF_OACC0,   LPU_BUF_OACC1};
    static const lpu_buffer ffn[] = {LPU_BUF_GATE, LPU_BUF_UP};
    static const lpu_buffer head[] = {LPU_BUF_EMBED, LPU_BUF_LOGITS, LPU_BUF_ROWSCALE};
    const lpu_design *d = l->design;
    const uint64_t scratch = (uint64_t)d->scratch_kib * 1024;
    const uint32_t group = l->model->heads / l->model->kv_heads;

    memset(p, 0, sizeof(*p));
    p->rows = rows;
    p->attend_rows = d->passes_max / group;
    if (p->attend_rows > rows) p->attend_rows = rows;
    if (!p->attend_rows || rows > d->passes_max) return false;
    /* Scores take at most a quarter of the scratchpad: longer contexts go fewer tokens at a time.
     */
    while (p->attend_rows > 1 && 2ull * p->attend_rows * group * keys * 5 > scratch / 4) {
        p->attend_rows /= 2;
    }
    size_attention(p, l, keys);
    size_rest(p, l);

    uint64_t shared = 0;
    place(p, common, sizeof(common) / sizeof(common[0]), &shared);
    uint64_t ends[3] = {shared, shared, shared};
    place(p, attention, sizeof(attention) / sizeof(attention[0]), &ends[0]);
    place(p, ffn, sizeof(ffn) / sizeof(ffn[0]), &ends[1]);
    place(p, head, sizeof(head) / sizeof(head[0]), &ends[2]);
    p->total_bytes = max64(max64(ends[0], ends[1]), ends[2]);
    return p->total_bytes <= scratch;
}
