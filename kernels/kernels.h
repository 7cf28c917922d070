/* kernels/kernels.h - one function type per operation, and the fastest kernel of each for this CPU.
 *
 * Matrices are streams (layout.h). Pointers need no alignment. Kernels read nothing beyond x[k) and
 * write nothing beyond y[rows). Activations are -127..127: -128 would break 16-bit sums.
 */
#ifndef LPU_KERNELS_KERNELS_H
#define LPU_KERNELS_KERNELS_H

#include "kernels/cpu.h"
#include "kernels/layout.h"
#include "workloads/scale.h"

#include <stddef.h>
#include <stdint.h>

/* y[r] = sum over k of w[r][k] x[k]. */
typedef void lpu_gemv_b1_i8_fn(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows,
                               size_t k);
typedef void lpu_gemv_t2_i8_fn(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows,
                               size_t k);
typedef void lpu_gemv_b3_i8_fn(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows,
                               size_t k);
typedef void lpu_gemv_i4_i8_fn(int32_t *y, const uint8_t *w, const int8_t *x, size_t rows,
                               size_t k);

/* The blocks of w are block_bytes apart: at least lpu_layout_block_bytes. A cache grows in place.
 */
typedef void lpu_gemv_i8_i8_fn(int32_t *y, const uint8_t *w, size_t block_bytes, const int8_t *x,
                               size_t rows, size_t k);

/* y[r] += sum over i of w[r][at[i]] x[i], for columns that are column_bytes apart (layout.h).
 * Columns take turns by chunk, at least 4: so many are asked for from memory while as many are
 * multiplied. */
typedef void lpu_columns_b3_i8_fn(int32_t *y, const uint8_t *w, size_t column_bytes,
                                  const uint16_t *at, const int8_t *x, size_t count, size_t rows,
                                  size_t chunk);

/* The elements of x[n) that are not zero, and where they are; returns how many. There is room for
 * LPU_NONZEROS_SPARE more; n is at most 2^16. */
enum { LPU_NONZEROS_SPARE = 16 };
typedef size_t lpu_nonzeros_i8_fn(uint16_t *at, int8_t *values, const int8_t *x, size_t n);

/* y[i] = sum over k of w[rows[i]][k] x[k], rows of w are w_stride apart; rows NULL: 0, 1, 2 ... */
typedef void lpu_rows_i8_i8_fn(int32_t *y, const int8_t *w, size_t w_stride, const uint32_t *rows,
                               const int8_t *x, size_t count, size_t k);
typedef void lpu_gemv_f16_f32_fn(float *y, const uint8_t *w, const float *x, size_t rows, size_t k);

/* Activations are bfloat16 as well; subnormal numbers may count as zero. */
typedef void lpu_gemv_bf16_bf16_fn(float *y, const uint8_t *w, const uint16_t *x, size_t rows,
                                   size_t k);

/* FP16 activations; sums of a few products may be FP16: |w x| summed over 16 k is below 65504. */
typedef void lpu_gemv_f16_f16_fn(float *y, const uint8_t *w, const uint16_t *x, size_t rows,
                                 size_t k);

/* Q8_0, Q4_0: activations have a scale of their own for each 32 k, as the weights: xs[k / 32]. */
typedef struct lpu_group {
    float scale;
    int32_t sum; /* of the 32 activations */
} lpu_group;
typedef void lpu_gemv_q8_i8_fn(float *y, const uint8_t *w, const int8_t *x, const lpu_group *xs,
                               size_t rows, size_t k);
typedef void lpu_gemv_q4_i8_fn(float *y, const uint8_t *w, const int8_t *x, const lpu_group *xs,
                               size_t rows, size_t k);

/* y[t][r] = sum over k of w[r][k] x[t][k]; rows of y and x are y_stride and x_stride elements
 * apart. A ternary w has no digit but -1, 0, 1 here. Some kernels work in a room: of
 * LPU_TEAM_ROOM_BYTES (team.h), aligned to 64, the caller's alone while the call lasts; what is in
 * it does not matter. */
typedef void lpu_gemm_b1_i8_fn(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room);
typedef void lpu_gemm_t2_i8_fn(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room);
typedef void lpu_gemm_b3_i8_fn(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room);
typedef void lpu_gemm_i4_i8_fn(int32_t *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, size_t rows, size_t k, size_t tokens, void *room);
typedef void lpu_gemm_i8_i8_fn(int32_t *y, size_t y_stride, const uint8_t *w, size_t block_bytes,
                               const int8_t *x, size_t x_stride, size_t rows, size_t k,
                               size_t tokens);
typedef void lpu_gemm_f16_f32_fn(float *y, size_t y_stride, const uint8_t *w, const float *x,
                                 size_t x_stride, size_t rows, size_t k, size_t tokens);
typedef void lpu_gemm_f16_f16_fn(float *y, size_t y_stride, const uint8_t *w, const uint16_t *x,
                                 size_t x_stride, size_t rows, size_t k, size_t tokens);
typedef void lpu_gemm_bf16_bf16_fn(float *y, size_t y_stride, const uint8_t *w, const uint16_t *x,
                                   size_t x_stride, size_t rows, size_t k, size_t tokens);

/* x_stride is a multiple of 32; the scales of the tokens are x_stride / 32 apart. */
typedef void lpu_gemm_q8_i8_fn(float *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, const lpu_group *xs, size_t rows, size_t k,
                               size_t tokens);
typedef void lpu_gemm_q4_i8_fn(float *y, size_t y_stride, const uint8_t *w, const int8_t *x,
                               size_t x_stride, const lpu_group *xs, size_t rows, size_t k,
                               size_t tokens);

/* Passes over x[n); rsh and sat as in workloads/arithmetic.md. Elements are -(2^31 - 1)..2^31 - 1,
 * shift is 1..62 where it is not said otherwise. y may be x. */

/* max |x[i]|, 0 for n = 0. */
typedef uint32_t lpu_absmax_i32_fn(const int32_t *x, size_t n);

/* The largest element, or 0. */
typedef uint32_t lpu_posmax_i32_fn(const int32_t *x, size_t n);

/* sum of rsh(x[i], shift)^2; shift is 0..16 and leaves at most 16 bits (and a carry). */
typedef uint64_t lpu_sumsq_i32_fn(const int32_t *x, size_t n, int32_t shift);

/* y[i] = rsh(x[i] g[i], 15). */
typedef void lpu_gain_i32_fn(int32_t *y, const int32_t *x, const int16_t *g, size_t n);

/* q[i] = rsh(x[i] r, shift), known to fit int8. */
typedef void lpu_quant_i32_fn(int8_t *q, const int32_t *x, size_t n, int32_t r, int32_t shift);

/* y[i] = sat(rsh(x[i] m, shift)). */
typedef void lpu_scale_i32_fn(int32_t *y, const int32_t *x, size_t n, uint16_t m, int32_t shift);

/* y[i] = sat(y[i] + x[i]). */
typedef void lpu_addsat_i32_fn(int32_t *y, const int32_t *x, size_t n);

/* One head in place: rows cos, sin of a position, (n / 2, 2). n is even. */
typedef void lpu_rope_i32_fn(int32_t *x, size_t n, const int16_t *rope);

/* y[i] = rsh(g' g' u', 15), g' = rsh(max(g[i], 0), sg), u' = rsh(u[i], su); both within 2^15. */
typedef void lpu_relu2_i32_fn(int32_t *y, const int32_t *g, const int32_t *u, size_t n, int32_t sg,
                              int32_t su);

/* y[i] = rsh(x[i] sig(x[i]), 16), sig by arithmetic.md section 9 with the factor c of x. */
typedef void lpu_sigmoid_i32_fn(int32_t *y, const int32_t *x, size_t n, int32_t c);

/* y[i] = rsh(f[i], sf) rsh(u[i], su); both within 2^15. */
typedef void lpu_gate_i32_fn(int32_t *y, const int32_t *f, const int32_t *u, size_t n, int32_t sf,
                             int32_t su);

/* Softmax by arithmetic.md section 8. The largest exponent of scales that are not 0, INT32_MIN if
 * all are. */
typedef int32_t lpu_exponent_i32_fn(const lpu_scale *s, size_t n);

/* Scores: acc[t] = apply(acc[t], sq sk[t], X32), in place; returns the largest. */
typedef int32_t lpu_scores_i32_fn(int32_t *acc, size_t n, lpu_scale sq, const lpu_scale *sk);

/* u[t] = 2^(z[t] - most) times sv[t] over 2^ev, of 24 bits; returns the sum of the powers. ev is at
 * least the exponent of every sv[t] that is not 0. */
typedef uint64_t lpu_powers_i32_fn(int32_t *u, const int32_t *z, size_t n, int32_t most,
                                   const lpu_scale *sv, int32_t ev);

/* Passes over x[n) of floats, for the pass in FP16. y may be x; n of a maximum is at least 1. */

/* max |x[i]|, 0 for n = 0; the sum of squares. */
typedef float lpu_absmax_f32_fn(const float *x, size_t n);
typedef double lpu_sumsq_f32_fn(const float *x, size_t n);

/* y[i] = x[i] scale gain[i]. */
typedef void lpu_gain_f32_fn(float *y, const float *x, const float *gain, size_t n, float scale);

/* x[i] = nearest(x[i] unit) back; |x[i] unit| is at most 2^22. */
typedef void lpu_round_f32_fn(float *x, size_t n, float unit, float back);

/* Each 32 of x as int8 and their scale, max |x[i]| / 127; n is a multiple of 32. */
typedef void lpu_group_f32_fn(int8_t *q, lpu_group *groups, const float *x, size_t n);

/* x[i] = e^(scale x[i]) over the sum of them. */
typedef void lpu_softmax_f32_fn(float *x, size_t n, float scale);

/* One head in place, as rope_i32. */
typedef void lpu_rope_f32_fn(float *x, size_t n, const int16_t *rope);

/* y[i] = max(g[i], 0)^2 u[i]; y[i] = g[i] / (1 + e^-g[i]) u[i]. */
typedef void lpu_relu2_f32_fn(float *y, const float *g, const float *u, size_t n);
typedef void lpu_silu_f32_fn(float *y, const float *g, const float *u, size_t n);

/* Reads bytes, a multiple of 512, as fast as it can; returns the exclusive or of its 64-bit words.
 */
typedef uint64_t lpu_read_u64_fn(const uint8_t *w, size_t bytes);

/* Multiplies and adds in registers only, rounds times (at most 2^20): 1 x 1, so that the sum which
 * it returns is the number of products. */
typedef uint64_t lpu_peak_i8_fn(size_t rounds);
typedef uint64_t lpu_peak_f32_fn(size_t rounds);

/* The same by multiplying in registers and looking up in the nearest cache at once (lookup.h). */
typedef uint64_t lpu_peak_t2_fn(size_t rounds);
typedef uint64_t lpu_peak_bf16_fn(size_t rounds);

#define LPU_KERNEL(op, isa, needs, rows, k_step) lpu_##op##_fn lpu_##op##_##isa;
#include "kernels/kernels.def"
#undef LPU_KERNEL

typedef struct lpu_kernels {
    lpu_gemv_b1_i8_fn *gemv_b1_i8;
    lpu_gemv_t2_i8_fn *gemv_t2_i8;
    lpu_gemv_b3_i8_fn *gemv_b3_i8;
    lpu_gemv_i4_i8_fn *gemv_i4_i8;
    lpu_gemv_i8_i8_fn *gemv_i8_i8;
    lpu_columns_b3_i8_fn *columns_b3_i8;
    lpu_nonzeros_i8_fn *nonzeros_i8;
    lpu_rows_i8_i8_fn *rows_i8_i8;
    lpu_gemv_f16_f32_fn *gemv_f16_f32;
    lpu_gemv_f16_f16_fn *gemv_f16_f16;
    lpu_gemv_bf16_bf16_fn *gemv_bf16_bf16;
    lpu_gemv_q8_i8_fn *gemv_q8_i8;
    lpu_gemv_q4_i8_fn *gemv_q4_i8;
    lpu_gemm_b1_i8_fn *gemm_b1_i8;
    lpu_gemm_t2_i8_fn *gemm_t2_i8;
    lpu_gemm_b3_i8_fn *gemm_b3_i8;
    lpu_gemm_i4_i8_fn *gemm_i4_i8;
    lpu_gemm_i8_i8_fn *gemm_i8_i8;
    lpu_gemm_f16_f32_fn *gemm_f16_f32;
    lpu_gemm_f16_f16_fn *gemm_f16_f16;
    lpu_gemm_bf16_bf16_fn *gemm_bf16_bf16;
    lpu_gemm_q8_i8_fn *gemm_q8_i8;
    lpu_gemm_q4_i8_fn *gemm_q4_i8;
    lpu_absmax_i32_fn *absmax_i32;
    lpu_posmax_i32_fn *posmax_i32;
    lpu_sumsq_i32_fn *sumsq_i32;
    lpu_gain_i32_fn *gain_i32;
    lpu_quant_i32_fn *quant_i32;
    lpu_scale_i32_fn *scale_i32;
    lpu_addsat_i32_fn *addsat_i32;
    lpu_rope_i32_fn *rope_i32;
    lpu_relu2_i32_fn *relu2_i32;
    lpu_sigmoid_i32_fn *sigmoid_i32;
    lpu_gate_i32_fn *gate_i32;
    lpu_exponent_i32_fn *exponent_i32;
    lpu_scores_i32_fn *scores_i32;
    lpu_powers_i32_fn *powers_i32;
    lpu_absmax_f32_fn *absmax_f32;
    lpu_sumsq_f32_fn *sumsq_f32;
    lpu_gain_f32_fn *gain_f32;
    lpu_round_f32_fn *round_f32;
    lpu_group_f32_fn *group_f32;
    lpu_softmax_f32_fn *softmax_f32;
    lpu_rope_f32_fn *rope_f32;
    lpu_relu2_f32_fn *relu2_f32;
    lpu_silu_f32_fn *silu_f32;
    lpu_read_u64_fn *read_u64;
    lpu_peak_i8_fn *peak_i8;
    lpu_peak_t2_fn *peak_t2;
    lpu_peak_f32_fn *peak_f32;
    lpu_peak_bf16_fn *peak_bf16;
} lpu_kernels;

/* The fastest kernels among those that this CPU has and allowed permits. */
void lpu_kernels_init(lpu_kernels *k, uint32_t allowed);

/* "avx512vnni": the instruction set of the product kernels that init chooses. */
const char *lpu_kernels_isa(uint32_t allowed);

#endif
