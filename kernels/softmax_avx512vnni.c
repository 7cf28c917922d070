/* kernels/softmax_avx512vnni.c - the three passes of section 8 of workloads/arithmetic.md, 16 keys
 * at a time. Shifts by more than a lane has bits give 0, which is what the page wants. */
#include "kernels/integer.h"
#include "kernels/kernels.h"
#include "kernels/power.h"
#include "kernels/vnni.h"

/* The first n (at most 16) lanes. */
LPU_INLINE __mmask16 lanes(size_t n)
{
    return (__mmask16)((1u << lpu_vnni_min(n, 16)) - 1);
}

int32_t lpu_exponent_i32_avx512vnni(const lpu_scale *s, size_t n)
{
    const __m512i none = _mm512_set1_epi32(INT32_MIN);
    __m512i most = none;

    for (size_t t = 0; t < n; t += 16) {
        const __m512i v = _mm512_maskz_loadu_epi32(lanes(n - t), s + t);
        const __mmask16 is_there = _mm512_test_epi32_mask(v, _mm512_set1_epi32(0xffff));
        most = _mm512_max_epi32(most, _mm512_mask_srai_epi32(none, is_there, v, 16));
    }
    return _mm512_reduce_max_epi32(most);
}

LPU_INLINE __m512i saturate(__m512i v)
{
    const __m512i most = _mm512_set1_epi64(INT32_MAX);
    return _mm512_max_epi64(_mm512_min_epi64(v, most), _mm512_set1_epi64(-INT32_MAX));
}

/* sat(rsh(v m, n)) of 8 lanes of 64 bits, n of either sign. */
LPU_INLINE __m256i apply_half(__m256i v, __m256i m, __m256i n32)
{
    const __m512i one = _mm512_set1_epi64(1), n = _mm512_cvtepi32_epi64(n32);
    const __m512i product = _mm512_mul_epi32(_mm512_cvtepi32_epi64(v), _mm512_cvtepi32_epi64(m));
    const __m512i right = _mm512_min_epi64(_mm512_max_epi64(n, one), _mm512_set1_epi64(63));
    const __m512i half = _mm512_sllv_epi64(one, _mm512_sub_epi64(right, one));
    const __m512i down = _mm512_srav_epi64(_mm512_add_epi64(product, half), right);
    const __m512i zero = _mm512_setzero_si512();
    const __m512i left =
        _mm512_min_epi64(_mm512_max_epi64(_mm512_sub_epi64(zero, n), zero), _mm512_set1_epi64(31));
    const __m512i up = _mm512_sllv_epi64(saturate(product), left);
    const __mmask8 is_right = _mm512_cmpgt_epi64_mask(n, zero);
    return _mm512_cvtepi64_epi32(saturate(_mm512_mask_mov_epi64(up, is_right, down)));
}

LPU_INLINE __m512i apply(__m512i v, __m512i m, __m512i n)
{
    const __m256i low =
        apply_half(_mm512_castsi512_si256(v), _mm512_castsi512_si256(m), _mm512_castsi512_si256(n));
    const __m256i high =
        apply_half(_mm512_extracti64x4_epi64(v, 1), _mm512_extracti64x4_epi64(m, 1),
                   _mm512_extracti64x4_epi64(n, 1));
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* The same where every n is positive: even and odd elements apart. */
LPU_INLINE __m512i shift_right(__m512i v, __m512i m, __m512i n)
{
    const __m512i one = _mm512_set1_epi64(1);
    const __m512i count = _mm512_min_epi32(n, _mm512_set1_epi32(63));
    const __m512i even_count = _mm512_and_si512(count, _mm512_set1_epi64(63));
    const __m512i odd_count = _mm512_srli_epi64(count, 32);
    const __m512i even = _mm512_mul_epi32(v, m);
    const __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(v, 32), _mm512_srli_epi64(m, 32));
    const __m512i even_half = _mm512_srli_epi64(_mm512_sllv_epi64(one, even_count), 1);
    const __m512i odd_half = _mm512_srli_epi64(_mm512_sllv_epi64(one, odd_count), 1);
    return _mm512_mask_shuffle_epi32(
        saturate(_mm512_srav_epi64(_mm512_add_epi64(even, even_half), even_count)), 0xaaaa,
        saturate(_mm512_srav_epi64(_mm512_add_epi64(odd, odd_half), odd_count)), _MM_PERM_CCAA);
}

int32_t lpu_scores_i32_avx512vnni(int32_t *acc, size_t n, lpu_scale sq, const lpu_scale *sk)
{
    const __m512i one = _mm512_set1_epi32(1), m = _mm512_set1_epi32(sq.m);
    __m512i most = _mm512_set1_epi32(-INT32_MAX);

    for (size_t t = 0; t < n; t += 16) {
        const __mmask16 here = lanes(n - t);
        const __m512i s = _mm512_maskz_loadu_epi32(here, sk + t);
        const __m512i v = _mm512_maskz_loadu_epi32(here, acc + t);
        /* The product of two mantissas, of 31 or 32 bits, to 16, half up; 2^16 is 2^15 twice. */
        const __m512i u = _mm512_mullo_epi32(m, _mm512_and_si512(s, _mm512_set1_epi32(0xffff)));
        const __m512i over = _mm512_add_epi32(_mm512_srli_epi32(u, 31), _mm512_set1_epi32(15));
        const __m512i half =
            _mm512_and_si512(_mm512_srlv_epi32(u, _mm512_sub_epi32(over, one)), one);
        const __m512i sum = _mm512_add_epi32(_mm512_srlv_epi32(u, over), half);
        const __m512i carry = _mm512_srli_epi32(sum, 16);
        const __m512i mantissa = _mm512_srlv_epi32(sum, carry);
        const __m512i e = _mm512_add_epi32(_mm512_add_epi32(_mm512_srai_epi32(s, 16), over),
                                           _mm512_add_epi32(_mm512_set1_epi32(sq.e), carry));
        const __m512i down = _mm512_sub_epi32(_mm512_set1_epi32(LPU_INT_X32), e);
        const __mmask16 is_right = _mm512_cmpgt_epi32_mask(down, _mm512_setzero_si512());
        const __m512i z =
            is_right == 0xffff ? shift_right(v, mantissa, down) : apply(v, mantissa, down);
        most = _mm512_mask_max_epi32(most, here, most, z);
        _mm512_mask_storeu_epi32(acc + t, here, z);
    }
    return _mm512_reduce_max_epi32(most);
}

/* (e w + 2^15) / 2^16, rounded down, of 32-bit numbers whose product has at most 48 bits. */
LPU_INLINE __m512i weigh(__m512i e, __m512i w)
{
    const __m512i half = _mm512_set1_epi64(32768);
    const __m512i even = _mm512_add_epi64(_mm512_mul_epu32(e, w), half);
    const __m512i odd = _mm512_add_epi64(
        _mm512_mul_epu32(_mm512_srli_epi64(e, 32), _mm512_srli_epi64(w, 32)), half);
    return _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 16), 0xaaaa, _mm512_slli_epi64(odd, 16));
}

uint64_t lpu_powers_i32_avx512vnni(int32_t *u, const int32_t *z, size_t n, int32_t most,
                                   const lpu_scale *sv, int32_t ev)
{
    const lpu_power_tables tables = lpu_power_tables_make();
    __m512i sum = _mm512_setzero_si512();

    for (size_t t = 0; t < n; t += 16) {
        const __mmask16 here = lanes(n - t);
        const __m512i d =
            _mm512_sub_epi32(_mm512_set1_epi32(most), _mm512_maskz_loadu_epi32(here, z + t));
        const __m512i s = _mm512_maskz_loadu_epi32(here, sv + t);
        const __m512i p = _mm512_slli_epi32(lpu_power_at(&tables, d), 8);
        const __m512i e = _mm512_maskz_srlv_epi32(here, p, _mm512_srli_epi32(d, 16));
        const __m512i down = _mm512_sub_epi32(_mm512_set1_epi32(ev), _mm512_srai_epi32(s, 16));
        const __m512i w = _mm512_srlv_epi32(_mm512_and_si512(s, _mm512_set1_epi32(0xffff)), down);
        sum = _mm512_add_epi64(
            sum, _mm512_add_epi64(_mm512_srli_epi64(e, 32),
                                  _mm512_and_si512(e, _mm512_set1_epi64(0xffffffff))));
        _mm512_mask_storeu_epi32(u + t, here, weigh(e, w));
    }
    return (uint64_t)_mm512_reduce_add_epi64(sum);
}
