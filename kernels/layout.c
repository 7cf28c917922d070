/* kernels/layout.c - packs matrices into the streams of layout.h. */
#include "kernels/layout.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name;
    size_t rows, line_bytes, line_k;
} layouts[LPU_LAYOUTS] = {
    [LPU_LAYOUT_B1] = {"b1", 128, 64, 4},
    [LPU_LAYOUT_T2] = {"t2", 64, 64, 4},
    [LPU_LAYOUT_B3] = {"b3", 80, 64, 4},
    [LPU_LAYOUT_I4] = {"i4", 32, 64, 4},
    [LPU_LAYOUT_I8] = {"i8", 16, 64, 4},
    [LPU_LAYOUT_F16] = {"f16", 16, 32, 1},
    [LPU_LAYOUT_BF16] = {"bf16", 16, 64, 2},
    [LPU_LAYOUT_Q8] = {"q8", 16, LPU_LAYOUT_Q8_BYTES, LPU_LAYOUT_GROUP},
    [LPU_LAYOUT_Q4] = {"q4", 32, LPU_LAYOUT_Q4_BYTES, LPU_LAYOUT_GROUP},
};

const char *lpu_layout_name(lpu_layout layout)
{
    return layouts[layout].name;
}

size_t lpu_layout_block_rows(lpu_layout layout)
{
    return layouts[layout].rows;
}

size_t lpu_layout_block_bytes(lpu_layout layout, size_t k)
{
    return (k + layouts[layout].line_k - 1) / layouts[layout].line_k * layouts[layout].line_bytes;
}

size_t lpu_layout_bytes(lpu_layout layout, size_t rows, size_t k)
{
    return (rows + layouts[layout].rows - 1) / layouts[layout].rows *
           lpu_layout_block_bytes(layout, k);
}

void lpu_layout_pack_b1(uint8_t *block, const int8_t *signs, size_t rows, size_t k)
{
    assert(rows <= 128 && k <= LPU_LAYOUT_K_MAX);
    memset(block, 0, lpu_layout_block_bytes(LPU_LAYOUT_B1, k));
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < k; c++) {
            const uint32_t bit = signs[r * k + c] > 0;
            uint8_t *to = block + c / 4 * 64 + r % 16 * 4 + c % 4;
            *to = (uint8_t)(*to | bit << r / 16);
        }
    }
}

/* digit + 1 of row r at column c, and the code of zero outside the matrix. */
static uint32_t digit(const int8_t *trits, size_t rows, size_t k, size_t r, size_t c)
{
    return r < rows && c < k ? (uint32_t)(trits[r * k + c] + 1) : 1;
}

void lpu_layout_pack_t2(uint8_t *block, const int8_t *trits, size_t rows, size_t k)
{
    assert(rows <= 64 && k <= LPU_LAYOUT_K_MAX);
    for (size_t c = 0; c < (k + 3) / 4 * 4; c++) {
        for (size_t lane = 0; lane < 16; lane++) {
            uint32_t code = 0;
            for (size_t p = 0; p < 4; p++) {
                code |= digit(trits, rows, k, 16 * p + lane, c) << (2 * p);
            }
            block[c / 4 * 64 + lane * 4 + c % 4] = (uint8_t)code;
        }
    }
}

void lpu_layout_pack_b3(uint8_t *block, const int8_t *trits, size_t rows, size_t k)
{
    assert(rows <= 80 && k <= LPU_LAYOUT_K_MAX);
    for (size_t c = 0; c < (k + 3) / 4 * 4; c++) {
        for (size_t lane = 0; lane < 16; lane++) {
            uint32_t v = 0;
            for (size_t p = 5; p-- > 0;) v = 3 * v + digit(trits, rows, k, 16 * p + lane, c);
            block[c / 4 * 64 + lane * 4 + c % 4] = (uint8_t)v;
        }
    }
}

size_t lpu_layout_column_bytes(size_t rows)
{
    return (rows + LPU_LAYOUT_LINE_ROWS - 1) / LPU_LAYOUT_LINE_ROWS * 64;
}

void lpu_layout_pack_columns(uint8_t *w, size_t column_bytes, const int8_t *trits, size_t first,
                             size_t n, size_t k)
{
    assert(first % LPU_LAYOUT_LINE_ROWS == 0 && n <= LPU_LAYOUT_LINE_ROWS);
    for (size_t c = 0; c < k; c++) {
        uint8_t *line = w + c * column_bytes + first / LPU_LAYOUT_LINE_ROWS * 64;
        for (size_t b = 0; b < 64; b++) {
            uint32_t v = 0;
            for (size_t p = 5; p-- > 0;) {
                const size_t r = b / 4 % 4 * 80 + 16 * p + b / 16 * 4 + b % 4;
                v = 3 * v + digit(trits, n, k, r, c);
            }
            line[b] = (uint8_t)v;
        }
    }
}

void lpu_layout_pack_i4(uint8_t *block, const int8_t *values, size_t rows, size_t k)
{
    assert(rows <= 32 && k <= LPU_LAYOUT_K_MAX);
    memset(block, 0x88, lpu_layout_block_bytes(LPU_LAYOUT_I4, k));
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < k; c++) {
            uint8_t *to = block + c / 4 * 64 + r % 16 * 4 + c % 4;
            const uint32_t code = (uint32_t)(values[r * k + c] + 8);
            *to = (uint8_t)(r < 16 ? (*to & 0xf0) | code : (*to & 0x0f) | code << 4);
        }
    }
}

void lpu_layout_pack_i8(uint8_t *block, const int8_t *values, size_t rows, size_t k)
{
    assert(rows <= 16);
    memset(block, 0, lpu_layout_block_bytes(LPU_LAYOUT_I8, k));
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < k; c++)
            *lpu_layout_i8_at((int8_t *)block, 0, r, c) = values[r * k + c];
    }
}

void lpu_layout_pack_f16(uint8_t *block, const uint16_t *halves, size_t rows, size_t k)
{
    assert(rows <= 16);
    memset(block, 0, lpu_layout_block_bytes(LPU_LAYOUT_F16, k));
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < k; c++) memcpy(block + 32 * c + 2 * r, &halves[r * k + c], 2);
    }
}

void lpu_layout_pack_bf16(uint8_t *block, const uint16_t *values, size_t rows, size_t k)
{
    assert(rows <= 16);
    memset(block, 0, lpu_layout_block_bytes(LPU_LAYOUT_BF16, k));
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < k; c++) {
            memcpy(block + c / 2 * 64 + 4 * r + c % 2 * 2, &values[r * k + c], 2);
        }
    }
}

/* Bytes of a block of 32 weights in a file: a half, then the codes. */
enum { Q8_0_BYTES = 34, Q4_0_BYTES = 18 };

void lpu_layout_pack_q8(uint8_t *block, const uint8_t *blocks, size_t rows, size_t k)
{
    assert(rows <= 16 && k % LPU_LAYOUT_GROUP == 0);
    memset(block, 0, lpu_layout_block_bytes(LPU_LAYOUT_Q8, k));
    for (size_t r = 0; r < rows; r++) {
        for (size_t g = 0; g < k / LPU_LAYOUT_GROUP; g++, blocks += Q8_0_BYTES) {
            uint8_t *to = block + g * LPU_LAYOUT_Q8_BYTES;
            memcpy(to + 2 * r, blocks, 2);
            for (size_t i = 0; i < LPU_LAYOUT_GROUP; i += 4) {
                memcpy(to + 32 + 16 * i + 4 * r, blocks + 2 + i, 4);
            }
        }
    }
}

void lpu_layout_pack_q4(uint8_t *block, const uint8_t *blocks, size_t rows, size_t k)
{
    assert(rows <= 32 && k % LPU_LAYOUT_GROUP == 0);
    memset(block, 0, lpu_layout_block_bytes(LPU_LAYOUT_Q4, k));
    for (size_t r = 0; r < rows; r++) {
        for (size_t g = 0; g < k / LPU_LAYOUT_GROUP; g++, blocks += Q4_0_BYTES) {
            uint8_t *to = block + g * LPU_LAYOUT_Q4_BYTES;
            memcpy(to + 2 * r, blocks, 2);
            for (size_t i = 0; i < LPU_LAYOUT_GROUP; i++) {
                /* Byte j of a file's block has weight j below and weight j + 16 above. */
                const uint32_t two = blocks[2 + i % 16], code = i < 16 ? two & 15 : two >> 4;
                uint8_t *at = to + 64 + i / 4 * 64 + r % 16 * 4 + i % 4;
                *at = (uint8_t)(*at | code << (r < 16 ? 0 : 4));
            }
        }
    }
}
