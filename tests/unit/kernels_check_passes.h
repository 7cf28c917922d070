/* tests/unit/kernels_check_passes.h - row passes against the page of arithmetic, in 128 bits. */
#ifndef LPU_TESTS_UNIT_KERNELS_CHECK_PASSES_H
#define LPU_TESTS_UNIT_KERNELS_CHECK_PASSES_H

#include "tests/unit/kernels_check.h"

#include <math.h>

/* --- passes
 * ----------------------------------------------------------------------------------------- */

typedef __int128 wide;

/* floor((v + 2^(n-1)) / 2^n), by division. */
static wide rsh(wide v, int n)
{
    if (n <= 0) return v * ((wide)1 << -n);
    const wide unit = (wide)1 << n, u = v + unit / 2;
    return u >= 0 ? u / unit : -((-u + unit - 1) / unit);
}

static int32_t sat(wide v)
{
    return v > 2147483647 ? 2147483647 : v < -2147483647 ? -2147483647 : (int32_t)v;
}

/* Elements of every size, both signs, with the extremes. */
static int32_t element(size_t i)
{
    if (i % 17 == 3) return 2147483647;
    if (i % 19 == 4) return -2147483647;
    if (i % 23 == 5) return 0;
    const int32_t v = (int32_t)(draw() & 0x7fffffff) >> (draw() % 31);
    return draw() & 1 ? v : -v;
}

enum { LONGEST = 200 };

/* Runs body for lengths around the step, with x and y unaligned and y guarded. */
#define EACH_LENGTH(type)                                                                          \
    const size_t lengths[] = {                                                                     \
        0, 1, 2, now.k_step - 1, now.k_step, now.k_step + 1, 3 * now.k_step + 7, LONGEST};         \
    for (size_t l_ = 0; l_ < 8 && !test_is_over; l_++)                                             \
        for (int round_ = 0; round_ < 20 && !test_is_over; round_++)

static int32_t in_a[LONGEST + 1], in_b[LONGEST + 1];
static int16_t in_g[LONGEST + 1];
static int32_t *const xa = in_a + 1, *const xb = in_b + 1;
static int16_t *const xg = in_g + 1;

static void fill(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        xa[i] = element(i);
        xb[i] = element(i + 7);
        xg[i] = (int16_t)((int)(draw() % 65535) - 32767);
    }
}

static void compare(const guarded *y, const int32_t *expected, size_t n)
{
    const int32_t *found = (const int32_t *)(const void *)y->data;
    for (size_t i = 0; i < n; i++) {
        CHECK(found[i] == expected[i], "%s n %zu: y[%zu] is %d, expected %d", now.name, n, i,
              found[i], expected[i]);
    }
    CHECK(guards_hold(y), "%s n %zu: wrote outside y", now.name, n);
}

static void check_absmax_i32(lpu_absmax_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        uint32_t most = 0;
        fill(n);
        for (size_t i = 0; i < n; i++) {
            if (round_ > 4 && round_ < 15) xa[i] /= 1 << round_;
            const uint32_t a = (uint32_t)(xa[i] > 0 ? xa[i] : -xa[i]);
            if (a > most) most = a;
        }
        CHECK_EQ(f(xa, n), most);
    }
}

static void check_posmax_i32(lpu_posmax_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        int32_t most = 0;
        fill(n);
        for (size_t i = 0; i < n; i++) {
            if (round_ > 15 && xa[i] > 0) xa[i] = -xa[i];
            if (round_ > 4 && round_ < 15) xa[i] /= 1 << round_;
            if (xa[i] > most) most = xa[i];
        }
        CHECK_EQ(f(xa, n), most);
    }
}

static void check_sumsq_i32(lpu_sumsq_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const int32_t shift = round_ % 17;
        wide sum = 0;
        fill(n);
        for (size_t i = 0; i < n; i++) {
            xa[i] /= 1 << (15 - (shift < 15 ? shift : 15));
            sum += rsh(xa[i], shift) * rsh(xa[i], shift);
        }
        CHECK_EQ(f(xa, n, shift), sum);
    }
}

static void check_gain_i32(lpu_gain_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) expected[i] = (int32_t)rsh((wide)xa[i] * xg[i], 15);
        f((int32_t *)(void *)y.data, xa, xg, n);
        compare(&y, expected, n);
        free(y.base);
    }
}

static void check_quant_i32(lpu_quant_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const int32_t limit = round_ & 1 ? 127 : 13, bits = 31 - round_;
        uint32_t most = 0;
        fill(n);
        for (size_t i = 0; i < n; i++) {
            xa[i] /= 1 << (31 - bits);
            const uint32_t a = (uint32_t)(xa[i] > 0 ? xa[i] : -xa[i]);
            if (a > most) most = a;
        }
        if (!most) continue;
        int b = 0;
        while (most >> b) b++;
        const int64_t r = ((int64_t)limit << (b + 16)) / most;
        const guarded q = guarded_open(n, 1);
        f((int8_t *)q.data, xa, n, (int32_t)r, b + 16);
        for (size_t i = 0; i < n; i++) {
            CHECK_EQ((int8_t)q.data[i], rsh((wide)xa[i] * r, b + 16));
            CHECK(abs((int8_t)q.data[i]) <= limit, "%s: %d is above %d", now.name,
                  (int8_t)q.data[i], limit);
        }
        CHECK(guards_hold(&q), "%s n %zu: wrote outside q", now.name, n);
        free(q.base);
    }
}

static void check_scale_i32(lpu_scale_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const int32_t shift = round_ == 0 ? 1 : round_ == 1 ? 62 : 1 + (int32_t)(draw() % 48);
        const uint16_t m = (uint16_t)(round_ == 2 ? 65535 : 32768 + draw() % 32768);
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) expected[i] = sat(rsh((wide)xa[i] * m, shift));
        f((int32_t *)(void *)y.data, xa, n, m, shift);
        compare(&y, expected, n);
        free(y.base);
    }
}

static void check_addsat_i32(lpu_addsat_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) expected[i] = sat((wide)xa[i] + xb[i]);
        memcpy(y.data, xb, 4 * n);
        f((int32_t *)(void *)y.data, xa, n);
        compare(&y, expected, n);
        free(y.base);
    }
}

static void check_rope_i32(lpu_rope_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_] & ~(size_t)1, h = n / 2;
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) xg[i] = (int16_t)(xg[i] / 2);
        for (size_t i = 0; i < h; i++) {
            const wide c = xg[2 * i], s = xg[2 * i + 1];
            expected[i] = sat(rsh(xa[i] * c - xa[i + h] * s, 14));
            expected[i + h] = sat(rsh(xa[i] * s + xa[i + h] * c, 14));
        }
        memcpy(y.data, xa, 4 * n);
        f((int32_t *)(void *)y.data, n, xg);
        compare(&y, expected, n);
        free(y.base);
    }
}

/* max(0, bits of the largest - 15). */
static int gate_shift(const int32_t *x, size_t n, bool is_positive)
{
    int64_t most = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t a = x[i] < 0 ? (is_positive ? 0 : -(int64_t)x[i]) : x[i];
        if (a > most) most = a;
    }
    int b = 0;
    while (most >> b) b++;
    return b > 15 ? b - 15 : 0;
}

static void check_relu2_i32(lpu_relu2_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) xa[i] /= 1 << round_;
        const int sg = gate_shift(xa, n, true), su = gate_shift(xb, n, false);
        for (size_t i = 0; i < n; i++) {
            const wide g = rsh(xa[i] > 0 ? xa[i] : 0, sg), u = rsh(xb[i], su);
            expected[i] = (int32_t)rsh(g * g * u, 15);
        }
        f((int32_t *)(void *)y.data, xa, xb, n, sg, su);
        compare(&y, expected, n);
        free(y.base);
    }
}

static void check_gate_i32(lpu_gate_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) xb[i] /= 1 << round_;
        const int sg = gate_shift(xa, n, false), su = gate_shift(xb, n, false);
        for (size_t i = 0; i < n; i++) expected[i] = (int32_t)(rsh(xa[i], sg) * rsh(xb[i], su));
        f((int32_t *)(void *)y.data, xa, xb, n, sg, su);
        compare(&y, expected, n);
        free(y.base);
    }
}

/* P[j] by definition, in long double. */
static int64_t power(int64_t j)
{
    return (int64_t)floorl(65536.0L * exp2l(-(long double)j / 64) + 0.5L);
}

static int32_t sigmoid_by_the_page(int32_t x, int64_t c)
{
    const wide size = x < 0 ? -(wide)x : x;
    const int64_t y = (int64_t)rsh(size * c, 16);
    const int64_t j = (y / 1024) % 64, r = y % 1024;
    const int64_t p = power(j) - (power(j) - power(j + 1)) * r / 1024;
    const int64_t q = y / 65536 >= 17 ? 0 : p / ((int64_t)1 << (y / 65536));
    int64_t sig = ((int64_t)1 << 32) / (65536 + q);
    if (x < 0) sig = 65536 - sig;
    return (int32_t)rsh((wide)x * sig, 16);
}

static void check_sigmoid_i32(lpu_sigmoid_i32_fn *f)
{
    EACH_LENGTH()
    {
        const size_t n = lengths[l_];
        const int32_t c = round_ & 1 ? 94548 : 160921;
        const guarded y = guarded_open(4 * n, 4);
        int32_t expected[LONGEST];
        fill(n);
        for (size_t i = 0; i < n; i++) expected[i] = sigmoid_by_the_page(xa[i], c);
        f((int32_t *)(void *)y.data, xa, n, c);
        compare(&y, expected, n);
        free(y.base);
    }
    for (int32_t q = 0; q <= 65536; q++) { /* the division, for every divisor there is */
        CHECK_EQ((int32_t)(4294967296.0 / (double)(65536 + q)), ((int64_t)1 << 32) / (65536 + q));
    }
}

#endif
