/* kernels/integer.h - the operations of workloads/arithmetic.md that are not products, on one row.
 *
 * This is the CPU's own reading of that page; sim/functional.c is another. Row passes go through
 * the kernel table, scalars are in int_scale.h.
 */
#ifndef LPU_KERNELS_INTEGER_H
#define LPU_KERNELS_INTEGER_H

#include "kernels/kernels.h"
#include "workloads/model.h"
#include "workloads/scale.h"
#include "workloads/weights.h"

enum { LPU_INT_X32 = -16, LPU_INT_A8 = 127 };

/* Section 3: q[0..n) of limit from t; returns a = max |t|. */
uint32_t lpu_int_quant(const lpu_kernels *k, int8_t *q, const int32_t *t, size_t n, int32_t limit);

/* The scale of a row quantised alone: a at exponent x over limit. */
lpu_scale lpu_int_quant_scale(uint32_t a, int32_t x, int32_t limit);

/* Section 4: x of exponent ex to q; returns its scale. gain->g NULL: quantises alone. work is (n).
 */
lpu_scale lpu_int_normq(const lpu_kernels *k, int8_t *q, const int32_t *x, size_t n, int32_t ex,
                        const lpu_gain *gain, lpu_scale eps, int32_t *work);

/* Section 5: y[i] = apply(acc[i], s, -16); y may be acc. */
void lpu_int_dequant(const lpu_kernels *k, int32_t *y, const int32_t *acc, size_t n, lpu_scale s);

/* Section 8.2 to 8.5: scores acc[0..keys) of one query to p, A8; returns the scale of p times V. sq
 * is the query's scale times score_scale. work is (keys); acc is overwritten. */
lpu_scale lpu_int_softmax(const lpu_kernels *k, int8_t *p, int32_t *acc, size_t keys, lpu_scale sq,
                          const lpu_scale *sk, const lpu_scale *sv, int32_t *work);

/* Section 9: h[n] from g and u; u NULL where there is no gate. Returns h's exponent. h may be u. */
int32_t lpu_int_gate(const lpu_kernels *k, int32_t *h, int32_t *g, const int32_t *u, size_t n,
                     lpu_activation activation);

#endif
