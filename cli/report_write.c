/* cli/report_write.c - tables by design: results, components, scopes, batch, machines, prices. */
#include "cli/report_write.h"

#include <math.h>
#include <string.h>

static const char *phase_name(lpu_phase phase)
{
    return phase == LPU_PHASE_DECODE ? "decode" : "prefill";
}

double lpu_report_op_ratio(const lpu_paper_prices *paper)
{
    return (paper->mul_f16 + paper->add_f16) / paper->add_i8;
}

double lpu_report_paper_pj(const lpu_report_job *job, const lpu_paper_prices *paper)
{
    if (job->design.lane == LPU_LANE_MAC_I4 || job->design.lane == LPU_LANE_MAC_I8) return NAN;
    return lpu_energy_paper_trace_pj(paper, job->result->trace, NULL) / (double)job->result->tokens;
}

double lpu_report_scope_pj(const lpu_report_job *job, lpu_scope scope)
{
    return lpu_energy_scope_pj(job->component_pj, scope);
}

lpu_component lpu_report_dominant(const lpu_report_job *job, double *share)
{
    lpu_component most = LPU_COMPONENT_arithmetic;

    for (int c = LPU_COMPONENT_arithmetic; c < LPU_COMPONENTS; c++) {
        if (job->component_pj[c] > job->component_pj[most]) most = (lpu_component)c;
    }
    *share = job->component_pj[most] / job->system_pj;
    return most;
}

/* ---- results, components ---- */

static void put_result(lpu_report_writer *w, const lpu_report_job *job,
                       const lpu_paper_prices *paper)
{
    const lpu_sim_result *r = job->result;
    double share;
    const lpu_component most = lpu_report_dominant(job, &share);

    lpu_report_text(w, job->design.name);
    lpu_report_text(w, job->model.name);
    lpu_report_text(w, phase_name(job->phase));
    lpu_report_number(w, 1e3 * r->seconds);
    lpu_report_number(w, r->tokens_per_s);
    lpu_report_number(w, job->system_pj);
    lpu_report_number(w, lpu_report_scope_pj(job, LPU_SCOPE_CORE));
    lpu_report_number(w, lpu_report_scope_pj(job, LPU_SCOPE_DATAPATH));
    lpu_report_number(w, lpu_report_paper_pj(job, paper));
    lpu_report_text(w, lpu_component_name(most));
    lpu_report_number(w, 100 * share);
    lpu_report_number(w, r->chips);
    lpu_report_number(w, (double)r->weight_memory_bytes);
    lpu_report_number(w, (double)r->kv_memory_bytes);
    lpu_report_number(w, r->wall_s);
}

static lpu_status write_results(const lpu_report_jobs *jobs, const lpu_paper_prices *paper,
                                const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_results, diag);

    if (status) return status;
    for (int phase = 0; phase < 2; phase++) {
        for (size_t i = 0; i < jobs->count; i++) {
            const lpu_report_job *j = &jobs->job[i];
            if (!j->result || j->group != LPU_REPORT_DESIGN) continue;
            if ((j->phase == LPU_PHASE_PREFILL) == (phase == 1)) put_result(&w, j, paper);
        }
    }
    return lpu_report_writer_commit(&w, diag);
}

static lpu_status write_components(const lpu_report_jobs *jobs, const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_energy_components, diag);

    if (status) return status;
    for (size_t i = 0; i < jobs->count; i++) {
        const lpu_report_job *j = &jobs->job[i];
        if (!j->result || j->group != LPU_REPORT_DESIGN || j->phase != LPU_PHASE_DECODE) continue;
        lpu_report_text(&w, j->design.name);
        lpu_report_text(&w, j->model.name);
        for (int c = LPU_COMPONENT_arithmetic; c < LPU_COMPONENTS; c++) {
            lpu_report_number(&w, j->component_pj[c]);
        }
        lpu_report_number(&w, j->system_pj);
    }
    return lpu_report_writer_commit(&w, diag);
}

/* ---- scopes ---- */

static void put_scope(lpu_report_writer *w, lpu_phase phase, const char *scope, const char *method,
                      double ternary_pj, double fp16_pj)
{
    lpu_report_text(w, phase_name(phase));
    lpu_report_text(w, scope);
    lpu_report_text(w, method);
    lpu_report_number(w, ternary_pj);
    lpu_report_number(w, fp16_pj);
    lpu_report_number(w, fp16_pj / ternary_pj);
}

static lpu_status write_scopes(const lpu_report_jobs *jobs, const lpu_paper_prices *paper,
                               const char *out, lpu_diag *diag)
{
    static const lpu_phase phases[] = {LPU_PHASE_DECODE, LPU_PHASE_PREFILL};
    lpu_report_writer w;
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_scopes, diag);

    if (status) return status;
    for (size_t p = 0; p < 2; p++) {
        const lpu_phase phase = phases[p];
        const lpu_report_job *t =
            lpu_report_find(jobs, LPU_REPORT_DESIGN, LPU_REPORT_TERNARY, phase);
        const lpu_report_job *f = lpu_report_find(jobs, LPU_REPORT_DESIGN, LPU_REPORT_FP16, phase);
        if (!t || !f) continue;

        /* One operation has no tokens: its row has a ratio alone. */
        lpu_report_text(&w, phase_name(phase));
        lpu_report_text(&w, "one operation");
        lpu_report_text(&w, "paper");
        lpu_report_text(&w, "-");
        lpu_report_text(&w, "-");
        lpu_report_number(&w, lpu_report_op_ratio(paper));
        put_scope(&w, phase, "arithmetic of the pass", "paper", lpu_report_paper_pj(t, paper),
                  lpu_report_paper_pj(f, paper));
        for (int s = 0; s < LPU_SCOPES; s++) {
            put_scope(&w, phase, lpu_scope_name((lpu_scope)s), "system",
                      lpu_report_scope_pj(t, (lpu_scope)s), lpu_report_scope_pj(f, (lpu_scope)s));
        }
    }
    return lpu_report_writer_commit(&w, diag);
}

/* ---- batch ---- */

static lpu_status write_batch(const lpu_report_jobs *jobs, const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_batch, diag);

    if (status) return status;
    for (size_t i = 0; i < jobs->count; i++) {
        const lpu_report_job *j = &jobs->job[i];
        if (!j->result || j->group == LPU_REPORT_SIZE || j->phase != LPU_PHASE_DECODE) continue;
        lpu_report_text(&w, j->design.name);
        lpu_report_number(&w, j->batch);
        lpu_report_number(&w, j->result->tokens_per_s);
    }
    return lpu_report_writer_commit(&w, diag);
}

/* ---- machines ---- */

static lpu_status write_designs(const lpu_report_jobs *jobs, const char *out, lpu_diag *diag)
{
    static const char *const lanes[] = {
        [LPU_LANE_ADD] = "add or subtract",
        [LPU_LANE_MAC_I4] = "INT4 x INT8",
        [LPU_LANE_MAC_I8] = "INT8 x INT8",
        [LPU_LANE_MAC_F16] = "FP16 x FP16",
    };
    lpu_report_writer w;
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_designs, diag);

    if (status) return status;
    for (size_t i = 0; i < jobs->count; i++) {
        const lpu_design *d = &jobs->job[i].design;
        if (jobs->job[i].group != LPU_REPORT_DESIGN || jobs->job[i].phase != LPU_PHASE_DECODE) {
            continue;
        }
        lpu_report_text(&w, d->name);
        lpu_report_text(&w, d->title);
        lpu_report_text(&w, lanes[d->lane]);
        lpu_report_number(&w, d->clock_mhz);
        lpu_report_number(&w, d->rows);
        lpu_report_number(&w, d->cols);
        lpu_report_number(&w, lpu_design_weight_decibits(d) / 10.0);
        lpu_report_text(&w, d->dram_name);
        lpu_report_number(&w, lpu_dram_peak_bytes_per_s(&d->dram));
        lpu_report_text(&w, d->price);
        lpu_report_text(&w, d->source);
    }
    return lpu_report_writer_commit(&w, diag);
}

/* ---- prices ---- */

static void put_price(lpu_report_writer *w, const char *table, const char *counter,
                      const char *what, double pj_each, const char *source)
{
    lpu_report_text(w, table);
    lpu_report_text(w, counter);
    lpu_report_text(w, what);
    lpu_report_number(w, pj_each);
    lpu_report_text(w, source);
}

static void put_prices(lpu_report_writer *w, const lpu_prices *p, bool is_dram)
{
    for (size_t i = 0; i < LPU_COUNTERS; i++) {
        const lpu_counter_info *row = lpu_counter_row(i);
        const lpu_price *price = &p->of[i];
        char source[300];

        if (row->component == LPU_COMPONENT_none) continue;
        if ((row->component == LPU_COMPONENT_dram) != is_dram) continue;
        snprintf(source, sizeof(source), "%s%s", price->is_free ? "free: " : "", price->source);
        put_price(w, is_dram ? p->dram : p->logic, row->name, row->text,
                  price->is_free ? 0 : price->pj_each, source);
    }
}

/* True when an earlier pass has used the same table. */
static bool is_told(const lpu_report_jobs *jobs, size_t before, const char *name, bool is_dram)
{
    for (size_t i = 0; i < before; i++) {
        const lpu_report_job *j = &jobs->job[i];
        if (j->result && !strcmp(is_dram ? j->prices.dram : j->prices.logic, name)) return true;
    }
    return false;
}

static lpu_status write_prices(const lpu_report_jobs *jobs, const lpu_paper_prices *paper,
                               const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    char table[80];
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_prices, diag);

    if (status) return status;
    const struct {
        const char *name, *text;
        double pj;
    } rows[] = {
        {"mul_f16", "an FP16 multiplication", paper->mul_f16},
        {"add_f16", "an FP16 addition", paper->add_f16},
        {"mul_i8", "an INT8 multiplication", paper->mul_i8},
        {"add_i8", "an INT8 addition", paper->add_i8},
    };
    snprintf(table, sizeof(table), "paper-%s", paper->node);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        put_price(&w, table, rows[i].name, rows[i].text, rows[i].pj, paper->source);
    }
    for (int is_dram = 0; is_dram < 2; is_dram++) {
        for (size_t i = 0; i < jobs->count; i++) {
            const lpu_report_job *j = &jobs->job[i];
            if (!j->result) continue;
            if (is_told(jobs, i, is_dram ? j->prices.dram : j->prices.logic, is_dram)) continue;
            put_prices(&w, &j->prices, is_dram);
        }
    }
    return lpu_report_writer_commit(&w, diag);
}

/* ---- what was not run ---- */

static lpu_status write_skipped(const lpu_report_jobs *jobs, const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_skipped, diag);

    if (status) return status;
    for (size_t i = 0; i < jobs->count; i++) {
        const lpu_report_job *j = &jobs->job[i];
        char what[256];

        if (j->result) continue;
        snprintf(what, sizeof(what), "%s on %s, %s, batch %u", j->model.name, j->design.name,
                 phase_name(j->phase), j->batch);
        lpu_report_text(&w, what);
        lpu_report_text(&w, j->diag.text);
    }
    return lpu_report_writer_commit(&w, diag);
}

lpu_status lpu_report_write(const lpu_report_jobs *jobs, const lpu_paper_prices *paper,
                            const char *out, lpu_diag *diag)
{
    lpu_status status = write_results(jobs, paper, out, diag);

    if (!status) status = write_components(jobs, out, diag);
    if (!status) status = write_scopes(jobs, paper, out, diag);
    if (!status) status = write_batch(jobs, out, diag);
    if (!status) status = write_designs(jobs, out, diag);
    if (!status) status = write_prices(jobs, paper, out, diag);
    if (!status) status = write_skipped(jobs, out, diag);
    if (!status) status = lpu_report_write_sizes(jobs, paper, out, diag);
    if (!status) status = lpu_report_write_ops(jobs, out, diag);
    return status;
}
