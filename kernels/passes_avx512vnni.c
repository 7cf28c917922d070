/* kernels/passes_avx512vnni.c - the passes over a row with AVX-512, 16 elements at a time.
 *
 * Products of 32 x 32 bits are of even elements, and of odd ones moved to even places; what is left
 * of them after the shift has 32 bits again, and the two are merged by one shuffle. A loop over
 * whole vectors is followed by one masked step: elements beyond the last are read as zero.
 */
#include "kernels/kernels.h"
#include "kernels/power.h"
#include "kernels/vnni.h"

/* Those that a compiler vectorises as well. */
#define PASS(op) lpu_##op##_avx512vnni
#define PASS_ABSMAX
#define PASS_POSMAX
#define PASS_GATE
#include "kernels/passes_body.h"

/* Runs statements for all of n: from i on, the elements of mask here. */
#define EACH(...)                                                                                  \
    do {                                                                                           \
        size_t i = 0;                                                                              \
        for (; i + 16 <= n; i += 16) {                                                             \
            const __mmask16 here = 0xffff;                                                         \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
        if (i < n) {                                                                               \
            const __mmask16 here = (__mmask16)((1u << (n - i)) - 1);                               \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
    } while (0)

LPU_INLINE __m512i load(const int32_t *x, __mmask16 here)
{
    return _mm512_maskz_loadu_epi32(here, x);
}

/* 16 words, sign extended. */
LPU_INLINE __m512i load_words(const int16_t *x, __mmask16 here)
{
    return _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(here, x));
}

/* Numbers of 64 bits that belong to even and to odd elements. */
typedef struct pair {
    __m512i even, odd;
} pair;

LPU_INLINE __m512i odds(__m512i v)
{
    return _mm512_srli_epi64(v, 32);
}

LPU_INLINE pair multiply(__m512i a, __m512i b)
{
    return (pair){_mm512_mul_epi32(a, b), _mm512_mul_epi32(odds(a), odds(b))};
}

LPU_INLINE pair add(pair a, pair b)
{
    return (pair){_mm512_add_epi64(a.even, b.even), _mm512_add_epi64(a.odd, b.odd)};
}

LPU_INLINE pair subtract(pair a, pair b)
{
    return (pair){_mm512_sub_epi64(a.even, b.even), _mm512_sub_epi64(a.odd, b.odd)};
}

/* floor((v + 2^(n-1)) / 2^n), 1 <= n <= 62. */
typedef struct rounding {
    __m512i half;
    __m128i count;
} rounding;

LPU_INLINE rounding rounding_by(int32_t n)
{
    return (rounding){_mm512_set1_epi64(INT64_C(1) << (n - 1)), _mm_cvtsi32_si128(n)};
}

LPU_INLINE pair round_pair(pair v, rounding r)
{
    return (pair){_mm512_sra_epi64(_mm512_add_epi64(v.even, r.half), r.count),
                  _mm512_sra_epi64(_mm512_add_epi64(v.odd, r.half), r.count)};
}

LPU_INLINE __m512i saturate_one(__m512i v)
{
    const __m512i most = _mm512_set1_epi64(INT32_MAX), least = _mm512_set1_epi64(-INT32_MAX);
    return _mm512_max_epi64(_mm512_min_epi64(v, most), least);
}

LPU_INLINE pair saturate_pair(pair v)
{
    return (pair){saturate_one(v.even), saturate_one(v.odd)};
}

/* The lower halves, in order. */
LPU_INLINE __m512i merge(pair v)
{
    return _mm512_mask_shuffle_epi32(v.even, 0xaaaa, v.odd, _MM_PERM_CCAA);
}

/* rsh of 32-bit numbers by n: by n - 1, then by one; n = 0 leaves them. */
LPU_INLINE __m512i shift_by(__m512i v, int32_t n)
{
    if (!n) return v;
    v = _mm512_sra_epi32(v, _mm_cvtsi32_si128(n - 1));
    return _mm512_srai_epi32(_mm512_add_epi32(v, _mm512_set1_epi32(1)), 1);
}

void lpu_addsat_i32_avx512vnni(int32_t *y, const int32_t *x, size_t n)
{
    const __m512i most = _mm512_set1_epi32(INT32_MAX), least = _mm512_set1_epi32(-INT32_MAX);
    const __m512i zero = _mm512_setzero_si512();

    EACH({
        const __m512i a = load(y + i, here), b = load(x + i, here), sum = _mm512_add_epi32(a, b);
        /* Terms of one sign and a sum of the other: saturated by the sign of a term. */
        const __m512i wraps = _mm512_ternarylogic_epi32(a, b, sum, 0x42);
        const __m512i end = _mm512_xor_si512(_mm512_srai_epi32(a, 31), most);
        const __m512i all = _mm512_mask_mov_epi32(sum, _mm512_cmplt_epi32_mask(wraps, zero), end);
        _mm512_mask_storeu_epi32(y + i, here, _mm512_max_epi32(all, least));
    });
}

uint64_t lpu_sumsq_i32_avx512vnni(const int32_t *x, size_t n, int32_t shift)
{
    pair sums = {_mm512_setzero_si512(), _mm512_setzero_si512()};

    EACH({
        const __m512i z = shift_by(load(x + i, here), shift);
        sums = add(sums, multiply(z, z));
    });
    return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(sums.even, sums.odd));
}

void lpu_gain_i32_avx512vnni(int32_t *y, const int32_t *x, const int16_t *g, size_t n)
{
    const rounding by = rounding_by(15);

    EACH({
        const pair product = multiply(load(x + i, here), load_words(g + i, here));
        _mm512_mask_storeu_epi32(y + i, here, merge(round_pair(product, by)));
    });
}

void lpu_quant_i32_avx512vnni(int8_t *q, const int32_t *x, size_t n, int32_t r, int32_t shift)
{
    const rounding by = rounding_by(shift);
    const __m512i all = _mm512_set1_epi32(r);

    EACH({
        const __m512i v = merge(round_pair(multiply(load(x + i, here), all), by));
        _mm_mask_storeu_epi8(q + i, here, _mm512_cvtepi32_epi8(v));
    });
}

void lpu_scale_i32_avx512vnni(int32_t *y, const int32_t *x, size_t n, uint16_t m, int32_t shift)
{
    const rounding by = rounding_by(shift);
    const __m512i all = _mm512_set1_epi32(m);

    EACH({
        const pair v = round_pair(multiply(load(x + i, here), all), by);
        _mm512_mask_storeu_epi32(y + i, here, merge(saturate_pair(v)));
    });
}

void lpu_rope_i32_avx512vnni(int32_t *x, size_t n_, const int16_t *rope)
{
    const rounding by = rounding_by(14);
    const size_t n = n_ / 2;
    int32_t *low = x, *high = x + n;

    EACH({
        const __m512i both = _mm512_maskz_loadu_epi32(here, rope + 2 * i); /* cos, sin */
        const __m512i c = _mm512_srai_epi32(_mm512_slli_epi32(both, 16), 16);
        const __m512i s = _mm512_srai_epi32(both, 16);
        const __m512i a = load(low + i, here), b = load(high + i, here);
        const pair down = round_pair(subtract(multiply(a, c), multiply(b, s)), by);
        const pair up = round_pair(add(multiply(a, s), multiply(b, c)), by);
        _mm512_mask_storeu_epi32(low + i, here, merge(saturate_pair(down)));
        _mm512_mask_storeu_epi32(high + i, here, merge(saturate_pair(up)));
    });
}

void lpu_relu2_i32_avx512vnni(int32_t *y, const int32_t *g, const int32_t *u, size_t n, int32_t sg,
                              int32_t su)
{
    const rounding by = rounding_by(15);
    const __m512i zero = _mm512_setzero_si512();

    EACH({
        const __m512i a = shift_by(_mm512_max_epi32(load(g + i, here), zero), sg);
        const pair v = multiply(_mm512_mullo_epi32(a, a), shift_by(load(u + i, here), su));
        _mm512_mask_storeu_epi32(y + i, here, merge(round_pair(v, by)));
    });
}

/* floor(2^32 / d), 2^16 <= d <= 2^17: FP32 is at most one off, and what it leaves of 2^32 says so.
 */
LPU_INLINE __m512i reciprocal(__m512i d)
{
    const __m512i one = _mm512_set1_epi32(1);
    const __m512i s =
        _mm512_cvttps_epi32(_mm512_div_ps(_mm512_set1_ps(4294967296.0f), _mm512_cvtepi32_ps(d)));
    const __m512i rest = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_mullo_epi32(s, d));
    const __m512i up = _mm512_mask_add_epi32(s, _mm512_cmpge_epi32_mask(rest, d), s, one);
    return _mm512_mask_sub_epi32(up, _mm512_cmplt_epi32_mask(rest, _mm512_setzero_si512()), up,
                                 one);
}

void lpu_sigmoid_i32_avx512vnni(int32_t *y, const int32_t *x, size_t n, int32_t c)
{
    const lpu_power_tables tables = lpu_power_tables_make();
    const rounding by = rounding_by(16);
    const __m512i factor = _mm512_set1_epi32(c), one = _mm512_set1_epi32(65536);
    const __m512i most = _mm512_set1_epi64(17), low = _mm512_set1_epi64(0xffff);

    EACH({
        const __m512i v = load(x + i, here);
        const pair at = round_pair(multiply(_mm512_abs_epi32(v), factor), by);
        const pair whole = {_mm512_min_epi64(_mm512_srli_epi64(at.even, 16), most),
                            _mm512_min_epi64(_mm512_srli_epi64(at.odd, 16), most)};
        const pair part = {_mm512_and_si512(at.even, low), _mm512_and_si512(at.odd, low)};
        const __m512i q = _mm512_srlv_epi32(lpu_power_at(&tables, merge(part)), merge(whole));
        const __m512i sig = reciprocal(_mm512_add_epi32(one, q));
        const __mmask16 is_less = _mm512_cmplt_epi32_mask(v, _mm512_setzero_si512());
        const __m512i share = _mm512_mask_sub_epi32(sig, is_less, one, sig);
        _mm512_mask_storeu_epi32(y + i, here, merge(round_pair(multiply(v, share), by)));
    });
}
