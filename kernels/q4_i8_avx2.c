/* kernels/q4_i8_avx2.c - Q4_0 x int8 with AVX2: a group's eight products of 4 bits fit 16 bits. */
#include "kernels/avx2.h"
#include "kernels/kernels.h"

enum { TOKENS = 2 };

/* acc += 16-bit sums of a group, made real. */
LPU_INLINE void add_group(__m256 *acc, __m256i sums, const uint8_t *scales, lpu_group x)
{
    const __m128i halves = _mm_loadu_si128((const __m128i *)(const void *)scales);
    const __m256 both = _mm256_mul_ps(_mm256_cvtph_ps(halves), _mm256_set1_ps(x.scale));
    const __m256i wide = _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
    const __m256i v = _mm256_sub_epi32(wide, _mm256_set1_epi32(8 * x.sum));
    *acc = _mm256_fmadd_ps(_mm256_cvtepi32_ps(v), both, *acc);
}

/* Half a group's lines times n tokens: acc[0..n) += rows of the low halves, acc[n..) of the high.
 */
LPU_INLINE void group(__m256 *acc, const uint8_t *lines, const uint8_t *scales, const int8_t *x,
                      size_t x_stride, const lpu_group *xs, const size_t n)
{
    const __m256i mask = _mm256_set1_epi8(15);
    __m256i sums[2 * TOKENS];

    LPU_UNROLL
    for (size_t i = 0; i < 2 * n; i++) sums[i] = _mm256_setzero_si256();
    LPU_UNROLL
    for (size_t i = 0; i < LPU_LAYOUT_GROUP / 4; i++) {
        const __m256i w = _mm256_loadu_si256((const __m256i *)(const void *)(lines + 64 * i));
        const __m256i low = _mm256_and_si256(w, mask);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(w, 4), mask);
        LPU_UNROLL
        for (size_t t = 0; t < n; t++) {
            const __m256i four = lpu_avx2_broadcast(x + t * x_stride + 4 * i, 4);
            sums[t] = _mm256_add_epi16(sums[t], _mm256_maddubs_epi16(low, four));
            sums[n + t] = _mm256_add_epi16(sums[n + t], _mm256_maddubs_epi16(high, four));
        }
    }
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        const lpu_group g = xs[t * x_stride / LPU_LAYOUT_GROUP];
        add_group(&acc[t], sums[t], scales, g);
        add_group(&acc[n + t], sums[n + t], scales + 32, g);
    }
}

/* A block times n tokens. */
LPU_INLINE void block(float *y, size_t y_stride, const uint8_t *w, const int8_t *x, size_t x_stride,
                      const lpu_group *xs, size_t rows, size_t k, const size_t n)
{
    __m256 acc[2][2 * TOKENS];
    float out[32];

    LPU_UNROLL
    for (size_t i = 0; i < 4 * n; i++) acc[i / (2 * n)][i % (2 * n)] = _mm256_setzero_ps();
    for (size_t c = 0; c < k; c += LPU_LAYOUT_GROUP, w += LPU_LAYOUT_Q4_BYTES, xs++) {
        group(acc[0], w + 64, w, x + c, x_stride, xs, n);
        group(acc[1], w + 96, w + 16, x + c, x_stride, xs, n);
    }
    for (size_t t = 0; t < n; t++) {
        for (size_t i = 0; i < 4; i++) {
            _mm256_storeu_ps(out + 8 * i, acc[i % 2][i / 2 * n + t]);
        }
        memcpy(y + t * y_stride, out, (rows < 32 ? rows : 32) * sizeof(*y));
    }
}

void lpu_gemm_q4_i8_avx2(float *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, const lpu_group *xs, size_t rows, size_t k, size_t tokens)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_Q4, k);
    const size_t xs_stride = x_stride / LPU_LAYOUT_GROUP;

    for (size_t first = 0; first < rows; first += 32, w += block_bytes) {
        float *to = y + first;
        size_t t = 0;
        for (; t + TOKENS <= tokens; t += TOKENS) {
            block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, xs + t * xs_stride,
                  rows - first, k, TOKENS);
        }
        if (t < tokens) {
            block(to + t * y_stride, y_stride, w, x + t * x_stride, x_stride, xs + t * xs_stride,
                  rows - first, k, 1);
        }
    }
}

void lpu_gemv_q4_i8_avx2(float *y, const uint8_t *w, const int8_t *x, const lpu_group *xs,
                         size_t rows, size_t k)
{
    lpu_gemm_q4_i8_avx2(y, rows, w, x, k, xs, rows, k, 1);
}
