/* tests/unit/amx_in_c.h - the intrinsics of Intel AMX in plain C, for CPUs without tiles.
 *
 * Written from the operation of each instruction in the Intel SDM, volume 2 (LDTILECFG, TILELOADD,
 * TILESTORED, TILEZERO, TILERELEASE, TDPBSSD and its kind, TDPBF16PS). What would raise an
 * exception there prints a line and aborts here. One thread only. It replaces the macros of
 * <immintrin.h>: include it before the kernels.
 */
#ifndef LPU_TESTS_UNIT_AMX_IN_C_H
#define LPU_TESTS_UNIT_AMX_IN_C_H

#include <immintrin.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AMX_TILES = 8, AMX_ROWS = 16, AMX_ROW_BYTES = 64 }; /* palette 1 */

typedef struct amx_tile {
    size_t rows, row_bytes;
    uint8_t bytes[AMX_ROWS][AMX_ROW_BYTES];
} amx_tile;

static struct {
    bool is_configured;
    amx_tile tiles[AMX_TILES];
    uint64_t products, loads, stores; /* counted */
} amx;

static void amx_fault(const char *why)
{
    fprintf(stderr, "amx_in_c: %s\n", why);
    abort();
}

/* 64 bytes: palette, start row, 14 of zero; 16 x 2 of bytes of a row; 16 x 1 of rows. */
static void amx_configure(const void *from)
{
    uint8_t c[64];

    memcpy(c, from, sizeof(c));
    memset(&amx.tiles, 0, sizeof(amx.tiles));
    amx.is_configured = c[0] != 0;
    if (!amx.is_configured) return;
    if (c[0] != 1) amx_fault("a palette that is not 1");
    for (int i = 1; i < 16; i++) {
        if (c[i]) amx_fault("a start row, or a reserved byte that is not 0");
    }
    for (int i = 0; i < 16; i++) {
        const size_t row_bytes = c[16 + 2 * i] | (size_t)c[17 + 2 * i] << 8, rows = c[48 + i];
        if (i >= AMX_TILES && (rows || row_bytes)) amx_fault("a tile beyond the eighth");
        if (rows > AMX_ROWS || row_bytes > AMX_ROW_BYTES) amx_fault("a tile too large");
        if (!rows != !row_bytes) amx_fault("a tile with rows of nothing, or bytes of no row");
        if (i < AMX_TILES) amx.tiles[i] = (amx_tile){.rows = rows, .row_bytes = row_bytes};
    }
}

static void amx_release(void)
{
    memset(&amx.tiles, 0, sizeof(amx.tiles));
    amx.is_configured = false;
}

static amx_tile *amx_at(int tile)
{
    if (tile < 0 || tile >= AMX_TILES) amx_fault("a tile that is none");
    if (!amx.is_configured || !amx.tiles[tile].rows) amx_fault("a tile without a configuration");
    return &amx.tiles[tile];
}

static void amx_zero(int tile)
{
    memset(amx_at(tile)->bytes, 0, sizeof(amx.tiles[tile].bytes));
}

static void amx_load(int tile, const void *base, long stride)
{
    amx_tile *t = amx_at(tile);

    amx_zero(tile);
    amx.loads++;
    for (size_t r = 0; r < t->rows; r++) {
        memcpy(t->bytes[r], (const uint8_t *)base + (long)r * stride, t->row_bytes);
    }
}

static void amx_store(int tile, void *base, long stride)
{
    const amx_tile *t = amx_at(tile);

    amx.stores++;
    for (size_t r = 0; r < t->rows; r++) {
        memcpy((uint8_t *)base + (long)r * stride, t->bytes[r], t->row_bytes);
    }
}

/* c (m, n) += a (m, k) b (k, n) in elements of four bytes; class AMX-E4. */
static void amx_check_shapes(int c, int a, int b)
{
    const amx_tile *sums = amx_at(c), *first = amx_at(a), *second = amx_at(b);

    if (c == a || c == b || a == b) amx_fault("one tile twice in a product");
    if (sums->row_bytes % 4 || first->row_bytes % 4 || second->row_bytes % 4) {
        amx_fault("rows that are not of whole elements");
    }
    if (sums->rows != first->rows) amx_fault("rows of the sums and of the first operand differ");
    if (sums->row_bytes != second->row_bytes) {
        amx_fault("rows of the sums and of the second operand have not as many bytes");
    }
    if (first->row_bytes / 4 != second->rows) {
        amx_fault("the first operand's k is not the second one's");
    }
    amx.products++;
}

/* Bytes are 8 or -8 bits wide as the sign of the operand says; sums wrap around. */
static void amx_multiply_bytes(int c, int a, int b, bool is_a_signed, bool is_b_signed)
{
    amx_check_shapes(c, a, b);
    amx_tile *sums = &amx.tiles[c];
    const amx_tile *first = &amx.tiles[a], *second = &amx.tiles[b];

    for (size_t m = 0; m < sums->rows; m++) {
        uint32_t row[AMX_ROW_BYTES / 4];
        memcpy(row, sums->bytes[m], sizeof(row));
        for (size_t k = 0; k < second->rows; k++) {
            for (size_t n = 0; n < sums->row_bytes / 4; n++) {
                for (size_t i = 0; i < 4; i++) {
                    const uint8_t x = first->bytes[m][4 * k + i], y = second->bytes[k][4 * n + i];
                    const int32_t p = (is_a_signed ? (int8_t)x : x) * (is_b_signed ? (int8_t)y : y);
                    row[n] += (uint32_t)p;
                }
            }
        }
        memcpy(sums->bytes[m], row, sizeof(row));
    }
}

/* A subnormal number counts as zero, as operand and as result. */
static float amx_flush(float f)
{
    return fpclassify(f) == FP_SUBNORMAL ? copysignf(0, f) : f;
}

static float amx_bf16(const uint8_t *at)
{
    const uint32_t bits = (uint32_t)at[1] << 24 | (uint32_t)at[0] << 16;
    float f;
    memcpy(&f, &bits, sizeof(f));
    return amx_flush(f);
}

/* Products of even k and of odd k have a sum each, by multiplications with one rounding; these two
 * are added, then they to c. Rounding is to nearest, even. */
static void amx_multiply_bf16(int c, int a, int b)
{
    amx_check_shapes(c, a, b);
    amx_tile *sums = &amx.tiles[c];
    const amx_tile *first = &amx.tiles[a], *second = &amx.tiles[b];

    for (size_t m = 0; m < sums->rows; m++) {
        float of[AMX_ROW_BYTES / 4][2] = {{0}}, row[AMX_ROW_BYTES / 4];
        memcpy(row, sums->bytes[m], sizeof(row));
        for (size_t k = 0; k < second->rows; k++) {
            for (size_t n = 0; n < 2 * (sums->row_bytes / 4); n++) {
                float *to = &of[n / 2][n % 2];
                *to = amx_flush(fmaf(amx_bf16(first->bytes[m] + 4 * k + 2 * (n % 2)),
                                     amx_bf16(second->bytes[k] + 2 * n), *to));
            }
        }
        for (size_t n = 0; n < sums->row_bytes / 4; n++) {
            row[n] = amx_flush(amx_flush(row[n]) + amx_flush(of[n][0] + of[n][1]));
        }
        memcpy(sums->bytes[m], row, sizeof(row));
    }
}

#undef _tile_loadd
#undef _tile_stored
#undef _tile_zero
#undef _tile_dpbssd
#undef _tile_dpbsud
#undef _tile_dpbusd
#undef _tile_dpbuud
#undef _tile_dpbf16ps
#define _tile_loadconfig amx_configure
#define _tile_release amx_release
#define _tile_zero amx_zero
#define _tile_loadd(tile, base, stride) amx_load(tile, base, (long)(stride))
#define _tile_stored(tile, base, stride) amx_store(tile, base, (long)(stride))
#define _tile_dpbssd(c, a, b) amx_multiply_bytes(c, a, b, true, true)
#define _tile_dpbsud(c, a, b) amx_multiply_bytes(c, a, b, true, false)
#define _tile_dpbusd(c, a, b) amx_multiply_bytes(c, a, b, false, true)
#define _tile_dpbuud(c, a, b) amx_multiply_bytes(c, a, b, false, false)
#define _tile_dpbf16ps amx_multiply_bf16

#endif
