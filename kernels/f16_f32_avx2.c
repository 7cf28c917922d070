/* kernels/f16_f32_avx2.c - FP16 weights x FP32 activations with F16C and FMA. */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <immintrin.h>
#include <string.h>

enum { CHAINS = 4, TOKENS = 6 };

static inline __m256 weights(const uint8_t *w)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)w));
}

static void store(float *y, size_t rows, __m256 low, __m256 high)
{
    float out[16];
    _mm256_storeu_ps(out, low);
    _mm256_storeu_ps(out + 8, high);
    memcpy(y, out, (rows < 16 ? rows : 16) * sizeof(*y));
}

void lpu_gemv_f16_f32_avx2(float *y, const uint8_t *w, const float *x, size_t rows, size_t k)
{
    for (size_t first = 0; first < rows; first += 16, w += 32 * k) {
        __m256 acc[2 * CHAINS];
        size_t c = 0;
        LPU_UNROLL
        for (size_t i = 0; i < 2 * CHAINS; i++) acc[i] = _mm256_setzero_ps();
        for (; c + CHAINS <= k; c += CHAINS) {
            _mm_prefetch((const char *)w + 32 * c + 1024, _MM_HINT_T0);
            _mm_prefetch((const char *)w + 32 * c + 1088, _MM_HINT_T0);
            LPU_UNROLL
            for (size_t i = 0; i < 2 * CHAINS; i++) {
                acc[i] = _mm256_fmadd_ps(weights(w + 32 * c + 16 * i), _mm256_set1_ps(x[c + i / 2]),
                                         acc[i]);
            }
        }
        for (; c < k; c++) {
            acc[0] = _mm256_fmadd_ps(weights(w + 32 * c), _mm256_set1_ps(x[c]), acc[0]);
            acc[1] = _mm256_fmadd_ps(weights(w + 32 * c + 16), _mm256_set1_ps(x[c]), acc[1]);
        }
        LPU_UNROLL
        for (size_t i = 2; i < 2 * CHAINS; i++) acc[i % 2] = _mm256_add_ps(acc[i % 2], acc[i]);
        store(y + first, rows - first, acc[0], acc[1]);
    }
}

/* A block times n tokens. */
static inline __attribute__((always_inline)) void block(float *y, size_t y_stride, const uint8_t *w,
                                                        const float *x, size_t x_stride,
                                                        size_t rows, size_t k, const size_t n)
{
    __m256 acc[2 * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < 2 * n; i++) acc[i] = _mm256_setzero_ps();

    for (size_t c = 0; c < k; c++) {
        const __m256 low = weights(w + 32 * c), high = weights(w + 32 * c + 16);
        LPU_UNROLL
        for (size_t t = 0; t < n; t++) {
            const __m256 one = _mm256_set1_ps(x[t * x_stride + c]);
            acc[2 * t] = _mm256_fmadd_ps(low, one, acc[2 * t]);
            acc[2 * t + 1] = _mm256_fmadd_ps(high, one, acc[2 * t + 1]);
        }
    }
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) store(y + t * y_stride, rows, acc[2 * t], acc[2 * t + 1]);
}

void lpu_gemm_f16_f32_avx2(float *y, size_t y_stride, const uint8_t *w, const float *x,
                           size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t first = 0; first < rows; first += 16, w += 32 * k) {
        size_t t = 0;
        for (; t + TOKENS <= tokens; t += TOKENS) {
            block(y + t * y_stride + first, y_stride, w, x + t * x_stride, x_stride, rows - first,
                  k, TOKENS);
        }
        for (; t < tokens; t++) {
            block(y + t * y_stride + first, y_stride, w, x + t * x_stride, x_stride, rows - first,
                  k, 1);
        }
    }
}
