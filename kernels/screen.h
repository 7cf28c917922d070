/* kernels/screen.h - the greedy next token without reading all of the head.
 *
 * A weight w of the head, -121..121, is kept twice: as it is, row by row, and as a step of 17,
 *
 *     w + u + 121 = 17 a + rest,    a = 0..15 of four bits, rest = 0..16
 *
 * where u = 0..16 is drawn once for each column: so the rest of any weight is uniform, and those of
 * a row are independent. The steps of all rows are read, in order. They give w q of every row but
 * for e = sum (rest - 8) q, and such a sum has no wider tail than a normal distribution of its
 * variance, 24 |q|^2 with 24 = (17^2 - 1) / 12:
 *
 *     mean of exp(t (rest - 8)) = sinh(17 t / 2) / (17 sinh(t / 2)) <= exp(24 t^2 / 2)
 *     P(e > z sqrt(24) |q|) <= exp(-z^2 / 2)
 *
 * (sinh x is x times the product of 1 + x^2 / (pi k)^2, and log((1 + 17^2 y) / (1 + y)) is at most
 * (17^2 - 1) y.) The row that looks best is computed in full. Rows that could reach its logit only
 * by an e beyond z are never read; the others are, and what they give is exact, by the arithmetic
 * of section 10: the token is that of all logits, the lowest row among equals. z is such that a row
 * would be left out in error once in 2^64 tokens; the chance is that of the draw, which is a
 * constant of the code, for weights and activations that were not made from it. Where e cannot
 * reach as far at all, as in short rows, its largest value is the bound. A head of fewer trits has
 * smaller steps.
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
    size_t rows, exact_rows;   /* of steps; in full */
    uint64_t bytes, all_bytes; /* read; of the whole head, in full */
} lpu_screen_reads;

/* Whether the screen gains time where these kernels (cpu.h) are allowed: they must keep up with
 * memory. */
bool lpu_screen_pays(uint32_t allowed);

/* Borrows the team and copies the rest, but for what lies in a packed file. head has up to 5
 * trits. */
lpu_status lpu_screen_open(lpu_screen **s, const lpu_matrix *head, const lpu_kernels *k,
                           lpu_team *team, lpu_diag *diag);
void lpu_screen_close(lpu_screen **s);

/* All that opening computes, for packed files: the steps, and the rows. */
enum { LPU_SCREEN_PIECES = 2 };
size_t lpu_screen_bytes(size_t rows, size_t cols);
const void *lpu_screen_piece(const lpu_screen *s, size_t index, size_t *bytes);

/* The lowest row of the largest logit, for the activations q (head->cols) of scale sq. */
size_t lpu_screen_argmax(lpu_screen *s, const int8_t *q, lpu_scale sq);

/* All logits, X32. */
void lpu_screen_logits(lpu_screen *s, int32_t *logits, const int8_t *q, lpu_scale sq);

lpu_screen_reads lpu_screen_last_reads(const lpu_screen *s);

#endif
