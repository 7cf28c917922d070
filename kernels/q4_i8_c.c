/* kernels/q4_i8_c.c - Q4_0 x int8 from the definition. */
#include "kernels/half.h"
#include "kernels/kernels.h"

#include <string.h>

void lpu_gemm_q4_i8_c(float *y, size_t y_stride, const uint8_t *w, const int8_t *x, size_t x_stride,
                      const lpu_group *xs, size_t rows, size_t k, size_t tokens)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_Q4, k);

    for (size_t t = 0; t < tokens; t++) {
        for (size_t r = 0; r < rows; r++) {
            const uint8_t *group = w + r / 32 * block_bytes;
            float all = 0;
            for (size_t c = 0; c < k; c += LPU_LAYOUT_GROUP, group += LPU_LAYOUT_Q4_BYTES) {
                uint16_t scale;
                int32_t sum = 0;
                memcpy(&scale, group + 2 * (r % 32), 2);
                for (size_t i = 0; i < LPU_LAYOUT_GROUP; i++) {
                    const uint8_t two = group[64 + i / 4 * 64 + r % 16 * 4 + i % 4];
                    const int32_t code = r % 32 < 16 ? two & 15 : two >> 4;
                    sum += (code - 8) * x[t * x_stride + c + i];
                }
                all += lpu_half_to_float(scale) * xs[(t * x_stride + c) / LPU_LAYOUT_GROUP].scale *
                       (float)sum;
            }
            y[t * y_stride + r] = all;
        }
    }
}

void lpu_gemv_q4_i8_c(float *y, const uint8_t *w, const int8_t *x, const lpu_group *xs, size_t rows,
                      size_t k)
{
    lpu_gemm_q4_i8_c(y, rows, w, x, k, xs, rows, k, 1);
}
