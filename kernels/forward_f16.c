/* kernels/forward_f16.c - the forward pass as the model defines it: FP16 weights and cache, FP32
 * sums; or weights in BF16, Q8_0 or Q4_0, whose inputs are rounded to BF16 or to groups of int8.
 *
 * Inputs of linear layers are fake-quantised to 8 bits, as BitNet b1.58 is trained (arXiv
 * 2402.17764, section 2; arXiv 2310.11453, equation 4): x' = round(x 127 / max |x|) max |x| / 127
 * per token; those of a model of FP16 weights are not. The head is an ordinary linear layer. Jobs
 * split as in forward_ternary.c.
 */
#include "kernels/forward_private.h"
#include "kernels/half.h"
#include "kernels/sample.h"
#include "kernels/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_ROWS = 16 }; /* of an F16 stream */

typedef struct layer {
    lpu_stream q, k, v, o, gate, up, down;
    uint8_t *keys;   /* (kv_heads) F16 streams of (context, head_elems) */
    uint8_t *values; /* (kv_heads) F16 streams of (head_elems, context) */
} layer;

struct lpu_forward_f16 {
    lpu_pass *pass;
    layer *layers;
    lpu_stream head;
    size_t key_bytes, value_bytes; /* of a kv head */
    size_t q_elems, kv_elems, wide_elems;
    float *x, *q, *k, *v, *attn, *gate, *up, *out, *input, *logits;
    float *scores;     /* (threads, queries, context) */
    float *rooms;      /* (threads, 2, queries, head_elems) */
    uint16_t *bf16;    /* (chunk, wide_elems) input of a BF16 product */
    int8_t *a8;        /* the same of Q8 and Q4 */
    lpu_group *groups; /* (chunk, wide_elems / 32) */
    size_t tokens;
    const layer *layer;
    const lpu_layer_weights *weights;
};

typedef struct lpu_forward_f16 pass;

/* --- memory --- */

static lpu_status open_layer(pass *f, size_t index, lpu_diag *diag)
{
    const lpu_layer_weights *w = &f->pass->weights->layer[index];
    const lpu_model *m = &f->pass->weights->model;
    layer *l = &f->layers[index];
    const struct {
        lpu_stream *s;
        const lpu_matrix *m;
    } pairs[] = {{&l->q, &w->q},   {&l->k, &w->k},       {&l->v, &w->v},      {&l->o, &w->o},
                 {&l->up, &w->up}, {&l->down, &w->down}, {&l->gate, &w->gate}};

    for (size_t i = 0; i < (m->is_gated ? 7 : 6); i++) {
        const lpu_matrix *x = pairs[i].m;
        lpu_status status =
            x->f16 ? lpu_stream_load_halves(pairs[i].s, f->pass->layout, x->f16, x->rows, x->cols,
                                            f->pass->team, diag)
                   : lpu_stream_load(pairs[i].s, f->pass->layout, x, f->pass->team, diag);
        if (status) return status;
    }
    l->keys += index * f->key_bytes * m->kv_heads;
    l->values += index * f->value_bytes * m->kv_heads;
    return LPU_OK;
}

static void open_buffers(pass *f)
{
    const lpu_model *m = &f->pass->weights->model;
    const size_t chunk = f->pass->chunk, context = f->pass->context_tokens;
    const size_t heads = (size_t)m->layers * m->kv_heads;
    lpu_pool *pool = &f->pass->pool;

    f->q_elems = (size_t)m->heads * m->head_elems;
    f->kv_elems = (size_t)m->kv_heads * m->head_elems;
    f->wide_elems = m->hidden_elems > m->ffn_elems ? m->hidden_elems : m->ffn_elems;
    if (f->q_elems > f->wide_elems) f->wide_elems = f->q_elems;
    f->wide_elems = (f->wide_elems + LPU_LAYOUT_GROUP - 1) / LPU_LAYOUT_GROUP * LPU_LAYOUT_GROUP;
    f->key_bytes = lpu_layout_bytes(LPU_LAYOUT_F16, context, m->head_elems);
    f->value_bytes = lpu_layout_bytes(LPU_LAYOUT_F16, m->head_elems, context);

    f->x = lpu_pool_take(pool, chunk * m->hidden_elems, 4);
    f->q = lpu_pool_take(pool, chunk * f->q_elems, 4);
    f->k = lpu_pool_take(pool, chunk * f->kv_elems, 4);
    f->v = lpu_pool_take(pool, chunk * f->kv_elems, 4);
    f->attn = lpu_pool_take(pool, chunk * f->q_elems, 4);
    f->gate = lpu_pool_take(pool, chunk * m->ffn_elems, 4);
    f->up = lpu_pool_take(pool, chunk * m->ffn_elems, 4);
    f->out = lpu_pool_take(pool, chunk * m->hidden_elems, 4);
    f->input = lpu_pool_take(pool, chunk * f->wide_elems, 4);
    f->logits = lpu_pool_take(pool, m->vocab_elems, 4);
    f->scores =
        lpu_pool_take(pool, lpu_team_threads(f->pass->team) * LPU_FORWARD_QUERIES * context, 4);
    f->rooms = lpu_pool_take(
        pool, lpu_team_threads(f->pass->team) * 2 * LPU_FORWARD_QUERIES * m->head_elems, 4);
    f->bf16 = lpu_pool_take(pool, chunk * f->wide_elems, 2);
    f->a8 = lpu_pool_take(pool, chunk * f->wide_elems, 1);
    f->groups = lpu_pool_take(pool, chunk * f->wide_elems / LPU_LAYOUT_GROUP, sizeof(lpu_group));
    f->layers = lpu_pool_take(pool, m->layers, sizeof(*f->layers));
    uint8_t *keys = lpu_pool_take(pool, heads * f->key_bytes, 1);
    uint8_t *values = lpu_pool_take(pool, heads * f->value_bytes, 1);
    if (pool->is_short) return;
    for (size_t i = 0; i < m->layers; i++) f->layers[i] = (layer){.keys = keys, .values = values};
}

lpu_status lpu_forward_f16_open(lpu_forward_f16 **out, lpu_pass *pass_, lpu_diag *diag)
{
    const lpu_weights *w = pass_->weights;
    lpu_status status = LPU_OK;

    *out = NULL;
    pass *f = calloc(1, sizeof(*f));
    if (!f) return lpu_fail(diag, LPU_ERR_MEMORY, "forward: out of memory");
    f->pass = pass_;
    open_buffers(f);
    if (pass_->pool.is_short) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "forward: no memory for a context of %zu tokens",
                          pass_->context_tokens);
    }
    for (size_t i = 0; i < w->model.layers && !status; i++) status = open_layer(f, i, diag);
    if (!status) {
        /* A head of 4 bits is too coarse: those who use Q4_0 keep it at 6 or 8. */
        const lpu_layout layout = pass_->layout == LPU_LAYOUT_Q4 ? LPU_LAYOUT_Q8 : pass_->layout;
        status = lpu_stream_load_halves(&f->head, layout, w->head_f16, w->model.vocab_elems,
                                        w->model.hidden_elems, pass_->team, diag);
    }
    if (status) lpu_forward_f16_close(&f);
    *out = f;
    return status;
}

void lpu_forward_f16_close(lpu_forward_f16 **out)
{
    pass *f = *out;

    if (!f) return;
    for (size_t i = 0; f->layers && i < f->pass->weights->model.layers; i++) {
        layer *l = &f->layers[i];
        lpu_stream *all[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
        for (size_t j = 0; j < 7; j++) lpu_stream_close(all[j]);
    }
    lpu_stream_close(&f->head);
    free(f);
    *out = NULL;
}

/* --- jobs --- */

/* y = x / rms(x) gain; y may be x. */
static void rms_norm(const lpu_kernels *k, float *y, const float *x, size_t n, const lpu_gain *gain,
                     double eps)
{
    if (!gain->real) {
        memmove(y, x, n * sizeof(*y));
        return;
    }
    k->gain_f32(y, x, gain->real, n, (float)(1.0 / sqrt(k->sumsq_f32(x, n) / (double)n + eps)));
}

static void fake_quantise(const pass *f, float *x, size_t n)
{
    if (f->pass->weights->model.weights == LPU_WEIGHTS_FP16) return;
    const float most = f->pass->k.absmax_f32(x, n);
    if (most > 0) f->pass->k.round_f32(x, n, 127.0f / most, most / 127.0f);
}

/* Row t of the input, in the form that products with this layout take. */
static void encode(pass *f, size_t t, size_t n)
{
    const float *x = f->input + t * f->wide_elems;
    const size_t at = t * f->wide_elems;

    if (f->pass->layout == LPU_LAYOUT_BF16) {
        for (size_t i = 0; i < n; i++) f->bf16[at + i] = lpu_bf16_from_float(x[i]);
    }
    if (f->pass->layout == LPU_LAYOUT_Q8 || f->pass->layout == LPU_LAYOUT_Q4) {
        f->pass->k.group_f32(f->a8 + at, f->groups + at / LPU_LAYOUT_GROUP, x, n);
    }
}

typedef struct norm_job {
    pass *f;
    const float *x; /* (tokens, n) */
    size_t n;
    const lpu_gain *gain;
    bool is_quantised;
} norm_job;

static void norm_work(void *arg, size_t member, size_t members)
{
    const norm_job *j = arg;
    pass *f = j->f;
    const lpu_kernels *k = &f->pass->k;
    size_t first;
    const size_t n = lpu_team_share(f->tokens, member, members, &first);

    for (size_t t = first; t < first + n; t++) {
        float *y = f->input + t * f->wide_elems;
        rms_norm(k, y, j->x + t * j->n, j->n, j->gain, f->pass->weights->model.norm_eps);
        if (j->is_quantised) fake_quantise(f, y, j->n);
        encode(f, t, j->n);
    }
}

static void norm(pass *f, const float *x, size_t n, const lpu_gain *gain)
{
    norm_job j = {f, x, n, gain, true};
    lpu_pass_run_by_token(f->pass, f->tokens, norm_work, &j);
}

typedef struct product_job {
    pass *f;
    struct {
        const lpu_stream *s;
        float *y; /* (tokens, rows) */
    } of[3];
    size_t count;
    float *add; /* the product is added to it */
} product_job;

/* The rows of a stream that fall to a member, times the input. */
static size_t multiply(const pass *f, const lpu_stream *s, float *y, size_t member, size_t members,
                       size_t *rows)
{
    const lpu_kernels *k = &f->pass->k;

    if (s->layout == LPU_LAYOUT_F16) {
        return lpu_stream_multiply_f32(s, k, y, s->rows, f->input, f->wide_elems, f->tokens, member,
                                       members, rows);
    }
    if (s->layout == LPU_LAYOUT_BF16) {
        return lpu_stream_multiply_bf16(s, k, y, s->rows, f->bf16, f->wide_elems, f->tokens, member,
                                        members, rows);
    }
    return lpu_stream_multiply_groups(s, k, y, s->rows, f->a8, f->wide_elems, f->groups, f->tokens,
                                      member, members, rows);
}

static void product_work(void *arg, size_t member, size_t members)
{
    const product_job *j = arg;
    const pass *f = j->f;

    for (size_t i = 0; i < j->count; i++) {
        const size_t stride = j->of[i].s->rows;
        size_t n;
        const size_t first = multiply(f, j->of[i].s, j->of[i].y, member, members, &n);
        for (size_t t = 0; t < f->tokens && j->add; t++) {
            const float *y = j->of[i].y + t * stride + first;
            for (size_t c = 0; c < n; c++) j->add[t * stride + first + c] += y[c];
        }
    }
}

/* One element of an F16 stream of rows of k. */
static void store_half(uint8_t *w, size_t k, size_t row, size_t at, float value)
{
    const uint16_t half = lpu_half_from_float(value);
    memcpy(w + (row / BLOCK_ROWS * k + at) * 2 * BLOCK_ROWS + row % BLOCK_ROWS * 2, &half, 2);
}

/* Rotates queries and keys, and writes the cache: by token and kv head. */
static void cache_work(void *arg, size_t member, size_t members)
{
    const pass *f = arg;
    const lpu_model *m = &f->pass->weights->model;
    const size_t hd = m->head_elems, kv_heads = m->kv_heads, group = m->heads / kv_heads;
    size_t first;
    const size_t n = lpu_team_share(f->tokens * kv_heads, member, members, &first);

    for (size_t i = first; i < first + n; i++) {
        const size_t t = i / kv_heads, g = i % kv_heads, at = f->pass->position + t;
        const int16_t *rope = f->pass->weights->rope + at * hd;
        float *key = f->k + t * f->kv_elems + g * hd;
        const float *value = f->v + t * f->kv_elems + g * hd;

        for (size_t h = g * group; h < (g + 1) * group; h++) {
            f->pass->k.rope_f32(f->q + t * f->q_elems + h * hd, hd, rope);
        }
        f->pass->k.rope_f32(key, hd, rope);
        for (size_t c = 0; c < hd; c++) {
            store_half(f->layer->keys + g * f->key_bytes, hd, at, c, key[c]);
            store_half(f->layer->values + g * f->value_bytes, f->pass->context_tokens, c, at,
                       value[c]);
        }
    }
}

/* A call: query i is head h0 + i % heads of token t0 + i / heads. */
static void attend(const pass *f, size_t member, const lpu_queries *q)
{
    const size_t h0 = q->head, heads = q->heads, t0 = q->token, n = heads * q->tokens;
    const lpu_model *m = &f->pass->weights->model;
    const size_t hd = m->head_elems, g = h0 / (m->heads / m->kv_heads);
    const size_t context = f->pass->context_tokens;
    const size_t keys = f->pass->position + t0 + (n - 1) / heads + 1;
    const uint8_t *key = f->layer->keys + g * f->key_bytes;
    const uint8_t *value = f->layer->values + g * f->value_bytes;
    float *scores = f->scores + member * LPU_FORWARD_QUERIES * context;
    float *query = f->rooms + member * 2 * LPU_FORWARD_QUERIES * hd;
    float *out = query + LPU_FORWARD_QUERIES * hd;

    for (size_t i = 0; i < n; i++) {
        memcpy(query + i * hd, f->q + (t0 + i / heads) * f->q_elems + (h0 + i % heads) * hd,
               hd * sizeof(*query));
    }
    f->pass->k.gemm_f16_f32(scores, keys, key, query, hd, keys, hd, n);
    for (size_t i = 0; i < n; i++) {
        const size_t own = f->pass->position + t0 + i / heads + 1; /* later keys are not for it */
        f->pass->k.softmax_f32(scores + i * keys, own, (float)(1.0 / sqrt((double)hd)));
        memset(scores + i * keys + own, 0, (keys - own) * sizeof(*scores));
    }
    for (size_t c = 0; c < hd; c += BLOCK_ROWS) {
        const size_t left = hd - c;
        f->pass->k.gemm_f16_f32(out + c, hd, value + c * context * 2, scores, keys,
                                left < BLOCK_ROWS ? left : BLOCK_ROWS, keys, n);
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(f->attn + (t0 + i / heads) * f->q_elems + (h0 + i % heads) * hd, out + i * hd,
               hd * sizeof(*out));
    }
}

static void attention_work(void *arg, size_t member, size_t members)
{
    const pass *f = arg;
    lpu_queries q = lpu_pass_queries(f->pass, f->tokens, member, members);

    while (lpu_queries_next(&q)) attend(f, member, &q);
}

static float activate(float g, lpu_activation activation)
{
    switch (activation) {
    case LPU_ACT_RELU2: return g > 0 ? g * g : 0;
    case LPU_ACT_SILU: return g / (1.0f + expf(-g));
    default: return 0.5f * g * (1.0f + erff(g * 0.70710678f)); /* 1 / sqrt(2) */
    }
}

/* The gated activation, then norm and quantisation, by token. */
static void gate_work(void *arg, size_t member, size_t members)
{
    pass *f = arg;
    const lpu_model *m = &f->pass->weights->model;
    const lpu_kernels *k = &f->pass->k;
    const size_t n = m->ffn_elems;
    size_t first;
    const size_t count = lpu_team_share(f->tokens, member, members, &first);

    for (size_t t = first; t < first + count; t++) {
        const float *up = f->up + t * n, *gate = f->gate + t * n;
        float *h = f->input + t * f->wide_elems;
        if (m->is_gated && m->activation == LPU_ACT_RELU2) {
            k->relu2_f32(h, gate, up, n);
        } else if (m->is_gated && m->activation == LPU_ACT_SILU) {
            k->silu_f32(h, gate, up, n);
        } else {
            for (size_t i = 0; i < n; i++) {
                h[i] = m->is_gated ? activate(gate[i], m->activation) * up[i]
                                   : activate(up[i], m->activation);
            }
        }
        rms_norm(k, h, h, n, &f->weights->ffn_sub_norm, m->norm_eps);
        fake_quantise(f, h, n);
        encode(f, t, n);
    }
}

/* --- the pass --- */

static void run_layer(pass *f, size_t index)
{
    const lpu_layer_weights *w = &f->pass->weights->layer[index];
    const layer *l = &f->layers[index];
    const lpu_model *m = &f->pass->weights->model;
    product_job qkv = {f, {{&l->q, f->q}, {&l->k, f->k}, {&l->v, f->v}}, 3, NULL};
    product_job o = {f, {{&l->o, f->out}}, 1, f->x};
    product_job up = {f, {{&l->up, f->up}, {&l->gate, f->gate}}, m->is_gated ? 2 : 1, NULL};
    product_job down = {f, {{&l->down, f->out}}, 1, f->x};

    f->layer = l;
    f->weights = w;
    norm(f, f->x, m->hidden_elems, &w->attn_norm);
    lpu_pass_run(f->pass, LPU_FORWARD_LINEAR, product_work, &qkv);
    lpu_pass_run_by_token(f->pass, f->tokens, cache_work, f);
    lpu_pass_run(f->pass, LPU_FORWARD_ATTENTION, attention_work, f);
    norm(f, f->attn, f->q_elems, &w->attn_sub_norm);
    lpu_pass_run(f->pass, LPU_FORWARD_LINEAR, product_work, &o);
    norm(f, f->x, m->hidden_elems, &w->ffn_norm);
    lpu_pass_run(f->pass, LPU_FORWARD_LINEAR, product_work, &up);
    lpu_pass_run_by_token(f->pass, f->tokens, gate_work, f);
    lpu_pass_run(f->pass, LPU_FORWARD_LINEAR, product_work, &down);
}

void lpu_forward_f16_run(lpu_forward_f16 *f, const int32_t *tokens, size_t count)
{
    const lpu_weights *w = f->pass->weights;
    const size_t hidden = w->model.hidden_elems;

    const double begin_ns = lpu_sample_now_ns();
    f->tokens = count;
    for (size_t t = 0; t < count; t++) {
        const uint16_t *row = w->embed_f16 + (size_t)tokens[t] * hidden;
        for (size_t c = 0; c < hidden; c++) f->x[t * hidden + c] = lpu_half_to_float(row[c]);
    }
    f->pass->part_ns[LPU_FORWARD_REST] += lpu_sample_now_ns() - begin_ns;
    for (size_t i = 0; i < w->model.layers; i++) run_layer(f, i);
}

/* Halves a little above one. */
void lpu_forward_f16_fill(lpu_forward_f16 *f)
{
    const lpu_model *m = &f->pass->weights->model;
    const size_t heads = (size_t)m->layers * m->kv_heads;

    memset(f->layers[0].keys, 0x3c, heads * f->key_bytes);
    memset(f->layers[0].values, 0x3c, heads * f->value_bytes);
}

lpu_forward_reads lpu_forward_f16_head_reads(const lpu_forward_f16 *f)
{
    return (lpu_forward_reads){f->head.bytes, (uint64_t)f->head.rows * f->head.k};
}

int32_t lpu_forward_f16_next(lpu_forward_f16 *f)
{
    const lpu_weights *w = f->pass->weights;
    const size_t hidden = w->model.hidden_elems, vocab = w->model.vocab_elems;
    size_t best = 0;

    product_job head = {f, {{&f->head, f->logits}}, 1, NULL};
    norm_job last = {f, f->x + (f->tokens - 1) * hidden, hidden, &w->output_norm, false};
    f->tokens = 1;
    lpu_pass_run_by_token(f->pass, 1, norm_work, &last);
    lpu_team_run(f->pass->team, product_work, &head);
    for (size_t i = 1; i < vocab; i++) best = f->logits[i] > f->logits[best] ? i : best;
    return (int32_t)best;
}

const float *lpu_forward_f16_logits(const lpu_forward_f16 *f)
{
    return f->logits;
}
