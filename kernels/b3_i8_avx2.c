/* kernels/b3_i8_avx2.c - 1.6-bit ternary x int8 with AVX2.
 *
 * There is no byte table of more than 16 entries here. A code u loses its fifth digit by comparing,
 * which leaves v = 0..80, and v mod 9 is that of (8 (v / 8)) mod 9 + v mod 8, which is below 16:
 * one table gives the first, a second mod 9 of the sum, a third the digit of 3 in it. What is left
 * of v is a multiple of 9, which its low four bits tell. Planes are
 *
 *     d0 + 3 d1    d1    d2 + 3 d3    d3    d4
 *
 * and sixteen lines fit 16 bits: 16 * 2 * 8 * 127 = 32512.
 */
#include "kernels/avx2.h"
#include "kernels/kernels.h"
#include "kernels/lookup.h"

LPU_INLINE __m256i look(__m256i at, char a, char b, char c, char d, char e, char f, char g, char h,
                        char i, char j, char k, char l, char m, char n, char o, char p)
{
    const __m256i table = _mm256_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, a, b, c,
                                           d, e, f, g, h, i, j, k, l, m, n, o, p);
    return _mm256_shuffle_epi8(table, at);
}

/* v of u: u - 81 where that is smaller, twice; unsigned bytes below 81 wrap around to large ones.
 */
LPU_INLINE void decode(__m256i *plane, __m256i u)
{
    const __m256i once = _mm256_sub_epi8(u, _mm256_set1_epi8(81));
    const __m256i twice = _mm256_sub_epi8(u, _mm256_set1_epi8((char)162));
    const __m256i v = _mm256_min_epu8(u, _mm256_min_epu8(once, twice));
    const __m256i eights = _mm256_and_si256(_mm256_srli_epi16(v, 3), _mm256_set1_epi8(15));
    const __m256i rest = look(eights, 0, 8, 7, 6, 5, 4, 3, 2, 1, 0, 8, 0, 0, 0, 0, 0);
    const __m256i sum = _mm256_add_epi8(rest, _mm256_and_si256(v, _mm256_set1_epi8(7)));
    const __m256i low = look(sum, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4, 5, 6);
    const __m256i nines = _mm256_sub_epi8(v, low); /* low bits 0 9 2 11 4 13 6 15 8 */

    plane[0] = low;
    plane[1] = look(sum, 0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 1, 1, 1, 2);
    plane[2] = look(nines, 0, 0, 2, 0, 4, 0, 6, 0, 8, 1, 0, 3, 0, 5, 0, 7);
    plane[3] = look(nines, 0, 0, 0, 0, 1, 0, 2, 0, 2, 0, 0, 1, 0, 1, 0, 2);
    /* 0, 81 or 162. */
    plane[4] = _mm256_and_si256(_mm256_sub_epi8(u, v), _mm256_set1_epi8(3));
}

LPU_INLINE void finish(__m256i *sums)
{
    for (size_t i = 0; i < 4; i += 2) {
        const __m256i three =
            _mm256_add_epi32(sums[i + 1], _mm256_add_epi32(sums[i + 1], sums[i + 1]));
        sums[i] = _mm256_sub_epi32(sums[i], three);
    }
}

#define FORMAT                                                                                     \
    ((lpu_avx2_format){.decode = decode,                                                           \
                       .finish = finish,                                                           \
                       .planes = 5,                                                                \
                       .lines = 16,                                                                \
                       .bias = 1,                                                                  \
                       .halves = 1,                                                                \
                       .tokens = 2})

void lpu_gemv_b3_i8_avx2(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    lpu_avx2_product(y, 0, w, x, 0, rows, k, 1, FORMAT);
}

static void digits_of(uint8_t *digits, const uint8_t *line)
{
    for (size_t half = 0; half < 64; half += 32) {
        __m256i plane[5];
        decode(plane, lpu_avx2_load(line + half));
        for (size_t i = 0; i < 4; i += 2) {
            const __m256i three =
                _mm256_add_epi8(plane[i + 1], _mm256_add_epi8(plane[i + 1], plane[i + 1]));
            plane[i] = _mm256_sub_epi8(plane[i], three);
        }
        for (size_t p = 0; p < 5; p++) {
            _mm256_storeu_si256((__m256i *)(void *)(digits + 64 * p + half), plane[p]);
        }
    }
}

void lpu_gemm_b3_i8_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                         size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const size_t done = lpu_lookup_multiply_avx2(y, y_stride, w, x, x_stride, rows, k, tokens, room,
                                                 FORMAT.planes, digits_of);
    lpu_avx2_product(y + done * y_stride, y_stride, w, x + done * x_stride, x_stride, rows, k,
                     tokens - done, FORMAT);
}
