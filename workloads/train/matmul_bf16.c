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

/* Panels of width: to[panel][pair][width]; what is beyond count or k is zero. A line is where one
 * of the count begins. */
static inline __attribute__((always_inline)) void pack(uint32_t *to, const float *from, size_t step,
                                                       size_t deep, size_t count, size_t width,
                                                       size_t k)
{
    const size_t pairs = (k + 1) / 2;

    for (size_t first = 0; first < count; first += width, to += pairs * width) {
        const size_t n = least(width, count - first);
        for (size_t p = 0; p < pairs; p++) {
            const float *low = from + first * step + 2 * p * deep, *high = low + deep;
            uint32_t *line = to + p * width;
            const bool has_high = 2 * p + 1 < k;
            if (n == width && has_high) {
                for (size_t i = 0; i < width; i++) {
                    line[i] = half_of(low[i * step]) | half_of(high[i * step]) << 16;
                }
                continue;
            }
            for (size_t i = 0; i < width; i++) {
                const uint32_t l = i < n ? half_of(low[i * step]) : 0;
                line[i] = l | (i < n && has_high ? half_of(high[i * step]) << 16 : 0);
            }
        }
    }
}

/* Lines that run along k: rounded as they lie, then dealt out. */
WIDE static void pack_lines(uint32_t *to, const float *from, size_t step, size_t count,
                            size_t width, size_t k)
{
    const size_t pairs = k / 2;
    uint32_t line[PAIRS];

    for (size_t i = 0; i < count; i++, from += step) {
        uint32_t *at = to + i / width * pairs * width + i % width;
        for (size_t p = 0; p < pairs; p++) {
            line[p] = half_of(from[2 * p]) | half_of(from[2 * p + 1]) << 16;
        }
        for (size_t p = 0; p < pairs; p++) at[p * width] = line[p];
    }
    for (size_t i = count; i % width; i++) {
        uint32_t *at = to + i / width * pairs * width + i % width;
        for (size_t p = 0; p < pairs; p++) at[p * width] = 0;
    }
}

WIDE static void pack_side(uint32_t *to, const float *from, size_t step, size_t deep, size_t count,
                           size_t width, size_t k)
{
    if (deep == 1 && k % 2 == 0) pack_lines(to, from, step, count, width, k);
    else if (step == 1) pack(to, from, 1, deep, count, width, k);
    else pack(to, from, step, deep, count, width, k);
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
