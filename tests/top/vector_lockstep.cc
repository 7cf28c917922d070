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
#include "tests/top/vector_work.hh"
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

enum { WHOLE = 31, TIMEOUT_CYCLES = 200000 };

static uint8_t *scratch; /* that of the execution */

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
    const bool is_score_unit = one_in(3);
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
        works.push_back(make(scratch, z, op, is_score_unit));
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
    const work w =
        make(scratch, 0, static_cast<uint8_t>(LPU_INSN_embed + static_cast<int>(below(10))), false);

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
    seed_random(seed);
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
