/* workloads/train/params.c - shapes, names and places of the tensors. */
#include "workloads/train/params.h"

#include <stdio.h>

lpu_status lpu_params_check(const lpu_model *m, lpu_diag *diag)
{
    lpu_status status = lpu_model_check(m, diag);

    if (status) return status;
    if (!m->is_gated || !m->has_sub_norm || !m->is_tied || m->kv_layers != m->layers ||
        (m->activation != LPU_ACT_RELU2 && m->activation != LPU_ACT_SILU)) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "train: %s is another kind of model, expected a gate of squared ReLU or "
                        "SiLU, sub-norms, a tied embedding and attention in every layer",
                        m->name);
    }
    if (m->heads % m->kv_heads || m->head_elems % 2) {
        return lpu_fail(diag, LPU_ERR_RANGE,
                        "train: found %u heads, %u KV heads of %u elements, expected whole groups "
                        "of heads of even size",
                        m->heads, m->kv_heads, m->head_elems);
    }
    return LPU_OK;
}

static void shape_of(const lpu_model *m, lpu_params_id id, uint32_t *rows, uint32_t *cols)
{
    const uint32_t q = m->heads * m->head_elems, kv = m->kv_heads * m->head_elems;
    const uint32_t hidden = m->hidden_elems, ffn = m->ffn_elems;
    const uint32_t shapes[][2] = {
        [LPU_PARAMS_ATTN_NORM] = {1, hidden},   [LPU_PARAMS_Q] = {q, hidden},
        [LPU_PARAMS_K] = {kv, hidden},          [LPU_PARAMS_V] = {kv, hidden},
        [LPU_PARAMS_ATTN_SUB_NORM] = {1, q},    [LPU_PARAMS_O] = {hidden, q},
        [LPU_PARAMS_FFN_NORM] = {1, hidden},    [LPU_PARAMS_GATE] = {ffn, hidden},
        [LPU_PARAMS_UP] = {ffn, hidden},        [LPU_PARAMS_FFN_SUB_NORM] = {1, ffn},
        [LPU_PARAMS_DOWN] = {hidden, ffn},      [LPU_PARAMS_EMBED] = {m->vocab_elems, hidden},
        [LPU_PARAMS_OUTPUT_NORM] = {1, hidden},
    };
    *rows = shapes[id][0];
    *cols = shapes[id][1];
}

static size_t elems_of(const lpu_model *m, lpu_params_id id)
{
    uint32_t rows, cols;
    shape_of(m, id, &rows, &cols);
    return (size_t)rows * cols;
}

static size_t layer_elems(const lpu_model *m, size_t before)
{
    size_t elems = 0;
    for (size_t i = 0; i < before; i++) elems += elems_of(m, (lpu_params_id)i);
    return elems;
}

size_t lpu_params_first(const lpu_model *m, lpu_params_id id, size_t layer)
{
    const size_t each = layer_elems(m, LPU_PARAMS_PER_LAYER);
    const size_t embed = elems_of(m, LPU_PARAMS_EMBED);

    if (id == LPU_PARAMS_EMBED) return 0;
    if (id == LPU_PARAMS_OUTPUT_NORM) return embed + m->layers * each;
    return embed + layer * each + layer_elems(m, id);
}

size_t lpu_params_tensors(const lpu_model *m)
{
    return (size_t)m->layers * LPU_PARAMS_PER_LAYER + 2;
}

size_t lpu_params_elems(const lpu_model *m)
{
    return lpu_params_first(m, LPU_PARAMS_OUTPUT_NORM, 0) + m->hidden_elems;
}

lpu_params_tensor lpu_params_at(const lpu_model *m, size_t index)
{
    static const char *const names[] = {"attn_norm",     "attn_q",       "attn_k",   "attn_v",
                                        "attn_sub_norm", "attn_output",  "ffn_norm", "ffn_gate",
                                        "ffn_up",        "ffn_sub_norm", "ffn_down"};
    const size_t last = lpu_params_tensors(m) - 1;
    lpu_params_tensor t = {.id = LPU_PARAMS_EMBED};
    size_t layer = 0;

    if (index == 0) {
        snprintf(t.name, sizeof(t.name), "token_embd.weight");
    } else if (index == last) {
        t.id = LPU_PARAMS_OUTPUT_NORM;
        snprintf(t.name, sizeof(t.name), "output_norm.weight");
    } else {
        layer = (index - 1) / LPU_PARAMS_PER_LAYER;
        t.id = (lpu_params_id)((index - 1) % LPU_PARAMS_PER_LAYER);
        snprintf(t.name, sizeof(t.name), "blk.%zu.%s.weight", layer, names[t.id]);
    }
    shape_of(m, t.id, &t.rows, &t.cols);
    t.first = lpu_params_first(m, t.id, layer);
    return t;
}
