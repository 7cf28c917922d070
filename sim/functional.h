/* sim/functional.h - what each operation of the machine computes, on every integer.
 *
 * One function per section of workloads/arithmetic.md; plain C, no state, no floating point.
 * Rows are contiguous; sizes in elements. kernels/ has its own reading of the same page.
 */
#ifndef LPU_SIM_FUNCTIONAL_H
#define LPU_SIM_FUNCTIONAL_H

#include "workloads/model.h"
#include "workloads/scale.h"

#include <stddef.h>
#include <stdint.h>

/* Section 2. */
lpu_scale lpu_functional_norm(uint64_t u, int32_t e);
lpu_scale lpu_functional_mul(lpu_scale a, lpu_scale b);
lpu_scale lpu_functional_div(lpu_scale a, lpu_scale b);
int32_t   lpu_functional_apply(int64_t v, lpu_scale s, int32_t x);

/* Section 3: q[0..n) of limit H from t; returns a = max |t|. q is int8: H <= 127. */
uint32_t lpu_functional_quant(int8_t *q, const int32_t *t, size_t n, int32_t limit);

/* Section 4. x has exponent ex. Returns the row's scale. gain NULL: quantise alone. */
lpu_scale lpu_functional_normq(int8_t *q, const int32_t *x, size_t n, int32_t ex,
                               const int16_t *gain, int32_t gain_exponent, lpu_scale eps);

/* Section 5: y[m][n] X32 from accumulators acc[m][n], row scales sx[m], and either one matrix scale
 * (w_count 1) or one per output (w_count n). y may be acc. */
void lpu_functional_dequant(int32_t *y, const int32_t *acc, size_t m, size_t n,
                            const lpu_scale *sx, const lpu_scale *sw, size_t w_count);

/* Section 6: x[n] from the T-trit integers v[n]. */
void lpu_functional_embed(int32_t *x, const int8_t *v, size_t n, lpu_scale row_scale);

/* Section 7, in place, one head: rope is (n / 2, 2) cos, sin of the position. */
void lpu_functional_rope(int32_t *x, size_t n, const int16_t *rope);

/* Section 8.1: one head; returns the scale. limit 127 or H(T). */
lpu_scale lpu_functional_quant_head(int8_t *q, const int32_t *x, size_t n, int32_t limit);

/* Section 8.2-8.5: one query row over keys 0..keys-1. acc[keys] scores; writes p[keys] and the scale
 * s_o with which the accumulators of p @ V are to be applied. work has room for keys int64. */
lpu_scale lpu_functional_softmax(int8_t *p, const int32_t *acc, size_t keys, lpu_scale sq,
                                 lpu_scale score_scale, const lpu_scale *sk, const lpu_scale *sv,
                                 int64_t *work);

/* Section 9: h[n] from g and u (u NULL where there is no gate: then g is the only factor).
 * Returns the exponent of h. h may be g. */
int32_t lpu_functional_gate(int32_t *h, const int32_t *g, const int32_t *u, size_t n,
                            lpu_activation activation);

/* Section 10. */
void   lpu_functional_residual(int32_t *x, const int32_t *acc, size_t n, lpu_scale s);
size_t lpu_functional_argmax(const int32_t *logits, size_t n);

#endif
