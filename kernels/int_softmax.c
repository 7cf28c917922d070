/* kernels/int_softmax.c - section 8 of workloads/arithmetic.md: from scores to A8 probabilities. */
#include "kernels/int_scale.h"
#include "kernels/integer.h"

lpu_scale lpu_int_softmax(const lpu_kernels *k, int8_t *p, int32_t *acc, size_t keys, lpu_scale sq,
                          const lpu_scale *sk, const lpu_scale *sv, int32_t *work)
{
    const int32_t most = k->scores_i32(acc, keys, sq, sk), ev = k->exponent_i32(sv, keys);
    const uint64_t sum = k->powers_i32(work, acc, keys, most, sv, ev);
    const uint32_t a = lpu_int_quant(k, p, work, keys, LPU_INT_A8);
    if (!a) return (lpu_scale){0, 0}; /* so are all scales of the values; ev means nothing */
    return lpu_int_div(lpu_int_quant_scale(a, ev - 8, LPU_INT_A8), lpu_int_norm(sum, -24));
}
