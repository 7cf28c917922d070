/* cli/evaluate.c - simulate and price one pass. */
#include "cli/evaluate.h"

#include <math.h>
#include <string.h>

lpu_evaluation_options lpu_evaluation_defaults(void)
{
    return (lpu_evaluation_options){
        .model = "bitnet-b1.58-2b4t", .phase = "decode", .context = UINT32_MAX, .batch = 1};
}

static lpu_status read_phase(const lpu_evaluation_options *o, lpu_sim_request *q, lpu_diag *diag)
{
    enum { TOKENS_DEFAULT = 512 };
    const bool has_context = o->context != UINT32_MAX;

    q->batch = o->batch;
    if (!strcmp(o->phase, "decode")) {
        if (o->tokens > 1) {
            return lpu_fail(
                diag, LPU_ERR_RANGE,
                "--tokens is %u with --phase decode, expected 1: a decode pass makes one "
                "token per sequence; --context says how many came before",
                o->tokens);
        }
        q->phase = LPU_PHASE_DECODE;
        q->tokens = 1;
        q->context = has_context ? o->context : TOKENS_DEFAULT;
        return LPU_OK;
    }
    if (!strcmp(o->phase, "prefill")) {
        q->phase = LPU_PHASE_PREFILL;
        q->tokens = o->tokens ? o->tokens : TOKENS_DEFAULT;
        q->context = has_context ? o->context : 0;
        return LPU_OK;
    }
    return lpu_fail(diag, LPU_ERR_RANGE, "--phase is \"%s\", expected decode or prefill", o->phase);
}

/* The node of the paper method is that of the design's prices: "7nm" of "7nm-literature". */
static lpu_status load_prices(lpu_evaluation *e, lpu_diag *diag)
{
    char node[64];

    lpu_status status = lpu_prices_load(&e->prices, e->design.price, e->design.dram.price, diag);
    if (status) return status;
    memcpy(node, e->design.price, sizeof(node));
    node[strcspn(node, "-")] = '\0';
    return lpu_paper_load(&e->paper, node, diag);
}

/* The papers price ternary and FP16 machines: NAN for the others. FP16 lanes do FP16 arithmetic
 * whatever the weights were. */
static double paper_pj(const lpu_evaluation *e)
{
    lpu_trace trace = *e->result->trace;

    if (e->design.lane == LPU_LANE_MAC_I4 || e->design.lane == LPU_LANE_MAC_I8) return NAN;
    if (e->design.lane == LPU_LANE_MAC_F16) trace.model.weights = LPU_WEIGHTS_FP16;
    return lpu_energy_paper_trace_pj(&e->paper, &trace, NULL);
}

/* The pass that is simulated: of a saved trace, or of a model. *trace is the caller's to close. */
static lpu_status read_pass(lpu_evaluation *e, const lpu_evaluation_options *o, lpu_sim_request *q,
                            lpu_trace **trace, lpu_diag *diag)
{
    const lpu_evaluation_options d = lpu_evaluation_defaults();
    lpu_status status;

    if (!o->trace) {
        status = read_phase(o, q, diag);
        return status ? status : lpu_model_load(&e->model, o->model, diag);
    }
    if (o->model != d.model || o->phase != d.phase || o->context != d.context || o->tokens ||
        o->batch != d.batch) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --trace with --model, --phase, --context, --tokens or --batch, "
                        "expected --trace alone: the trace says them");
    }
    status = lpu_trace_load(trace, o->trace, diag);
    if (status) return status;
    q->trace = *trace;
    e->model = (*trace)->model;
    return LPU_OK;
}

lpu_status lpu_evaluation_open(lpu_evaluation *e, const lpu_evaluation_options *o,
                               const char *design, int *exit_code, lpu_diag *diag)
{
    char text[256];
    lpu_progress progress;
    lpu_sim_request q = {.model = &e->model,
                         .design = &e->design,
                         .is_stepped = o->is_stepped,
                         .is_unshared = o->is_stepped,
                         .timeline_path = o->timeline,
                         .progress = lpu_progress_show,
                         .user = &progress};

    lpu_trace *trace = NULL;

    memset(e, 0, sizeof(*e));
    *exit_code = LPU_EXIT_USAGE;
    lpu_status status = read_pass(e, o, &q, &trace, diag);
    if (!status) status = lpu_design_load(&e->design, design, diag);
    if (!status) status = load_prices(e, diag);
    if (status) {
        lpu_trace_close(&trace);
        return status;
    }

    *exit_code = LPU_EXIT_FAILED;
    snprintf(text, sizeof(text), "%s on %s", e->model.name, e->design.name);
    lpu_progress_init(&progress, text);
    status = lpu_simulate(&e->result, &q, diag);
    lpu_progress_end(&progress);
    lpu_trace_close(&trace);
    if (status) return status;
    e->system_pj = lpu_energy_system_pj(&e->prices, &e->result->counters, e->component_pj);
    e->paper_pj = paper_pj(e);
    *exit_code = LPU_EXIT_OK;
    return LPU_OK;
}

void lpu_evaluation_close(lpu_evaluation *e)
{
    lpu_simulate_close(&e->result);
}

double lpu_evaluation_op_pj(const lpu_evaluation *e, size_t op)
{
    double component_pj[LPU_COMPONENTS];
    return lpu_energy_system_pj(&e->prices, &e->result->ops[op].counters, component_pj);
}

static json_t *counters_json(const lpu_counters *c)
{
    json_t *object = json_object();
    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        json_object_set_new(object, lpu_counter_row(i)->name,
                            json_integer((json_int_t)lpu_counter_get(c, i)));
    }
    return object;
}

static json_t *ops_json(const lpu_evaluation *e)
{
    json_t *array = json_array();
    for (size_t i = 0; i < e->result->trace->count; i++) {
        const lpu_op *op = &e->result->trace->ops[i];
        const lpu_sim_op *r = &e->result->ops[i];
        json_t *object = json_pack(
            "{s:s s:i s:I s:I s:I s:I s:I s:I s:f}", "op", lpu_op_name(op->kind), "layer",
            (int)op->layer, "count", (json_int_t)op->count, "m", (json_int_t)op->m, "n",
            (json_int_t)op->n, "k", (json_int_t)op->k, "begin_cycles", (json_int_t)r->begin_cycles,
            "cycles", (json_int_t)r->cycles, "energy_pj", lpu_evaluation_op_pj(e, i));
        json_object_set_new(object, "counters", counters_json(&r->counters));
        json_array_append_new(array, object);
    }
    return array;
}

json_t *lpu_evaluation_json(const lpu_evaluation *e, bool with_ops)
{
    const lpu_sim_result *r = e->result;
    const double per_token = 1e-12 / (double)r->tokens;
    json_t *energy = json_object();

    for (int c = LPU_COMPONENT_none + 1; c < LPU_COMPONENTS; c++) {
        json_object_set_new(energy, lpu_component_name((lpu_component)c),
                            json_real(e->component_pj[c]));
    }
    json_t *object = json_pack(
        "{s:s s:s s:s s:I s:I s:I s:I s:f s:f s:{s:o s:f} s:o s:o s:I s:I s:I s:I s:f s:s s:s}",
        "model", e->model.name, "design", e->design.name, "phase",
        r->trace->phase == LPU_PHASE_DECODE ? "decode" : "prefill", "context",
        (json_int_t)r->trace->context, "batch", (json_int_t)r->trace->batch, "tokens",
        (json_int_t)r->tokens, "cycles", (json_int_t)r->cycles, "seconds", r->seconds,
        "tokens_per_s", r->tokens_per_s, "j_per_token", "paper",
        isnan(e->paper_pj) ? json_null() : json_real(e->paper_pj * per_token), "system",
        e->system_pj * per_token, "energy_pj", energy, "counters", counters_json(&r->counters),
        "chips", (json_int_t)r->chips, "weight_memory_bytes", (json_int_t)r->weight_memory_bytes,
        "kv_memory_bytes", (json_int_t)r->kv_memory_bytes, "stepped_cycles",
        (json_int_t)r->stepped_cycles, "wall_s", r->wall_s, "prices", e->design.price,
        "dram_prices", e->design.dram.price);
    if (with_ops) json_object_set_new(object, "ops", ops_json(e));
    return object;
}
