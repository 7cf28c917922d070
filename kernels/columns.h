/* kernels/columns.h - a ternary matrix by columns, for activations of which most are zero.
 *
 * Behind squared ReLU half of the activations are zero, and many others are rounded to it: a column
 * that meets zero need not be read. Columns are laid out as layout.h has them.
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

/* The columns of a matrix of one trit; those of a packed file stay where they are.
 * LPU_ERR_FORMAT if a plane holds an illegal code. */
lpu_status lpu_columns_open(lpu_columns *c, const lpu_matrix *m, lpu_team *team, lpu_diag *diag);
void lpu_columns_close(lpu_columns *c);

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
