/* workloads/train/train.h - trains a BitNet b1.58 model, or its full-precision twin, from tokens.
 *
 * Ternary weights are made from latent ones at every step: trit = round(w / mean |w|) clamped to
 * -1..1, scale = mean |w| as a half (arXiv 2402.17764, section 2); the embedding is used as halves;
 * gradients pass straight through. So the exported file computes what was trained. AdamW. Windows of
 * the text are drawn by seed and step alone, the same for both kinds. The same options, tokens,
 * threads and CPU type give the same bytes.
 */
#ifndef LPU_WORKLOADS_TRAIN_TRAIN_H
#define LPU_WORKLOADS_TRAIN_TRAIN_H

#include "workloads/model.h"
#include "workloads/quants.h"
#include "workloads/tokenizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lpu_train_schedule {
    LPU_TRAIN_COSINE,    /* warm-up, then half a cosine down to a tenth of the peak */
    LPU_TRAIN_TWO_STAGE, /* warm-up, then a line to zero; from the middle 2/3 of it, without decay */
} lpu_train_schedule;

enum { LPU_TRAIN_THREADS_MAX = 64 };

typedef struct lpu_train_options {
    lpu_model model; /* context_tokens is the length of a sequence */
    bool is_twin;    /* full precision: nothing is rounded */
    uint32_t batch, steps, warmup_steps, threads; /* batch: sequences per step */
    uint64_t seed;
    lpu_train_schedule schedule;
    double peak_rate, weight_decay, clip_norm;
} lpu_train_options;

typedef struct lpu_train_report {
    uint32_t step; /* done so far, with this one */
    double loss;   /* nats per token, of the batch */
    double rate, norm; /* learning rate; length of the gradient before clipping */
} lpu_train_report;

typedef struct lpu_train lpu_train;

/* A gated model of squared ReLU, with sub-norms, tied: BitNet b1.58 2B4T in small. Fields of sizes
 * are the caller's to set. */
lpu_model lpu_train_model(void);

/* Starts from random weights. Borrows tokens until close. */
lpu_status lpu_train_open(lpu_train **t, const lpu_train_options *options, const int32_t *tokens,
                          size_t count, lpu_diag *diag);
void lpu_train_close(lpu_train **t);

/* One step; LPU_DONE and nothing done after the last. LPU_ERR_RANGE if the loss is not finite. */
lpu_status lpu_train_step(lpu_train *t, lpu_train_report *report, lpu_diag *diag);
uint32_t lpu_train_steps(const lpu_train *t); /* done so far */
size_t lpu_train_elems(const lpu_train *t);   /* parameters */

/* Mean loss over the first windows of tokens, side by side; fewer where there are fewer. */
lpu_status lpu_train_loss(lpu_train *t, const int32_t *tokens, size_t count, size_t windows,
                          double *loss, lpu_diag *diag);

/* A checkpoint: weights, moments, step. load wants one of the same options and tokens; threads may
 * differ. */
lpu_status lpu_train_save(const lpu_train *t, const char *path, lpu_diag *diag);
lpu_status lpu_train_load(lpu_train *t, const char *path, lpu_diag *diag);

/* The model as a GGUF file. type holds trits; rows that are no whole number of its blocks, and all of
 * the twin's, are F16. */
lpu_status lpu_train_export(const lpu_train *t, const char *path, const lpu_tokenizer *tokenizer,
                            lpu_quant type, lpu_diag *diag);

#endif
