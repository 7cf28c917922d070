/* cli/ppl.c - lpu ppl: perplexity of a model on a text; with --sweep by trits of cache and head. */
#include "cli/ppl_measure.h"

#include "cli/text.h"
#include "sim/simulate.h"
#include "workloads/gguf.h"
#include "workloads/output.h"
#include "workloads/ternary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 16 };

typedef struct options {
    const char *model, *text, *backend, *design, *tsv;
    uint32_t tokens, context, skip, kv_trits, head_trits, threads; /* 0: not given */
    bool is_sweep, is_json;
} options;

/* One line of the table: what ran, how well, and what a token of it costs. */
typedef struct row {
    const char *backend;
    uint32_t kv_trits, head_trits; /* 0: halves */
    lpu_ppl_result result;
    char design[64]; /* whose energy it is; "" where none was modelled */
    double pj_per_token;
} row;

typedef struct work {
    const options *o;
    lpu_gguf *file;
    lpu_tokenizer *tokenizer;
    lpu_ppl_text text;
    uint32_t context; /* tokens of a window */
    char model[64];
    row rows[ROWS_MAX];
    size_t row_count;
    lpu_progress progress;
} work;

/* ---- the text ---- */

static lpu_status read_text(work *w, lpu_diag *diag)
{
    uint8_t *data;
    size_t bytes;
    lpu_status status = lpu_tokenizer_load(&w->tokenizer, w->file, diag);

    if (status) return status;
    status = lpu_text_load(&data, &bytes, w->o->text, diag);
    if (!status) {
        status =
            lpu_tokenizer_encode(w->tokenizer, data, bytes, &w->text.ids, &w->text.count, diag);
    }
    free(data);
    if (w->o->tokens && w->o->tokens < w->text.count) w->text.count = w->o->tokens;
    w->text.tokenizer = w->tokenizer;
    w->text.bos = lpu_tokenizer_adds_bos(w->tokenizer) ? lpu_tokenizer_bos(w->tokenizer) : -1;
    return status;
}

/* ---- one row ---- */

static lpu_status check_window(work *w, const lpu_model *m, lpu_diag *diag)
{
    const uint32_t most = m->context_tokens - (w->text.bos >= 0);

    w->context = w->o->context ? w->o->context : most;
    if (w->context >= 2 && w->context <= most && w->o->skip + 2 <= w->context) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE,
                    "found --context %u and --skip %u, expected 2 to %u, and a skip of at most "
                    "--context - 2",
                    w->context, w->o->skip, most);
}

/* What a token costs on a design, half of the window in its cache: the average of a text. */
static lpu_status price_token(row *r, const lpu_model *m, lpu_design *d, uint32_t context,
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
static lpu_status price_row(const work *w, row *r, const lpu_backend *b, const lpu_model *m,
                            lpu_design *d, lpu_diag *diag)
{
    double component_pj[LPU_COMPONENTS];
    lpu_prices prices;

    if (!b->is_modelled) return w->o->is_sweep ? price_token(r, m, d, w->context, diag) : LPU_OK;
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
    const options *o = w->o;
    const char *name = o->design ? o->design : b->has_trits ? "ternary-edge" : "fp16-mac";
    row *r = &w->rows[w->row_count];
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
                                 .context = w->context,
                                 .skip = o->skip,
                                 .threads = o->threads,
                                 .progress = &w->progress,
                                 .done_before = done_before,
                                 .share_here = share_here};
        r->backend = b->name;
        r->kv_trits = b->has_trits ? kv_trits : 0;
        r->head_trits = b->has_trits ? head_trits : 0;
        snprintf(w->model, sizeof(w->model), "%s", weights->model.name);
        status = lpu_ppl_measure(&r->result, &job, &w->text, diag);
    }
    if (!status) status = price_row(w, r, b, &weights->model, &design, diag);
    if (!status) w->row_count++;
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

/* ---- results ---- */

/* Of the loss of the FP16 row, in percent; NAN where there is none. */
static double excess_of(const work *w, const row *r)
{
    if (!w->o->is_sweep) return NAN;
    return 100 * (lpu_ppl_loss(&r->result) / lpu_ppl_loss(&w->rows[0].result) - 1);
}

static void print_table(const work *w)
{
    static const char *const heads[] = {"backend",          "KV trits",         "head trits",
                                        "nats/token",       "perplexity",       "bits per byte",
                                        "loss over fp16 %", "energy per token", "design"};
    lpu_table *t = lpu_table_open(9, heads);
    char si[32];

    for (size_t i = 0; i < w->row_count; i++) {
        const row *r = &w->rows[i];
        const double loss = lpu_ppl_loss(&r->result), excess = excess_of(w, r);
        lpu_table_cell(t, "%s", r->backend);
        if (r->kv_trits) lpu_table_cell(t, "%u", r->kv_trits);
        else lpu_table_cell(t, "-");
        if (r->head_trits) lpu_table_cell(t, "%u", r->head_trits);
        else lpu_table_cell(t, "-");
        lpu_table_cell(t, "%.4f", loss);
        lpu_table_cell(t, "%.3f", exp(loss));
        lpu_table_cell(t, "%.4f", lpu_ppl_bits_per_byte(&r->result));
        if (isnan(excess)) lpu_table_cell(t, "-");
        else lpu_table_cell(t, "%.2f", excess);
        if (*r->design) lpu_table_cell(t, "%s", lpu_cli_si(si, 1e-12 * r->pj_per_token, "J"));
        else lpu_table_cell(t, "-");
        lpu_table_cell(t, "%s", *r->design ? r->design : "-");
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_text(const work *w)
{
    const lpu_ppl_result *first = &w->rows[0].result;
    char a[32], b[32];
    double seconds = 0;

    for (size_t i = 0; i < w->row_count; i++) seconds += w->rows[i].result.seconds;
    printf("%s on %s: %llu tokens, %s, in windows of %u of which the first %u are only read\n\n",
           w->model, w->o->text, (unsigned long long)first->tokens,
           lpu_cli_si(a, (double)first->bytes, "B"), w->context, w->o->skip + 1);
    print_table(w);
    printf("\nmeasured in %s\n", lpu_cli_si(b, seconds, "s"));
    if (w->o->is_sweep || *w->rows[0].design) {
        printf("energy: modelled, system method, %s\n",
               *w->rows[0].design && !w->o->is_sweep
                   ? "mean of the tokens that were run"
                   : "a decode step with half of the window in the cache");
    }
}

static void print_json(const work *w)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < w->row_count; i++) {
        const row *r = &w->rows[i];
        const double loss = lpu_ppl_loss(&r->result), excess = excess_of(w, r);
        json_t *o = json_pack("{s:s s:I s:I s:f s:f s:f s:f}", "backend", r->backend, "tokens",
                              (json_int_t)r->result.tokens, "bytes", (json_int_t)r->result.bytes,
                              "nats_per_token", loss, "perplexity", exp(loss), "bits_per_byte",
                              lpu_ppl_bits_per_byte(&r->result), "seconds", r->result.seconds);
        if (r->kv_trits) {
            json_object_set_new(o, "kv_trits", json_integer(r->kv_trits));
            json_object_set_new(o, "head_trits", json_integer(r->head_trits));
        }
        if (!isnan(excess)) json_object_set_new(o, "loss_over_fp16_percent", json_real(excess));
        if (*r->design) {
            json_object_set_new(o, "design", json_string(r->design));
            json_object_set_new(o, "j_per_token", json_real(1e-12 * r->pj_per_token));
        }
        json_array_append_new(rows, o);
    }
    lpu_cli_print_json(json_pack("{s:s s:s s:I s:I s:o}", "model", w->model, "text", w->o->text,
                                 "context", (json_int_t)w->context, "skip", (json_int_t)w->o->skip,
                                 "rows", rows));
}

/* The table that reports/fig_ppl.gp draws. */
static lpu_status write_tsv(const work *w, lpu_diag *diag)
{
    lpu_output *output;
    FILE *file;
    lpu_status status = lpu_output_open(&output, w->o->tsv, &file, diag);

    if (status) return status;
    fprintf(file, "backend\tkv_trits\thead_trits\ttokens\tnats_per_token\tperplexity\t"
                  "bits_per_byte\tloss_over_fp16_percent\tdesign\tpj_per_token\n");
    for (size_t i = 0; i < w->row_count; i++) {
        const row *r = &w->rows[i];
        const double loss = lpu_ppl_loss(&r->result), excess = excess_of(w, r);
        fprintf(file, "%s\t%u\t%u\t%llu\t%.5f\t%.4f\t%.5f\t", r->backend, r->kv_trits,
                r->head_trits, (unsigned long long)r->result.tokens, loss, exp(loss),
                lpu_ppl_bits_per_byte(&r->result));
        if (isnan(excess)) fprintf(file, "-\t");
        else fprintf(file, "%.3f\t", excess);
        if (*r->design) fprintf(file, "%s\t%.6g\n", r->design, r->pj_per_token);
        else fprintf(file, "-\t-\n");
    }
    return lpu_output_commit(&output, diag);
}

/* ---- the command ---- */

static lpu_status misfit(const options *o, const char *option, const char *expected, lpu_diag *diag)
{
    return lpu_fail(diag, LPU_ERR_RANGE, "found %s with %s%s, expected it with %s", option,
                    o->is_sweep ? "--sweep" : "--backend ", o->is_sweep ? "" : o->backend,
                    expected);
}

static lpu_status check_options(const options *o, const lpu_backend **b, lpu_diag *diag)
{
    const bool has_trits = o->kv_trits || o->head_trits;

    if (!o->model) return lpu_fail(diag, LPU_ERR_RANGE, "found no --model, expected a GGUF file");
    if (!o->text) return lpu_fail(diag, LPU_ERR_RANGE, "found no --text, expected a file");
    lpu_status status = lpu_backend_find(b, o->backend, diag);
    if (status) return status;
    if (!(*b)->read_logits) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --backend %s, which gives no logits, expected another", (*b)->name);
    }
    if (has_trits && (o->is_sweep || !(*b)->has_trits)) {
        return misfit(o, "--kv-trits or --head-trits", "--backend cpu or sim", diag);
    }
    if (o->design && (o->is_sweep || !(*b)->is_modelled)) {
        return misfit(o, "--design", "--backend sim", diag);
    }
    if (o->kv_trits && (o->kv_trits < 2 || o->kv_trits > LPU_TRITS_MAX)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --kv-trits %u, expected 2 to %d", o->kv_trits,
                        LPU_TRITS_MAX);
    }
    if (o->head_trits && (o->head_trits < 3 || o->head_trits > LPU_TRITS_MAX)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --head-trits %u, expected 3 to %d",
                        o->head_trits, LPU_TRITS_MAX);
    }
    return LPU_OK;
}

static lpu_status run(work *w, const lpu_backend *b, lpu_diag *diag)
{
    const options *o = w->o;
    lpu_status status = lpu_gguf_open(&w->file, o->model, diag);

    if (!status) status = read_text(w, diag);
    if (status) return status;
    lpu_progress_init(&w->progress, o->is_sweep ? "sweep" : b->name);
    status = o->is_sweep ? run_sweep(w, diag)
                         : measure_row(w, b, o->kv_trits, o->head_trits, 0, 1, diag);
    lpu_progress_end(&w->progress);
    if (!status && o->tsv) status = write_tsv(w, diag);
    if (status) return status;
    if (o->is_json) print_json(w);
    else print_text(w);
    return LPU_OK;
}

int lpu_command_ppl(int argc, char **argv)
{
    options o = {.backend = "cpu", .threads = 1};
    const lpu_option list[] = {
        {"--model", "FILE", "a GGUF file of a BitNet-type model, with its tokenizer", &o.model,
         NULL, NULL},
        {"--text", "FILE", "what the model is to foretell", &o.text, NULL, NULL},
        {"--backend", "NAME", "cpu: the LPU's integers; fp16; sim: the machine [cpu]", &o.backend,
         NULL, NULL},
        {"--tokens", "N", "of the text at most (0: all)", NULL, &o.tokens, NULL},
        {"--context", "N", "tokens of a window (0: the model's context)", NULL, &o.context, NULL},
        {"--skip", "N", "tokens of a window that are only read, besides the first [0]", NULL,
         &o.skip, NULL},
        {"--kv-trits", "T", "of a cached key or value, 2 to 5 [the design's, cpu 5]", NULL,
         &o.kv_trits, NULL},
        {"--head-trits", "T", "of an embedding or head weight, 3 to 5 [the design's, cpu 5]", NULL,
         &o.head_trits, NULL},
        {"--sweep", NULL, "fp16, then KV of 5 to 2 trits and heads of 5 to 3, each with its energy",
         NULL, NULL, &o.is_sweep},
        {"--design", "NAME", "of the sim backend [ternary-edge]", &o.design, NULL, NULL},
        {"--threads", "N", "of the cpu and fp16 backends (0: all cores) [1]", NULL, &o.threads,
         NULL},
        {"--tsv", "FILE", "write the table for reports/fig_ppl.gp", &o.tsv, NULL, NULL},
        {"--json", NULL, "one JSON object in place of text", NULL, NULL, &o.is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "ppl",
        .text = "measure the perplexity of a GGUF model on a text, by trits of cache and head",
        .examples = "lpu train --text README.md --vocab 300 --layers 2 --steps 5 --batch 2 "
                    "--out /tmp/small.gguf\n"
                    "lpu ppl --model /tmp/small.gguf --text README.md --tokens 600\n"
                    "lpu ppl --model /tmp/small.gguf --text README.md --tokens 300 --sweep\n",
        .options = list,
    };
    int exit_code;
    lpu_diag diag = {""};
    work w = {.o = &o};
    const lpu_backend *backend = NULL;

    if (lpu_cli_parse(&usage, argc, argv, &exit_code), exit_code >= 0) return exit_code;
    if (check_options(&o, &backend, &diag)) {
        lpu_cli_fail(&usage, &diag);
        return LPU_EXIT_USAGE;
    }
    const lpu_status status = run(&w, backend, &diag);
    free(w.text.ids);
    lpu_tokenizer_close(&w.tokenizer);
    lpu_gguf_close(&w.file);
    return status ? lpu_cli_fail(&usage, &diag) : LPU_EXIT_OK;
}
