/* kernels/i8_i8_avx2.c - int8 x int8 with AVX2. A line of weights serves several tokens. */
#include "kernels/avx2.h"
#include "kernels/kernels.h"

enum { TOKENS = 4 };

LPU_INLINE void step(__m256i *sums, const uint8_t *w, const int8_t *x, size_t x_stride, size_t left,
                     const size_t n)
{
    __m256i line[2];
    LPU_UNROLL
    for (size_t h = 0; h < 2; h++) line[h] = lpu_avx2_load(w + 32 * h);
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        const __m256i v = lpu_avx2_broadcast(x + t * x_stride, left);
        LPU_UNROLL
        for (size_t h = 0; h < 2; h++) {
            sums[2 * t + h] = _mm256_add_epi32(sums[2 * t + h], lpu_avx2_dot(line[h], v));
        }
    }
}

/* A block times n tokens. */
LPU_INLINE void block(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                      size_t x_stride, size_t rows, size_t k, const size_t n)
{
    __m256i sums[2 * TOKENS];
    int32_t out[16];
    LPU_UNROLL
    for (size_t i = 0; i < 2 * n; i++) sums[i] = _mm256_setzero_si256();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) step(sums, w, x + c, x_stride, 4, n);
    if (c < k) step(sums, w, x + c, x_stride, k - c, n);
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        _mm256_storeu_si256((__m256i *)(void *)out, sums[2 * t]);
        _mm256_storeu_si256((__m256i *)(void *)(out + 8), sums[2 * t + 1]);
        memcpy(y + t * y_stride, out, (rows < 16 ? rows : 16) * sizeof(*y));
    }
}

void lpu_gemv_i8_i8_avx2(int32_t *y, const uint8_t *w, size_t block_bytes, const int8_t *x,
                         size_t rows, size_t k)
{
    lpu_gemm_i8_i8_avx2(y, 0, w, block_bytes, x, 0, rows, k, 1);
}

void lpu_gemm_i8_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                         const int8_t *x, size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    for (size_t first = 0; first < rows; first += 16, w += block_bytes) {
        int32_t *to = y + first;
        size_t t = 0;
        for (; t + TOKENS <= tokens; t += TOKENS) {
            block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, rows - first, k,
                  TOKENS);
        }
        for (; t < tokens; t++) {
            block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, rows - first, k, 1);
        }
    }
}
