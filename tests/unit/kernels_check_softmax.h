/* tests/unit/kernels_check_softmax.h - the passes of softmax against the page, in 128 bits. */
#ifndef LPU_TESTS_UNIT_KERNELS_CHECK_SOFTMAX_H
#define LPU_TESTS_UNIT_KERNELS_CHECK_SOFTMAX_H

#include "tests/unit/kernels_check.h"

#include <math.h>

enum { SOFTMAX_KEYS = 67 };

static lpu_scale draw_scale(int low, int high)
{
    lpu_scale s = {(uint16_t)(32768 + draw() % 32768),
                   (int16_t)(low + (int)(draw() % (unsigned)(high - low + 1)))};
    if (draw() % 8 == 0) s.m = draw() & 1 ? 65535 : 32768;
    if (draw() % 16 == 0) s = (lpu_scale){0, (int16_t)(draw() % 100)};
    return s;
}

static void check_exponent_i32(lpu_exponent_i32_fn *f)
{
    for (size_t n = 0; n < SOFTMAX_KEYS; n++) {
        lpu_scale s[SOFTMAX_KEYS];
        int32_t expected = INT32_MIN;
        for (size_t i = 0; i < n; i++) {
            s[i] = draw_scale(-40, 40);
            if (s[i].m > 0) expected = s[i].e > expected ? s[i].e : expected;
        }
        const tight t = tight_open(s, n * sizeof(*s), 4);
        const int32_t found = f((const lpu_scale *)(const void *)t.data, n);
        tight_close(&t);
        CHECK_EQ(found, expected);
    }
}

/* Sections 1 and 2: the product of two scales has 16 bits, rounded half up; v times it, too. */
static int32_t scaled(int32_t v, lpu_scale a, lpu_scale b)
{
    __int128 m = (__int128)a.m * b.m;
    int e = a.e + b.e, up = 0;
    while (m >> (16 + up)) up++;
    if (up) m = (m + ((__int128)1 << (up - 1))) >> up;
    e += up;
    const __int128 most = INT32_MAX;
    __int128 product = (__int128)v * m;
    const int n = -16 - e;
    if (n >= 63) product = 0;
    else if (n > 0) product = (product + ((__int128)1 << (n - 1))) >> n;
    else if (product)
        product = -n > 40 ? (product > 0 ? most : -most) : product * ((__int128)1 << -n);
    return (int32_t)(product > most ? most : product < -most ? -most : product);
}

static void check_scores_i32(lpu_scores_i32_fn *f)
{
    static const int ranges[][2] = {{-50, -30}, {-24, -14}, {-3, 40}, {-200, 200}};
    for (size_t n = 0; n < SOFTMAX_KEYS; n++) {
        for (size_t r = 0; r < 4; r++) {
            lpu_scale sk[SOFTMAX_KEYS];
            int32_t expected[SOFTMAX_KEYS], most = -INT32_MAX;
            const guarded y = guarded_open(n * 4, 4);
            int32_t *acc = (int32_t *)(void *)y.data;
            const lpu_scale sq = draw_scale(-8, 8);
            for (size_t i = 0; i < n; i++) {
                sk[i] = draw_scale(ranges[r][0], ranges[r][1]);
                acc[i] = (int32_t)(draw() >> (draw() % 32));
                if (draw() % 9 == 0) acc[i] = draw() & 1 ? INT32_MAX : -INT32_MAX;
                if (acc[i] == INT32_MIN) acc[i] = 0;
                expected[i] = scaled(acc[i], sq, sk[i]);
                most = expected[i] > most ? expected[i] : most;
            }
            const tight t = tight_open(sk, n * sizeof(*sk), 4);
            const int32_t found = f(acc, n, sq, (const lpu_scale *)(const void *)t.data);
            tight_close(&t);
            for (size_t i = 0; i < n; i++) {
                CHECK(acc[i] == expected[i], "%s n %zu: [%zu] is %d, expected %d", now.name, n, i,
                      acc[i], expected[i]);
            }
            const bool is_kept = guards_hold(&y);
            free(y.base);
            CHECK_EQ(found, most);
            CHECK(is_kept, "%s n %zu: wrote outside", now.name, n);
        }
    }
}

/* Section 8.3, with its table of round(2^16 2^(-j/64)). */
static uint32_t power_down(uint32_t d)
{
    const double j = d / 1024 % 64;
    const long a = lround(65536 * exp2(-j / 64)), b = lround(65536 * exp2(-(j + 1) / 64));
    const long p = a - (a - b) * (long)(d % 1024) / 1024;
    return d / 65536 >= 25 ? 0 : (uint32_t)(p * 256 >> d / 65536);
}

static void check_powers_i32(lpu_powers_i32_fn *f)
{
    for (size_t n = 0; n < SOFTMAX_KEYS; n++) {
        for (int range = 8; range <= 31; range++) {
            lpu_scale sv[SOFTMAX_KEYS];
            int32_t z[SOFTMAX_KEYS];
            const int32_t most = (int32_t)(draw() % 1000000), ev = 3;
            const guarded y = guarded_open(n * 4, 4);
            const int32_t *u = (const int32_t *)(const void *)y.data;
            uint64_t sum = 0;
            for (size_t i = 0; i < n; i++) {
                sv[i] = draw_scale(-17, 3);
                z[i] = (int32_t)(most - (int64_t)(draw() % (1ull << range)));
                sum += power_down((uint32_t)most - (uint32_t)z[i]);
            }
            const tight t = tight_open(sv, n * sizeof(*sv), 4), tz = tight_open(z, n * 4, 4);
            const uint64_t found =
                f((int32_t *)(void *)y.data, (const int32_t *)(const void *)tz.data, n, most,
                  (const lpu_scale *)(const void *)t.data, ev);
            tight_close(&t);
            tight_close(&tz);
            for (size_t i = 0; i < n; i++) {
                const uint64_t e = power_down((uint32_t)most - (uint32_t)z[i]);
                const uint64_t w = sv[i].m && ev - sv[i].e < 16 ? sv[i].m >> (ev - sv[i].e) : 0;
                const int32_t expected = (int32_t)((e * w + 32768) / 65536);
                CHECK(u[i] == expected, "%s n %zu: [%zu] is %d, expected %d", now.name, n, i, u[i],
                      expected);
            }
            const bool is_kept = guards_hold(&y);
            free(y.base);
            CHECK(found == sum, "%s n %zu: the sum is %llu, expected %llu", now.name, n,
                  (unsigned long long)found, (unsigned long long)sum);
            CHECK(is_kept, "%s n %zu: wrote outside", now.name, n);
        }
    }
}

#endif
