/* cli/report_trained.c - the shipped model in the report: perplexity, and real statistics. */
#include "cli/ppl_rows.h"
#include "cli/report_measure.h"
#include "cli/report_table.h"
#include "cli/trace_record.h"
#include "sim/simulate.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static const char design_name[] = "ternary-edge";

/* ---- perplexity ---- */

static void put_row(lpu_report_writer *w, const lpu_ppl_rows *rows, size_t i)
{
    const lpu_ppl_row *r = &rows->rows[i];
    const double loss = lpu_ppl_loss(&r->result);

    lpu_report_text(w, r->backend);
    lpu_report_number(w, r->kv_trits);
    lpu_report_number(w, r->head_trits);
    lpu_report_number(w, (double)r->result.tokens);
    lpu_report_number(w, loss);
    lpu_report_number(w, exp(loss));
    lpu_report_number(w, lpu_ppl_bits_per_byte(&r->result));
    lpu_report_number(w, lpu_ppl_excess_percent(rows, i));
    lpu_report_text(w, r->design);
    lpu_report_number(w, r->pj_per_token);
}

static lpu_status write_ppl(lpu_report_trained *t, const char *model, const char *text,
                            const char *out, bool is_quick, lpu_diag *diag)
{
    const lpu_ppl_request request = {
        .model = model, .text = text, .tokens = is_quick ? 256 : 0, .threads = 1};
    lpu_report_writer w;
    lpu_ppl_rows rows = {0};
    lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_ppl, diag);

    if (status) return status;
    if (!t->is_absent) status = lpu_ppl_rows_run(&rows, &request, diag);
    for (size_t i = 0; i < rows.count && !status; i++) put_row(&w, &rows, i);
    if (!status) status = lpu_report_writer_commit(&w, diag);
    lpu_report_writer_close(&w);
    if (status || t->is_absent) return status;
    snprintf(t->name, sizeof(t->name), "%s", rows.model);
    t->tokens = rows.rows[0].result.tokens;
    t->fp16_perplexity = exp(lpu_ppl_loss(&rows.rows[0].result));
    t->perplexity = exp(lpu_ppl_loss(&rows.rows[1].result));
    return LPU_OK;
}

/* ---- statistics ---- */

/* A pass of a trace, simulated and priced. */
typedef struct priced {
    lpu_trace *trace;
    lpu_sim_result *result;
    double arithmetic_pj[LPU_OP_KINDS]; /* by kind of operation */
    double all_arithmetic_pj, system_pj;
} priced;

static lpu_status price(priced *p, const lpu_design *design, lpu_diag *diag)
{
    const lpu_sim_request request = {.design = design, .trace = p->trace};
    double component_pj[LPU_COMPONENTS];
    lpu_prices prices;
    lpu_status status = lpu_prices_load(&prices, design->price, design->dram.price, diag);

    if (!status) status = lpu_simulate(&p->result, &request, diag);
    if (status) return status;
    p->system_pj = lpu_energy_system_pj(&prices, &p->result->counters, component_pj);
    p->all_arithmetic_pj = component_pj[LPU_COMPONENT_arithmetic];
    for (size_t i = 0; i < p->trace->count; i++) {
        lpu_energy_system_pj(&prices, &p->result->ops[i].counters, component_pj);
        p->arithmetic_pj[p->trace->ops[i].kind] += component_pj[LPU_COMPONENT_arithmetic];
    }
    return LPU_OK;
}

/* Four decimals of a share. */
static void put_share(lpu_report_writer *w, double share)
{
    lpu_report_number(w, round(1e4 * share) / 1e4);
}

static void put_shares(lpu_report_writer *w, const priced *recorded, const priced *assumed)
{
    for (int kind = 0; kind < LPU_OP_KINDS; kind++) {
        lpu_trace_shares a, b;
        if (!lpu_trace_shares_of(&a, recorded->trace, (lpu_op_kind)kind)) continue;
        lpu_trace_shares_of(&b, assumed->trace, (lpu_op_kind)kind);
        lpu_report_text(w, lpu_op_name((lpu_op_kind)kind));
        put_share(w, a.zero_digits);
        put_share(w, b.zero_digits);
        put_share(w, a.zero_inputs);
        put_share(w, b.zero_inputs);
        put_share(w, a.toggles);
        put_share(w, b.toggles);
        lpu_report_number(w, recorded->arithmetic_pj[kind] / 1e3);
        lpu_report_number(w, assumed->arithmetic_pj[kind] / 1e3);
    }
}

static lpu_status write_recorded(lpu_report_trained *t, const char *model, const char *text,
                                 const char *out, bool is_quick, lpu_diag *diag)
{
    const lpu_trace_request request = {.model = model,
                                       .text = text,
                                       .design = design_name,
                                       .phase = LPU_PHASE_DECODE,
                                       .tokens = is_quick ? 24 : 200};
    priced recorded = {0}, assumed = {0};
    lpu_report_writer w;
    lpu_design design;
    lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_recorded, diag);

    if (status) return status;
    if (!t->is_absent) {
        status = lpu_design_load(&design, design_name, diag);
        if (!status) status = lpu_trace_record(&recorded.trace, &assumed.trace, &request, diag);
        if (!status) status = price(&recorded, &design, diag);
        if (!status) status = price(&assumed, &design, diag);
        if (!status) put_shares(&w, &recorded, &assumed);
    }
    if (!status) status = lpu_report_writer_commit(&w, diag);
    t->arithmetic_share_of_assumed = recorded.all_arithmetic_pj / assumed.all_arithmetic_pj;
    t->system_share_of_assumed = recorded.system_pj / assumed.system_pj;
    lpu_report_writer_close(&w);
    lpu_simulate_close(&recorded.result);
    lpu_simulate_close(&assumed.result);
    lpu_trace_close(&recorded.trace);
    lpu_trace_close(&assumed.trace);
    return status;
}

lpu_status lpu_report_trained_run(lpu_report_trained *t, const char *home, const char *out,
                                  bool is_quick, lpu_diag *diag)
{
    char model[4200], text[4200];

    snprintf(model, sizeof(model), "%s/workloads/shipped/setun-4m.gguf", home);
    snprintf(text, sizeof(text), "%s/workloads/shipped/sample.txt", home);
    *t = (lpu_report_trained){.is_absent = access(model, R_OK) || access(text, R_OK)};
    const lpu_status status = write_ppl(t, model, text, out, is_quick, diag);
    return status ? status : write_recorded(t, model, text, out, is_quick, diag);
}
