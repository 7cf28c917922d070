/* tests/unit/kernels_check_reals.h - passes over rows of floats against the definition in double.
 */
#ifndef LPU_TESTS_UNIT_KERNELS_CHECK_REALS_H
#define LPU_TESTS_UNIT_KERNELS_CHECK_REALS_H

#include "tests/unit/kernels_check.h"

#include <math.h>

static const size_t real_sizes[] = {1, 2, 15, 16, 17, 31, 32, 33, 64, 97, 6912};
enum { REAL_SIZES = sizeof(real_sizes) / sizeof(*real_sizes), REAL_UNITS = 16 };

/* Numbers up to most, both signs; of all sizes, or all of about that size, or all zero. */
static float *draw_reals(size_t n, double most, unsigned kind)
{
    float *x = malloc(n * sizeof(*x) + 4);
    if (!x) abort();
    for (size_t i = 0; i < n; i++) {
        const double v = most * ((double)(draw() % 20001) / 10000 - 1);
        x[i] = (float)(kind == 0 ? v : kind == 1 ? ldexp(v, -(int)(draw() % 30)) : 0);
    }
    return x;
}

/* An output that must be near(i); in and out are one buffer where the pass allows it. */
static void check_row(const float *found, const double *expected, const double *error, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        CHECK(fabs((double)found[i] - expected[i]) <= error[i],
              "%s n %zu: [%zu] is %.9g, expected %.9g within %.3g", now.name, n, i,
              (double)found[i], expected[i], error[i]);
    }
}

static void check_absmax_f32(lpu_absmax_f32_fn *f)
{
    CHECK(f(NULL, 0) <= 0, "%s of nothing", now.name);
    for (size_t s = 0; s < REAL_SIZES; s++) {
        const size_t n = real_sizes[s];
        for (size_t at = 0; at < n; at += n / 7 + 1) { /* the largest in many a place */
            float *x = draw_reals(n, 5, (unsigned)(draw() % 3));
            x[at] = draw() & 1 ? 7.5f : -7.5f;
            const tight t = tight_open(x, n * 4, 4);
            const float found = f((const float *)(const void *)t.data, n);
            tight_close(&t);
            free(x);
            CHECK(fabsf(found - 7.5f) <= 0, "%s n %zu at %zu: %g", now.name, n, at, (double)found);
        }
    }
}

static void check_sumsq_f32(lpu_sumsq_f32_fn *f)
{
    for (size_t s = 0; s < REAL_SIZES * 3; s++) {
        const size_t n = real_sizes[s / 3];
        float *x = draw_reals(n, 1e6, (unsigned)(s % 3));
        long double expected = 0;
        for (size_t i = 0; i < n; i++) expected += (long double)x[i] * (long double)x[i];
        const tight t = tight_open(x, n * 4, 4);
        const double found = f((const float *)(const void *)t.data, n);
        tight_close(&t);
        free(x);
        CHECK(fabsl((long double)found - expected) <= (long double)n * 0x1p-53L * expected,
              "%s n %zu: %.17g, expected %.17Lg", now.name, n, found, expected);
    }
}

/* Rows x and g, an output, and what it should be. */
typedef struct real_case {
    size_t n;
    float *x, *g;
    guarded y;
    float *out;
    double *expected, *error;
} real_case;

static real_case real_open(size_t n, double most, unsigned kind)
{
    real_case c = {.n = n, .x = draw_reals(n, most, kind), .g = draw_reals(n, 3, kind % 2)};
    c.y = guarded_open(n * 4, 4);
    c.out = (float *)(void *)c.y.data;
    c.expected = calloc(2 * n + 1, sizeof(double));
    if (!c.expected) abort();
    c.error = c.expected + n;
    return c;
}

/* Within units in the last place of size, and no stray write. */
static void real_close(real_case *c, double units)
{
    for (size_t i = 0; i < c->n; i++) {
        c->error[i] = units * 0x1p-24 * (c->error[i] + fabs(c->expected[i])) + 0x1p-126;
    }
    check_row(c->out, c->expected, c->error, c->n);
    const bool is_kept = guards_hold(&c->y);
    free(c->x);
    free(c->g);
    free(c->y.base);
    free(c->expected);
    CHECK(is_kept, "%s n %zu: wrote outside y", now.name, c->n);
}

static void check_gain_f32(lpu_gain_f32_fn *f)
{
    for (size_t s = 0; s < REAL_SIZES * 3 && !test_is_over; s++) {
        real_case c = real_open(real_sizes[s / 3], 100, (unsigned)(s % 3));
        const float scale = 0.37f;
        for (size_t i = 0; i < c.n; i++) {
            c.expected[i] = (double)c.x[i] * (double)scale * (double)c.g[i];
        }
        f(c.out, c.x, c.g, c.n, scale);
        real_close(&c, 2);
    }
}

static void check_round_f32(lpu_round_f32_fn *f)
{
    for (size_t s = 0; s < REAL_SIZES * 3 && !test_is_over; s++) {
        real_case c = real_open(real_sizes[s / 3], 127.4, (unsigned)(s % 3));
        const float unit = 0.5f, back = 3.25f; /* exact: only the rounding is in question */
        for (size_t i = 0; i < c.n; i++) {
            c.out[i] = c.x[i];
            c.expected[i] = nearbyint((double)c.x[i] * (double)unit) * (double)back;
        }
        f(c.out, c.n, unit, back);
        real_close(&c, 0);
    }
}

static void check_group_f32(lpu_group_f32_fn *f)
{
    for (size_t n = 0; n <= 96 && !test_is_over; n += 32) {
        for (unsigned kind = 0; kind < 3; kind++) {
            float *x = draw_reals(n, 9, kind);
            const guarded q = guarded_open(n, 1);
            lpu_group found_groups[4];
            memset(found_groups, FILL, sizeof(found_groups));
            f((int8_t *)q.data, found_groups, x, n);
            for (size_t g = 0; g < n / 32; g++) {
                float most = 0;
                int sum = 0;
                for (size_t i = 32 * g; i < 32 * g + 32; i++) most = fmaxf(most, fabsf(x[i]));
                for (size_t i = 32 * g; i < 32 * g + 32; i++) {
                    const int found = ((int8_t *)q.data)[i];
                    const double exact = most > 0 ? (double)x[i] * 127 / (double)most : 0;
                    sum += found;
                    CHECK(fabs(found - exact) <= 0.5001 && abs(found) <= 127, "%s: %g of %g is %d",
                          now.name, (double)x[i], (double)most, found);
                }
                CHECK_EQ(found_groups[g].sum, sum);
                CHECK(fabsf(found_groups[g].scale - most / 127.0f) <= 0, "%s: scale %g", now.name,
                      (double)found_groups[g].scale);
            }
            CHECK(guards_hold(&q), "%s n %zu: wrote outside q", now.name, n);
            free(x);
            free(q.base);
        }
    }
}

static void check_softmax_f32(lpu_softmax_f32_fn *f)
{
    static const double ranges[] = {0, 1, 30, 90, 2000};
    for (size_t s = 0; s < REAL_SIZES * 5 && !test_is_over; s++) {
        real_case c = real_open(real_sizes[s / 5], ranges[s % 5], 0);
        const float scale = 0.125f * 2;
        double most = -INFINITY, sum = 0;
        for (size_t i = 0; i < c.n; i++) most = fmax(most, (double)c.x[i]);
        for (size_t i = 0; i < c.n; i++) sum += exp(((double)c.x[i] - most) * (double)scale);
        for (size_t i = 0; i < c.n; i++) {
            c.out[i] = c.x[i];
            c.expected[i] = exp(((double)c.x[i] - most) * (double)scale) / sum;
            /* The argument's rounding counts as its size; what is below e^-87 may be 0. */
            c.error[i] = fabs(((double)c.x[i] - most) * (double)scale) * c.expected[i];
            if (c.expected[i] < 1.7e-38) c.error[i] = 0x1p-98;
        }
        f(c.out, c.n, scale);
        real_close(&c, REAL_UNITS + (double)c.n / 16);
    }
}

static void check_rope_f32(lpu_rope_f32_fn *f)
{
    for (size_t n = 2; n <= 160 && !test_is_over; n += 2) {
        real_case c = real_open(n, 100, 0);
        int16_t rope[160];
        for (size_t i = 0; i < n; i++) rope[i] = (int16_t)((int)(draw() % 32769) - 16384);
        for (size_t i = 0; i < n / 2; i++) {
            const double a = (double)c.x[i], b = (double)c.x[i + n / 2];
            const double p = rope[2 * i] / 16384.0, q = rope[2 * i + 1] / 16384.0;
            c.expected[i] = a * p - b * q;
            c.expected[i + n / 2] = a * q + b * p;
            c.error[i] = c.error[i + n / 2] = fabs(a) + fabs(b);
        }
        memcpy(c.out, c.x, n * 4);
        f(c.out, n, rope);
        real_close(&c, 2);
    }
}

static void check_relu2_f32(lpu_relu2_f32_fn *f)
{
    for (size_t s = 0; s < REAL_SIZES * 3 && !test_is_over; s++) {
        real_case c = real_open(real_sizes[s / 3], 50, (unsigned)(s % 3));
        for (size_t i = 0; i < c.n; i++) {
            const double v = fmax((double)c.x[i], 0);
            c.expected[i] = v * v * (double)c.g[i];
        }
        f(c.out, c.x, c.g, c.n);
        real_close(&c, 2);
    }
}

static void check_silu_f32(lpu_silu_f32_fn *f)
{
    static const double ranges[] = {0, 1, 20, 85, 1e5};
    for (size_t s = 0; s < REAL_SIZES * 5 && !test_is_over; s++) {
        real_case c = real_open(real_sizes[s / 5], ranges[s % 5], 0);
        for (size_t i = 0; i < c.n; i++) {
            const double v = (double)c.x[i];
            c.expected[i] = v / (1 + exp(-v)) * (double)c.g[i];
            c.error[i] = fabs(v) * fabs(c.expected[i]);
            if (v < -86) c.error[i] = fabs(v * (double)c.g[i]) * 0x1p-98;
        }
        f(c.out, c.x, c.g, c.n);
        real_close(&c, REAL_UNITS);
    }
}

#endif
