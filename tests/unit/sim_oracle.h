/* tests/unit/sim_oracle.h - what a pass must move and add, from the shapes alone.
 *
 * Written from the definition of a transformer and from sizes of digits, not from sim/layout.c: a
 * row of k digits takes ceil(k / unit) units; a product of (m, k) with a (k, n) matrix of planes
 * digits takes m x planes x ceil(k / C) x ceil(n / R) vectors through an array of R x C lanes.
 */
#ifndef LPU_TESTS_UNIT_SIM_ORACLE_H
#define LPU_TESTS_UNIT_SIM_ORACLE_H

#include "sim/simulate.h"

typedef struct sim_digits {
    uint64_t planes, elems, bytes; /* elems digits of one plane take bytes */
} sim_digits;

typedef struct sim_oracle {
    const lpu_model *m;
    const lpu_design *d;
    sim_digits linear, kv, head;
    uint64_t stream_bytes[LPU_OP_KINDS]; /* of matrices, to the FIFO */
    uint64_t lanes[LPU_OP_KINDS];        /* MACs x planes */
    uint64_t accum_adds[LPU_OP_KINDS], horner_adds[LPU_OP_KINDS];
    uint64_t load_bytes[LPU_OP_KINDS]; /* of tables, to the scratchpad */
    uint64_t store_bytes;              /* cache rows and their scales */
    uint64_t passes;                   /* vectors into the array */
} sim_oracle;

/* Tokens that attend to the same keys at once: one of a decode pass, or some of a prompt. */
typedef struct sim_group {
    uint64_t tokens, keys, times;
} sim_group;

static uint64_t sim_up(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

static uint64_t sim_row_bytes(const sim_digits *f, uint64_t k)
{
    return sim_up(k, f->elems) * f->bytes;
}

static void sim_oracle_init(sim_oracle *o, const lpu_model *m, const lpu_design *d)
{
    const uint64_t per_byte = d->code == LPU_CODE_BASE3 ? 5 : d->code == LPU_CODE_T2 ? 4 : 8;
    const bool splits = d->code == LPU_CODE_B1 && m->weights == LPU_WEIGHTS_TERNARY;

    memset(o, 0, sizeof(*o));
    o->m = m;
    o->d = d;
    switch (d->lane) {
    case LPU_LANE_ADD:
        o->linear = (sim_digits){splits ? 2 : 1, per_byte, 1};
        o->kv = (sim_digits){d->kv_trits, per_byte, 1};
        o->head = (sim_digits){d->head_trits, per_byte, 1};
        break;
    case LPU_LANE_MAC_F16: o->linear = o->kv = o->head = (sim_digits){1, 1, 2}; break;
    case LPU_LANE_MAC_I8: o->linear = o->kv = o->head = (sim_digits){1, 1, 1}; break;
    case LPU_LANE_MAC_I4:
        o->linear = (sim_digits){1, 2, 1};
        o->kv = o->head = (sim_digits){1, 1, 1};
        break;
    }
}

/* times products of (rows, k) with (k, n), which stream bytes in all. */
static void sim_product(sim_oracle *o, lpu_op_kind op, const sim_digits *f, uint64_t times,
                        uint64_t rows, uint64_t n, uint64_t k, uint64_t bytes)
{
    const uint64_t sums = times * rows * n * f->planes;

    o->stream_bytes[op] += bytes;
    o->lanes[op] += sums * k;
    o->accum_adds[op] += sums * sim_up(k, o->d->cols);
    if (f != &o->linear) o->horner_adds[op] += times * rows * n * (f->planes - 1);
    o->passes += times * rows * f->planes * sim_up(k, o->d->cols) * sim_up(n, o->d->rows);
}

static void sim_linear(sim_oracle *o, lpu_op_kind op, uint64_t rows, uint64_t chunks, uint64_t n,
                       uint64_t k)
{
    const uint64_t bytes = n * o->linear.planes * sim_row_bytes(&o->linear, k);
    sim_product(o, op, &o->linear, 1, rows, n, k, chunks * bytes);
}

/* The bytes of one token's values: each row block of R dims rounds up on its own. */
static uint64_t sim_value_bytes(const sim_oracle *o)
{
    const uint64_t dims = o->m->head_elems, rows = o->d->rows;
    uint64_t bytes = 0;
    for (uint64_t at = 0; at < dims; at += rows) {
        bytes += sim_row_bytes(&o->kv, dims - at < rows ? dims - at : rows);
    }
    return o->kv.planes * bytes;
}

static void sim_attend(sim_oracle *o, const sim_group *g)
{
    const lpu_model *m = o->m;
    const uint64_t each = m->heads / m->kv_heads, times = g->times * m->kv_heads;
    const uint64_t key_bytes = o->kv.planes * sim_row_bytes(&o->kv, m->head_elems);

    sim_product(o, LPU_OP_scores, &o->kv, times, g->tokens * each, g->keys, m->head_elems,
                times * g->keys * key_bytes);
    sim_product(o, LPU_OP_values, &o->kv, times, g->tokens * each, m->head_elems, g->keys,
                times * g->keys * sim_value_bytes(o));
    o->load_bytes[LPU_OP_softmax] += times * 2 * 4 * g->keys; /* scales of keys and values */
}

/* Rows go through the layers in `chunks` chunks; groups say who attends to how many keys. */
static void sim_layers(sim_oracle *o, uint64_t rows, uint64_t chunks, const sim_group *groups,
                       size_t group_count, bool is_decode)
{
    const lpu_model *m = o->m;
    const uint64_t q = (uint64_t)m->heads * m->head_elems, h = m->hidden_elems;
    const uint64_t kv = (uint64_t)m->kv_heads * m->head_elems;
    const uint64_t state = m->head_elems * o->kv.planes * sim_row_bytes(&o->kv, m->head_elems);

    for (uint32_t layer = 0; layer < m->layers; layer++) {
        sim_linear(o, LPU_OP_q_proj, rows, chunks, q, h);
        sim_linear(o, LPU_OP_k_proj, rows, chunks, kv, h);
        sim_linear(o, LPU_OP_v_proj, rows, chunks, kv, h);
        sim_linear(o, LPU_OP_o_proj, rows, chunks, h, q);
        if (m->is_gated) sim_linear(o, LPU_OP_gate_proj, rows, chunks, m->ffn_elems, h);
        sim_linear(o, LPU_OP_up_proj, rows, chunks, m->ffn_elems, h);
        sim_linear(o, LPU_OP_down_proj, rows, chunks, h, m->ffn_elems);
        o->load_bytes[LPU_OP_attn_norm] += chunks * 2 * h;
        o->load_bytes[LPU_OP_ffn_norm] += chunks * 2 * h;
        if (m->has_sub_norm) o->load_bytes[LPU_OP_attn_sub_norm] += chunks * 2 * q;
        if (m->has_sub_norm) o->load_bytes[LPU_OP_ffn_sub_norm] += chunks * 2ull * m->ffn_elems;
    }
    for (uint32_t layer = 0; layer < m->kv_layers; layer++) {
        for (size_t i = 0; i < group_count; i++) sim_attend(o, &groups[i]);
        o->store_bytes +=
            rows * m->kv_heads *
            (o->kv.planes * sim_row_bytes(&o->kv, m->head_elems) + sim_value_bytes(o) + 2 * 4);
        o->load_bytes[LPU_OP_rope] += 2ull * m->head_elems * (is_decode ? chunks : rows);
    }
    for (uint32_t layer = m->kv_layers; layer < m->layers; layer++) {
        /* Read, correct, apply: one stream in decode, three in a chunk of a prompt. */
        sim_product(o, LPU_OP_state_update, &o->kv, 3 * m->heads, rows, m->head_elems,
                    m->head_elems, m->heads * state * (is_decode ? rows : 3 * chunks));
    }
}

/* The head for rows rows in `passes` passes of the table, and the embedding of all. */
static void sim_head(sim_oracle *o, uint64_t all_rows, uint64_t rows, uint64_t passes)
{
    const uint64_t h = o->m->hidden_elems, row = o->head.planes * sim_row_bytes(&o->head, h);

    sim_product(o, LPU_OP_lm_head, &o->head, 1, rows, o->m->vocab_elems, h,
                passes * o->m->vocab_elems * row);
    o->load_bytes[LPU_OP_embed] += all_rows * (row + 4);
    o->load_bytes[LPU_OP_final_norm] += passes * 2 * h;
    o->load_bytes[LPU_OP_argmax] += passes * 4ull * o->m->vocab_elems;
}

/* Decode of batch sequences in chunks chunks. */
static void sim_decode(sim_oracle *o, uint64_t context, uint64_t batch, uint64_t chunks)
{
    const sim_group group = {1, context + 1, batch};
    sim_layers(o, batch, chunks, &group, 1, true);
    sim_head(o, batch, batch, chunks);
}

/* A prompt of tokens after context cached ones, for each of batch sequences, on a design whose
 * scratchpad is no limit: chunks of passes_max tokens, groups of what the accumulators hold. */
static void sim_prefill(sim_oracle *o, uint64_t tokens, uint64_t context, uint64_t batch)
{
    const uint64_t each = o->d->passes_max / (o->m->heads / o->m->kv_heads);

    for (uint64_t at = 0; at < tokens; at += o->d->passes_max) {
        const uint64_t left = tokens - at;
        const uint64_t rows = left < o->d->passes_max ? left : o->d->passes_max;
        sim_group groups[64];
        size_t count = 0;

        for (uint64_t row = 0; row < rows; row += each) {
            const uint64_t some = rows - row < each ? rows - row : each;
            groups[count++] = (sim_group){some, context + at + row + some, batch};
        }
        sim_layers(o, batch * rows, batch, groups, count, false);
    }
    sim_head(o, batch * tokens, batch, batch);
}

#endif
