/* kernels/q8_i8_avx2.c - Q8_0 x int8 with AVX2: sizes of weights times activations of their signs.
 */
#include "kernels/avx2.h"
#include "kernels/kernels.h"

enum { TOKENS = 4 };

/* Half a group's lines times n tokens, made real: acc += 8 rows. */
LPU_INLINE void group(__m256 *acc, const uint8_t *lines, const uint8_t *scales, const int8_t *x,
                      size_t x_stride, const lpu_group *xs, const size_t n)
{
    const __m128i halves = _mm_loadu_si128((const __m128i *)(const void *)scales);
    const __m256 scale = _mm256_cvtph_ps(halves);
    __m256i sums[TOKENS];

    LPU_UNROLL
    for (size_t t = 0; t < n; t++) sums[t] = _mm256_setzero_si256();
    LPU_UNROLL
    for (size_t i = 0; i < LPU_LAYOUT_GROUP / 4; i++) {
        const __m256i w = _mm256_loadu_si256((const __m256i *)(const void *)(lines + 64 * i));
        const __m256i size = _mm256_abs_epi8(w); /* 128 as an unsigned byte is 128 */
        LPU_UNROLL
        for (size_t t = 0; t < n; t++) {
            const __m256i four = lpu_avx2_broadcast(x + t * x_stride + 4 * i, 4);
            const __m256i two = _mm256_maddubs_epi16(size, _mm256_sign_epi8(four, w));
            sums[t] = _mm256_add_epi32(sums[t], _mm256_madd_epi16(two, _mm256_set1_epi16(1)));
        }
    }
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        const __m256 both =
            _mm256_mul_ps(scale, _mm256_set1_ps(xs[t * x_stride / LPU_LAYOUT_GROUP].scale));
        acc[t] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[t]), both, acc[t]);
    }
}

/* A block times n tokens. */
LPU_INLINE void block(float *y, size_t y_stride, const uint8_t *w, const int8_t *x, size_t x_stride,
                      const lpu_group *xs, size_t rows, size_t k, const size_t n)
{
    __m256 acc[2][TOKENS];
    float out[16];

    LPU_UNROLL
    for (size_t i = 0; i < 2 * n; i++) acc[i / n][i % n] = _mm256_setzero_ps();
    for (size_t c = 0; c < k; c += LPU_LAYOUT_GROUP, w += LPU_LAYOUT_Q8_BYTES, xs++) {
        group(acc[0], w + 32, w, x + c, x_stride, xs, n);
        group(acc[1], w + 64, w + 16, x + c, x_stride, xs, n);
    }
    for (size_t t = 0; t < n; t++) {
        _mm256_storeu_ps(out, acc[0][t]);
        _mm256_storeu_ps(out + 8, acc[1][t]);
        memcpy(y + t * y_stride, out, (rows < 16 ? rows : 16) * sizeof(*y));
    }
}

void lpu_gemm_q8_i8_avx2(float *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, const lpu_group *xs, size_t rows, size_t k, size_t tokens)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_Q8, k);
    const size_t xs_stride = x_stride / LPU_LAYOUT_GROUP;

    for (size_t first = 0; first < rows; first += 16, w += block_bytes) {
        float *to = y + first;
        size_t t = 0;
        for (; t + TOKENS <= tokens; t += TOKENS) {
            block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, xs + t * xs_stride,
                  rows - first, k, TOKENS);
        }
        for (; t < tokens; t++) {
            block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, xs + t * xs_stride,
                  rows - first, k, 1);
        }
    }
}

void lpu_gemv_q8_i8_avx2(float *y, const uint8_t *w, const int8_t *x, const lpu_group *xs,
                         size_t rows, size_t k)
{
    lpu_gemm_q8_i8_avx2(y, rows, w, x, k, xs, rows, k, 1);
}
