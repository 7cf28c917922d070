/* tests/unit/functional_test.c - is sim/functional.c the arithmetic of workloads/arithmetic.md, and
 * is that arithmetic near the real numbers it stands for?
 *
 * Oracles: the page's formulas in __int128 where a rule is exact, real arithmetic in double or long
 * double with a bound derived beside each check where it rounds.
 */
#include "tests/unit/functional_oracle.h"

/* ---- section 2 ---- */

static bool is_normal(lpu_scale s)
{
    return s.m >= 32768 || (s.m == 0 && s.e == 0);
}

static void norm_is_the_nearest_scale(void)
{
    CHECK_EQ(lpu_functional_norm(0, 5).m, 0);
    CHECK_EQ(lpu_functional_norm(0, 5).e, 0);
    for (int i = 0; i < 200000; i++) {
        const uint64_t u = random_u64() >> (random_u64() % 64);
        const int e = (int)(random_u64() % 200) - 100;
        const lpu_scale s = lpu_functional_norm(u, e);
        const long double value = ldexpl((long double)u, e), got = ldexpl(s.m, s.e);

        CHECK(is_normal(s), "norm(%llu) has mantissa %u", (unsigned long long)u, s.m);
        CHECK(fabsl(got - value) <= scale_ulp * value, "norm(%llu, %d) is %Lg, real %Lg",
              (unsigned long long)u, e, got, value);
        if (u < 65536) CHECK(got == value, "norm(%llu) is not exact", (unsigned long long)u);
    }
}

static void norm_rounds_half_up_at_every_width(void)
{
    for (int b = 17; b <= 64; b++) {
        const int n = b - 16;
        for (int i = 0; i < 200; i++) {
            /* Around a half: mantissa, then 0111.., 1000.., 1000..1 */
            const uint64_t m = i < 3 ? 65535 : 32768 + random_u64() % 32768;
            const uint64_t half = UINT64_C(1) << (n - 1);
            const uint64_t low = i % 3 == 0 ? half - 1 : i % 3 == 1 ? half : half + (n > 1);
            const uint64_t u = (m << n) + low;
            i128 want = ((i128)u + half) >> n;
            int e = n;
            if (want == 65536) want = 32768, e++;

            const lpu_scale s = lpu_functional_norm(u, 0);
            CHECK(s.m == want && s.e == e, "norm(%llx) is (%u, %d), expected (%d, %d)",
                  (unsigned long long)u, s.m, s.e, (int)want, e);
        }
    }
    CHECK_EQ(lpu_functional_norm(UINT64_MAX, 0).m, 32768);
    CHECK_EQ(lpu_functional_norm(UINT64_MAX, 0).e, 49);
}

static void mul_and_div_are_within_an_ulp(void)
{
    const lpu_scale zero = {0, 0};

    for (int i = 0; i < 200000; i++) {
        const lpu_scale a = random_scale(-80, 80), b = random_scale(-80, 80);
        const lpu_scale p = lpu_functional_mul(a, b), q = lpu_functional_div(a, b);
        const double product = real_of(a) * real_of(b), quotient = real_of(a) / real_of(b);

        CHECK(is_normal(p) && fabs(real_of(p) - product) <= scale_ulp * product, "mul");
        /* floor loses 1 of at least 2^23 before norm rounds */
        CHECK(is_normal(q) && fabs(real_of(q) - quotient) <= (scale_ulp + 0x1p-22) * quotient,
              "div is %.17g, real %.17g", real_of(q), quotient);
        const lpu_scale page =
            lpu_functional_norm((uint64_t)floorl(ldexpl(a.m, 24) / b.m), a.e - b.e - 24);
        CHECK(q.m == page.m && q.e == page.e, "div is not floor(a.m 2^24 / b.m)");
        CHECK(lpu_functional_mul(b, a).m == p.m && lpu_functional_mul(b, a).e == p.e, "commutes");
        CHECK(real_of(lpu_functional_div(a, a)) == 1.0, "a / a is not 1");
        CHECK(lpu_functional_mul(a, zero).m == 0 && lpu_functional_mul(a, zero).e == 0, "a 0");
        CHECK(lpu_functional_div(a, zero).m == 0 && lpu_functional_div(zero, b).m == 0, "0 div");
    }
}

static void apply_is_exact_rounding(void)
{
    for (int i = 0; i < 300000; i++) {
        const int64_t v = i % 50 ? random_signed(40) : (i & 64 ? 1 : -1) * ((1LL << 40) - 1);
        const lpu_scale s = i % 17 ? random_scale(-70, 20) : (lpu_scale){0, 0};
        const int x = i % 3 ? -16 : (int)(random_u64() % 60) - 40;
        const i128 product = (i128)v * s.m;
        const i128 want =
            x - s.e > -70 ? sat128(round128(product, x - s.e)) : sat128(product * ((i128)1 << 60));

        CHECK(lpu_functional_apply(v, s, x) == want,
              "apply(%lld, (%u, %d), %d) is %d, expected %lld", (long long)v, s.m, s.e, x,
              lpu_functional_apply(v, s, x), (long long)want);
    }
    /* Halves go up: +0.5 to 1, -0.5 to 0, -1.5 to -1. */
    const lpu_scale half = {32768, -16};
    CHECK_EQ(lpu_functional_apply(1, half, 0), 1);
    CHECK_EQ(lpu_functional_apply(-1, half, 0), 0);
    CHECK_EQ(lpu_functional_apply(-3, half, 0), -1);
    CHECK_EQ(lpu_functional_apply(1, (lpu_scale){32768, 32000}, -16), INT32_MAX);
    CHECK_EQ(lpu_functional_apply(-1, (lpu_scale){32768, 32000}, -16), -INT32_MAX);
    CHECK_EQ(lpu_functional_apply(0, (lpu_scale){32768, 32000}, -16), 0);
    CHECK_EQ(lpu_functional_apply(INT32_MAX, (lpu_scale){65535, -30000}, -16), 0);
}

/* ---- section 3 ---- */

static const int limits[] = {1, 4, 13, 40, 121, 127}; /* H(1)..H(5), and A8 */

static void quant_is_within_half_a_step(void)
{
    static int32_t t[N_MAX];
    static int8_t q[N_MAX];

    for (int round = 0; round < 3000; round++) {
        const size_t n = 1 + random_u64() % 40;
        const int H = limits[round % 6];

        random_row(t, n, 1 + round % 31);
        const uint32_t a = lpu_functional_quant(q, t, n, H);
        int64_t want = 0;
        for (size_t i = 0; i < n; i++) want = llabs(t[i]) > want ? llabs(t[i]) : want;
        CHECK_EQ(a, want);
        for (size_t i = 0; i < n; i++) {
            if (!a) {
                CHECK_EQ(q[i], 0);
                continue;
            }
            /* R is short by less than 1, so t R / 2^(b+16) by less than 2^-16. */
            const double real = (double)t[i] * H / a;
            CHECK(fabs(q[i] - real) <= 0.5 + 0x1p-16, "t %d of %u at H %d: q %d, real %g", t[i], a,
                  H, q[i], real);
            if (llabs(t[i]) == a) CHECK_EQ(q[i], t[i] > 0 ? H : -H);

            int b = 0; /* the page, in 128 bits */
            while (a >> b) b++;
            const i128 r = ((i128)H << (b + 16)) / a;
            CHECK_EQ(q[i], round128(t[i] * r, b + 16));
        }
    }
}

static void quant_keeps_every_multiple_of_the_step(void)
{
    /* With a = H 2^k the step is 2^k: every integer q comes back from q 2^k. */
    for (size_t l = 0; l < 6; l++) {
        for (int k = 0; k <= 23; k++) {
            const int H = limits[l];
            int32_t t[255];
            int8_t q[255];
            for (int v = -H; v <= H; v++) t[v + H] = v * (1 << k);
            CHECK_EQ(lpu_functional_quant(q, t, (size_t)(2 * H + 1), H), H << k);
            for (int v = -H; v <= H; v++) CHECK_EQ(q[v + H], v);
        }
    }
}

static void quant_head_returns_to_the_reals(void)
{
    int32_t x[128];
    int8_t q[128];

    for (int round = 0; round < 3000; round++) {
        const int H = limits[round % 6];
        random_row(x, 128, 1 + round % 31);
        const lpu_scale s = lpu_functional_quant_head(q, x, 128, H);
        double a = 0;
        for (int i = 0; i < 128; i++) a = fmax(a, fabs((double)x[i]));
        if (a == 0) CHECK(s.m == 0 && s.e == 0, "zero row has a scale");
        for (int i = 0; i < 128; i++) {
            /* half a step, and the scale's three roundings */
            const double bound = a / H * (0.5 + 0x1p-16) + 3 * scale_ulp * a;
            const double back = q[i] * real_of(s) * 65536;
            CHECK(fabs(back - x[i]) <= bound, "x %d comes back as %g, step %g", x[i], back, a / H);
        }
    }
}

/* ---- section 4 ---- */

/* y = x g / sqrt(mean x^2 + eps) in double, against q s. */
static void check_normq(const int32_t *x, size_t n, int ex, const int16_t *gain, int eg,
                        lpu_scale eps)
{
    static int8_t q[N_MAX];
    const lpu_scale s = lpu_functional_normq(q, x, n, ex, gain, eg, eps);
    double ss = 0, xmax = 0, a = 0;

    for (size_t i = 0; i < n; i++) {
        ss += (double)x[i] * x[i];
        xmax = fmax(xmax, fabs((double)x[i]));
        a = fmax(a, fabs((double)x[i] * gain[i]));
    }
    const double unit = ldexp(1, ex + eg),
                 rms = sqrt(ss / (double)n * ldexp(1, 2 * ex) + real_of(eps));

    /* What V = z^2 2^8 / n + E loses: z is rounded to 2^sh (Cauchy-Schwarz: sqrt(n) / 2 against
     * sqrt(ss)), V and E are floored. Then a floored root of 30 bits and four scale roundings. */
    const double sh = fmax(0, ilogb(fmax(xmax, 1)) + 1 - 16),
                 v = rms * rms * ldexp(256, -2 * (ex + (int)sh));
    const double z_loss = sh > 0 ? 0.5 * sqrt((double)n) * ldexp(1, (int)sh) / sqrt(ss) : 0;
    const double loss = 1.1 * z_loss * (1 + z_loss) + 1.1 / v + 0x1p-28 + 5 * scale_ulp;
    if (v < 4) return; /* below the resolution of V: nothing is promised */

    for (size_t i = 0; i < n; i++) {
        const double y = (double)x[i] * gain[i] * unit / rms;
        const double step = (a + 32768) * unit / rms / 127; /* a of t: rounded by half of 2^15 */
        const double bound = step * (0.5 + 0x1p-15) + 16384 * unit / rms + loss * (fabs(y) + step);
        CHECK(fabs(q[i] * real_of(s) - y) <= bound * (1 + loss),
              "n %zu x %d: %g, real %g, bound %g", n, x[i], q[i] * real_of(s), y, bound);
    }
}

static void normq_is_near_the_real_norm(void)
{
    static const size_t sizes[] = {1, 2, 7, 64, 768, 2560};
    static int32_t x[N_MAX];
    static int16_t gain[N_MAX];

    for (int round = 0; round < 1200; round++) {
        const size_t n = sizes[round % 6];
        random_row(x, n, 1 + round % 31);
        for (size_t i = 0; i < n; i++) gain[i] = (int16_t)random_signed(15);
        gain[0] = 32767;
        check_normq(x, n, round % 7 ? -16 : 3, gain, -15, lpu_scale_from_real(1e-5));
        if (test_is_over) return;
    }
}

/* The page in 128 bits and a long double root: bit for bit. */
static void normq_is_the_page(void)
{
    int32_t x[96];
    int16_t gain[96];
    int8_t q[96];

    for (int round = 0; round < 4000; round++) {
        const size_t n = 1 + random_u64() % 96;
        const int ex = (int)(random_u64() % 60) - 40, eg = (int)(random_u64() % 30) - 25;
        const lpu_scale eps = round % 5 ? random_scale(-60, 0) : (lpu_scale){0, 0};

        random_row(x, n, 1 + round % 31);
        for (size_t i = 0; i < n; i++) gain[i] = (int16_t)random_signed(15);

        int64_t ax = 0, a = 0;
        for (size_t i = 0; i < n; i++) ax = llabs(x[i]) > ax ? llabs(x[i]) : ax;
        const int sh = ax >= 65536 ? ilogb((double)ax) + 1 - 16 : 0;
        i128 ss = 0;
        for (size_t i = 0; i < n; i++) ss += round128(x[i], sh) * round128(x[i], sh);
        const long double e_real = floorl(ldexpl(eps.m, eps.e + 8 - 2 * (ex + sh)));
        const i128 v = ss * 256 / (i128)n + (i128)fminl(0x1p61L, e_real);
        int bits = 0;
        while (v >> bits) bits++;
        const int k = (62 - bits) / 2;
        const uint64_t root = (uint64_t)floorl(sqrtl((long double)v * ldexpl(1, 2 * k)));
        const lpu_scale rms = lpu_functional_norm(root, ex + sh - 4 - k);
        for (size_t i = 0; i < n; i++) {
            const int64_t t = (int64_t)round128((i128)x[i] * gain[i], 15);
            a = llabs(t) > a ? llabs(t) : a;
        }
        const lpu_scale want =
            lpu_functional_div(lpu_functional_norm((uint64_t)a, ex + eg + 15),
                               lpu_functional_mul(lpu_functional_norm(127, 0), rms));
        const lpu_scale s = lpu_functional_normq(q, x, n, ex, gain, eg, eps);
        CHECK(s.m == want.m && s.e == want.e, "s is (%u, %d), expected (%u, %d)", s.m, s.e, want.m,
              want.e);

        int b = 0;
        while (a >> b) b++;
        for (size_t i = 0; i < n; i++) {
            const i128 t = round128((i128)x[i] * gain[i], 15);
            CHECK_EQ(q[i], a ? round128(t * (((i128)127 << (b + 16)) / a), b + 16) : 0);
        }
    }
}

static void normq_of_special_rows(void)
{
    static int32_t x[N_MAX];
    static int16_t gain[N_MAX];
    static int8_t q[N_MAX];
    const lpu_scale eps = lpu_scale_from_real(1e-5);

    for (size_t i = 0; i < N_MAX; i++) gain[i] = 16384;

    /* Zeros: no scale, no values. */
    lpu_scale s = lpu_functional_normq(q, x, N_MAX, -16, gain, -14, eps);
    CHECK(s.m == 0 && q[0] == 0 && q[N_MAX - 1] == 0, "a zero row is not zero");
    s = lpu_functional_normq(q, x, N_MAX, -16, NULL, 0, eps);
    CHECK(s.m == 0 && q[0] == 0, "a zero row quantised alone is not zero");

    /* A constant row, however large, has norm 1: 127 s = 1. */
    for (int bit = 10; bit <= 30; bit++) {
        for (size_t i = 0; i < N_MAX; i++) x[i] = i & 1 ? (1 << bit) + 5 : -(1 << bit) - 5;
        s = lpu_functional_normq(q, x, N_MAX, -16, gain, -14, eps);
        CHECK(q[0] == -127 && q[1] == 127, "a constant row is not +-127");
        const double rms = ldexp((1 << bit) + 5, -16);
        CHECK(fabs(127 * real_of(s) - rms / sqrt(rms * rms + 1e-5)) < 1e-3, "127 s is %g",
              127 * real_of(s));
    }
    /* Quantised alone: a row of a8 at scale 1 is itself. */
    for (int i = 0; i < 255; i++) x[i] = i - 127;
    s = lpu_functional_normq(q, x, 255, 0, NULL, 0, eps);
    CHECK(real_of(s) == 1.0 && q[0] == -127 && q[100] == -27 && q[254] == 127, "not itself");

    /* Extremes of every input at once. */
    for (size_t i = 0; i < N_MAX; i++) x[i] = INT32_MAX, gain[i] = 32767;
    s = lpu_functional_normq(q, x, N_MAX, -16, gain, -15, eps);
    CHECK(q[0] == 127 && fabs(127 * real_of(s) - 32767.0 / 32768) < 1e-3, "127 s is %g",
          127 * real_of(s));
}

/* ---- sections 5 to 7 ---- */

static void products_leave_as_x32(void)
{
    enum { M = 3, N = 50 };
    int32_t acc[M * N], y[M * N];
    lpu_scale sx[M], sw[N];

    for (int round = 0; round < 500; round++) {
        for (int i = 0; i < M * N; i++) acc[i] = (int32_t)random_signed(31);
        for (int i = 0; i < M; i++) sx[i] = random_scale(-40, -20);
        for (int i = 0; i < N; i++) sw[i] = random_scale(-30, -10);
        const size_t w_count = round & 1 ? 1 : N;
        lpu_functional_dequant(y, acc, M, N, sx, sw, w_count);
        for (int i = 0; i < M * N; i++) {
            const double real = acc[i] * real_of(sx[i / N]) * real_of(sw[w_count == 1 ? 0 : i % N]);
            const double want = fmax(-INT32_MAX, fmin(INT32_MAX, real * 65536));
            CHECK(fabs(y[i] - want) <= 0.5 + scale_ulp * fabs(want), "%d, real %g", y[i], want);
        }
        lpu_functional_dequant(acc, acc, M, N, sx, sw, w_count);
        CHECK(!memcmp(acc, y, sizeof(y)), "in place differs");
    }

    int8_t v[243];
    int32_t x[243];
    for (int i = 0; i < 243; i++) v[i] = (int8_t)(i - 121);
    lpu_functional_embed(x, v, 243, (lpu_scale){32768, -22});
    for (int i = 0; i < 243; i++) CHECK_EQ(x[i], (i - 121) * 512); /* 2^15 2^-22 2^16 */
}

static void rope_turns(void)
{
    int32_t x[64], before[64];
    int16_t rope[64];

    for (int round = 0; round < 3000; round++) {
        random_row(x, 64, 1 + round % 31);
        memcpy(before, x, sizeof(x));
        for (int i = 0; i < 32; i++) {
            const double angle = round % 4 ? (double)(random_u64() % 100000) : 0;
            rope[2 * i] = (int16_t)lround(16384 * cos(angle));
            rope[2 * i + 1] = (int16_t)lround(16384 * sin(angle));
        }
        lpu_functional_rope(x, 64, rope);
        if (round % 4 == 0) CHECK(!memcmp(x, before, sizeof(x)), "position 0 moves the row");
        for (int i = 0; i < 32; i++) {
            const i128 a = before[i], b = before[i + 32], c = rope[2 * i], s = rope[2 * i + 1];
            CHECK_EQ(x[i], sat128(round128(a * c - b * s, 14)));
            CHECK_EQ(x[i + 32], sat128(round128(a * s + b * c, 14)));

            /* Length is kept: c, s are each off by half of 2^-14, results by a half. */
            const double r = hypot((double)a, (double)b);
            if (r > 1e9) continue; /* may saturate */
            CHECK(fabs(hypot(x[i], x[i + 32]) - r) <= r * 0x1p-14 + 1, "length %g becomes %g", r,
                  hypot(x[i], x[i + 32]));
        }
    }
    x[0] = INT32_MAX, x[1] = -INT32_MAX, rope[0] = 11585, rope[1] = 11585; /* 45 degrees */
    lpu_functional_rope(x, 2, rope);
    CHECK(x[0] == INT32_MAX && x[1] == 0, "(%d, %d)", x[0], x[1]);
}

int main(void)
{
    RUN(norm_is_the_nearest_scale);
    RUN(norm_rounds_half_up_at_every_width);
    RUN(mul_and_div_are_within_an_ulp);
    RUN(apply_is_exact_rounding);
    RUN(quant_is_within_half_a_step);
    RUN(quant_keeps_every_multiple_of_the_step);
    RUN(quant_head_returns_to_the_reals);
    RUN(normq_is_near_the_real_norm);
    RUN(normq_is_the_page);
    RUN(normq_of_special_rows);
    RUN(products_leave_as_x32);
    RUN(rope_turns);
    return test_failures != 0;
}
