/* kernels/forward_ternary.c - the forward pass in the LPU's integers (workloads/arithmetic.md).
 *
 * A layer is a row of jobs for the team. Products split by output rows; all else splits by token
 * (or by token and head), so that no member ever waits inside a job and every integer is the same
 * for any number of threads and any cut of the prompt into chunks.
 */
#include "kernels/columns.h"
#include "kernels/forward_private.h"
#include "kernels/int_scale.h"
#include "kernels/integer.h"
#include "kernels/sample.h"
#include "kernels/screen.h"
#include "kernels/stream.h"
#include "workloads/ternary.h"

#include <stdlib.h>
#include <string.h>

typedef struct layer {
    lpu_stream q, k, v, o, gate, up, down;
    lpu_columns columns; /* in place of down */
    int8_t *keys;        /* (kv_heads) I8 streams of (context, head_elems) */
    int8_t *values;      /* (kv_heads) I8 streams of (head_elems, context) */
    lpu_scale *sk, *sv;  /* (kv_heads, context) */
} layer;

/* What one member needs for itself. */
typedef struct room {
    int32_t *row;  /* the longest row of the model */
    int32_t *acc;  /* (queries, context) */
    int32_t *work; /* (context) */
    int32_t *out;  /* (queries, head_elems) */
    int8_t *p;     /* (queries, context) */
    int8_t *query; /* (queries, head_elems) */
} room;

struct lpu_forward_ternary {
    lpu_pass *pass;
    layer *layers;
    bool has_columns;   /* down is by columns */
    lpu_screen *screen; /* the head, one of the two */
    lpu_stream head;
    room *rooms;                                                       /* (threads) */
    size_t key_bytes, key_block_bytes, value_bytes, value_block_bytes; /* of a kv head, a block */
    size_t q_elems, kv_elems, wide_elems; /* of all heads; of the longest quantised row */
    int32_t *x;                           /* (chunk, hidden) residual stream */
    int32_t *q, *k, *v;                   /* (chunk, stride_of(q_elems or kv_elems)) */
    int32_t *attn;                        /* (chunk, q_elems) */
    int32_t *gate, *up;                   /* (chunk, stride_of(ffn)) */
    int32_t *out;    /* (chunk, stride_of(hidden)) of the o and down projections */
    int8_t *a8;      /* (chunk, wide_elems) input of a product */
    lpu_scale *sx;   /* (chunk) its scales */
    int32_t *logits; /* (vocab) */
    bool has_logits; /* of the last token; a screen leaves them for later */
    size_t tokens;   /* of the chunk in hand */
    const layer *layer;
    const lpu_layer_weights *weights;
};

typedef struct lpu_forward_ternary pass;

/* Elements from token to token of what products write, 16 rows of many tokens at a time: tokens
 * some KB apart would fall into the same few sets of a cache. */
static size_t stride_of(size_t elems)
{
    return elems + 16;
}

/* --- memory --- */

static lpu_status open_layer(pass *f, size_t index, lpu_diag *diag)
{
    const lpu_layer_weights *w = &f->pass->weights->layer[index];
    layer *l = &f->layers[index];
    const lpu_model *m = &f->pass->weights->model;
    const size_t scales = (size_t)m->kv_heads * f->pass->context_tokens;
    const struct {
        lpu_stream *s;
        const lpu_matrix *m;
    } pairs[] = {{&l->q, &w->q},   {&l->k, &w->k},       {&l->v, &w->v},      {&l->o, &w->o},
                 {&l->up, &w->up}, {&l->gate, &w->gate}, {&l->down, &w->down}};
    const size_t all = sizeof(pairs) / sizeof(*pairs);

    for (size_t i = 0; i < (f->has_columns ? all - 1 : all); i++) {
        if (!pairs[i].m->rows) continue; /* no gate */
        const lpu_layout layout = pairs[i].m->trits == 1 ? f->pass->layout : LPU_LAYOUT_I8;
        lpu_status status = lpu_stream_load(pairs[i].s, layout, pairs[i].m, f->pass->team, diag);
        if (status) return status;
    }
    if (f->has_columns) {
        lpu_status status = lpu_columns_open(&l->columns, &w->down, f->pass->team, diag);
        if (status) return status;
    }
    l->keys += index * f->key_bytes * m->kv_heads;
    l->values += index * f->value_bytes * m->kv_heads;
    l->sk += index * scales;
    l->sv += index * scales;
    return LPU_OK;
}

static void open_rooms(pass *f)
{
    const lpu_model *m = &f->pass->weights->model;
    const size_t threads = lpu_team_threads(f->pass->team), context = f->pass->context_tokens;
    const size_t queries = LPU_FORWARD_QUERIES, hd = m->head_elems;
    lpu_pool *pool = &f->pass->pool;
    int32_t *row = lpu_pool_take(pool, threads * f->wide_elems, 4);
    int32_t *acc = lpu_pool_take(pool, threads * queries * context, 4);
    int32_t *work = lpu_pool_take(pool, threads * context, 4);
    int32_t *out = lpu_pool_take(pool, threads * queries * hd, 4);
    int8_t *p = lpu_pool_take(pool, threads * queries * context, 1);
    int8_t *query = lpu_pool_take(pool, threads * queries * hd, 1);

    f->rooms = lpu_pool_take(pool, threads, sizeof(*f->rooms));
    for (size_t i = 0; i < threads && !pool->is_short; i++) {
        f->rooms[i] =
            (room){row + i * f->wide_elems, acc + i * queries * context, work + i * context,
                   out + i * queries * hd,  p + i * queries * context,   query + i * queries * hd};
    }
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
    f->key_block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_I8, m->head_elems);
    f->key_bytes = lpu_layout_bytes(LPU_LAYOUT_I8, context, m->head_elems);
    f->value_block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_I8, context);
    f->value_bytes = lpu_layout_bytes(LPU_LAYOUT_I8, m->head_elems, context);

    f->x = lpu_pool_take(pool, chunk * m->hidden_elems, 4);
    f->q = lpu_pool_take(pool, chunk * stride_of(f->q_elems), 4);
    f->k = lpu_pool_take(pool, chunk * stride_of(f->kv_elems), 4);
    f->v = lpu_pool_take(pool, chunk * stride_of(f->kv_elems), 4);
    f->attn = lpu_pool_take(pool, chunk * f->q_elems, 4);
    f->gate = lpu_pool_take(pool, chunk * stride_of(m->ffn_elems), 4);
    f->up = lpu_pool_take(pool, chunk * stride_of(m->ffn_elems), 4);
    f->out = lpu_pool_take(pool, chunk * stride_of(m->hidden_elems), 4);
    f->a8 = lpu_pool_take(pool, chunk * f->wide_elems, 1);
    f->sx = lpu_pool_take(pool, chunk, sizeof(*f->sx));
    f->logits = lpu_pool_take(pool, m->vocab_elems, 4);
    f->layers = lpu_pool_take(pool, m->layers, sizeof(*f->layers));
    int8_t *keys = lpu_pool_take(pool, heads * f->key_bytes, 1);
    int8_t *values = lpu_pool_take(pool, heads * f->value_bytes, 1);
    lpu_scale *sk = lpu_pool_take(pool, heads * context, sizeof(*sk));
    lpu_scale *sv = lpu_pool_take(pool, heads * context, sizeof(*sv));
    for (size_t i = 0; i < m->layers && !pool->is_short; i++) {
        f->layers[i] = (layer){.keys = keys, .values = values, .sk = sk, .sv = sv};
    }
    open_rooms(f);
}

lpu_status lpu_forward_ternary_open(lpu_forward_ternary **out, lpu_pass *pass_, lpu_diag *diag)
{
    const lpu_weights *w = pass_->weights;
    lpu_status status = LPU_OK;

    *out = NULL;
    pass *f = calloc(1, sizeof(*f));
    if (!f) return lpu_fail(diag, LPU_ERR_MEMORY, "forward: out of memory");
    f->pass = pass_;
    f->has_columns = pass_->has_columns;
    open_buffers(f);
    if (pass_->pool.is_short) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "forward: no memory for a context of %zu tokens",
                          pass_->context_tokens);
    }
    for (size_t i = 0; i < w->model.layers && !status; i++) status = open_layer(f, i, diag);
    f->has_logits = true;
    if (!status && pass_->has_screen) {
        status = lpu_screen_open(&f->screen, &w->head, &pass_->k, pass_->team, diag);
    } else if (!status) {
        status = lpu_stream_load(&f->head, LPU_LAYOUT_I8, &w->head, pass_->team, diag);
    }
    if (status) lpu_forward_ternary_close(&f);
    *out = f;
    return status;
}

void lpu_forward_ternary_close(lpu_forward_ternary **out)
{
    pass *f = *out;

    if (!f) return;
    for (size_t i = 0; f->layers && i < f->pass->weights->model.layers; i++) {
        layer *l = &f->layers[i];
        lpu_stream *all[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
        for (size_t j = 0; j < 7; j++) lpu_stream_close(all[j]);
        lpu_columns_close(&l->columns);
    }
    lpu_screen_close(&f->screen);
    lpu_stream_close(&f->head);
    free(f);
    *out = NULL;
}

/* --- jobs --- */

/* Rows of X32 to A8, with or without a norm. */
typedef struct norm_job {
    pass *f;
    const int32_t *x; /* (tokens, n) */
    size_t n;
    const lpu_gain *gain;
} norm_job;

static void norm_work(void *arg, size_t member, size_t members)
{
    const norm_job *j = arg;
    pass *f = j->f;
    size_t first;
    const size_t n = lpu_team_share(f->tokens, member, members, &first);

    for (size_t t = first; t < first + n; t++) {
        f->sx[t] = lpu_int_normq(&f->pass->k, f->a8 + t * f->wide_elems, j->x + t * j->n, j->n,
                                 LPU_INT_X32, j->gain, f->pass->weights->eps, f->rooms[member].row);
    }
}

static void norm(pass *f, const int32_t *x, size_t n, const lpu_gain *gain)
{
    norm_job j = {f, x, n, gain};
    lpu_pass_run_by_token(f->pass, f->tokens, norm_work, &j);
}

/* y[0..n) columns from first on of token t, in place from accumulators. */
static void dequant(const pass *f, int32_t *y, size_t n, size_t first, lpu_scale sx,
                    const lpu_matrix *m)
{
    if (!m->row_scales) {
        lpu_int_dequant(&f->pass->k, y, y, n, lpu_int_mul(sx, m->scale));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        y[i] = lpu_int_apply(y[i], lpu_int_mul(sx, m->row_scales[first + i]), LPU_INT_X32);
    }
}

/* Up to three matrices times the rows in a8. With add, the product is added to that (X32; (tokens,
 * rows)). */
typedef struct product_job {
    pass *f;
    struct {
        const lpu_stream *s;
        const lpu_matrix *m;
        int32_t *y;           /* (tokens, stride_of(rows)) */
        const lpu_columns *c; /* in place of s, or NULL */
    } of[3];
    size_t count;
    int32_t *add;
} product_job;

/* Columns that meet zero are not read; of many tokens, each meets another. */
static void count_skips(const pass *f, const lpu_columns *c, uint64_t columns)
{
    f->pass->skipped_macs += columns * c->rows;
    if (f->tokens == 1) f->pass->skipped_bytes += columns * c->column_bytes;
}

/* The part of a member, of one token. */
static void columns_work(void *arg, size_t member, size_t members)
{
    const pass *f = arg;
    const lpu_columns *c = &f->layer->columns;
    size_t used, columns, first;

    lpu_columns_part(c, &f->pass->k, f->a8, lpu_team_room(f->pass->team, member), member, members,
                     &used);
    columns = lpu_team_share(c->k, member, members, &first);
    count_skips(f, c, columns - used);
}

/* One job's columns; first and n as for a stream. */
static size_t multiply_columns(const pass *f, const lpu_columns *c, const lpu_stream_split *s,
                               int32_t *y, const int8_t *x, size_t member, size_t *n)
{
    const size_t stride = stride_of(c->rows);
    size_t used;

    if (f->tokens == 1 && s->members > 1) {
        return lpu_columns_gather(c, y, f->pass->team, s->member, s->members, n);
    }
    const size_t first =
        lpu_columns_multiply(c, &f->pass->k, y, stride, x, f->wide_elems, s->tokens,
                             lpu_team_room(f->pass->team, member), s->member, s->members, n, &used);
    if (*n && !first) count_skips(f, c, s->tokens * c->k - used); /* all members saw the same */
    return first;
}

static void product_work(void *arg, size_t member, size_t members)
{
    const product_job *j = arg;
    const pass *f = j->f;
    const lpu_stream_split s = lpu_stream_split_work(f->tokens, member, members);
    const int8_t *x = f->a8 + s.first * f->wide_elems;

    for (size_t i = 0; i < j->count; i++) {
        const size_t all = j->of[i].m->rows, stride = stride_of(all);
        int32_t *y = j->of[i].y + s.first * stride;
        size_t first, n;
        if (j->of[i].c) {
            first = multiply_columns(f, j->of[i].c, &s, y, x, member, &n);
        } else {
            first = lpu_stream_multiply_i32(j->of[i].s, &f->pass->k, y, stride, x, f->wide_elems,
                                            s.tokens, lpu_team_room(f->pass->team, member),
                                            s.member, s.members, &n);
        }
        for (size_t t = 0; t < s.tokens; t++) {
            int32_t *row = y + t * stride + first;
            const size_t at = (s.first + t) * all + first;
            dequant(f, row, n, first, f->sx[s.first + t], j->of[i].m);
            if (j->add) f->pass->k.addsat_i32(j->add + at, row, n);
        }
    }
}

/* The element-wise stores of one key or value into its stream. */
static void store_key(const pass *f, int8_t *stream, const int8_t *q, size_t at, size_t elems)
{
    for (size_t i = 0; i < elems; i++) {
        *lpu_layout_i8_at(stream, f->key_block_bytes, at, i) = q[i];
    }
}

static void store_value(const pass *f, int8_t *stream, const int8_t *q, size_t at, size_t elems)
{
    for (size_t i = 0; i < elems; i++) {
        *lpu_layout_i8_at(stream, f->value_block_bytes, i, at) = q[i];
    }
}

/* Rotates queries and keys, and writes the cache: by token and kv head. */
static void cache_work(void *arg, size_t member, size_t members)
{
    const pass *f = arg;
    const lpu_model *m = &f->pass->weights->model;
    const lpu_kernels *k = &f->pass->k;
    const size_t hd = m->head_elems, group = m->heads / m->kv_heads, kv_heads = m->kv_heads;
    const int32_t limit = lpu_ternary_limit(f->pass->kv_trits);
    int8_t *digits = f->rooms[member].query;
    size_t first;
    const size_t n = lpu_team_share(f->tokens * kv_heads, member, members, &first);

    for (size_t i = first; i < first + n; i++) {
        const size_t t = i / kv_heads, g = i % kv_heads, at = f->pass->position + t;
        const int16_t *rope = f->pass->weights->rope + at * hd;
        int32_t *key = f->k + t * stride_of(f->kv_elems) + g * hd;
        const int32_t *value = f->v + t * stride_of(f->kv_elems) + g * hd;

        for (size_t h = g * group; h < (g + 1) * group; h++) {
            k->rope_i32(f->q + t * stride_of(f->q_elems) + h * hd, hd, rope);
        }
        k->rope_i32(key, hd, rope);
        uint32_t a = lpu_int_quant(k, digits, key, hd, limit);
        f->layer->sk[g * f->pass->context_tokens + at] = lpu_int_quant_scale(a, LPU_INT_X32, limit);
        store_key(f, f->layer->keys + g * f->key_bytes, digits, at, hd);
        a = lpu_int_quant(k, digits, value, hd, limit);
        f->layer->sv[g * f->pass->context_tokens + at] = lpu_int_quant_scale(a, LPU_INT_X32, limit);
        store_value(f, f->layer->values + g * f->value_bytes, digits, at, hd);
    }
}

/* A call: query i is head h0 + i % heads of token t0 + i / heads. */
static void attend(const pass *f, room *r, const lpu_queries *q)
{
    const size_t h0 = q->head, heads = q->heads, t0 = q->token, n = heads * q->tokens;
    const lpu_model *m = &f->pass->weights->model;
    const lpu_kernels *k = &f->pass->k;
    const size_t hd = m->head_elems, g = h0 / (m->heads / m->kv_heads);
    const size_t context = f->pass->context_tokens;
    const size_t keys = f->pass->position + t0 + (n - 1) / heads + 1;
    const uint8_t *key = (const uint8_t *)f->layer->keys + g * f->key_bytes;
    const uint8_t *value = (const uint8_t *)f->layer->values + g * f->value_bytes;
    lpu_scale sq[LPU_FORWARD_QUERIES], so[LPU_FORWARD_QUERIES];

    for (size_t i = 0; i < n; i++) {
        const int32_t *from =
            f->q + (t0 + i / heads) * stride_of(f->q_elems) + (h0 + i % heads) * hd;
        const uint32_t a = lpu_int_quant(k, r->query + i * hd, from, hd, LPU_INT_A8);
        sq[i] = lpu_int_mul(lpu_int_quant_scale(a, LPU_INT_X32, LPU_INT_A8),
                            f->pass->weights->score_scale);
    }
    k->gemm_i8_i8(r->acc, keys, key, f->key_block_bytes, r->query, hd, keys, hd, n);
    for (size_t i = 0; i < n; i++) {
        const size_t own = f->pass->position + t0 + i / heads + 1; /* later keys are not for it */
        so[i] = lpu_int_softmax(k, r->p + i * keys, r->acc + i * keys, own, sq[i],
                                f->layer->sk + g * context, f->layer->sv + g * context, r->work);
        memset(r->p + i * keys + own, 0, keys - own);
    }
    k->gemm_i8_i8(r->out, hd, value, f->value_block_bytes, r->p, keys, hd, keys, n);
    for (size_t i = 0; i < n; i++) {
        int32_t *to = f->attn + (t0 + i / heads) * f->q_elems + (h0 + i % heads) * hd;
        lpu_int_dequant(k, to, r->out + i * hd, hd, so[i]);
    }
}

static void attention_work(void *arg, size_t member, size_t members)
{
    const pass *f = arg;
    lpu_queries q = lpu_pass_queries(f->pass, f->tokens, member, members);

    while (lpu_queries_next(&q)) attend(f, &f->rooms[member], &q);
}

/* The gated activation, then norm or quantisation alone, by token. */
static void gate_work(void *arg, size_t member, size_t members)
{
    pass *f = arg;
    const lpu_model *m = &f->pass->weights->model;
    const size_t n = m->ffn_elems;
    size_t first;
    const size_t count = lpu_team_share(f->tokens, member, members, &first);

    for (size_t t = first; t < first + count; t++) {
        int32_t *up = f->up + t * stride_of(n);
        int32_t *gate = m->is_gated ? f->gate + t * stride_of(n) : up;
        const int32_t eh =
            lpu_int_gate(&f->pass->k, up, gate, m->is_gated ? up : NULL, n, m->activation);
        f->sx[t] =
            lpu_int_normq(&f->pass->k, f->a8 + t * f->wide_elems, up, n, eh,
                          &f->weights->ffn_sub_norm, f->pass->weights->eps, f->rooms[member].row);
    }
}

/* --- the pass --- */

static void embed(pass *f, const int32_t *tokens)
{
    const lpu_matrix *e = &f->pass->weights->embed;
    const size_t bytes = lpu_ternary_bytes(LPU_CODE_BASE3, e->cols);
    int8_t *digits = f->a8; /* free until the first norm */
    int32_t *v = f->rooms[0].row;

    for (size_t t = 0; t < f->tokens; t++) {
        const size_t row = (size_t)tokens[t];
        memset(v, 0, e->cols * sizeof(*v));
        for (uint32_t p = 0; p < e->trits; p++) {
            const uint8_t *src = e->planes + (p * e->rows + row) * bytes;
            /* The loader wrote these codes, or a packed file has them under its sum. */
            (void)lpu_ternary_decode(LPU_CODE_BASE3, digits, src, e->cols, NULL);
            for (size_t c = 0; c < e->cols; c++) v[c] = 3 * v[c] + digits[c];
        }
        for (size_t c = 0; c < e->cols; c++) {
            f->x[t * e->cols + c] = lpu_int_apply(v[c], e->row_scales[row], LPU_INT_X32);
        }
    }
}

static void run_layer(pass *f, size_t index)
{
    const lpu_layer_weights *w = &f->pass->weights->layer[index];
    const layer *l = &f->layers[index];
    const lpu_model *m = &f->pass->weights->model;
    product_job qkv = {
        f,
        {{&l->q, &w->q, f->q, NULL}, {&l->k, &w->k, f->k, NULL}, {&l->v, &w->v, f->v, NULL}},
        3,
        NULL};
    product_job o = {f, {{&l->o, &w->o, f->out, NULL}}, 1, f->x};
    product_job up = {f,
                      {{&l->up, &w->up, f->up, NULL}, {&l->gate, &w->gate, f->gate, NULL}},
                      m->is_gated ? 2 : 1,
                      NULL};
    product_job down = {
        f, {{&l->down, &w->down, f->out, f->has_columns ? &l->columns : NULL}}, 1, f->x};

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
    if (f->has_columns && f->tokens == 1 && lpu_team_threads(f->pass->team) > 1) {
        lpu_pass_run(f->pass, LPU_FORWARD_LINEAR, columns_work, f);
    }
    lpu_pass_run(f->pass, LPU_FORWARD_LINEAR, product_work, &down);
}

void lpu_forward_ternary_run(lpu_forward_ternary *f, const int32_t *tokens, size_t count)
{
    const double begin_ns = lpu_sample_now_ns();
    f->tokens = count;
    embed(f, tokens);
    f->pass->part_ns[LPU_FORWARD_REST] += lpu_sample_now_ns() - begin_ns;
    for (size_t i = 0; i < f->pass->weights->model.layers; i++) run_layer(f, i);
}

/* Digits of one, and scales of one. */
void lpu_forward_ternary_fill(lpu_forward_ternary *f)
{
    const lpu_model *m = &f->pass->weights->model;
    const size_t heads = (size_t)m->layers * m->kv_heads;
    const lpu_scale one = {1 << 15, -15};

    memset(f->layers[0].keys, 1, heads * f->key_bytes);
    memset(f->layers[0].values, 1, heads * f->value_bytes);
    for (size_t i = 0; i < heads * f->pass->context_tokens; i++) {
        f->layers[0].sk[i] = f->layers[0].sv[i] = one;
    }
}

lpu_forward_reads lpu_forward_ternary_head_reads(const lpu_forward_ternary *f)
{
    if (!f->screen) return (lpu_forward_reads){f->head.bytes, (uint64_t)f->head.rows * f->head.k};
    const lpu_screen_reads r = lpu_screen_last_reads(f->screen);
    return (lpu_forward_reads){r.bytes,
                               (r.rows + r.exact_rows) * f->pass->weights->model.hidden_elems};
}

int32_t lpu_forward_ternary_next(lpu_forward_ternary *f)
{
    const lpu_weights *w = f->pass->weights;
    const size_t hidden = w->model.hidden_elems, last = f->tokens - 1;
    product_job head = {f, {{&f->head, &w->head, f->logits, NULL}}, 1, NULL};
    size_t best = 0;

    f->tokens = 1;
    norm(f, f->x + last * hidden, hidden, &w->output_norm);
    f->has_logits = !f->screen;
    if (f->screen) return (int32_t)lpu_screen_argmax(f->screen, f->a8, f->sx[0]);
    lpu_team_run(f->pass->team, product_work, &head);
    for (size_t i = 1; i < w->head.rows; i++) best = f->logits[i] > f->logits[best] ? i : best;
    return (int32_t)best;
}

const int32_t *lpu_forward_ternary_logits(lpu_forward_ternary *f)
{
    if (!f->has_logits) lpu_screen_logits(f->screen, f->logits, f->a8, f->sx[0]);
    f->has_logits = true;
    return f->logits;
}
