/* sim/simulate.c - trace, compile, run. */
#include "sim/simulate.h"

#include "sim/compile.h"
#include "sim/machine.h"
#include "sim/segments.h"
#include "sim/timeline.h"

#include <stdlib.h>
#include <time.h>

typedef struct simulation {
    const lpu_sim_request *request;
    lpu_sim_result *result;
    lpu_layout layout;
    lpu_program program;
    lpu_machine *machine;
    lpu_timeline *timeline;
} simulation;

static double wall_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The pass of a recorded trace: the operations of its shapes, with the shares that it has. */
static lpu_status open_recorded(lpu_trace **t, const lpu_trace *from, lpu_diag *diag)
{
    lpu_status status = lpu_trace_open(t, &from->model, from->phase, from->tokens, from->context,
                                       from->batch, diag);
    bool is_like = !status && (*t)->count == from->count;

    if (status) return status;
    for (size_t i = 0; i < from->count && is_like; i++) {
        const lpu_op *a = &from->ops[i];
        lpu_op *b = &(*t)->ops[i];
        is_like = a->kind == b->kind && a->layer == b->layer && a->count == b->count &&
                  a->m == b->m && a->n == b->n && a->k == b->k;
        *b = is_like ? *a : *b;
    }
    if (is_like) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE,
                    "the trace's operations are not those of a %s of %s, expected a trace as "
                    "`lpu trace --out` writes it",
                    from->phase == LPU_PHASE_DECODE ? "decode" : "prefill", from->model.name);
}

static lpu_status prepare(simulation *s, lpu_diag *diag)
{
    const lpu_sim_request *q = s->request;
    lpu_sim_result *r = s->result;

    lpu_status status = q->trace ? open_recorded(&r->trace, q->trace, diag)
                                 : lpu_trace_open(&r->trace, q->model, q->phase, q->tokens,
                                                  q->context, q->batch, diag);
    if (status) return status;
    status = lpu_layout_open(&s->layout, &r->trace->model, q->design, r->trace->batch,
                             r->trace->context + r->trace->tokens, diag);
    if (status) return status;
    const lpu_compile_request compile = {.layout = &s->layout, .trace = r->trace};
    status = lpu_compile(&s->program, &compile, diag);
    if (status) return status;
    status = lpu_machine_open(&s->machine, &s->layout, q->is_stepped, diag);
    if (status) return status;
    if (q->timeline_path) {
        status = lpu_timeline_open(&s->timeline, q->timeline_path, s->machine, r->trace,
                                   q->design->clock_mhz, diag);
        if (status) return status;
    }
    return LPU_OK;
}

static lpu_status run(simulation *s, lpu_diag *diag)
{
    const lpu_sim_request *q = s->request;
    const lpu_segments_request segments = {.layout = &s->layout,
                                           .program = &s->program,
                                           .machine = s->machine,
                                           .timeline = s->timeline,
                                           /* equal segments of a recorded pass have other shares */
                                           .is_unshared = q->is_unshared || q->trace,
                                           .progress = q->progress,
                                           .user = q->user};

    return lpu_segments_run(s->result, &segments, diag);
}

lpu_status lpu_simulate(lpu_sim_result **out, const lpu_sim_request *request, lpu_diag *diag)
{
    const double begin_s = wall_now_s();
    simulation s = {.request = request};

    *out = NULL;
    s.result = calloc(1, sizeof(*s.result));
    if (!s.result) return lpu_fail(diag, LPU_ERR_MEMORY, "simulate: out of memory");

    lpu_status status = prepare(&s, diag);
    if (!status) status = run(&s, diag);
    if (!status && s.timeline) status = lpu_timeline_commit(&s.timeline, diag);
    if (!status) s.result->wall_s = wall_now_s() - begin_s;

    lpu_timeline_close(&s.timeline);
    lpu_machine_close(&s.machine);
    lpu_program_close(&s.program);
    lpu_layout_close(&s.layout);
    if (status) lpu_simulate_close(&s.result);
    *out = s.result;
    return status;
}

void lpu_simulate_close(lpu_sim_result **result)
{
    if (!*result) return;
    lpu_trace_close(&(*result)->trace);
    free((*result)->ops);
    free(*result);
    *result = NULL;
}
