/* kernels/rows_i8_i8_avx512vnni.c - some rows of int8 times int8 with VNNI.
 *
 * The instruction wants one unsigned factor: x + 128, and 128 times the row's own sum is taken off.
 */
#include "kernels/kernels.h"
#include "kernels/rows.h"
#include "kernels/vnni.h"

/* One row; next is asked for. */
LPU_INLINE int32_t sum_row(const int8_t *w, const int8_t *next, const int8_t *x, size_t k)
{
    const __m512i top = _mm512_set1_epi8((char)128), one = _mm512_set1_epi8(1);
    __m512i sums[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    __m512i own[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
    size_t c = 0;

    for (; c + 128 <= k; c += 128) {
        LPU_UNROLL
        for (size_t i = 0; i < 2; i++) {
            const __m512i v = _mm512_loadu_si512(w + c + 64 * i);
            const __m512i u = _mm512_xor_si512(_mm512_loadu_si512(x + c + 64 * i), top);
            lpu_vnni_prefetch((const uint8_t *)next + c, 64 * i);
            sums[i] = _mm512_dpbusd_epi32(sums[i], u, v);
            own[i] = _mm512_dpbusd_epi32(own[i], one, v);
        }
    }
    for (; c < k; c += 64) {
        const __mmask64 mask = k - c < 64 ? (1ull << (k - c)) - 1 : ~0ull;
        const __m512i v = _mm512_maskz_loadu_epi8(mask, w + c);
        const __m512i u = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, x + c), top);
        sums[0] = _mm512_dpbusd_epi32(sums[0], u, v);
        own[0] = _mm512_dpbusd_epi32(own[0], one, v);
    }
    const __m512i all = _mm512_add_epi32(sums[0], sums[1]);
    const __m512i off = _mm512_slli_epi32(_mm512_add_epi32(own[0], own[1]), 7);
    return _mm512_reduce_add_epi32(_mm512_sub_epi32(all, off));
}

void lpu_rows_i8_i8_avx512vnni(int32_t *y, const int8_t *w, size_t w_stride, const uint32_t *rows,
                               const int8_t *x, size_t count, size_t k)
{
    lpu_rows_each(y, w, w_stride, rows, x, count, k, sum_row);
}
