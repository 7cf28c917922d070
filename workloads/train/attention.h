/* workloads/train/attention.h - rotation and causal attention of one sequence, and their gradients. */
#ifndef LPU_WORKLOADS_TRAIN_ATTENTION_H
#define LPU_WORKLOADS_TRAIN_ATTENTION_H

#include "workloads/train/pass.h"

enum { LPU_ATTENTION_ROWS = 64 }; /* queries that go together */

/* Rotates l->q and l->k; l->heads = softmax(q k / sqrt(head_elems)) v, by head. */
void lpu_attention_run(const lpu_train_pass *p, lpu_train_layer *l);

/* p->dq, dk, dv from p->dheads: gradients of what the projections gave. */
void lpu_attention_back(lpu_train_pass *p, const lpu_train_layer *l);

#endif
