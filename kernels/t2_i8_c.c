/* kernels/t2_i8_c.c - 2-bit ternary x int8, portable: the definition, stream by stream. */
#include "kernels/kernels.h"

#include <string.h>

void lpu_gemv_t2_i8_c(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    for (size_t first = 0; first < rows; first += 64, w += (k + 3) / 4 * 64) {
        int32_t sums[64] = {0};

        for (size_t c = 0; c < k; c++) {
            for (size_t lane = 0; lane < 16; lane++) {
                const uint32_t code = w[c / 4 * 64 + lane * 4 + c % 4];
                for (size_t p = 0; p < 4; p++) {
                    sums[16 * p + lane] += ((int32_t)(code >> (2 * p) & 3) - 1) * x[c];
                }
            }
        }
        memcpy(y + first, sums, (rows - first < 64 ? rows - first : 64) * sizeof(*y));
    }
}

void lpu_gemm_t2_i8_c(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                      size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    for (size_t t = 0; t < tokens; t++) {
        lpu_gemv_t2_i8_c(y + t * y_stride, w, x + t * x_stride, rows, k);
    }
}
