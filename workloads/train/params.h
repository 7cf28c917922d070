/* workloads/train/params.h - where each tensor of a model lies in one flat array of parameters. */
#ifndef LPU_WORKLOADS_TRAIN_PARAMS_H
#define LPU_WORKLOADS_TRAIN_PARAMS_H

#include "workloads/model.h"

typedef enum lpu_params_id {
    LPU_PARAMS_ATTN_NORM,
    LPU_PARAMS_Q,
    LPU_PARAMS_K,
    LPU_PARAMS_V,
    LPU_PARAMS_ATTN_SUB_NORM,
    LPU_PARAMS_O,
    LPU_PARAMS_FFN_NORM,
    LPU_PARAMS_GATE,
    LPU_PARAMS_UP,
    LPU_PARAMS_FFN_SUB_NORM,
    LPU_PARAMS_DOWN,
    LPU_PARAMS_PER_LAYER,
    LPU_PARAMS_EMBED = LPU_PARAMS_PER_LAYER, /* these two are of no layer */
    LPU_PARAMS_OUTPUT_NORM,
} lpu_params_id;

typedef struct lpu_params_tensor {
    char name[64];       /* as in a GGUF file */
    lpu_params_id id;
    uint32_t rows, cols; /* rows is 1 for a gain */
    size_t first;        /* in the flat array */
} lpu_params_tensor;

/* LPU_ERR_RANGE unless the model is one that can be trained: gated by squared ReLU or SiLU, with sub-
 * norms, tied, softmax attention in every layer, whole groups of heads of even size. */
lpu_status lpu_params_check(const lpu_model *m, lpu_diag *diag);

size_t lpu_params_tensors(const lpu_model *m);
size_t lpu_params_elems(const lpu_model *m);

/* The tensor at index, in the order of the file: embedding, layers, last norm. */
lpu_params_tensor lpu_params_at(const lpu_model *m, size_t index);

/* Where a tensor begins in the flat array; layer is of no matter to the two outside. */
size_t lpu_params_first(const lpu_model *m, lpu_params_id id, size_t layer);

static inline int lpu_params_is_gain(lpu_params_id id)
{
    return id == LPU_PARAMS_ATTN_NORM || id == LPU_PARAMS_ATTN_SUB_NORM ||
           id == LPU_PARAMS_FFN_NORM || id == LPU_PARAMS_FFN_SUB_NORM ||
           id == LPU_PARAMS_OUTPUT_NORM;
}

#endif
