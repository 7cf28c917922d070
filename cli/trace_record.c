/* cli/trace_record.c - a text through the simulated machine, which counts what it sees. */
#include "cli/trace_record.h"

#include "cli/text.h"
#include "sim/session.h"
#include "workloads/gguf.h"
#include "workloads/tokenizer.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t tokens_default = 64;

/* What is assumed where no weights are known: absmean makes a weight 0 where |w| < mean |w| / 2,
 * which Gaussian weights are in 31 % of all cases (workloads/models). */
static const double linear_zero_share = 0.31;

typedef struct recorder {
    const lpu_trace_request *r;
    lpu_weights *weights;
    lpu_session *session;
    int32_t *ids;
    size_t count;
} recorder;

static lpu_status read_ids(recorder *c, const lpu_gguf *g, lpu_diag *diag)
{
    lpu_tokenizer *t;
    uint8_t *data = NULL;
    size_t bytes = c->r->prompt ? strlen(c->r->prompt) : 0;
    lpu_status status = lpu_tokenizer_load(&t, g, diag);

    if (status) return status;
    if (!c->r->prompt) status = lpu_text_load(&data, &bytes, c->r->text, diag);
    if (!status) {
        status = lpu_tokenizer_encode(t, data ? (char *)data : c->r->prompt, bytes, &c->ids,
                                      &c->count, diag);
    }
    free(data);
    lpu_tokenizer_close(&t);
    return status;
}

/* How many of the ids are run: at least two to decode, at most the context. */
static lpu_status cut_ids(recorder *c, lpu_diag *diag)
{
    const size_t context = c->weights->model.context_tokens;
    const size_t least = c->r->phase == LPU_PHASE_DECODE ? 2 : 1;
    const size_t wanted = c->r->tokens ? c->r->tokens : tokens_default;

    if (c->count > wanted) c->count = wanted;
    if (c->count >= least && c->count <= context) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found %zu tokens to record, expected %zu to %zu",
                    c->count, least, context);
}

static lpu_status open_session(recorder *c, lpu_diag *diag)
{
    lpu_design design;
    lpu_gguf *g;
    lpu_status status = lpu_design_load(&design, c->r->design, diag);

    if (!status) status = lpu_gguf_open(&g, c->r->model, diag);
    if (status) return status;
    status = lpu_weights_load(&c->weights, g, design.head_trits, 0, diag);
    if (!status) status = read_ids(c, g, diag);
    lpu_gguf_close(&g);
    if (!status) status = cut_ids(c, diag);
    if (status) return status;
    return lpu_session_open(&c->session, c->weights, &design, (uint32_t)c->count, diag);
}

static lpu_status run_ids(recorder *c, lpu_diag *diag)
{
    lpu_progress bar;
    int32_t next;
    lpu_status status = LPU_OK;

    if (c->r->phase == LPU_PHASE_PREFILL) {
        status = lpu_session_record(c->session, diag);
        return status ? status : lpu_session_run(c->session, c->ids, c->count, &next, diag);
    }
    lpu_progress_init(&bar, "recording");
    for (size_t i = 0; i < c->count && !status; i++) {
        if (i == 1) status = lpu_session_record(c->session, diag);
        if (!status) status = lpu_session_run(c->session, &c->ids[i], 1, &next, diag);
        lpu_progress_show(&bar, (double)(i + 1) / (double)c->count);
    }
    lpu_progress_end(&bar);
    return status;
}

/* The same pass from its shapes, with the measured shares copied into one of the two. */
static lpu_status make_traces(recorder *c, lpu_trace **recorded, lpu_trace **assumed,
                              lpu_diag *diag)
{
    const lpu_trace *from = lpu_session_trace(c->session);
    lpu_trace **const both[] = {recorded, assumed};
    lpu_status status = LPU_OK;

    for (int i = 0; i < 2 && !status; i++) {
        status = lpu_trace_open(both[i], &from->model, from->phase, from->tokens, from->context, 1,
                                diag);
    }
    for (size_t i = 0; i < from->count && !status; i++) {
        lpu_op *op = &(*assumed)->ops[i];
        (*recorded)->ops[i] = from->ops[i];
        if (op->operand == LPU_OPERAND_LINEAR) op->zero_weight_share = linear_zero_share;
    }
    return status;
}

lpu_status lpu_trace_record(lpu_trace **recorded, lpu_trace **assumed, const lpu_trace_request *r,
                            lpu_diag *diag)
{
    recorder c = {.r = r};

    *recorded = *assumed = NULL;
    lpu_status status = open_session(&c, diag);
    if (!status) status = run_ids(&c, diag);
    if (!status) status = make_traces(&c, recorded, assumed, diag);
    lpu_session_close(&c.session);
    lpu_weights_close(&c.weights);
    free(c.ids);
    return status;
}

/* ---- measured beside assumed ---- */

bool lpu_trace_shares_of(lpu_trace_shares *shares, const lpu_trace *t, lpu_op_kind kind)
{
    double all_weights = 0, all_inputs = 0;

    *shares = (lpu_trace_shares){0};
    for (size_t i = 0; i < t->count && lpu_op_is_product(kind); i++) {
        const lpu_op *op = &t->ops[i];
        const double weights = (double)op->weight_elems;
        const double inputs = (double)op->count * (double)op->m * (double)op->k;
        if (op->kind != kind) continue;
        all_weights += weights;
        all_inputs += inputs;
        shares->zero_digits += weights * op->zero_weight_share;
        shares->zero_inputs += inputs * op->zero_input_share;
        shares->toggles += inputs * op->toggle_share;
    }
    if (!(all_inputs > 0)) return false;
    shares->zero_digits /= all_weights;
    shares->zero_inputs /= all_inputs;
    shares->toggles /= all_inputs;
    return true;
}

void lpu_trace_print_measured(const lpu_trace *recorded, const lpu_trace *assumed)
{
    static const char *const heads[] = {"operation", "zero digits",      "assumed", "zero inputs",
                                        "assumed",   "bits that change", "assumed"};
    lpu_table *t = lpu_table_open(7, heads);

    for (int kind = 0; kind < LPU_OP_KINDS; kind++) {
        lpu_trace_shares a, b;
        if (!lpu_trace_shares_of(&a, recorded, (lpu_op_kind)kind)) continue;
        lpu_trace_shares_of(&b, assumed, (lpu_op_kind)kind);
        lpu_table_cell(t, "%s", lpu_op_name((lpu_op_kind)kind));
        lpu_table_cell(t, "%.3f", a.zero_digits);
        lpu_table_cell(t, "%.3f", b.zero_digits);
        lpu_table_cell(t, "%.3f", a.zero_inputs);
        lpu_table_cell(t, "%.3f", b.zero_inputs);
        lpu_table_cell(t, "%.3f", a.toggles);
        lpu_table_cell(t, "%.3f", b.toggles);
    }
    printf("\nmeasured on the simulated machine, beside what a trace of shapes assumes:\n\n");
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

json_t *lpu_trace_measured_json(const lpu_trace *recorded, const lpu_trace *assumed)
{
    json_t *array = json_array();

    for (int kind = 0; kind < LPU_OP_KINDS; kind++) {
        lpu_trace_shares a, b;
        if (!lpu_trace_shares_of(&a, recorded, (lpu_op_kind)kind)) continue;
        lpu_trace_shares_of(&b, assumed, (lpu_op_kind)kind);
        json_array_append_new(
            array,
            json_pack("{s:s s:f s:f s:f s:f s:f s:f}", "operation", lpu_op_name((lpu_op_kind)kind),
                      "zero_weight_share", a.zero_digits, "assumed_zero_weight_share",
                      b.zero_digits, "zero_input_share", a.zero_inputs, "assumed_zero_input_share",
                      b.zero_inputs, "toggle_share", a.toggles, "assumed_toggle_share", b.toggles));
    }
    return array;
}
