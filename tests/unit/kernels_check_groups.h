/* tests/unit/kernels_check_groups.h - Q8_0 and Q4_0 against sums in double of what their blocks
 * stand for. */
#ifndef LPU_TESTS_UNIT_KERNELS_CHECK_GROUPS_H
#define LPU_TESTS_UNIT_KERNELS_CHECK_GROUPS_H

#include "tests/unit/kernels_check.h"

#include <math.h>

typedef enum group_kind { GROUP_UNIFORM, GROUP_LARGEST, GROUP_ZERO, GROUP_KINDS } group_kind;

/* Rows of blocks as in a file, activations with their scales. */
typedef struct groups {
    lpu_layout layout;
    size_t rows, k, tokens, block_bytes; /* of 32 weights */
    uint8_t *blocks;
    int8_t *x;
    lpu_group *xs;
} groups;

static groups groups_open(lpu_layout layout, size_t rows, size_t k, size_t tokens, group_kind what)
{
    const size_t block_bytes = layout == LPU_LAYOUT_Q8 ? 34 : 18, count = rows * k / 32;
    groups g = {layout,
                rows,
                k,
                tokens,
                block_bytes,
                malloc(count * block_bytes + 1),
                malloc(tokens * k + 1),
                malloc(tokens * k / 32 * sizeof(lpu_group) + 1)};

    if (!g.blocks || !g.x || !g.xs) abort();
    for (size_t i = 0; i < count; i++) {
        uint8_t *b = g.blocks + i * block_bytes;
        /* 2^-24 (subnormal) to 2^7, both signs; now and then a group without weight. */
        const _Float16 scale =
            (_Float16)ldexp((double)(draw() % 4097) - 2048.0, -4 - (int)(draw() % 21));
        memcpy(b, &scale, 2);
        for (size_t j = 2; j < block_bytes; j++) {
            b[j] = (uint8_t)(what == GROUP_UNIFORM   ? draw()
                             : what == GROUP_LARGEST ? (layout == LPU_LAYOUT_Q8 ? 0x80 : 0xf0)
                                                     : (layout == LPU_LAYOUT_Q8 ? 0 : 0x88));
        }
    }
    for (size_t i = 0; i < tokens * k; i++) {
        g.x[i] = (int8_t)(what == GROUP_UNIFORM ? (int)(draw() % 255) - 127
                          : draw() & 1          ? 127
                                                : -127);
    }
    for (size_t i = 0; i < tokens * k / 32; i++) {
        g.xs[i] = (lpu_group){(float)ldexp((double)(draw() % 2001), -(int)(draw() % 20)), 0};
        for (size_t j = 0; j < 32; j++) g.xs[i].sum += g.x[32 * i + j];
    }
    return g;
}

static void groups_close(groups *g)
{
    free(g->blocks);
    free(g->x);
    free(g->xs);
}

/* The definition (workloads/quants.h); *size is the sum of the terms' sizes. */
static double groups_product(const groups *g, size_t t, size_t r, double *size)
{
    double sum = 0;

    *size = 0;
    for (size_t i = 0; i < g->k / 32; i++) {
        const uint8_t *b = g->blocks + (r * g->k / 32 + i) * g->block_bytes, *q = b + 2;
        _Float16 d;
        memcpy(&d, b, 2);
        for (size_t j = 0; j < 32; j++) {
            const int v = g->layout == LPU_LAYOUT_Q8 ? (int8_t)q[j]
                          : j < 16                   ? q[j] % 16 - 8
                                                     : q[j - 16] / 16 - 8;
            const double term = (double)d * v * g->x[t * g->k + 32 * i + j] *
                                (double)g->xs[t * g->k / 32 + i].scale;
            sum += term;
            *size += fabs(term);
        }
    }
    return sum;
}

/* A group's sum is exact; then come the product of two scales, that with the sum, an addition. */
static void check_groups_case(lpu_layout layout, lpu_gemv_q8_i8_fn *gemv, lpu_gemm_q8_i8_fn *gemm,
                              size_t rows, size_t k, size_t tokens, group_kind what)
{
    const size_t y_stride = rows + 3, step = lpu_layout_block_rows(layout);
    const size_t bytes = lpu_layout_bytes(layout, rows, k);
    groups g = groups_open(layout, rows, k, tokens, what);
    uint8_t *packed = malloc(bytes + 1);
    if (!packed) abort();
    for (size_t r = 0; r < rows; r += step) {
        (layout == LPU_LAYOUT_Q8 ? lpu_layout_pack_q8 : lpu_layout_pack_q4)(
            packed + r / step * lpu_layout_block_bytes(layout, k),
            g.blocks + r * k / 32 * g.block_bytes, rows - r < step ? rows - r : step, k);
    }
    const tight w = tight_open(packed, bytes, 1), x = tight_open(g.x, tokens * k, 1);
    const tight xs = tight_open(g.xs, tokens * k / 32 * sizeof(lpu_group), 4);
    const guarded y = guarded_open((y_stride * (tokens - 1) + rows) * 4, 4);
    const lpu_group *scales = (const lpu_group *)(const void *)xs.data;
    float *to = (float *)(void *)y.data;

    if (gemv) gemv(to, w.data, (const int8_t *)x.data, scales, rows, k);
    if (gemm) gemm(to, y_stride, w.data, (const int8_t *)x.data, k, scales, rows, k, tokens);

    bool is_near = true;
    double found = 0, expected = 0, size = 0;
    for (size_t t = 0; t < tokens && is_near; t++) {
        for (size_t r = 0; r < rows && is_near; r++) {
            expected = groups_product(&g, t, r, &size);
            found = (double)to[t * y_stride + r];
            is_near = fabs(found - expected) <= ((double)k / 32 + 3) * 0x1p-24 * size;
        }
    }
    const bool is_kept = guards_hold(&y);
    groups_close(&g);
    free(packed);
    tight_close(&w);
    tight_close(&x);
    tight_close(&xs);
    free(y.base);
    CHECK(is_near, "%s rows %zu k %zu tokens %zu inputs %d: y is %.9g, expected %.9g, of %.9g",
          now.name, rows, k, tokens, what, found, expected, size);
    CHECK(is_kept, "%s rows %zu k %zu tokens %zu: wrote outside y", now.name, rows, k, tokens);
}

static void check_groups(lpu_layout layout, lpu_gemv_q8_i8_fn *gemv, lpu_gemm_q8_i8_fn *gemm)
{
    const size_t rows[] = {
        0, 1, 15, 16, 17, now.rows - 1, now.rows, now.rows + 1, 3 * now.rows + 7};
    const size_t k[] = {0, 32, 64, 96, 288}, many[] = {1, 2, 3, 4, 5, 6, 7, 13};

    for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
        for (size_t c = 0; c < sizeof(k) / sizeof(*k); c++) {
            for (size_t t = 0; t < (gemm ? 8 : 1); t++) {
                check_groups_case(layout, gemv, gemm, rows[r], k[c], many[t],
                                  (group_kind)(draw() % GROUP_KINDS));
                if (test_is_over) return;
            }
        }
    }
}

static void check_gemv_q8_i8(lpu_gemv_q8_i8_fn *f)
{
    check_groups(LPU_LAYOUT_Q8, f, NULL);
}

static void check_gemm_q8_i8(lpu_gemm_q8_i8_fn *f)
{
    check_groups(LPU_LAYOUT_Q8, NULL, f);
}

static void check_gemv_q4_i8(lpu_gemv_q4_i8_fn *f)
{
    check_groups(LPU_LAYOUT_Q4, f, NULL);
}

static void check_gemm_q4_i8(lpu_gemm_q4_i8_fn *f)
{
    check_groups(LPU_LAYOUT_Q4, NULL, f);
}

#endif
