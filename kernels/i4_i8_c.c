/* kernels/i4_i8_c.c - int4 x int8, portable. */
#include "kernels/kernels.h"

#include <string.h>

void lpu_gemv_i4_i8_c(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    for (size_t first = 0; first < rows; first += 32, w += (k + 3) / 4 * 64) {
        int32_t sums[32] = {0};

        for (size_t c = 0; c < k; c++) {
            for (size_t lane = 0; lane < 16; lane++) {
                const int code = w[c / 4 * 64 + lane * 4 + c % 4];
                sums[lane] += ((code & 15) - 8) * x[c];
                sums[lane + 16] += ((code >> 4) - 8) * x[c];
            }
        }
        memcpy(y + first, sums, (rows - first < 32 ? rows - first : 32) * sizeof(*y));
    }
}

void lpu_gemm_i4_i8_c(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                      size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    for (size_t t = 0; t < tokens; t++) {
        lpu_gemv_i4_i8_c(y + t * y_stride, w, x + t * x_stride, rows, k);
    }
}
