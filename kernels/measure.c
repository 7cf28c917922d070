/* kernels/measure.c - sets a measurement up, and goes through its parts. */
#include "kernels/measure.h"

#include "kernels/half.h"
#include "kernels/measure_private.h"
#include "kernels/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shares of the time: limits, single products, whole tokens, prefill; batches, where asked for,
 * take theirs from the others. */
static const double share_limits = 0.05, share_products = 0.40, share_tokens = 0.30,
                    share_prefill = 0.25, share_points = 0.35;

/* All with one number of threads. */
static lpu_status measure_threads(lpu_bench *b, size_t t, lpu_diag *diag)
{
    lpu_measure_limits *limits = &b->out->limits[t];
    lpu_measure_token *tokens = &b->out->tokens[t * LPU_LAYOUTS];

    const double all = 1e-9 * b->budget_ns / b->out->threads_counts;
    const double seconds = b->options->has_points ? all * (1 - share_points) : all;
    b->has_perf = lpu_perf_open(&b->perf, NULL); /* before the threads that it is to count */
    lpu_status status = lpu_team_open(&b->team, b->out->threads[t], diag);
    if (status) return status;
    lpu_team_pin_caller(b->team);
    lpu_bench_measure_limits(b, limits, share_limits * seconds);
    for (size_t i = 0; i < b->shape_count; i++) {
        lpu_bench_measure_shape(b, t, i, share_products * seconds / (double)b->shape_count);
    }
    for (lpu_layout l = 0; l < LPU_LAYOUTS; l++) lpu_bench_init_token(b, &tokens[l], l);
    lpu_bench_measure_decode(b, t, share_tokens * seconds);
    lpu_bench_measure_prefill(b, tokens, share_prefill * seconds);
    if (b->options->has_points) lpu_bench_measure_points(b, t, share_points * all);
    lpu_team_close(&b->team);
    lpu_perf_close(&b->perf);
    return LPU_OK;
}

/* --- set up --- */

/* Adds a matrix, beside those of its shape. */
static void add_shape(lpu_bench *b, const char *name, size_t rows, size_t k, bool is_head)
{
    for (size_t i = 0; i < b->shape_count; i++) {
        lpu_bench_shape *s = &b->shapes[i];
        if (s->rows != rows || s->k != k || s->is_head != is_head) continue;
        const size_t used = strlen(s->name);
        snprintf(s->name + used, sizeof(s->name) - used, ", %s", name);
        s->count++;
        return;
    }
    lpu_bench_shape *s = &b->shapes[b->shape_count++];
    *s = (lpu_bench_shape){.count = 1, .rows = rows, .k = k, .is_head = is_head};
    snprintf(s->name, sizeof(s->name), "%s", name);
}

static void add_shapes(lpu_bench *b)
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

/* Codes that are sound in every layout: FP16 numbers from 2^-7 up, digits (no two bits of one both
 * set), small integers. */
static void fill_work(void *arg, size_t member, size_t members)
{
    lpu_bench *b = arg;
    size_t first;
    const size_t n = lpu_team_share(b->pool_bytes / 8, member, members, &first);
    uint64_t *words = (uint64_t *)(void *)b->pool;
    for (size_t i = first; i < first + n; i++) {
        const uint64_t mixed = (i + 1) * 0x9e3779b97f4a7c15u, any = mixed ^ mixed >> 29;
        const uint64_t high = any & 0x0a0a0a0a0a0a0a0au;
        const uint64_t low = any & 0x0505050505050505u & ~(high >> 1);
        words[i] = high | low | 0x2020202020202020u;
    }
}

static lpu_status open_bench(lpu_bench *b, lpu_diag *diag)
{
    const lpu_model *m = b->options->model;
    size_t rows = m->vocab_elems / LPU_MEASURE_PREFILL_TOKENS + 1, k = 0, bytes = 0;

    add_shapes(b);
    for (size_t i = 0; i < b->shape_count; i++) {
        const lpu_bench_shape *s = &b->shapes[i];
        const size_t most = s->is_head ? lpu_bench_slice(s->rows, HEAD_ROWS) : s->rows;
        const size_t f16 = 3 * lpu_layout_bytes(LPU_LAYOUT_BF16, most, s->k);
        if (!s->is_head) rows += 3 * s->rows;
        if (s->k > k) k = (s->k + LPU_LAYOUT_GROUP - 1) / LPU_LAYOUT_GROUP * LPU_LAYOUT_GROUP;
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
    b->x_elems = k * TOKENS_MAX;
    b->y_elems = (rows + 3 * APART) * LPU_MEASURE_PREFILL_TOKENS;
    if (b->y_elems < TOKENS_MAX * SLICE_ROWS * 2) b->y_elems = TOKENS_MAX * SLICE_ROWS * 2;
    b->pool = lpu_memory_open(b->pool_bytes);
    b->a8 = lpu_memory_open(b->x_elems);
    b->real = lpu_memory_open(4 * b->x_elems);
    b->bf16 = lpu_memory_open(2 * b->x_elems);
    b->groups = lpu_memory_open(b->x_elems / LPU_LAYOUT_GROUP * sizeof(*b->groups));
    b->y = lpu_memory_open(4 * b->y_elems);
    const bool is_short = !b->pool || !b->a8 || !b->real || !b->bf16 || !b->groups || !b->y;
    if (is_short) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "measure: no memory for %zu bytes of weights",
                        b->pool_bytes);
    }
    for (size_t i = 0; i < b->x_elems; i++) {
        b->a8[i] = (int8_t)((int)(i * 2654435761u >> 16 & 0xff) % 255 - 127);
        b->real[i] = (float)b->a8[i] / 127.0f;
        b->bf16[i] = lpu_bf16_from_float(b->real[i]);
        b->groups[i / LPU_LAYOUT_GROUP].scale = 1.0f / 127.0f;
        b->groups[i / LPU_LAYOUT_GROUP].sum += b->a8[i];
    }
    return LPU_OK;
}

static void close_bench(lpu_bench *b)
{
    lpu_memory_close(b->pool, b->pool_bytes);
    lpu_memory_close(b->a8, b->x_elems);
    lpu_memory_close(b->real, 4 * b->x_elems);
    lpu_memory_close(b->bf16, 2 * b->x_elems);
    lpu_memory_close(b->groups, b->x_elems / LPU_LAYOUT_GROUP * sizeof(*b->groups));
    lpu_memory_close(b->y, 4 * b->y_elems);
    free(b);
}

/* The team of the larger size fills the pool, and says how many threads there are. */
static lpu_status fill(lpu_bench *b, lpu_diag *diag)
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

    lpu_bench *b = calloc(1, sizeof(*b));
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
