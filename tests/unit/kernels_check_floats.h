/* tests/unit/kernels_check_floats.h - products of FP16 and BF16 against sums in double. */
#ifndef LPU_TESTS_UNIT_KERNELS_CHECK_FLOATS_H
#define LPU_TESTS_UNIT_KERNELS_CHECK_FLOATS_H

#include "kernels/half.h"
#include "tests/unit/kernels_check.h"

#include <math.h>

/* --- FP16
 * ----------------------------------------------------------------------------------------- */

/* A sum of k products in FP32, in any order, is within (k + 1) 2^-24 of the sum of their sizes. */
static void check_f16_case(lpu_gemv_f16_f32_fn *gemv, lpu_gemm_f16_f32_fn *gemm, size_t rows,
                           size_t k, size_t tokens)
{
    const size_t y_stride = rows + 3, step = lpu_layout_block_rows(LPU_LAYOUT_F16);
    _Float16 *halves = malloc(2 * rows * k + 2);
    float *floats = malloc(4 * tokens * k + 4);
    uint8_t *packed = malloc(lpu_layout_bytes(LPU_LAYOUT_F16, rows, k) + 1);
    if (!halves || !floats || !packed) abort();
    for (size_t i = 0; i < rows * k; i++) {
        halves[i] = (_Float16)ldexp((double)(draw() % 4097) - 2048.0, -(int)(draw() % 24));
    }
    for (size_t i = 0; i < tokens * k; i++) {
        floats[i] = (float)ldexp((double)(draw() % 2001) - 1000.0, -(int)(draw() % 12));
    }
    for (size_t r = 0; r < rows; r += step) {
        lpu_layout_pack_f16(packed + r / step * lpu_layout_block_bytes(LPU_LAYOUT_F16, k),
                            (const uint16_t *)(const void *)(halves + r * k),
                            rows - r < step ? rows - r : step, k);
    }
    const tight w = tight_open(packed, lpu_layout_bytes(LPU_LAYOUT_F16, rows, k), 1);
    const tight x = tight_open(floats, tokens * k * 4, 4);
    const guarded y = guarded_open((y_stride * (tokens - 1) + rows) * 4, 4);
    float *to = (float *)(void *)y.data;
    const float *in = (const float *)(const void *)x.data;

    if (gemv) gemv(to, w.data, in, rows, k);
    if (gemm) gemm(to, y_stride, w.data, in, k, rows, k, tokens);

    bool is_near = true;
    double found = 0, expected = 0, size = 0;
    for (size_t t = 0; t < tokens && is_near; t++) {
        for (size_t r = 0; r < rows && is_near; r++) {
            expected = size = 0;
            for (size_t c = 0; c < k; c++) {
                const double v = (double)halves[r * k + c] * (double)floats[t * k + c];
                expected += v;
                size += fabs(v);
            }
            found = (double)to[t * y_stride + r];
            is_near = fabs(found - expected) <= ((double)k + 1.0) * 0x1p-24 * size;
        }
    }
    const bool is_kept = guards_hold(&y);
    free(halves);
    free(floats);
    free(packed);
    tight_close(&w);
    tight_close(&x);
    free(y.base);
    CHECK(is_near, "%s rows %zu k %zu tokens %zu: y is %.9g, expected %.9g within %.3g", now.name,
          rows, k, tokens, found, expected, ((double)k + 1.0) * 0x1p-24 * size);
    CHECK(is_kept, "%s rows %zu k %zu: wrote outside y", now.name, rows, k);
}

static void check_f16(lpu_gemv_f16_f32_fn *gemv, lpu_gemm_f16_f32_fn *gemm)
{
    const size_t rows[] = {0, 1, now.rows - 1, now.rows, now.rows + 1, 3 * now.rows + 7};
    const size_t k[] = {0, 1, 3, 4, 5, 19, 64, 257};
    const size_t many[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 29};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(k) / sizeof(*k); c++) {
            for (size_t t = 0; t < (gemm ? 14 : 1); t++) {
                check_f16_case(gemv, gemm, rows[r], k[c], gemm ? many[t] : 1);
                if (test_is_over) return;
            }
        }
    }
}

static void check_gemv_f16_f32(lpu_gemv_f16_f32_fn *f)
{
    check_f16(f, NULL);
}
static void check_gemm_f16_f32(lpu_gemm_f16_f32_fn *f)
{
    check_f16(NULL, f);
}

/* Eight products are summed in FP16: a rounding each, and below 2^-14 half of 2^-24. */
static void check_f16_f16_case(lpu_gemv_f16_f16_fn *gemv, lpu_gemm_f16_f16_fn *gemm, size_t rows,
                               size_t k, size_t tokens)
{
    const size_t y_stride = rows + 3, block = lpu_layout_block_bytes(LPU_LAYOUT_F16, k);
    const size_t bytes = lpu_layout_bytes(LPU_LAYOUT_F16, rows, k);
    _Float16 *halves = malloc(2 * (rows + tokens) * k + 2);
    uint8_t *packed = malloc(bytes + 1);
    if (!halves || !packed) abort();
    for (size_t i = 0; i < (rows + tokens) * k; i++) {
        halves[i] = (_Float16)ldexp((double)(draw() % 4097) - 2048.0, -8 - (int)(draw() % 8));
    }
    for (size_t r = 0; r < rows; r += 16) {
        lpu_layout_pack_f16(packed + r / 16 * block,
                            (const uint16_t *)(const void *)(halves + r * k),
                            rows - r < 16 ? rows - r : 16, k);
    }
    const tight w = tight_open(packed, bytes, 1);
    const tight x = tight_open(halves + rows * k, 2 * tokens * k, 2);
    const guarded y = guarded_open((y_stride * (tokens - 1) + rows) * 4, 4);
    float *to = (float *)(void *)y.data;
    const uint16_t *in = (const uint16_t *)(const void *)x.data;
    const double unit = now.needs ? 9 * 0x1p-11 : ((double)k + 1.0) * 0x1p-24;

    if (gemv) gemv(to, w.data, in, rows, k);
    if (gemm) gemm(to, y_stride, w.data, in, k, rows, k, tokens);

    bool is_near = true;
    double found = 0, expected = 0, most = 0;
    for (size_t t = 0; t < tokens && is_near; t++) {
        for (size_t r = 0; r < rows && is_near; r++) {
            double size = 0;
            expected = 0;
            for (size_t c = 0; c < k; c++) {
                const double v = (double)halves[r * k + c] * (double)halves[(rows + t) * k + c];
                expected += v;
                size += fabs(v);
            }
            found = (double)to[t * y_stride + r];
            most = unit * size + (now.needs ? (double)k * 0x1p-25 : 0);
            is_near = fabs(found - expected) <= most;
        }
    }
    const bool is_kept = guards_hold(&y);
    free(halves);
    free(packed);
    tight_close(&w);
    tight_close(&x);
    free(y.base);
    CHECK(is_near, "%s rows %zu k %zu tokens %zu: y is %.9g, expected %.9g within %.3g", now.name,
          rows, k, tokens, found, expected, most);
    CHECK(is_kept, "%s rows %zu k %zu: wrote outside y", now.name, rows, k);
}

static void check_f16_f16(lpu_gemv_f16_f16_fn *gemv, lpu_gemm_f16_f16_fn *gemm)
{
    const size_t rows[] = {0, 1, 15, 16, 17, 55}, k[] = {0, 1, 2, 15, 16, 17, 33, 257};
    const size_t many[] = {1, 3, 7, 8, 9, 16, 29};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(k) / sizeof(*k); c++) {
            for (size_t t = 0; t < (gemm ? 7 : 1); t++) {
                check_f16_f16_case(gemv, gemm, rows[r], k[c], gemm ? many[t] : 1);
                if (test_is_over) return;
            }
        }
    }
}

static void check_gemv_f16_f16(lpu_gemv_f16_f16_fn *f)
{
    check_f16_f16(f, NULL);
}
static void check_gemm_f16_f16(lpu_gemm_f16_f16_fn *f)
{
    check_f16_f16(NULL, f);
}

/* Products of BF16 are exact in FP32; the instruction adds two of them in two steps of its own. */
static void check_bf16_case(lpu_gemv_bf16_bf16_fn *gemv, lpu_gemm_bf16_bf16_fn *gemm, size_t rows,
                            size_t k, size_t tokens)
{
    const size_t y_stride = rows + 3, block = lpu_layout_block_bytes(LPU_LAYOUT_BF16, k);
    const size_t bytes = lpu_layout_bytes(LPU_LAYOUT_BF16, rows, k);
    uint16_t *bits = malloc(2 * (rows + tokens) * k + 2);
    uint8_t *packed = malloc(bytes + 1);
    if (!bits || !packed) abort();
    for (size_t i = 0; i < (rows + tokens) * k; i++) { /* 2^-14 to 2^17, both signs, and zeros */
        bits[i] = (uint16_t)(draw() % 16 ? (draw() & 0x8fff) + 0x3880 : 0);
    }
    for (size_t r = 0; r < rows; r += 16) {
        lpu_layout_pack_bf16(packed + r / 16 * block, bits + r * k, rows - r < 16 ? rows - r : 16,
                             k);
    }
    const tight w = tight_open(packed, bytes, 1),
                x = tight_open(bits + rows * k, 2 * tokens * k, 2);
    const guarded y = guarded_open((y_stride * (tokens - 1) + rows) * 4, 4);
    float *to = (float *)(void *)y.data;
    const uint16_t *in = (const uint16_t *)(const void *)x.data;

    if (gemv) gemv(to, w.data, in, rows, k);
    if (gemm) gemm(to, y_stride, w.data, in, k, rows, k, tokens);

    bool is_near = true;
    double found = 0, expected = 0, size = 0;
    for (size_t t = 0; t < tokens && is_near; t++) {
        for (size_t r = 0; r < rows && is_near; r++) {
            expected = size = 0;
            for (size_t c = 0; c < k; c++) {
                const uint16_t b[2] = {bits[r * k + c], bits[(rows + t) * k + c]};
                double v = 1;
                for (int i = 0; i < 2; i++) { /* the definition: sign, exponent, seven bits */
                    v *= b[i] & 0x7fff ? ldexp(128 + b[i] % 128, (b[i] >> 7 & 255) - 134) *
                                             (b[i] >> 15 ? -1 : 1)
                                       : 0;
                }
                expected += v;
                size += fabs(v);
            }
            found = (double)to[t * y_stride + r];
            is_near = fabs(found - expected) <= ((double)k + 1.0) * 0x1p-24 * size;
        }
    }
    const bool is_kept = guards_hold(&y);
    free(bits);
    free(packed);
    tight_close(&w);
    tight_close(&x);
    free(y.base);
    CHECK(is_near, "%s rows %zu k %zu tokens %zu: y is %.9g, expected %.9g within %.3g", now.name,
          rows, k, tokens, found, expected, ((double)k + 1.0) * 0x1p-24 * size);
    CHECK(is_kept, "%s rows %zu k %zu: wrote outside y", now.name, rows, k);
}

static void check_bf16(lpu_gemv_bf16_bf16_fn *gemv, lpu_gemm_bf16_bf16_fn *gemm)
{
    const size_t rows[] = {0, 1, now.rows - 1, now.rows, now.rows + 1, 3 * now.rows + 7};
    const size_t k[] = {0, 1, 2, 3, 19, 64, 257};
    const size_t many[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 29};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(k) / sizeof(*k); c++) {
            for (size_t t = 0; t < (gemm ? 10 : 1); t++) {
                check_bf16_case(gemv, gemm, rows[r], k[c], gemm ? many[t] : 1);
                if (test_is_over) return;
            }
        }
    }
}

static void check_gemv_bf16_bf16(lpu_gemv_bf16_bf16_fn *f)
{
    check_bf16(f, NULL);
}
static void check_gemm_bf16_bf16(lpu_gemm_bf16_bf16_fn *f)
{
    check_bf16(NULL, f);
}

/* The nearer neighbour, and the even one of two that are as near. */
static void bf16_rounds_to_nearest(void)
{
    for (uint32_t i = 0; i < 500000; i++) {
        uint32_t bits = (uint32_t)draw();
        if (i & 1) bits = (bits & 0xffff0000) | 0x8000; /* ties */
        float f;
        memcpy(&f, &bits, 4);
        if (!isfinite(f) || fabsf(f) > 3e38f) continue;
        const uint16_t found = lpu_bf16_from_float(f);
        const double off = fabs((double)lpu_bf16_to_float(found) - (double)f);
        const double up = fabs((double)lpu_bf16_to_float((uint16_t)(found + 1)) - (double)f);
        const double down = fabs((double)lpu_bf16_to_float((uint16_t)(found - 1)) - (double)f);
        const bool is_tie = off >= up || off >= down;
        CHECK(off <= up && (off <= down || !(found & 0x7fff)) && (!is_tie || !(found & 1)),
              "%.9g becomes %04x", (double)f, found);
    }
}

static void half_converts_every_value(void)
{
    for (uint32_t h = 0; h < 65536; h++) {
        const uint16_t bits = (uint16_t)h;
        _Float16 half;
        memcpy(&half, &bits, 2);
        const float f = lpu_half_to_float(bits), e = (float)half;
        CHECK(!memcmp(&f, &e, 4) || (isnan(f) && isnan(e)), "half %04x is %g, expected %g", h,
              (double)f, (double)e);
        if (!isnan(f)) CHECK_EQ(lpu_half_from_float(f), bits);
    }
}

static void half_rounds_like_the_compiler(void)
{
    for (uint32_t i = 0; i < 3000000; i++) {
        uint32_t bits = (uint32_t)draw();
        if (i & 1) bits &= 0xfffff000; /* ties */
        float f;
        memcpy(&f, &bits, 4);
        if (isnan(f)) continue;
        const _Float16 half = (_Float16)f;
        uint16_t expected;
        memcpy(&expected, &half, 2);
        CHECK(lpu_half_from_float(f) == expected, "%.9g becomes %04x, expected %04x", (double)f,
              lpu_half_from_float(f), expected);
    }
}

#endif
