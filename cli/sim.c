/* cli/sim.c - lpu sim: what a pass of a model costs on one design, op by op. */
#include "cli/evaluate.h"

#include "workloads/output.h"

#include <math.h>

static void print_head(const lpu_evaluation *e)
{
    const lpu_sim_result *r = e->result;
    const lpu_trace *t = r->trace;
    const double tokens = (double)r->tokens;
    char a[32], b[32], c[32];

    printf("%s on %s (%s)\n", e->model.title, e->design.name, e->design.title);
    if (t->phase == LPU_PHASE_DECODE) {
        printf("decode, %u tokens in the cache, batch %u\n\n", t->context, t->batch);
    } else {
        printf("prefill of %u tokens, %u in the cache before, batch %u\n\n", t->tokens, t->context,
               t->batch);
    }
    printf("  modelled   %llu cycles = %s, %.1f tokens/s\n", (unsigned long long)r->cycles,
           lpu_cli_si(a, r->seconds, "s"), r->tokens_per_s);
    printf("  energy     %s per token, system method (prices: %s, %s)\n",
           lpu_cli_si(a, e->system_pj * 1e-12 / tokens, "J"), e->prices.logic, e->prices.dram);
    if (isnan(e->paper_pj)) {
        printf(
            "             the papers do not price INT8 or INT4 multiplications by such weights\n");
    } else {
        printf("             %s per token, paper method: arithmetic of linear layers and "
               "attention alone (%s)\n",
               lpu_cli_si(b, e->paper_pj * 1e-12 / tokens, "J"), e->paper.node);
    }
    printf("  memory     %s weights, %s cache", lpu_cli_si(a, (double)r->weight_memory_bytes, "B"),
           lpu_cli_si(b, (double)r->kv_memory_bytes, "B"));
    if (r->chips > 1) printf(", %u chips", r->chips);
    printf("\n  simulated  %s in %s: %s simulated, %s stepped\n",
           lpu_cli_si(a, (double)r->cycles, "cycles"), lpu_cli_si(b, r->wall_s, "s"),
           lpu_cli_si(c, (double)r->cycles / r->wall_s, "cycles/s"),
           lpu_cli_si((char[32]){""}, (double)r->stepped_cycles / r->wall_s, "cycles/s"));
}

static void print_components(const lpu_evaluation *e)
{
    static const char *const heads[] = {"component", "uJ/token", "share %"};
    lpu_table *t = lpu_table_open(3, heads);

    for (int c = LPU_COMPONENT_none + 1; c < LPU_COMPONENTS; c++) {
        lpu_table_cell(t, "%s", lpu_component_name((lpu_component)c));
        lpu_table_cell(t, "%.3f", e->component_pj[c] * 1e-6 / (double)e->result->tokens);
        lpu_table_cell(t, "%.1f", 100 * e->component_pj[c] / e->system_pj);
    }
    printf("\n");
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_stalls(const lpu_evaluation *e)
{
    static const char *const heads[] = {"the array", "cycles", "share %"};
    const lpu_counters *c = &e->result->counters;
    const struct {
        const char *text;
        uint64_t cycles;
    } rows[] = {
        {"takes vectors", c->array_pass_cycles},
        {"waits for memory", c->stall_memory_cycles},
        {"waits for the tile to be written", c->stall_fill_cycles},
        {"waits for an accumulator bank", c->stall_accum_cycles},
        {"waits for the vector unit", c->stall_vector_cycles},
        {"waits at a layer's end", c->stall_sync_cycles},
        {"waits for an instruction", c->stall_issue_cycles},
    };
    lpu_table *t = lpu_table_open(3, heads);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lpu_table_cell(t, "%s", rows[i].text);
        lpu_table_cell(t, "%llu", (unsigned long long)rows[i].cycles);
        lpu_table_cell(t, "%.1f", 100 * (double)rows[i].cycles / (double)c->run_cycles);
    }
    printf("\n");
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

/* One line per kind of operation, over all layers. */
static void print_ops(const lpu_evaluation *e)
{
    static const char *const heads[] = {"operation", "times",   "cycles",      "share %",
                                        "uJ/token",  "share %", "DRAM B/token"};
    const lpu_sim_result *r = e->result;
    const double tokens = (double)r->tokens;
    lpu_table *t = lpu_table_open(7, heads);

    for (int kind = 0; kind < LPU_OP_KINDS; kind++) {
        uint64_t times = 0, cycles = 0, bytes = 0;
        double pj = 0;
        for (size_t i = 0; i < r->trace->count; i++) {
            if (r->trace->ops[i].kind != (lpu_op_kind)kind) continue;
            times++;
            cycles += r->ops[i].cycles;
            bytes += r->ops[i].counters.dram_read_bytes + r->ops[i].counters.dram_write_bytes;
            pj += lpu_evaluation_op_pj(e, i);
        }
        if (!times) continue;
        lpu_table_cell(t, "%s", lpu_op_name((lpu_op_kind)kind));
        lpu_table_cell(t, "%llu", (unsigned long long)times);
        lpu_table_cell(t, "%llu", (unsigned long long)cycles);
        lpu_table_cell(t, "%.1f", 100 * (double)cycles / (double)r->cycles);
        lpu_table_cell(t, "%.3f", pj * 1e-6 / tokens);
        lpu_table_cell(t, "%.1f", 100 * pj / e->system_pj);
        lpu_table_cell(t, "%.0f", (double)bytes / tokens);
    }
    printf("\n");
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

/* One line per layer; layers that cost the same are one line. */
static void print_layers(const lpu_evaluation *e)
{
    static const char *const heads[] = {"layers", "cycles each", "uJ/token each"};
    const lpu_sim_result *r = e->result;
    lpu_table *t = lpu_table_open(3, heads);
    uint64_t run_cycles = 0;
    double run_pj = -1;
    int32_t first = 0;

    for (int32_t layer = 0; layer <= (int32_t)e->model.layers; layer++) {
        uint64_t cycles = 0;
        double pj = 0;
        for (size_t i = 0; i < r->trace->count; i++) {
            if (r->trace->ops[i].layer != layer) continue;
            cycles += r->ops[i].cycles;
            pj += lpu_evaluation_op_pj(e, i);
        }
        const bool is_same = cycles == run_cycles && pj > run_pj * 0.999 && pj < run_pj * 1.001;
        if (layer && !is_same) {
            if (first == layer - 1) lpu_table_cell(t, "%d", first);
            else lpu_table_cell(t, "%d-%d", first, layer - 1);
            lpu_table_cell(t, "%llu", (unsigned long long)run_cycles);
            lpu_table_cell(t, "%.3f", run_pj * 1e-6 / (double)r->tokens);
        }
        if (!is_same) first = layer;
        run_cycles = cycles;
        run_pj = pj;
    }
    printf("\n");
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_text(const lpu_evaluation *e)
{
    print_head(e);
    print_components(e);
    print_stalls(e);
    print_ops(e);
    print_layers(e);
}

/* One row per operation of the trace, every counter a column. */
static lpu_status write_csv(const lpu_evaluation *e, const char *path, lpu_diag *diag)
{
    lpu_output *output;
    FILE *file;
    lpu_status status = lpu_output_open(&output, path, &file, diag);

    if (status) return status;
    fprintf(file, "op,layer,count,m,n,k,begin_cycles,cycles,energy_pj");
    for (size_t i = 0; i < LPU_COUNTERS; i++) fprintf(file, ",%s", lpu_counter_row(i)->name);
    fprintf(file, "\n");
    for (size_t i = 0; i < e->result->trace->count; i++) {
        const lpu_op *op = &e->result->trace->ops[i];
        const lpu_sim_op *r = &e->result->ops[i];
        fprintf(file, "%s,%d,%llu,%llu,%llu,%llu,%llu,%llu,%.6g", lpu_op_name(op->kind), op->layer,
                (unsigned long long)op->count, (unsigned long long)op->m, (unsigned long long)op->n,
                (unsigned long long)op->k, (unsigned long long)r->begin_cycles,
                (unsigned long long)r->cycles, lpu_evaluation_op_pj(e, i));
        for (size_t j = 0; j < LPU_COUNTERS; j++) {
            fprintf(file, ",%llu", (unsigned long long)lpu_counter_get(&r->counters, j));
        }
        fprintf(file, "\n");
    }
    return lpu_output_commit(&output, diag);
}

int lpu_command_sim(int argc, char **argv)
{
    lpu_evaluation_options o = lpu_evaluation_defaults();
    const char *design = "ternary-edge", *csv = NULL;
    bool is_json = false;
    const lpu_option list[] = {
        {"--model", "NAME", "a model of `lpu models`, or a YAML file [bitnet-b1.58-2b4t]", &o.model,
         NULL, NULL},
        {"--design", "NAME", "a design of `lpu designs`, or a YAML file [ternary-edge]", &design,
         NULL, NULL},
        {"--phase", "PHASE", "decode or prefill [decode]", &o.phase, NULL, NULL},
        {"--context", "N", "tokens in the cache before the pass [decode 512, prefill 0]", NULL,
         &o.context, NULL},
        {"--tokens", "N", "prefill: tokens of the prompt [512]", NULL, &o.tokens, NULL},
        {"--batch", "N", "sequences side by side [1]", NULL, &o.batch, NULL},
        {"--trace", "FILE", "a trace that `lpu trace --record --out FILE` saved, with its shares",
         &o.trace, NULL, NULL},
        {"--json", NULL, "one JSON object in place of text", NULL, NULL, &is_json},
        {"--csv", "FILE", "write every operation with every counter", &csv, NULL, NULL},
        {"--timeline", "FILE", "write what each unit does when, for Perfetto or chrome://tracing",
         &o.timeline, NULL, NULL},
        {"--step", NULL, "step every cycle of every layer: same result, slower", NULL, NULL,
         &o.is_stepped},
        {0},
    };
    const lpu_usage usage = {
        .name = "sim",
        .text = "simulate a pass of a model on a design: cycles, tokens/s, joules per token",
        .examples = "lpu sim --model bitnet-b1.58-2b4t --design ternary-edge --context 512\n"
                    "lpu sim --design ternary-hbm --phase prefill --tokens 512\n"
                    "lpu sim --design fp16-mac --batch 8 --json\n"
                    "lpu sim --timeline timeline.json --csv ops.csv\n"
                    "lpu trace --record --model workloads/shipped/setun-4m.gguf --prompt \"In the "
                    "beginning\" --out /tmp/real.tsv\n"
                    "lpu sim --trace /tmp/real.tsv\n",
        .options = list,
    };
    int exit_code;
    const int first = lpu_cli_parse(&usage, argc, argv, &exit_code);
    lpu_evaluation e;
    lpu_diag diag = {""};

    if (exit_code >= 0) return exit_code;
    if (first < argc) {
        fprintf(stderr, "lpu sim: found \"%s\", expected only options\n", argv[first]);
        return LPU_EXIT_USAGE;
    }
    lpu_status status = lpu_evaluation_open(&e, &o, design, &exit_code, &diag);
    if (!status && csv) status = write_csv(&e, csv, &diag);
    if (!status && is_json) {
        lpu_cli_print_json(lpu_evaluation_json(&e, true));
    } else if (!status) {
        print_text(&e);
    }
    lpu_evaluation_close(&e);
    if (!status) return LPU_EXIT_OK;
    lpu_cli_fail(&usage, &diag);
    return exit_code == LPU_EXIT_USAGE ? LPU_EXIT_USAGE : LPU_EXIT_FAILED;
}
