/* kernels/i8_i8_c.c - int8 x int8, portable. */
#include "kernels/kernels.h"

#include <string.h>

void lpu_gemv_i8_i8_c(int32_t *y, const uint8_t *w, size_t block_bytes, const int8_t *x,
                      size_t rows, size_t k)
{
    for (size_t first = 0; first < rows; first += 16, w += block_bytes) {
        int32_t sums[16] = {0};

        for (size_t c = 0; c < k; c++) {
            for (size_t lane = 0; lane < 16; lane++) {
                sums[lane] += (int8_t)w[c / 4 * 64 + lane * 4 + c % 4] * x[c];
            }
        }
        memcpy(y + first, sums, (rows - first < 16 ? rows - first : 16) * sizeof(*y));
    }
}

void lpu_gemm_i8_i8_c(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                      const int8_t *x, size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t t = 0; t < tokens; t++) {
        lpu_gemv_i8_i8_c(y + t * y_stride, w, block_bytes, x + t * x_stride, rows, k);
    }
}
