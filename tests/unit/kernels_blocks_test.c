/* tests/unit/kernels_blocks_test.c - blocks of other engines' files, through the packed streams and
 * the kernels of every instruction set, against what the blocks stand for by definition.
 *
 * The definitions are written out here, from the layouts of llama.cpp (TQ1_0, TQ2_0, Q4_0, Q8_0)
 * and bitnet.cpp (I2_S); nothing of workloads/quants.c is in the expected values.
 */
#include "kernels/kernels.h"
#include "tests/unit/test.h"
#include "workloads/quants.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 163, K = 1536, GROUPS = K / 32 };

static uint64_t seed = 88172645463325252u;

static uint32_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20);
}

static int8_t x[K];
static lpu_group xs[GROUPS];

static void draw_activations(void)
{
    for (size_t i = 0; i < K; i++) x[i] = (int8_t)((int)(draw() % 255) - 127);
    for (size_t i = 0; i < GROUPS; i++) {
        xs[i] = (lpu_group){(float)ldexp(1 + draw() % 1000, -12), 0};
        for (size_t j = 0; j < 32; j++) xs[i].sum += x[32 * i + j];
    }
}

/* --- definitions: weight i of a row of blocks --- */

static double half_at(const uint8_t *at)
{
    _Float16 h;
    memcpy(&h, at, 2);
    return (double)h;
}

static double tq2_0(const uint8_t *row, size_t i)
{
    const uint8_t *b = row + i / 256 * 66;
    const size_t in = i % 256, half = in / 128, n = in % 128 / 32, m = in % 32;
    return ((b[32 * half + m] >> (2 * n) & 3) - 1) * half_at(b + 64);
}

/* Digit n of a byte that is a fraction of 256 in base 3. */
static int digit(uint8_t byte, size_t n)
{
    uint32_t fraction = byte;
    for (size_t i = 0; i < n; i++) fraction = fraction * 3 % 256;
    return (int)(fraction * 3 / 256) - 1;
}

static double tq1_0(const uint8_t *row, size_t i)
{
    const uint8_t *b = row + i / 256 * 54;
    const size_t in = i % 256;
    const double d = half_at(b + 52);
    if (in < 160) return digit(b[in % 32], in / 32) * d;
    if (in < 240) return digit(b[32 + (in - 160) % 16], (in - 160) / 16) * d;
    return digit(b[48 + (in - 240) % 4], (in - 240) / 4) * d;
}

static double i2_s(const uint8_t *row, size_t i)
{
    const size_t in = i % 128;
    return (row[i / 128 * 32 + in % 32] >> (6 - 2 * (in / 32)) & 3) - 1;
}

static double q4_0(const uint8_t *row, size_t i)
{
    const uint8_t *b = row + i / 32 * 18;
    const size_t in = i % 32;
    return ((in < 16 ? b[2 + in] & 15 : b[2 + in - 16] >> 4) - 8) * half_at(b);
}

static double q8_0(const uint8_t *row, size_t i)
{
    const uint8_t *b = row + i / 32 * 34;
    return (int8_t)b[2 + i % 32] * half_at(b);
}

typedef double definition(const uint8_t *row, size_t i);

/* --- rows of random blocks --- */

/* A half of a block format at some bytes of every block. */
static void put_scales(uint8_t *rows, size_t bytes, size_t block_bytes, size_t at, double scale)
{
    for (size_t b = 0; b < bytes; b += block_bytes) {
        const _Float16 d = (_Float16)(scale > 0 ? scale : ldexp(1 + draw() % 1000, -14));
        memcpy(rows + b + at, &d, 2);
    }
}

/* Bytes that stand for five digits: a fraction just above v / 243; for four: v / 81. */
static uint8_t fraction_of(uint32_t v, uint32_t of)
{
    return (uint8_t)((v * 256 + of - 1) / of);
}

static void draw_rows(lpu_quant type, uint8_t *rows, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) rows[i] = (uint8_t)draw();
    if (type == LPU_QUANT_TQ2_0 || type == LPU_QUANT_I2_S) {
        for (size_t i = 0; i < bytes; i++) { /* codes 0, 1, 2: never 3 */
            rows[i] = (uint8_t)(rows[i] & ~(rows[i] >> 1 & 0x55));
        }
    }
    if (type == LPU_QUANT_TQ2_0) put_scales(rows, bytes, 66, 64, 0.03125);
    if (type == LPU_QUANT_Q4_0) put_scales(rows, bytes, 18, 0, 0);
    if (type == LPU_QUANT_Q8_0) put_scales(rows, bytes, 34, 0, 0);
    if (type != LPU_QUANT_TQ1_0) return;
    for (size_t b = 0; b < bytes; b += 54) {
        for (size_t i = 0; i < 48; i++) rows[b + i] = fraction_of(draw() % 243, 243);
        for (size_t i = 48; i < 52; i++) rows[b + i] = fraction_of(draw() % 81 * 3, 243);
    }
    put_scales(rows, bytes, 54, 52, 0.0625);
}

/* --- products --- */

static const uint32_t masks[] = {0, LPU_CPU_AVX2, LPU_CPU_ALL};

static double expected_of(definition *f, const uint8_t *row, bool has_groups, double *size)
{
    double sum = 0;
    *size = 0;
    for (size_t i = 0; i < K; i++) {
        const double term = f(row, i) * x[i] * (has_groups ? (double)xs[i / 32].scale : 1);
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

/* Digits are exact: the sum is an integer times one scale. */
static void check_trits(lpu_quant type, definition *f, lpu_layout layout)
{
    const size_t row_bytes = lpu_quants_row_bytes(type, K), step = lpu_layout_block_rows(layout);
    uint8_t *rows = malloc(ROWS * row_bytes), *w = malloc(lpu_layout_bytes(layout, ROWS, K));
    int8_t *trits = malloc(ROWS * K);
    float scale = 0;
    int32_t y[ROWS];
    double size;

    if (!rows || !w || !trits) abort();
    draw_activations();
    draw_rows(type, rows, ROWS * row_bytes);
    for (size_t r = 0; r < ROWS; r++) {
        CHECK_OK(lpu_quants_read_trits(type, trits + r * K, &scale, rows + r * row_bytes, K, "rows",
                                       diag));
    }
    if (type == LPU_QUANT_I2_S) scale = 1;
    for (size_t r = 0; r < ROWS; r += step) {
        (layout == LPU_LAYOUT_T2 ? lpu_layout_pack_t2 : lpu_layout_pack_b3)(
            w + r / step * lpu_layout_block_bytes(layout, K), trits + r * K,
            ROWS - r < step ? ROWS - r : step, K);
    }
    for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        lpu_kernels k;
        lpu_kernels_init(&k, masks[i]);
        (layout == LPU_LAYOUT_T2 ? k.gemv_t2_i8 : k.gemv_b3_i8)(y, w, x, ROWS, K);
        for (size_t r = 0; r < ROWS; r++) {
            const double expected = expected_of(f, rows + r * row_bytes, false, &size);
            CHECK(fabs(y[r] * (double)scale - expected) <= 0,
                  "type %d as %s, mask %u, row %zu: %.9g, expected %.9g", type,
                  lpu_layout_name(layout), masks[i], r, y[r] * (double)scale, expected);
        }
    }
    free(rows);
    free(w);
    free(trits);
}

static void check_groups(lpu_quant type, definition *f, lpu_layout layout)
{
    const size_t row_bytes = lpu_quants_row_bytes(type, K), step = lpu_layout_block_rows(layout);
    uint8_t *rows = malloc(ROWS * row_bytes), *w = malloc(lpu_layout_bytes(layout, ROWS, K));
    float y[ROWS];
    double size;

    if (!rows || !w) abort();
    draw_activations();
    draw_rows(type, rows, ROWS * row_bytes);
    for (size_t r = 0; r < ROWS; r += step) {
        (layout == LPU_LAYOUT_Q8 ? lpu_layout_pack_q8 : lpu_layout_pack_q4)(
            w + r / step * lpu_layout_block_bytes(layout, K), rows + r * row_bytes,
            ROWS - r < step ? ROWS - r : step, K);
    }
    for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        lpu_kernels k;
        lpu_kernels_init(&k, masks[i]);
        (layout == LPU_LAYOUT_Q8 ? k.gemv_q8_i8 : k.gemv_q4_i8)(y, w, x, xs, ROWS, K);
        for (size_t r = 0; r < ROWS; r++) {
            const double expected = expected_of(f, rows + r * row_bytes, true, &size);
            CHECK(fabs((double)y[r] - expected) <= (GROUPS + 3) * 0x1p-24 * size,
                  "type %d, mask %u, row %zu: %.9g, expected %.9g", type, masks[i], r, (double)y[r],
                  expected);
        }
    }
    free(rows);
    free(w);
}

static void tq1_0_is_as_defined(void)
{
    check_trits(LPU_QUANT_TQ1_0, tq1_0, LPU_LAYOUT_B3);
    check_trits(LPU_QUANT_TQ1_0, tq1_0, LPU_LAYOUT_T2);
}

static void tq2_0_is_as_defined(void)
{
    check_trits(LPU_QUANT_TQ2_0, tq2_0, LPU_LAYOUT_T2);
    check_trits(LPU_QUANT_TQ2_0, tq2_0, LPU_LAYOUT_B3);
}

static void i2_s_is_as_defined(void)
{
    check_trits(LPU_QUANT_I2_S, i2_s, LPU_LAYOUT_T2);
    check_trits(LPU_QUANT_I2_S, i2_s, LPU_LAYOUT_B3);
}

static void q4_0_is_as_defined(void)
{
    check_groups(LPU_QUANT_Q4_0, q4_0, LPU_LAYOUT_Q4);
}

static void q8_0_is_as_defined(void)
{
    check_groups(LPU_QUANT_Q8_0, q8_0, LPU_LAYOUT_Q8);
}

int main(void)
{
    RUN(tq1_0_is_as_defined);
    RUN(tq2_0_is_as_defined);
    RUN(i2_s_is_as_defined);
    RUN(q4_0_is_as_defined);
    RUN(q8_0_is_as_defined);
    return test_failures != 0;
}
