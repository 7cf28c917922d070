/* kernels/t2_i8_avx2.c - 2-bit ternary x int8 with AVX2.
 *
 * Every second plane is summed where it is, as four times its digits: the shift that would bring it
 * down is done once, to the sums. Sixteen lines fit 16 bits: 16 * 2 * 8 * 127 = 32512.
 */
#include "kernels/avx2.h"
#include "kernels/kernels.h"
#include "kernels/lookup.h"

LPU_INLINE void decode(__m256i *plane, __m256i u)
{
    const __m256i low = _mm256_set1_epi8(3), high = _mm256_set1_epi8(12);
    const __m256i upper = _mm256_srli_epi16(u, 4);
    plane[0] = _mm256_and_si256(u, low);
    plane[1] = _mm256_and_si256(u, high);
    plane[2] = _mm256_and_si256(upper, low);
    plane[3] = _mm256_and_si256(upper, high);
}

LPU_INLINE void finish(__m256i *sums)
{
    sums[1] = _mm256_srai_epi32(sums[1], 2);
    sums[3] = _mm256_srai_epi32(sums[3], 2);
}

#define FORMAT                                                                                     \
    ((lpu_avx2_format){.decode = decode,                                                           \
                       .finish = finish,                                                           \
                       .planes = 4,                                                                \
                       .lines = 16,                                                                \
                       .bias = 1,                                                                  \
                       .halves = 2,                                                                \
                       .tokens = 2})

void lpu_gemv_t2_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_avx2_product(y, 0, w, x, 0, rows, k, 1, FORMAT);
}

static void digits_of(uint8_t *digits, const uint8_t *line)
{
    for (size_t half = 0; half < 64; half += 32) {
        const __m256i u = lpu_avx2_load(line + half);
        for (int p = 0; p < 4; p++) {
            const __m256i digit =
                _mm256_and_si256(_mm256_srli_epi16(u, 2 * p), _mm256_set1_epi8(3));
            _mm256_storeu_si256((__m256i *)(void *)(digits + 64 * p + half), digit);
        }
    }
}

void lpu_gemm_t2_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const size_t done = lpu_lookup_multiply_avx2(y, y_stride, w, x, x_stride, rows, k, tokens, room,
                                                 FORMAT.planes, digits_of);
    lpu_avx2_product(y + done * y_stride, y_stride, w, x + done * x_stride, x_stride, rows, k,
                     tokens - done, FORMAT);
}
