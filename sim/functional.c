/* sim/functional.c - the machine's reading of workloads/arithmetic.md, rule by rule.
 *
 * Written to be compared with the page: one function per rule, 64-bit integers, no floating point,
 * nothing fast. Shifts of negative numbers are arithmetic (floor), as every compiler in use has it.
 */
#include "sim/functional.h"

#include <assert.h>

/* ---- section 1: numbers ---- */

static const int64_t v32_max = INT32_MAX; /* magnitude of a V32 is below 2^31 */

static int32_t bits(uint64_t u)
{
    int32_t n = 0;
    for (; u; u >>= 1) n++;
    return n;
}

/* n >= 0, |v| < 2^62. */
static int64_t rsh(int64_t v, int32_t n)
{
    if (n >= 63) return 0;
    return n > 0 ? (v + (INT64_C(1) << (n - 1))) >> n : v;
}

static int32_t sat(int64_t v)
{
    return (int32_t)(v > v32_max ? v32_max : v < -v32_max ? -v32_max : v);
}

static uint32_t magnitude(int32_t v)
{
    return v < 0 ? 0U - (uint32_t)v : (uint32_t)v;
}

static uint32_t max_magnitude(const int32_t *v, size_t n)
{
    uint32_t a = 0;
    for (size_t i = 0; i < n; i++) {
        if (magnitude(v[i]) > a) a = magnitude(v[i]);
    }
    return a;
}

/* ---- section 2: scales ---- */

lpu_scale lpu_functional_norm(uint64_t u, int32_t e)
{
    const int32_t b = bits(u);

    if (u == 0) return (lpu_scale){0, 0};
    if (b <= 16) return (lpu_scale){(uint16_t)(u << (16 - b)), (int16_t)(e - (16 - b))};

    int32_t n = b - 16;
    uint64_t m = (u >> n) + (u >> (n - 1) & 1); /* rsh, without the carry out of 64 bits */
    if (m == 65536) {
        m = 32768;
        n++;
    }
    return (lpu_scale){(uint16_t)m, (int16_t)(e + n)};
}

lpu_scale lpu_functional_mul(lpu_scale a, lpu_scale b)
{
    return lpu_functional_norm((uint64_t)a.m * b.m, a.e + b.e);
}

lpu_scale lpu_functional_div(lpu_scale a, lpu_scale b)
{
    if (a.m == 0 || b.m == 0) return (lpu_scale){0, 0};
    return lpu_functional_norm(((uint64_t)a.m << 24) / b.m, a.e - b.e - 24);
}

int32_t lpu_functional_apply(int64_t v, lpu_scale s, int32_t x)
{
    const int64_t product = v * s.m; /* |v| < 2^40: below 2^56 */
    const int32_t left = s.e - x;

    assert(v > -(INT64_C(1) << 40) && v < INT64_C(1) << 40);
    if (product == 0) return 0;
    if (left <= 0) return sat(rsh(product, -left));
    if (left >= 31) return (int32_t)(product > 0 ? v32_max : -v32_max); /* 2^31 at the least */
    if (product > v32_max || product < -v32_max) return sat(product);
    return sat(product * (INT64_C(1) << left));
}

/* ---- section 3: quantise ---- */

uint32_t lpu_functional_quant(int8_t *q, const int32_t *t, size_t n, int32_t limit)
{
    const uint32_t a = max_magnitude(t, n);
    const int32_t b = bits(a);
    const int64_t r = a ? ((int64_t)limit << (b + 16)) / a : 0; /* at most limit * 2^17 */

    assert(limit >= 1 && limit <= 127);
    for (size_t i = 0; i < n; i++) q[i] = (int8_t)rsh(t[i] * r, b + 16);
    return a;
}

/* The scale that takes q back to t: (a * 2^x) / limit. */
static lpu_scale dequant_scale(uint32_t a, int32_t x, int32_t limit)
{
    return lpu_functional_div(lpu_functional_norm(a, x), lpu_functional_norm((uint64_t)limit, 0));
}

/* ---- section 4: norm ---- */

/* floor(sqrt(v)), one bit of the root at a time, from the top; v < 2^62. */
static uint64_t root_of(uint64_t v)
{
    uint64_t root = 0;

    for (int bit = 30; bit >= 0; bit--) {
        const uint64_t trial = root | UINT64_C(1) << bit;
        if (trial * trial <= v) root = trial;
    }
    return root;
}

/* floor(eps.m * 2^shift), not above 2^61. */
static uint64_t eps_term(lpu_scale eps, int32_t shift)
{
    if (eps.m == 0 || shift <= -16) return 0;
    if (shift < 0) return (uint64_t)eps.m >> -shift;
    if (shift >= 46) return UINT64_C(1) << 61; /* m >= 2^15 */
    return (uint64_t)eps.m << shift;
}

/* Steps 1 to 3. */
static lpu_scale rms_of(const int32_t *x, size_t n, int32_t ex, lpu_scale eps)
{
    assert(n > 0 && n < (1U << 22)); /* the sum of squares: below 2^54 */

    const int32_t spare = bits(max_magnitude(x, n)) - 16;
    const int32_t sh = spare > 0 ? spare : 0;
    uint64_t ss = 0;

    for (size_t i = 0; i < n; i++) {
        const int64_t z = rsh(x[i], sh); /* |z| <= 2^16 */
        ss += (uint64_t)(z * z);
    }
    const uint64_t v = (ss << 8) / n + eps_term(eps, eps.e + 8 - 2 * (ex + sh));
    const int32_t k = (62 - bits(v)) / 2;
    return lpu_functional_norm(root_of(v << (2 * k)), ex + sh - 4 - k);
}

lpu_scale lpu_functional_normq(int8_t *q, const int32_t *x, size_t n, int32_t ex,
                               const int16_t *gain, int32_t gain_exponent, lpu_scale eps)
{
    if (!gain) return dequant_scale(lpu_functional_quant(q, x, n, 127), ex, 127);

    const lpu_scale rms = rms_of(x, n, ex, eps);

    /* t[i] = rsh(x[i] g[i], 15) is computed twice, so that no row of t need be held. */
    uint32_t a = 0;
    for (size_t i = 0; i < n; i++) {
        const uint32_t t = magnitude((int32_t)rsh((int64_t)x[i] * gain[i], 15));
        if (t > a) a = t;
    }
    const int32_t b = bits(a);
    const int64_t r = a ? (INT64_C(127) << (b + 16)) / a : 0;
    for (size_t i = 0; i < n; i++) {
        q[i] = (int8_t)rsh(rsh((int64_t)x[i] * gain[i], 15) * r, b + 16);
    }
    return lpu_functional_div(lpu_functional_norm(a, ex + gain_exponent + 15),
                              lpu_functional_mul(lpu_functional_norm(127, 0), rms));
}

/* ---- sections 5 to 7: products, embedding, RoPE ---- */

void lpu_functional_dequant(int32_t *y, const int32_t *acc, size_t m, size_t n, const lpu_scale *sx,
                            const lpu_scale *sw, size_t w_count)
{
    assert(w_count == 1 || w_count == n);
    for (size_t row = 0; row < m; row++) {
        for (size_t i = 0; i < n; i++) {
            const lpu_scale s = lpu_functional_mul(sx[row], sw[w_count == 1 ? 0 : i]);
            y[row * n + i] = lpu_functional_apply(acc[row * n + i], s, -16);
        }
    }
}

void lpu_functional_embed(int32_t *x, const int8_t *v, size_t n, lpu_scale row_scale)
{
    for (size_t i = 0; i < n; i++) x[i] = lpu_functional_apply(v[i], row_scale, -16);
}

void lpu_functional_rope(int32_t *x, size_t n, const int16_t *rope)
{
    for (size_t i = 0; i < n / 2; i++) {
        const int64_t a = x[i], b = x[i + n / 2], c = rope[2 * i], s = rope[2 * i + 1];

        x[i] = sat(rsh(a * c - b * s, 14));
        x[i + n / 2] = sat(rsh(a * s + b * c, 14));
    }
}

/* ---- section 8: attention ---- */

lpu_scale lpu_functional_quant_head(int8_t *q, const int32_t *x, size_t n, int32_t limit)
{
    return dequant_scale(lpu_functional_quant(q, x, n, limit), -16, limit);
}

/* P[j] = round(2^16 * 2^(-j/64)). No real value is within 0.01 of a half. */
static const int32_t power_table[65] = {
    65536, 64830, 64132, 63441, 62757, 62081, 61413, 60751, 60097, 59449, 58809, 58176, 57549,
    56929, 56316, 55709, 55109, 54515, 53928, 53347, 52773, 52204, 51642, 51085, 50535, 49991,
    49452, 48920, 48393, 47871, 47356, 46846, 46341, 45842, 45348, 44859, 44376, 43898, 43425,
    42958, 42495, 42037, 41584, 41136, 40693, 40255, 39821, 39392, 38968, 38548, 38133, 37722,
    37316, 36914, 36516, 36123, 35734, 35349, 34968, 34591, 34219, 33850, 33486, 33125, 32768,
};

/* 2^16 * 2^(-f), f the 16 fractional bits of d: a line between two entries of the table. */
static int64_t power(uint64_t d)
{
    const uint64_t j = d >> 10 & 63;
    const int64_t r = (int64_t)(d & 1023);

    return power_table[j] - ((power_table[j] - power_table[j + 1]) * r >> 10);
}

/* Steps 2 and 3: e[t] with 24 fractional bits, and their sum. */
static uint64_t exponentials(int64_t *e, const int32_t *acc, size_t keys, lpu_scale s,
                             const lpu_scale *sk)
{
    int64_t top = INT64_MIN;
    uint64_t sum = 0;

    for (size_t t = 0; t < keys; t++) {
        e[t] = lpu_functional_apply(acc[t], lpu_functional_mul(s, sk[t]), -16);
        if (e[t] > top) top = e[t];
    }
    for (size_t t = 0; t < keys; t++) {
        const uint64_t d = (uint64_t)(top - e[t]);

        e[t] = d >> 16 >= 25 ? 0 : (power(d) << 8) >> (d >> 16);
        sum += (uint64_t)e[t];
    }
    return sum;
}

/* Step 4: e becomes u, the probabilities times the scales of the values. Returns ev. */
static int32_t weigh(int64_t *e, const lpu_scale *sv, size_t keys)
{
    int32_t ev = INT32_MIN;

    for (size_t t = 0; t < keys; t++) {
        if (sv[t].m > 0 && sv[t].e > ev) ev = sv[t].e;
    }
    for (size_t t = 0; t < keys; t++) {
        const int64_t shift = (int64_t)ev - sv[t].e;
        const int64_t w = sv[t].m == 0 || shift >= 16 ? 0 : sv[t].m >> shift;

        e[t] = rsh(e[t] * w, 16);
    }
    return ev;
}

lpu_scale lpu_functional_softmax(int8_t *p, const int32_t *acc, size_t keys, lpu_scale sq,
                                 lpu_scale score_scale, const lpu_scale *sk, const lpu_scale *sv,
                                 int64_t *work)
{
    const lpu_scale s = lpu_functional_mul(sq, score_scale);
    const uint64_t sum = exponentials(work, acc, keys, s, sk);
    const int32_t ev = weigh(work, sv, keys);

    /* Step 5. u is below 2^24 + 1, so the row of section 3 is at hand as it is. */
    uint64_t a = 0;
    for (size_t t = 0; t < keys; t++) {
        if ((uint64_t)work[t] > a) a = (uint64_t)work[t];
    }
    const int32_t b = bits(a);
    const int64_t r = a ? (INT64_C(127) << (b + 16)) / (int64_t)a : 0;
    for (size_t t = 0; t < keys; t++) p[t] = (int8_t)rsh(work[t] * r, b + 16);
    if (a == 0) return (lpu_scale){0, 0};

    return lpu_functional_div(dequant_scale((uint32_t)a, ev - 8, 127),
                              lpu_functional_norm(sum, -24));
}

/* ---- section 9: gate ---- */

/* g * sigmoid(c g), slope = round(2^16 c log2 e): g / (1 + 2^-y), y = |g| c log2 e. */
static int32_t sigmoid_unit(int32_t g, int64_t slope)
{
    const uint64_t y = (uint64_t)rsh((int64_t)magnitude(g) * slope, 16);
    const int64_t p = y >> 16 >= 17 ? 0 : power(y) >> (y >> 16);
    const int64_t above = (INT64_C(1) << 32) / (65536 + p); /* 2^15 to 2^16: of |g| */
    const int64_t sig = g < 0 ? 65536 - above : above;

    return (int32_t)rsh(g * sig, 16);
}

static int32_t left_factor(int32_t g, lpu_activation activation)
{
    switch (activation) {
    case LPU_ACT_RELU2: return g > 0 ? g : 0;
    case LPU_ACT_SILU: return sigmoid_unit(g, 94548);  /* round(2^16 log2 e) */
    case LPU_ACT_GELU: return sigmoid_unit(g, 160921); /* round(2^16 * 1.702 log2 e) */
    }
    assert(!"an activation of the enum");
    return 0;
}

/* max(0, bits(a) - 15): the shift that leaves 16-bit factors. */
static int32_t shift_of(uint32_t a)
{
    const int32_t b = bits(a);
    return b > 15 ? b - 15 : 0;
}

int32_t lpu_functional_gate(int32_t *h, const int32_t *g, const int32_t *u, size_t n,
                            lpu_activation activation)
{
    for (size_t i = 0; i < n; i++) h[i] = left_factor(g[i], activation);
    if (!u && activation != LPU_ACT_RELU2) return -16;

    const bool is_square = activation == LPU_ACT_RELU2;
    const int32_t sg = shift_of(max_magnitude(h, n));
    const int32_t su = u ? shift_of(max_magnitude(u, n)) : 0;

    for (size_t i = 0; i < n; i++) {
        const int64_t left = rsh(h[i], sg); /* |left|, |right| <= 2^15 */
        const int64_t right = u ? rsh(u[i], su) : 0;

        if (!u) {
            h[i] = (int32_t)(left * left);
        } else {
            h[i] = (int32_t)(is_square ? rsh(left * left * right, 15) : left * right);
        }
    }
    if (!u) return 2 * (sg - 16);
    return is_square ? 2 * (sg - 16) + (su - 16) + 15 : (sg - 16) + (su - 16);
}

/* ---- section 10: residual, head ---- */

void lpu_functional_residual(int32_t *x, const int32_t *acc, size_t n, lpu_scale s)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = sat((int64_t)x[i] + lpu_functional_apply(acc[i], s, -16));
    }
}

size_t lpu_functional_argmax(const int32_t *logits, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        if (logits[i] > logits[best]) best = i;
    }
    return best;
}
