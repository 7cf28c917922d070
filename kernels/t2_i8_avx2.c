/* kernels/t2_i8_avx2.c - 2-bit ternary x int8 with AVX2. Forty lines fit 16 bits: 40 * 2 * 3 * 127
 * = 30480. */
#include "kernels/avx2.h"
#include "kernels/kernels.h"
#include "kernels/lookup.h"

LPU_INLINE void decode(__m256i *digit, __m256i u)
{
    const __m256i low = _mm256_set1_epi8(3);
    digit[0] = _mm256_and_si256(u, low);
    digit[1] = _mm256_and_si256(_mm256_srli_epi16(u, 2), low);
    digit[2] = _mm256_and_si256(_mm256_srli_epi16(u, 4), low);
    digit[3] = _mm256_and_si256(_mm256_srli_epi16(u, 6), low);
}

#define FORMAT                                                                                     \
    ((lpu_avx2_format){.decode = decode, .planes = 4, .lines = 40, .bias = 1, .tokens = 2})

void lpu_gemv_t2_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_avx2_product(y, 0, w, x, 0, rows, k, 1, FORMAT);
}

static void digits_of(uint8_t *digits, const uint8_t *line)
{
    lpu_avx2_digits(digits, line, FORMAT);
}

void lpu_gemm_t2_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const size_t done = lpu_lookup_multiply_avx2(y, y_stride, w, x, x_stride, rows, k, tokens, room,
                                                 FORMAT.planes, digits_of);
    lpu_avx2_product(y + done * y_stride, y_stride, w, x + done * x_stride, x_stride, rows, k,
                     tokens - done, FORMAT);
}
