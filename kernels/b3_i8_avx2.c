/* kernels/b3_i8_avx2.c - 1.6-bit ternary x int8 with AVX2.
 *
 * There is no byte table of 64 entries here: the digits of a code are found by comparing. Each
 * plane is summed in 16 bits, for 64 lines at most: 64 * 2 * 2 * 127 = 32512.
 */
#include "kernels/avx2.h"
#include "kernels/kernels.h"
#include "kernels/lookup.h"

/* Bytes of v, 0..127, that are above limit, as -1. */
LPU_INLINE __m256i above(__m256i v, int limit)
{
    return _mm256_cmpgt_epi8(v, _mm256_set1_epi8((char)limit));
}

/* The digit of weight unit in *v (0, 1 or 2), taken off *v. */
LPU_INLINE __m256i take(__m256i *v, int unit)
{
    const __m256i one = above(*v, unit - 1), two = above(*v, 2 * unit - 1);
    const __m256i each = _mm256_set1_epi8((char)unit);
    *v = _mm256_sub_epi8(*v, _mm256_and_si256(one, each));
    *v = _mm256_sub_epi8(*v, _mm256_and_si256(two, each));
    return _mm256_sub_epi8(_mm256_setzero_si256(), _mm256_add_epi8(one, two));
}

/* digit[0..5) of 32 codes. */
LPU_INLINE void decode(__m256i *digit, __m256i u)
{
    /* u - 81 where that is smaller, twice: unsigned bytes below 81 wrap around to large ones. */
    const __m256i unit = _mm256_set1_epi8(81);
    const __m256i once = _mm256_min_epu8(u, _mm256_sub_epi8(u, unit));
    __m256i rest = _mm256_min_epu8(once, _mm256_sub_epi8(once, unit));
    const __m256i same = _mm256_add_epi8(_mm256_cmpeq_epi8(u, once), _mm256_cmpeq_epi8(once, rest));

    digit[4] = _mm256_add_epi8(same, _mm256_set1_epi8(2)); /* two, less one for each "same" */
    digit[3] = take(&rest, 27);
    digit[2] = take(&rest, 9);
    digit[1] = take(&rest, 3);
    digit[0] = rest;
}

#define FORMAT                                                                                     \
    ((lpu_avx2_format){.decode = decode, .planes = 5, .lines = 64, .bias = 1, .tokens = 2})

void lpu_gemv_b3_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_avx2_product(y, 0, w, x, 0, rows, k, 1, FORMAT);
}

static void digits_of(uint8_t *digits, const uint8_t *line)
{
    lpu_avx2_digits(digits, line, FORMAT);
}

void lpu_gemm_b3_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const size_t done = lpu_lookup_multiply_avx2(y, y_stride, w, x, x_stride, rows, k, tokens, room,
                                                 FORMAT.planes, digits_of);
    lpu_avx2_product(y + done * y_stride, y_stride, w, x + done * x_stride, x_stride, rows, k,
                     tokens - done, FORMAT);
}
