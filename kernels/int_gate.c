/* kernels/int_gate.c - section 9 of workloads/arithmetic.md: the gated activation. */
#include "kernels/int_scale.h"
#include "kernels/integer.h"

#include <string.h>

enum { SILU_C = 94548, GELU_C = 160921 }; /* section 9: 2^16 log2(e), 2^16 1.702 log2(e) */

static int32_t shift_to_15_bits(uint32_t most)
{
    const int32_t bits = lpu_int_bits(most);
    return bits > 15 ? bits - 15 : 0;
}

int32_t lpu_int_gate(const lpu_kernels *k, int32_t *h, int32_t *g, const int32_t *u, size_t n,
                     lpu_activation activation)
{
    if (activation == LPU_ACT_RELU2) {
        const int32_t sg = shift_to_15_bits(k->posmax_i32(g, n));
        const int32_t su = shift_to_15_bits(k->absmax_i32(u, n));
        k->relu2_i32(h, g, u, n, sg, su);
        return 2 * (sg + LPU_INT_X32) + (su + LPU_INT_X32) + 15;
    }
    k->sigmoid_i32(g, g, n, activation == LPU_ACT_SILU ? SILU_C : GELU_C);
    if (!u) {
        memmove(h, g, n * sizeof(*h));
        return LPU_INT_X32;
    }
    const int32_t sf = shift_to_15_bits(k->absmax_i32(g, n));
    const int32_t su = shift_to_15_bits(k->absmax_i32(u, n));
    k->gate_i32(h, g, u, n, sf, su);
    return (sf + LPU_INT_X32) + (su + LPU_INT_X32);
}
