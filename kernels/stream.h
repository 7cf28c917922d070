/* kernels/stream.h - a matrix of a model as the stream that a kernel reads, and its product.
 *
 * A stream owns its bytes, but for that of a packed file, which lies in the file. The product of a
 * set of streams with the same activations is one job of a team: every member takes its share of
 * the blocks of each.
 */
#ifndef LPU_KERNELS_STREAM_H
#define LPU_KERNELS_STREAM_H

#include "kernels/kernels.h"
#include "kernels/team.h"
#include "workloads/weights.h"

#include <stdbool.h>

typedef struct lpu_stream {
    lpu_layout layout;
    size_t rows, k, block_rows, block_bytes, bytes;
    uint8_t *w;
    bool is_borrowed;
} lpu_stream;

/* Allocates an empty stream of rows x k. */
lpu_status lpu_stream_open(lpu_stream *s, lpu_layout layout, size_t rows, size_t k, lpu_diag *diag);
void lpu_stream_close(lpu_stream *s);

/* The same on bytes that stay the caller's, and are only read: known to be as many as needed. */
lpu_status lpu_stream_borrow(lpu_stream *s, lpu_layout layout, size_t rows, size_t k,
                             const uint8_t *bytes, lpu_diag *diag);

/* Opens the stream of a matrix: T2 or B3 of one of 1 trit, I8 of one of up to 5 trits; F16, BF16,
 * Q8 and Q4 of its real values; I4 of one whose integers are -8..7, B1 of one without zeros.
 * LPU_ERR_FORMAT if a plane holds an illegal code. A matrix of a packed file has its stream, which
 * must be of that layout.
 */
lpu_status lpu_stream_load(lpu_stream *s, lpu_layout layout, const lpu_matrix *m, lpu_team *team,
                           lpu_diag *diag);

/* Row r of m as integers (cols); digits is room for as many. LPU_ERR_FORMAT as for a stream. */
lpu_status lpu_stream_read_row(int8_t *row, int8_t *digits, const lpu_matrix *m, size_t r,
                               lpu_diag *diag);

/* Opens the F16, BF16, Q8 or Q4 stream of a row-major table of halves. */
lpu_status lpu_stream_load_halves(lpu_stream *s, lpu_layout layout, const uint16_t *halves,
                                  size_t rows, size_t k, lpu_team *team, lpu_diag *diag);

/* How a product is split: by tokens, where every member can have as many, and enough to be taken
 * together (lookup.h); else by rows, as member of members. */
typedef struct lpu_stream_split {
    size_t first, tokens;
    size_t member, members;
} lpu_stream_split;
lpu_stream_split lpu_stream_split_work(size_t tokens, size_t member, size_t members);

/* y[t][r] (tokens, rows; y_stride apart) = the product with x[t] (x_stride apart), for the blocks
 * that fall to a member. Returns the first row and sets how many: the member owns these columns.
 * room is the member's, of its team. */
size_t lpu_stream_multiply_i32(const lpu_stream *s, const lpu_kernels *k, int32_t *y,
                               size_t y_stride, const int8_t *x, size_t x_stride, size_t tokens,
                               void *room, size_t member, size_t members, size_t *rows);
size_t lpu_stream_multiply_f32(const lpu_stream *s, const lpu_kernels *k, float *y, size_t y_stride,
                               const float *x, size_t x_stride, size_t tokens, size_t member,
                               size_t members, size_t *rows);
size_t lpu_stream_multiply_groups(const lpu_stream *s, const lpu_kernels *k, float *y,
                                  size_t y_stride, const int8_t *x, size_t x_stride,
                                  const lpu_group *xs, size_t tokens, size_t member, size_t members,
                                  size_t *rows);
size_t lpu_stream_multiply_bf16(const lpu_stream *s, const lpu_kernels *k, float *y,
                                size_t y_stride, const uint16_t *x, size_t x_stride, size_t tokens,
                                size_t member, size_t members, size_t *rows);

#endif
