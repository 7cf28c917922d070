/* kernels/bf16_bf16_c.c - BF16 x BF16, portable. */
#include "kernels/half.h"
#include "kernels/kernels.h"

void lpu_gemv_bf16_bf16_c(float *y, const uint8_t *w, const uint16_t *x, size_t rows, size_t k)
{
    for (size_t first = 0; first < rows; first += 16, w += (k + 1) / 2 * 64) {
        float sums[16] = {0};

        for (size_t c = 0; c < k; c++) {
            const float one = lpu_bf16_to_float(x[c]);
            for (size_t lane = 0; lane < 16; lane++) {
                uint16_t bits;
                memcpy(&bits, w + c / 2 * 64 + 4 * lane + c % 2 * 2, 2);
                sums[lane] += lpu_bf16_to_float(bits) * one;
            }
        }
        memcpy(y + first, sums, (rows - first < 16 ? rows - first : 16) * sizeof(*y));
    }
}

void lpu_gemm_bf16_bf16_c(float *y, size_t y_stride, const uint8_t *w, const uint16_t *x,
                          size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t t = 0; t < tokens; t++) {
        lpu_gemv_bf16_bf16_c(y + t * y_stride, w, x + t * x_stride, rows, k);
    }
}
