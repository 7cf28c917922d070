/* kernels/b3_i8_avx512vnni.c - 1.6-bit ternary x int8 with VNNI.
 *
 * A code (layout.h) becomes two bytes by table: f, the digits of planes 0..3 in two bits each, and
 * g = v + 64 d. The sums of f come apart by masks as in t2_i8_avx512vnni.c; then
 *
 *     sum d x = (sum g x - (S0 + 3 S1 + 9 S2 + 27 S3)) / 64, exactly.
 *
 * Codes below 192 already are g, and their low six bits index the table of f. The others take both
 * bytes from tables of their own. Taking both halves of one 256-entry table for all codes was
 * tried: two-register permutes are slower than this.
 */
#include "kernels/kernels.h"
#include "kernels/vnni.h"

enum { TOKENS = 5, STREAMS = 2 };

typedef struct tables {
    __m512i low, high, high_g; /* f of codes 0..191, f and g of codes 192.. */
} tables;

/* Two bits a digit of v. */
static uint8_t fields(uint32_t v)
{
    return (uint8_t)(v % 3 | v / 3 % 3 << 2 | v / 9 % 3 << 4 | v / 27 % 3 << 6);
}

static tables tables_make(void)
{
    uint8_t low[64], high[64] = {0}, high_g[64] = {0};
    for (uint32_t i = 0; i < 64; i++) low[i] = fields(i);
    for (uint32_t i = 0; i < 51; i++) {
        high[i] = fields(64 + i % 17);
        high_g[i] = (uint8_t)(64 + i % 17 + 64 * (i / 17));
    }
    return (tables){_mm512_loadu_si512(low), _mm512_loadu_si512(high), _mm512_loadu_si512(high_g)};
}

LPU_INLINE __m512i times3(__m512i v)
{
    return _mm512_add_epi32(v, _mm512_add_epi32(v, v));
}

LPU_INLINE void finish(int32_t *y, size_t rows, const __m512i *a, int32_t sum)
{
    const __m512i s = _mm512_set1_epi32(sum);
    __m512i row[5];
    row[0] = a[3];
    row[1] = _mm512_srai_epi32(_mm512_sub_epi32(a[2], a[3]), 2);
    row[2] = _mm512_srai_epi32(_mm512_sub_epi32(a[1], a[2]), 4);
    row[3] = _mm512_srai_epi32(_mm512_sub_epi32(a[0], a[1]), 6);

    __m512i v = _mm512_add_epi32(row[2], times3(row[3]));
    v = _mm512_add_epi32(row[1], times3(v));
    v = _mm512_add_epi32(row[0], times3(v));
    row[4] = _mm512_srai_epi32(_mm512_sub_epi32(a[4], v), 6);

    for (size_t p = 0; p < 5 && 16 * p < rows; p++) {
        lpu_vnni_store(y + 16 * p, rows - 16 * p, _mm512_sub_epi32(row[p], s));
    }
}

/* f and g of a line of codes. */
LPU_INLINE __m512i decode(__m512i *g, __m512i u, const tables *t)
{
    const __mmask64 is_high = _mm512_cmpgt_epu8_mask(u, _mm512_set1_epi8((char)191));
    const __m512i f = _mm512_permutexvar_epi8(u, t->low);
    *g = _mm512_mask_permutexvar_epi8(u, is_high, u, t->high_g);
    return _mm512_mask_permutexvar_epi8(f, is_high, u, t->high);
}

LPU_INLINE void multiply(__m512i *acc, __m512i f, __m512i g, __m512i x)
{
    acc[4] = _mm512_dpbusd_epi32(acc[4], g, x);
    acc[0] = _mm512_dpbusd_epi32(acc[0], f, x);
    acc[1] = _mm512_dpbusd_epi32(acc[1], _mm512_and_si512(f, _mm512_set1_epi8(63)), x);
    acc[2] = _mm512_dpbusd_epi32(acc[2], _mm512_and_si512(f, _mm512_set1_epi8(15)), x);
    acc[3] = _mm512_dpbusd_epi32(acc[3], _mm512_and_si512(f, _mm512_set1_epi8(3)), x);
}

LPU_INLINE void gemv_blocks(int32_t *y, size_t y_apart, const uint8_t *w, size_t stream_bytes,
                            const int8_t *x, size_t rows, size_t k, int32_t sum, const tables *t,
                            const size_t n)
{
    __m512i acc[5 * STREAMS];
    LPU_UNROLL
    for (size_t i = 0; i < 5 * n; i++) acc[i] = _mm512_setzero_si512();

    for (size_t c = 0; c < k; c += 4, w += 64) {
        const __m512i four = lpu_vnni_broadcast(x, k, c);
        LPU_UNROLL
        for (size_t s = 0; s < n; s++) {
            __m512i g, f;
            lpu_vnni_prefetch(w + s * stream_bytes);
            f = decode(&g, _mm512_loadu_si512(w + s * stream_bytes), t);
            multiply(acc + 5 * s, f, g, four);
        }
    }
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        finish(y + s * y_apart, s + 1 < n ? 80 : rows, acc + 5 * s, sum);
    }
}

void lpu_gemv_b3_i8_avx512vnni(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows, size_t k)
{
    const tables t = tables_make();
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B3, k);
    const size_t blocks = (rows + 79) / 80, each = blocks / STREAMS;
    const int32_t sum = lpu_vnni_sum(x, k);

    for (size_t b = 0; b < each; b++) {
        const size_t last = (STREAMS - 1) * each + b;
        gemv_blocks(y + 80 * b, 80 * each, w + b * block_bytes, each * block_bytes, x,
                    lpu_vnni_min(rows - 80 * last, 80), k, sum, &t, STREAMS);
    }
    for (size_t b = each * STREAMS; b < blocks; b++) {
        gemv_blocks(y + 80 * b, 0, w + b * block_bytes, 0, x, lpu_vnni_min(rows - 80 * b, 80), k,
                    sum, &t, 1);
    }
}

LPU_INLINE void gemm_block(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                           size_t x_stride, size_t rows, size_t k, const int32_t *sums,
                           const tables *tab, const size_t n)
{
    __m512i acc[5 * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < 5 * n; i++) acc[i] = _mm512_setzero_si512();

    for (size_t c = 0; c < k; c += 4, w += 64) {
        __m512i g, f = decode(&g, _mm512_loadu_si512(w), tab);
        LPU_UNROLL
        for (size_t t = 0; t < n; t++) {
            multiply(acc + 5 * t, f, g, lpu_vnni_broadcast(x + t * x_stride, k, c));
        }
    }
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) finish(y + t * y_stride, rows, acc + 5 * t, sums[t]);
}

void lpu_gemm_b3_i8_avx512vnni(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens)
{
    const tables tab = tables_make();
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B3, k);

    for (size_t first = 0; first < rows; first += 80, w += block_bytes) {
        const size_t here = lpu_vnni_min(rows - first, 80);
        for (size_t t = 0; t < tokens; t += TOKENS) {
            int32_t *to = y + t * y_stride + first;
            const int8_t *from = x + t * x_stride;
            const size_t n = lpu_vnni_min(tokens - t, TOKENS);
            int32_t sums[TOKENS];
            for (size_t i = 0; i < n; i++) sums[i] = lpu_vnni_sum(from + i * x_stride, k);
            switch (n) {
            case 1: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &tab, 1); break;
            case 2: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &tab, 2); break;
            case 3: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &tab, 3); break;
            case 4: gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &tab, 4); break;
            default:
                gemm_block(to, y_stride, w, from, x_stride, here, k, sums, &tab, TOKENS);
                break;
            }
        }
    }
}
