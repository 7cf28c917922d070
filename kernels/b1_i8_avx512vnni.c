/* kernels/b1_i8_avx512vnni.c - binary x int8 with VNNI: a byte of eight rows is summed with fewer
 * and fewer of its upper bits; the rows come apart at the end, as in t2_i8_avx512vnni.c. */
#include "kernels/kernels.h"
#include "kernels/lookup.h"
#include "kernels/vnni.h"

enum { STREAMS = 2, TOKENS = 2, PLANES = 8 };

/* The next four k (or as many as are left) of n blocks times m tokens. */
LPU_INLINE void step(__m512i *acc, const uint8_t *w, size_t apart, const int8_t *x, size_t x_stride,
                     size_t left, size_t ahead, const size_t n, const size_t m)
{
    __m512i four[TOKENS];
    LPU_UNROLL
    for (size_t t = 0; t < m; t++) four[t] = lpu_vnni_broadcast(x + t * x_stride, left);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        if (m == 1) lpu_vnni_prefetch(w + s * apart, ahead);
        const __m512i line = _mm512_loadu_si512(w + s * apart);
        LPU_UNROLL
        for (size_t p = 0; p < PLANES; p++) {
            const __m512i bits = _mm512_set1_epi8((char)((2u << p) - 1));
            const __m512i low = p + 1 < PLANES ? _mm512_and_si512(line, bits) : line;
            LPU_UNROLL
            for (size_t t = 0; t < m; t++) {
                __m512i *to = acc + PLANES * (s * m + t) + p;
                *to = _mm512_dpbusd_epi32(*to, low, four[t]);
            }
        }
    }
}

/* n blocks, apart bytes from one to the next, times m tokens; rows is that of the last block. */
LPU_INLINE void multiply(int32_t *y, size_t y_apart, size_t y_stride, const uint8_t *w,
                         size_t apart, const int8_t *x, size_t x_stride, size_t rows, size_t k,
                         const int32_t *sums, const size_t n, const size_t m)
{
    const size_t ahead = lpu_vnni_ahead();
    __m512i acc[PLANES * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < PLANES * n * m; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) step(acc, w, apart, x + c, x_stride, 4, ahead, n, m);
    if (c < k) step(acc, w, apart, x + c, x_stride, k - c, ahead, n, m);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        const size_t here = s + 1 < n ? 128 : rows;
        LPU_UNROLL
        for (size_t t = 0; t < m; t++) {
            const __m512i taken = _mm512_set1_epi32(sums[t]);
            LPU_UNROLL
            for (size_t p = 0; p < PLANES; p++) {
                const __m512i *a = acc + PLANES * (s * m + t) + p;
                const __m512i own = p ? _mm512_sub_epi32(a[0], a[-1]) : a[0]; /* 2^p ones x */
                const __m512i twice =
                    p ? _mm512_srai_epi32(own, (unsigned)p - 1) : _mm512_add_epi32(own, own);
                if (16 * p >= here) continue;
                lpu_vnni_store(y + s * y_apart + t * y_stride + 16 * p, here - 16 * p,
                               _mm512_sub_epi32(twice, taken));
            }
        }
    }
}

void lpu_gemv_b1_i8_avx512vnni(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B1, k);
    const size_t blocks = (rows + 127) / 128, each = blocks / STREAMS;
    const int32_t sum = lpu_vnni_sum(x, k);

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        multiply(y + 128 * b, 128 * each, 0, w + b * block_bytes, each * block_bytes, x, 0,
                 lpu_vnni_min(rows - 128 * last, 128), k, &sum, STREAMS, 1);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        multiply(y + 128 * b, 0, 0, w + b * block_bytes, 0, x, 0, lpu_vnni_min(rows - 128 * b, 128),
                 k, &sum, 1, 1);
    }
}

/* Planes 0..3 are a set, 4..7 another: of digits of which none is zero. */
static size_t plane_row(size_t set, size_t plane)
{
    return 64 * set + 16 * plane;
}

static void expand(uint8_t *const *sets, const uint8_t *w, size_t block_bytes, size_t blocks,
                   size_t lines)
{
    /* Bits 3 2 1 0 in places 7 5 3 1: digits + 1 of 2 or 0. */
    const __m512i spread = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0x00, 0x02, 0x08, 0x0a, 0x20, 0x22, 0x28, 0x2a, (char)0x80, (char)0x82,
                      (char)0x88, (char)0x8a, (char)0xa0, (char)0xa2, (char)0xa8, (char)0xaa));
    const __m512i low = _mm512_set1_epi8(15);

    (void)block_bytes;
    (void)blocks; /* there is one */
    for (size_t i = 0; i < 64 * lines; i += 64) {
        const __m512i u = _mm512_loadu_si512(w + i);
        const __m512i upper = _mm512_and_si512(_mm512_srli_epi16(u, 4), low);
        _mm512_storeu_si512(sets[0] + i, _mm512_shuffle_epi8(spread, _mm512_and_si512(u, low)));
        _mm512_storeu_si512(sets[1] + i, _mm512_shuffle_epi8(spread, upper));
    }
}

static const lpu_lookup_format format = {
    .blocks = 1, .block_rows = 128, .sets = 2, .row = plane_row, .expand = expand};

void lpu_gemm_b1_i8_avx512vnni(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B1, k);
    const size_t done =
        lpu_lookup_multiply(y, y_stride, w, x, x_stride, rows, k, tokens, room, &format);

    y += done * y_stride;
    x += done * x_stride;
    tokens -= done;
    for (size_t first = 0; tokens && first < rows; first += 128, w += block_bytes) {
        int32_t *to = y + first, sums[TOKENS];
        size_t t = 0;
        for (; t + TOKENS <= tokens; t += TOKENS) {
            for (size_t i = 0; i < TOKENS; i++) sums[i] = lpu_vnni_sum(x + (t + i) * x_stride, k);
            multiply(to + t * y_stride, 0, y_stride, w, 0, x + t * x_stride, x_stride, rows - first,
                     k, sums, 1, TOKENS);
        }
        for (; t < tokens; t++) {
            sums[0] = lpu_vnni_sum(x + t * x_stride, k);
            multiply(to + t * y_stride, 0, y_stride, w, 0, x + t * x_stride, x_stride, rows - first,
                     k, sums, 1, 1);
        }
    }
}
