/* cli/ppl.c - lpu ppl: perplexity of a model on a text; with --sweep by trits of cache and head. */
#include "cli/ppl_rows.h"

#include "workloads/output.h"
#include "workloads/ternary.h"

#include <math.h>

typedef struct options {
    const char *backend, *tsv;
    lpu_ppl_request q;
    bool is_sweep, is_json;
} options;

typedef struct work {
    const options *o;
    lpu_ppl_rows table;
} work;

/* ---- results ---- */

static void print_table(const work *w)
{
    static const char *const heads[] = {"backend",          "KV trits",         "head trits",
                                        "nats/token",       "perplexity",       "bits per byte",
                                        "loss over fp16 %", "energy per token", "design"};
    lpu_table *t = lpu_table_open(9, heads);
    char si[32];

    for (size_t i = 0; i < w->table.count; i++) {
        const lpu_ppl_row *r = &w->table.rows[i];
        const double loss = lpu_ppl_loss(&r->result), excess = lpu_ppl_excess_percent(&w->table, i);
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
    const lpu_ppl_result *first = &w->table.rows[0].result;
    char a[32], b[32];
    double seconds = 0;

    for (size_t i = 0; i < w->table.count; i++) seconds += w->table.rows[i].result.seconds;
    printf("%s on %s: %llu tokens, %s, in windows of %u of which the first %u are only read\n\n",
           w->table.model, w->o->q.text, (unsigned long long)first->tokens,
           lpu_cli_si(a, (double)first->bytes, "B"), w->table.context, w->o->q.skip + 1);
    print_table(w);
    printf("\nmeasured in %s\n", lpu_cli_si(b, seconds, "s"));
    if (w->o->is_sweep || *w->table.rows[0].design) {
        printf("energy: modelled, system method, %s\n",
               *w->table.rows[0].design && !w->o->is_sweep
                   ? "mean of the tokens that were run"
                   : "a decode step with half of the window in the cache");
    }
}

static void print_json(const work *w)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < w->table.count; i++) {
        const lpu_ppl_row *r = &w->table.rows[i];
        const double loss = lpu_ppl_loss(&r->result), excess = lpu_ppl_excess_percent(&w->table, i);
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
    lpu_cli_print_json(json_pack("{s:s s:s s:I s:I s:o}", "model", w->table.model, "text",
                                 w->o->q.text, "context", (json_int_t)w->table.context, "skip",
                                 (json_int_t)w->o->q.skip, "rows", rows));
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
    for (size_t i = 0; i < w->table.count; i++) {
        const lpu_ppl_row *r = &w->table.rows[i];
        const double loss = lpu_ppl_loss(&r->result), excess = lpu_ppl_excess_percent(&w->table, i);
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
    const bool has_trits = o->q.kv_trits || o->q.head_trits;

    if (!o->q.model) return lpu_fail(diag, LPU_ERR_RANGE, "found no --model, expected a GGUF file");
    if (!o->q.text) return lpu_fail(diag, LPU_ERR_RANGE, "found no --text, expected a file");
    lpu_status status = lpu_backend_find(b, o->backend, diag);
    if (status) return status;
    if (!(*b)->read_logits) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --backend %s, which gives no logits, expected another", (*b)->name);
    }
    if (has_trits && (o->is_sweep || !(*b)->has_trits)) {
        return misfit(o, "--kv-trits or --head-trits", "--backend cpu or sim", diag);
    }
    if (o->q.design && (o->is_sweep || !(*b)->is_modelled)) {
        return misfit(o, "--design", "--backend sim", diag);
    }
    if (o->q.kv_trits && (o->q.kv_trits < 2 || o->q.kv_trits > LPU_TRITS_MAX)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --kv-trits %u, expected 2 to %d", o->q.kv_trits,
                        LPU_TRITS_MAX);
    }
    if (o->q.head_trits && (o->q.head_trits < 3 || o->q.head_trits > LPU_TRITS_MAX)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --head-trits %u, expected 3 to %d",
                        o->q.head_trits, LPU_TRITS_MAX);
    }
    return LPU_OK;
}

static lpu_status run(work *w, lpu_diag *diag)
{
    const options *o = w->o;
    lpu_status status = lpu_ppl_rows_run(&w->table, &o->q, diag);

    if (!status && o->tsv) status = write_tsv(w, diag);
    if (status) return status;
    if (o->is_json) print_json(w);
    else print_text(w);
    return LPU_OK;
}

int lpu_command_ppl(int argc, char **argv)
{
    options o = {.backend = "cpu", .q.threads = 1};
    const lpu_option list[] = {
        {"--model", "FILE", "a GGUF file of a BitNet-type model, with its tokenizer", &o.q.model,
         NULL, NULL},
        {"--text", "FILE", "what the model is to foretell", &o.q.text, NULL, NULL},
        {"--backend", "NAME", "cpu: the LPU's integers; fp16; sim: the machine [cpu]", &o.backend,
         NULL, NULL},
        {"--tokens", "N", "of the text at most (0: all)", NULL, &o.q.tokens, NULL},
        {"--context", "N", "tokens of a window (0: the model's context)", NULL, &o.q.context, NULL},
        {"--skip", "N", "tokens of a window that are only read, besides the first [0]", NULL,
         &o.q.skip, NULL},
        {"--kv-trits", "T", "of a cached key or value, 2 to 5 [the design's, cpu 5]", NULL,
         &o.q.kv_trits, NULL},
        {"--head-trits", "T", "of an embedding or head weight, 3 to 5 [the design's, cpu 5]", NULL,
         &o.q.head_trits, NULL},
        {"--sweep", NULL, "fp16, then KV of 5 to 2 trits and heads of 5 to 3, each with its energy",
         NULL, NULL, &o.is_sweep},
        {"--design", "NAME", "of the sim backend [ternary-edge]", &o.q.design, NULL, NULL},
        {"--threads", "N", "of the cpu and fp16 backends (0: all cores) [1]", NULL, &o.q.threads,
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
    o.q.backend = o.is_sweep ? NULL : backend;
    const lpu_status status = run(&w, &diag);
    return status ? lpu_cli_fail(&usage, &diag) : LPU_EXIT_OK;
}
