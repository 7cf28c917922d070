/* tests/top/scalar_lockstep.cc - is lpu_scalar, and are its parts, the page, and in the cycles of
 * lpu_scalar.vh?
 *
 * Scales by sim/functional.c; R, the mean, eps and the root from workloads/arithmetic.md in 128
 * bits, as the page has them: nothing here is cut to the bits that count. Operands are drawn from
 * extremes and at random; a result and its cycle must both be right.
 *
 *   scalar_lockstep --seed N --jobs N
 */
#include "Vscalar_parts.h"
#include "verilated.h"

extern "C" {
#include "sim/functional.h"
}

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

using u128 = unsigned __int128;

enum job { QUANT, RMS, NORMQ, MUL, PROB, JOBS };

static const char *const job_names[JOBS] = {"QUANT", "RMS", "NORMQ", "MUL", "PROB"};
static const unsigned job_cycles[JOBS] = {CYCLES_QUANT, CYCLES_RMS, CYCLES_NORMQ, CYCLES_MUL,
                                          CYCLES_PROB}; /* scalar_test.sh reads lpu_scalar.vh */

/* ---- operands ---- */

static uint64_t random_state = 1;

static uint64_t draw()
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

/* An unsigned number of up to `width` bits: 0, 1, 2^k, 2^k - 1, 2^k + 1, all ones, of any length.
 */
static uint64_t draw_bits(unsigned width)
{
    const uint64_t mask = width == 64 ? ~UINT64_C(0) : (UINT64_C(1) << width) - 1;
    const uint64_t power = UINT64_C(1) << draw() % width;

    switch (draw() % 12) {
    case 0: return 0;
    case 1: return 1;
    case 2: return power;
    case 3: return power - 1;
    case 4: return (power + 1) & mask;
    case 5: return mask;
    case 6: return mask - 1;
    case 7: return ((power << 1) - 1 - (power >> 17)) & mask; /* near the carry of a rounding */
    case 8: return draw() & mask;
    default: return (draw() & mask) >> draw() % width;
    }
}

static int32_t draw_exponent()
{
    switch (draw() % 8) {
    case 0: return INT16_MAX;
    case 1: return INT16_MIN;
    case 2: return 0;
    case 3: return (int16_t)draw();
    default: return (int32_t)(draw() % 129) - 64;
    }
}

static lpu_scale draw_scale()
{
    const uint16_t mantissas[] = {0, 0x8000, 0x8001, 0xffff, 0xfffe, 127 << 9};
    const uint64_t pick = draw() % 12;
    const uint16_t m = pick < 6 ? mantissas[pick] : (uint16_t)(0x8000 | draw());

    return m ? lpu_scale{m, (int16_t)draw_exponent()} : lpu_scale{0, 0};
}

struct operands {
    job what;
    uint32_t a, n, limit;
    uint64_t sum;
    int16_t x;
    lpu_scale s1, s2;
};

static operands draw_operands()
{
    operands o{};

    o.what = (job)(draw() % JOBS);
    o.a = (uint32_t)draw_bits(32);
    o.sum = draw_bits(64);
    o.n = (uint32_t)draw_bits(22);
    o.limit = (uint32_t)(draw() % 8 ? 1 + draw() % 127 : 127);
    o.x = (int16_t)draw_exponent();
    o.s1 = draw_scale();
    o.s2 = draw_scale();
    if (o.what == NORMQ || o.what == PROB) o.limit = (uint32_t)draw() & 127; /* is not looked at */
    if (o.what != RMS) return o;

    /* n elements of at most 2^32 each; eps in the range in which it matters. */
    if (!o.n) o.n = 1;
    const uint64_t most = (uint64_t)o.n << 32;
    if (draw() % 8 == 0) o.sum = most - draw() % 3;
    if (o.sum > most) o.sum %= most + 1;
    if (draw() % 4) o.x = (int16_t)(draw() % 200 - 100);
    if (draw() % 2 && o.s1.m) o.s1.e = (int16_t)(2 * o.x - 8 + (int)(draw() % 80) - 20);
    return o;
}

/* ---- the page ---- */

struct results {
    uint32_t bits, r;
    lpu_scale s;
};

static uint32_t bits_of(u128 u)
{
    uint32_t n = 0;
    for (; u; u >>= 1) n++;
    return n;
}

static lpu_scale rms_of(const operands &o)
{
    u128 eps = 0;
    const int32_t shift = o.s1.e + 8 - 2 * o.x;

    if (o.s1.m && shift >= 60) eps = (u128)1 << 61;
    else if (shift > -20) eps = shift < 0 ? o.s1.m >> -shift : (u128)o.s1.m << shift;
    if (eps > (u128)1 << 61) eps = (u128)1 << 61;

    const u128 v = ((u128)o.sum << 8) / o.n + eps;
    const int32_t k = ((int32_t)62 - (int32_t)bits_of(v)) / 2;
    const u128 target = v << (2 * k);
    u128 low = 0, high = (u128)1 << 32; /* low^2 <= target < high^2 */
    while (high - low > 1) {
        const u128 middle = (low + high) / 2;
        if (middle * middle <= target) low = middle;
        else high = middle;
    }
    return lpu_functional_norm((uint64_t)low, o.x - 4 - k);
}

static results expected_of(const operands &o)
{
    const uint32_t limit = o.what == QUANT ? o.limit : 127;
    results e{};
    lpu_scale a, h;

    e.bits = bits_of(o.a);
    e.r = o.a ? (uint32_t)(((u128)limit << (e.bits + 16)) / o.a) : 0;
    a = lpu_functional_norm(o.a, o.x);
    h = lpu_functional_norm(limit, 0);
    switch (o.what) {
    case QUANT: e.s = lpu_functional_div(a, h); break;
    case RMS: e.s = rms_of(o); break;
    case NORMQ: e.s = lpu_functional_div(a, lpu_functional_mul(h, o.s1)); break;
    case MUL: e.s = lpu_functional_mul(o.s1, o.s2); break;
    default:
        e.s = lpu_functional_div(lpu_functional_div(a, h), lpu_functional_norm(o.sum, -24));
        break;
    }
    return e;
}

/* ---- the RTL ---- */

static uint32_t packed(lpu_scale s)
{
    return (uint32_t)(uint16_t)s.e << 16 | s.m;
}

static unsigned failures;

static void differ(const std::string &what, uint64_t found, uint64_t expected)
{
    if (failures++ < 10) {
        printf("# %s: found 0x%" PRIx64 ", expected 0x%" PRIx64 "\n", what.c_str(), found,
               expected);
    }
}

class bench
{
  public:
    explicit bench(uint64_t seed)
    {
        Verilated::randReset(2);
        Verilated::randSeed((int)seed);
        rtl = new Vscalar_parts;
        rtl->rst_ni = 0;
        rtl->start_i = 0;
        for (int i = 0; i < 3; i++) clock();
        rtl->rst_ni = 1;
        clock();
    }
    ~bench() { delete rtl; }

    void clock()
    {
        rtl->clk_i = 0;
        rtl->eval();
        rtl->clk_i = 1;
        rtl->eval();
    }

    /* The operands are there in the cycle of start alone; then others are. */
    void put(const operands &o, bool is_start)
    {
        rtl->start_i = is_start;
        rtl->job_i = o.what;
        rtl->a_i = o.a;
        rtl->sum_i = o.sum;
        rtl->n_i = o.n;
        rtl->limit_i = (uint8_t)o.limit;
        rtl->x_i = (uint16_t)o.x;
        rtl->s1_i = packed(o.s1);
        rtl->s2_i = packed(o.s2);
    }

    /* Runs a job; returns the cycle in which done_o rose, 0 being that of start. */
    unsigned run(const operands &o, const operands &behind)
    {
        unsigned cycles = 1;

        put(o, true);
        clock();
        put(behind, false);
        rtl->eval();
        for (; !rtl->done_o && cycles < 200; cycles++) clock();
        return cycles;
    }

    Vscalar_parts *rtl;
};

static std::string told(const operands &o)
{
    char text[200];
    snprintf(text, sizeof text,
             "%s a 0x%x sum 0x%" PRIx64 " n %u limit %u x %d s1 (0x%x, %d) s2 (0x%x, %d)",
             job_names[o.what], o.a, o.sum, o.n, o.limit, o.x, o.s1.m, o.s1.e, o.s2.m, o.s2.e);
    return text;
}

static void check_job(bench &b, const operands &o)
{
    const results e = expected_of(o);
    const unsigned cycles = b.run(o, draw_operands());

    if (cycles != job_cycles[o.what]) differ("cycles of " + told(o), cycles, job_cycles[o.what]);
    if (b.rtl->s_o != packed(e.s)) differ("s of " + told(o), b.rtl->s_o, packed(e.s));
    if (o.what == MUL || o.what == RMS) return;
    if (b.rtl->bits_o != e.bits) differ("bits of " + told(o), b.rtl->bits_o, e.bits);
    if (b.rtl->r_o != e.r) differ("R of " + told(o), b.rtl->r_o, e.r);
}

/* A result stays until the next start; a start in the midst of a job drops it. */
static void check_hold_and_restart(bench &b)
{
    const operands first = draw_operands();
    const results e = expected_of(first);

    b.run(first, draw_operands());
    for (uint64_t i = draw() % 50; i; i--) b.clock();
    if (!b.rtl->done_o || b.rtl->s_o != packed(e.s)) {
        differ("what is held of " + told(first), b.rtl->s_o, packed(e.s));
    }
    b.put(draw_operands(), true);
    b.clock();
    b.put(draw_operands(), false);
    for (uint64_t i = draw() % 30; i; i--) b.clock();
    check_job(b, draw_operands());
}

static void check_jobs(bench &b, uint64_t jobs)
{
    uint64_t done[JOBS] = {0};

    for (uint64_t i = 0; i < jobs; i++) {
        const operands o = draw_operands();
        check_job(b, o);
        done[o.what]++;
        if (i % 16 == 0) check_hold_and_restart(b);
    }
    printf("%s  lpu_scalar:", failures ? "not ok" : "ok    ");
    for (int j = 0; j < JOBS; j++)
        printf(" %" PRIu64 " %s in %u", done[j], job_names[j], job_cycles[j]);
    printf(" cycles\n");
}

/* Every R there can be of a row of one value in V32 that is small, for every limit. */
static void check_small_maxima(bench &b)
{
    const unsigned before = failures;

    for (uint32_t limit = 1; limit <= 127; limit++) {
        for (uint32_t a = 0; a < 300; a++) {
            operands o = draw_operands();
            o.what = QUANT, o.a = a, o.limit = limit;
            check_job(b, o);
        }
    }
    printf("%s  lpu_scalar: QUANT of every a below 300, every limit\n",
           failures != before ? "not ok" : "ok    ");
}

/* ---- the parts ---- */

static void check_norm(bench &b, uint64_t times)
{
    const unsigned before = failures;

    for (uint64_t i = 0; i < times; i++) {
        const uint64_t u = draw_bits(64), mask40 = (UINT64_C(1) << 40) - 1;
        const int32_t x = draw_exponent();
        const uint32_t bits = bits_of(u);

        b.rtl->u_i = u;
        b.rtl->x_i = (uint16_t)x;
        b.rtl->eval();
        const uint32_t e = packed(lpu_functional_norm(u, x));
        const uint32_t e40 = packed(lpu_functional_norm(u & mask40, x));
        const std::string who = "norm of " + std::to_string(u) + ", " + std::to_string(x);
        if (b.rtl->norm_o != e) differ(who, b.rtl->norm_o, e);
        if (b.rtl->norm40_o != e40) differ(who + ", 40 bits", b.rtl->norm40_o, e40);
        if (b.rtl->norm_bits_o != bits) differ(who + ", bits", b.rtl->norm_bits_o, bits);
        const uint64_t word = bits ? u << (64 - bits) : 0;
        if (b.rtl->norm_word_o != word) differ(who + ", word", b.rtl->norm_word_o, word);
    }
    printf("%s  lpu_scale_norm: %" PRIu64 " numbers of 64 and 40 bits\n",
           failures != before ? "not ok" : "ok    ", times);
}

/* A signed number of width bits, with the extremes often. */
static int64_t draw_signed(unsigned width)
{
    const uint64_t u = draw() % 4 == 0 ? UINT64_C(1) << (width - 1) : draw_bits(width);
    return (int64_t)(u << (64 - width)) >> (64 - width);
}

static void check_product(bench &b, uint64_t times)
{
    const unsigned before = failures;
    const uint64_t mask57 = (UINT64_C(1) << 57) - 1, mask49 = (UINT64_C(1) << 49) - 1;
    uint64_t pipe[5] = {0}; /* what the enabled clocks before this one were given; [0] the latest */
    uint64_t clocks = 0;

    for (uint64_t i = 0; i < times; i++) {
        const int64_t fa = draw_signed(32), fb = draw_signed(25);
        const int64_t low = (int64_t)((uint64_t)fb << 47) >> 47; /* its lower 17 bits */
        const std::string who = std::to_string(fa) + " times " + std::to_string(fb);

        b.rtl->fa_i = (uint32_t)fa;
        b.rtl->fb_i = (uint32_t)fb & 0x1ffffff;
        b.rtl->en_i = draw() % 4 != 0;
        b.rtl->eval();
        const uint64_t e = (uint64_t)(fa * low) & mask49;
        if (b.rtl->product_o != e) differ(who + ", 17 bits", b.rtl->product_o, e);
        if (b.rtl->en_i) {
            memmove(pipe + 1, pipe, sizeof pipe - sizeof *pipe);
            pipe[0] = (uint64_t)(fa * fb) & mask57;
            clocks++;
        }
        b.clock();
        if (clocks < 5) continue;
        if (b.rtl->product_q1_o != pipe[0]) differ(who, b.rtl->product_q1_o, pipe[0]);
        if (b.rtl->product_q5_o != pipe[4]) differ("before " + who, b.rtl->product_q5_o, pipe[4]);
    }
    printf("%s  lpu_shift_add: %" PRIu64
           " products of 32 x 17 and 32 x 25 bits, 0, 1 and 5 registers\n",
           failures != before ? "not ok" : "ok    ", times);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, jobs = 400000;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], nullptr, 0);
        else if (!strcmp(argv[i], "--jobs")) jobs = strtoull(argv[i + 1], nullptr, 0);
    }
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    bench b(seed);
    b.put(draw_operands(), false);
    b.rtl->en_i = 0;
    check_jobs(b, jobs);
    check_small_maxima(b);
    check_norm(b, jobs);
    check_product(b, jobs);
    return failures != 0;
}
