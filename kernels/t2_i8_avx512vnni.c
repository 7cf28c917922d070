/* kernels/t2_i8_avx512vnni.c - 2-bit ternary x int8 with VNNI.
 *
 * A byte u holds the digits of four rows in bits 7..6, 5..4, 3..2, 1..0. Shifting them out costs an
 * instruction each; instead u is summed as it stands and with its high digits masked off:
 *
 *     a3 = sum (u & 3) x      a2 = sum (u & 15) x      a1 = sum (u & 63) x      a0 = sum u x
 *
 * and the rows come apart once, at the end: (a2 - a3) / 4, (a1 - a2) / 16, (a0 - a1) / 64, exactly.
 * The digits are stored plus one, so sum x is taken off each row.
 */
#include "kernels/kernels.h"
#include "kernels/lookup.h"
#include "kernels/vnni.h"

enum { TOKENS = 6, STREAMS = 4 };

/* Takes the four sums apart and writes as many of the block's rows as there are. */
LPU_INLINE void finish(int32_t *y, size_t rows, const __m512i *a, int32_t sum)
{
    const __m512i s = _mm512_set1_epi32(sum);
    const __m512i row[4] = {a[3], _mm512_srai_epi32(_mm512_sub_epi32(a[2], a[3]), 2),
                            _mm512_srai_epi32(_mm512_sub_epi32(a[1], a[2]), 4),
                            _mm512_srai_epi32(_mm512_sub_epi32(a[0], a[1]), 6)};
    for (size_t p = 0; p < 4 && 16 * p < rows; p++) {
        lpu_vnni_store(y + 16 * p, rows - 16 * p, _mm512_sub_epi32(row[p], s));
    }
}

/* acc += the line u times the four activations x. */
LPU_INLINE void multiply(__m512i *acc, __m512i u, __m512i x)
{
    acc[0] = _mm512_dpbusd_epi32(acc[0], u, x);
    acc[1] = _mm512_dpbusd_epi32(acc[1], _mm512_and_si512(u, _mm512_set1_epi8(63)), x);
    acc[2] = _mm512_dpbusd_epi32(acc[2], _mm512_and_si512(u, _mm512_set1_epi8(15)), x);
    acc[3] = _mm512_dpbusd_epi32(acc[3], _mm512_and_si512(u, _mm512_set1_epi8(3)), x);
}

/* The next four k (or as many as are left) of n streams. */
LPU_INLINE void gemv_step(__m512i *acc, const uint8_t *w, size_t stream_bytes, const int8_t *x,
                          size_t left, size_t ahead, const size_t n)
{
    const __m512i four = lpu_vnni_broadcast(x, left);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        lpu_vnni_prefetch(w + s * stream_bytes, ahead);
        multiply(acc + 4 * s, _mm512_loadu_si512(w + s * stream_bytes), four);
    }
}

/* One block of each of n streams that are stream_bytes apart; rows is that of the last one. */
LPU_INLINE void gemv_blocks(int32_t *y, size_t y_apart, const uint8_t *w, size_t stream_bytes,
                            const int8_t *x, size_t rows, size_t k, int32_t sum, const size_t n)
{
    const size_t ahead = lpu_vnni_ahead();
    __m512i acc[4 * STREAMS];
    LPU_UNROLL
    for (size_t i = 0; i < 4 * n; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) gemv_step(acc, w, stream_bytes, x + c, 4, ahead, n);
    if (c < k) gemv_step(acc, w, stream_bytes, x + c, k - c, ahead, n);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        finish(y + s * y_apart, s + 1 < n ? 64 : rows, acc + 4 * s, sum);
    }
}

void lpu_gemv_t2_i8_avx512vnni(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_T2, k);
    const size_t blocks = (rows + 63) / 64, each = blocks / STREAMS;
    const int32_t sum = lpu_vnni_sum(x, k);

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        gemv_blocks(y + 64 * b, 64 * each, w + b * block_bytes, each * block_bytes, x,
                    lpu_vnni_min(rows - 64 * last, 64), k, sum, STREAMS);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        gemv_blocks(y + 64 * b, 0, w + b * block_bytes, 0, x, lpu_vnni_min(rows - 64 * b, 64), k,
                    sum, 1);
    }
}

/* The next four k of a block times n tokens. */
LPU_INLINE void gemm_step(__m512i *acc, const uint8_t *w, const int8_t *x, size_t x_stride,
                          size_t left, const size_t n)
{
    const __m512i u = _mm512_loadu_si512(w);
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        multiply(acc + 4 * t, u, lpu_vnni_broadcast(x + t * x_stride, left));
    }
}

/* A block times n tokens: the masks of a line are shared by the tokens. */
LPU_INLINE void gemm_block(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                           size_t x_stride, size_t rows, size_t k, const int32_t *sums,
                           const size_t n)
{
    __m512i acc[4 * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < 4 * n; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) gemm_step(acc, w, x + c, x_stride, 4, n);
    if (c < k) gemm_step(acc, w, x + c, x_stride, k - c, n);
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) finish(y + t * y_stride, rows, acc + 4 * t, sums[t]);
}

static size_t plane_row(size_t set, size_t plane)
{
    (void)set; /* there is one */
    return 16 * plane;
}

static const lpu_lookup_format format = {
    .blocks = 1, .block_rows = 64, .sets = 1, .row = plane_row};

void lpu_gemm_t2_i8_avx512vnni(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_T2, k);
    const size_t done =
        lpu_lookup_multiply(y, y_stride, w, x, x_stride, rows, k, tokens, room, &format);

    y += done * y_stride;
    x += done * x_stride;
    tokens -= done;
    for (size_t first = 0; tokens && first < rows; first += 64, w += block_bytes) {
        const size_t here = lpu_vnni_min(rows - first, 64);
        for (size_t t = 0; t < tokens; t += TOKENS) {
            int32_t *to = y + t * y_stride + first;
            const int8_t *from = x + t * x_stride;
            const size_t n = lpu_vnni_min(tokens - t, TOKENS);
            int32_t sums[TOKENS];
            for (size_t i = 0; i < n; i++) sums[i] = lpu_vnni_sum(from + i * x_stride, k);
            switch (n) {
            case 1: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, 1); break;
            case 2: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, 2); break;
            case 3: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, 3); break;
            case 4: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, 4); break;
            case 5: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, 5); break;
            default: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, TOKENS); break;
            }
        }
    }
}
