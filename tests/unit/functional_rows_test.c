/* tests/unit/functional_rows_test.c - sections 8 to 10 of workloads/arithmetic.md: attention, gate,
 * residual and head, by the same two kinds of oracle as in functional_test.c.
 */
#include "tests/unit/functional_oracle.h"

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
