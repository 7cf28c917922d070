/* workloads/quants_trits.h - what the two halves of quants share. */
#ifndef LPU_WORKLOADS_QUANTS_TRITS_H
#define LPU_WORKLOADS_QUANTS_TRITS_H

#include "workloads/quants.h"

/* One block of a ternary format as real numbers; scale is the tensor's, for I2_S. */
void lpu_quants_trits_decode(lpu_quant type, float *dst, const void *src, float scale);

#endif
