/* kernels/layout.h - how the kernels see a matrix: streams of whole cache lines.
 *
 * A matrix (rows, k) is cut into blocks of rows; a block is one stream of bytes, k ascending. In a
 * block, a line of 64 bytes holds four consecutive k of 16 lanes:
 *
 *     byte  0 1 2 3 | 4 5 6 7 | ... | 60 61 62 63
 *     lane  0       | 1       |     | 15
 *     k     0 1 2 3 | 0 1 2 3 |     | 0  1  2  3      then k = 4..7 in the next line, and so on
 *
 * so that one dot-product instruction multiplies a line with four activations, broadcast, and the
 * sums of 16 rows stay in 16 lanes: no horizontal addition. A ternary byte holds the digits of
 * several rows at the same k (a row-plane); row 16 p + lane of a block is plane p:
 *
 *     b1  128 rows   1 for +1, 0 for -1, of plane p in bit p; there is no zero       1 bit
 *     t2   64 rows   digit + 1 of plane p in bits 2p+1..2p                        2.0 bits
 *     b3   80 rows   sum of (digit + 1) 3^p over planes p = 0..4, 0..242           1.6 bits
 *     i4   32 rows   the integer, -8..7, plus 8 of plane p in bits 4p+3..4p       4 bits
 *     i8   16 rows   the integer, -127..127                                       8 bits
 *
 *     f16  16 rows   a line of 32 bytes is 16 lanes of IEEE half at one k
 *     bf16 16 rows   a line of 64 bytes is 16 lanes of bfloat16 at two k
 *
 * Two formats of GGUF files have an IEEE half as the scale of every 32 k of a row: a group is the
 * scales of all rows of a block, then its eight lines; k is a multiple of 32:
 *
 *     q8   16 rows   Q8_0: 16 scales, lines as those of i8                          8.5 bits
 *     q4   32 rows   Q4_0: 32 scales, lines as those of i4                          4.5 bits
 *
 * A ternary matrix may also lie by columns (columns.h): one after the other, of whole lines of 64
 * bytes, 320 rows each, five rows to a byte as in b3. Byte 16 i + 4 j + l of line n has, as digit
 * p, the row
 *
 *     320 n + 80 j + 16 p + 4 i + l        i, j, l = 0..3, p = 0..4
 *
 * so that four columns, interleaved byte by byte as vector instructions do it (in parts of 16
 * bytes), are four lines of b3 blocks.
 *
 * Rows beyond the last and k beyond the last are filled with zeros of the format.
 */
#ifndef LPU_KERNELS_LAYOUT_H
#define LPU_KERNELS_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

typedef enum lpu_layout {
    LPU_LAYOUT_B1,
    LPU_LAYOUT_T2,
    LPU_LAYOUT_B3,
    LPU_LAYOUT_I4,
    LPU_LAYOUT_I8,
    LPU_LAYOUT_F16,
    LPU_LAYOUT_BF16,
    LPU_LAYOUT_Q8,
    LPU_LAYOUT_Q4,
    LPU_LAYOUTS
} lpu_layout;

/* Sums of raw codes must fit 32 bits: 255 * 127 * 65536 < 2^31. */
enum { LPU_LAYOUT_K_MAX = 65536 };

const char *lpu_layout_name(lpu_layout layout);

/* A group of q8 or q4: k, and bytes of a block. */
enum { LPU_LAYOUT_GROUP = 32, LPU_LAYOUT_Q8_BYTES = 32 + 512, LPU_LAYOUT_Q4_BYTES = 64 + 512 };

/* Rows of a block. */
size_t lpu_layout_block_rows(lpu_layout layout);

/* Bytes of a block. */
size_t lpu_layout_block_bytes(lpu_layout layout, size_t k);

/* Bytes of a matrix: whole blocks. */
size_t lpu_layout_bytes(lpu_layout layout, size_t rows, size_t k);

/* Writes one element of an I8 stream whose blocks are block_bytes apart. */
static inline int8_t *lpu_layout_i8_at(int8_t *w, size_t block_bytes, size_t row, size_t k)
{
    return w + (row / 16) * block_bytes + (k / 4) * 64 + (row % 16) * 4 + k % 4;
}

/* Packs rows rows of one block (fewer in the last) from a row-major source, k elements a row. */
void lpu_layout_pack_b1(uint8_t *block, const int8_t *signs, size_t rows, size_t k);
void lpu_layout_pack_t2(uint8_t *block, const int8_t *trits, size_t rows, size_t k);
void lpu_layout_pack_b3(uint8_t *block, const int8_t *trits, size_t rows, size_t k);
void lpu_layout_pack_i4(uint8_t *block, const int8_t *values, size_t rows, size_t k);
void lpu_layout_pack_i8(uint8_t *block, const int8_t *values, size_t rows, size_t k);
void lpu_layout_pack_f16(uint8_t *block, const uint16_t *halves, size_t rows, size_t k);
void lpu_layout_pack_bf16(uint8_t *block, const uint16_t *values, size_t rows, size_t k);

/* Rows of a line of a column; bytes of a column. Packs the rows of one line of every column: trits
 * (n, k) from row first on, n up to 320. */
enum { LPU_LAYOUT_LINE_ROWS = 320 };
size_t lpu_layout_column_bytes(size_t rows);
void lpu_layout_pack_columns(uint8_t *w, size_t column_bytes, const int8_t *trits, size_t first,
                             size_t n, size_t k);

/* The same from rows of Q8_0 or Q4_0 blocks, as they are in a file (workloads/quants.h). */
void lpu_layout_pack_q8(uint8_t *block, const uint8_t *blocks, size_t rows, size_t k);
void lpu_layout_pack_q4(uint8_t *block, const uint8_t *blocks, size_t rows, size_t k);

#endif
