/* kernels/f16_f16_c.c - FP16 x FP16, portable, with FP32 sums.
 */
#include "kernels/half.h"
#include "kernels/kernels.h"

void lpu_gemv_f16_f16_c(float *y, const uint8_t *w, const uint16_t *x, size_t rows, size_t k)
{
    for (size_t first = 0; first < rows; first += 16, w += 32 * k) {
        float sums[16] = {0};

        for (size_t c = 0; c < k; c++) {
            const float one = lpu_half_to_float(x[c]);
            for (size_t lane = 0; lane < 16; lane++) {
                uint16_t half;
                memcpy(&half, w + 32 * c + 2 * lane, 2);
                sums[lane] += lpu_half_to_float(half) * one;
            }
        }
        memcpy(y + first, sums, (rows - first < 16 ? rows - first : 16) * sizeof(*y));
    }
}

void lpu_gemm_f16_f16_c(float *y, size_t y_stride, const uint8_t *w, const uint16_t *x,
                        size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t t = 0; t < tokens; t++) {
        lpu_gemv_f16_f16_c(y + t * y_stride, w, x + t * x_stride, rows, k);
    }
}
