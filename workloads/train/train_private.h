/* workloads/train/train_private.h - what the trainer's files share. */
#ifndef LPU_WORKLOADS_TRAIN_TRAIN_PRIVATE_H
#define LPU_WORKLOADS_TRAIN_TRAIN_PRIVATE_H

#include "workloads/train/pass.h"
#include "workloads/train/train.h"

struct lpu_train {
    lpu_train_options options;
    const int32_t *tokens;
    size_t token_count;
    uint64_t token_hash;
    size_t elems;
    uint32_t step;
    float *state;        /* (3, elems) latent weights, first and second moments */
    float *used;         /* (elems) weights as the pass uses them */
    float *grads;        /* (threads, elems) */
    lpu_train_pass *passes[LPU_TRAIN_THREADS_MAX];
};

/* Makes used from state. */
void lpu_train_refresh(lpu_train *t);

#endif
