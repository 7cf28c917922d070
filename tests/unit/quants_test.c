/* tests/unit/quants_test.c - tensor formats against their definitions, byte by byte. */
#include "tests/unit/test.h"
#include "workloads/quants.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 256 };

static uint64_t seed = 12345;

static uint32_t draw(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 32);
}

static const lpu_quant ternary[] = {LPU_QUANT_F32,   LPU_QUANT_F16,   LPU_QUANT_BF16,
                                    LPU_QUANT_TQ1_0, LPU_QUANT_TQ2_0, LPU_QUANT_I2_S,
                                    LPU_QUANT_Q1_0};
enum { TERNARY = sizeof(ternary) / sizeof(ternary[0]), BLOCKED_FIRST = 3 };

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint32_t to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

/* ---- halves ---- */

static void f16_all_values(void)
{
    for (uint32_t h = 0; h < 65536; h++) {
        const uint16_t half = (uint16_t)h;
        _Float16 oracle;
        memcpy(&oracle, &half, sizeof(half));
        const float found = lpu_quants_f16_to_f32(half), expected = (float)oracle;
        if (isnan(expected)) {
            CHECK(isnan(found), "half %04x is a number, expected none", h);
            CHECK(isnan(lpu_quants_f16_to_f32(lpu_quants_f32_to_f16(found))), "%04x", h);
            continue;
        }
        CHECK(to_bits(found) == to_bits(expected), "half %04x is %g, expected %g", h, (double)found,
              (double)expected);
        CHECK_EQ(lpu_quants_f32_to_f16(found), half);
    }
}

static uint16_t f16_oracle(float value)
{
    const _Float16 half = (_Float16)value;
    uint16_t bits;
    memcpy(&bits, &half, sizeof(bits));
    return bits;
}

static void f16_rounding(void)
{
    /* Around every boundary between two halves: the middle, and one float to either side. */
    for (uint32_t h = 0; h < 0x7c00; h++) {
        const double low = (double)lpu_quants_f16_to_f32((uint16_t)h);
        const double high = h == 0x7bff ? 65536 : (double)lpu_quants_f16_to_f32((uint16_t)(h + 1));
        const uint32_t middle = to_bits((float)((low + high) / 2));
        for (uint32_t bits = middle - 1; bits <= middle + 1; bits++) {
            CHECK_EQ(lpu_quants_f32_to_f16(from_bits(bits)), f16_oracle(from_bits(bits)));
        }
    }
    for (int i = 0; i < 1000000; i++) {
        const float value = from_bits(draw());
        if (isnan(value)) continue;
        CHECK_EQ(lpu_quants_f32_to_f16(value), f16_oracle(value));
    }
    CHECK_EQ(lpu_quants_f32_to_f16(INFINITY), 0x7c00);
    CHECK_EQ(lpu_quants_f32_to_f16(-1e30f), 0xfc00);
}

/* The nearer of the two neighbours, even where both are as near: by distances in double. */
static uint16_t bf16_oracle(float value)
{
    const uint32_t bits = to_bits(value);
    const uint16_t down = (uint16_t)(bits >> 16), up = (uint16_t)(down + 1);
    const double v = (double)value, top = (down & 0x7fff) == 0x7f7f ? ldexp(1, 128) : 0;
    const double d = fabs(v - (double)lpu_quants_bf16_to_f32(down));
    const double u = fabs(fabs(v) - (top > 0 ? top : fabs((double)lpu_quants_bf16_to_f32(up))));
    if (d == u) return down & 1 ? up : down;
    return d < u ? down : up;
}

static void bf16_rounding(void)
{
    for (uint32_t b = 0; b < 65536; b++) {
        const float value = lpu_quants_bf16_to_f32((uint16_t)b);
        CHECK(to_bits(value) == b << 16, "bfloat %04x", b);
        if (!isnan(value)) CHECK_EQ(lpu_quants_f32_to_bf16(value), b);
        else CHECK(isnan(lpu_quants_bf16_to_f32(lpu_quants_f32_to_bf16(value))), "%04x", b);
    }
    for (int i = 0; i < 1000000; i++) {
        const uint32_t low = (uint32_t)(i % 4 ? draw() : 0x8000);
        const float value = from_bits((draw() & 0xffff0000) | (low & 0xffff));
        if (!isfinite(value)) continue;
        CHECK_EQ(lpu_quants_f32_to_bf16(value), bf16_oracle(value));
    }
}

/* ---- ternary formats ---- */

/* Digit of weight w as the format defines it, from the bytes of one block; 2 is code 3. */
static int digit_oracle(lpu_quant type, const uint8_t *block, int w)
{
    switch (type) {
    case LPU_QUANT_TQ2_0: return (block[w / 128 * 32 + w % 32] >> (2 * (w / 32 % 4)) & 3) - 1;
    case LPU_QUANT_I2_S: return (block[w % 32] >> (6 - 2 * (w / 32)) & 3) - 1;
    case LPU_QUANT_Q1_0: return block[2 + w / 8] >> (w % 8) & 1 ? 1 : -1;
    default: break;
    }
    /* TQ1_0: digit n is floor(byte 3^(n+1) / 256) mod 3. */
    const int powers[5] = {3, 9, 27, 81, 243};
    const int at = w < 160 ? w % 32 : w < 240 ? 32 + (w - 160) % 16 : 48 + (w - 240) % 4;
    const int n = w < 160 ? w / 32 : w < 240 ? (w - 160) / 16 : (w - 240) / 4;
    return block[at] * powers[n] / 256 % 3 - 1;
}

static size_t scale_at(lpu_quant type)
{
    return type == LPU_QUANT_TQ1_0 ? 52 : type == LPU_QUANT_TQ2_0 ? 64 : 0;
}

static void set_scale(lpu_quant type, uint8_t *block, uint16_t half)
{
    if (type != LPU_QUANT_I2_S) memcpy(block + scale_at(type), &half, sizeof(half));
}

static void check_block(lpu_quant type, const uint8_t *block, size_t elems)
{
    int8_t trits[LPU_QUANT_BLOCK_ELEMS];
    float reals[LPU_QUANT_BLOCK_ELEMS], scale = type == LPU_QUANT_I2_S ? 0.5f : 0;
    lpu_diag diag = {""};
    int is_legal = 1;

    for (size_t w = 0; w < elems; w++) is_legal &= digit_oracle(type, block, (int)w) != 2;
    const lpu_status status =
        lpu_quants_read_trits(type, trits, &scale, block, elems, "block", &diag);
    CHECK(status == (is_legal ? LPU_OK : LPU_ERR_FORMAT), "status %d: %s", status, diag.text);
    lpu_quants_decode(type, reals, block, elems, 0.5f);
    for (size_t w = 0; w < elems; w++) {
        const int expected = digit_oracle(type, block, (int)w);
        CHECK(!is_legal || trits[w] == expected, "type %d weight %zu is %d, expected %d", type, w,
              trits[w], expected);
        CHECK(reals[w] == 0.5f * (float)expected, "type %d weight %zu is %g", type, w,
              (double)reals[w]);
    }
}

static void ternary_bytes(void)
{
    for (size_t i = BLOCKED_FIRST; i < TERNARY; i++) {
        const lpu_quant_info *info = lpu_quants_find((uint32_t)ternary[i]);
        for (size_t at = 0; at < info->block_bytes; at++) {
            uint8_t block[BLOCK_BYTES];
            const size_t d = scale_at(ternary[i]);
            if (ternary[i] != LPU_QUANT_I2_S && (at == d || at == d + 1)) continue;
            for (size_t b = 0; b < info->block_bytes; b++) block[b] = (uint8_t)(draw() & 0x55);
            set_scale(ternary[i], block, 0x3800); /* 0.5 */
            for (int byte = 0; byte < 256; byte++) {
                block[at] = (uint8_t)byte;
                check_block(ternary[i], block, info->block_elems);
                if (test_is_over) return;
            }
        }
    }
}

static void ternary_round_trip(void)
{
    for (size_t i = 0; i < TERNARY; i++) {
        const lpu_quant_info *info = lpu_quants_find((uint32_t)ternary[i]);
        const size_t elems = 3 * LPU_QUANT_BLOCK_ELEMS;
        uint8_t row[3 * LPU_QUANT_BLOCK_ELEMS * sizeof(float)];
        int8_t trits[3 * LPU_QUANT_BLOCK_ELEMS], again[3 * LPU_QUANT_BLOCK_ELEMS];

        for (int turn = 0; turn < 200; turn++) {
            const float scale = (float)(1 + draw() % 1000) / 1024; /* a half holds it */
            float found = ternary[i] == LPU_QUANT_I2_S ? scale : 0;
            const uint32_t kinds = info->type == LPU_QUANT_Q1_0 ? 2 : 3;
            for (size_t w = 0; w < elems; w++) trits[w] = (int8_t)(1 - (int)(draw() % kinds));
            if (kinds == 2) {
                for (size_t w = 0; w < elems; w++) trits[w] = (int8_t)(trits[w] ? 1 : -1);
            }
            if (ternary[i] == LPU_QUANT_BF16) found = 0.25f; /* a bfloat does not hold scale */
            const float written = ternary[i] == LPU_QUANT_BF16 ? 0.25f : scale;
            lpu_quants_write_trits(ternary[i], row, trits, elems, written);
            CHECK_OK(lpu_quants_read_trits(ternary[i], again, &found, row, elems, "row", diag));
            CHECK(!memcmp(trits, again, elems), "%s: digits changed", info->name);
            CHECK(found == written, "%s: scale %g, expected %g", info->name, (double)found,
                  (double)written);
        }
    }
}

static void ternary_encode(void)
{
    /* Rows that are ternary already come back exactly; the scale of I2_S is kept beside. */
    for (size_t i = 0; i < TERNARY; i++) {
        float row[512], again[512];
        uint8_t packed[512 * sizeof(float)];
        for (size_t w = 0; w < 512; w++) {
            row[w] = 0.75f * (float)(1 - (int)(draw() % 3));
            if (ternary[i] == LPU_QUANT_Q1_0 && row[w] == 0) row[w] = 0.75f;
        }
        lpu_quants_encode(ternary[i], packed, row, 512);
        lpu_quants_decode(ternary[i], again, packed, 512, 0.75f);
        for (size_t w = 0; w < 512; w++) {
            CHECK(row[w] == again[w], "type %d weight %zu is %g, expected %g", ternary[i], w,
                  (double)again[w], (double)row[w]);
        }
    }
}

/* All zero, all plus and all minus, worked by hand: 243 codes of five digits are 0, 121 and 242;
 * ceil(256 v / 243) is 0, 128 and 255. Four digits and an empty fifth: 0, 120 and 240 give 0, 127
 * and 253. */
static void tq1_known_bytes(void)
{
    const struct {
        int8_t trit;
        uint8_t five, four;
    } rows[] = {{-1, 0, 0}, {0, 128, 127}, {1, 255, 253}};

    for (size_t i = 0; i < 3; i++) {
        int8_t trits[256];
        uint8_t block[54];
        memset(trits, rows[i].trit, sizeof(trits));
        lpu_quants_write_trits(LPU_QUANT_TQ1_0, block, trits, 256, 1);
        for (size_t b = 0; b < 48; b++) CHECK_EQ(block[b], rows[i].five);
        for (size_t b = 48; b < 52; b++) CHECK_EQ(block[b], rows[i].four);
        CHECK_EQ(block[52] | block[53] << 8, 0x3c00);
    }
}

static void ternary_refusals(void)
{
    int8_t trits[512];
    uint8_t row[4096];
    float scale = 0;
    lpu_diag why;

    /* Two blocks of different magnitude; the same, where one of them is all zero. */
    memset(trits, 1, sizeof(trits));
    lpu_quants_write_trits(LPU_QUANT_TQ2_0, row, trits, 256, 1);
    lpu_quants_write_trits(LPU_QUANT_TQ2_0, row + 66, trits, 256, 2);
    CHECK_EQ(lpu_quants_read_trits(LPU_QUANT_TQ2_0, trits, &scale, row, 512, "t", &why),
             LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "t: weight 256 has magnitude 2"), "%s", why.text);
    memset(trits, 0, 256);
    lpu_quants_write_trits(LPU_QUANT_TQ2_0, row, trits, 256, 0.5f);
    scale = 0;
    CHECK_OK(lpu_quants_read_trits(LPU_QUANT_TQ2_0, trits, &scale, row, 512, "t", diag));
    CHECK(scale == 2, "scale %g", (double)scale);

    /* A scale of zero makes zeros of whatever is in the block. */
    memset(row, 0, sizeof(row));
    memset(trits, 1, sizeof(trits));
    scale = 0;
    CHECK_OK(lpu_quants_read_trits(LPU_QUANT_TQ2_0, trits, &scale, row, 256, "t", diag));
    for (size_t w = 0; w < 256; w++) CHECK_EQ(trits[w], 0);
    CHECK_EQ(lpu_quants_read_trits(LPU_QUANT_Q1_0, trits, &scale, row, 128, "t", &why),
             LPU_ERR_FORMAT);

    /* Scales that are no magnitude: negative, infinite, not a number. */
    const uint16_t bad[] = {0xbc00, 0x7c00, 0x7e00};
    for (size_t i = 0; i < 3; i++) {
        scale = 0;
        set_scale(LPU_QUANT_TQ1_0, row, bad[i]);
        CHECK_EQ(lpu_quants_read_trits(LPU_QUANT_TQ1_0, trits, &scale, row, 256, "t", &why),
                 LPU_ERR_FORMAT);
    }
    const float reals[] = {0, 1, -1, NAN}, other[] = {0, 1, -1, 1.0000001f};
    scale = 0;
    CHECK_EQ(lpu_quants_read_trits(LPU_QUANT_F32, trits, &scale, reals, 4, "t", &why),
             LPU_ERR_FORMAT);
    CHECK(strstr(why.text, "weight 3 is not finite"), "%s", why.text);
    scale = 0;
    CHECK_EQ(lpu_quants_read_trits(LPU_QUANT_F32, trits, &scale, other, 4, "t", &why),
             LPU_ERR_FORMAT);
}

/* ---- rounded formats ---- */

static void rounded_bounds(void)
{
    for (int turn = 0; turn < 2000; turn++) {
        float row[32], again[32], extreme = 0;
        uint8_t block[34];
        const float size = ldexpf(1, (int)(draw() % 16) - 8);
        for (size_t w = 0; w < 32; w++) {
            row[w] = size * ((float)(draw() % 20001) - 10000) / 10000;
            extreme = fmaxf(extreme, fabsf(row[w]));
        }
        /* Half a step, and what rounding the step itself to a half (2^-11 of it, or 2^-25 where
         * it is subnormal) costs at the far end. */
        const double q8 = (double)extreme / 127 * (0.5 + 127 * 0x1p-11 + 0.001) + 127 * 0x1p-25;
        /* The far end of the other sign is one step out: codes go from -8 to 7. */
        const double q4 = (double)extreme / 8 * (1 + 8 * 0x1p-11 + 0.001) + 8 * 0x1p-25;
        lpu_quants_encode(LPU_QUANT_Q8_0, block, row, 32);
        lpu_quants_decode(LPU_QUANT_Q8_0, again, block, 32, 0);
        for (size_t w = 0; w < 32; w++) {
            CHECK(fabs((double)row[w] - (double)again[w]) <= q8, "Q8_0: %g for %g",
                  (double)again[w], (double)row[w]);
        }
        lpu_quants_encode(LPU_QUANT_Q4_0, block, row, 32);
        lpu_quants_decode(LPU_QUANT_Q4_0, again, block, 32, 0);
        for (size_t w = 0; w < 32; w++) {
            CHECK(fabs((double)row[w] - (double)again[w]) <= q4, "Q4_0: %g for %g",
                  (double)again[w], (double)row[w]);
        }
    }
}

static void rounded_definitions(void)
{
    uint8_t block[34];
    float row[32];

    for (size_t b = 0; b < sizeof(block); b++) block[b] = (uint8_t)draw();
    block[0] = 0x00, block[1] = 0x40; /* d = 2 */
    lpu_quants_decode(LPU_QUANT_Q8_0, row, block, 32, 0);
    for (int w = 0; w < 32; w++) {
        CHECK(row[w] == 2 * (float)(block[2 + w] < 128 ? block[2 + w] : block[2 + w] - 256),
              "Q8_0 weight %d", w);
    }
    lpu_quants_decode(LPU_QUANT_Q4_0, row, block, 32, 0);
    for (int w = 0; w < 32; w++) {
        const int code = w < 16 ? block[2 + w] % 16 : block[2 + w - 16] / 16;
        CHECK(row[w] == 2 * (float)(code - 8), "Q4_0 weight %d", w);
    }
}

/* Q6_K by moving pointers through its two halves; weights w, +32, +64, +96 share a column. */
static void q6_k_definition(void)
{
    uint8_t block[210];
    float row[256], expected[256];

    for (int turn = 0; turn < 50; turn++) {
        for (size_t b = 0; b < sizeof(block); b++) block[b] = (uint8_t)draw();
        block[208] = 0x00, block[209] = 0x38; /* d = 0.5 */
        const uint8_t *low = block, *high = block + 128;
        const int8_t *scale = (const int8_t *)(block + 192);
        for (float *y = expected; y < expected + 256; y += 128, low += 64, high += 32, scale += 8) {
            for (int l = 0; l < 32; l++) {
                const int q[4] = {(low[l] & 15) + 16 * (high[l] & 3),
                                  (low[l + 32] & 15) + 16 * (high[l] >> 2 & 3),
                                  (low[l] >> 4) + 16 * (high[l] >> 4 & 3),
                                  (low[l + 32] >> 4) + 16 * (high[l] >> 6)};
                for (int n = 0; n < 4; n++) {
                    y[32 * n + l] = 0.5f * (float)scale[2 * n + l / 16] * (float)(q[n] - 32);
                }
            }
        }
        lpu_quants_decode(LPU_QUANT_Q6_K, row, block, 256, 0);
        for (size_t w = 0; w < 256; w++) CHECK(row[w] == expected[w], "weight %zu", w);
    }
}

/* Q4_K from known scales: packed here by the layout, then weights d scale q - m minimum. */
static void q4_k_definition(void)
{
    for (int turn = 0; turn < 50; turn++) {
        uint8_t block[144] = {0x00, 0x38, 0x00, 0x34}; /* d = 0.5, m = 0.25 */
        int scale[8], minimum[8];
        float row[256];
        for (int j = 0; j < 8; j++) {
            scale[j] = (int)(draw() % 64);
            minimum[j] = (int)(draw() % 64);
        }
        for (int j = 0; j < 4; j++) {
            block[4 + j] = (uint8_t)(scale[j] | scale[j + 4] >> 4 << 6);
            block[8 + j] = (uint8_t)(minimum[j] | minimum[j + 4] >> 4 << 6);
            block[12 + j] = (uint8_t)(scale[j + 4] % 16 | minimum[j + 4] % 16 << 4);
        }
        for (int b = 16; b < 144; b++) block[b] = (uint8_t)draw();
        lpu_quants_decode(LPU_QUANT_Q4_K, row, block, 256, 0);
        for (int w = 0; w < 256; w++) {
            const int byte = block[16 + w / 64 * 32 + w % 32], j = w / 32;
            const int code = w % 64 < 32 ? byte % 16 : byte / 16;
            const float expected = 0.5f * (float)(scale[j] * code) - 0.25f * (float)minimum[j];
            CHECK(row[w] == expected, "weight %d is %g, expected %g", w, (double)row[w],
                  (double)expected);
        }
    }
}

static void table(void)
{
    CHECK(lpu_quants_named("tq2_0") == lpu_quants_find(35), "TQ2_0 is type 35");
    CHECK(lpu_quants_named("I2_S") == lpu_quants_find(36), "I2_S is type 36");
    CHECK(lpu_quants_named("Q1_0") == lpu_quants_find(41), "Q1_0 is type 41");
    CHECK(!lpu_quants_named("tq9_0") && !lpu_quants_find(3), "no such type");
    /* Bits per weight: 1.6875, 2.0625, 1.125, 2. */
    CHECK_EQ(lpu_quants_row_bytes(LPU_QUANT_TQ1_0, 25600) * 8, 43200);
    CHECK_EQ(lpu_quants_row_bytes(LPU_QUANT_TQ2_0, 25600) * 8, 52800);
    CHECK_EQ(lpu_quants_row_bytes(LPU_QUANT_Q1_0, 25600) * 8, 28800);
    CHECK_EQ(lpu_quants_row_bytes(LPU_QUANT_I2_S, 25600) * 8, 51200);
}

int main(void)
{
    RUN(f16_all_values);
    RUN(f16_rounding);
    RUN(bf16_rounding);
    RUN(ternary_bytes);
    RUN(ternary_round_trip);
    RUN(ternary_encode);
    RUN(tq1_known_bytes);
    RUN(ternary_refusals);
    RUN(rounded_bounds);
    RUN(rounded_definitions);
    RUN(q6_k_definition);
    RUN(q4_k_definition);
    RUN(table);
    return test_failures != 0;
}
