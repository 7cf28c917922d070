/* workloads/train/pass.h - the forward pass of one sequence and its gradients, in one thread.
 *
 * The model is that of kernels/forward.h, FP16: RMS norms with sub-norms, activations rounded to 8
 * bits a token before linear layers, halves paired in RoPE, heads in groups, tied embedding. Weights
 * come as they are used: rounded, where they are to be. Rounding has the gradient of the identity.
 */
#ifndef LPU_WORKLOADS_TRAIN_PASS_H
#define LPU_WORKLOADS_TRAIN_PASS_H

#include "workloads/train/matmul.h"
#include "workloads/train/params.h"
#include "workloads/train/real.h"

#include <stdbool.h>
#include <stddef.h>

/* Rounds one row in place; user is the pass's. */
typedef void lpu_train_rounder(lpu_real *row, size_t n, void *user);

/* What a layer keeps for its gradients. */
typedef struct lpu_train_layer {
    lpu_real *x, *mid;                          /* (tokens, hidden) residual: in, after attention */
    lpu_real *attn_rms, *sub_rms, *ffn_rms, *gate_rms; /* (tokens) 1 / rms */
    lpu_real *attn_in, *ffn_in;                 /* (tokens, hidden) rounded */
    lpu_real *q, *k, *v, *heads, *o_in;         /* rotated q and k; heads: sums of values */
    lpu_real *shares;                           /* (heads, tokens, tokens) softmax */
    lpu_real *gate, *up, *down_in;              /* (tokens, ffn) */
} lpu_train_layer;

typedef struct lpu_train_pass {
    lpu_model model;
    size_t tokens;
    bool is_coarse; /* of this run: products of bfloat16, where the CPU has it */
    lpu_train_rounder *round; /* NULL: the full-precision twin */
    void *user;
    lpu_real *memory; /* all of it */
    lpu_train_layer *layer;
    lpu_real *x, *last, *last_rms, *logits, *rope, *scratch;
    lpu_real *dx, *dhidden, *dq, *dk, *dv, *dheads, *dscores, *dgate, *dup, *dffn;
} lpu_train_pass;

/* Room for sequences of tokens. round is lpu_train_pass_round, or NULL. */
lpu_status lpu_train_pass_open(lpu_train_pass **p, const lpu_model *model, size_t tokens,
                               lpu_train_rounder *round, lpu_diag *diag);
void lpu_train_pass_close(lpu_train_pass **p);

/* Predicts ids[1..tokens] from ids[0..tokens). Returns the sum of -ln p. Where grads is not NULL, the
 * gradient of weight times that sum is added to it, and products may be coarse. */
double lpu_train_pass_run(lpu_train_pass *p, const lpu_real *params, const int32_t *ids,
                          lpu_real *grads, double weight);

/* c(m, n) = a(m, k) b(k, n), as lpu_matmul_run, coarse where the run is. */
void lpu_train_pass_product(const lpu_train_pass *p, lpu_real *c, size_t stride, lpu_matmul_view a,
                            lpu_matmul_view b, size_t m, size_t n, size_t k, bool adds);

/* Absmax to 8 bits: x' = round(x 127 / max |x|) max |x| / 127 (arXiv 2310.11453, equation 4). */
lpu_train_rounder lpu_train_pass_round;

#endif
