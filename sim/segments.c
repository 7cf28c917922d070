/* sim/segments.c - a compiled pass on the machine: every distinct segment once, then sums. */
#include "sim/segments.h"

#include <stdlib.h>
#include <string.h>

/* What one distinct segment did, kept for those that are the same. */
typedef struct known {
    lpu_counters *ops; /* sparse: (op_count) of the ops first..first + op_count */
    uint32_t first_op, op_count;
    uint64_t *begin_cycles; /* (op_count), from the segment's start */
    lpu_machine_run_result run;
} known;

typedef struct adder {
    const lpu_segments_request *request;
    lpu_sim_result *result;
    known *knowns;     /* (segment_count) */
    lpu_counters *ops; /* (trace->count) scratch */
    uint64_t *begins;  /* (trace->count) scratch */
} adder;

/* The range of trace ops that a segment's notes name. */
static void op_range(const adder *s, size_t segment, uint32_t *first, uint32_t *count)
{
    const lpu_segment *g = &s->request->program->segments[segment];
    uint32_t low = UINT32_MAX, high = 0;

    for (size_t i = g->first; i < g->first + g->count; i++) {
        const uint32_t op = s->request->program->notes[i].op;
        if (op < low) low = op;
        if (op > high) high = op;
    }
    *first = low;
    *count = high - low + 1;
}

static lpu_status run_segment(adder *s, size_t segment, lpu_diag *diag)
{
    known *k = &s->knowns[segment];

    op_range(s, segment, &k->first_op, &k->op_count);
    lpu_status status = lpu_machine_run(s->request->machine, s->request->program, segment,
                                        s->result->trace, s->ops, s->begins, &k->run, diag);
    if (status) return status;

    k->ops = malloc(k->op_count * sizeof(*k->ops));
    k->begin_cycles = malloc(k->op_count * sizeof(*k->begin_cycles));
    if (!k->ops || !k->begin_cycles) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "segments: out of memory");
    }
    memcpy(k->ops, s->ops + k->first_op, k->op_count * sizeof(*k->ops));
    memcpy(k->begin_cycles, s->begins + k->first_op, k->op_count * sizeof(*k->begin_cycles));
    s->result->stepped_cycles += k->run.stepped_cycles;
    return LPU_OK;
}

/* Adds what segment does (known from an equal one) at its place in time. */
static void add_segment(adder *s, size_t segment, const known *k)
{
    lpu_sim_result *r = s->result;
    uint32_t first, count;

    op_range(s, segment, &first, &count);
    for (uint32_t i = 0; i < count; i++) {
        lpu_sim_op *op = &r->ops[first + i];
        if (k->begin_cycles[i] != UINT64_MAX && op->begin_cycles == UINT64_MAX) {
            op->begin_cycles = r->cycles + k->begin_cycles[i];
        }
        op->cycles += k->ops[i].run_cycles;
        lpu_counters_add(&op->counters, &k->ops[i], 1);
        lpu_counters_add(&r->counters, &k->ops[i], 1);
    }
    r->cycles += k->run.cycles;
}

/* Ops of equal segments correspond one to one only if their ranges are equally long. */
static size_t representative(const adder *s, size_t segment)
{
    const size_t same = s->request->program->segments[segment].same_as;
    uint32_t first, count, other_first, other_count;

    if (s->request->is_unshared || same == segment) return segment;
    op_range(s, segment, &first, &count);
    op_range(s, same, &other_first, &other_count);
    return count == other_count ? same : segment;
}

static lpu_status run_all(adder *s, lpu_diag *diag)
{
    const size_t count = s->request->program->segment_count;

    for (size_t i = 0; i < count; i++) {
        const size_t from = representative(s, i);
        known *k = &s->knowns[from];
        if (s->request->timeline) lpu_timeline_at(s->request->timeline, s->result->cycles);
        if (!k->ops || s->request->timeline) {
            free(k->ops);
            free(k->begin_cycles);
            k->ops = NULL;
            k->begin_cycles = NULL;
            const lpu_status status = run_segment(s, s->request->timeline ? i : from, diag);
            if (status) return status;
            if (s->request->timeline) k = &s->knowns[i];
        }
        add_segment(s, i, k);
        if (s->request->progress) {
            s->request->progress(s->request->user, (double)(i + 1) / (double)count);
        }
    }
    return LPU_OK;
}

/* Several chips in a row: the activations cross from one to the next. */
static void add_links(adder *s)
{
    const lpu_design *d = s->request->layout->design;
    lpu_sim_result *r = s->result;

    r->chips = 1;
    if (d->residence != LPU_WEIGHTS_ON_CHIP) return;
    const uint64_t per_chip = (uint64_t)d->weight_sram_kib * 1024;
    r->chips = (uint32_t)((r->weight_memory_bytes + r->kv_memory_bytes + per_chip - 1) / per_chip);

    const uint64_t rows = r->tokens, hops = r->chips - 1;
    const uint64_t bytes = rows * s->request->layout->model->hidden_elems * 4;
    const uint64_t cycles = hops * (d->link_latency_cycles + (bytes + d->link_bytes_per_cycle - 1) /
                                                                 d->link_bytes_per_cycle);
    lpu_counters *last = &r->ops[r->trace->count - 1].counters;
    const lpu_counters link = {
        .run_cycles = cycles, .stall_issue_cycles = cycles, .link_bytes = hops * bytes};
    lpu_counters_add(last, &link, 1);
    lpu_counters_add(&r->counters, &link, 1);
    r->ops[r->trace->count - 1].cycles += cycles;
    r->cycles += cycles;

    /* All chips are powered all the time, with their weight memories. */
    const uint64_t ns = r->cycles * 1000 / d->clock_mhz;
    const uint64_t kib = lpu_design_sram_kib(d) + d->weight_sram_kib;
    const uint64_t lane_ns = ns * d->rows * d->cols * r->chips, kib_ns = ns * kib * r->chips;
    last->lane_ns += lane_ns - r->counters.lane_ns;
    last->sram_kib_ns += kib_ns - r->counters.sram_kib_ns;
    r->counters.lane_ns = lane_ns;
    r->counters.sram_kib_ns = kib_ns;
}

static void finish(adder *s)
{
    lpu_sim_result *r = s->result;

    r->tokens = (uint64_t)r->trace->tokens * r->trace->batch;
    r->weight_memory_bytes = s->request->layout->weight_bytes;
    r->kv_memory_bytes = s->request->layout->kv_bytes;
    add_links(s);
    for (size_t i = 0, next = 0; i < r->trace->count; i++) {
        /* An op that was never the oldest at work began when its successor did. */
        if (r->ops[i].begin_cycles != UINT64_MAX) continue;
        for (next = i; next < r->trace->count && r->ops[next].begin_cycles == UINT64_MAX;) next++;
        r->ops[i].begin_cycles = next < r->trace->count ? r->ops[next].begin_cycles : r->cycles;
    }
    r->seconds = (double)r->cycles / (1e6 * s->request->layout->design->clock_mhz);
    r->tokens_per_s = (double)r->tokens / r->seconds;
}

static lpu_status open_scratch(adder *s, lpu_diag *diag)
{
    const size_t count = s->result->trace->count;

    s->knowns = calloc(s->request->program->segment_count, sizeof(*s->knowns));
    s->ops = calloc(count, sizeof(*s->ops));
    s->begins = calloc(count, sizeof(*s->begins));
    s->result->ops = calloc(count, sizeof(*s->result->ops));
    if (!s->knowns || !s->ops || !s->begins || !s->result->ops) {
        return lpu_fail(diag, LPU_ERR_MEMORY, "segments: out of memory");
    }
    for (size_t i = 0; i < count; i++) s->result->ops[i].begin_cycles = UINT64_MAX;
    return LPU_OK;
}

lpu_status lpu_segments_run(lpu_sim_result *result, const lpu_segments_request *request,
                            lpu_diag *diag)
{
    adder s = {.request = request, .result = result};
    lpu_status status = open_scratch(&s, diag);

    if (!status) status = run_all(&s, diag);
    if (!status) finish(&s);
    for (size_t i = 0; s.knowns && i < request->program->segment_count; i++) {
        free(s.knowns[i].ops);
        free(s.knowns[i].begin_cycles);
    }
    free(s.knowns);
    free(s.ops);
    free(s.begins);
    return status;
}
