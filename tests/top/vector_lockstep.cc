/* tests/top/vector_lockstep.cc - is lpu_vector its page and its cycles, on every operation?
 *
 * Batches of random instructions go to the RTL and to lpu_exec. When all have retired, every byte
 * of the scratchpad must be equal, and each must have retired in the cycle of
 * lpu_cost_vector_cycles after its start. Shapes are drawn around the number of lanes, values
 * around their extremes.
 *
 *   vector_lockstep NAME [--seed N] [--batches N] [--op N]
 */
#include "Vlpu_vector.h"
#include "verilated.h"

extern "C" {
#include "sim/cost.h"
#include "sim/exec.h"
}

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

enum { LANES = VECTOR_LANES, ROWS = VECTOR_ROWS, COLS = VECTOR_COLS, PORT = 4 * LANES };
enum { ZONES = 6, ZONE_BYTES = 1 << 18, SCRATCH_BYTES = ZONES * ZONE_BYTES, GUARD_BYTES = 4096 };
enum { A_AT = 0, B_AT = 1 << 16, C_AT = 2 << 16, D_AT = 3 << 16, BUFFER_BYTES = 1 << 16 };
enum { WHOLE = 31, TIMEOUT_CYCLES = 200000 };

static const lpu_code code = VECTOR_CODE ? LPU_CODE_T2 : LPU_CODE_BASE3;

/* ---- random ---- */

static uint64_t random_state = 1;

static uint64_t draw()
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t below(uint32_t n)
{
    return static_cast<uint32_t>((draw() >> 32) % n);
}

static bool one_in(uint32_t n)
{
    return below(n) == 0;
}

static uint32_t between(uint32_t a, uint32_t b)
{
    return a + below(b - a + 1);
}

/* ---- operands ---- */

static uint8_t *scratch;   /* that of the execution */
static bool is_score_unit; /* the scale of scores is 1 */
static const lpu_scale unit = {32768, -15};

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

static lpu_scale draw_scale(int32_t low, int32_t high)
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

struct work {
    lpu_insn insn;
    uint32_t base[4]; /* dst, a, b, c: bytes */
};

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
    } else if (one_in(3)) { /* where the argument of the power passes 2^32 */
        const int32_t edge = static_cast<int32_t>((INT64_C(1) << 48) / 160921);
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

static work make(uint32_t zone, uint8_t op)
{
    static void (*const make_of[LPU_INSN_OPS])(work *) = {
        nullptr,    nullptr,     nullptr,      nullptr,     nullptr,     nullptr,
        nullptr,    make_embed,  make_normq,   make_scaled, make_scaled, make_rope,
        make_quant, make_kvpack, make_softmax, make_gate,   make_argmax};
    work w = {};
    lpu_insn *i = &w.insn;

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

/* ---- the RTL and its scratchpad ---- */

struct bench {
    Vlpu_vector *top;
    std::vector<uint8_t> memory;
    uint64_t now = 0, illegal = 0;
    std::string error;
};

/* What a port presents in a cycle is taken at its end. */
struct port_read {
    bool is_on;
    uint32_t at;
};

template <class P> static void answer(const bench *b, P &data, port_read r, uint32_t bytes)
{
    if (r.is_on) memcpy(&data, &b->memory[r.at], bytes);
}

template <class P>
static void take_write(bench *b, bool is_on, uint32_t at, uint32_t bytes, P &data)
{
    if (!is_on) return;
    if (at >= SCRATCH_BYTES || bytes > PORT || bytes == 0 || at + bytes > SCRATCH_BYTES) {
        b->error = "writes " + std::to_string(bytes) + " bytes at " + std::to_string(at);
        return;
    }
    memcpy(&b->memory[at], &data, bytes);
}

/* One clock: outputs of the cycle are in top before the call. */
static void clock_edge(bench *b)
{
    Vlpu_vector *t = b->top;
    const port_read a = {t->a_ren_o != 0, t->a_raddr_o}, rb = {t->b_ren_o != 0, t->b_raddr_o},
                    s = {t->s_ren_o != 0, t->s_raddr_o};
    for (const port_read &r : {a, rb, s}) {
        if (r.is_on && r.at >= SCRATCH_BYTES) b->error = "reads at " + std::to_string(r.at);
    }
    if (!b->error.empty()) return;
    b->illegal += t->ev_illegal_o;
    t->clk_i = 1;
    t->eval();
    /* Reads see the bytes before the writes of their cycle. */
    decltype(t->a_rdata_i) a_data = t->a_rdata_i, b_data = t->b_rdata_i;
    uint32_t s_data = t->s_rdata_i;
    answer(b, a_data, a, PORT);
    answer(b, b_data, rb, PORT);
    answer(b, s_data, s, 4);
    t->a_rdata_i = a_data;
    t->b_rdata_i = b_data;
    t->s_rdata_i = s_data;
    t->clk_i = 0;
    t->eval();
    b->now++;
}

static void step(bench *b)
{
    Vlpu_vector *t = b->top;
    /* Writes of this cycle land after this cycle's reads have been sampled. */
    const bool v_on = t->v_wvalid_o, s_on = t->s_wvalid_o;
    const uint32_t v_at = t->v_waddr_o, s_at = t->s_waddr_o, v_bytes = t->v_wbytes_o;
    const uint32_t s_bytes = t->s_wbytes_o, s_data = t->s_wdata_o;
    auto v_data = t->v_wdata_o;
    clock_edge(b);
    take_write(b, v_on, v_at, v_bytes, v_data);
    take_write(b, s_on, s_at, s_bytes, s_data);
}

static void reset(bench *b)
{
    Vlpu_vector *t = b->top;
    t->rst_ni = 0;
    t->clk_i = 0;
    t->push_valid_i = 0;
    t->eval();
    t->clk_i = 1;
    t->eval();
    t->clk_i = 0;
    t->rst_ni = 1;
    t->eval();
}

static void present(Vlpu_vector *t, const work *w, uint32_t tag)
{
    uint8_t bytes[LPU_INSN_BYTES];
    lpu_insn_encode(bytes, &w->insn);
    memcpy(&t->push_insn_i, bytes, sizeof(bytes));
    t->push_dst_i = w->base[0];
    t->push_a_i = w->base[1];
    t->push_b_i = w->base[2];
    t->push_c_i = w->base[3];
    t->push_tag_i = tag;
}

/* ---- one batch ---- */

static bool fail(const char *name, uint64_t batch, const work *w, const std::string &what)
{
    printf("not ok  %s batch %" PRIu64 ": %s\n# ", name, batch, what.c_str());
    if (w) lpu_insn_print(stdout, &w->insn);
    if (w) printf("# mode %u flags %u\n", w->insn.mode, w->insn.flags);
    return false;
}

/* Pushes all, and checks the cycle of each retirement. */
static bool run_batch(bench *b, const char *name, uint64_t batch, const std::vector<work> &works,
                      const lpu_design *design, uint64_t *busy_cycles)
{
    Vlpu_vector *t = b->top;
    const bool is_eager = one_in(2);
    std::deque<uint64_t> pushed; /* cycle of each push that has not retired */
    size_t next = 0, retired = 0;
    uint64_t free_at = 0, until = b->now + TIMEOUT_CYCLES;
    size_t held = 0; /* in the queue as of the cycle's beginning */

    while (retired < works.size()) {
        const bool wants = next < works.size() && (is_eager || one_in(40));
        t->push_valid_i = wants;
        if (wants) present(t, &works[next], static_cast<uint32_t>(next * 7919 + 1));
        t->eval();
        const bool is_ready = t->push_ready_o;
        if (is_ready != (held < 4)) return fail(name, batch, nullptr, "push_ready is wrong");
        if (t->ret_valid_o) {
            const work *w = &works[retired];
            if (pushed.empty()) return fail(name, batch, w, "retires what was not pushed");
            const uint64_t start = pushed.front() + 1 > free_at ? pushed.front() + 1 : free_at;
            const uint64_t takes = lpu_cost_vector_cycles(design, &w->insn);
            if (t->ret_tag_o != retired * 7919 + 1) return fail(name, batch, w, "another's tag");
            if (b->now != start + takes) {
                return fail(name, batch, w,
                            "retires after " + std::to_string(b->now - start) +
                                " cycles, expected " + std::to_string(takes));
            }
            free_at = b->now;
            pushed.pop_front();
            retired++;
            held--;
        }
        *busy_cycles += t->busy_o;
        if (wants && is_ready) {
            pushed.push_back(b->now);
            next++;
            held++;
        }
        step(b);
        if (!b->error.empty()) return fail(name, batch, nullptr, b->error);
        if (b->now > until) return fail(name, batch, &works[retired], "does not retire");
    }
    t->push_valid_i = 0;
    return true;
}

static bool compare(const bench *b, const char *name, uint64_t batch,
                    const std::vector<work> &works)
{
    for (uint32_t at = 0; at < SCRATCH_BYTES; at++) {
        if (b->memory[at] == scratch[at]) continue;
        const uint32_t zone = at / ZONE_BYTES;
        static const char *const places[4] = {"a", "b", "c", "dst"};
        int32_t found, wanted;
        memcpy(&found, &b->memory[at / 4 * 4], 4);
        memcpy(&wanted, &scratch[at / 4 * 4], 4);
        return fail(name, batch, zone < works.size() ? &works[zone] : nullptr,
                    std::string("byte ") + std::to_string(at % BUFFER_BYTES) + " of " +
                        places[at % ZONE_BYTES / BUFFER_BYTES] + " is " +
                        std::to_string(b->memory[at]) + ", expected " +
                        std::to_string(scratch[at]) + " (word " + std::to_string(found) +
                        ", expected " + std::to_string(wanted) + ")");
    }
    return true;
}

static lpu_status place(lpu_exec *e, lpu_diag *diag)
{
    for (uint32_t id = 0; id < 4 * ZONES; id++) {
        static const uint32_t at[4] = {D_AT, A_AT, B_AT, C_AT};
        lpu_insn setbuf = {};
        setbuf.op = LPU_INSN_setbuf;
        setbuf.dst = static_cast<uint8_t>(id);
        setbuf.addr = id / 4 * ZONE_BYTES + at[id % 4];
        setbuf.n = BUFFER_BYTES;
        if (lpu_exec_step(e, &setbuf, diag)) return LPU_ERR_FORMAT;
    }
    lpu_insn whole = {};
    whole.op = LPU_INSN_setbuf;
    whole.dst = WHOLE;
    whole.n = SCRATCH_BYTES;
    return lpu_exec_step(e, &whole, diag);
}

static bool one_batch(bench *b, const char *name, uint64_t batch, int only,
                      const lpu_design *design)
{
    static uint8_t memory[64];
    lpu_exec_config config = {};
    lpu_exec *e = nullptr;
    lpu_diag diag = {};
    uint64_t busy = 0, expected_busy = 0;

    config.rows = ROWS;
    config.cols = COLS;
    config.code = code;
    config.scratch_bytes = SCRATCH_BYTES;
    config.eps = one_in(5) ? lpu_scale{0, 0} : draw_scale(-60, 0);
    is_score_unit = one_in(3);
    config.score_scale = is_score_unit ? unit : draw_scale(-24, -10);
    config.memory = memory;
    config.memory_bytes = sizeof(memory);
    if (lpu_exec_open(&e, &config, &diag) || place(e, &diag)) {
        return fail(name, batch, nullptr, diag.text);
    }
    scratch = static_cast<uint8_t *>(const_cast<void *>(lpu_exec_buffer(e, WHOLE)));

    std::vector<work> works;
    const uint32_t count = between(1, ZONES);
    for (uint32_t z = 0; z < count; z++) {
        const uint8_t op =
            static_cast<uint8_t>(only >= 0 ? only : LPU_INSN_embed + static_cast<int>(below(10)));
        works.push_back(make(z, op));
        expected_busy += lpu_cost_vector_cycles(design, &works.back().insn);
    }
    memcpy(b->memory.data(), scratch, SCRATCH_BYTES);
    memcpy(&b->top->eps_i, &config.eps, 4);
    memcpy(&b->top->score_scale_i, &config.score_scale, 4);

    bool is_ok = run_batch(b, name, batch, works, design, &busy);
    for (size_t z = 0; is_ok && z < works.size(); z++) {
        if (lpu_exec_step(e, &works[z].insn, &diag))
            is_ok = fail(name, batch, &works[z], diag.text);
    }
    if (is_ok) is_ok = compare(b, name, batch, works);
    if (is_ok && b->illegal) is_ok = fail(name, batch, nullptr, "illegal code seen");
    if (is_ok && busy != expected_busy) {
        is_ok = fail(name, batch, nullptr,
                     "busy for " + std::to_string(busy) + " cycles, expected " +
                         std::to_string(expected_busy));
    }
    lpu_exec_close(&e);
    return is_ok;
}

/* Work that a reset cuts off leaves nothing behind for what follows. */
static void disturb(bench *b)
{
    std::vector<uint8_t> room(SCRATCH_BYTES);
    scratch = room.data();
    const work w = make(0, static_cast<uint8_t>(LPU_INSN_embed + static_cast<int>(below(10))));

    memcpy(b->memory.data(), scratch, SCRATCH_BYTES);
    present(b->top, &w, 1);
    b->top->push_valid_i = 1;
    b->top->eval();
    for (uint32_t left = between(1, 300); left; left--) step(b);
    reset(b);
}

/* A byte that no digits have, in each place of a row in turn: seen once, and only within the row.
 */
static bool illegal_codes(bench *b, const char *name, const lpu_design *design)
{
    enum { N = 3 * LANES + 1 };
    const uint32_t bytes = static_cast<uint32_t>(lpu_ternary_bytes(code, N));
    std::vector<uint8_t> room(SCRATCH_BYTES);
    scratch = room.data();

    for (uint32_t bad = 0; bad <= bytes; bad++) {
        work w = {};
        w.insn.op = LPU_INSN_embed;
        w.insn.m = w.insn.m_inner = w.insn.planes = 1;
        w.insn.n = w.insn.d_stride = N;
        w.base[0] = D_AT;
        std::vector<int8_t> zeros(N + 16);
        lpu_ternary_encode(code, scratch, zeros.data(), N + 8);
        scratch[bad] = code == LPU_CODE_T2 ? 0x22 : 250;
        memcpy(b->memory.data(), scratch, SCRATCH_BYTES);
        uint64_t busy = 0;
        b->illegal = 0;
        if (!run_batch(b, name, bad, {w}, design, &busy)) return false;
        if (b->illegal != (bad < bytes)) {
            return fail(name, bad, &w,
                        "an illegal code is seen " + std::to_string(b->illegal) + " times");
        }
    }
    b->illegal = 0;
    return true;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "vector";
    uint64_t seed = 1, batches = 100;
    int only = -1;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], nullptr, 0);
        if (!strcmp(argv[i], "--batches")) batches = strtoull(argv[i + 1], nullptr, 0);
        if (!strcmp(argv[i], "--op")) only = atoi(argv[i + 1]);
    }
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    Verilated::randReset(2);
    Verilated::randSeed(static_cast<int>(seed));

    lpu_design design = {};
    design.vector_lanes = LANES;
    design.rows = ROWS;
    design.cols = COLS;
    design.code = code;
    design.lane = LPU_LANE_ADD;

    bench b;
    b.top = new Vlpu_vector;
    b.memory.resize(SCRATCH_BYTES + GUARD_BYTES);
    reset(&b);
    bool is_ok = true;
    for (uint64_t i = 0; i < batches && is_ok; i++) {
        if (i % 8 == 7) disturb(&b);
        is_ok = one_batch(&b, name, i, only, &design);
    }
    if (is_ok && only < 0) is_ok = illegal_codes(&b, name, &design);
    if (is_ok) {
        printf("ok      %s: %" PRIu64 " batches, %" PRIu64 " cycles, values and cycles are equal\n",
               name, batches, b.now);
    }
    b.top->final();
    delete b.top;
    return is_ok ? 0 : 1;
}
