/* cli/trace.c - lpu trace: the operations of a forward pass, like layers once. */
#include "cli/trace_record.h"

#include <stdlib.h>
#include <string.h>

typedef struct options {
    const char *model, *phase, *out, *prompt, *text, *design;
    uint32_t tokens, context, batch;
    bool is_json, is_all, is_recorded;
} options;

/* The operations [first, first + count) of one layer, which `layers` layers have in common. */
typedef struct group {
    size_t first, count, layers;
} group;

static const char *const operands[] = {"none", "linear", "kv", "head"};

static bool is_same_share(double a, double b)
{
    return !(a < b) && !(a > b);
}

/* Equal but for the layer. */
static bool is_like(const lpu_op *a, const lpu_op *b)
{
    return a->kind == b->kind && a->operand == b->operand && a->count == b->count && a->m == b->m &&
           a->n == b->n && a->k == b->k && (a->layer < 0) == (b->layer < 0) &&
           is_same_share(a->zero_weight_share, b->zero_weight_share) &&
           is_same_share(a->zero_input_share, b->zero_input_share) &&
           is_same_share(a->toggle_share, b->toggle_share);
}

static bool are_like(const lpu_trace *t, const group *a, size_t first, size_t count)
{
    if (a->count != count) return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_like(&t->ops[a->first + i], &t->ops[first + i])) return false;
    }
    return true;
}

/* Groups runs of operations of one layer, in the order of their first layer; with is_all every run
 * is its own. The caller frees. */
static group *open_groups(const lpu_trace *t, bool is_all, size_t *groups)
{
    group *list = calloc(t->count + 1, sizeof(*list));

    *groups = 0;
    for (size_t first = 0, count; list && first < t->count; first += count) {
        for (count = 1; first + count < t->count; count++) {
            if (t->ops[first + count].layer != t->ops[first].layer) break;
        }
        size_t same = 0;
        while (same < *groups && (is_all || !are_like(t, &list[same], first, count))) same++;
        if (same == *groups) list[(*groups)++] = (group){.first = first, .count = count};
        list[same].layers++;
    }
    return list;
}

static const char *phase_name(const lpu_trace *t)
{
    return t->phase == LPU_PHASE_PREFILL ? "prefill" : "decode";
}

typedef struct totals {
    double macs, weights, all_macs[4], all_weights[4]; /* the arrays by operand */
} totals;

/* In double: the sums of a large pass may leave 64 bits, and are shown with three digits. */
static totals sum(const lpu_trace *t)
{
    totals s = {0};
    for (size_t i = 0; i < t->count; i++) {
        const lpu_op *op = &t->ops[i];
        s.macs += (double)op->macs;
        s.weights += (double)op->weight_elems;
        s.all_macs[op->operand] += (double)op->macs;
        s.all_weights[op->operand] += (double)op->weight_elems;
    }
    return s;
}

static void print_op(lpu_table *table, const lpu_op *op, size_t layers, bool is_all,
                     const totals *all)
{
    char si[32];

    if (op->layer < 0) {
        lpu_table_cell(table, "-");
    } else if (is_all) {
        lpu_table_cell(table, "%d", op->layer);
    } else {
        lpu_table_cell(table, "%zu", layers);
    }
    lpu_table_cell(table, "%s", lpu_op_name(op->kind));
    lpu_table_cell(table, "%s", op->operand ? operands[op->operand] : "-");
    lpu_table_cell(table, "%llu", (unsigned long long)op->count);
    lpu_table_cell(table, "%llu", (unsigned long long)op->m);
    lpu_table_cell(table, "%llu", (unsigned long long)op->n);
    if (!lpu_op_is_product(op->kind)) {
        for (int i = 0; i < 5; i++) lpu_table_cell(table, "-");
        return;
    }
    lpu_table_cell(table, "%llu", (unsigned long long)op->k);
    lpu_table_cell(table, "%s", lpu_cli_si(si, (double)op->macs * (double)layers, ""));
    lpu_table_cell(table, "%s", lpu_cli_si(si, (double)op->weight_elems * (double)layers, ""));
    lpu_table_cell(table, "%.2f", op->zero_weight_share);
    lpu_table_cell(table, "%.1f%%", 100.0 * (double)op->macs * (double)layers / all->macs);
}

static void print_total(const char *name, double macs, double weights)
{
    char macs_text[32], weights_text[32];
    printf("%-30s %9s multiply-adds %9s matrix elements\n", name, lpu_cli_si(macs_text, macs, ""),
           lpu_cli_si(weights_text, weights, ""));
}

static bool print_text(const lpu_trace *t, bool is_all)
{
    const char *const heads[] = {is_all ? "layer" : "layers",
                                 "operation",
                                 "matrix",
                                 "count",
                                 "m",
                                 "n",
                                 "k",
                                 "MACs",
                                 "elements",
                                 "zeros",
                                 "of MACs"};
    const totals all = sum(t);
    size_t groups = 0;
    group *list = open_groups(t, is_all, &groups);
    if (!list) return false;

    printf("%s, %s: %u token%s, %u cached, batch %u%s\n\n", t->model.title, phase_name(t),
           t->tokens, t->tokens == 1 ? "" : "s", t->context, t->batch,
           is_all ? "" : "; MACs and elements are summed over the layers");
    lpu_table *table = lpu_table_open(sizeof(heads) / sizeof(heads[0]), heads);
    for (size_t g = 0; g < groups; g++) {
        for (size_t i = 0; i < list[g].count; i++) {
            print_op(table, &t->ops[list[g].first + i], list[g].layers, is_all, &all);
        }
    }
    lpu_table_print(table, stdout);
    lpu_table_close(&table);
    free(list);

    printf("\n");
    print_total("linear layers", all.all_macs[LPU_OPERAND_LINEAR],
                all.all_weights[LPU_OPERAND_LINEAR]);
    print_total("attention", all.all_macs[LPU_OPERAND_KV], all.all_weights[LPU_OPERAND_KV]);
    print_total("embedding and head", all.all_macs[LPU_OPERAND_HEAD],
                all.all_weights[LPU_OPERAND_HEAD]);
    print_total("total", all.macs, all.weights);
    return true;
}

static json_t *json_of(const lpu_op *op, size_t layers)
{
    return json_pack("{s:s s:i s:I s:s s:I s:I s:I s:I s:I s:I s:f s:f s:f}", "operation",
                     lpu_op_name(op->kind), "layer", (int)op->layer, "layers", (json_int_t)layers,
                     "matrix", operands[op->operand], "count", (json_int_t)op->count, "m",
                     (json_int_t)op->m, "n", (json_int_t)op->n, "k", (json_int_t)op->k, "macs",
                     (json_int_t)op->macs, "weight_elems", (json_int_t)op->weight_elems,
                     "zero_weight_share", op->zero_weight_share, "zero_input_share",
                     op->zero_input_share, "toggle_share", op->toggle_share);
}

/* measured: an array of what a recorded pass showed, which is released, or NULL. */
static bool print_json(const lpu_trace *t, bool is_all, json_t *measured)
{
    const totals all = sum(t);
    size_t groups = 0;
    group *list = open_groups(t, is_all, &groups);
    json_t *ops = json_array();
    if (!list) return false;

    for (size_t g = 0; g < groups; g++) {
        for (size_t i = 0; i < list[g].count; i++) {
            json_array_append_new(ops, json_of(&t->ops[list[g].first + i], list[g].layers));
        }
    }
    free(list);
    json_t *object = json_pack("{s:s s:s s:I s:I s:I s:f s:f s:o}", "model", t->model.name, "phase",
                               phase_name(t), "tokens", (json_int_t)t->tokens, "context",
                               (json_int_t)t->context, "batch", (json_int_t)t->batch, "macs",
                               all.macs, "weight_elems", all.weights, "operations", ops);
    if (measured) json_object_set_new(object, "measured", measured);
    lpu_cli_print_json(object);
    return true;
}

static lpu_status record(lpu_trace **t, lpu_trace **assumed, const options *o, lpu_phase phase,
                         lpu_diag *diag)
{
    const lpu_trace_request request = {.model = o->model,
                                       .prompt = o->prompt,
                                       .text = o->text,
                                       .design = o->design ? o->design : "ternary-edge",
                                       .phase = phase,
                                       .tokens = o->tokens};

    if (o->context || o->batch != 1) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --context or --batch with --record, expected --tokens: one sequence "
                        "from its beginning");
    }
    if (!o->prompt == !o->text) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found %s with --record, expected --prompt or --text and --model FILE",
                        o->prompt ? "--prompt and --text" : "no text");
    }
    return lpu_trace_record(t, assumed, &request, diag);
}

/* The trace that the command line asks for: a saved file, a pass of a model, or a real pass. */
static lpu_status open_trace(lpu_trace **t, lpu_trace **assumed, const options *o, const char *file,
                             lpu_diag *diag)
{
    lpu_model model;
    const bool is_decode = !strcmp(o->phase, "decode");

    if (!o->is_recorded && (o->prompt || o->text || o->design)) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "found --prompt, --text or --design without --record, expected both");
    }
    if (file && o->is_recorded) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found %s with --record, expected no saved trace",
                        file);
    }
    if (file) return lpu_trace_load(t, file, diag);
    if (!is_decode && strcmp(o->phase, "prefill")) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --phase %s, expected decode or prefill",
                        o->phase);
    }
    if (o->is_recorded) {
        return record(t, assumed, o, is_decode ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL, diag);
    }
    lpu_status status = lpu_model_load(&model, o->model, diag);
    if (status) return status;
    const uint32_t tokens = o->tokens ? o->tokens : is_decode ? 1 : 512;
    return lpu_trace_open(t, &model, is_decode ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL, tokens,
                          o->context, o->batch, diag);
}

static int run(const lpu_usage *usage, const options *o, const char *file)
{
    lpu_trace *t = NULL, *assumed = NULL;
    lpu_diag diag = {""};
    bool is_done = true;
    lpu_status status = open_trace(&t, &assumed, o, file, &diag);

    if (status) {
        lpu_cli_fail(usage, &diag);
        lpu_trace_close(&t);
        lpu_trace_close(&assumed);
        return o->is_recorded && status != LPU_ERR_RANGE ? LPU_EXIT_FAILED : LPU_EXIT_USAGE;
    }
    if (o->out) status = lpu_trace_save(t, o->out, &diag);
    if (!status && o->out && !o->is_json) {
        printf("%s: %zu operations\n", o->out, t->count);
    } else if (!status) {
        is_done = o->is_json ? print_json(t, o->is_all,
                                          assumed ? lpu_trace_measured_json(t, assumed) : NULL)
                             : print_text(t, o->is_all);
    }
    if (!status && is_done && assumed && !o->is_json) lpu_trace_print_measured(t, assumed);
    if (!is_done) status = lpu_fail(&diag, LPU_ERR_MEMORY, "out of memory");
    lpu_trace_close(&t);
    lpu_trace_close(&assumed);
    return status ? lpu_cli_fail(usage, &diag) : LPU_EXIT_OK;
}

int lpu_command_trace(int argc, char **argv)
{
    options o = {.model = "bitnet-b1.58-2b4t", .phase = "decode", .batch = 1};
    const lpu_option list[] = {
        {"--model", "NAME",
         "a shipped model, or a YAML file; with --record a GGUF file "
         "(bitnet-b1.58-2b4t)",
         &o.model, NULL, NULL},
        {"--phase", "PHASE", "decode or prefill (decode)", &o.phase, NULL, NULL},
        {"--tokens", "N", "tokens of each prompt (prefill: 512; decode: 1)", NULL, &o.tokens, NULL},
        {"--context", "N", "tokens in the cache before the pass (0)", NULL, &o.context, NULL},
        {"--record", NULL, "run the text through a GGUF file and measure: zeros, bits that change",
         NULL, NULL, &o.is_recorded},
        {"--prompt", "TEXT", "the text to record, the first --tokens of it [64]", &o.prompt, NULL,
         NULL},
        {"--text", "FILE", "the file that holds it", &o.text, NULL, NULL},
        {"--design", "NAME", "the machine that --record simulates [ternary-edge]", &o.design, NULL,
         NULL},
        {"--batch", "N", "sequences side by side (1)", NULL, &o.batch, NULL},
        {"--all", NULL, "every layer, not only those that differ", NULL, NULL, &o.is_all},
        {"--json", NULL, "JSON in place of text", NULL, NULL, &o.is_json},
        {"--out", "FILE", "save the trace, to be read again", &o.out, NULL, NULL},
        {0},
    };
    const lpu_usage usage = {
        .name = "trace",
        .text = "print the operations of a forward pass",
        .examples = "lpu trace --context 512\n"
                    "lpu trace --model bonsai-8b-1bit --phase prefill --tokens 256\n"
                    "lpu trace --context 512 --out /tmp/decode.tsv\n"
                    "lpu train --text README.md --vocab 300 --layers 2 --steps 5 --batch 2 "
                    "--out /tmp/small.gguf\n"
                    "lpu trace --record --model /tmp/small.gguf --text README.md --tokens 20\n",
        .options = list,
        .operands = "[FILE]",
    };
    int exit_code;
    const int first = lpu_cli_parse(&usage, argc, argv, &exit_code);

    if (exit_code >= 0) return exit_code;
    if (argc - first > 1) {
        fprintf(stderr, "lpu trace: found %d files, expected one saved trace or none\n",
                argc - first);
        return LPU_EXIT_USAGE;
    }
    return run(&usage, &o, first < argc ? argv[first] : NULL);
}
