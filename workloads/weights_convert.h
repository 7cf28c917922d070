/* workloads/weights_convert.h - one tensor of a file to the integer form of arithmetic.md. */
#ifndef LPU_WORKLOADS_WEIGHTS_CONVERT_H
#define LPU_WORKLOADS_WEIGHTS_CONVERT_H

#include "workloads/gguf.h"
#include "workloads/weights.h"

/* A linear layer: one plane of trits and one scale, factor times the file's. Adds the weights that
 * are 0 to *zero_elems. Refuses a tensor that is not -s, 0, +s. m is zeroed; the caller frees it.
 * interleaved_rows, unless 0, is an even number of rows, those of one head, of which the file has
 * the first half in its even rows and the second in its odd ones. */
lpu_status lpu_weights_convert_linear(lpu_matrix *m, const lpu_gguf *g, const lpu_gguf_tensor *t,
                                      float factor, size_t interleaved_rows, uint64_t *zero_elems,
                                      lpu_diag *diag);

/* A linear layer of a full-precision model: its halves, from F32, F16 or BF16. */
lpu_status lpu_weights_convert_halves(lpu_matrix *m, const lpu_gguf *g, const lpu_gguf_tensor *t,
                                      lpu_diag *diag);

/* An embedding or a head: trits planes and row scales, and the rows as halves in *f16. */
lpu_status lpu_weights_convert_embed(lpu_matrix *m, uint16_t **f16, const lpu_gguf *g,
                                     const lpu_gguf_tensor *t, uint32_t trits, lpu_diag *diag);

/* The gain of a norm. */
lpu_status lpu_weights_convert_gain(lpu_gain *gain, const lpu_gguf *g, const lpu_gguf_tensor *t,
                                    lpu_diag *diag);

#endif
