/* kernels/forward_f16.c - the forward pass as the model defines it: FP16 weights and cache, FP32
 * sums.
 *
 * Inputs of linear layers are fake-quantised to 8 bits, as BitNet b1.58 is trained (arXiv
 * 2402.17764, section 2; arXiv 2310.11453, equation 4): x' = round(x 127 / max |x|) max |x| / 127
 * per token; those of a model of FP16 weights are not. The head is an ordinary linear layer. Jobs
 * split as in forward_ternary.c.
 */
#include "kernels/forward_private.h"
#include "kernels/half.h"
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
    float *scores; /* (threads, context) */
    size_t tokens;
    const layer *layer;
    const lpu_layer_weights *weights;
};

typedef struct lpu_forward_f16 pass;

/* --- memory --------------------------------------------------------------------------------------
 */

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
            x->f16
                ? lpu_stream_load_halves(pairs[i].s, x->f16, x->rows, x->cols, f->pass->team, diag)
                : lpu_stream_load(pairs[i].s, LPU_LAYOUT_F16, x, f->pass->team, diag);
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
    f->scores = lpu_pool_take(pool, lpu_team_threads(f->pass->team) * context, 4);
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
        status = lpu_stream_load_halves(&f->head, w->head_f16, w->model.vocab_elems,
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

/* --- jobs
 * ------------------------------------------------------------------------------------------ */

/* y = x / rms(x) gain; y may be x. */
static void rms_norm(float *y, const float *x, size_t n, const lpu_gain *gain, double eps)
{
    double sum = 0;

    if (!gain->real) {
        memmove(y, x, n * sizeof(*y));
        return;
    }
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
    const float scale = (float)(1.0 / sqrt(sum / (double)n + eps));
    for (size_t i = 0; i < n; i++) y[i] = x[i] * scale * gain->real[i];
}

static void fake_quantise(const pass *f, float *x, size_t n)
{
    float most = 0;

    if (f->pass->weights->model.weights == LPU_WEIGHTS_FP16) return;
    for (size_t i = 0; i < n; i++) most = fmaxf(most, fabsf(x[i]));
    if (most <= 0) return;
    for (size_t i = 0; i < n; i++) x[i] = rintf(x[i] * (127.0f / most)) * (most / 127.0f);
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
    size_t first;
    const size_t n = lpu_team_share(f->tokens, member, members, &first);

    for (size_t t = first; t < first + n; t++) {
        float *y = f->input + t * f->wide_elems;
        rms_norm(y, j->x + t * j->n, j->n, j->gain, f->pass->weights->model.norm_eps);
        if (j->is_quantised) fake_quantise(f, y, j->n);
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

static void product_work(void *arg, size_t member, size_t members)
{
    const product_job *j = arg;
    const pass *f = j->f;

    for (size_t i = 0; i < j->count; i++) {
        const size_t stride = j->of[i].s->rows;
        size_t n;
        const size_t first =
            lpu_stream_multiply_f32(j->of[i].s, &f->pass->k, j->of[i].y, stride, f->input,
                                    f->wide_elems, f->tokens, member, members, &n);
        for (size_t t = 0; t < f->tokens && j->add; t++) {
            const float *y = j->of[i].y + t * stride + first;
            for (size_t c = 0; c < n; c++) j->add[t * stride + first + c] += y[c];
        }
    }
}

/* By the model's table, whose 14 fractional bits are finer than those of a half. */
static void rotate(float *x, size_t n, const int16_t *rope)
{
    for (size_t i = 0; i < n / 2; i++) {
        const float a = x[i], b = x[i + n / 2];
        const float c = (float)rope[2 * i] * 0x1p-14f, s = (float)rope[2 * i + 1] * 0x1p-14f;
        x[i] = a * c - b * s;
        x[i + n / 2] = a * s + b * c;
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
            rotate(f->q + t * f->q_elems + h * hd, hd, rope);
        }
        rotate(key, hd, rope);
        for (size_t c = 0; c < hd; c++) {
            store_half(f->layer->keys + g * f->key_bytes, hd, at, c, key[c]);
            store_half(f->layer->values + g * f->value_bytes, f->pass->context_tokens, c, at,
                       value[c]);
        }
    }
}

static void softmax(float *x, size_t n, float scale)
{
    float most = x[0];
    double sum = 0;
    for (size_t i = 1; i < n; i++) most = fmaxf(most, x[i]);
    for (size_t i = 0; i < n; i++) {
        x[i] = expf((x[i] - most) * scale);
        sum += (double)x[i];
    }
    for (size_t i = 0; i < n; i++) x[i] = (float)((double)x[i] / sum);
}

/* By head and query, neighbours sharing a head. */
static void attention_work(void *arg, size_t member, size_t members)
{
    const pass *f = arg;
    const lpu_model *m = &f->pass->weights->model;
    const size_t hd = m->head_elems, group = m->heads / m->kv_heads;
    float *scores = f->scores + member * f->pass->context_tokens;
    size_t first;
    const size_t n = lpu_team_share(f->tokens * m->heads, member, members, &first);

    for (size_t i = first; i < first + n; i++) {
        const size_t h = i / f->tokens, t = i % f->tokens, keys = f->pass->position + t + 1;
        const uint8_t *key = f->layer->keys + h / group * f->key_bytes;
        const uint8_t *value = f->layer->values + h / group * f->value_bytes;
        float *out = f->attn + t * f->q_elems + h * hd;

        f->pass->k.gemv_f16_f32(scores, key, f->q + t * f->q_elems + h * hd, keys, hd);
        softmax(scores, keys, (float)(1.0 / sqrt((double)hd)));
        for (size_t c = 0; c < hd; c += BLOCK_ROWS) {
            const size_t left = hd - c;
            f->pass->k.gemv_f16_f32(out + c, value + c * f->pass->context_tokens * 2, scores,
                                    left < BLOCK_ROWS ? left : BLOCK_ROWS, keys);
        }
    }
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
    const size_t n = m->ffn_elems;
    size_t first;
    const size_t count = lpu_team_share(f->tokens, member, members, &first);

    for (size_t t = first; t < first + count; t++) {
        const float *up = f->up + t * n, *gate = f->gate + t * n;
        float *h = f->input + t * f->wide_elems;
        for (size_t i = 0; i < n; i++) {
            h[i] = m->is_gated ? activate(gate[i], m->activation) * up[i]
                               : activate(up[i], m->activation);
        }
        rms_norm(h, h, n, &f->weights->ffn_sub_norm, m->norm_eps);
        fake_quantise(f, h, n);
    }
}

/* --- the pass
 * ---------------------------------------------------------------------------------------- */

static void run_layer(pass *f, size_t index)
{
    const lpu_layer_weights *w = &f->pass->weights->layer[index];
    const layer *l = &f->layers[index];
    const lpu_model *m = &f->pass->weights->model;
    lpu_team *team = f->pass->team;
    product_job qkv = {f, {{&l->q, f->q}, {&l->k, f->k}, {&l->v, f->v}}, 3, NULL};
    product_job o = {f, {{&l->o, f->out}}, 1, f->x};
    product_job up = {f, {{&l->up, f->up}, {&l->gate, f->gate}}, m->is_gated ? 2 : 1, NULL};
    product_job down = {f, {{&l->down, f->out}}, 1, f->x};

    f->layer = l;
    f->weights = w;
    norm(f, f->x, m->hidden_elems, &w->attn_norm);
    lpu_team_run(team, product_work, &qkv);
    lpu_pass_run_by_token(f->pass, f->tokens, cache_work, f);
    lpu_team_run(team, attention_work, f);
    norm(f, f->attn, f->q_elems, &w->attn_sub_norm);
    lpu_team_run(team, product_work, &o);
    norm(f, f->x, m->hidden_elems, &w->ffn_norm);
    lpu_team_run(team, product_work, &up);
    lpu_pass_run_by_token(f->pass, f->tokens, gate_work, f);
    lpu_team_run(team, product_work, &down);
}

void lpu_forward_f16_run(lpu_forward_f16 *f, const int32_t *tokens, size_t count)
{
    const lpu_weights *w = f->pass->weights;
    const size_t hidden = w->model.hidden_elems;

    f->tokens = count;
    for (size_t t = 0; t < count; t++) {
        const uint16_t *row = w->embed_f16 + (size_t)tokens[t] * hidden;
        for (size_t c = 0; c < hidden; c++) f->x[t * hidden + c] = lpu_half_to_float(row[c]);
    }
    for (size_t i = 0; i < w->model.layers; i++) run_layer(f, i);
}

int32_t lpu_forward_f16_next(lpu_forward_f16 *f)
{
    const lpu_weights *w = f->pass->weights;
    const size_t hidden = w->model.hidden_elems, vocab = w->model.vocab_elems;
    size_t best = 0;

    product_job head = {f, {{&f->head, f->logits}}, 1, NULL};
    norm_job last = {f, f->x + (f->tokens - 1) * hidden, hidden, &w->output_norm, false};
    f->tokens = 1;
    norm_work(&last, 0, 1);
    lpu_team_run(f->pass->team, product_work, &head);
    for (size_t i = 1; i < vocab; i++) best = f->logits[i] > f->logits[best] ? i : best;
    return (int32_t)best;
}

const float *lpu_forward_f16_logits(const lpu_forward_f16 *f)
{
    return f->logits;
}
