/* kernels/forward.h - a full forward pass on the CPU, in two arithmetics.
 *
 * LPU_FORWARD_TERNARY is the LPU's integer arithmetic (workloads/arithmetic.md), bit for bit;
 * LPU_FORWARD_FP16 is the model's own definition: FP16 weights, activations fake-quantised where
 * the model says so, FP32 sums.
 */
#ifndef LPU_KERNELS_FORWARD_H
#define LPU_KERNELS_FORWARD_H

#include "kernels/layout.h"
#include "workloads/status.h"
#include "workloads/weights.h"

#include <stddef.h>
#include <stdint.h>

typedef enum lpu_forward_kind { LPU_FORWARD_TERNARY, LPU_FORWARD_FP16 } lpu_forward_kind;

typedef struct lpu_forward lpu_forward;

/* Where the time of a pass goes. */
typedef enum lpu_forward_part {
    LPU_FORWARD_LINEAR,    /* products of linear layers */
    LPU_FORWARD_HEAD,      /* and the choice of a token */
    LPU_FORWARD_ATTENTION, /* scores, softmax, values */
    LPU_FORWARD_REST,      /* norms, rotations, gates, the cache's writes, the embedding */
    LPU_FORWARD_PARTS
} lpu_forward_part;

/* Makes a pass with an empty cache of context_tokens. Borrows weights. kv_trits is 2 to 5 (ternary
 * only). threads 0: all cores. */
lpu_status lpu_forward_open(lpu_forward **f, const lpu_weights *weights, lpu_forward_kind kind,
                            uint32_t kv_trits, uint32_t context_tokens, uint32_t threads,
                            lpu_diag *diag);
void lpu_forward_close(lpu_forward **f);

/* The same with the linear layers in a layout of choice. B1, T2, B3, I4 and I8 are the LPU's
 * arithmetic (and the same tokens, where the weights fit the layout); F16, BF16, Q8 and Q4 are the
 * model's own definition, with weights rounded to that format. */
lpu_status lpu_forward_open_layout(lpu_forward **f, const lpu_weights *weights, lpu_layout layout,
                                   uint32_t kv_trits, uint32_t context_tokens, uint32_t threads,
                                   lpu_diag *diag);

/* Empties the cache. */
void lpu_forward_rewind(lpu_forward *f);

/* Runs tokens[0..count) after those already in the cache and returns in *next the greedy next
 * token. LPU_ERR_RANGE when the cache is full or an id is not in the vocabulary. */
lpu_status lpu_forward_run(lpu_forward *f, const int32_t *tokens, size_t count, int32_t *next,
                           lpu_diag *diag);

/* Puts that many made-up tokens into the cache, in place of what is there: for measurements. */
lpu_status lpu_forward_fill(lpu_forward *f, size_t tokens, lpu_diag *diag);

/* Forgets all tokens of the cache but the first. LPU_ERR_RANGE where there are fewer. */
lpu_status lpu_forward_keep(lpu_forward *f, size_t tokens, lpu_diag *diag);

/* Nanoseconds spent since open, by lpu_forward_part. Owned by f. */
const double *lpu_forward_part_ns(const lpu_forward *f);

/* What the last choice of a token took: bytes of the head that were read, and products; and what
 * the last run left out of the linear layers, where activations were zero. */
typedef struct lpu_forward_reads {
    uint64_t bytes, macs;
} lpu_forward_reads;
lpu_forward_reads lpu_forward_head_reads(const lpu_forward *f);
lpu_forward_reads lpu_forward_skips(const lpu_forward *f);

/* Logits of the last token run: X32 integers (ternary), or reals (fp16). (vocab), owned by f. */
const int32_t *lpu_forward_logits_x32(const lpu_forward *f);
const float *lpu_forward_logits_f32(const lpu_forward *f);

#endif
