/* cli/compare.c - lpu compare: designs side by side, energy per token and where it goes. */
#include "cli/evaluate.h"

#include "workloads/yaml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct column {
    char *name;
    lpu_evaluation e;
    lpu_diag why; /* it has no result */
    bool has_result;
} column;

static void put_first(char **names, size_t count, const char *name)
{
    for (size_t i = count; i-- > 1;) {
        if (strcmp(names[i], name)) continue;
        char *found = names[i];
        memmove(names + 1, names, i * sizeof(*names));
        names[0] = found;
        return;
    }
}

/* "a,b,c" or, with no list, all designs that ship. */
static lpu_status list_columns(const char *designs, column **columns, size_t *count, lpu_diag *diag)
{
    char **names = NULL;
    lpu_status status = LPU_OK;

    *count = 0;
    if (designs) {
        char *copy = strdup(designs);
        names = calloc(strlen(designs) + 1, sizeof(*names));
        for (char *name = copy ? strtok(copy, ",") : NULL; names && name;
             name = strtok(NULL, ",")) {
            names[(*count)++] = strdup(name);
        }
        free(copy);
    } else {
        status = lpu_yaml_list("sim/designs", &names, count, diag);
        if (status) return status;
        put_first(names, *count, "ternary-edge"); /* the one that the others are held against */
    }
    if (!*count) {
        status = lpu_fail(diag, LPU_ERR_RANGE, "--designs is \"%s\", expected names with commas",
                          designs ? designs : "");
    }
    *columns = calloc(*count + 1, sizeof(**columns));
    for (size_t i = 0; i < *count; i++) {
        if (*columns) (*columns)[i].name = names[i];
        else free(names[i]);
    }
    free(names);
    if (!*columns) return lpu_fail(diag, LPU_ERR_MEMORY, "compare: out of memory");
    return status;
}

static double uj_per_token(const column *c, double pj)
{
    return pj * 1e-6 / (double)c->e.result->tokens;
}

static void print_table(const column *columns, size_t count)
{
    static const char *const heads[] = {"design", "tokens/s", "mJ/token", "arithmetic", "vector",
                                        "sram",   "wires",    "links",    "control",    "clock",
                                        "static", "dram",     "paper uJ"};
    lpu_table *t = lpu_table_open(sizeof(heads) / sizeof(heads[0]), heads);

    for (size_t i = 0; i < count; i++) {
        const column *c = &columns[i];
        if (!c->has_result) continue;
        lpu_table_cell(t, "%s", c->name);
        lpu_table_cell(t, "%.1f", c->e.result->tokens_per_s);
        lpu_table_cell(t, "%.3f", 1e-3 * uj_per_token(c, c->e.system_pj));
        for (int k = LPU_COMPONENT_none + 1; k < LPU_COMPONENTS; k++) {
            lpu_table_cell(t, "%.1f%%", 100 * c->e.component_pj[k] / c->e.system_pj);
        }
        if (isnan(c->e.paper_pj)) lpu_table_cell(t, "-");
        else lpu_table_cell(t, "%.1f", uj_per_token(c, c->e.paper_pj));
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

/* Each design against the first, at the three scopes. */
static void print_ratios(const column *columns, size_t count)
{
    static const char *const heads[] = {"design", "tokens/s", "datapath", "core", "system"};
    const column *first = NULL;
    lpu_table *t = lpu_table_open(5, heads);

    for (size_t i = 0; i < count; i++) {
        const column *c = &columns[i];
        if (!c->has_result) continue;
        if (!first) first = c;
        lpu_table_cell(t, "%s", c->name);
        lpu_table_cell(t, "%.2fx", c->e.result->tokens_per_s / first->e.result->tokens_per_s);
        for (int s = 0; s < LPU_SCOPES; s++) {
            lpu_table_cell(t, "%.2fx",
                           lpu_energy_scope_pj(c->e.component_pj, (lpu_scope)s) /
                               lpu_energy_scope_pj(first->e.component_pj, (lpu_scope)s));
        }
    }
    printf("\nagainst %s: speed, and energy at three scopes (datapath: arithmetic; core: all on "
           "the chip; system: with DRAM and links)\n",
           first ? first->name : "nothing");
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static void print_text(const column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const lpu_evaluation *e = &columns[i].e;
        if (!columns[i].has_result) continue;
        const lpu_trace *t = e->result->trace;
        if (t->phase == LPU_PHASE_DECODE) {
            printf("%s, decode with %u tokens in the cache, batch %u; modelled; mJ and shares: "
                   "system method\n\n",
                   e->model.title, t->context, t->batch);
        } else {
            printf("%s, prefill of %u tokens, batch %u; modelled; mJ and shares: system method\n\n",
                   e->model.title, t->tokens, t->batch);
        }
        break;
    }
    print_table(columns, count);
    print_ratios(columns, count);
    for (size_t i = 0; i < count; i++) {
        if (!columns[i].has_result) printf("\nleft out: %s\n", columns[i].why.text);
    }
}

static void print_json(const column *columns, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(array, columns[i].has_result
                                         ? lpu_evaluation_json(&columns[i].e, false)
                                         : json_pack("{s:s s:s}", "design", columns[i].name,
                                                     "left_out", columns[i].why.text));
    }
    lpu_cli_print_json(array);
}

/* A design that cannot hold the model is left out with its reason; any other failure ends it. */
static lpu_status run(column *columns, size_t count, const lpu_evaluation_options *o,
                      int *exit_code, lpu_diag *diag)
{
    size_t done = 0;

    for (size_t i = 0; i < count; i++) {
        const lpu_status status =
            lpu_evaluation_open(&columns[i].e, o, columns[i].name, exit_code, diag);
        columns[i].has_result = !status;
        columns[i].why = *diag;
        done += !status;
        if (status && (status != LPU_ERR_RANGE || *exit_code == LPU_EXIT_USAGE || count == 1))
            return status;
    }
    return done ? LPU_OK : LPU_ERR_RANGE;
}

int lpu_command_compare(int argc, char **argv)
{
    lpu_evaluation_options o = lpu_evaluation_defaults();
    const char *designs = NULL;
    bool is_json = false;
    const lpu_option list[] = {
        {"--model", "NAME", "a model of `lpu models`, or a YAML file [bitnet-b1.58-2b4t]", &o.model,
         NULL, NULL},
        {"--designs", "A,B,C", "designs of `lpu designs`, or YAML files [all that ship]", &designs,
         NULL, NULL},
        {"--phase", "PHASE", "decode or prefill [decode]", &o.phase, NULL, NULL},
        {"--context", "N", "tokens in the cache before the pass [decode 512, prefill 0]", NULL,
         &o.context, NULL},
        {"--tokens", "N", "prefill: tokens of the prompt [512]", NULL, &o.tokens, NULL},
        {"--batch", "N", "sequences side by side [1]", NULL, &o.batch, NULL},
        {"--json", NULL, "a JSON array in place of text", NULL, NULL, &is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "compare",
        .text = "put designs side by side: energy per token and where it goes",
        .examples = "lpu compare --designs ternary-edge,int8-mac,fp16-mac\n"
                    "lpu compare --model bitnet-b1.58-3b --phase prefill --tokens 256\n"
                    "lpu compare --json\n",
        .options = list,
    };
    int exit_code;
    const int first = lpu_cli_parse(&usage, argc, argv, &exit_code);
    column *columns = NULL;
    size_t count = 0;
    lpu_diag diag = {""};

    if (exit_code >= 0) return exit_code;
    if (first < argc) {
        fprintf(stderr, "lpu compare: found \"%s\", expected only options\n", argv[first]);
        return LPU_EXIT_USAGE;
    }
    lpu_status status = list_columns(designs, &columns, &count, &diag);
    if (!status) status = run(columns, count, &o, &exit_code, &diag);
    if (!status) {
        if (is_json) print_json(columns, count);
        else print_text(columns, count);
    }
    for (size_t i = 0; columns && i < count; i++) {
        lpu_evaluation_close(&columns[i].e);
        free(columns[i].name);
    }
    free(columns);
    if (!status) return LPU_EXIT_OK;
    lpu_cli_fail(&usage, &diag);
    return exit_code == LPU_EXIT_USAGE ? LPU_EXIT_USAGE : LPU_EXIT_FAILED;
}
