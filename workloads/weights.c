/* workloads/weights.c - finds the tensors of a BitNet-type model in a GGUF file, by the names that
 * llama.cpp and bitnet.cpp give them, and converts them one by one. */
#include "workloads/weights.h"

#include "workloads/gguf.h"
#include "workloads/ternary.h"
#include "workloads/weights_convert.h"
#include "workloads/weights_packed.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROPE_BYTES_MAX = 1 << 30 };

static const double log2_e = 1.4426950408889634; /* log2(e) */

/* One file being read. The first failure is told in diag. */
typedef struct reader {
    const lpu_gguf *g;
    lpu_weights *w;
    const char *arch;
    bool is_interleaved; /* the rows of each head of Q and K */
    bool is_packed;
    bool *is_used; /* (tensors) by index */
    uint64_t zero_elems;
    lpu_diag *diag;
} reader;

/* Architectures that hold models of this type, as llama.cpp (first and last) and bitnet.cpp name
 * them. llama: Falcon3-1.58 and Llama3-8B-1.58. Its files pair neighbours in RoPE, so the rows of
 * each head of Q and K are interleaved; the others pair halves, as arithmetic.md does
 * (llama.cpp, llama_model_rope_type: NORM for llama, NEOX for bitnet). */
static const struct {
    const char *name;
    lpu_activation activation; /* where the file does not tell */
    bool is_interleaved;
} archs[] = {
    {"bitnet", LPU_ACT_RELU2, false}, /* BitNet b1.58 2B4T model card: squared ReLU */
    {"bitnet-b1.58", LPU_ACT_RELU2, false},
    {"bitnet-25", LPU_ACT_RELU2, false},
    {"llama", LPU_ACT_SILU, true},
};

static lpu_status find_arch(reader *r)
{
    lpu_gguf_string s;
    lpu_status status = lpu_gguf_get_string(r->g, "general.architecture", &s, r->diag);

    if (status) return status;
    for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
        if (strlen(archs[i].name) != s.bytes || memcmp(archs[i].name, s.text, s.bytes)) continue;
        r->arch = archs[i].name;
        r->is_interleaved = archs[i].is_interleaved;
        r->w->model.activation = archs[i].activation;
        return LPU_OK;
    }
    char text[32] = "";
    for (size_t i = 0; i < s.bytes && i + 1 < sizeof(text); i++) {
        text[i] = s.text[i] >= ' ' && s.text[i] <= '~' ? s.text[i] : '?';
    }
    return lpu_fail(r->diag, LPU_ERR_FORMAT,
                    "%s: architecture is \"%s\", expected bitnet, bitnet-b1.58, bitnet-25 "
                    "or llama",
                    lpu_gguf_name(r->g), text);
}

/* "<arch>.<suffix>"; the value stays as it is where the key is optional and not there. */
static lpu_status shape_u32(const reader *r, const char *suffix, bool is_optional, uint32_t *value)
{
    char key[128];
    snprintf(key, sizeof(key), "%s.%s", r->arch, suffix);
    if (is_optional && !lpu_gguf_has(r->g, key)) return LPU_OK;
    return lpu_gguf_get_u32(r->g, key, value, r->diag);
}

static lpu_status shape_f32(const reader *r, const char *suffix, double *value)
{
    char key[128];
    float single = 0;
    lpu_status status;

    snprintf(key, sizeof(key), "%s.%s", r->arch, suffix);
    status = lpu_gguf_get_f32(r->g, key, &single, r->diag);
    *value = (double)single;
    return status;
}

/* Files of others do not tell the activation; ours do. */
static lpu_status read_activation(const reader *r, lpu_activation *activation)
{
    static const struct {
        const char *name;
        lpu_activation activation;
    } names[] = {{"relu2", LPU_ACT_RELU2}, {"silu", LPU_ACT_SILU}, {"gelu", LPU_ACT_GELU}};
    lpu_gguf_string s;

    if (!lpu_gguf_has(r->g, "setun.activation")) return LPU_OK;
    lpu_status status = lpu_gguf_get_string(r->g, "setun.activation", &s, r->diag);
    if (status) return status;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i].name) != s.bytes || memcmp(names[i].name, s.text, s.bytes)) continue;
        *activation = names[i].activation;
        return LPU_OK;
    }
    return lpu_fail(r->diag, LPU_ERR_FORMAT,
                    "%s: setun.activation is unknown, expected relu2, silu or gelu",
                    lpu_gguf_name(r->g));
}

/* Ternary or binary, by the type of the tensors; FP16 only where the file says so itself. */
static lpu_status read_kind(const reader *r, lpu_model *m)
{
    const lpu_gguf_tensor *q = lpu_gguf_find(r->g, "blk.0.attn_q.weight");
    lpu_gguf_string s;

    m->weights = q && q->type == LPU_QUANT_Q1_0 ? LPU_WEIGHTS_BINARY : LPU_WEIGHTS_TERNARY;
    m->activation_bits = 8;
    if (!lpu_gguf_has(r->g, "setun.weights")) return LPU_OK;
    lpu_status status = lpu_gguf_get_string(r->g, "setun.weights", &s, r->diag);
    if (status) return status;
    if (s.bytes != 4 || memcmp(s.text, "fp16", 4)) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: setun.weights is unknown, expected fp16",
                        lpu_gguf_name(r->g));
    }
    m->weights = LPU_WEIGHTS_FP16;
    m->activation_bits = 16;
    return LPU_OK;
}

/* Names for tables: the model's own, else the file's; in plain characters. */
static void read_names(const reader *r, lpu_model *m)
{
    const char *path = lpu_gguf_name(r->g);
    const char *slash = strrchr(path, '/');
    lpu_gguf_string s = {slash ? slash + 1 : path, strlen(slash ? slash + 1 : path)};

    if (lpu_gguf_has(r->g, "general.name")) {
        (void)lpu_gguf_get_string(r->g, "general.name", &s, NULL);
    }
    for (size_t i = 0; i < s.bytes && i + 1 < sizeof(m->name); i++) {
        const unsigned char c = (unsigned char)s.text[i];
        m->name[i] = c < ' ' || c == 127 ? '?' : (char)c;
    }
    snprintf(m->title, sizeof(m->title), "%s", m->name);
    snprintf(m->family, sizeof(m->family), "GGUF");
    for (size_t i = 0; path[i] && i + 1 < sizeof(m->source); i++) {
        const unsigned char c = (unsigned char)path[i];
        m->source[i] = c < ' ' || c == 127 ? '?' : (char)c;
    }
}

static lpu_status read_shape(reader *r)
{
    lpu_model *m = &r->w->model;
    lpu_status status = find_arch(r);

    if (!status) status = shape_u32(r, "block_count", false, &m->layers);
    if (!status) status = shape_u32(r, "embedding_length", false, &m->hidden_elems);
    if (!status) status = shape_u32(r, "feed_forward_length", false, &m->ffn_elems);
    if (!status) status = shape_u32(r, "context_length", false, &m->context_tokens);
    if (!status) status = shape_u32(r, "attention.head_count", false, &m->heads);
    m->kv_heads = m->heads;
    if (!status) status = shape_u32(r, "attention.head_count_kv", true, &m->kv_heads);
    m->head_elems = m->heads ? m->hidden_elems / m->heads : 0;
    if (!status) status = shape_u32(r, "attention.key_length", true, &m->head_elems);
    if (!status) status = shape_f32(r, "attention.layer_norm_rms_epsilon", &m->norm_eps);
    if (!status) status = shape_f32(r, "rope.freq_base", &m->rope_theta);
    if (!status) status = read_activation(r, &m->activation);
    if (!status) status = read_kind(r, m);
    return status;
}

/* What the tensors say about the shape; then all of it is checked. */
static lpu_status complete_shape(reader *r, uint32_t context_tokens)
{
    lpu_model *m = &r->w->model;
    const lpu_gguf_tensor *embed = lpu_gguf_find(r->g, "token_embd.weight");
    lpu_diag why = {""};

    read_names(r, m);
    m->vocab_elems = embed && embed->elems[1] <= UINT32_MAX ? (uint32_t)embed->elems[1] : 0;
    m->is_gated = lpu_gguf_find(r->g, "blk.0.ffn_gate.weight") != NULL;
    m->has_sub_norm = lpu_gguf_find(r->g, "blk.0.attn_sub_norm.weight") != NULL;
    m->is_tied = !lpu_gguf_find(r->g, "output.weight") && !lpu_gguf_find(r->g, "output.scales");
    m->kv_layers = m->layers;
    m->native_kv_bits = 16;
    m->active_share = 1;
    if (context_tokens && context_tokens < m->context_tokens) m->context_tokens = context_tokens;

    const lpu_status status = lpu_model_check(m, &why);
    if (status) return lpu_fail(r->diag, status, "%s: %s", lpu_gguf_name(r->g), why.text);
    return LPU_OK;
}

/* Finds a tensor of (rows, cols), rows 0 for a vector. Not there: *t is NULL, and a failure unless
 * it is optional. */
static lpu_status find_tensor(const reader *r, const char *name, uint64_t rows, uint64_t cols,
                              bool is_optional, const lpu_gguf_tensor **t)
{
    *t = lpu_gguf_find(r->g, name);
    if (!*t) {
        if (is_optional) return LPU_OK;
        return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: tensor %s is missing", lpu_gguf_name(r->g),
                        name);
    }
    const uint64_t *e = (*t)->elems;
    if (e[0] != cols || e[1] != (rows ? rows : 1) || e[2] != 1 || e[3] != 1) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT,
                        "%s: tensor %s is %" PRIu64 " by %" PRIu64 ", expected %" PRIu64
                        " by %" PRIu64,
                        lpu_gguf_name(r->g), name, e[1], e[0], rows ? rows : 1, cols);
    }
    r->is_used[*t - lpu_gguf_tensor_at(r->g, 0)] = true;
    return LPU_OK;
}

/* A tensor of real numbers, for gains and factors. */
static lpu_status find_reals(const reader *r, const char *name, uint64_t cols, bool is_optional,
                             const lpu_gguf_tensor **t)
{
    lpu_status status = find_tensor(r, name, 0, cols, is_optional, t);
    if (status || !*t || lpu_quants_find((uint32_t)(*t)->type)->block_elems == 1) return status;
    return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: tensor %s is %s, expected F32, F16 or BF16",
                    lpu_gguf_name(r->g), name, lpu_quants_find((uint32_t)(*t)->type)->name);
}

static lpu_status load_gain(reader *r, lpu_gain *gain, const char *prefix, const char *name,
                            uint32_t elems, bool is_optional)
{
    char full[96];
    const lpu_gguf_tensor *t;
    lpu_status status;

    snprintf(full, sizeof(full), "%s%s.weight", prefix, name);
    status = find_reals(r, full, elems, is_optional, &t);
    if (status || !t) return status;
    return lpu_weights_convert_gain(gain, r->g, t, r->diag);
}

static lpu_status load_halves(reader *r, lpu_matrix *m, const lpu_gguf_tensor *t, float factor,
                              uint32_t interleaved_rows)
{
    const lpu_quant_info *info = lpu_quants_find((uint32_t)t->type);

    if (info->block_elems != 1 || factor != 1 || interleaved_rows) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT,
                        "%s: tensor %s of a full-precision model is %s, expected F32, F16 or BF16 "
                        "without a factor, in a file of architecture bitnet",
                        lpu_gguf_name(r->g), t->name, info->name);
    }
    return lpu_weights_convert_halves(m, r->g, t, r->diag);
}

/* A matrix and the factor that some files keep beside it. */
static lpu_status load_matrix(reader *r, lpu_matrix *m, const char *prefix, const char *name,
                              uint32_t rows, uint32_t cols, uint32_t interleaved_rows)
{
    char full[96];
    const lpu_gguf_tensor *t, *factor_tensor;
    float factor = 1;
    lpu_status status;

    if (r->is_packed) {
        const lpu_weights_packed p = {r->g, r->is_used, r->diag};
        return lpu_weights_packed_linear(&p, m, prefix, name, rows, cols);
    }
    snprintf(full, sizeof(full), "%s%s.scale", prefix, name);
    status = find_reals(r, full, 1, true, &factor_tensor);
    if (status) return status;
    if (factor_tensor) {
        lpu_quants_decode(factor_tensor->type, &factor, factor_tensor->data, 1, 0);
        if (!(isfinite(factor) && factor > 0)) {
            return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s: %s is %g, expected a positive number",
                            lpu_gguf_name(r->g), full, (double)factor);
        }
    }
    snprintf(full, sizeof(full), "%s%s.weight", prefix, name);
    status = find_tensor(r, full, rows, cols, false, &t);
    if (status) return status;
    if (r->w->model.weights == LPU_WEIGHTS_FP16)
        return load_halves(r, m, t, factor, interleaved_rows);
    return lpu_weights_convert_linear(m, r->g, t, factor, interleaved_rows, &r->zero_elems,
                                      r->diag);
}

static lpu_status load_linear(reader *r, lpu_matrix *m, const char *prefix, const char *name,
                              uint32_t rows, uint32_t cols)
{
    return load_matrix(r, m, prefix, name, rows, cols, 0);
}

static lpu_status load_layer(reader *r, uint32_t layer)
{
    const lpu_model *m = &r->w->model;
    lpu_layer_weights *l = &r->w->layer[layer];
    const uint32_t hidden = m->hidden_elems, ffn = m->ffn_elems;
    const uint32_t q = m->heads * m->head_elems, kv = m->kv_heads * m->head_elems;
    const uint32_t head = r->is_interleaved ? m->head_elems : 0;
    char p[32];
    lpu_status status;

    snprintf(p, sizeof(p), "blk.%" PRIu32 ".", layer);
    status = load_gain(r, &l->attn_norm, p, "attn_norm", hidden, false);
    if (!status) status = load_matrix(r, &l->q, p, "attn_q", q, hidden, head);
    if (!status) status = load_matrix(r, &l->k, p, "attn_k", kv, hidden, head);
    if (!status) status = load_linear(r, &l->v, p, "attn_v", kv, hidden);
    if (!status) status = load_gain(r, &l->attn_sub_norm, p, "attn_sub_norm", q, true);
    if (!status) status = load_linear(r, &l->o, p, "attn_output", hidden, q);
    if (!status) status = load_gain(r, &l->ffn_norm, p, "ffn_norm", hidden, false);
    if (!status && m->is_gated) status = load_linear(r, &l->gate, p, "ffn_gate", ffn, hidden);
    if (!status) status = load_linear(r, &l->up, p, "ffn_up", ffn, hidden);
    if (!status) status = load_gain(r, &l->ffn_sub_norm, p, "ffn_sub_norm", ffn, true);
    if (!status) status = load_linear(r, &l->down, p, "ffn_down", hidden, ffn);
    return status;
}

static lpu_status load_embed(reader *r)
{
    lpu_weights *w = r->w;
    const lpu_gguf_tensor *t;
    const uint32_t vocab = w->model.vocab_elems, hidden = w->model.hidden_elems;

    if (r->is_packed) {
        const lpu_weights_packed p = {r->g, r->is_used, r->diag};
        return lpu_weights_packed_embed(&p, &w->embed, &w->head, w->head_trits, vocab, hidden,
                                        w->model.is_tied);
    }
    lpu_status status = find_tensor(r, "token_embd.weight", vocab, hidden, false, &t);
    if (status) return status;
    status = lpu_weights_convert_embed(&w->embed, &w->embed_f16, r->g, t, w->head_trits, r->diag);
    if (status) return status;
    if (w->model.is_tied) {
        w->head = w->embed;
        w->head_f16 = w->embed_f16;
        return LPU_OK;
    }
    status = find_tensor(r, "output.weight", vocab, hidden, false, &t);
    if (status) return status;
    return lpu_weights_convert_embed(&w->head, &w->head_f16, r->g, t, w->head_trits, r->diag);
}

/* rope[pos][i] = cos and sin of pos theta^(-2i / head_elems) / factor[i]; rope_freqs.weight has the
 * factors, if any. */
static lpu_status load_rope(reader *r)
{
    const lpu_model *m = &r->w->model;
    const size_t half = m->head_elems / 2;
    const uint64_t size = (uint64_t)m->context_tokens * half * 2 * sizeof(int16_t);
    const lpu_gguf_tensor *factors;
    lpu_status status = find_reals(r, "rope_freqs.weight", half, true, &factors);

    if (status) return status;
    if (size > ROPE_BYTES_MAX) {
        return lpu_fail(r->diag, LPU_ERR_RANGE,
                        "%s: the rotary table of %u positions takes %" PRIu64
                        " bytes, expected at most 2^30: ask for a shorter context",
                        lpu_gguf_name(r->g), m->context_tokens, size);
    }
    r->w->rope = malloc((size_t)size);
    if (!r->w->rope) {
        return lpu_fail(r->diag, LPU_ERR_MEMORY, "%s: out of memory", lpu_gguf_name(r->g));
    }
    for (size_t i = 0; i < half; i++) {
        float factor = 1;
        if (factors) {
            const size_t each = lpu_quants_row_bytes(factors->type, 1);
            lpu_quants_decode(factors->type, &factor, (const uint8_t *)factors->data + i * each, 1,
                              0);
        }
        const double turn = pow(m->rope_theta, -2.0 * (double)i / m->head_elems) / (double)factor;
        if (!(factor > 0) || !isfinite(turn * m->context_tokens)) {
            return lpu_fail(r->diag, LPU_ERR_FORMAT,
                            "%s: rope_freqs.weight: element %zu is %g, expected a positive number",
                            lpu_gguf_name(r->g), i, (double)factor);
        }
        for (size_t pos = 0; pos < m->context_tokens; pos++) {
            int16_t *pair = r->w->rope + 2 * (pos * half + i);
            pair[0] = (int16_t)lround(cos((double)pos * turn) * 16384);
            pair[1] = (int16_t)lround(sin((double)pos * turn) * 16384);
        }
    }
    return LPU_OK;
}

/* A tensor that nobody asked for changes the model in a way that would be lost: biases, query
 * norms, experts. */
static lpu_status check_all_used(const reader *r)
{
    for (size_t i = 0; i < lpu_gguf_tensors(r->g); i++) {
        if (r->is_used[i]) continue;
        if (r->is_packed && !strcmp(lpu_gguf_tensor_at(r->g, i)->name, "setun.sum")) continue;
        return lpu_fail(r->diag, LPU_ERR_FORMAT,
                        "%s: tensor %s has no place in a BitNet-type model of %u layers",
                        lpu_gguf_name(r->g), lpu_gguf_tensor_at(r->g, i)->name, r->w->model.layers);
    }
    return LPU_OK;
}

/* What the streams of a packed file cannot tell. */
static lpu_status read_packed(reader *r)
{
    lpu_weights *w = r->w;
    lpu_gguf_string layout;
    float zero_share = 0;
    uint32_t is_binary = 0;
    lpu_status status = lpu_gguf_get_string(r->g, "setun.pack.layout", &layout, r->diag);

    if (!status) status = lpu_gguf_get_f32(r->g, "setun.pack.zero_share", &zero_share, r->diag);
    if (!status) status = lpu_gguf_get_u32(r->g, "setun.pack.is_binary", &is_binary, r->diag);
    if (status) return status;
    if (!layout.bytes || layout.bytes >= sizeof(w->packed)) {
        return lpu_fail(r->diag, LPU_ERR_FORMAT,
                        "%s: setun.pack.layout is %zu bytes long, expected 1 to %zu",
                        lpu_gguf_name(r->g), layout.bytes, sizeof(w->packed) - 1);
    }
    memcpy(w->packed, layout.text, layout.bytes);
    w->model.zero_share = (double)zero_share;
    w->model.weights = is_binary ? LPU_WEIGHTS_BINARY : LPU_WEIGHTS_TERNARY;
    return LPU_OK;
}

static lpu_status load_all(reader *r, uint32_t context_tokens)
{
    lpu_weights *w = r->w;
    lpu_status status = read_shape(r);

    if (!status) status = complete_shape(r, context_tokens);
    if (!status && r->is_packed) status = read_packed(r);
    if (status) return status;
    w->layer = calloc(w->model.layers, sizeof(*w->layer));
    if (!w->layer) {
        return lpu_fail(r->diag, LPU_ERR_MEMORY, "%s: out of memory", lpu_gguf_name(r->g));
    }
    w->eps = lpu_scale_from_real(w->model.norm_eps);
    w->score_scale = lpu_scale_from_real(log2_e / sqrt((double)w->model.head_elems));
    status = load_rope(r);
    for (uint32_t i = 0; i < w->model.layers && !status; i++) status = load_layer(r, i);
    if (!status)
        status = load_gain(r, &w->output_norm, "", "output_norm", w->model.hidden_elems, false);
    if (!status) status = load_embed(r);
    if (!status) status = check_all_used(r);
    if (r->is_packed) return status;
    w->model.zero_share = (double)r->zero_elems / (double)lpu_model_linear_elems(&w->model);
    return status;
}

static lpu_status load(lpu_weights **out, const lpu_gguf *g, bool is_packed, uint32_t head_trits,
                       uint32_t context_tokens, lpu_diag *diag)
{
    reader r = {.g = g, .is_packed = is_packed, .diag = diag};

    *out = NULL;
    if (head_trits < 3 || head_trits > LPU_TRITS_MAX) {
        return lpu_fail(diag, LPU_ERR_RANGE, "%s: found %u trits for the head, expected 3 to %d",
                        lpu_gguf_name(g), head_trits, LPU_TRITS_MAX);
    }
    r.w = calloc(1, sizeof(*r.w));
    r.is_used = calloc(lpu_gguf_tensors(g) + 1, sizeof(*r.is_used));
    lpu_status status;
    if (r.w && r.is_used) {
        r.w->head_trits = head_trits;
        status = load_all(&r, context_tokens);
    } else {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", lpu_gguf_name(g));
    }
    free(r.is_used);
    if (status) lpu_weights_close(&r.w);
    *out = r.w;
    return status;
}

lpu_status lpu_weights_load(lpu_weights **out, const lpu_gguf *g, uint32_t head_trits,
                            uint32_t context_tokens, lpu_diag *diag)
{
    *out = NULL;
    if (lpu_gguf_has(g, "setun.pack.version")) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "%s: packed for kernels of a CPU, expected the GGUF file that it was made "
                        "from: packed files are for lpu run --backend cpu and lpu bench model",
                        lpu_gguf_name(g));
    }
    return load(out, g, false, head_trits, context_tokens, diag);
}

lpu_status lpu_weights_load_packed(lpu_weights **out, const lpu_gguf *g, uint32_t context_tokens,
                                   lpu_diag *diag)
{
    uint32_t head_trits;

    *out = NULL;
    lpu_status status = lpu_gguf_get_u32(g, "setun.pack.head_trits", &head_trits, diag);
    return status ? status : load(out, g, true, head_trits, context_tokens, diag);
}

lpu_status lpu_weights_open(lpu_weights **out, const char *path, uint32_t head_trits,
                            uint32_t context_tokens, lpu_diag *diag)
{
    lpu_gguf *g;
    lpu_status status = lpu_gguf_open(&g, path, diag);

    *out = NULL;
    if (status) return status;
    status = lpu_weights_load(out, g, head_trits, context_tokens, diag);
    lpu_gguf_close(&g);
    return status;
}

static void free_matrix(lpu_matrix *m)
{
    free(m->planes);
    free(m->row_scales);
    free(m->f16);
}

static void free_gain(lpu_gain *gain)
{
    free(gain->g);
    free(gain->real);
}

static void free_layer(lpu_layer_weights *l, bool is_packed)
{
    lpu_gain *gains[] = {&l->attn_norm, &l->attn_sub_norm, &l->ffn_norm, &l->ffn_sub_norm};
    lpu_matrix *matrices[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    for (size_t i = 0; i < sizeof(gains) / sizeof(gains[0]); i++) free_gain(gains[i]);
    /* Those of a packed file lie in it. */
    for (size_t i = 0; i < sizeof(matrices) / sizeof(matrices[0]) && !is_packed; i++) {
        free_matrix(matrices[i]);
    }
}

void lpu_weights_close(lpu_weights **out)
{
    lpu_weights *w = *out;

    if (!w) return;
    for (uint32_t i = 0; w->layer && i < w->model.layers; i++) {
        free_layer(&w->layer[i], w->packed[0]);
    }
    if (w->head.planes != w->embed.planes && !w->packed[0]) free_matrix(&w->head);
    if (w->head_f16 != w->embed_f16) free(w->head_f16);
    if (!w->packed[0]) free_matrix(&w->embed);
    free(w->embed_f16);
    free_gain(&w->output_norm);
    free(w->rope);
    free(w->layer);
    free(w);
    *out = NULL;
}
