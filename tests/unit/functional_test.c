/* tests/unit/functional_test.c - is sim/functional.c the arithmetic of workloads/arithmetic.md, and
 * is that arithmetic near the real numbers it stands for?
 *
 * Oracles: the page's formulas in __int128 where a rule is exact, real arithmetic in double or long
 * double with a bound derived beside each check where it rounds.
 */
#include "sim/functional.h"
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>

typedef __int128 i128;

enum { N_MAX = 4096 };

/* Half an ulp of a 16-bit mantissa, relative: what one norm() loses at most. */
static const double scale_ulp = 1.0 / 65536;

static uint64_t seed = 0x9E3779B97F4A7C15u;

static uint64_t random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545F4914F6CDD1Du;
}

/* Every bit length up to width is as likely as any other; sign at random. */
static int64_t random_signed(int width)
{
    const uint64_t u = random_u64() >> (64 - 1 - random_u64() % (uint64_t)width);
    return random_u64() & 1 ? -(int64_t)u : (int64_t)u;
}

static lpu_scale random_scale(int e_from, int e_to)
{
    const uint64_t span = (uint64_t)(e_to - e_from + 1);
    return (lpu_scale){(uint16_t)(32768 + random_u64() % 32768),
                       (int16_t)(e_from + (int)(random_u64() % span))};
}

static double real_of(lpu_scale s)
{
    return ldexp(s.m, s.e);
}

static i128 sat128(i128 v)
{
    return v > INT32_MAX ? INT32_MAX : v < -INT32_MAX ? -INT32_MAX : v;
}

/* floor(v / 2^n + 1/2) with room to spare. */
static i128 round128(i128 v, int n)
{
    if (n >= 120) return 0;
    return n > 0 ? (v + ((i128)1 << (n - 1))) >> n : v * ((i128)1 << -n);
}

static bool is_normal(lpu_scale s)
{
    return s.m >= 32768 || (s.m == 0 && s.e == 0);
}

/* ---- section 2 ---- */

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

/* A row in one of several kinds: uniform, every size, sparse, all the same, extremes. */
static void random_row(int32_t *x, size_t n, int width)
{
    const unsigned kind = (unsigned)(random_u64() % 5);
    const int64_t top = (INT64_C(1) << width) - 1;

    for (size_t i = 0; i < n; i++) {
        switch (kind) {
        case 0: x[i] = (int32_t)((int64_t)(random_u64() % (uint64_t)(2 * top + 1)) - top); break;
        case 1: x[i] = (int32_t)random_signed(width); break;
        case 2: x[i] = random_u64() % 8 ? 0 : (int32_t)random_signed(width); break;
        case 3: x[i] = (int32_t)top; break;
        default: x[i] = (int32_t)(random_u64() & 1 ? top : -top); break;
        }
    }
}

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

/* ---- section 8 ---- */

typedef struct attention {
    int32_t acc[N_MAX];
    lpu_scale sk[N_MAX], sv[N_MAX];
    int8_t p[N_MAX];
    int64_t work[N_MAX];
} attention;

static attention at;

/* o[t] = p[t] s_o against softmax(z)[t] sv[t] in double. */
static void check_softmax(size_t keys, lpu_scale sq, lpu_scale c)
{
    static double w[N_MAX];
    double top = -INFINITY, widest = 0, sum = 0, w_max = 0, sv_max = 0;

    const lpu_scale so = lpu_functional_softmax(at.p, at.acc, keys, sq, c, at.sk, at.sv, at.work);

    for (size_t t = 0; t < keys; t++) {
        w[t] = at.acc[t] * real_of(sq) * real_of(c) * real_of(at.sk[t]);
        top = fmax(top, w[t]);
        widest = fmax(widest, fabs(w[t]));
        sv_max = fmax(sv_max, real_of(at.sv[t]));
    }
    for (size_t t = 0; t < keys; t++) sum += w[t] = exp2(w[t] - top);
    for (size_t t = 0; t < keys; t++) w_max = fmax(w_max, w[t] = w[t] / sum * real_of(at.sv[t]));

    /* z: two scale roundings of its own size and a half of 2^-16; twice, for the difference. A line
     * between entries is off by (ln 2 / 64)^2 / 8, an entry by 2^-17, twice in a quotient. Five
     * scale roundings in s_o. Below 2^-24 nothing is kept, in e and in the sum. */
    const double z_loss = 2 * (widest * 2 * scale_ulp + 0x1p-17) * M_LN2;
    const double loss = 2 * (z_loss + 1.5e-5 + 0x1p-16) + 6 * scale_ulp + (double)keys * 0x1p-24;
    const double floor_loss = 3 * 0x1p-24 * sv_max; /* floors of e and u, mantissa bits of sv */
    for (size_t t = 0; t < keys; t++) {
        const double bound = w_max / 127 * 0.501 * (1 + loss) + loss * (w_max + w[t]) + floor_loss +
                             sv_max * 0x1p-15 * w_max / (w_max + 1e-300);
        const double got = at.p[t] * real_of(so);
        CHECK(at.p[t] >= 0 && fabs(got - w[t]) <= bound, "key %zu of %zu: %g, real %g, bound %g", t,
              keys, got, w[t], bound);
    }
}

/* p(d) of the page, its table from the real power. */
static i128 page_power(i128 d)
{
    const i128 j = (d >> 10) % 64, r = d % 1024;
    const i128 p0 = (i128)roundl(65536 * exp2l(-(long double)j / 64));
    const i128 p1 = (i128)roundl(65536 * exp2l(-(long double)(j + 1) / 64));

    return p0 - (p0 - p1) * r / 1024;
}

/* Section 8, steps 2 to 5, once more: bit for bit. */
static void softmax_is_the_page(void)
{
    for (int round = 0; round < 3000; round++) {
        const size_t keys = 1 + random_u64() % 60;
        const lpu_scale sq = random_scale(-24, -20), c = lpu_scale_from_real(M_LOG2E / sqrt(128));
        i128 z[60], e[60], u[60], top = 0, sum = 0, a = 0;
        int ev = -1000, b = 0;

        for (size_t t = 0; t < keys; t++) {
            at.acc[t] = (int32_t)random_signed(8 + round % 14);
            at.sk[t] = random_scale(-22, -21);
            at.sv[t] = random_u64() % 9 ? random_scale(-24, -10 - round % 12) : (lpu_scale){0, 0};
            const lpu_scale s = lpu_functional_mul(lpu_functional_mul(sq, c), at.sk[t]);
            z[t] = sat128(round128((i128)at.acc[t] * s.m, -16 - s.e));
            if (t == 0 || z[t] > top) top = z[t];
            if (at.sv[t].m && at.sv[t].e > ev) ev = at.sv[t].e;
        }
        for (size_t t = 0; t < keys; t++) {
            const i128 d = top - z[t];
            e[t] = d >= (i128)25 << 16 ? 0 : (256 * page_power(d)) >> (int)(d >> 16);
            sum += e[t];
            const int shift = ev - at.sv[t].e;
            u[t] = round128(e[t] * (at.sv[t].m == 0 || shift > 15 ? 0 : at.sv[t].m >> shift), 16);
            a = u[t] > a ? u[t] : a;
        }
        while (a >> b) b++;
        const lpu_scale so =
            lpu_functional_softmax(at.p, at.acc, keys, sq, c, at.sk, at.sv, at.work);
        const lpu_scale want = lpu_functional_div(
            lpu_functional_div(lpu_functional_norm((uint64_t)a, ev - 8), (lpu_scale){127 << 9, -9}),
            lpu_functional_norm((uint64_t)sum, -24));
        CHECK(so.m == want.m && so.e == want.e, "s_o is (%u, %d), expected (%u, %d)", so.m, so.e,
              want.m, want.e);
        for (size_t t = 0; t < keys; t++) {
            CHECK_EQ(at.p[t], a ? round128(u[t] * (((i128)127 << (b + 16)) / a), b + 16) : 0);
        }
    }
}

static void softmax_is_near_the_real_one(void)
{
    static const size_t sizes[] = {1, 2, 3, 17, 64, 512, 4096};

    for (int round = 0; round < 700; round++) {
        const size_t keys = sizes[round % 7];
        const lpu_scale sq = random_scale(-24, -20), c = lpu_scale_from_real(M_LOG2E / sqrt(128));
        const int width = 8 + round % 12; /* from flat to one-hot */

        for (size_t t = 0; t < keys; t++) {
            at.acc[t] = (int32_t)random_signed(width);
            at.sk[t] = random_scale(-22, -21);
            at.sv[t] = random_scale(-20, -18);
        }
        check_softmax(keys, sq, c);
        if (test_is_over) return;
    }
}

static void softmax_of_special_rows(void)
{
    const lpu_scale one = {32768, -15}, zero = {0, 0};
    lpu_scale so;

    for (size_t t = 0; t < N_MAX; t++) at.sk[t] = one, at.sv[t] = one, at.acc[t] = -12345;

    /* Equal scores: 1 / keys each, and a single key has it all. */
    for (size_t keys = 1; keys <= N_MAX; keys *= 2) {
        so = lpu_functional_softmax(at.p, at.acc, keys, one, one, at.sk, at.sv, at.work);
        for (size_t t = 0; t < keys; t++) CHECK_EQ(at.p[t], 127);
        CHECK(fabs(127 * real_of(so) * (double)keys - 1) < 4 * scale_ulp, "%zu keys", keys);
    }
    /* 2^-1 for one unit of log2, 2^-7 is the last that 127 steps can show; far keys are nothing. */
    for (int d = 0; d < 40; d++) {
        at.acc[0] = 40, at.acc[1] = 40 - d;
        lpu_functional_softmax(at.p, at.acc, 2, one, one, at.sk, at.sv, at.work);
        CHECK_EQ(at.p[0], 127);
        CHECK_EQ(at.p[1], lround(127 * exp2(-d)));
    }
    /* Extremes: the scores saturate, and the difference has 32 bits. */
    at.acc[0] = INT32_MAX, at.acc[1] = -INT32_MAX;
    so = lpu_functional_softmax(at.p, at.acc, 2, one, one, at.sk, at.sv, at.work);
    CHECK(at.p[0] == 127 && at.p[1] == 0 && fabs(127 * real_of(so) - 1) < 4 * scale_ulp,
          "extremes");

    /* Values without a scale weigh nothing, but stay in the sum. */
    at.acc[0] = at.acc[1] = 7, at.sv[1] = zero;
    so = lpu_functional_softmax(at.p, at.acc, 2, one, one, at.sk, at.sv, at.work);
    CHECK(at.p[0] == 127 && at.p[1] == 0 && fabs(127 * real_of(so) - 0.5) < 4 * scale_ulp, "half");
    at.sv[0] = zero;
    so = lpu_functional_softmax(at.p, at.acc, 2, one, one, at.sk, at.sv, at.work);
    CHECK(at.p[0] == 0 && at.p[1] == 0 && so.m == 0 && so.e == 0, "all value scales zero");

    /* A value scale 2^16 below the largest is nothing; 2^15 below keeps its first bit. */
    at.acc[0] = at.acc[1] = 0, at.sv[0] = (lpu_scale){32768, 0}, at.sv[1] = (lpu_scale){65535, 16};
    lpu_functional_softmax(at.p, at.acc, 2, one, one, at.sk, at.sv, at.work);
    CHECK(at.p[0] == 0 && at.p[1] == 127, "far value scales");

    /* e = 1 at a distance of exactly 24; a value scale 15 below keeps one bit, 16 below none. */
    at.acc[0] = 0, at.acc[1] = 24, at.sv[0] = (lpu_scale){32768, 15};
    at.sv[1] = (lpu_scale){32768, 0};
    lpu_functional_softmax(at.p, at.acc, 2, one, one, at.sk, at.sv, at.work);
    CHECK(at.p[0] == 0 && at.p[1] == 127, "a scale 15 below is lost");
    at.sv[1].e = -1;
    lpu_functional_softmax(at.p, at.acc, 2, one, one, at.sk, at.sv, at.work);
    CHECK(at.p[0] == 127 && at.p[1] == 0, "2^-24 is lost");
    at.acc[1] = 25;
    lpu_functional_softmax(at.p, at.acc, 2, one, one, at.sk, at.sv, at.work);
    CHECK(at.p[0] == 0 && at.p[1] == 0, "2^-25 is kept");
}

static void softmax_does_not_see_the_order(void)
{
    int8_t p[300];

    for (int round = 0; round < 100; round++) {
        for (int t = 0; t < 300; t++) {
            at.acc[t] = (int32_t)random_signed(16);
            at.sk[t] = random_scale(-22, -21);
            at.sv[t] = random_scale(-24, -15);
        }
        const lpu_scale c = lpu_scale_from_real(0.1), sq = random_scale(-24, -20);
        const lpu_scale a = lpu_functional_softmax(p, at.acc, 300, sq, c, at.sk, at.sv, at.work);
        for (int t = 0; t < 150; t++) {
            const int32_t acc = at.acc[t];
            const lpu_scale sk = at.sk[t], sv = at.sv[t];
            at.acc[t] = at.acc[299 - t], at.sk[t] = at.sk[299 - t], at.sv[t] = at.sv[299 - t];
            at.acc[299 - t] = acc, at.sk[299 - t] = sk, at.sv[299 - t] = sv;
        }
        const lpu_scale b = lpu_functional_softmax(at.p, at.acc, 300, sq, c, at.sk, at.sv, at.work);
        CHECK(a.m == b.m && a.e == b.e, "the scale depends on the order");
        for (int t = 0; t < 300; t++) CHECK_EQ(at.p[299 - t], p[t]);
    }
}

/* ---- section 9 ---- */

static double real_factor(double x, lpu_activation activation)
{
    switch (activation) {
    case LPU_ACT_RELU2: return x > 0 ? x : 0;
    case LPU_ACT_SILU: return x / (1 + exp(-x));
    default: return x / (1 + exp(-1.702 * x));
    }
}

static void check_gate(const int32_t *g, const int32_t *u, size_t n, lpu_activation activation)
{
    static int32_t h[N_MAX];
    static double f[N_MAX];
    const int32_t eh = lpu_functional_gate(h, g, u, n, activation);
    double f_max = 0, u_max = 0;

    for (size_t i = 0; i < n; i++) {
        f[i] = real_factor(ldexp(g[i], -16), activation);
        f_max = fmax(f_max, fabs(f[i]));
        if (u) u_max = fmax(u_max, fabs(ldexp(u[i], -16)));
    }
    for (size_t i = 0; i < n; i++) {
        const double right = u ? ldexp(u[i], -16) : 1, got = ldexp(h[i], eh);
        const bool is_square = activation == LPU_ACT_RELU2;
        const double want = f[i] * right * (is_square ? f[i] : 1);

        /* sig has 16 bits and is floored, the line adds 2^-16: 3 of 2^-16 of |g|, and X32's half;
         * 0 for squared ReLU. Then each factor is cut to 15 or 16 bits of the row's largest. */
        const double f_loss = (is_square ? 0 : 3 * 0x1p-16 * fabs(ldexp(g[i], -16)) + 0x1p-17) +
                              (u || is_square ? f_max * 1.01 * 0x1p-15 : 0);
        const double u_loss = u ? u_max * 0x1p-15 : 0, left = fabs(f[i]) + f_loss;
        const double bound =
            is_square ? (2 * left * f_loss) * fabs(right) + left * left * u_loss + ldexp(0.5, eh)
                      : f_loss * fabs(right) + left * u_loss;
        CHECK(fabs(got - want) <= bound * 1.001, "g %d u %d: %g, real %g, bound %g", g[i],
              u ? u[i] : 0, got, want, bound);
    }
}

static void gate_is_near_the_real_one(void)
{
    static int32_t g[N_MAX], u[N_MAX];

    for (int round = 0; round < 6000; round++) {
        const size_t n = 1 + random_u64() % 100;
        const lpu_activation activation = (lpu_activation)(round % 3);
        random_row(g, n, 1 + (round / 3) % 31);
        random_row(u, n, 1 + (int)(random_u64() % 31));
        check_gate(g, round % 4 ? u : NULL, n, activation);
        if (test_is_over) return;
    }
}

/* The sigmoid of section 9, once more: bit for bit. */
static void silu_and_gelu_are_the_page(void)
{
    for (int i = 0; i < 200000; i++) {
        const bool is_gelu = i & 1;
        const int32_t g = (int32_t)random_signed(i % 3 ? 20 : 31);
        const double slope = round(65536 * M_LOG2E * (is_gelu ? 1.702 : 1));
        const i128 y = round128((i128)llabs(g) * (i128)slope, 16);
        const i128 p = y >= (i128)17 << 16 ? 0 : page_power(y) >> (int)(y >> 16);
        i128 sig = ((i128)1 << 32) / (65536 + p);
        int32_t h;

        if (g < 0) sig = 65536 - sig;
        lpu_functional_gate(&h, &g, NULL, 1, is_gelu ? LPU_ACT_GELU : LPU_ACT_SILU);
        CHECK(h == round128(g * sig, 16), "g %d: %d, expected %d", g, h,
              (int)round128(g * sig, 16));
    }
}

static void silu_over_its_whole_range(void)
{
    static int32_t g[N_MAX], h[N_MAX];

    /* -20 to 20 in steps of 40 / 4096; far from zero it is 0 or the identity. */
    for (int i = 0; i < N_MAX; i++) g[i] = (int32_t)lround((i - 2048) * 40.0 / 4096 * 65536);
    check_gate(g, NULL, N_MAX, LPU_ACT_SILU);
    check_gate(g, NULL, N_MAX, LPU_ACT_GELU);
    if (test_is_over) return;

    const int32_t ends[] = {0, INT32_MAX, -INT32_MAX, 13 << 16, -(13 << 16)};
    for (lpu_activation activation = LPU_ACT_SILU; activation <= LPU_ACT_GELU; activation++) {
        if (activation == LPU_ACT_RELU2) continue;
        CHECK_EQ(lpu_functional_gate(h, ends, NULL, 5, activation), -16);
        CHECK_EQ(h[0], 0);
        CHECK_EQ(h[1], INT32_MAX);
        CHECK_EQ(h[2], 0);
        CHECK_EQ(h[3], 13 << 16); /* 2^-17 below one: rounds away */
        CHECK_EQ(h[4], 0);
    }
}

static void gate_in_place_and_at_the_ends(void)
{
    int32_t g[4] = {INT32_MAX, -INT32_MAX, 1 << 16, 0}, u[4] = {-INT32_MAX, INT32_MAX, 1 << 16, 5};
    int32_t h[4];

    for (int a = 0; a < 3; a++) {
        int32_t in_place[4];
        const int32_t eh = lpu_functional_gate(h, g, u, 4, (lpu_activation)a);
        memcpy(in_place, g, sizeof(g));
        CHECK_EQ(lpu_functional_gate(in_place, in_place, u, 4, (lpu_activation)a), eh);
        CHECK(!memcmp(h, in_place, sizeof(h)), "in place differs");
        CHECK_EQ(h[0], -(1 << 30)); /* -(2^15 2^15), the largest magnitude there is */
        CHECK_EQ(h[3], 0);
    }
    /* Squared ReLU of small integers is exact: 3 * 3 * 7 at eh = -48 + 15 needs no rounding at
     * 2^15. */
    const int32_t three[1] = {256 * 3}, seven[1] = {128 * 7};
    CHECK_EQ(lpu_functional_gate(h, three, seven, 1, LPU_ACT_RELU2), -33);
    CHECK_EQ(h[0], 256 * 9 * 7);
    CHECK_EQ(lpu_functional_gate(h, three, NULL, 1, LPU_ACT_RELU2), -32);
    CHECK_EQ(h[0], 65536 * 9);
}

/* ---- section 10 ---- */

static void residual_saturates(void)
{
    const lpu_scale one_x32 = {32768, -31}; /* one X32 unit per unit of acc */
    int32_t x[4] = {INT32_MAX, -INT32_MAX, 100, -100}, acc[4] = {1, -1, -300, 300};

    lpu_functional_residual(x, acc, 4, one_x32);
    CHECK_EQ(x[0], INT32_MAX);
    CHECK_EQ(x[1], -INT32_MAX);
    CHECK_EQ(x[2], -200);
    CHECK_EQ(x[3], 200);
    for (int i = 0; i < 20000; i++) {
        int32_t v = (int32_t)random_signed(31), a = (int32_t)random_signed(31);
        const lpu_scale s = random_scale(-50, -20);
        const i128 want = sat128(v + sat128(round128((i128)a * s.m, -16 - s.e)));
        lpu_functional_residual(&v, &a, 1, s);
        CHECK_EQ(v, want);
    }
}

static void argmax_takes_the_first(void)
{
    const int32_t v[] = {-5, 3, -INT32_MAX, 3, INT32_MAX, INT32_MAX};

    CHECK_EQ(lpu_functional_argmax(v, 1), 0);
    CHECK_EQ(lpu_functional_argmax(v, 4), 1);
    CHECK_EQ(lpu_functional_argmax(v, 6), 4);
    CHECK_EQ(lpu_functional_argmax(v + 2, 1), 0);
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
    RUN(softmax_is_near_the_real_one);
    RUN(softmax_is_the_page);
    RUN(softmax_of_special_rows);
    RUN(softmax_does_not_see_the_order);
    RUN(gate_is_near_the_real_one);
    RUN(silu_and_gelu_are_the_page);
    RUN(silu_over_its_whole_range);
    RUN(gate_in_place_and_at_the_ends);
    RUN(residual_saturates);
    RUN(argmax_takes_the_first);
    return test_failures != 0;
}
