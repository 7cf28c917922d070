/* kernels/i4_i8_avx2.c - int4 x int8 with AVX2. Eight lines fit 16 bits: 8 * 2 * 15 * 127 = 30480.
 */
#include "kernels/avx2.h"
#include "kernels/kernels.h"

LPU_INLINE void decode(__m256i *digit, __m256i u)
{
    const __m256i low = _mm256_set1_epi8(15);
    digit[0] = _mm256_and_si256(u, low);
    digit[1] = _mm256_and_si256(_mm256_srli_epi16(u, 4), low);
}

#define FORMAT                                                                                     \
    ((lpu_avx2_format){                                                                            \
        .decode = decode, .planes = 2, .lines = 8, .bias = 8, .halves = 2, .tokens = 4})

void lpu_gemv_i4_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_avx2_product(y, 0, w, x, 0, rows, k, 1, FORMAT);
}

void lpu_gemm_i4_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    lpu_avx2_product(y, y_stride, w, x, x_stride, rows, k, tokens, FORMAT);
}
