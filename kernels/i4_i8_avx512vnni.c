/* kernels/i4_i8_avx512vnni.c - int4 x int8 with VNNI: a byte is summed as it stands and with its
 * upper half masked off; the two rows come apart at the end, as in t2_i8_avx512vnni.c. */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { STREAMS = 4, TOKENS = 6, TOGETHER = 2 };

/* The next four k (or as many as are left) of n blocks times m tokens. */
LPU_INLINE void step(__m512i *acc, const uint8_t *w, size_t apart, const int8_t *x, size_t x_stride,
                     size_t left, size_t ahead, const size_t n, const size_t m)
{
    __m512i line[STREAMS], low[STREAMS];
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        if (m == 1) lpu_vnni_prefetch(w + s * apart, ahead);
        line[s] = _mm512_loadu_si512(w + s * apart);
        low[s] = _mm512_and_si512(line[s], _mm512_set1_epi8(15));
    }
    LPU_UNROLL
    for (size_t t = 0; t < m; t++) {
        const __m512i four = lpu_vnni_broadcast(x + t * x_stride, left);
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) {
            __m512i *a = acc + 2 * (s * m + t);
            a[0] = _mm512_dpbusd_epi32(a[0], line[s], four);
            a[1] = _mm512_dpbusd_epi32(a[1], low[s], four);
        }
    }
}

/* n blocks, apart bytes from one to the next, times m tokens; rows is that of the last block. */
LPU_INLINE void multiply(int32_t *y, size_t y_apart, size_t y_stride, const uint8_t *w,
                         size_t apart, const int8_t *x, size_t x_stride, size_t rows, size_t k,
                         const int32_t *sums, const size_t n, const size_t m)
{
    const size_t ahead = lpu_vnni_ahead();
    __m512i acc[2 * TOGETHER * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < 2 * n * m; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) step(acc, w, apart, x + c, x_stride, 4, ahead, n, m);
    if (c < k) step(acc, w, apart, x + c, x_stride, k - c, ahead, n, m);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        const size_t here = s + 1 < n ? 32 : rows;
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            const __m512i *a = acc + 2 * (s * m + t), taken = _mm512_set1_epi32(8 * sums[t]);
            const __m512i high = _mm512_srai_epi32(_mm512_sub_epi32(a[0], a[1]), 4);
            int32_t *to = y + s * y_apart + t * y_stride;
            lpu_vnni_store(to, here, _mm512_sub_epi32(a[1], taken));
            if (here > 16) lpu_vnni_store(to + 16, here - 16, _mm512_sub_epi32(high, taken));
        }
    }
}

void lpu_gemv_i4_i8_avx512vnni(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_I4, k);
    const size_t blocks = (rows + 31) / 32, each = blocks / STREAMS;
    const int32_t sum = lpu_vnni_sum(x, k);

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        multiply(y + 32 * b, 32 * each, 0, w + b * block_bytes, each * block_bytes, x, 0,
                 lpu_vnni_min(rows - 32 * last, 32), k, &sum, STREAMS, 1);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        multiply(y + 32 * b, 0, 0, w + b * block_bytes, 0, x, 0, lpu_vnni_min(rows - 32 * b, 32), k,
                 &sum, 1, 1);
    }
}

/* n blocks times all tokens. */
LPU_INLINE void gemm_blocks(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                            const int8_t *x, size_t x_stride, size_t rows, size_t k, size_t tokens,
                            const size_t n)
{
    int32_t sums[TOKENS];
    size_t t = 0;

    for (; t + TOKENS <= tokens; t += TOKENS) {
        for (size_t i = 0; i < TOKENS; i++) sums[i] = lpu_vnni_sum(x + (t + i) * x_stride, k);
        multiply(y + t * y_stride, 32, y_stride, w, block_bytes, x + t * x_stride, x_stride, rows,
                 k, sums, n, TOKENS);
    }
    y += t * y_stride;
    x += t * x_stride;
    for (size_t i = 0; i < tokens - t; i++) sums[i] = lpu_vnni_sum(x + i * x_stride, k);
    switch (tokens - t) {
    case 1: multiply(y, 32, y_stride, w, block_bytes, x, x_stride, rows, k, sums, n, 1); break;
    case 2: multiply(y, 32, y_stride, w, block_bytes, x, x_stride, rows, k, sums, n, 2); break;
    case 3: multiply(y, 32, y_stride, w, block_bytes, x, x_stride, rows, k, sums, n, 3); break;
    case 4: multiply(y, 32, y_stride, w, block_bytes, x, x_stride, rows, k, sums, n, 4); break;
    case 5: multiply(y, 32, y_stride, w, block_bytes, x, x_stride, rows, k, sums, n, 5); break;
    default: break;
    }
}

void lpu_gemm_i4_i8_avx512vnni(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    (void)room;
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_I4, k);
    size_t first = 0;

    for (; first + 32 < rows; first += 64, w += 2 * block_bytes) {
        gemm_blocks(y + first, y_stride, w, block_bytes, x, x_stride,
                    lpu_vnni_min(rows - first - 32, 32), k, tokens, TOGETHER);
    }
    if (first < rows) {
        gemm_blocks(y + first, y_stride, w, block_bytes, x, x_stride, rows - first, k, tokens, 1);
    }
}
