/* workloads/quants_trits.c - rows of the ternary formats to and from digits and a scale. */
#include "workloads/quants_trits.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Groups of bytes of a TQ1_0 block: bytes, digits in each, first weight. Digit n of byte m of a
 * group is weight first + n * bytes + m. */
static const struct {
    size_t at, bytes, digits, first;
} tq1_groups[] = {{0, 32, 5, 0}, {32, 16, 5, 160}, {48, 4, 4, 240}};

enum { TQ1_GROUPS = 3 };

static void tq1_0_read(int8_t *trits, const uint8_t *src)
{
    for (size_t g = 0; g < TQ1_GROUPS; g++) {
        const size_t bytes = tq1_groups[g].bytes;
        for (size_t m = 0; m < bytes; m++) {
            unsigned fraction = src[tq1_groups[g].at + m]; /* of 256 */
            for (size_t n = 0; n < tq1_groups[g].digits; n++) {
                fraction *= 3;
                trits[tq1_groups[g].first + n * bytes + m] = (int8_t)((int)(fraction >> 8) - 1);
                fraction &= 255;
            }
        }
    }
}

/* byte = ceil(256 v / 243), v the digits as a number of five places, the first the highest: then
 * each tripling of the fraction byte/256 carries one digit of v out, for all 243 values. */
static void tq1_0_write(uint8_t *dst, const int8_t *trits)
{
    for (size_t g = 0; g < TQ1_GROUPS; g++) {
        const size_t bytes = tq1_groups[g].bytes;
        for (size_t m = 0; m < bytes; m++) {
            unsigned v = 0;
            for (size_t n = 0; n < 5; n++) {
                v *= 3;
                if (n < tq1_groups[g].digits) {
                    v += (unsigned)(trits[tq1_groups[g].first + n * bytes + m] + 1);
                }
            }
            dst[tq1_groups[g].at + m] = (uint8_t)((v * 256 + 242) / 243);
        }
    }
}

/* Runs of 32 bytes, four weights 32 apart in each byte; the first in bits 2n with n = first, then
 * n + step. Returns whether a code was 3, which is no digit. */
static int pairs_read(int8_t *trits, const uint8_t *src, int first, int step)
{
    unsigned illegal = 0;
    for (int n = 0; n < 4; n++) {
        const int shift = 2 * (first + step * n);
        for (size_t m = 0; m < 32; m++) {
            trits[32 * n + (int)m] = (int8_t)((src[m] >> shift & 3) - 1);
        }
    }
    for (size_t m = 0; m < 32; m++) illegal |= src[m] & src[m] >> 1 & 0x55u;
    return illegal != 0;
}

static void pairs_write(uint8_t *dst, const int8_t *trits, int first, int step)
{
    for (size_t m = 0; m < 32; m++) {
        unsigned byte = 0;
        for (int n = 0; n < 4; n++) {
            byte |= (unsigned)(trits[32 * n + (int)m] + 1) << (2 * (first + step * n));
        }
        dst[m] = (uint8_t)byte;
    }
}

static void signs_read(int8_t *trits, const uint8_t *src)
{
    for (size_t j = 0; j < 128; j++) trits[j] = (int8_t)((src[j / 8] >> j % 8 & 1) * 2 - 1);
}

static void signs_write(uint8_t *dst, const int8_t *trits)
{
    memset(dst, 0, 16);
    for (size_t j = 0; j < 128; j++) dst[j / 8] |= (uint8_t)((trits[j] > 0) << j % 8);
}

/* Reads one block, and its own scale into *d; *d is left alone by I2_S. Returns whether a code was
 * illegal. */
static int block_read(lpu_quant type, int8_t *trits, float *d, const uint8_t *src)
{
    uint16_t half;
    size_t at;
    int is_illegal = 0;

    switch (type) {
    case LPU_QUANT_I2_S: return pairs_read(trits, src, 3, -1);
    case LPU_QUANT_TQ2_0:
        is_illegal = pairs_read(trits, src, 0, 1) | pairs_read(trits + 128, src + 32, 0, 1);
        at = 64;
        break;
    case LPU_QUANT_TQ1_0:
        tq1_0_read(trits, src);
        at = 52;
        break;
    default: signs_read(trits, src + 2); at = 0;
    }
    memcpy(&half, src + at, sizeof(half));
    *d = lpu_quants_f16_to_f32(half);
    return is_illegal;
}

void lpu_quants_trits_decode(lpu_quant type, float *dst, const void *src, float scale)
{
    int8_t trits[LPU_QUANT_BLOCK_ELEMS];

    /* Code 3 stands for no digit, but as a number it is 2 d. */
    (void)block_read(type, trits, &scale, src);
    for (size_t i = 0; i < lpu_quants_find((uint32_t)type)->block_elems; i++) {
        dst[i] = (float)trits[i] * scale;
    }
}

static int is_all_zero(const int8_t *trits, size_t elems)
{
    int any = 0;
    for (size_t i = 0; i < elems; i++) any |= trits[i];
    return !any;
}

static lpu_status fail_scale(const char *where, size_t i, double found, double expected,
                             lpu_diag *diag)
{
    return lpu_fail(diag, LPU_ERR_FORMAT,
                    "%s: weight %zu has magnitude %.9g, expected 0 or %.9g: one magnitude for the "
                    "whole tensor makes it ternary",
                    where, i, found, expected);
}

/* Real numbers that are all -s, 0 or +s. */
static lpu_status reals_read(int8_t *trits, float *scale, const float *values, size_t elems,
                             size_t first, const char *where, lpu_diag *diag)
{
    for (size_t i = 0; i < elems; i++) {
        const float magnitude = fabsf(values[i]);

        trits[i] = (int8_t)((values[i] > 0) - (values[i] < 0));
        if (magnitude == 0 || magnitude == *scale) continue;
        if (!isfinite(magnitude)) {
            return lpu_fail(diag, LPU_ERR_FORMAT, "%s: weight %zu is not finite, expected a number",
                            where, first + i);
        }
        if (*scale != 0) {
            return fail_scale(where, first + i, (double)magnitude, (double)*scale, diag);
        }
        *scale = magnitude;
    }
    return LPU_OK;
}

static lpu_status real_rows_read(const lpu_quant_info *info, int8_t *trits, float *scale,
                                 const uint8_t *src, size_t elems, const char *where,
                                 lpu_diag *diag)
{
    float values[LPU_QUANT_BLOCK_ELEMS];
    lpu_status status = LPU_OK;

    for (size_t i = 0; i < elems && !status; i += LPU_QUANT_BLOCK_ELEMS) {
        const size_t left = elems - i;
        const size_t n = left < LPU_QUANT_BLOCK_ELEMS ? left : LPU_QUANT_BLOCK_ELEMS;
        lpu_quants_decode(info->type, values, src + i * info->block_bytes, n, 0);
        status = reals_read(trits + i, scale, values, n, i, where, diag);
    }
    return status;
}

lpu_status lpu_quants_read_trits(lpu_quant type, int8_t *trits, float *scale, const void *src,
                                 size_t elems, const char *where, lpu_diag *diag)
{
    const lpu_quant_info *info = lpu_quants_find((uint32_t)type);
    const uint8_t *s = src;

    assert(info && info->holds_trits && elems % info->block_elems == 0);
    if (info->block_elems == 1) {
        return real_rows_read(info, trits, scale, s, elems, where, diag);
    }

    for (size_t i = 0; i < elems; i += info->block_elems, s += info->block_bytes) {
        float d = *scale;
        if (block_read(type, trits + i, &d, s)) {
            return lpu_fail(diag, LPU_ERR_FORMAT,
                            "%s: a weight of the %zu from %zu on has code 3, expected 0, 1 or 2",
                            where, info->block_elems, i);
        }
        if (type == LPU_QUANT_I2_S || (d == *scale && d != 0)) continue;
        if (!isfinite(d) || d < 0 || (d == 0 && type == LPU_QUANT_Q1_0)) {
            return lpu_fail(diag, LPU_ERR_FORMAT,
                            "%s: the block of weight %zu has scale %g, expected a positive number",
                            where, i, (double)d);
        }
        if (d == 0) memset(trits + i, 0, info->block_elems);
        if (is_all_zero(trits + i, info->block_elems)) continue;
        if (*scale != 0) return fail_scale(where, i, (double)d, (double)*scale, diag);
        *scale = d;
    }
    return LPU_OK;
}

static void block_write(lpu_quant type, uint8_t *dst, const int8_t *trits, uint16_t half)
{
    size_t at = 0;
    switch (type) {
    case LPU_QUANT_I2_S: pairs_write(dst, trits, 3, -1); return;
    case LPU_QUANT_TQ2_0:
        pairs_write(dst, trits, 0, 1);
        pairs_write(dst + 32, trits + 128, 0, 1);
        at = 64;
        break;
    case LPU_QUANT_TQ1_0:
        tq1_0_write(dst, trits);
        at = 52;
        break;
    default: signs_write(dst + 2, trits);
    }
    memcpy(dst + at, &half, sizeof(half));
}

void lpu_quants_write_trits(lpu_quant type, void *dst, const int8_t *trits, size_t elems,
                            float scale)
{
    const lpu_quant_info *info = lpu_quants_find((uint32_t)type);
    const uint16_t half = lpu_quants_f32_to_f16(scale);
    uint8_t *d = dst;

    assert(info && info->holds_trits && elems % info->block_elems == 0);
    for (size_t i = 0; i < elems; i += info->block_elems, d += info->block_bytes) {
        if (info->block_elems == 1) {
            const float value = (float)trits[i] * scale;
            lpu_quants_encode(type, d, &value, 1);
        } else {
            block_write(type, d, trits + i, half);
        }
    }
}
