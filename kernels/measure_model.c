/* kernels/measure_model.c - runs a model again and again, and keeps the times. */
#include "kernels/measure_model.h"

#include "kernels/kernels.h"
#include "kernels/measure_machine.h"
#include "kernels/meter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MIN = 3 };

static const double share_limits = 0.05; /* of the time: before, and again after */

typedef struct bench {
    const lpu_measure_model_options *options;
    lpu_measure_model *out;
    lpu_forward *forward;
    lpu_measure_machine *machine; /* of as many threads */
    lpu_meter meter;
    bool has_meter;
    int32_t *tokens;
    uint32_t context_tokens; /* the deepest of the tests that fit */
    lpu_samples samples;
    size_t done; /* tests */
} bench;

static bool fits(const bench *b, const lpu_measure_test *t)
{
    return t->tokens && (uint64_t)t->tokens + t->depth <= b->options->weights->model.context_tokens;
}

static uint64_t weight_bytes(const lpu_model *m, uint32_t layers, lpu_layout l)
{
    const size_t q = (size_t)m->heads * m->head_elems, kv = (size_t)m->kv_heads * m->head_elems;
    const size_t layer =
        lpu_layout_bytes(l, q, m->hidden_elems) + 2 * lpu_layout_bytes(l, kv, m->hidden_elems) +
        lpu_layout_bytes(l, m->hidden_elems, q) +
        (m->is_gated ? 2 : 1) * lpu_layout_bytes(l, m->ffn_elems, m->hidden_elems) +
        lpu_layout_bytes(l, m->hidden_elems, m->ffn_elems);
    const lpu_layout head = l == LPU_LAYOUT_F16 || l == LPU_LAYOUT_BF16 ? l
                            : l == LPU_LAYOUT_Q8 || l == LPU_LAYOUT_Q4  ? LPU_LAYOUT_Q8
                                                                        : LPU_LAYOUT_I8;
    return (uint64_t)layers * layer + lpu_layout_bytes(head, m->vocab_elems, m->hidden_elems);
}

/* One pass of the test; adds to parts what it took, layers scaled up, and returns their sum. */
static lpu_status run_once(bench *b, const lpu_measure_test *t, double *parts, double *ns,
                           lpu_diag *diag)
{
    const double times = (double)b->options->layers / (double)b->options->weights->model.layers;
    double before[LPU_FORWARD_PARTS];
    int32_t next;

    lpu_status status = lpu_forward_keep(b->forward, t->depth, diag);
    if (status) return status;
    memcpy(before, lpu_forward_part_ns(b->forward), sizeof(before));
    status = lpu_forward_run(b->forward, b->tokens, t->tokens, &next, diag);
    *ns = 0;
    for (size_t i = 0; i < LPU_FORWARD_PARTS; i++) {
        const double part =
            (lpu_forward_part_ns(b->forward)[i] - before[i]) * (i == LPU_FORWARD_HEAD ? 1 : times);
        parts[i] += part;
        *ns += part;
    }
    return status;
}

/* At least RUNS_MIN passes after one that is not counted, and as many as fit the time. */
static lpu_status measure_test(bench *b, lpu_measure_pass *p, double seconds, lpu_diag *diag)
{
    double parts[LPU_FORWARD_PARTS] = {0}, ns, all = 0, joules = 0;
    lpu_status status = lpu_forward_fill(b->forward, b->context_tokens, diag);
    if (!status) status = run_once(b, &p->test, parts, &ns, diag);
    const double end_ns = lpu_sample_now_ns() + 1e9 * seconds;
    size_t runs = 0;

    lpu_measure_machine_read(b->machine);
    memset(parts, 0, sizeof(parts));
    lpu_sample_clear(&b->samples);
    b->has_meter = b->has_meter && lpu_meter_read(&b->meter, &joules);
    while (!status && runs < LPU_SAMPLES_MAX && (runs < RUNS_MIN || lpu_sample_now_ns() < end_ns)) {
        status = run_once(b, &p->test, parts, &ns, diag);
        b->samples.ns[b->samples.count++] = ns;
        runs++;
    }
    if (status) return status;
    lpu_measure_machine_read(b->machine);
    p->read_bytes_per_s =
        lpu_measure_machine_rate(b->machine, &b->out->limits[b->out->limits_count - 1]);
    const lpu_forward_reads head = lpu_forward_head_reads(b->forward);
    lpu_measure_ceiling_count(&p->ceiling, &b->options->weights->model, b->options->layers,
                              p->layout, p->test.tokens, p->test.depth, head.bytes, head.macs);
    const lpu_forward_reads skips = lpu_forward_skips(b->forward);
    const uint64_t layers = b->options->weights->model.layers;
    p->ceiling.bytes -= skips.bytes * b->options->layers / layers;
    p->ceiling.macs -= skips.macs * b->options->layers / layers;
    /* A meter cannot be read for layers that were not run. */
    b->has_meter = b->has_meter && lpu_meter_read(&b->meter, &joules);
    p->has_joules = b->has_meter && b->options->layers == b->options->weights->model.layers;
    p->joules_per_token = joules / (double)(runs * p->test.tokens);
    p->time = lpu_sample_summarise(&b->samples);
    p->tokens_per_s = 1e9 * p->test.tokens / p->time.median_ns;
    p->spread_per_s = 0.5e9 * p->test.tokens * (1 / p->time.p10_ns - 1 / p->time.p90_ns);
    for (size_t i = 0; i < LPU_FORWARD_PARTS; i++) all += parts[i];
    for (size_t i = 0; i < LPU_FORWARD_PARTS; i++) p->part_share[i] = parts[i] / all;
    return LPU_OK;
}

static lpu_status measure_layout(bench *b, lpu_layout layout, uint32_t threads, lpu_diag *diag)
{
    const lpu_measure_model_options *o = b->options;
    const size_t all = o->threads_count * o->layout_count * o->test_count;
    lpu_status status = lpu_forward_open_layout(&b->forward, o->weights, layout, o->kv_trits,
                                                b->context_tokens, threads, diag);

    for (size_t i = 0; i < o->test_count && !status; i++) {
        lpu_measure_pass *p = &b->out->passes[b->out->count];
        b->done++;
        if (!fits(b, &o->tests[i])) continue;
        *p =
            (lpu_measure_pass){.layout = layout,
                               .threads = threads,
                               .test = o->tests[i],
                               .weight_bytes = weight_bytes(&o->weights->model, o->layers, layout)};
        status = measure_test(b, p, (1 - 2 * share_limits) * o->seconds / (double)all, diag);
        b->out->count++;
        if (o->progress) o->progress(o->user, (double)b->done / (double)all);
    }
    lpu_forward_close(&b->forward);
    return status;
}

/* Of this run's products, and of the memory as it was read before and after the pass. */
static void rate(lpu_measure_pass *p, const lpu_measure_limits *limits)
{
    lpu_measure_limits own = *limits;

    if (!isnan(p->read_bytes_per_s)) own.read_bytes_per_s = p->read_bytes_per_s;
    lpu_measure_ceiling_rate(&p->ceiling, &own, p->layout, p->test.tokens, p->tokens_per_s);
    if (p->ceiling.is_of_memory && isnan(p->read_bytes_per_s)) p->ceiling.share = (double)NAN;
}

/* All with one number of threads. */
static lpu_status measure_threads(bench *b, uint32_t threads, lpu_diag *diag)
{
    const lpu_measure_model_options *o = b->options;
    lpu_measure_limits *limits = &b->out->limits[b->out->limits_count++];
    const double seconds = share_limits * o->seconds / (double)o->threads_count;
    const size_t first = b->out->count;

    lpu_status status = lpu_measure_machine_open(&b->machine, threads, diag);
    if (status) return status;
    lpu_measure_machine_limits(b->machine, limits, seconds);
    for (size_t l = 0; l < o->layout_count && !status; l++) {
        status = measure_layout(b, o->layouts[l], threads, diag);
    }
    lpu_measure_machine_limits(b->machine, limits, seconds);
    lpu_measure_machine_close(&b->machine);
    for (size_t i = first; i < b->out->count; i++) rate(&b->out->passes[i], limits);
    return status;
}

static lpu_status measure_all(bench *b, lpu_diag *diag)
{
    lpu_status status = LPU_OK;

    for (size_t t = 0; t < b->options->threads_count && !status; t++) {
        status = measure_threads(b, b->options->threads[t], diag);
    }
    return status;
}

lpu_status lpu_measure_model_run(lpu_measure_model *out, const lpu_measure_model_options *options,
                                 lpu_diag *diag)
{
    const lpu_model *m = &options->weights->model;
    uint32_t allowed;
    lpu_status status = lpu_cpu_allowed(&allowed, diag);
    if (status) return status;
    if (options->threads_count * options->layout_count * options->test_count >
            LPU_MEASURE_PASSES_MAX ||
        options->threads_count > LPU_MEASURE_LIMITS_MAX || options->layers < m->layers) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "measure: found %zu tests of a model of %u layers, expected at most %d, "
                        "and no fewer layers than the %u at hand",
                        options->threads_count * options->layout_count * options->test_count,
                        options->layers, LPU_MEASURE_PASSES_MAX, m->layers);
    }
    bench *b = calloc(1, sizeof(*b));
    if (b) b->tokens = calloc(m->context_tokens, sizeof(*b->tokens));
    if (!b || !b->tokens) {
        free(b);
        return lpu_fail(diag, LPU_ERR_MEMORY, "measure: out of memory");
    }
    *out = (lpu_measure_model){.layers = options->layers, .layers_timed = m->layers};
    snprintf(out->isa, sizeof(out->isa), "%s", lpu_kernels_isa(allowed));
    b->options = options;
    b->out = out;
    b->has_meter = lpu_meter_init(&b->meter, NULL);
    for (size_t i = 0; i < options->test_count; i++) {
        const lpu_measure_test *t = &options->tests[i];
        if (fits(b, t) && t->tokens + t->depth > b->context_tokens) {
            b->context_tokens = t->tokens + t->depth;
        }
    }
    for (uint32_t i = 0; i < m->context_tokens; i++) {
        b->tokens[i] = (int32_t)(i * 2654435761u % m->vocab_elems);
    }
    if (b->context_tokens) status = measure_all(b, diag);
    free(b->tokens);
    free(b);
    return status;
}
