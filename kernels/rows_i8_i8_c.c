/* kernels/rows_i8_i8_c.c - some rows of int8 times int8, portable: the definition. */
#include "kernels/kernels.h"

void lpu_rows_i8_i8_c(int32_t *y, const int8_t *w, size_t w_stride, const uint32_t *rows,
                      const int8_t *x, size_t count, size_t k)
{
    for (size_t i = 0; i < count; i++) {
        const int8_t *row = w + (rows ? rows[i] : i) * w_stride;
        int32_t sum = 0;
        for (size_t c = 0; c < k; c++) sum += row[c] * x[c];
        y[i] = sum;
    }
}
