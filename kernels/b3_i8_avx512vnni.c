/* kernels/b3_i8_avx512vnni.c - 1.6-bit ternary x int8 with VNNI.
 *
 * A code u is the digits of five rows in base 3, and v = u mod 81 those of the first four. Both are
 * summed as they stand, and so is f, the four digits in two bits each, with masks as in
 * t2_i8_avx512vnni.c: five sums that are independent,
 *
 *     a0 = S0 + 4 S1 + 16 S2 + 64 S3    a1 = S0 + 4 S1 + 16 S2    a2 = S0 + 4 S1
 *     a3 = S0 + 3 S1 +  9 S2 + 27 S3    a4 = a3 + 81 S4
 *
 * f comes from a table of v, and that is the least of u, u - 81 and u - 162: what is below 0 wraps
 * around to a large byte. Of the ways tried, among them codes with an escape and tables of all 243,
 * this was the fastest on two makes of CPU: on one the permutes share the multipliers' ports, on
 * the other one from two tables takes two cycles. Summing v saves a mask.
 */
#include "kernels/kernels.h"
#include "kernels/lookup.h"
#include "kernels/vnni.h"

enum { TOKENS = 5, STREAMS = 4, INVERSE_81 = 2014922929 };

typedef struct tables {
    __m512i low, high;   /* f of 0..63 and of 64..80 */
    __m512i once, twice; /* 81 and 162 */
} tables;

/* Masks of f. Registers are few: in the loops of one token these stay in memory. */
typedef struct masks {
    __m512i three, two;
} masks;

static masks masks_make(void)
{
    return (masks){_mm512_set1_epi8(63), _mm512_set1_epi8(15)};
}

static tables tables_make(void)
{
    uint8_t f[128] = {0};
    for (uint32_t v = 0; v < 81; v++) {
        f[v] = (uint8_t)(v % 3 | v / 3 % 3 << 2 | v / 9 % 3 << 4 | v / 27 % 3 << 6);
    }
    return (tables){_mm512_loadu_si512(f), _mm512_loadu_si512(f + 64), _mm512_set1_epi8(81),
                    _mm512_set1_epi8((char)162)};
}

LPU_INLINE __m512i times3(__m512i v)
{
    return _mm512_add_epi32(v, _mm512_add_epi32(v, v));
}

LPU_INLINE void finish(int32_t *y, size_t rows, const __m512i *a, int32_t sum)
{
    const __m512i s = _mm512_set1_epi32(sum);
    __m512i row[5];
    row[3] = _mm512_srai_epi32(_mm512_sub_epi32(a[0], a[1]), 6);
    row[2] = _mm512_srai_epi32(_mm512_sub_epi32(a[1], a[2]), 4);
    /* a2 - (a3 - 27 S3 - 9 S2) = S1. */
    const __m512i upper = times3(times3(_mm512_add_epi32(row[2], times3(row[3]))));
    row[1] = _mm512_add_epi32(_mm512_sub_epi32(a[2], a[3]), upper);
    row[0] = _mm512_sub_epi32(a[2], _mm512_slli_epi32(row[1], 2));
    /* A multiple of 81 is divided by multiplying with 81's inverse modulo 2^32. */
    row[4] = _mm512_mullo_epi32(_mm512_sub_epi32(a[4], a[3]), _mm512_set1_epi32(INVERSE_81));

    for (size_t p = 0; p < 5 && 16 * p < rows; p++) {
        lpu_vnni_store(y + 16 * p, rows - 16 * p, _mm512_sub_epi32(row[p], s));
    }
}

/* A line of codes: u, v, f and f's lower digits. */
typedef struct line {
    __m512i u, v, f, three, two;
} line;

LPU_INLINE __m512i four_digits(__m512i u, const tables *t)
{
    const __m512i once = _mm512_sub_epi8(u, t->once), twice = _mm512_sub_epi8(u, t->twice);
    return _mm512_min_epu8(u, _mm512_min_epu8(once, twice));
}

LPU_INLINE line decode(__m512i u, const tables *t)
{
    const __m512i v = four_digits(u, t);
    const __m512i f = _mm512_permutex2var_epi8(t->low, v, t->high);
    return (line){u, v, f, _mm512_and_si512(f, _mm512_set1_epi8(63)),
                  _mm512_and_si512(f, _mm512_set1_epi8(15))};
}

LPU_INLINE void multiply(__m512i *acc, const line *l, __m512i x)
{
    acc[4] = _mm512_dpbusd_epi32(acc[4], l->u, x);
    acc[3] = _mm512_dpbusd_epi32(acc[3], l->v, x);
    acc[0] = _mm512_dpbusd_epi32(acc[0], l->f, x);
    acc[1] = _mm512_dpbusd_epi32(acc[1], l->three, x);
    acc[2] = _mm512_dpbusd_epi32(acc[2], l->two, x);
}

LPU_INLINE void dot(__m512i *acc, __m512i w, __m512i x)
{
    *acc = _mm512_dpbusd_epi32(*acc, w, x);
    LPU_KEEP(*acc);
}

/* Both at once, for five sums of many: each operand is used as soon as it is there. */
LPU_INLINE void decode_multiply(__m512i *acc, __m512i u, __m512i x, const tables *t, const masks *m)
{
    dot(&acc[4], u, x);
    const __m512i v = four_digits(u, t);
    dot(&acc[3], v, x);
    const __m512i f = _mm512_permutex2var_epi8(t->low, v, t->high);
    dot(&acc[0], f, x);
    LPU_KEEP_POINTER(m);
    dot(&acc[1], _mm512_and_si512(f, m->three), x);
    dot(&acc[2], _mm512_and_si512(f, m->two), x);
}

/* The next four k (or as many as are left) of n streams. */
LPU_INLINE void gemv_step(__m512i *acc, const uint8_t *w, size_t stream_bytes, const int8_t *x,
                          size_t left, size_t ahead, const tables *t, const masks *m,
                          const size_t n)
{
    const __m512i four = lpu_vnni_broadcast(x, left);
    LPU_UNROLL
    for (size_t s = 0; s < n; s++) {
        lpu_vnni_prefetch(w + s * stream_bytes, ahead);
        decode_multiply(acc + 5 * s, _mm512_loadu_si512(w + s * stream_bytes), four, t, m);
    }
}

LPU_INLINE void gemv_blocks(int32_t *y, size_t y_apart, const uint8_t *w, size_t stream_bytes,
                            const int8_t *x, size_t rows, size_t k, int32_t sum, const tables *in,
                            const size_t n)
{
    const size_t ahead = lpu_vnni_ahead();
    const tables t = *in;
    const masks m = masks_make();
    __m512i acc[5 * STREAMS];
    LPU_UNROLL
    for (size_t i = 0; i < 5 * n; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) gemv_step(acc, w, stream_bytes, x + c, 4, ahead, &t, &m, n);
    if (c < k) gemv_step(acc, w, stream_bytes, x + c, k - c, ahead, &t, &m, n);
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

/* The next four k of a block times n tokens. */
LPU_INLINE void gemm_step(__m512i *acc, const uint8_t *w, const int8_t *x, size_t x_stride,
                          size_t left, const tables *tab, const size_t n)
{
    const line l = decode(_mm512_loadu_si512(w), tab);
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) {
        multiply(acc + 5 * t, &l, lpu_vnni_broadcast(x + t * x_stride, left));
    }
}

LPU_INLINE void gemm_block(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                           size_t x_stride, size_t rows, size_t k, const int32_t *sums,
                           const tables *tab, const size_t n)
{
    __m512i acc[5 * TOKENS];
    LPU_UNROLL
    for (size_t i = 0; i < 5 * n; i++) acc[i] = _mm512_setzero_si512();

    size_t c = 0;
    for (; c + 4 <= k; c += 4, w += 64) gemm_step(acc, w, x + c, x_stride, 4, tab, n);
    if (c < k) gemm_step(acc, w, x + c, x_stride, k - c, tab, n);
    LPU_UNROLL
    for (size_t t = 0; t < n; t++) finish(y + t * y_stride, rows, acc + 5 * t, sums[t]);
}

/* Planes 0..3 of a block are a set, as they stand in f; the last planes of four blocks are one. */
static size_t plane_row(size_t set, size_t plane)
{
    return set < 4 ? 80 * set + 16 * plane : 80 * plane + 64;
}

static void expand(uint8_t *const *sets, const uint8_t *w, size_t block_bytes, size_t blocks,
                   size_t lines)
{
    const tables t = tables_make();

    for (size_t i = 0; i < 64 * lines; i += 64) {
        __m512i last = _mm512_setzero_si512();
        for (size_t b = 0; b < blocks; b++) {
            const line l = decode(_mm512_loadu_si512(w + b * block_bytes + i), &t);
            const __m512i one = _mm512_set1_epi8((char)(1 << 2 * b));
            _mm512_storeu_si512(sets[b] + i, l.f);
            last = _mm512_mask_add_epi8(last, _mm512_cmpge_epu8_mask(l.u, _mm512_set1_epi8(81)),
                                        last, one);
            last = _mm512_mask_add_epi8(
                last, _mm512_cmpge_epu8_mask(l.u, _mm512_set1_epi8((char)162)), last, one);
        }
        _mm512_storeu_si512(sets[4] + i, last);
    }
    for (size_t b = blocks; b < 4; b++) memset(sets[b], 0, 64 * lines);
}

static const lpu_lookup_format format = {
    .blocks = 4, .block_rows = 80, .sets = 5, .row = plane_row, .expand = expand};

void lpu_gemm_b3_i8_avx512vnni(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room)
{
    const tables tab = tables_make();
    const size_t block_bytes = lpu_layout_block_bytes(LPU_LAYOUT_B3, k);
    const size_t done =
        lpu_lookup_multiply(y, y_stride, w, x, x_stride, rows, k, tokens, room, &format);

    y += done * y_stride;
    x += done * x_stride;
    tokens -= done;
    for (size_t first = 0; tokens && first < rows; first += 80, w += block_bytes) {
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
