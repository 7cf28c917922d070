/* workloads/model.c - reads the shape of a model, checks it, and counts its weights. */
#include "workloads/model.h"

#include "workloads/output.h"
#include "workloads/yaml.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIM_MAX = 1 << 20, /* with LAYERS_MAX, no product of a shape leaves 64 bits */
    LAYERS_MAX = 1024,
    NAME_MIN = 1,
};

static const char models_dir[] = "workloads/models";

static const cyaml_strval_t weight_kinds[] = {
    {"ternary", LPU_WEIGHTS_TERNARY}, {"binary", LPU_WEIGHTS_BINARY}, {"fp16", LPU_WEIGHTS_FP16}};

static const cyaml_strval_t activations[] = {
    {"silu", LPU_ACT_SILU}, {"relu2", LPU_ACT_RELU2}, {"gelu", LPU_ACT_GELU}};

enum {
    WEIGHT_KINDS = sizeof(weight_kinds) / sizeof(weight_kinds[0]),
    ACTIVATIONS = sizeof(activations) / sizeof(activations[0]),
};

#define TEXT(key, min) CYAML_FIELD_STRING(#key, CYAML_FLAG_DEFAULT, lpu_model, key, min)
#define COUNT(key)     CYAML_FIELD_UINT(#key, CYAML_FLAG_DEFAULT, lpu_model, key)
#define REAL(key)      CYAML_FIELD_FLOAT(#key, CYAML_FLAG_DEFAULT, lpu_model, key)
#define FLAG(key)      CYAML_FIELD_BOOL(#key, CYAML_FLAG_DEFAULT, lpu_model, key)
#define CHOICE(key, names, count)                                                                  \
    CYAML_FIELD_ENUM(#key, CYAML_FLAG_STRICT, lpu_model, key, names, count)

/* Every key of a model's file, in the order in which lpu_model_write writes them. All are required:
 * a default that is wrong for one model is worse than one more line in every file. */
static const cyaml_schema_field_t fields[] = {
    TEXT(name, NAME_MIN),
    TEXT(title, NAME_MIN),
    TEXT(family, NAME_MIN),
    TEXT(source, NAME_MIN),
    TEXT(twin, 0),
    CHOICE(weights, weight_kinds, WEIGHT_KINDS),
    CHOICE(activation, activations, ACTIVATIONS),
    FLAG(is_gated),
    FLAG(has_sub_norm),
    FLAG(is_tied),
    COUNT(hidden_elems),
    COUNT(ffn_elems),
    COUNT(vocab_elems),
    COUNT(layers),
    COUNT(heads),
    COUNT(kv_heads),
    COUNT(head_elems),
    COUNT(kv_layers),
    COUNT(context_tokens),
    COUNT(activation_bits),
    COUNT(native_kv_bits),
    REAL(rope_theta),
    REAL(norm_eps),
    REAL(zero_share),
    REAL(active_share),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, lpu_model, fields)};

/* Moves what libcyaml has allocated into the caller's struct, and checks it. */
static lpu_status take(lpu_model *model, const char *name, void *parsed, lpu_diag *diag)
{
    lpu_diag why = {""};
    lpu_status status = LPU_OK;

    *model = *(lpu_model *)parsed;
    lpu_yaml_free(&schema, &parsed);
    status = lpu_model_check(model, &why);
    return status ? lpu_fail(diag, status, "%s: %s", name, why.text) : LPU_OK;
}

lpu_status lpu_model_parse(lpu_model *model, const char *name, const void *text, size_t bytes,
                           lpu_diag *diag)
{
    void *parsed = NULL;
    const lpu_status status = lpu_yaml_parse(name, text, bytes, &schema, &parsed, diag);
    return status ? status : take(model, name, parsed, diag);
}

/* The name inside a file is its name outside, so that tables and commands agree. */
static lpu_status check_stem(const lpu_model *model, const char *path, lpu_diag *diag)
{
    const char *slash = strrchr(path, '/');
    const char *stem = slash ? slash + 1 : path;
    const size_t bytes = strlen(stem) - strlen(".yaml");

    if (strlen(model->name) == bytes && !memcmp(model->name, stem, bytes)) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s: found name %s, expected that of the file, %.*s",
                    path, model->name, (int)bytes, stem);
}

lpu_status lpu_model_load(lpu_model *model, const char *name, lpu_diag *diag)
{
    char path[4096];
    void *parsed = NULL;
    lpu_status status = lpu_yaml_find(path, sizeof(path), models_dir, name, diag);

    if (!status) status = lpu_yaml_load(path, &schema, &parsed, diag);
    if (!status) status = take(model, path, parsed, diag);
    return status ? status : check_stem(model, path, diag);
}

static lpu_status check_texts(const lpu_model *m, lpu_diag *diag)
{
    const char *texts[] = {m->name, m->title, m->family, m->source, m->twin};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (const char *c = texts[i]; *c; c++) {
            if (!iscntrl((unsigned char)*c)) continue;
            return lpu_fail(diag, LPU_ERR_RANGE,
                            "found control character %d in a name or source, expected plain text",
                            (unsigned char)*c);
        }
    }
    return LPU_OK;
}

static lpu_status check_dims(const lpu_model *m, lpu_diag *diag)
{
    const struct {
        const char *key;
        uint64_t value, min, max;
    } rows[] = {
        {"hidden_elems", m->hidden_elems, 1, DIM_MAX},
        {"ffn_elems", m->ffn_elems, 1, DIM_MAX},
        {"vocab_elems", m->vocab_elems, 1, DIM_MAX},
        {"layers", m->layers, 1, LAYERS_MAX},
        {"heads", m->heads, 1, DIM_MAX},
        {"kv_heads", m->kv_heads, 1, m->heads},
        {"head_elems", m->head_elems, 2, DIM_MAX},
        {"heads * head_elems", (uint64_t)m->heads * m->head_elems, 2, DIM_MAX},
        {"kv_layers", m->kv_layers, 0, m->layers},
        {"context_tokens", m->context_tokens, 1, DIM_MAX},
        {"native_kv_bits", m->native_kv_bits, 1, 16},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].value >= rows[i].min && rows[i].value <= rows[i].max) continue;
        return lpu_fail(diag, LPU_ERR_RANGE, "%s is %llu, expected %llu to %llu", rows[i].key,
                        (unsigned long long)rows[i].value, (unsigned long long)rows[i].min,
                        (unsigned long long)rows[i].max);
    }
    if (m->heads % m->kv_heads) {
        return lpu_fail(diag, LPU_ERR_RANGE, "heads is %u, expected a multiple of kv_heads, %u",
                        m->heads, m->kv_heads);
    }
    if (m->head_elems % 2) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "head_elems is %u, expected an even number: rotary position turns pairs",
                        m->head_elems);
    }
    return LPU_OK;
}

/* Shares and real numbers; written so that a NaN fails. */
static lpu_status check_reals(const lpu_model *m, lpu_diag *diag)
{
    const double zero_max = m->weights == LPU_WEIGHTS_TERNARY ? 1.0 : 0.0;

    if (!(m->rope_theta > 0.0 && isfinite(m->rope_theta))) {
        return lpu_fail(diag, LPU_ERR_RANGE, "rope_theta is %g, expected above 0", m->rope_theta);
    }
    if (!(m->norm_eps > 0.0 && m->norm_eps < 1.0)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "norm_eps is %g, expected between 0 and 1",
                        m->norm_eps);
    }
    if (!(m->zero_share >= 0.0 && m->zero_share <= zero_max)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "zero_share is %g, expected %s", m->zero_share,
                        zero_max > 0.0 ? "0 to 1" : "0: only ternary weights are zero by design");
    }
    if (!(m->active_share > 0.0 && m->active_share <= 1.0)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "active_share is %g, expected above 0, at most 1",
                        m->active_share);
    }
    return LPU_OK;
}

static lpu_status check_kinds(const lpu_model *m, lpu_diag *diag)
{
    const bool is_fp16 = m->weights == LPU_WEIGHTS_FP16;

    if ((unsigned)m->weights >= WEIGHT_KINDS || (unsigned)m->activation >= ACTIVATIONS) {
        return lpu_fail(diag, LPU_ERR_RANGE, "weights is %d and activation %d, expected 0 to 2",
                        (int)m->weights, (int)m->activation);
    }
    if (is_fp16 ? m->activation_bits == 16 : m->activation_bits == 4 || m->activation_bits == 8) {
        return LPU_OK;
    }
    return lpu_fail(diag, LPU_ERR_RANGE, "activation_bits is %u, expected %s", m->activation_bits,
                    is_fp16 ? "16, as the weights are FP16" : "4 or 8");
}

lpu_status lpu_model_check(const lpu_model *model, lpu_diag *diag)
{
    lpu_status status = check_texts(model, diag);
    if (!status) status = check_dims(model, diag);
    if (!status) status = check_reals(model, diag);
    return status ? status : check_kinds(model, diag);
}

uint64_t lpu_model_linear_elems(const lpu_model *model)
{
    const uint64_t hidden = model->hidden_elems;
    const uint64_t q_o = 2 * hidden * model->heads * model->head_elems;
    const uint64_t k_v = 2 * hidden * model->kv_heads * model->head_elems;
    const uint64_t ffn = (model->is_gated ? 3 : 2) * hidden * model->ffn_elems;

    return model->layers * (q_o + k_v + ffn);
}

uint64_t lpu_model_total_elems(const lpu_model *model)
{
    const uint64_t table = (uint64_t)model->vocab_elems * model->hidden_elems;
    return lpu_model_linear_elems(model) + (model->is_tied ? 1 : 2) * table;
}

const char *lpu_model_weights_name(lpu_weight_kind kind)
{
    assert((unsigned)kind < WEIGHT_KINDS);
    return weight_kinds[kind].str;
}

const char *lpu_model_activation_name(lpu_activation activation)
{
    assert((unsigned)activation < ACTIVATIONS);
    return activations[activation].str;
}

static void write_real(const char *key, double value, FILE *file, const char *prefix)
{
    fprintf(file, "%s%s: ", prefix, key);
    lpu_output_real(file, value);
    fputc('\n', file);
}

static const char *boolean(bool value)
{
    return value ? "true" : "false";
}

/* A text in double quotes, as YAML and JSON have it. */
static void write_text(const char *key, const char *text, FILE *file, const char *prefix)
{
    fprintf(file, "%s%s: \"", prefix, key);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', file);
        fputc(*text, file);
    }
    fputs("\"\n", file);
}

void lpu_model_write(const lpu_model *m, FILE *file, const char *prefix)
{
    write_text("name", m->name, file, prefix);
    write_text("title", m->title, file, prefix);
    write_text("family", m->family, file, prefix);
    write_text("source", m->source, file, prefix);
    write_text("twin", m->twin, file, prefix);
    fprintf(file, "%sweights: %s\n", prefix, lpu_model_weights_name(m->weights));
    fprintf(file, "%sactivation: %s\n", prefix, lpu_model_activation_name(m->activation));
    fprintf(file, "%sis_gated: %s\n", prefix, boolean(m->is_gated));
    fprintf(file, "%shas_sub_norm: %s\n", prefix, boolean(m->has_sub_norm));
    fprintf(file, "%sis_tied: %s\n", prefix, boolean(m->is_tied));
    fprintf(file, "%shidden_elems: %u\n", prefix, m->hidden_elems);
    fprintf(file, "%sffn_elems: %u\n", prefix, m->ffn_elems);
    fprintf(file, "%svocab_elems: %u\n", prefix, m->vocab_elems);
    fprintf(file, "%slayers: %u\n", prefix, m->layers);
    fprintf(file, "%sheads: %u\n", prefix, m->heads);
    fprintf(file, "%skv_heads: %u\n", prefix, m->kv_heads);
    fprintf(file, "%shead_elems: %u\n", prefix, m->head_elems);
    fprintf(file, "%skv_layers: %u\n", prefix, m->kv_layers);
    fprintf(file, "%scontext_tokens: %u\n", prefix, m->context_tokens);
    fprintf(file, "%sactivation_bits: %u\n", prefix, m->activation_bits);
    fprintf(file, "%snative_kv_bits: %u\n", prefix, m->native_kv_bits);
    write_real("rope_theta", m->rope_theta, file, prefix);
    write_real("norm_eps", m->norm_eps, file, prefix);
    write_real("zero_share", m->zero_share, file, prefix);
    write_real("active_share", m->active_share, file, prefix);
}
