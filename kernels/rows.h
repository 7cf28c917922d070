/* kernels/rows.h - some rows of int8 times int8, a template: rows may lie anywhere, so the next one
 * is asked for while one is summed. */
#ifndef LPU_KERNELS_ROWS_H
#define LPU_KERNELS_ROWS_H

#include "kernels/unroll.h"

#include <stddef.h>
#include <stdint.h>

/* The sum over one row; next is asked for. */
typedef int32_t lpu_rows_sum(const int8_t *w, const int8_t *next, const int8_t *x, size_t k);

/* As lpu_rows_i8_i8_fn. */
LPU_INLINE void lpu_rows_each(int32_t *y, const int8_t *w, size_t w_stride, const uint32_t *rows,
                              const int8_t *x, size_t count, size_t k, lpu_rows_sum *sum_row)
{
    for (size_t i = 0; i < count; i++) {
        const size_t after = i + 1 < count ? i + 1 : i;
        y[i] = sum_row(w + (rows ? rows[i] : i) * w_stride,
                       w + (rows ? rows[after] : after) * w_stride, x, k);
    }
}

#endif
