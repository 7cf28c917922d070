/* kernels/measure.c - times products on weights that are never in a cache.
 *
 * All runs take their weights from one pool, one after the other, going round: what a run reads is
 * what was read longest ago, by any run. The layouts take turns, so that a machine that gets slower
 * for a while gets slower for all. Runs are about a millisecond or less: larger products are timed
 * in slices of rows. A token is the sum of its products' medians.
 */
#include "kernels/measure.h"

#include "kernels/half.h"
#include "kernels/kernels.h"
#include "kernels/memory.h"
#include "kernels/meter.h"
#include "kernels/stream.h"
#include "kernels/team.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SHAPES_MAX = 8,
    READ_BYTES = 16 << 20, /* of one read for calibration */
    HEAD_ROWS = 8192,      /* of a slice of the head */
    PREFILL_ROWS = 640,    /* of a slice: whole blocks of every layout, for two threads */
    GROUPS = 5,            /* q k v; o; gate up; down; head */
    PEAK_ROUNDS = 1 << 17,
    POOL_ALIGN = 4096,
};

/* Shares of the time: limits, single products, whole tokens, prefill. */
static const double share_limits = 0.05, share_products = 0.40, share_tokens = 0.30,
                    share_prefill = 0.25;

/* Matrices of one shape. */
typedef struct shape {
    char name[32];
    size_t count; /* in a layer */
    size_t rows, k;
    bool is_head;
} shape;

typedef struct bench {
    const lpu_measure_options *options;
    lpu_measure *out;
    lpu_kernels k;
    lpu_team *team;
    lpu_meter meter;
    bool has_meter;
    uint8_t *pool;
    size_t pool_bytes, cursor;
    size_t x_elems, y_elems;
    int8_t *a8;  /* (tokens, longest k) */
    float *real; /* the same */
    uint16_t *bf16;
    void *y; /* int32 or float */
    shape shapes[SHAPES_MAX];
    size_t shape_count;
    lpu_samples of[LPU_LAYOUTS][GROUPS], read, i8, f32;
    lpu_sample head[LPU_LAYOUTS]; /* of a token */
    double begin_ns, budget_ns;
    volatile uint64_t sink;
} bench;

static void tell(const bench *b)
{
    if (!b->options->progress) return;
    const double share = (lpu_sample_now_ns() - b->begin_ns) / b->budget_ns;
    b->options->progress(b->options->user, share < 1 ? share : 1);
}

/* --- jobs --- */

typedef struct job {
    bench *b;
    lpu_stream of[3]; /* bytes of the pool */
    size_t count, tokens;
} job;

static void job_work(void *arg, size_t member, size_t members)
{
    const job *j = arg;
    const bench *b = j->b;
    const size_t x_stride = b->x_elems / LPU_MEASURE_PREFILL_TOKENS;
    size_t at = 0, rows;

    for (size_t i = 0; i < j->count; i++) {
        const lpu_stream *s = &j->of[i];
        if (s->layout == LPU_LAYOUT_F16) {
            lpu_stream_multiply_f32(s, &b->k, (float *)b->y + at, s->rows, b->real, x_stride,
                                    j->tokens, member, members, &rows);
        } else if (s->layout == LPU_LAYOUT_BF16) {
            lpu_stream_multiply_bf16(s, &b->k, (float *)b->y + at, s->rows, b->bf16, x_stride,
                                     j->tokens, member, members, &rows);
        } else {
            lpu_stream_multiply_i32(s, &b->k, (int32_t *)b->y + at, s->rows, b->a8, x_stride,
                                    j->tokens, member, members, &rows);
        }
        at += j->tokens * s->rows;
    }
}

/* Takes the next bytes of the pool. */
static uint8_t *next_bytes(bench *b, size_t bytes)
{
    if (bytes > b->pool_bytes - b->cursor) b->cursor = 0;
    uint8_t *from = b->pool + b->cursor;
    b->cursor += (bytes + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
    if (b->cursor > b->pool_bytes) b->cursor = b->pool_bytes;
    return from;
}

static void add_stream(job *j, lpu_layout layout, size_t rows, size_t k)
{
    const size_t bytes = lpu_layout_bytes(layout, rows, k);
    j->of[j->count++] = (lpu_stream){layout,
                                     rows,
                                     k,
                                     lpu_layout_block_rows(layout),
                                     lpu_layout_block_bytes(layout, k),
                                     bytes,
                                     next_bytes(j->b, bytes)};
}

static void no_work(void *arg, size_t member, size_t members)
{
    (void)arg;
    (void)member;
    (void)members;
}

/* Every member is awake and on a CPU when this returns. */
static void gather(bench *b)
{
    lpu_team_run(b->team, no_work, NULL);
}

static void run_job(job *j, lpu_samples *s)
{
    gather(j->b);
    const lpu_stopwatch w = lpu_sample_start();
    lpu_team_run(j->b->team, job_work, j);
    lpu_sample_stop(&w, s);
}

/* The head of integer weights is int8. */
static lpu_layout head_layout(lpu_layout layout)
{
    return layout == LPU_LAYOUT_F16 || layout == LPU_LAYOUT_BF16 ? layout : LPU_LAYOUT_I8;
}

static void run_one(bench *b, lpu_layout layout, size_t rows, size_t k, size_t tokens,
                    lpu_samples *s)
{
    job j = {.b = b, .tokens = tokens};
    add_stream(&j, layout, rows, k);
    run_job(&j, s);
}

static size_t slice_of(size_t rows, size_t most)
{
    return rows < most ? rows : most;
}

/* The four steps of a layer, as the forward pass has them; s[0..4) takes their times. */
static void run_layer(bench *b, lpu_layout layout, lpu_samples *s)
{
    const lpu_model *m = b->options->model;
    const size_t q = (size_t)m->heads * m->head_elems, kv = (size_t)m->kv_heads * m->head_elems;
    job qkv = {.b = b, .tokens = 1}, up = qkv;

    add_stream(&qkv, layout, q, m->hidden_elems);
    add_stream(&qkv, layout, kv, m->hidden_elems);
    add_stream(&qkv, layout, kv, m->hidden_elems);
    run_job(&qkv, &s[0]);
    run_one(b, layout, m->hidden_elems, q, 1, &s[1]);
    add_stream(&up, layout, m->ffn_elems, m->hidden_elems);
    if (m->is_gated) add_stream(&up, layout, m->ffn_elems, m->hidden_elems);
    run_job(&up, &s[2]);
    run_one(b, layout, m->hidden_elems, m->ffn_elems, 1, &s[3]);
}

/* The head, slice after slice. */
static void run_head(bench *b, lpu_layout layout, lpu_samples *s)
{
    const lpu_model *m = b->options->model;
    const size_t rows = slice_of(m->vocab_elems, HEAD_ROWS);
    for (size_t r = 0; r + rows <= m->vocab_elems; r += rows) {
        run_one(b, head_layout(layout), rows, m->hidden_elems, 1, s);
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

/* --- limits --- */

typedef struct limit_job {
    bench *b;
    const uint8_t *w;
    size_t bytes;
    uint64_t done[LPU_TEAM_THREADS_MAX];
} limit_job;

static void read_work(void *arg, size_t member, size_t members)
{
    limit_job *j = arg;
    size_t first;
    const size_t n = lpu_team_share(j->bytes / 512, member, members, &first);
    j->done[member] = j->b->k.read_u64(j->w + 512 * first, 512 * n);
}

static void i8_work(void *arg, size_t member, size_t members)
{
    limit_job *j = arg;
    (void)members;
    j->done[member] = j->b->k.peak_i8(PEAK_ROUNDS);
}

static void f32_work(void *arg, size_t member, size_t members)
{
    limit_job *j = arg;
    (void)members;
    j->done[member] = j->b->k.peak_f32(PEAK_ROUNDS);
}

/* *done is what the members returned, summed. */
static void run_limit(bench *b, void (*work)(void *, size_t, size_t), uint64_t *done,
                      lpu_samples *s)
{
    limit_job j = {.b = b, .bytes = READ_BYTES};
    j.w = next_bytes(b, READ_BYTES);
    gather(b);
    const lpu_stopwatch w = lpu_sample_start();
    lpu_team_run(b->team, work, &j);
    lpu_sample_stop(&w, s);
    *done = 0;
    for (uint32_t i = 0; i < lpu_team_threads(b->team); i++) *done += j.done[i];
    b->sink = *done; /* the bytes were read for something */
}

static void sample_read(bench *b, size_t runs)
{
    uint64_t done;
    for (size_t i = 0; i < runs; i++) run_limit(b, read_work, &done, &b->read);
}

static void measure_peaks(bench *b, lpu_measure_limits *limits)
{
    const double end = lpu_sample_now_ns() + share_limits * b->budget_ns / b->out->threads_counts;
    uint64_t i8_macs = 0, f32_macs = 0;

    for (size_t i = 0; i < LPU_SAMPLE_RUNS_MIN || lpu_sample_now_ns() < end; i++) {
        run_limit(b, i8_work, &i8_macs, &b->i8);
        run_limit(b, f32_work, &f32_macs, &b->f32);
        sample_read(b, 1);
        tell(b);
    }
    const lpu_sample i8 = lpu_sample_summarise(&b->i8), f32 = lpu_sample_summarise(&b->f32);
    limits->threads = lpu_team_threads(b->team);
    limits->i8_macs_per_s = 1e9 * (double)i8_macs / i8.p10_ns;
    limits->f32_macs_per_s = 1e9 * (double)f32_macs / f32.p10_ns;
    limits->is_noisy = lpu_sample_is_noisy(&i8) || lpu_sample_is_noisy(&f32);
}

/* --- products and tokens --- */

static void keep_product(bench *b, size_t t, size_t index, lpu_layout l, size_t slice_rows)
{
    const shape *s = &b->shapes[index];
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
}

static void measure_shape(bench *b, size_t t, size_t index)
{
    const shape *s = &b->shapes[index];
    const size_t rows = s->is_head ? slice_of(s->rows, HEAD_ROWS) : s->rows;
    const double end = lpu_sample_now_ns() + share_products * b->budget_ns /
                                                 (double)(b->shape_count * b->out->threads_counts);

    sample_read(b, LPU_SAMPLE_RUNS_MIN);
    for (size_t i = 0;
         i < LPU_SAMPLE_RUNS_MIN || (i < LPU_SAMPLES_MAX && lpu_sample_now_ns() < end); i++) {
        for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) run_one(b, l, rows, s->k, 1, &b->of[l][0]);
        tell(b);
    }
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

static void init_token(const bench *b, lpu_measure_token *token, lpu_layout l)
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
static void measure_decode(bench *b, lpu_measure_token *tokens)
{
    const lpu_model *m = b->options->model;
    const double end = lpu_sample_now_ns() + share_tokens * b->budget_ns / b->out->threads_counts;
    double joules[LPU_LAYOUTS] = {0}, one;
    size_t runs = 0;

    for (; runs < LPU_SAMPLE_RUNS_MIN || lpu_sample_now_ns() < end; runs++) {
        sample_read(b, 2);
        for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
            b->has_meter = b->has_meter && lpu_meter_read(&b->meter, &one);
            for (uint32_t i = 0; i < tokens[l].layers_timed; i++) run_layer(b, l, b->of[l]);
            run_head(b, l, &b->of[l][GROUPS - 1]);
            b->has_meter = b->has_meter && lpu_meter_read(&b->meter, &one);
            if (b->has_meter) joules[l] += one;
            tell(b);
        }
    }
    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
        for (size_t i = 0; i + 1 < GROUPS; i++) {
            const lpu_sample group = lpu_sample_summarise(&b->of[l][i]);
            add_times(&tokens[l].decode, &group, m->layers);
        }
        b->head[l] = of_rows(lpu_sample_summarise(&b->of[l][GROUPS - 1]), m->vocab_elems,
                             slice_of(m->vocab_elems, HEAD_ROWS));
        add_times(&tokens[l].decode, &b->head[l], 1);
        tokens[l].decode_tokens_per_s = 1e9 / tokens[l].decode.median_ns;
        /* A meter cannot be read for layers that were not run. */
        tokens[l].has_joules = b->has_meter && tokens[l].layers_timed == tokens[l].layers;
        if (tokens[l].has_joules) tokens[l].joules_per_token = joules[l] / (double)runs;
    }
}

/* Slices of every matrix of a layer, taken for all of it; the head is the last token's alone. */
static void measure_prefill(bench *b, lpu_measure_token *tokens)
{
    const double each =
        share_prefill * b->budget_ns / (double)(b->out->threads_counts * (b->shape_count - 1));

    for (size_t index = 0; index < b->shape_count; index++) {
        const shape *s = &b->shapes[index];
        const size_t rows = slice_of(s->rows, PREFILL_ROWS);
        const double end = lpu_sample_now_ns() + each;
        if (s->is_head) continue;
        for (size_t i = 0; i < 3 || (i < LPU_SAMPLES_MAX && lpu_sample_now_ns() < end); i++) {
            for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
                run_one(b, l, rows, s->k, LPU_MEASURE_PREFILL_TOKENS, &b->of[l][0]);
                tell(b);
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

/* All with one number of threads. */
static lpu_status measure_threads(bench *b, size_t t, lpu_diag *diag)
{
    lpu_measure_limits *limits = &b->out->limits[t];
    lpu_measure_token *tokens = &b->out->tokens[t * LPU_LAYOUTS];
    lpu_measure_product *products = &b->out->products[t * LPU_LAYOUTS * b->shape_count];

    lpu_status status = lpu_team_open(&b->team, b->out->threads[t], diag);
    if (status) return status;
    lpu_team_pin_caller(b->team);
    measure_peaks(b, limits);
    for (size_t i = 0; i < b->shape_count; i++) measure_shape(b, t, i);
    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) init_token(b, &tokens[l], l);
    measure_decode(b, tokens);
    measure_prefill(b, tokens);
    lpu_team_close(&b->team);

    const lpu_sample read = lpu_sample_summarise(&b->read);
    limits->read_bytes_per_s = 1e9 * READ_BYTES / read.p10_ns;
    limits->is_noisy = limits->is_noisy || lpu_sample_is_noisy(&read);
    for (size_t i = 0; i < LPU_LAYOUTS * b->shape_count; i++) {
        products[i].bandwidth_share = products[i].bytes_per_s / limits->read_bytes_per_s;
    }
    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) {
        tokens[l].bandwidth_share =
            (double)tokens[l].bytes * tokens[l].decode_tokens_per_s / limits->read_bytes_per_s;
    }
    return LPU_OK;
}

/* --- set up --- */

/* Adds a matrix, beside those of its shape. */
static void add_shape(bench *b, const char *name, size_t rows, size_t k, bool is_head)
{
    for (size_t i = 0; i < b->shape_count; i++) {
        shape *s = &b->shapes[i];
        if (s->rows != rows || s->k != k || s->is_head != is_head) continue;
        const size_t used = strlen(s->name);
        snprintf(s->name + used, sizeof(s->name) - used, ", %s", name);
        s->count++;
        return;
    }
    shape *s = &b->shapes[b->shape_count++];
    *s = (shape){.count = 1, .rows = rows, .k = k, .is_head = is_head};
    snprintf(s->name, sizeof(s->name), "%s", name);
}

static void add_shapes(bench *b)
{
    const lpu_model *m = b->options->model;
    const size_t q = (size_t)m->heads * m->head_elems, kv = (size_t)m->kv_heads * m->head_elems;

    add_shape(b, "q", q, m->hidden_elems, false);
    add_shape(b, "o", m->hidden_elems, q, false);
    add_shape(b, "k", kv, m->hidden_elems, false);
    add_shape(b, "v", kv, m->hidden_elems, false);
    if (m->is_gated) add_shape(b, "gate", m->ffn_elems, m->hidden_elems, false);
    add_shape(b, "up", m->ffn_elems, m->hidden_elems, false);
    add_shape(b, "down", m->hidden_elems, m->ffn_elems, false);
    add_shape(b, "head", m->vocab_elems, m->hidden_elems, true);
}

static size_t default_memory_bytes(void)
{
    const size_t most = (size_t)2 << 30;
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const size_t quarter = pages > 0 && page > 0 ? (size_t)pages / 4 * (size_t)page : most;
    return quarter < most ? quarter : most;
}

/* Codes that are sound in every layout: FP16 numbers from 2^-7 up, digits, small integers. */
static void fill_work(void *arg, size_t member, size_t members)
{
    bench *b = arg;
    size_t first;
    const size_t n = lpu_team_share(b->pool_bytes / 8, member, members, &first);
    uint64_t *words = (uint64_t *)(void *)b->pool;
    for (size_t i = first; i < first + n; i++) {
        const uint64_t mixed = (i + 1) * 0x9e3779b97f4a7c15u;
        words[i] = ((mixed ^ mixed >> 29) & 0x1f1f1f1f1f1f1f1fu) | 0x2020202020202020u;
    }
}

static lpu_status open_bench(bench *b, lpu_diag *diag)
{
    const lpu_model *m = b->options->model;
    size_t rows = m->vocab_elems / LPU_MEASURE_PREFILL_TOKENS + 1, k = 0, bytes = 0;

    add_shapes(b);
    for (size_t i = 0; i < b->shape_count; i++) {
        const shape *s = &b->shapes[i];
        const size_t most = s->is_head ? slice_of(s->rows, HEAD_ROWS) : s->rows;
        const size_t f16 = 3 * lpu_layout_bytes(LPU_LAYOUT_BF16, most, s->k);
        if (!s->is_head) rows += 3 * s->rows;
        if (s->k > k) k = s->k;
        if (f16 > bytes) bytes = f16;
    }
    b->pool_bytes = b->options->memory_bytes ? b->options->memory_bytes : default_memory_bytes();
    b->pool_bytes = b->pool_bytes / POOL_ALIGN * POOL_ALIGN;
    if (bytes > b->pool_bytes || READ_BYTES > b->pool_bytes || k > LPU_LAYOUT_K_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "measure: the largest step of %s takes %zu bytes in FP16, expected at "
                        "most %zu, and rows of at most %d elements",
                        m->name, bytes, b->pool_bytes, LPU_LAYOUT_K_MAX);
    }
    b->x_elems = k * LPU_MEASURE_PREFILL_TOKENS;
    b->y_elems = rows * LPU_MEASURE_PREFILL_TOKENS;
    b->pool = lpu_memory_open(b->pool_bytes);
    b->a8 = lpu_memory_open(b->x_elems);
    b->real = lpu_memory_open(4 * b->x_elems);
    b->bf16 = lpu_memory_open(2 * b->x_elems);
    b->y = lpu_memory_open(4 * b->y_elems);
    const bool is_short = !b->pool || !b->a8 || !b->real || !b->bf16 || !b->y;
    if (is_short) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "measure: no memory for %zu bytes of weights",
                        b->pool_bytes);
    }
    for (size_t i = 0; i < b->x_elems; i++) {
        b->a8[i] = (int8_t)((int)(i * 2654435761u >> 16 & 0xff) % 255 - 127);
        b->real[i] = (float)b->a8[i] / 127.0f;
        b->bf16[i] = lpu_bf16_from_float(b->real[i]);
    }
    return LPU_OK;
}

static void close_bench(bench *b)
{
    lpu_memory_close(b->pool, b->pool_bytes);
    lpu_memory_close(b->a8, b->x_elems);
    lpu_memory_close(b->real, 4 * b->x_elems);
    lpu_memory_close(b->bf16, 2 * b->x_elems);
    lpu_memory_close(b->y, 4 * b->y_elems);
    free(b);
}

/* The team of the larger size fills the pool, and says how many threads there are. */
static lpu_status fill(bench *b, lpu_diag *diag)
{
    lpu_status status = lpu_team_open(&b->team, b->options->threads, diag);
    if (status) return status;
    const uint32_t most = lpu_team_threads(b->team);
    lpu_team_run(b->team, fill_work, b);
    lpu_team_close(&b->team);
    b->out->threads[0] = 1;
    b->out->threads[1] = most;
    b->out->threads_counts = most > 1 ? 2 : 1;
    return LPU_OK;
}

lpu_status lpu_measure_run(lpu_measure *out, const lpu_measure_options *options, lpu_diag *diag)
{
    uint32_t allowed;
    lpu_status status = lpu_cpu_allowed(&allowed, diag);
    if (status) return status;

    bench *b = calloc(1, sizeof(*b));
    if (!b) return lpu_fail(diag, LPU_ERR_MEMORY, "measure: out of memory");
    *out = (lpu_measure){0};
    b->options = options;
    b->out = out;
    b->begin_ns = lpu_sample_now_ns();
    b->budget_ns = 1e9 * (options->seconds > 0 ? options->seconds : 120);
    b->has_meter = lpu_meter_init(&b->meter, NULL);
    lpu_kernels_init(&b->k, allowed);
    snprintf(out->isa, sizeof(out->isa), "%s", lpu_kernels_isa(allowed));

    status = open_bench(b, diag);
    if (!status) status = fill(b, diag);
    for (size_t t = 0; t < out->threads_counts && !status; t++) {
        status = measure_threads(b, t, diag);
    }
    out->memory_bytes = b->pool_bytes;
    out->product_count = out->threads_counts * LPU_LAYOUTS * b->shape_count;
    out->token_count = out->threads_counts * LPU_LAYOUTS;
    close_bench(b);
    return status;
}

const lpu_measure_token *lpu_measure_find_token(const lpu_measure *m, lpu_layout layout,
                                                uint32_t threads)
{
    for (size_t i = 0; i < m->token_count; i++) {
        if (m->tokens[i].layout == layout && m->tokens[i].threads == threads) return &m->tokens[i];
    }
    return NULL;
}

const lpu_measure_product *lpu_measure_find_product(const lpu_measure *m, const char *name,
                                                    lpu_layout layout, uint32_t threads)
{
    for (size_t i = 0; i < m->product_count; i++) {
        const lpu_measure_product *p = &m->products[i];
        if (p->layout == layout && p->threads == threads && !strcmp(p->name, name)) return p;
    }
    return NULL;
}
