/* cli/report_write_ops.c - tables by model size and by operation: sizes, rooflines, the timeline.
 */
#include "cli/report_write.h"

#include <math.h>
#include <string.h>

/* ---- by model size ---- */

static void put_size(lpu_report_writer *w, const char *series, const char *weights,
                     const char *model, double size_b, double ms, double bytes)
{
    lpu_report_text(w, series);
    lpu_report_text(w, weights);
    lpu_report_text(w, model);
    lpu_report_number(w, size_b);
    lpu_report_number(w, ms);
    lpu_report_number(w, bytes);
}

static lpu_status write_model_size(const lpu_report_jobs *jobs, const char *out, lpu_diag *diag)
{
    static const char *const memories[] = {"edge", "hbm"};
    lpu_report_writer w;
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_model_size, diag);

    if (status) return status;
    for (int is_fp16 = 0; is_fp16 < 2; is_fp16++) {
        for (size_t s = 0; s < LPU_REPORT_SIZES; s++) {
            const lpu_report_size *p = &lpu_report_sizes[s];
            put_size(&w, "published", is_fp16 ? "fp16" : "ternary", p->model, p->size_b,
                     is_fp16 ? p->fp16_ms : p->ternary_ms,
                     1e9 * (is_fp16 ? p->fp16_gb : p->ternary_gb));
        }
    }
    for (size_t m = 0; m < 2; m++) {
        for (int is_fp16 = 0; is_fp16 < 2; is_fp16++) {
            for (size_t s = 0; s < LPU_REPORT_SIZES; s++) {
                const double size_b = lpu_report_sizes[s].size_b;
                const lpu_report_job *j =
                    lpu_report_find_size(jobs, memories[m], is_fp16, size_b, LPU_PHASE_DECODE);
                if (!j) continue;
                put_size(&w, memories[m], is_fp16 ? "fp16" : "ternary", j->model.name, size_b,
                         1e3 / j->result->tokens_per_s,
                         (double)(j->result->weight_memory_bytes + j->result->kv_memory_bytes));
            }
        }
    }
    return lpu_report_writer_commit(&w, diag);
}

/* The paper's ratio for a prompt, at the shape that its figure was computed for: 12 h^2 weights a
 * layer, of which the feed-forward network has 8 (three matrices of 8/3 h). */
static lpu_status paper_ratio(double *ratio, const lpu_report_size *size,
                              const lpu_paper_prices *paper, lpu_diag *diag)
{
    lpu_model m;
    const lpu_status status = lpu_model_load(&m, size->model, diag);

    if (status) return status;
    if (m.hidden_elems != size->drawn_hidden || m.layers != size->drawn_layers) {
        m.hidden_elems = size->drawn_hidden;
        m.ffn_elems = (8 * size->drawn_hidden + 1) / 3;
        m.layers = m.kv_layers = size->drawn_layers;
        m.head_elems = size->drawn_hidden / m.heads;
    }
    const double ternary_pj = lpu_energy_paper_pass_pj(paper, &m, LPU_REPORT_PROMPT);
    m.weights = LPU_WEIGHTS_FP16;
    *ratio = lpu_energy_paper_pass_pj(paper, &m, LPU_REPORT_PROMPT) / ternary_pj;
    return LPU_OK;
}

static lpu_status put_ratio(lpu_report_writer *w, const lpu_report_jobs *jobs,
                            const lpu_report_size *size, const lpu_paper_prices *paper,
                            lpu_diag *diag)
{
    double ratio;
    const lpu_report_job *t =
        lpu_report_find_size(jobs, "edge", false, size->size_b, LPU_PHASE_PREFILL);
    const lpu_report_job *f =
        lpu_report_find_size(jobs, "edge", true, size->size_b, LPU_PHASE_PREFILL);
    const lpu_status status = paper_ratio(&ratio, size, paper, diag);

    if (status) return status;
    lpu_report_text(w, size->model);
    lpu_report_number(w, size->size_b);
    lpu_report_number(w, size->energy_ratio);
    lpu_report_number(w, ratio);
    for (int s = 0; s < LPU_SCOPES; s++) {
        lpu_report_number(w, t && f ? lpu_report_scope_pj(f, (lpu_scope)s) /
                                          lpu_report_scope_pj(t, (lpu_scope)s)
                                    : NAN);
    }
    lpu_report_number(w, paper->mul_f16 + paper->add_f16);
    lpu_report_number(w, paper->add_i8);
    return LPU_OK;
}

lpu_status lpu_report_write_sizes(const lpu_report_jobs *jobs, const lpu_paper_prices *paper,
                                  const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    lpu_status status = write_model_size(jobs, out, diag);

    if (status) return status;
    status = lpu_report_writer_open(&w, out, LPU_REPORT_energy_ratio, diag);
    if (status) return status;
    for (size_t s = 0; s < LPU_REPORT_SIZES && !status; s++) {
        status = put_ratio(&w, jobs, &lpu_report_sizes[s], paper, diag);
    }
    if (!status) return lpu_report_writer_commit(&w, diag);
    lpu_report_writer_close(&w);
    return status;
}

/* ---- by operation ---- */

/* Every product of one kind, over all layers. */
static void put_roof(lpu_report_writer *w, const lpu_report_job *job, lpu_op_kind kind)
{
    const lpu_sim_result *r = job->result;
    const lpu_design *d = &job->design;
    const double clock_hz = 1e6 * d->clock_mhz;
    const bool is_resident = d->residence == LPU_WEIGHTS_ON_CHIP;
    double ops = 0, cycles = 0, bytes = 0;

    for (size_t i = 0; i < r->trace->count; i++) {
        if (r->trace->ops[i].kind != kind) continue;
        const lpu_counters *c = &r->ops[i].counters;
        ops += 2.0 * (double)r->trace->ops[i].macs;
        cycles += (double)r->ops[i].cycles;
        bytes += (double)(c->dram_read_bytes + c->dram_write_bytes + c->weight_sram_bytes);
    }
    if (ops <= 0 || cycles <= 0 || bytes <= 0) return;
    lpu_report_text(w, d->name);
    lpu_report_text(w, job->phase == LPU_PHASE_DECODE ? "decode" : "prefill");
    lpu_report_text(w, lpu_op_name(kind));
    lpu_report_number(w, ops / bytes);
    lpu_report_number(w, ops / (cycles / clock_hz));
    lpu_report_number(w, 2.0 * d->rows * d->cols * clock_hz);
    lpu_report_number(w, is_resident ? d->fill_bytes_per_cycle * clock_hz
                                     : lpu_dram_peak_bytes_per_s(&d->dram));
}

static lpu_status write_roofline(const lpu_report_jobs *jobs, const char *out, lpu_diag *diag)
{
    lpu_report_writer w;
    const lpu_status status = lpu_report_writer_open(&w, out, LPU_REPORT_roofline, diag);

    if (status) return status;
    for (size_t i = 0; i < jobs->count; i++) {
        const lpu_report_job *j = &jobs->job[i];
        if (!j->result || j->group != LPU_REPORT_DESIGN) continue;
        for (int kind = 0; kind < LPU_OP_KINDS; kind++) put_roof(&w, j, (lpu_op_kind)kind);
    }
    return lpu_report_writer_commit(&w, diag);
}

static const char *sort_of(const lpu_op *op)
{
    if (!lpu_op_is_product(op->kind)) return "vector";
    return op->operand == LPU_OPERAND_LINEAR ? "linear" : "attention";
}

/* A layer in the middle, where the memory has long been busy. */
static void put_layer(lpu_report_writer *w, const lpu_report_job *job)
{
    const lpu_sim_result *r = job->result;
    const int32_t layer = (int32_t)(job->model.layers / 2);
    const double cycles_per_us = job->design.clock_mhz;
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < r->trace->count; i++) {
        const lpu_op *op = &r->trace->ops[i];
        const lpu_sim_op *at = &r->ops[i];
        if (op->layer != layer) continue;
        if (first == UINT64_MAX) first = at->begin_cycles;
        lpu_report_text(w, job->design.name);
        lpu_report_text(w, lpu_op_name(op->kind));
        lpu_report_text(w, sort_of(op));
        lpu_report_number(w, (double)(at->begin_cycles - first) / cycles_per_us);
        lpu_report_number(w, (double)(at->begin_cycles + at->cycles - first) / cycles_per_us);
    }
}

lpu_status lpu_report_write_ops(const lpu_report_jobs *jobs, const char *out, lpu_diag *diag)
{
    static const char *const designs[] = {LPU_REPORT_TERNARY, LPU_REPORT_FP16};
    lpu_report_writer w;
    lpu_status status = write_roofline(jobs, out, diag);

    if (!status) status = lpu_report_writer_open(&w, out, LPU_REPORT_timeline, diag);
    if (status) return status;
    for (size_t d = 0; d < 2; d++) {
        const lpu_report_job *job =
            lpu_report_find(jobs, LPU_REPORT_DESIGN, designs[d], LPU_PHASE_DECODE);
        if (job) put_layer(&w, job);
    }
    return lpu_report_writer_commit(&w, diag);
}
