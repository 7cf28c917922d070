/* workloads/synth.c - plans the tensors of a model, then makes them row by row from a counter. */
#include "workloads/synth.h"

#include "workloads/gguf_writer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TENSORS_PER_LAYER = 11, /* seven matrices, four norms */
    TENSORS_OUTSIDE = 3,    /* embedding, head, last norm */
    ZERO_BITS = 15,         /* a digit takes 16 random bits: these say whether it is zero */
    BYTE_TOKEN_FIRST = 3,   /* after <unk>, <s>, </s>, as SentencePiece has them */
    BYTE_TOKENS = 256,
};

static const double gain_spread = 0.1;  /* gains are 1 - 0.1 .. 1 + 0.1 */
static const double embed_std = 0.0625; /* 1/16: logits of a 2560-wide model spread by 3 */

typedef enum role { ROLE_GAIN, ROLE_LINEAR, ROLE_EMBED } role;

typedef struct tensor {
    char name[LPU_GGUF_NAME_BYTES + 1];
    role role;
    lpu_quant type;
    uint32_t rows, cols; /* rows is 1 for a gain */
} tensor;

typedef struct plan {
    const lpu_synth *synth;
    tensor *tensors; /* (count) in the order of the file */
    size_t count;
    uint64_t total_elems, done_elems;
} plan;

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014, figure 16): a counter, mixed. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Each row has a sequence of its own, whatever was made before it. */
static uint64_t row_state(uint64_t seed, size_t tensor_index, uint32_t row)
{
    uint64_t state = seed;
    state = next_random(&state) ^ tensor_index;
    state = next_random(&state) ^ row;
    return next_random(&state);
}

static void plan_tensor(plan *p, role kind, uint32_t rows, uint32_t cols, const char *name)
{
    const lpu_quant type = kind == ROLE_GAIN     ? LPU_QUANT_F32
                           : kind == ROLE_LINEAR ? p->synth->type
                                                 : p->synth->embed_type;
    tensor *t = &p->tensors[p->count++];

    snprintf(t->name, sizeof(t->name), "%s.weight", name);
    t->role = kind;
    t->type = cols % lpu_quants_find((uint32_t)type)->block_elems ? LPU_QUANT_F16 : type;
    t->rows = rows;
    t->cols = cols;
    p->total_elems += (uint64_t)rows * cols;
}

static void plan_layer(plan *p, uint32_t layer)
{
    const lpu_model *m = p->synth->model;
    const uint32_t hidden = m->hidden_elems, ffn = m->ffn_elems;
    const uint32_t q = m->heads * m->head_elems, kv = m->kv_heads * m->head_elems;
    const struct {
        const char *name;
        bool is_there;
        role role;
        uint32_t rows, cols;
    } rows[TENSORS_PER_LAYER] = {
        {"attn_norm", true, ROLE_GAIN, 1, hidden},
        {"attn_q", true, ROLE_LINEAR, q, hidden},
        {"attn_k", true, ROLE_LINEAR, kv, hidden},
        {"attn_v", true, ROLE_LINEAR, kv, hidden},
        {"attn_sub_norm", m->has_sub_norm, ROLE_GAIN, 1, q},
        {"attn_output", true, ROLE_LINEAR, hidden, q},
        {"ffn_norm", true, ROLE_GAIN, 1, hidden},
        {"ffn_gate", m->is_gated, ROLE_LINEAR, ffn, hidden},
        {"ffn_up", true, ROLE_LINEAR, ffn, hidden},
        {"ffn_sub_norm", m->has_sub_norm, ROLE_GAIN, 1, ffn},
        {"ffn_down", true, ROLE_LINEAR, hidden, ffn},
    };
    for (size_t i = 0; i < TENSORS_PER_LAYER; i++) {
        char name[48];
        if (!rows[i].is_there) continue;
        snprintf(name, sizeof(name), "blk.%" PRIu32 ".%s", layer, rows[i].name);
        plan_tensor(p, rows[i].role, rows[i].rows, rows[i].cols, name);
    }
}

static lpu_status plan_open(plan *p, const lpu_synth *synth, lpu_diag *diag)
{
    const lpu_model *m = synth->model;

    *p = (plan){.synth = synth};
    p->tensors =
        calloc((size_t)m->layers * TENSORS_PER_LAYER + TENSORS_OUTSIDE, sizeof(*p->tensors));
    if (!p->tensors) return lpu_fail(diag, LPU_ERR_MEMORY, "synth: out of memory");

    plan_tensor(p, ROLE_EMBED, m->vocab_elems, m->hidden_elems, "token_embd");
    for (uint32_t i = 0; i < m->layers; i++) plan_layer(p, i);
    plan_tensor(p, ROLE_GAIN, 1, m->hidden_elems, "output_norm");
    if (!m->is_tied) plan_tensor(p, ROLE_EMBED, m->vocab_elems, m->hidden_elems, "output");
    return LPU_OK;
}

/* Words that say nothing, and the 256 bytes, so that any text can be given as tokens. */
static void put_tokenizer(lpu_gguf_writer *w, uint32_t vocab_elems)
{
    static const char *const specials[BYTE_TOKEN_FIRST] = {"<unk>", "<s>", "</s>"};
    const bool has_bytes = vocab_elems >= BYTE_TOKEN_FIRST + BYTE_TOKENS;

    lpu_gguf_writer_put_string(w, "tokenizer.ggml.model", "llama");
    lpu_gguf_writer_begin_strings(w, "tokenizer.ggml.tokens", vocab_elems);
    for (uint32_t i = 0; i < vocab_elems; i++) {
        char text[32];
        int bytes;
        if (i < BYTE_TOKEN_FIRST) {
            bytes = snprintf(text, sizeof(text), "%s", specials[i]);
        } else if (has_bytes && i < BYTE_TOKEN_FIRST + BYTE_TOKENS) {
            bytes = snprintf(text, sizeof(text), "<0x%02X>", (unsigned)(i - BYTE_TOKEN_FIRST));
        } else {
            bytes = snprintf(text, sizeof(text), "<%" PRIu32 ">", i);
        }
        lpu_gguf_writer_next_string(w, text, (size_t)bytes);
    }
    lpu_gguf_writer_put_u32(w, "tokenizer.ggml.unknown_token_id", 0);
    lpu_gguf_writer_put_u32(w, "tokenizer.ggml.bos_token_id", 1);
    lpu_gguf_writer_put_u32(w, "tokenizer.ggml.eos_token_id", 2);
}

/* Kinds of tokens and their scores, as llama.cpp wants them beside the words. */
static lpu_status put_token_kinds(lpu_gguf_writer *w, uint32_t vocab_elems, lpu_diag *diag)
{
    enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, BYTE = 6 }; /* llama.h, enum llama_token_type */
    const bool has_bytes = vocab_elems >= BYTE_TOKEN_FIRST + BYTE_TOKENS;
    int32_t *kinds = calloc(vocab_elems, sizeof(*kinds));
    float *scores = calloc(vocab_elems, sizeof(*scores));

    if (kinds && scores) {
        for (uint32_t i = 0; i < vocab_elems; i++) {
            const bool is_byte = has_bytes && i < BYTE_TOKEN_FIRST + BYTE_TOKENS;
            kinds[i] = i == 0 ? UNKNOWN : i < BYTE_TOKEN_FIRST ? CONTROL : is_byte ? BYTE : NORMAL;
        }
        lpu_gguf_writer_put_array(w, "tokenizer.ggml.scores", LPU_GGUF_F32, scores, vocab_elems);
        lpu_gguf_writer_put_array(w, "tokenizer.ggml.token_type", LPU_GGUF_I32, kinds, vocab_elems);
    }
    const bool is_done = kinds && scores;
    free(kinds);
    free(scores);
    return is_done ? LPU_OK : lpu_fail(diag, LPU_ERR_MEMORY, "synth: out of memory");
}

static void put_shape(lpu_gguf_writer *w, const lpu_synth *s)
{
    const lpu_model *m = s->model;
    /* I2_S is known to bitnet.cpp only, and its name for these models is another. */
    const char *arch = s->type == LPU_QUANT_I2_S ? "bitnet-b1.58" : "bitnet";
    const struct {
        const char *key;
        uint32_t value;
    } numbers[] = {
        {"block_count", m->layers},
        {"context_length", m->context_tokens},
        {"embedding_length", m->hidden_elems},
        {"feed_forward_length", m->ffn_elems},
        {"attention.head_count", m->heads},
        {"attention.head_count_kv", m->kv_heads},
        {"attention.key_length", m->head_elems},
        {"attention.value_length", m->head_elems},
        {"rope.dimension_count", m->head_elems},
        {"vocab_size", m->vocab_elems},
    };
    char key[96];

    lpu_gguf_writer_put_string(w, "general.architecture", arch);
    lpu_gguf_writer_put_string(w, "general.name", m->name);
    lpu_gguf_writer_put_string(w, "general.description", "synthetic weights: generates noise");
    lpu_gguf_writer_put_u32(w, "general.alignment", LPU_GGUF_ALIGNMENT_BYTES);
    lpu_gguf_writer_put_u32(w, "general.quantization_version", 2);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        snprintf(key, sizeof(key), "%s.%s", arch, numbers[i].key);
        lpu_gguf_writer_put_u32(w, key, numbers[i].value);
    }
    snprintf(key, sizeof(key), "%s.attention.layer_norm_rms_epsilon", arch);
    lpu_gguf_writer_put_f32(w, key, (float)m->norm_eps);
    snprintf(key, sizeof(key), "%s.rope.freq_base", arch);
    lpu_gguf_writer_put_f32(w, key, (float)m->rope_theta);
    lpu_gguf_writer_put_string(w, "setun.activation",
                               m->activation == LPU_ACT_SILU    ? "silu"
                               : m->activation == LPU_ACT_RELU2 ? "relu2"
                                                                : "gelu");
}

static void make_gain(float *row, uint32_t cols, uint64_t state)
{
    for (uint32_t i = 0; i < cols; i++) {
        const double unit = (double)(next_random(&state) >> 11) * 0x1p-53; /* 0 to 1 */
        row[i] = (float)(1 + gain_spread * (2 * unit - 1));
    }
}

/* The sum of four uniform numbers, close to a normal one. */
static void make_embed(float *row, uint32_t cols, uint64_t state)
{
    const float mean = 4 * 32767.5f, std = 37837.2f; /* of the sum: std is 2^16 sqrt(4 / 12) */
    const float scale = (float)embed_std / std;
    for (uint32_t i = 0; i < cols; i++) {
        const uint64_t r = next_random(&state);
        const uint64_t sum = (r & 0xffff) + (r >> 16 & 0xffff) + (r >> 32 & 0xffff) + (r >> 48);
        row[i] = ((float)sum - mean) * scale;
    }
}

/* Four digits from each random number: 15 bits say zero or not, one is the sign. */
static void make_trits(int8_t *row, uint32_t cols, double zero_share, uint64_t state)
{
    const uint32_t zero_below = (uint32_t)lround(zero_share * (1 << ZERO_BITS));
    for (uint32_t i = 0; i < cols;) {
        uint64_t r = next_random(&state);
        for (int lane = 0; lane < 4 && i < cols; lane++, r >>= 16) {
            const int sign = 1 - (int)(r >> ZERO_BITS & 1) * 2;
            const int is_some = (uint32_t)(r & ((1 << ZERO_BITS) - 1)) >= zero_below;
            row[i++] = (int8_t)(sign & -is_some);
        }
    }
}

/* Products of unit activations have unit variance: each row sums cols * (1 - zeros) of them.
 * Rounded to the 8 bits of a bfloat, which a half holds too: every format has the same number. */
static float linear_scale(uint32_t cols, double zero_share)
{
    const double scale = 1 / sqrt(fmax(1, cols * (1 - zero_share)));
    return lpu_quants_bf16_to_f32(lpu_quants_f32_to_bf16((float)scale));
}

/* Memory for one row of any tensor. */
typedef struct row_buffers {
    int8_t *trits;
    float *reals;
    uint8_t *packed;
} row_buffers;

static void make_row(const plan *p, size_t index, uint32_t row, const row_buffers *b)
{
    const tensor *t = &p->tensors[index];
    const uint64_t state = row_state(p->synth->seed, index, row);

    if (t->role == ROLE_LINEAR) {
        make_trits(b->trits, t->cols, p->synth->zero_share, state);
        lpu_quants_write_trits(t->type, b->packed, b->trits, t->cols,
                               linear_scale(t->cols, p->synth->zero_share));
        return;
    }
    if (t->role == ROLE_GAIN) make_gain(b->reals, t->cols, state);
    else make_embed(b->reals, t->cols, state);
    lpu_quants_encode(t->type, b->packed, b->reals, t->cols);
}

static lpu_status write_tensor(lpu_gguf_writer *w, plan *p, size_t index, const row_buffers *b,
                               lpu_diag *diag)
{
    const tensor *t = &p->tensors[index];
    const lpu_synth *s = p->synth;
    const size_t bytes = lpu_quants_row_bytes(t->type, t->cols);
    lpu_status status = LPU_OK;

    for (uint32_t row = 0; row < t->rows && !status; row++) {
        make_row(p, index, row, b);
        status = lpu_gguf_writer_write(w, b->packed, bytes, diag);
        p->done_elems += t->cols;
        if (s->progress && row % 64 == 0) {
            s->progress(s->user, (double)p->done_elems / (double)p->total_elems);
        }
    }
    if (!status && t->type == LPU_QUANT_I2_S) {
        uint8_t tail[32] = {0};
        const float scale = linear_scale(t->cols, s->zero_share);
        memcpy(tail, &scale, sizeof(scale));
        status = lpu_gguf_writer_write(w, tail, sizeof(tail), diag);
    }
    return status;
}

static lpu_status write_tensors(lpu_gguf_writer *w, plan *p, lpu_diag *diag)
{
    size_t max_cols = 0;
    for (size_t i = 0; i < p->count; i++) {
        const tensor *t = &p->tensors[i];
        if (t->cols > max_cols) max_cols = t->cols;
        lpu_gguf_writer_declare(w, t->name, t->type, t->cols, t->role == ROLE_GAIN ? 0 : t->rows);
    }
    const row_buffers b = {malloc(max_cols), malloc(max_cols * sizeof(float)),
                           malloc(max_cols * sizeof(float))}; /* F32 is the widest format */
    lpu_status status = LPU_OK;
    if (!b.trits || !b.reals || !b.packed) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "synth: out of memory");
    }
    for (size_t i = 0; i < p->count && !status; i++) status = write_tensor(w, p, i, &b, diag);
    free(b.trits);
    free(b.reals);
    free(b.packed);
    return status;
}

static lpu_status check(const lpu_synth *s, lpu_diag *diag)
{
    const lpu_model *m = s->model;
    const lpu_quant_info *type = lpu_quants_find((uint32_t)s->type);
    const lpu_quant_info *embed = lpu_quants_find((uint32_t)s->embed_type);
    const bool is_binary = m->weights == LPU_WEIGHTS_BINARY;
    lpu_status status = lpu_model_check(m, diag);

    if (status) return status;
    if (m->weights == LPU_WEIGHTS_FP16 || m->kv_layers != m->layers) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "%s is %s, expected a ternary or binary model "
                        "with softmax attention in every layer",
                        m->name,
                        m->weights == LPU_WEIGHTS_FP16 ? "a full-precision model" : "a hybrid");
    }
    if (!type || !type->holds_trits || (s->type == LPU_QUANT_Q1_0 && !is_binary)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "type %s cannot hold the %s weights of %s",
                        type ? type->name : "unknown", is_binary ? "binary" : "ternary", m->name);
    }
    if (!embed || !embed->can_encode || embed->tail_bytes) {
        return lpu_fail(diag, LPU_ERR_RANGE, "type %s cannot hold an embedding",
                        embed ? embed->name : "unknown");
    }
    if (!(s->zero_share >= 0 && s->zero_share <= (is_binary ? 0 : 1))) {
        return lpu_fail(diag, LPU_ERR_RANGE, "the share of zeros is %g, expected %s", s->zero_share,
                        is_binary ? "0, as the model is binary" : "0 to 1");
    }
    return LPU_OK;
}

lpu_status lpu_synth_write(const char *path, const lpu_synth *synth, lpu_diag *diag)
{
    plan p = {0};
    lpu_gguf_writer *w = NULL;
    lpu_status status = check(synth, diag);

    if (!status) status = plan_open(&p, synth, diag);
    if (!status) status = lpu_gguf_writer_open(&w, path, diag);
    if (!status) {
        put_shape(w, synth);
        put_tokenizer(w, synth->model->vocab_elems);
        status = put_token_kinds(w, synth->model->vocab_elems, diag);
    }
    if (!status) status = write_tensors(w, &p, diag);
    if (!status) status = lpu_gguf_writer_commit(&w, diag);
    lpu_gguf_writer_close(&w);
    free(p.tensors);
    return status;
}
