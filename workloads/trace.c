/* workloads/trace.c - the operations of a forward pass, from shapes alone. */
#include "workloads/trace.h"

#include <assert.h>
#include <stdlib.h>

/* Bits of values that have nothing to do with each other: half of them change. */
static const double random_toggle_share = LPU_TOGGLE_SHARE_RANDOM;

/* A digit of several is 0 in a third of all cases, where no values are known. */
static const double digit_zero_share = 1.0 / 3;

static const struct {
    const char *name, *text;
    bool is_product;
} ops[LPU_OP_KINDS] = {
#define LPU_OP(name, is_product, text) {#name, text, is_product},
#include "workloads/ops.def"
#undef LPU_OP
};

const char *lpu_op_name(lpu_op_kind kind)
{
    assert((unsigned)kind < LPU_OP_KINDS);
    return ops[kind].name;
}

const char *lpu_op_text(lpu_op_kind kind)
{
    assert((unsigned)kind < LPU_OP_KINDS);
    return ops[kind].text;
}

bool lpu_op_is_product(lpu_op_kind kind)
{
    assert((unsigned)kind < LPU_OP_KINDS);
    return ops[kind].is_product;
}

/* A pass under construction. Sizes that recur are worked out once. */
typedef struct pass {
    lpu_trace *trace;
    int32_t layer;
    uint64_t rows; /* tokens of all sequences */
    uint64_t keys; /* that each query sees: the cache and this pass */
    bool has_overflow;
} pass;

static uint64_t multiply(pass *p, uint64_t a, uint64_t b)
{
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product)) p->has_overflow = true;
    return product;
}

/* Appends an operation and derives its sums. The array was sized for the worst case. */
static lpu_op *add(pass *p, lpu_op_kind kind, lpu_operand operand, uint64_t count, uint64_t m,
                   uint64_t n, uint64_t k)
{
    lpu_op *op = &p->trace->ops[p->trace->count++];
    const uint64_t weight = multiply(p, multiply(p, count, n), k);

    *op = (lpu_op){.kind = kind,
                   .layer = p->layer,
                   .operand = operand,
                   .count = count,
                   .m = m,
                   .n = n,
                   .k = k,
                   .toggle_share = random_toggle_share};
    if (ops[kind].is_product) {
        const bool has_digits = p->trace->model.weights != LPU_WEIGHTS_FP16;
        if (has_digits && operand != LPU_OPERAND_LINEAR) op->zero_weight_share = digit_zero_share;
        op->macs = multiply(p, weight, m);
        op->weight_elems = weight;
    } else if (operand == LPU_OPERAND_HEAD) {
        op->weight_elems = multiply(p, m, n); /* embed: each token reads its row */
    }
    return op;
}

/* An operation on m rows of n elements that is no product. */
static void add_rows(pass *p, lpu_op_kind kind, uint64_t m, uint64_t n)
{
    add(p, kind, LPU_OPERAND_NONE, 1, m, n, 1);
}

static lpu_op *add_linear(pass *p, lpu_op_kind kind, uint64_t n, uint64_t k)
{
    lpu_op *op = add(p, kind, LPU_OPERAND_LINEAR, 1, p->rows, n, k);
    op->zero_weight_share = p->trace->model.zero_share;
    return op;
}

/* Softmax attention: the queries that share a kv head are one product with that head's cache. */
static void add_softmax_attention(pass *p)
{
    const lpu_model *m = &p->trace->model;
    const uint64_t groups = multiply(p, m->kv_heads, p->trace->batch);
    const uint64_t rows = multiply(p, m->heads / m->kv_heads, p->trace->tokens);
    const uint64_t q = (uint64_t)m->heads * m->head_elems;
    const uint64_t k = (uint64_t)m->kv_heads * m->head_elems;

    add_rows(p, LPU_OP_rope, p->rows, q + k);
    add_rows(p, LPU_OP_kv_write, p->rows, 2 * k);
    if (m->weights != LPU_WEIGHTS_FP16) add_rows(p, LPU_OP_q_quant, p->rows, q);
    add(p, LPU_OP_scores, LPU_OPERAND_KV, groups, rows, p->keys, m->head_elems);
    add_rows(p, LPU_OP_softmax, multiply(p, m->heads, p->rows), p->keys);
    add(p, LPU_OP_values, LPU_OPERAND_KV, groups, rows, m->head_elems, p->keys);
}

/* Linear attention: each head keeps a square state. The delta rule of a token asks it for the value
 * of its key, adds the outer product of the error and the key, and asks it for the value of its
 * query: three passes of head_elems^2. Position is in the order of updates: there is no rope. */
static void add_linear_attention(pass *p)
{
    const lpu_model *m = &p->trace->model;
    add(p, LPU_OP_state_update, LPU_OPERAND_KV, multiply(p, m->heads, p->trace->batch),
        multiply(p, 3, p->trace->tokens), m->head_elems, m->head_elems);
}

static void add_attention(pass *p, bool keeps_cache)
{
    const lpu_model *m = &p->trace->model;
    const uint64_t q = (uint64_t)m->heads * m->head_elems;
    const uint64_t k = (uint64_t)m->kv_heads * m->head_elems;

    add_rows(p, LPU_OP_attn_norm, p->rows, m->hidden_elems);
    add_linear(p, LPU_OP_q_proj, q, m->hidden_elems);
    add_linear(p, LPU_OP_k_proj, k, m->hidden_elems);
    add_linear(p, LPU_OP_v_proj, k, m->hidden_elems);
    if (keeps_cache) {
        add_softmax_attention(p);
    } else {
        add_linear_attention(p);
    }
    /* FP16 has nothing to quantise: without a norm there is nothing to do. */
    if (m->has_sub_norm || m->weights != LPU_WEIGHTS_FP16) {
        add_rows(p, LPU_OP_attn_sub_norm, p->rows, q);
    }
    add_linear(p, LPU_OP_o_proj, m->hidden_elems, q)->zero_input_share = 1.0 - m->active_share;
    add_rows(p, LPU_OP_attn_residual, p->rows, m->hidden_elems);
}

static void add_ffn(pass *p)
{
    const lpu_model *m = &p->trace->model;

    add_rows(p, LPU_OP_ffn_norm, p->rows, m->hidden_elems);
    if (m->is_gated) add_linear(p, LPU_OP_gate_proj, m->ffn_elems, m->hidden_elems);
    add_linear(p, LPU_OP_up_proj, m->ffn_elems, m->hidden_elems);
    add_rows(p, LPU_OP_gate_act, p->rows, m->ffn_elems);
    if (m->has_sub_norm || m->weights != LPU_WEIGHTS_FP16) {
        add_rows(p, LPU_OP_ffn_sub_norm, p->rows, m->ffn_elems);
    }
    add_linear(p, LPU_OP_down_proj, m->hidden_elems, m->ffn_elems)->zero_input_share =
        1.0 - m->active_share;
    add_rows(p, LPU_OP_ffn_residual, p->rows, m->hidden_elems);
}

/* Layers with a cache are spread evenly, the last of each group: with 16 of 64, every fourth. */
static bool keeps_cache(const lpu_model *m, uint32_t layer)
{
    return (layer + 1) * m->kv_layers / m->layers > layer * m->kv_layers / m->layers;
}

static void add_pass(pass *p)
{
    const lpu_model *m = &p->trace->model;
    const uint64_t batch = p->trace->batch;

    p->layer = -1;
    add(p, LPU_OP_embed, LPU_OPERAND_HEAD, 1, p->rows, m->hidden_elems, 1);
    for (uint32_t layer = 0; layer < m->layers; layer++) {
        p->layer = (int32_t)layer;
        add_attention(p, keeps_cache(m, layer));
        add_ffn(p);
    }
    p->layer = -1;
    add_rows(p, LPU_OP_final_norm, batch, m->hidden_elems);
    add(p, LPU_OP_lm_head, LPU_OPERAND_HEAD, 1, batch, m->vocab_elems, m->hidden_elems);
    add_rows(p, LPU_OP_argmax, batch, m->vocab_elems);
}

static lpu_status check_pass(const lpu_model *m, lpu_phase phase, uint32_t tokens, uint32_t context,
                             uint32_t batch, lpu_diag *diag)
{
    if (phase == LPU_PHASE_DECODE && tokens != 1) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found %u tokens to decode, expected 1", tokens);
    }
    if (!tokens || !batch) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found %u tokens in %u sequences, expected 1 up",
                        tokens, batch);
    }
    if ((uint64_t)context + tokens > m->context_tokens) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found %u cached and %u new tokens, expected at most the %u of %s", context,
                        tokens, m->context_tokens, m->name);
    }
    return LPU_OK;
}

lpu_status lpu_trace_open(lpu_trace **out, const lpu_model *model, lpu_phase phase, uint32_t tokens,
                          uint32_t context, uint32_t batch, lpu_diag *diag)
{
    *out = NULL;

    lpu_status status = lpu_model_check(model, diag);
    if (!status) status = check_pass(model, phase, tokens, context, batch, diag);
    if (status) return status;

    lpu_trace *t = calloc(1, sizeof(*t));
    if (!t) return lpu_fail(diag, LPU_ERR_MEMORY, "trace: out of memory");
    *t = (lpu_trace){.model = *model,
                     .phase = phase,
                     .tokens = tokens,
                     .context = context,
                     .batch = batch,
                     .ops = calloc((model->layers + 1ull) * LPU_OP_KINDS, sizeof(lpu_op))};
    if (!t->ops) {
        lpu_trace_close(&t);
        return lpu_fail(diag, LPU_ERR_MEMORY, "trace: out of memory");
    }

    pass p = {.trace = t, .rows = (uint64_t)tokens * batch, .keys = (uint64_t)context + tokens};
    add_pass(&p);
    if (p.has_overflow) {
        lpu_trace_close(&t);
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found %u sequences of %u tokens, expected a pass whose sums fit 64 "
                        "bits",
                        batch, tokens);
    }
    *out = t;
    return LPU_OK;
}

void lpu_trace_close(lpu_trace **trace)
{
    if (!*trace) return;
    free((*trace)->ops);
    free(*trace);
    *trace = NULL;
}
