/* kernels/lookup.h - ternary products of many tokens: half of the rows by multiplying, half by
 * looking sums up and adding.
 *
 * Four digits of a row meet four activations: there are 81 sums that can come of it. They are put
 * into a table once, for 32 tokens side by side, and every row adds the line that its digits name:
 *
 *     table[group][81][32 tokens]    int16    -x0 - x1 - x2 - x3 ... +x0 + x1 + x2 + x3
 *     sums[row][32 tokens]           int16    sums[row] += table[g][code of the row], g = 0..3
 *
 * One load and one addition do 128 products, where a multiplication of the dot-product unit does
 * 64: on CPUs whose vectors of 512 bits go through that unit once a cycle (Zen 4), loading and
 * adding are as fast as multiplying, and on other ports. So both are done at once, on rows of their
 * own, one instruction of this and two of that, in this order: the ports are given out in it.
 * lpu bench has the peak of both together beside that of int8 products alone.
 */
#ifndef LPU_KERNELS_LOOKUP_H
#define LPU_KERNELS_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

enum {
    LPU_LOOKUP_TOKENS = 32,    /* that go together; fewer are not worth it */
    LPU_LOOKUP_PLANES = 4,     /* of a set */
    LPU_LOOKUP_SETS = 5,       /* of a group, at most */
    LPU_LOOKUP_PLANES_MAX = 8, /* of a format */
};

/* A set is 64 rows as lines of t2 (layout.h). A group is some blocks of a format, and as many sets
 * as hold their rows. */
typedef struct lpu_lookup_format {
    size_t blocks, block_rows; /* of a group */
    size_t sets;               /* of a group: blocks, or one more for rows left over */

    /* The row of plane p of set s in its group. */
    size_t (*row)(size_t s, size_t p);

    /* Writes lines of the sets of a group whose blocks (as many as there are) begin at w. NULL
     * where a block is a set as it stands. */
    void (*expand)(uint8_t *const *sets, const uint8_t *w, size_t block_bytes, size_t blocks,
                   size_t lines);
} lpu_lookup_format;

/* y (tokens, rows) for the first tokens, a multiple of LPU_LOOKUP_TOKENS; returns how many, 0 where
 * it is not worth it. room as for gemm (kernels.h). */
size_t lpu_lookup_multiply(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                           size_t x_stride, size_t rows, size_t k, size_t tokens, void *room,
                           const lpu_lookup_format *format);

/* The same with AVX2, for 16 tokens at a time, and all rows looked up. digits writes those of each
 * plane of a line (planes, 64), plus one. */
typedef void lpu_lookup_digits(uint8_t *digits, const uint8_t *line);
size_t lpu_lookup_multiply_avx2(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                                size_t x_stride, size_t rows, size_t k, size_t tokens, void *room,
                                size_t planes, lpu_lookup_digits *digits);

#endif
