/* workloads/train/matmul_bf16.c - products of pairs of bfloat16, 12 rows by two vectors at a time.
 *
 * Both sides are packed as pairs of neighbours along k, in one 32-bit word, the first lower.
 */
#include "workloads/train/matmul.h"

#include <assert.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(LPU_TRAIN_DOUBLE)
#include <immintrin.h>

#define WIDE __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

enum {
    ROWS = 12,
    COLS = 32,
    BLOCK = 288,
    DEPTH = 256,
    PAIRS = DEPTH / 2,
};

static_assert((BLOCK + COLS) * PAIRS <= LPU_MATMUL_SCRATCH, "both packed sides lie in scratch");

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* To the nearest, ties to even; numbers are finite. */
static inline uint32_t half_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/* 16 pairs from 32 numbers of a line; what is beyond n is zero. */
WIDE static inline __m512i pairs_of(const float *line, size_t n)
{
    const __mmask16 low = (__mmask16)((1u << least(n, 16)) - 1);
    const __mmask16 high = (__mmask16)((1u << (n > 16 ? least(n - 16, 16) : 0)) - 1);
    const __m512 first = _mm512_maskz_loadu_ps(low, line);
    const __m512 second = _mm512_maskz_loadu_ps(high, line + (n > 16 ? 16 : 0));
    return (__m512i)_mm512_cvtne2ps_pbh(second, first);
}

/* Sixteen rows of sixteen words, turned over. */
WIDE static inline __attribute__((always_inline)) void turn(__m512i r[16])
{
    __m512i t[16];

    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; i++) {
        r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
        r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
        r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
    }
}

/* Lines that run along k, up to 16 at a time: rounded as they lie, then turned over. */
WIDE static void pack_lines(uint32_t *to, const float *from, size_t step, size_t count,
                            size_t width, size_t k)
{
    const size_t pairs = (k + 1) / 2, group = least(width, 16);
    const __mmask16 lanes = (__mmask16)((1u << group) - 1);

    for (size_t first = 0; first < (count + width - 1) / width * width; first += group) {
        uint32_t *panel = to + first / width * pairs * width + first % width;
        const size_t n = first < count ? least(group, count - first) : 0;
        for (size_t p = 0; p < pairs; p += 16) {
            __m512i rows[16];
            for (size_t i = 0; i < 16; i++) {
                rows[i] = i < n ? pairs_of(from + (first + i) * step + 2 * p, k - 2 * p)
                                : _mm512_setzero_si512();
            }
            turn(rows);
            for (size_t i = 0; i < 16 && p + i < pairs; i++) {
                _mm512_mask_storeu_epi32(panel + (p + i) * width, lanes, rows[i]);
            }
        }
    }
}

/* Numbers that run along the panel: two neighbours of k, word by word. */
WIDE static void pack_columns(uint32_t *to, const float *from, size_t deep, size_t count,
                              size_t width, size_t k)
{
    const size_t pairs = (k + 1) / 2;

    for (size_t first = 0; first < count; first += width, to += pairs * width) {
        for (size_t p = 0; p < pairs; p++) {
            for (size_t i = 0; i < width; i += 16) {
                const size_t n = first + i < count ? least(count - first - i, 16) : 0;
                const __mmask16 some = (__mmask16)((1u << n) - 1);
                const __mmask16 lanes = (__mmask16)((1u << least(width - i, 16)) - 1);
                const float *low = from + first + i + 2 * p * deep;
                const bool has_high = 2 * p + 1 < k;
                const __m512 a = _mm512_maskz_loadu_ps(some, low);
                const __m512 b =
                    _mm512_maskz_loadu_ps(has_high ? some : 0, low + (has_high ? deep : 0));
                const __m512i l = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(a));
                const __m512i h = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(b));
                _mm512_mask_storeu_epi32(to + p * width + i, lanes,
                                         _mm512_or_si512(l, _mm512_slli_epi32(h, 16)));
            }
        }
    }
}

/* As pack_lines or pack_columns, of numbers that lie anyhow. */
static void pack_any(uint32_t *to, const float *from, size_t step, size_t deep, size_t count,
                     size_t width, size_t k)
{
    const size_t pairs = (k + 1) / 2;

    for (size_t first = 0; first < count; first += width, to += pairs * width) {
        for (size_t w = 0; w < pairs * width; w++) {
            const size_t i = first + w % width, p = w / width * 2;
            const float *at = from + i * step + p * deep;
            const uint32_t low = i < count ? half_of(at[0]) : 0;
            to[w] = low | (i < count && p + 1 < k ? half_of(at[deep]) << 16 : 0);
        }
    }
}

/* Panels of width: to[panel][pair][width]; what is beyond count or k is zero. */
WIDE static void pack_side(uint32_t *to, const float *from, size_t step, size_t deep, size_t count,
                           size_t width, size_t k)
{
    if (deep == 1) pack_lines(to, from, step, count, width, k);
    else if (step == 1) pack_columns(to, from, deep, count, width, k);
    else pack_any(to, from, step, deep, count, width, k);
}

WIDE static inline __attribute__((always_inline)) void add(float *c, __m512 sum, __mmask16 mask,
                                                           bool adds)
{
    if (adds) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, c));
    _mm512_mask_storeu_ps(c, mask, sum);
}

WIDE static void tile(float *c, size_t stride, const uint32_t *a, const uint32_t *b, size_t pairs,
                      size_t rows, size_t cols, bool adds)
{
    const __mmask16 left = (__mmask16)((1u << least(cols, 16)) - 1);
    const __mmask16 right = (__mmask16)((1u << (cols > 16 ? cols - 16 : 0)) - 1);
    __m512 sum[ROWS][2];

    for (size_t i = 0; i < ROWS; i++) sum[i][0] = sum[i][1] = _mm512_setzero_ps();
    for (size_t p = 0; p < pairs; p++, a += ROWS, b += COLS) {
        const __m512bh b0 = (__m512bh)_mm512_load_si512(b);
        const __m512bh b1 = (__m512bh)_mm512_load_si512(b + 16);
        for (size_t i = 0; i < ROWS; i++) {
            const __m512bh word = (__m512bh)_mm512_set1_epi32((int)a[i]);
            sum[i][0] = _mm512_dpbf16_ps(sum[i][0], word, b0);
            sum[i][1] = _mm512_dpbf16_ps(sum[i][1], word, b1);
        }
    }
    for (size_t i = 0; i < ROWS; i++) {
        if (i >= rows) break;
        add(c + i * stride, sum[i][0], left, adds);
        if (right) add(c + i * stride + 16, sum[i][1], right, adds);
    }
}

WIDE static void block(float *c, size_t stride, lpu_matmul_view a, lpu_matmul_view b, size_t m,
                       size_t n, size_t k, bool adds, uint32_t *scratch)
{
    const size_t pairs = (k + 1) / 2;
    uint32_t *left = scratch + COLS * PAIRS;

    pack_side(left, a.at, a.row, a.col, m, ROWS, k);
    for (size_t j = 0; j < n; j += COLS) {
        const size_t cols = least(COLS, n - j);
        pack_side(scratch, b.at + j * b.col, b.col, b.row, cols, COLS, k);
        for (size_t i = 0; i < m; i += ROWS) {
            tile(c + i * stride + j, stride, left + i * pairs, scratch, pairs, least(ROWS, m - i),
                 cols, adds);
        }
    }
}

void lpu_matmul_run_coarse(float *c, size_t stride, lpu_matmul_view a, lpu_matmul_view b, size_t m,
                           size_t n, size_t k, bool adds, float *scratch)
{
    if (!__builtin_cpu_supports("avx512bf16")) {
        lpu_matmul_run(c, stride, a, b, m, n, k, adds, scratch);
        return;
    }
    for (size_t p = 0; p < k; p += DEPTH) {
        for (size_t i = 0; i < m; i += BLOCK) {
            const lpu_matmul_view top = {a.at + i * a.row + p * a.col, a.row, a.col};
            const lpu_matmul_view right = {b.at + p * b.row, b.row, b.col};
            block(c + i * stride, stride, top, right, least(BLOCK, m - i), n, least(DEPTH, k - p),
                  adds || p, (uint32_t *)(void *)scratch);
        }
    }
}

#else

void lpu_matmul_run_coarse(lpu_real *c, size_t stride, lpu_matmul_view a, lpu_matmul_view b,
                           size_t m, size_t n, size_t k, bool adds, lpu_real *scratch)
{
    lpu_matmul_run(c, stride, a, b, m, n, k, adds, scratch);
}

#endif
