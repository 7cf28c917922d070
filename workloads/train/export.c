/* workloads/train/export.c - the trained model as a GGUF file, under llama.cpp's names. */
#include "workloads/gguf_writer.h"
#include "workloads/train/train_private.h"

#include <stdio.h>
#include <stdlib.h>

#define ARCH "bitnet."

static void put_shape(lpu_gguf_writer *w, const lpu_train *t)
{
    const lpu_model *m = &t->options.model;
    const struct {
        const char *key;
        uint32_t value;
    } numbers[] = {
        {ARCH "block_count", m->layers},
        {ARCH "context_length", m->context_tokens},
        {ARCH "embedding_length", m->hidden_elems},
        {ARCH "feed_forward_length", m->ffn_elems},
        {ARCH "attention.head_count", m->heads},
        {ARCH "attention.head_count_kv", m->kv_heads},
        {ARCH "attention.key_length", m->head_elems},
        {ARCH "attention.value_length", m->head_elems},
        {ARCH "rope.dimension_count", m->head_elems},
        {ARCH "vocab_size", m->vocab_elems},
    };

    lpu_gguf_writer_put_string(w, "general.architecture", "bitnet");
    lpu_gguf_writer_put_string(w, "general.name", m->name);
    lpu_gguf_writer_put_string(w, "general.description",
                               t->options.is_twin ? "trained by lpu train, full precision"
                                                  : "trained by lpu train, BitNet b1.58");
    lpu_gguf_writer_put_u32(w, "general.alignment", LPU_GGUF_ALIGNMENT_BYTES);
    lpu_gguf_writer_put_u32(w, "general.quantization_version", 2);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        lpu_gguf_writer_put_u32(w, numbers[i].key, numbers[i].value);
    }
    lpu_gguf_writer_put_f32(w, ARCH "attention.layer_norm_rms_epsilon", (float)m->norm_eps);
    lpu_gguf_writer_put_f32(w, ARCH "rope.freq_base", (float)m->rope_theta);
    if (t->options.is_twin) lpu_gguf_writer_put_string(w, "setun.weights", "fp16");
    lpu_gguf_writer_put_string(w, "setun.activation",
                               m->activation == LPU_ACT_SILU ? "silu" : "relu2");
}

static lpu_quant type_of(const lpu_train *t, const lpu_params_tensor *p, lpu_quant type)
{
    if (lpu_params_is_gain(p->id)) return LPU_QUANT_F32;
    if (p->id == LPU_PARAMS_EMBED || t->options.is_twin) return LPU_QUANT_F16;
    return p->cols % lpu_quants_find((uint32_t)type)->block_elems ? LPU_QUANT_F16 : type;
}

/* The digits and the scale of what was used: -scale, 0 or scale everywhere. */
static float find_trits(int8_t *trits, const float *used, size_t elems)
{
    float scale = 0;

    for (size_t i = 0; i < elems; i++) {
        trits[i] = (int8_t)((used[i] > 0) - (used[i] < 0));
        scale = fmaxf(scale, fabsf(used[i]));
    }
    return scale;
}

static lpu_status write_tensor(lpu_gguf_writer *w, const lpu_train *t, const lpu_params_tensor *p,
                               lpu_quant type, lpu_diag *diag)
{
    const size_t bytes = lpu_quants_row_bytes(type, p->cols), elems = (size_t)p->rows * p->cols;
    const bool is_linear = p->id != LPU_PARAMS_EMBED && !lpu_params_is_gain(p->id);
    const bool is_ternary = is_linear && !t->options.is_twin;
    int8_t *trits = malloc(elems);
    uint8_t *row = malloc(bytes);
    lpu_status status = LPU_OK;
    float scale = 0;

    if (!trits || !row) status = lpu_fail(diag, LPU_ERR_MEMORY, "train: out of memory");
    else if (is_ternary) scale = find_trits(trits, t->used + p->first, elems);
    for (size_t r = 0; r < p->rows && !status; r++) {
        if (is_ternary) lpu_quants_write_trits(type, row, trits + r * p->cols, p->cols, scale);
        else lpu_quants_encode(type, row, t->used + p->first + r * p->cols, p->cols);
        status = lpu_gguf_writer_write(w, row, bytes, diag);
    }
    free(trits);
    free(row);
    return status;
}

static lpu_status check(const lpu_train *t, const lpu_tokenizer *tokenizer, lpu_quant type,
                        lpu_diag *diag)
{
    const lpu_quant_info *info = lpu_quants_find((uint32_t)type);

    if (!info || !info->holds_trits || info->tail_bytes || type == LPU_QUANT_Q1_0) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "train: type %s cannot be written, expected one that "
                        "holds trits: TQ1_0, TQ2_0 or F16",
                        info ? info->name : "unknown");
    }
    if (lpu_tokenizer_vocab(tokenizer) != t->options.model.vocab_elems) {
        return lpu_fail(diag, LPU_ERR_RANGE, "train: the tokenizer has %u tokens, expected %u",
                        lpu_tokenizer_vocab(tokenizer), t->options.model.vocab_elems);
    }
    return LPU_OK;
}

lpu_status lpu_train_export(const lpu_train *t, const char *path, const lpu_tokenizer *tokenizer,
                            lpu_quant type, lpu_diag *diag)
{
    const lpu_model *m = &t->options.model;
    const size_t count = lpu_params_tensors(m);
    lpu_gguf_writer *w = NULL;
    lpu_status status = check(t, tokenizer, type, diag);

    if (!status) status = lpu_gguf_writer_open(&w, path, diag);
    if (status) return status;
    put_shape(w, t);
    status = lpu_tokenizer_save(tokenizer, w, diag);
    for (size_t i = 0; i < count && !status; i++) {
        const lpu_params_tensor p = lpu_params_at(m, i);
        lpu_gguf_writer_declare(w, p.name, type_of(t, &p, type), p.cols,
                                lpu_params_is_gain(p.id) ? 0 : p.rows);
    }
    for (size_t i = 0; i < count && !status; i++) {
        const lpu_params_tensor p = lpu_params_at(m, i);
        status = write_tensor(w, t, &p, type_of(t, &p, type), diag);
    }
    if (!status) status = lpu_gguf_writer_commit(&w, diag);
    lpu_gguf_writer_close(&w);
    return status;
}
