/* kernels/columns.h - a ternary matrix by columns, for activations of which most are zero.
 *
 * Behind squared ReLU half of the activations are zero, and many others are rounded to it: a column
 * that meets zero need not be read. Columns lie one after the other, of whole lines of 64 bytes,
 * 320 rows each, five rows to a byte as in b3 (layout.h). Byte 16 i + 4 j + l of line n has, as
 * digit p, the row
 *
 *     320 n + 80 j + 16 p + 4 i + l        i, j, l = 0..3, p = 0..4
 *
 * so that four columns, interleaved byte by byte as vector instructions do it (in parts of 16
 * bytes), are four lines of b3 blocks. Rows beyond the last are zeros.
 */
#ifndef LPU_KERNELS_COLUMNS_H
#define LPU_KERNELS_COLUMNS_H

#include "kernels/kernels.h"
#include "kernels/layout.h"
#include "kernels/team.h"
#include "workloads/weights.h"

#include <stdbool.h>

typedef struct lpu_columns {
    size_t rows, k, column_bytes, bytes;
    uint8_t *w;
    bool is_borrowed;
} lpu_columns;

/* Whether columns gain time: for the matrix behind the activation of m, in a layout of 1.6 bits,
 * where these kernels (cpu.h) are allowed. */
bool lpu_columns_pay(const lpu_model *m, lpu_layout layout, uint32_t allowed);

/* Bytes of a column, and of all. */
size_t lpu_columns_column_bytes(size_t rows);
size_t lpu_columns_bytes(size_t rows, size_t k);

/* The columns of a matrix of one trit; those of a packed file stay where they are.
 * LPU_ERR_FORMAT if a plane holds an illegal code. */
lpu_status lpu_columns_open(lpu_columns *c, const lpu_matrix *m, lpu_team *team, lpu_diag *diag);
void lpu_columns_close(lpu_columns *c);

/* Packs rows from first on, n of them, up to 320 of one line: trits (n, k). */
void lpu_columns_pack(uint8_t *w, size_t column_bytes, const int8_t *trits, size_t first, size_t n,
                      size_t k);

/* As lpu_stream_multiply_i32, by rows; used is how many columns were read, of all tokens together.
 */
size_t lpu_columns_multiply(const lpu_columns *c, const lpu_kernels *k, int32_t *y, size_t y_stride,
                            const int8_t *x, size_t x_stride, size_t tokens, void *room,
                            size_t member, size_t members, size_t *rows, size_t *used);

/* The product of one token by several members, by columns: whole ones lie together in memory, and
 * members that read halves of each get in each other's way. First each member takes its columns,
 * and keeps sums in its room; then, when all have, each takes its rows of all sums, as above. */
void lpu_columns_part(const lpu_columns *c, const lpu_kernels *k, const int8_t *x, void *room,
                      size_t member, size_t members, size_t *used);
size_t lpu_columns_gather(const lpu_columns *c, int32_t *y, const lpu_team *team, size_t member,
                          size_t members, size_t *rows);

#endif
