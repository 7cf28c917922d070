/* cli/models.c - lpu models: the models that ship, side by side, or one of them in full. */
#include "cli/cli.h"

#include "workloads/model.h"
#include "workloads/yaml.h"

#include <stdlib.h>
#include <string.h>

typedef struct shelf {
    lpu_model *models; /* (count) by name */
    size_t count;
} shelf;

/* Every shipped model. On failure there is nothing to free. */
static lpu_status load_all(shelf *s, lpu_diag *diag)
{
    char **names = NULL;
    size_t count = 0;
    lpu_status status = lpu_yaml_list("workloads/models", &names, &count, diag);
    if (status) return status;

    *s = (shelf){.models = calloc(count + 1, sizeof(*s->models))};
    if (!s->models) status = lpu_fail(diag, LPU_ERR_MEMORY, "models: out of memory");
    for (size_t i = 0; i < count; i++) {
        if (!status) status = lpu_model_load(&s->models[i], names[i], diag);
        free(names[i]);
    }
    free(names);
    s->count = count;
    if (status) {
        free(s->models);
        s->models = NULL;
    }
    return status;
}

/* What one more token adds to the cache, in the precision of the model's authors. */
static double kv_bytes_per_token(const lpu_model *m)
{
    return 2.0 * m->kv_layers * m->kv_heads * m->head_elems * m->native_kv_bits / 8.0;
}

static json_t *json_of(const lpu_model *m)
{
    return json_pack(
        "{s:s s:s s:s s:s s:s s:s s:s s:b s:b s:b s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:I s:f "
        "s:f s:f s:f s:I s:I s:f}",
        "name", m->name, "title", m->title, "family", m->family, "source", m->source, "twin",
        m->twin, "weights", lpu_model_weights_name(m->weights), "activation",
        lpu_model_activation_name(m->activation), "is_gated", m->is_gated, "has_sub_norm",
        m->has_sub_norm, "is_tied", m->is_tied, "hidden_elems", (json_int_t)m->hidden_elems,
        "ffn_elems", (json_int_t)m->ffn_elems, "vocab_elems", (json_int_t)m->vocab_elems, "layers",
        (json_int_t)m->layers, "heads", (json_int_t)m->heads, "kv_heads", (json_int_t)m->kv_heads,
        "head_elems", (json_int_t)m->head_elems, "kv_layers", (json_int_t)m->kv_layers,
        "context_tokens", (json_int_t)m->context_tokens, "activation_bits",
        (json_int_t)m->activation_bits, "native_kv_bits", (json_int_t)m->native_kv_bits,
        "rope_theta", m->rope_theta, "norm_eps", m->norm_eps, "zero_share", m->zero_share,
        "active_share", m->active_share, "linear_elems", (json_int_t)lpu_model_linear_elems(m),
        "total_elems", (json_int_t)lpu_model_total_elems(m), "kv_bytes_per_token",
        kv_bytes_per_token(m));
}

static void print_table(const shelf *s, bool has_sources)
{
    static const char *const heads[] = {"name",      "family", "weights",    "linear, 10^9",
                                        "all, 10^9", "hidden", "ffn",        "layers",
                                        "heads/kv",  "vocab",  "KV B/token", "source"};
    const size_t columns = sizeof(heads) / sizeof(heads[0]) - !has_sources;
    lpu_table *t = lpu_table_open(columns, heads);

    for (size_t i = 0; i < s->count; i++) {
        const lpu_model *m = &s->models[i];
        lpu_table_cell(t, "%s", m->name);
        lpu_table_cell(t, "%s", m->family);
        lpu_table_cell(t, "%s", lpu_model_weights_name(m->weights));
        lpu_table_cell(t, "%.3f", (double)lpu_model_linear_elems(m) / 1e9);
        lpu_table_cell(t, "%.3f", (double)lpu_model_total_elems(m) / 1e9);
        lpu_table_cell(t, "%u", m->hidden_elems);
        lpu_table_cell(t, "%u", m->ffn_elems);
        lpu_table_cell(t, "%u", m->layers);
        lpu_table_cell(t, "%u/%u", m->heads, m->kv_heads);
        lpu_table_cell(t, "%u", m->vocab_elems);
        lpu_table_cell(t, "%.0f", kv_bytes_per_token(m));
        if (has_sources) lpu_table_cell(t, "%s", m->source);
    }
    lpu_table_print(t, stdout);
    lpu_table_close(&t);
}

static int print_all(const lpu_usage *usage, bool is_json, bool has_sources)
{
    shelf s = {0};
    lpu_diag diag = {""};

    if (load_all(&s, &diag)) return lpu_cli_fail(usage, &diag);
    if (is_json) {
        json_t *array = json_array();
        for (size_t i = 0; i < s.count; i++) json_array_append_new(array, json_of(&s.models[i]));
        lpu_cli_print_json(array);
    } else {
        print_table(&s, has_sources);
    }
    free(s.models);
    return LPU_EXIT_OK;
}

/* The model's own YAML, which can be saved, changed and given back by path. */
static int print_one(const lpu_usage *usage, const char *name, bool is_json)
{
    lpu_model m;
    lpu_diag diag = {""};

    if (lpu_model_load(&m, name, &diag)) {
        lpu_cli_fail(usage, &diag);
        return LPU_EXIT_USAGE;
    }
    if (is_json) {
        lpu_cli_print_json(json_of(&m));
        return LPU_EXIT_OK;
    }
    lpu_model_write(&m, stdout, "");
    printf("# weights of the linear layers: %llu\n",
           (unsigned long long)lpu_model_linear_elems(&m));
    printf("# all weights: %llu\n", (unsigned long long)lpu_model_total_elems(&m));
    printf("# bytes that a token adds to the cache: %.0f\n", kv_bytes_per_token(&m));
    return LPU_EXIT_OK;
}

int lpu_command_models(int argc, char **argv)
{
    bool is_json = false, has_sources = false;
    const lpu_option list[] = {
        {"--sources", NULL, "a column that says where each shape is from", NULL, NULL,
         &has_sources},
        {"--json", NULL, "JSON in place of text", NULL, NULL, &is_json},
        {0},
    };
    const lpu_usage usage = {
        .name = "models",
        .text = "list the models that ship, or print one",
        .examples = "lpu models\n"
                    "lpu models bitnet-b1.58-2b4t\n"
                    "lpu models --json\n",
        .options = list,
        .operands = "[NAME]",
    };
    int exit_code;
    const int first = lpu_cli_parse(&usage, argc, argv, &exit_code);

    if (exit_code >= 0) return exit_code;
    if (argc - first > 1) {
        fprintf(stderr, "lpu models: found %d names, expected one or none\n", argc - first);
        return LPU_EXIT_USAGE;
    }
    if (first < argc) return print_one(&usage, argv[first], is_json);
    return print_all(&usage, is_json, has_sources);
}
