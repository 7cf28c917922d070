/* kernels/measure_ceiling.c - counts what a pass must do, and what the machine could do. */
#include "kernels/measure_ceiling.h"

static bool is_real(lpu_layout l)
{
    return l == LPU_LAYOUT_F16 || l == LPU_LAYOUT_BF16 || l == LPU_LAYOUT_Q8 || l == LPU_LAYOUT_Q4;
}

/* Keys that the queries of all tokens see, one by one. */
static uint64_t keys_seen(uint32_t tokens, uint32_t depth)
{
    return (uint64_t)tokens * depth + (uint64_t)tokens * (tokens + 1) / 2;
}

void lpu_measure_ceiling_count(lpu_measure_ceiling *c, const lpu_model *m, uint32_t layers,
                               lpu_layout layout, uint32_t tokens, uint32_t depth,
                               uint64_t head_bytes, uint64_t head_macs)
{
    const uint64_t q = (uint64_t)m->heads * m->head_elems,
                   kv = (uint64_t)m->kv_heads * m->head_elems;
    const uint64_t hidden = m->hidden_elems, ffn = m->ffn_elems;
    const uint64_t ups = m->is_gated ? 2 : 1,
                   layer = 2 * hidden * (q + kv) + (ups + 1) * hidden * ffn;
    const uint64_t bytes =
        lpu_layout_bytes(layout, q, hidden) + 2 * lpu_layout_bytes(layout, kv, hidden) +
        lpu_layout_bytes(layout, hidden, q) + ups * lpu_layout_bytes(layout, ffn, hidden) +
        lpu_layout_bytes(layout, hidden, ffn);
    /* A key and a value of a token: bytes, or halves in the passes of reals. */
    const uint64_t cached = 2 * kv * (is_real(layout) ? 2 : 1);

    *c = (lpu_measure_ceiling){
        .bytes = layers * (bytes + cached * (tokens + depth)) + head_bytes,
        .macs = layers * (layer * tokens + 2 * q * keys_seen(tokens, depth)) + head_macs};
}

void lpu_measure_ceiling_rate(lpu_measure_ceiling *c, const lpu_measure_limits *limits,
                              lpu_layout layout, uint32_t tokens, double tokens_per_s)
{
    c->memory_tokens_per_s = tokens * limits->read_bytes_per_s / (double)c->bytes;
    c->products_tokens_per_s =
        tokens * lpu_measure_peak_of(limits, layout, tokens) / (double)c->macs;
    c->is_of_memory = c->memory_tokens_per_s < c->products_tokens_per_s;
    c->share = tokens_per_s / (c->is_of_memory ? c->memory_tokens_per_s : c->products_tokens_per_s);
}
