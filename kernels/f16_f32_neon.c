/* kernels/f16_f32_neon.c - FP16 weights x FP32 activations with NEON. */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <arm_neon.h>
#include <string.h>

enum { TOKENS = 4 };

/* A block times n tokens. */
LPU_INLINE void block(float *y, size_t y_stride, const uint8_t *w, const float *x, size_t x_stride,
                      size_t rows, size_t k, const size_t n)
{
    float32x4_t acc[4 * TOKENS];
    float out[16];

    LPU_UNROLL
    for (size_t i = 0; i < 4 * n; i++) acc[i] = vdupq_n_f32(0);
    for (size_t c = 0; c < k; c++, w += 32) {
        float32x4_t line[4];
        LPU_UNROLL
        for (size_t i = 0; i < 4; i++) {
            line[i] = vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(w + 8 * i)));
        }
        LPU_UNROLL
        for (size_t i = 0; i < 4 * n; i++) {
            acc[i] = vfmaq_n_f32(acc[i], line[i % 4], x[i / 4 * x_stride + c]);
        }
    }
    for (size_t t = 0; t < n; t++) {
        for (size_t i = 0; i < 4; i++) vst1q_f32(out + 4 * i, acc[4 * t + i]);
        memcpy(y + t * y_stride, out, (rows < 16 ? rows : 16) * sizeof(*y));
    }
}

void lpu_gemm_f16_f32_neon(float *y, size_t y_stride, const uint8_t *w, const float *x,
                           size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t first = 0; first < rows; first += 16, w += 32 * k) {
        size_t t = 0;
        for (; t + TOKENS <= tokens; t += TOKENS) {
            block(y + first + t * y_stride, y_stride, w, x + t * x_stride, x_stride, rows - first,
                  k, TOKENS);
        }
        for (; t < tokens; t++) {
            block(y + first + t * y_stride, y_stride, w, x + t * x_stride, x_stride, rows - first,
                  k, 1);
        }
    }
}

void lpu_gemv_f16_f32_neon(float *y, const uint8_t *w, const float *x, size_t rows, size_t k)
{
    lpu_gemm_f16_f32_neon(y, rows, w, x, k, rows, k, 1);
}
