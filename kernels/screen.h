/* kernels/screen.h - the greedy next token without reading all of the head.
 *
 * A weight of the head is three digits, w = 16 a + 4 b + c, with a of 4 bits and b, c of 2: 8 bits
 * in all, in three streams. The first gives 16 a q for every row, and a bound on the rest of the
 * sum, by Cauchy and Schwarz or by the largest rest, whichever is tighter:
 *
 *     |sum rest q - mean sum q| <= min(|rest - mean|_2 |q|_2, max |rest - mean| |q|_1)
 *
 * Then the group that looks best is computed in full. Groups of rows of which none can reach its
 * largest logit are never read again; nor are, after the second stream, those that are out then.
 * What is left is exact, by the arithmetic of section 10, so the token is the same as from all
 * logits, whatever the data; where the bounds are too wide to rule anything out, everything is read
 * once, as without a screen.
 */
#ifndef LPU_KERNELS_SCREEN_H
#define LPU_KERNELS_SCREEN_H

#include "kernels/kernels.h"
#include "kernels/team.h"
#include "workloads/weights.h"

#include <stdbool.h>

typedef struct lpu_screen lpu_screen;

/* What the last argmax read. */
typedef struct lpu_screen_reads {
    size_t rows, second_rows, third_rows; /* of the first, second and third stream */
    uint64_t bytes, all_bytes;            /* read; of the whole head */
} lpu_screen_reads;

/* Whether the screen gains time where these kernels (cpu.h) are allowed: they must keep up with
 * memory. */
bool lpu_screen_pays(uint32_t allowed);

/* Borrows the team and copies the rest, but for the stream of a packed file. head has up to 5
 * trits. */
lpu_status lpu_screen_open(lpu_screen **s, const lpu_matrix *head, const lpu_kernels *k,
                           lpu_team *team, lpu_diag *diag);
void lpu_screen_close(lpu_screen **s);

/* All that opening computes, for packed files: three streams, and the bounds of their rests. */
enum { LPU_SCREEN_PIECES = 5 };
size_t lpu_screen_bytes(size_t rows, size_t cols);
const void *lpu_screen_piece(const lpu_screen *s, size_t index, size_t *bytes);

/* The lowest row of the largest logit, for the activations q (head->cols) of scale sq. */
size_t lpu_screen_argmax(lpu_screen *s, const int8_t *q, lpu_scale sq);

/* All logits, X32. */
void lpu_screen_logits(lpu_screen *s, int32_t *logits, const int8_t *q, lpu_scale sq);

lpu_screen_reads lpu_screen_last_reads(const lpu_screen *s);

#endif
