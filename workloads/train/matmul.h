/* workloads/train/matmul.h - the matrix product of training: blocked, packed, one thread. */
#ifndef LPU_WORKLOADS_TRAIN_MATMUL_H
#define LPU_WORKLOADS_TRAIN_MATMUL_H

#include "workloads/train/real.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    LPU_MATMUL_ROWS = 6,  /* of a tile; its columns fill one vector of 64 bytes */
    LPU_MATMUL_BLOCK = 264, /* rows of A that are packed together */
    LPU_MATMUL_DEPTH = 256, /* k of a block */
    LPU_MATMUL_SCRATCH = (LPU_MATMUL_BLOCK + 16) * LPU_MATMUL_DEPTH, /* elements */
};

/* A matrix by its strides: element (i, j) is at[i * row + j * col]. */
typedef struct lpu_matmul_view {
    const lpu_real *at;
    size_t row, col;
} lpu_matmul_view;

/* c(m, n) = a(m, k) b(k, n), added to c where adds; c has rows of stride. scratch is 64-byte aligned
 * and has LPU_MATMUL_SCRATCH elements. */
void lpu_matmul_run(lpu_real *c, size_t stride, lpu_matmul_view a, lpu_matmul_view b, size_t m,
                    size_t n, size_t k, bool adds, lpu_real *scratch);

/* The same with elements rounded to bfloat16 (8 bits), sums in float, on CPUs that have it: about
 * twice as fast, and good enough for gradients. Elsewhere exactly lpu_matmul_run. */
void lpu_matmul_run_coarse(lpu_real *c, size_t stride, lpu_matmul_view a, lpu_matmul_view b,
                            size_t m, size_t n, size_t k, bool adds, lpu_real *scratch);

#endif
