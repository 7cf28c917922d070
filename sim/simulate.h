/* sim/simulate.h - one call: what a pass of a model costs on a design.
 *
 * Trace, compile, run; counters by operation. Identical program segments are simulated once: each
 * begins with the machine drained and the memory settled (SYNC), so the sum is exact.
 */
#ifndef LPU_SIM_SIMULATE_H
#define LPU_SIM_SIMULATE_H

#include "sim/design.h"
#include "workloads/counters.h"
#include "workloads/model.h"
#include "workloads/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lpu_sim_request {
    const lpu_model  *model;
    const lpu_design *design;
    lpu_phase         phase;
    uint32_t          tokens, context, batch; /* as in lpu_trace_open */
    const lpu_trace  *trace; /* a recorded pass: its model, phase, tokens and shares stand, not those above; or NULL */
    bool              is_stepped;   /* step every cycle: no skipping of quiet cycles */
    bool              is_unshared;  /* simulate identical segments each time */
    const char       *timeline_path; /* Chrome trace JSON, or NULL */
    void (*progress)(void *user, double share_done); /* or NULL */
    void             *user;
} lpu_sim_request;

/* Timeline: op i of the trace. cycles of all ops add up to the run's cycles. */
typedef struct lpu_sim_op {
    uint64_t     begin_cycles, cycles;
    lpu_counters counters; /* caused by this op; time counters left 0 */
} lpu_sim_op;

typedef struct lpu_sim_result {
    lpu_trace   *trace;
    lpu_sim_op  *ops; /* (trace->count) */
    lpu_counters counters;
    uint64_t     cycles;
    uint64_t     tokens;       /* that this pass computed: prefill tokens x batch, or batch */
    double       seconds;      /* modelled */
    double       tokens_per_s; /* modelled */
    uint64_t     stepped_cycles; /* clocks that were really simulated */
    double       wall_s;         /* measured: time of the simulation itself */
    uint32_t     chips;
    uint64_t     weight_memory_bytes, kv_memory_bytes; /* capacity used: weights with head, cache */
} lpu_sim_result;

lpu_status lpu_simulate(lpu_sim_result **result, const lpu_sim_request *request, lpu_diag *diag);
void       lpu_simulate_close(lpu_sim_result **result);

#endif
