/* tests/top/vector_work.cc - instructions of every operation: shapes around the number of lanes,
 * values around their extremes, rows apart or in place, equal maxima, powers at their ends.
 */
#include "tests/top/vector_work.hh"

extern "C" {
#include "sim/layout.h"
}

#include <cstring>
#include <vector>

/* ---- random ---- */

static uint64_t random_state = 1;

void seed_random(uint64_t seed)
{
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static uint64_t draw()
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

uint32_t below(uint32_t n)
{
    return static_cast<uint32_t>((draw() >> 32) % n);
}

bool one_in(uint32_t n)
{
    return below(n) == 0;
}

uint32_t between(uint32_t a, uint32_t b)
{
    return a + below(b - a + 1);
}

/* ---- operands ---- */

static uint8_t *scratch;   /* that of the execution */
static bool is_score_unit; /* the scale of scores is 1 */

template <class T> static void put(uint32_t at, T value)
{
    memcpy(scratch + at, &value, sizeof(value));
}

/* A value of about `bits` bits, never -2^31. */
static int32_t draw_v32(uint32_t bits)
{
    if (bits == 0) return 0;
    const int64_t most = (INT64_C(1) << bits) - 1;
    int64_t v = one_in(12) ? most : static_cast<int64_t>(draw() >> 8) % (most + 1);
    if (one_in(20)) v = one_in(2) ? 0 : 1;
    return static_cast<int32_t>(draw() & 1 ? v : -v);
}

/* count values; each run of n has a magnitude of its own. */
static void fill_v32(uint32_t at, uint32_t count, uint32_t n)
{
    uint32_t bits = 31;
    for (uint32_t i = 0; i < count; i++) {
        if (i % n == 0) bits = one_in(6) ? 0 : one_in(3) ? 31 : between(1, 31);
        put(at + 4 * i, draw_v32(bits));
    }
}

lpu_scale draw_scale(int32_t low, int32_t high)
{
    lpu_scale s = {0, 0};
    if (one_in(10)) return s;
    s.m = static_cast<uint16_t>(one_in(8) ? 65535 : one_in(8) ? 32768 : between(32768, 65535));
    s.e = static_cast<int16_t>(low +
                               static_cast<int32_t>(below(static_cast<uint32_t>(high - low + 1))));
    return s;
}

static void fill_scales(uint32_t at, uint32_t count, int32_t low, int32_t high)
{
    for (uint32_t i = 0; i < count; i++) put(at + 4 * i, draw_scale(low, high));
}

static uint32_t draw_side()
{
    if (one_in(12)) return between(8 * LANES, 13 * LANES); /* rows that hide each other's waits */
    switch (below(6)) {
    case 0: return between(1, 3);
    case 1: return LANES - 1 + below(3);
    case 2: return LANES * between(1, 4);
    case 3: return between(1, LANES);
    default: return between(1, 5 * LANES + 3);
    }
}

static uint32_t align4(uint32_t bytes)
{
    return (bytes + 3) / 4 * 4;
}

/* ---- instructions ---- */

/* Rows of a: contiguous, or apart and behind the first `behind` elements. */
static void draw_rows(lpu_insn *i, uint32_t behind, bool is_plain)
{
    i->a_off = 0;
    i->a_stride = i->m_inner * i->n;
    if (is_plain) return;
    i->a_off = behind + below(9);
    i->a_stride += below(7);
}

static void draw_dst(lpu_insn *i, uint32_t behind, bool is_plain)
{
    i->d_stride = i->m_inner * i->n;
    if (is_plain) return;
    i->d_off = behind + below(9);
    i->d_stride += below(7);
}

static void make_embed(work *w)
{
    lpu_insn *i = &w->insn;
    i->planes = static_cast<uint8_t>(between(1, 5));
    draw_dst(i, 0, one_in(2));
    const uint32_t plane = static_cast<uint32_t>(lpu_ternary_bytes(code, i->n));
    const uint32_t bytes = i->m * i->planes * plane;
    for (uint32_t at = 0; at < bytes; at += plane) {
        std::vector<int8_t> trits(i->n);
        const bool is_top = one_in(4);
        for (auto &t : trits) t = static_cast<int8_t>(is_top ? 1 : static_cast<int>(below(3)) - 1);
        lpu_ternary_encode(code, scratch + w->base[1] + at, trits.data(), i->n);
    }
    fill_scales(w->base[1] + align4(bytes), i->m, -40, one_in(4) ? 20 : -10);
}

static void make_normq(work *w)
{
    lpu_insn *i = &w->insn;
    const uint32_t behind = i->m * i->n + i->m + 4;
    const bool is_plain = one_in(2);
    draw_rows(i, behind, is_plain);
    draw_dst(i, 5 * behind, one_in(2));
    fill_v32(w->base[1], i->a_off + i->a_stride * (i->m / i->m_inner), i->n);
    if (one_in(2)) {
        i->flags |= LPU_FLAG_EXPONENT;
        for (uint32_t r = 0; r < i->m; r++) {
            put(w->base[1] + 4 * (i->m * i->n + r), static_cast<int32_t>(below(120)) - 100);
        }
    }
    if (one_in(3)) {
        i->b = LPU_BUFFER_NONE;
        return;
    }
    i->scale.e = static_cast<int16_t>(static_cast<int>(below(40)) - 30);
    const bool is_flat = one_in(4), is_small = one_in(4);
    for (uint32_t k = 0; k < i->n; k++) {
        const int32_t g = is_flat ? 32767 : static_cast<int32_t>(below(65535)) - 32767;
        put(w->base[2] + 2 * k, static_cast<int16_t>(is_small ? g / 4096 : g));
    }
}

static void make_scaled(work *w)
{
    lpu_insn *i = &w->insn;
    i->mode = i->op == LPU_INSN_dequant && one_in(3);
    i->scale = draw_scale(-40, 10);
    i->k = below(40);
    draw_rows(i, 0, one_in(2));
    draw_dst(i, 0, one_in(2));
    if (i->op == LPU_INSN_dequant && one_in(2)) { /* in place */
        i->dst = i->a;
        w->base[0] = w->base[1];
        i->d_off = i->a_off;
        i->d_stride = i->a_stride;
    }
    if (i->op == LPU_INSN_residual) {
        fill_v32(w->base[0], i->d_off + i->d_stride * (i->m / i->m_inner), i->n);
    }
    fill_v32(w->base[1], i->a_off + i->a_stride * (i->m / i->m_inner), i->n);
    fill_scales(w->base[2] + align4(i->m * i->k), i->m, -40, one_in(4) ? 30 : 0);
}

static void make_rope(work *w)
{
    lpu_insn *i = &w->insn;
    const uint32_t tokens = i->m / i->m_inner;
    i->k = one_in(3) ? 1 : tokens;
    draw_rows(i, 0, one_in(2));
    fill_v32(w->base[1], i->a_off + i->a_stride * tokens, i->n);
    for (uint32_t k = 0; k < i->n * (i->k > 1 ? tokens : 1); k++) {
        const int32_t v = one_in(6)   ? 32767
                          : one_in(6) ? -32768
                                      : static_cast<int32_t>(below(32769)) - 16384;
        put(w->base[2] + 2 * k, static_cast<int16_t>(v));
    }
}

static void make_quant(work *w)
{
    lpu_insn *i = &w->insn;
    draw_rows(i, 0, one_in(2));
    draw_dst(i, i->m * i->n + 4 * i->m + 4, one_in(2));
    fill_v32(w->base[1], i->a_off + i->a_stride * (i->m / i->m_inner), i->n);
}

static void make_kvpack(work *w)
{
    lpu_insn *i = &w->insn;
    const lpu_format format = {1, static_cast<uint32_t>(lpu_ternary_per_byte(code)), 1};
    if (one_in(3)) i->n = between(1, 3 * (ROWS > COLS ? ROWS : COLS));
    i->mode = static_cast<uint8_t>(below(2));
    i->planes = static_cast<uint8_t>(between(1, 5));
    draw_rows(i, 0, one_in(2));
    const lpu_cut cut = i->mode ? lpu_cut_blocks(&format, i->n, ROWS, (i->n + ROWS - 1) / ROWS)
                                : lpu_cut_ktiles(&format, i->n, COLS);
    uint32_t words[3];
    memcpy(words, &cut, sizeof(words));
    i->seg_bytes = words[0];
    i->segs = words[1];
    i->stride = words[2];
    fill_v32(w->base[1], i->a_off + i->a_stride * (i->m / i->m_inner), i->n);
}

static void make_softmax(work *w)
{
    lpu_insn *i = &w->insn;
    const uint32_t tokens = i->m / i->m_inner;
    if (i->n < tokens) i->n = tokens;
    i->k = one_in(3) ? i->n - tokens : below(i->n - tokens + 1);
    i->a_off = below(5);
    i->a_stride = i->m_inner + below(4);
    i->d_stride = below(20);
    i->d_off = below(30);
    const uint32_t bits = one_in(3) ? 31 : between(1, 24);
    for (uint32_t k = 0; k < i->m * i->n; k++) put(w->base[1] + 4 * k, draw_v32(bits));
    const uint32_t queries = i->a_off + i->a_stride * tokens;
    fill_scales(w->base[2] + align4(i->d_stride * i->d_off), queries, one_in(3) ? -40 : -20, -10);
    fill_scales(w->base[3], i->n, -24, -10);
    const int32_t low = one_in(3) ? -40 : -20;
    for (uint32_t k = 0; k < i->n; k++) put(w->base[3] + 4 * (i->n + k), draw_scale(low, -10));
    if (one_in(8)) memset(scratch + w->base[3] + 4 * i->n, 0, 4 * i->n);
    if (!is_score_unit || one_in(2)) return;
    /* Scores are whole: powers are 2^-k to the last k that counts, and past it. */
    for (uint32_t k = 0; k < i->m * i->n; k++) put(w->base[1] + 4 * k, below(30));
    for (uint32_t k = 0; k < queries; k++)
        put(w->base[2] + align4(i->d_stride * i->d_off) + 4 * k, unit);
    for (uint32_t k = 0; k < i->n; k++) put(w->base[3] + 4 * k, unit);
}

static void make_gate(work *w)
{
    lpu_insn *i = &w->insn;
    const uint32_t behind = i->m * i->n + i->m;
    i->mode = static_cast<uint8_t>(below(3));
    draw_rows(i, 0, one_in(2));
    draw_dst(i, behind, one_in(2));
    if (one_in(2)) { /* in place */
        i->dst = i->a;
        w->base[0] = w->base[1];
        draw_rows(i, behind, i->d_off == 0);
        i->d_off = i->a_off;
        i->d_stride = i->a_stride;
    }
    if (one_in(3)) i->b = LPU_BUFFER_NONE;
    fill_v32(w->base[1], i->a_off + i->a_stride * (i->m / i->m_inner), i->n);
    fill_v32(w->base[2], i->m * i->n, i->n);
    const uint32_t elems = i->a_off + i->a_stride * (i->m / i->m_inner);
    if (one_in(3)) { /* where the sigmoid moves */
        for (uint32_t k = 0; k < elems; k++) put(w->base[1] + 4 * k, draw_v32(between(14, 20)));
    } else if (one_in(2)) { /* where the argument of the power passes 2^31, and 2^32 */
        const int32_t edge = static_cast<int32_t>((INT64_C(1) << between(47, 48)) / 160921);
        for (uint32_t k = 0; k < elems; k++) {
            const int32_t g = edge - 100 + static_cast<int32_t>(below(400000));
            put(w->base[1] + 4 * k, one_in(2) ? g : -g);
        }
    }
}

static void make_argmax(work *w)
{
    lpu_insn *i = &w->insn;
    i->k = below(30);
    i->d_off = below(1000);
    if (one_in(2)) i->flags |= LPU_FLAG_FIRST;
    draw_rows(i, 0, one_in(2));
    fill_v32(w->base[1], i->a_off + i->a_stride * (i->m / i->m_inner), i->n);
    if (one_in(3)) { /* many equals */
        for (uint32_t k = 0; k < i->a_off + i->a_stride * (i->m / i->m_inner); k++) {
            put(w->base[1] + 4 * k, static_cast<int32_t>(below(3)) - 1);
        }
    }
    const bool is_flat = one_in(2);
    fill_scales(w->base[2] + align4(i->m * i->k), i->m, -30, 0);
    for (uint32_t k = 0; k < i->n; k++) {
        const lpu_scale flat = {32768, -16};
        put(w->base[3] + 4 * k, is_flat ? flat : draw_scale(-30, 0));
    }
    for (uint32_t r = 0; r < i->m; r++) {
        put(w->base[0] + 8 * r, below(1000));
        put(w->base[0] + 8 * r + 4, one_in(2) ? 0 : draw_v32(31));
    }
}

work make(uint8_t *into, uint32_t zone, uint8_t op, bool is_unit)
{
    static void (*const make_of[LPU_INSN_OPS])(work *) = {
        nullptr,    nullptr,     nullptr,      nullptr,     nullptr,     nullptr,
        nullptr,    make_embed,  make_normq,   make_scaled, make_scaled, make_rope,
        make_quant, make_kvpack, make_softmax, make_gate,   make_argmax};
    work w = {};
    lpu_insn *i = &w.insn;

    scratch = into;
    is_score_unit = is_unit;
    i->op = op;
    i->dst = static_cast<uint8_t>(4 * zone);
    i->a = static_cast<uint8_t>(4 * zone + 1);
    i->b = static_cast<uint8_t>(4 * zone + 2);
    i->c = static_cast<uint8_t>(4 * zone + 3);
    w.base[0] = zone * ZONE_BYTES + D_AT;
    w.base[1] = zone * ZONE_BYTES + A_AT;
    w.base[2] = zone * ZONE_BYTES + B_AT;
    w.base[3] = zone * ZONE_BYTES + C_AT;
    i->m_inner = one_in(3) ? 1 : between(1, 4);
    i->m = i->m_inner * between(1, one_in(4) ? 9 : 3);
    i->n = draw_side();
    make_of[op](&w);
    return w;
}
