/* kernels/rows_i8_i8_avx2.c - some rows of int8 times int8 with AVX2: |x| times w with the sign of
 * x fits 16 bits, as in kernels/i8_i8_avx2.c. Rows may lie anywhere, so the next one is asked for
 * while one is summed. */
#include "kernels/kernels.h"
#include "kernels/unroll.h"

#include <immintrin.h>

LPU_INLINE __m256i load(const int8_t *from)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

LPU_INLINE int32_t reduce(__m256i v)
{
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
}

/* One row; next is asked for. */
LPU_INLINE int32_t sum_row(const int8_t *w, const int8_t *next, const int8_t *x, size_t k)
{
    const __m256i one = _mm256_set1_epi16(1);
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t c = 0;

    for (; c + 64 <= k; c += 64) {
        _mm_prefetch((const char *)next + c, _MM_HINT_T0);
        LPU_UNROLL
        for (size_t i = 0; i < 2; i++) {
            const __m256i v = load(x + c + 32 * i), u = load(w + c + 32 * i);
            const __m256i part = _mm256_maddubs_epi16(_mm256_abs_epi8(v), _mm256_sign_epi8(u, v));
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(part, one));
        }
    }
    int32_t sum = reduce(_mm256_add_epi32(sums[0], sums[1]));
    for (; c < k; c++) sum += w[c] * x[c];
    return sum;
}

void lpu_rows_i8_i8_avx2(int32_t *y, const int8_t *w, size_t w_stride, const uint32_t *rows,
                         const int8_t *x, size_t count, size_t k)
{
    for (size_t i = 0; i < count; i++) {
        const size_t after = i + 1 < count ? i + 1 : i;
        y[i] = sum_row(w + (rows ? rows[i] : i) * w_stride,
                       w + (rows ? rows[after] : after) * w_stride, x, k);
    }
}
