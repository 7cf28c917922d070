/* kernels/rows_i8_i8_avx2.c - some rows of int8 times int8 with AVX2. */
#include "kernels/avx2.h"
#include "kernels/kernels.h"
#include "kernels/rows.h"

/* One row; next is asked for. */
LPU_INLINE int32_t sum_row(const int8_t *w, const int8_t *next, const int8_t *x, size_t k)
{
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    size_t c = 0;

    for (; c + 64 <= k; c += 64) {
        _mm_prefetch((const char *)next + c, _MM_HINT_T0);
        LPU_UNROLL
        for (size_t i = 0; i < 2; i++) {
            const __m256i part =
                lpu_avx2_dot(lpu_avx2_load(w + c + 32 * i), lpu_avx2_load(x + c + 32 * i));
            sums[i] = _mm256_add_epi32(sums[i], part);
        }
    }
    int32_t sum = lpu_avx2_reduce(_mm256_add_epi32(sums[0], sums[1]));
    for (; c < k; c++) sum += w[c] * x[c];
    return sum;
}

void lpu_rows_i8_i8_avx2(int32_t *y, const int8_t *w, size_t w_stride, const uint32_t *rows,
                         const int8_t *x, size_t count, size_t k)
{
    lpu_rows_each(y, w, w_stride, rows, x, count, k, sum_row);
}
