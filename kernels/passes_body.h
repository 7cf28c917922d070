/* kernels/passes_body.h - the passes over a row, once, as loops that a compiler vectorises.
 *
 * Included by passes_<isa>.c with PASS(op) naming the kernel, each under its own compiler flags.
 * There is no branch in a loop; every product is 32 x 32 bits into 64.
 */
#include "kernels/int_power.h"
#include "kernels/kernels.h"

#include <stddef.h>
#include <stdint.h>

#pragma GCC optimize("O3")

/* floor((v + 2^(n-1)) / 2^n), 1 <= n <= 62. */
static inline int64_t round_shift(int64_t v, int32_t n)
{
    return (v + (INT64_C(1) << (n - 1))) >> n;
}

static inline int32_t saturate(int64_t v)
{
    v = v > INT32_MAX ? INT32_MAX : v;
    return (int32_t)(v < -INT32_MAX ? -INT32_MAX : v);
}

/* rsh of a 32-bit number by 0..31 (0: as it is). */
static inline int32_t shift_down(int32_t v, int32_t n)
{
    return (int32_t)(((int64_t)v + (n ? INT64_C(1) << (n - 1) : 0)) >> n);
}

#ifdef PASS_ABSMAX
uint32_t PASS(absmax_i32)(const int32_t *x, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t a = (uint32_t)(x[i] < 0 ? -x[i] : x[i]);
        most = a > most ? a : most;
    }
    return most;
}
#endif

#ifdef PASS_POSMAX
uint32_t PASS(posmax_i32)(const int32_t *x, size_t n)
{
    int32_t most = 0;
    for (size_t i = 0; i < n; i++) most = x[i] > most ? x[i] : most;
    return (uint32_t)most;
}
#endif

#ifdef PASS_ADDSAT
void PASS(addsat_i32)(int32_t *y, const int32_t *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = saturate((int64_t)y[i] + x[i]);
}
#endif

#ifdef PASS_WIDE
uint64_t PASS(sumsq_i32)(const int32_t *x, size_t n, int32_t shift)
{
    const int64_t half = shift ? INT64_C(1) << (shift - 1) : 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t z = (int32_t)((x[i] + half) >> shift);
        sum += (uint64_t)((int64_t)z * z);
    }
    return sum;
}

void PASS(gain_i32)(int32_t *y, const int32_t *x, const int16_t *g, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] = (int32_t)round_shift((int64_t)x[i] * g[i], 15);
}

void PASS(quant_i32)(int8_t *q, const int32_t *x, size_t n, int32_t r, int32_t shift)
{
    for (size_t i = 0; i < n; i++) q[i] = (int8_t)round_shift((int64_t)x[i] * r, shift);
}

void PASS(scale_i32)(int32_t *y, const int32_t *x, size_t n, uint16_t m, int32_t shift)
{
    for (size_t i = 0; i < n; i++) y[i] = saturate(round_shift((int64_t)x[i] * (int32_t)m, shift));
}

void PASS(rope_i32)(int32_t *x, size_t n, const int16_t *rope)
{
    int32_t *low = x, *high = x + n / 2;
    for (size_t i = 0; i < n / 2; i++) {
        const int32_t a = low[i], b = high[i], c = rope[2 * i], s = rope[2 * i + 1];
        low[i] = saturate(round_shift((int64_t)a * c - (int64_t)b * s, 14));
        high[i] = saturate(round_shift((int64_t)a * s + (int64_t)b * c, 14));
    }
}

void PASS(relu2_i32)(int32_t *y, const int32_t *g, const int32_t *u, size_t n, int32_t sg,
                     int32_t su)
{
    for (size_t i = 0; i < n; i++) {
        const int32_t a = shift_down(g[i] > 0 ? g[i] : 0, sg), b = shift_down(u[i], su);
        y[i] = (int32_t)round_shift((int64_t)(a * a) * b, 15);
    }
}

#endif

#ifdef PASS_GATE
void PASS(gate_i32)(int32_t *y, const int32_t *f, const int32_t *u, size_t n, int32_t sf,
                    int32_t su)
{
    for (size_t i = 0; i < n; i++) y[i] = shift_down(f[i], sf) * shift_down(u[i], su);
}
#endif

#ifdef PASS_SIGMOID
void PASS(sigmoid_i32)(int32_t *y, const int32_t *x, size_t n, int32_t c)
{
    for (size_t i = 0; i < n; i++) {
        const int64_t size = x[i] < 0 ? -(int64_t)x[i] : x[i];
        const int64_t at = (size * c + 32768) >> 16;
        const int64_t down = at >> 16 > 17 ? 17 : at >> 16;
        const uint32_t low = (uint32_t)at & 0xffff, j = low >> 10;
        const int32_t p =
            lpu_int_powers[j] -
            (((lpu_int_powers[j] - lpu_int_powers[j + 1]) * (int32_t)(low & 1023)) >> 10);
        const int32_t q = p >> down;
        /* The quotient's fraction is a multiple of 2^-17 or more away from 1: floor is exact. */
        const int32_t sig = (int32_t)(4294967296.0 / (double)(65536 + q));
        y[i] = (int32_t)round_shift((int64_t)x[i] * (x[i] < 0 ? 65536 - sig : sig), 16);
    }
}
#endif
