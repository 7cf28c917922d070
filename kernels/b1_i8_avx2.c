/* kernels/b1_i8_avx2.c - binary x int8 with AVX2. A bit b stands for 2 b - 1; it is taken out in
 * the place of 2. 64 lines fit 16 bits: 64 * 2 * 2 * 127 = 32512. */
#include "kernels/avx2.h"
#include "kernels/kernels.h"
#include "kernels/lookup.h"

LPU_INLINE void decode(__m256i *digit, __m256i u)
{
    const __m256i two = _mm256_set1_epi8(2);
    LPU_UNROLL
    for (int p = 1; p < 8; p++) {
        digit[p] = _mm256_and_si256(_mm256_srli_epi16(u, p - 1), two);
    }
    digit[0] = _mm256_and_si256(_mm256_add_epi8(u, u), two);
}

#define FORMAT                                                                                     \
    ((lpu_avx2_format){.decode = decode, .planes = 8, .lines = 64, .bias = 1, .tokens = 2})

void lpu_gemv_b1_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_avx2_product(y, 0, w, x, 0, rows, k, 1, FORMAT);
}

static void digits_of(uint8_t *digits, const uint8_t *line)
{
    lpu_avx2_digits(digits, line, FORMAT);
}

void lpu_gemm_b1_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const size_t done = lpu_lookup_multiply_avx2(y, y_stride, w, x, x_stride, rows, k, tokens, room,
                                                 FORMAT.planes, digits_of);
    lpu_avx2_product(y + done * y_stride, y_stride, w, x + done * x_stride, x_stride, rows, k,
                     tokens - done, FORMAT);
}
