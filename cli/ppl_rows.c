/* cli/ppl_rows.c - a text, read once, through a list of backends and trits. */
#include "cli/ppl_rows.h"

#include "cli/text.h"
#include "sim/simulate.h"
#include "workloads/gguf.h"
#include "workloads/ternary.h"

#include <math.h>
#include <stdlib.h>

typedef struct work {
    const lpu_ppl_request *q;
    lpu_ppl_rows *out;
    lpu_gguf *file;
    lpu_tokenizer *tokenizer;
    lpu_ppl_text text;
    lpu_progress progress;
} work;

/* ---- the text ---- */

static lpu_status read_text(work *w, lpu_diag *diag)
{
    uint8_t *data;
    size_t bytes;
    lpu_status status = lpu_tokenizer_load(&w->tokenizer, w->file, diag);

    if (status) return status;
    status = lpu_text_load(&data, &bytes, w->q->text, diag);
    if (!status) {
        status =
            lpu_tokenizer_encode(w->tokenizer, data, bytes, &w->text.ids, &w->text.count, diag);
    }
    free(data);
    if (w->q->tokens && w->q->tokens < w->text.count) w->text.count = w->q->tokens;
    w->text.tokenizer = w->tokenizer;
    w->text.bos = lpu_tokenizer_adds_bos(w->tokenizer) ? lpu_tokenizer_bos(w->tokenizer) : -1;
    return status;
}

/* ---- one row ---- */

static lpu_status check_window(work *w, const lpu_model *m, lpu_diag *diag)
{
    const uint32_t most = m->context_tokens - (w->text.bos >= 0);

    w->out->context = w->q->context ? w->q->context : most;
    if (w->out->context >= 2 && w->out->context <= most && w->q->skip + 2 <= w->out->context)
        return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE,
                    "found --context %u and --skip %u, expected 2 to %u, and a skip of at most "
                    "--context - 2",
                    w->out->context, w->q->skip, most);
}

/* What a token costs on a design, half of the window in its cache: the average of a text. */
static lpu_status price_token(lpu_ppl_row *r, const lpu_model *m, lpu_design *d, uint32_t context,
                              lpu_diag *diag)
{
    const lpu_sim_request request = {.model = m,
                                     .design = d,
                                     .phase = LPU_PHASE_DECODE,
                                     .tokens = 1,
                                     .context = context / 2,
                                     .batch = 1};
    double component_pj[LPU_COMPONENTS];
    lpu_sim_result *result;
    lpu_prices prices;
    lpu_status status = lpu_prices_load(&prices, d->price, d->dram.price, diag);

    if (status) return status;
    if (r->kv_trits) d->kv_trits = r->kv_trits;
    if (r->head_trits) d->head_trits = r->head_trits;
    status = lpu_simulate(&result, &request, diag);
    if (status) return status;
    r->pj_per_token = lpu_energy_system_pj(&prices, &result->counters, component_pj);
    snprintf(r->design, sizeof(r->design), "%s", d->name);
    lpu_simulate_close(&result);
    return LPU_OK;
}

/* The energy of what was run, where the backend is a machine; else of the design of that row. */
static lpu_status price_row(const work *w, lpu_ppl_row *r, const lpu_backend *b, const lpu_model *m,
                            lpu_design *d, lpu_diag *diag)
{
    double component_pj[LPU_COMPONENTS];
    lpu_prices prices;

    if (!b->is_modelled)
        return !w->q->backend ? price_token(r, m, d, w->out->context, diag) : LPU_OK;
    lpu_status status = lpu_prices_load(&prices, d->price, d->dram.price, diag);
    if (status) return status;
    r->pj_per_token = lpu_energy_system_pj(&prices, &r->result.counters, component_pj) /
                      (double)r->result.run_tokens;
    snprintf(r->design, sizeof(r->design), "%s", d->name);
    return LPU_OK;
}

static lpu_status measure_row(work *w, const lpu_backend *b, uint32_t kv_trits, uint32_t head_trits,
                              double done_before, double share_here, lpu_diag *diag)
{
    const lpu_ppl_request *q = w->q;
    const char *name = q->design ? q->design : b->has_trits ? "ternary-edge" : "fp16-mac";
    lpu_ppl_row *r = &w->out->rows[w->out->count];
    lpu_weights *weights = NULL;
    lpu_design design;
    lpu_status status = lpu_design_load(&design, name, diag);

    if (!status && b->has_trits && design.lane != LPU_LANE_ADD) {
        status = lpu_fail(diag, LPU_ERR_RANGE,
                          "found --design %s, which has multipliers, expected a design that adds "
                          "trits, as ternary-edge",
                          design.name);
    }
    if (b->is_modelled && !status) {
        if (!kv_trits) kv_trits = design.kv_trits;
        if (!head_trits) head_trits = design.head_trits;
        design.kv_trits = kv_trits;
        design.head_trits = head_trits;
    }
    if (!kv_trits) kv_trits = LPU_TRITS_MAX;
    if (!head_trits) head_trits = LPU_TRITS_MAX;
    if (!status) status = lpu_weights_load(&weights, w->file, head_trits, 0, diag);
    if (!status) status = check_window(w, &weights->model, diag);
    if (!status) {
        const lpu_ppl_job job = {.weights = weights,
                                 .backend = b,
                                 .design = &design,
                                 .kv_trits = kv_trits,
                                 .context = w->out->context,
                                 .skip = q->skip,
                                 .threads = q->threads,
                                 .progress = &w->progress,
                                 .done_before = done_before,
                                 .share_here = share_here};
        r->backend = b->name;
        r->kv_trits = b->has_trits ? kv_trits : 0;
        r->head_trits = b->has_trits ? head_trits : 0;
        snprintf(w->out->model, sizeof(w->out->model), "%s", weights->model.name);
        status = lpu_ppl_measure(&r->result, &job, &w->text, diag);
    }
    if (!status) status = price_row(w, r, b, &weights->model, &design, diag);
    if (!status) w->out->count++;
    lpu_weights_close(&weights);
    return status;
}

/* ---- the sweep ---- */

/* The cache by its trits, then the head, then both at their least; FP16 first, to compare with. */
static lpu_status run_sweep(work *w, lpu_diag *diag)
{
    static const struct {
        const char *backend;
        uint32_t kv_trits, head_trits;
    } plan[] = {{"fp16", 0, 0}, {"cpu", 5, 5}, {"cpu", 4, 5}, {"cpu", 3, 5},
                {"cpu", 2, 5},  {"cpu", 5, 4}, {"cpu", 5, 3}, {"cpu", 2, 3}};
    const size_t count = sizeof(plan) / sizeof(plan[0]);
    lpu_status status = LPU_OK;

    for (size_t i = 0; i < count && !status; i++) {
        status =
            measure_row(w, lpu_backend_named(plan[i].backend), plan[i].kv_trits, plan[i].head_trits,
                        (double)i / (double)count, 1 / (double)count, diag);
    }
    return status;
}

/* ---- the list ---- */

lpu_status lpu_ppl_rows_run(lpu_ppl_rows *rows, const lpu_ppl_request *q, lpu_diag *diag)
{
    work w = {.q = q, .out = rows};

    *rows = (lpu_ppl_rows){.is_sweep = !q->backend};
    lpu_status status = lpu_gguf_open(&w.file, q->model, diag);
    if (!status) status = read_text(&w, diag);
    if (!status) {
        lpu_progress_init(&w.progress, q->backend ? q->backend->name : "perplexity by trits");
        status = q->backend ? measure_row(&w, q->backend, q->kv_trits, q->head_trits, 0, 1, diag)
                            : run_sweep(&w, diag);
        lpu_progress_end(&w.progress);
    }
    free(w.text.ids);
    lpu_tokenizer_close(&w.tokenizer);
    lpu_gguf_close(&w.file);
    return status;
}

double lpu_ppl_excess_percent(const lpu_ppl_rows *rows, size_t row)
{
    if (!rows->is_sweep) return NAN;
    return 100 * (lpu_ppl_loss(&rows->rows[row].result) / lpu_ppl_loss(&rows->rows[0].result) - 1);
}
