/* kernels/measure_token.c - the matrices of a model one by one, and all of a token.
 *
 * The layouts take turns, so that a machine that gets slower for a while gets slower for all. Runs
 * are about a millisecond or less: larger products are timed in slices of rows. A token is the sum
 * of its products' medians.
 */
#include "kernels/measure_private.h"

#include <string.h>

/* The head of integer weights is int8, that of Q4_0 is Q8_0. */
static lpu_layout head_layout(lpu_layout layout)
{
    if (layout == LPU_LAYOUT_F16 || layout == LPU_LAYOUT_BF16) return layout;
    return layout == LPU_LAYOUT_Q8 || layout == LPU_LAYOUT_Q4 ? LPU_LAYOUT_Q8 : LPU_LAYOUT_I8;
}

/* The four steps of a layer, as the forward pass has them; s[0..4) takes their times. */
static void run_layer(lpu_bench *b, lpu_layout layout, lpu_samples *s)
{
    const lpu_model *m = b->options->model;
    const size_t q = (size_t)m->heads * m->head_elems, kv = (size_t)m->kv_heads * m->head_elems;
    lpu_bench_job qkv = {.b = b, .tokens = 1}, up = qkv;

    lpu_bench_add_stream(&qkv, layout, q, m->hidden_elems);
    lpu_bench_add_stream(&qkv, layout, kv, m->hidden_elems);
    lpu_bench_add_stream(&qkv, layout, kv, m->hidden_elems);
    lpu_bench_run_job(&qkv, &s[0]);
    lpu_bench_run_one(b, layout, m->hidden_elems, q, 1, &s[1]);
    lpu_bench_add_stream(&up, layout, m->ffn_elems, m->hidden_elems);
    if (m->is_gated) lpu_bench_add_stream(&up, layout, m->ffn_elems, m->hidden_elems);
    lpu_bench_run_job(&up, &s[2]);
    lpu_bench_run_one(b, layout, m->hidden_elems, m->ffn_elems, 1, &s[3]);
}

/* The head, slice after slice. */
static void run_head(lpu_bench *b, lpu_layout layout, lpu_samples *s)
{
    const lpu_model *m = b->options->model;
    const size_t rows = lpu_bench_slice(m->vocab_elems, HEAD_ROWS);
    for (size_t r = 0; r + rows <= m->vocab_elems; r += rows) {
        lpu_bench_run_one(b, head_layout(layout), rows, m->hidden_elems, 1, s);
    }
}

/* sum += times * one. */
static void add_times(lpu_sample *sum, const lpu_sample *one, double times)
{
    const bool first = sum->median_ns <= 0;
    sum->median_ns += times * one->median_ns;
    sum->p10_ns += times * one->p10_ns;
    sum->p90_ns += times * one->p90_ns;
    if (first || one->runs < sum->runs) sum->runs = one->runs;
}

/* A sample of slices of some rows, for all rows. */
static lpu_sample of_rows(lpu_sample slice, size_t rows, size_t slice_rows)
{
    lpu_sample all = {0};
    add_times(&all, &slice, (double)rows / (double)slice_rows);
    return all;
}

static void keep_product(lpu_bench *b, size_t t, size_t index, lpu_layout l, size_t slice_rows)
{
    const lpu_bench_shape *s = &b->shapes[index];
    lpu_measure_product *p = &b->out->products[(t * LPU_LAYOUTS + l) * b->shape_count + index];

    *p = (lpu_measure_product){
        .is_head = s->is_head,
        .layout = l,
        .threads = lpu_team_threads(b->team),
        .rows = s->rows,
        .k = s->k,
        .bytes = lpu_layout_bytes(l, s->rows, s->k),
        .time = of_rows(lpu_sample_summarise(&b->of[l][0]), s->rows, slice_rows)};
    memcpy(p->name, s->name, sizeof(p->name));
    p->weights_per_s = 1e9 * (double)s->rows * (double)s->k / p->time.median_ns;
    p->bytes_per_s = 1e9 * (double)p->bytes / p->time.median_ns;
    p->bandwidth_share = p->bytes_per_s / b->read_bytes_per_s;
}

void lpu_bench_measure_shape(lpu_bench *b, size_t t, size_t index, double seconds)
{
    const lpu_bench_shape *s = &b->shapes[index];
    const size_t rows = s->is_head ? lpu_bench_slice(s->rows, HEAD_ROWS) : s->rows;
    const double end = lpu_sample_now_ns() + 1e9 * seconds;

    for (size_t i = 0;
         i < LPU_SAMPLE_RUNS_MIN || (i < LPU_SAMPLES_MAX && lpu_sample_now_ns() < end); i++) {
        lpu_bench_sample_read(b, 1);
        for (lpu_layout l = 0; l < LPU_LAYOUTS; l++)
            lpu_bench_run_one(b, l, rows, s->k, 1, &b->of[l][0]);
        lpu_bench_tell(b);
    }
    lpu_bench_keep_read(b, &b->out->limits[t]);
    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) keep_product(b, t, index, l, rows);
}

/* Bytes of the streams of one layer. */
static size_t layer_bytes(const lpu_model *m, lpu_layout l)
{
    const size_t q = (size_t)m->heads * m->head_elems, kv = (size_t)m->kv_heads * m->head_elems;
    return lpu_layout_bytes(l, q, m->hidden_elems) + 2 * lpu_layout_bytes(l, kv, m->hidden_elems) +
           lpu_layout_bytes(l, m->hidden_elems, q) +
           (m->is_gated ? 2 : 1) * lpu_layout_bytes(l, m->ffn_elems, m->hidden_elems) +
           lpu_layout_bytes(l, m->hidden_elems, m->ffn_elems);
}

void lpu_bench_init_token(const lpu_bench *b, lpu_measure_token *token, lpu_layout l)
{
    const lpu_model *m = b->options->model;
    const size_t bytes = layer_bytes(m, l), fit = b->pool_bytes / bytes;
    *token = (lpu_measure_token){
        .layout = l,
        .threads = lpu_team_threads(b->team),
        .layers = m->layers,
        .layers_timed = fit < 1           ? 1
                        : fit < m->layers ? (uint32_t)fit
                                          : m->layers,
        .bytes = (uint64_t)bytes * m->layers +
                 lpu_layout_bytes(head_layout(l), m->vocab_elems, m->hidden_elems)};
}

/* Layers as many as fit the pool, and the head; the sum is scaled to all layers. */
void lpu_bench_measure_decode(lpu_bench *b, size_t t, double seconds)
{
    lpu_measure_token *tokens = &b->out->tokens[t * LPU_LAYOUTS];
    const lpu_model *m = b->options->model;
    const double end = lpu_sample_now_ns() + 1e9 * seconds;
    double joules[LPU_LAYOUTS] = {0}, one;
    size_t runs = 0;

    for (; runs < LPU_SAMPLE_RUNS_MIN || lpu_sample_now_ns() < end; runs++) {
        for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
            lpu_bench_sample_read(b, 2);
            b->has_meter = b->has_meter && lpu_meter_read(&b->meter, &one);
            for (uint32_t i = 0; i < tokens[l].layers_timed; i++) run_layer(b, l, b->of[l]);
            run_head(b, l, &b->of[l][GROUPS - 1]);
            b->has_meter = b->has_meter && lpu_meter_read(&b->meter, &one);
            if (b->has_meter) joules[l] += one;
            lpu_bench_tell(b);
        }
    }
    lpu_bench_keep_read(b, &b->out->limits[t]);
    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
        for (size_t i = 0; i + 1 < GROUPS; i++) {
            const lpu_sample group = lpu_sample_summarise(&b->of[l][i]);
            add_times(&tokens[l].decode, &group, m->layers);
        }
        b->head[l] = of_rows(lpu_sample_summarise(&b->of[l][GROUPS - 1]), m->vocab_elems,
                             lpu_bench_slice(m->vocab_elems, HEAD_ROWS));
        add_times(&tokens[l].decode, &b->head[l], 1);
        tokens[l].decode_tokens_per_s = 1e9 / tokens[l].decode.median_ns;
        tokens[l].bandwidth_share =
            (double)tokens[l].bytes * tokens[l].decode_tokens_per_s / b->read_bytes_per_s;
        /* A meter cannot be read for layers that were not run. */
        tokens[l].has_joules = b->has_meter && tokens[l].layers_timed == tokens[l].layers;
        if (tokens[l].has_joules) tokens[l].joules_per_token = joules[l] / (double)runs;
    }
}

/* Slices of every matrix of a layer, taken for all of it; the head is the last token's alone. */
void lpu_bench_measure_prefill(lpu_bench *b, lpu_measure_token *tokens, double seconds)
{
    const double each = 1e9 * seconds / (double)(b->shape_count - 1);

    for (size_t index = 0; index < b->shape_count; index++) {
        const lpu_bench_shape *s = &b->shapes[index];
        const size_t rows = lpu_bench_slice(s->rows, SLICE_ROWS);
        const double end = lpu_sample_now_ns() + each;
        if (s->is_head) continue;
        for (size_t i = 0; i < 3 || (i < LPU_SAMPLES_MAX && lpu_sample_now_ns() < end); i++) {
            for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
                lpu_bench_run_one(b, l, rows, s->k, LPU_MEASURE_PREFILL_TOKENS, &b->of[l][0]);
                lpu_bench_tell(b);
            }
        }
        for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
            const lpu_sample one = of_rows(lpu_sample_summarise(&b->of[l][0]), s->rows, rows);
            add_times(&tokens[l].prefill, &one, (double)s->count * tokens[l].layers);
        }
    }
    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
        add_times(&tokens[l].prefill, &b->head[l], 1);
        tokens[l].prefill_tokens_per_s =
            1e9 * LPU_MEASURE_PREFILL_TOKENS / tokens[l].prefill.median_ns;
    }
}
