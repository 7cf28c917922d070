/* workloads/weights_packed.h - matrices of a packed file (kernels/packed.h), which stay where they
 * are: a stream that a kernel reads, or planes of which single rows are looked up, and scales.
 *
 *   NAME.weight   I8  a stream, or (rows, planes) of token_embd
 *   NAME.scales   I8  lpu_scale, one or one per row, in the byte order of this machine
 */
#ifndef LPU_WORKLOADS_WEIGHTS_PACKED_H
#define LPU_WORKLOADS_WEIGHTS_PACKED_H

#include "workloads/gguf.h"
#include "workloads/weights.h"

#include <stdbool.h>

typedef struct lpu_weights_packed {
    const lpu_gguf *g;
    bool           *is_used; /* (tensors) by index: those that were found */
    lpu_diag       *diag;
} lpu_weights_packed;

/* A linear layer: prefix and name as in "blk.0." and "attn_q". */
lpu_status lpu_weights_packed_linear(const lpu_weights_packed *p, lpu_matrix *m, const char *prefix,
                                     const char *name, uint32_t rows, uint32_t cols);

/* The embedding's planes, and the head's stream; they share scales where is_tied. */
lpu_status lpu_weights_packed_embed(const lpu_weights_packed *p, lpu_matrix *embed,
                                    lpu_matrix *head, uint32_t trits, uint32_t rows, uint32_t cols,
                                    bool is_tied);

#endif
