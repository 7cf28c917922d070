/* tests/top/sequencer_lockstep.cc - the sequencer in Verilog against sim/unit_sequencer.c, cycle by
 * cycle, between a host on AXI4-Lite and four units that take as long as they like.
 *
 * Both see the same units: what one cycle's rooms and retirements are follows from seed and cycle.
 * The rule of SYNC and HALT is written down here once more. Registers, errors and restarts are
 * asked of the RTL alone.
 */
#include "rtl/verify/regs.hh"

#include "Vsequencer_top.h"
#include "verilated.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "sim/machine_units.h"
}

enum {
    PC_BITS = 9,
    DEPTH = 1 << PC_BITS,
    TAG_BITS = PC_BITS + 24,
    UNITS = 4, /* stream, array, vector, store */
    PASSES_MAX = 8,
    PATIENCE_CYCLES = 1 << 20,
};

static const uint32_t queue_of[UNITS] = {5, LPU_ARRAY_QUEUE, LPU_VECTOR_QUEUE, LPU_STORE_QUEUE};
static const uint64_t base_address = 0x1230567000;

/* ---- the bench ---- */

struct issued {
    size_t insn;
    uint64_t tag;
};

/* How the units behave, in 1/256: a ready queue says so, the oldest of a unit retires, the array
 * says idle, the memory has settled. */
struct manners {
    uint32_t ready, retire, idle, settled;
};

struct bench {
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vsequencer_top> rtl;
    uint64_t random, clocks;
    std::deque<issued> units[UNITS];
    bool room[UNITS];
    uint64_t base[LPU_BUFFERS];
    bool is_idle;
    std::string fault;
};

static bench b;
static int failed;

static uint32_t draw(uint32_t below)
{
    b.random = b.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((b.random >> 33) % below);
}

static bool happens(uint32_t share)
{
    return draw(256) < share;
}

static void fault(const char *what, unsigned long long rtl, unsigned long long expected)
{
    char text[200];
    if (!b.fault.empty()) return;
    snprintf(text, sizeof(text), "clock %llu: %s is %llu, expected %llu",
             (unsigned long long)b.clocks, what, rtl, expected);
    b.fault = text;
}

static void verdict(const char *name)
{
    if (b.fault.empty()) printf("ok      sequencer: %s\n", name);
    else printf("not ok  sequencer: %s: %s\n", name, b.fault.c_str());
    failed |= !b.fault.empty();
    b.fault.clear();
}

/* ---- units as sim/unit_sequencer.c sees them ---- */

static int unit_of(const lpu_insn *i)
{
    switch (lpu_insn_unit(i->op)) {
    case LPU_UNIT_stream: return 0;
    case LPU_UNIT_array: return 1;
    case LPU_UNIT_vector: return 2;
    case LPU_UNIT_store: return 3;
    default: return -1;
    }
}

extern "C" {
bool lpu_stream_has_room(const lpu_machine *)
{
    return b.room[0];
}
bool lpu_tiles_has_room(const lpu_machine *)
{
    return b.room[1];
}
bool lpu_vector_has_room(const lpu_machine *)
{
    return b.room[2];
}
bool lpu_store_has_room(const lpu_machine *)
{
    return b.room[3];
}
void lpu_stream_push(lpu_machine *, size_t) {}
void lpu_tiles_push(lpu_machine *, size_t) {}
void lpu_vector_push(lpu_machine *, size_t) {}
void lpu_store_push(lpu_machine *, size_t) {}
void lpu_cost_count(const lpu_layout *, const lpu_insn *, const lpu_op *, lpu_counters *) {}
}

/* ---- clocks and registers ---- */

static void settle()
{
    b.rtl->clk_i = 0;
    b.rtl->eval();
}

static void clock_edge()
{
    b.rtl->clk_i = 1;
    b.rtl->eval();
    settle();
    b.clocks++;
    if (b.context->gotFinish()) fault("an assertion", 1, 0);
}

static void hold_reset()
{
    Vsequencer_top *r = b.rtl.get();

    r->awvalid_i = r->wvalid_i = r->bready_i = r->arvalid_i = r->rready_i = 0;
    r->push_ready_i = r->ret_valid_i = r->error_i = r->sync_ack_i = 0;
    r->idle_i = 1;
    r->rst_ni = 1;
    settle();
    r->rst_ni = 0;
    settle();
    clock_edge();
    r->rst_ni = 1;
    settle();
    for (int i = 0; i < 4; i++) clock_edge();
    for (auto &unit : b.units) unit.clear();
}

/* A write: address and data come together, or one before the other. Returns the response. */
static uint32_t write_bytes(uint32_t address, uint32_t data, uint32_t strobes)
{
    Vsequencer_top *r = b.rtl.get();
    uint32_t aw = draw(3), w = draw(3), bready = draw(3);
    bool is_taken = false;

    r->awaddr_i = address & 0xfff;
    r->wdata_i = data;
    r->wstrb_i = strobes & 15;
    for (uint32_t i = 0; i < 16; i++) {
        r->awvalid_i = !is_taken && i >= aw;
        r->wvalid_i = !is_taken && i >= w;
        r->bready_i = i >= bready;
        settle();
        const bool takes = r->awvalid_i && r->wvalid_i && r->awready_o && r->wready_o;
        if (r->awready_o != r->wready_o) fault("wready", r->wready_o, r->awready_o);
        const bool is_answer = r->bvalid_o && r->bready_i;
        const uint32_t answer = r->bresp_o;
        clock_edge();
        is_taken |= takes;
        r->awvalid_i = r->wvalid_i = r->bready_i = 0;
        settle();
        if (is_answer) return answer;
    }
    fault("a write's answer", 0, 1);
    return 0;
}

static uint32_t read_word(uint32_t address, uint32_t *data)
{
    Vsequencer_top *r = b.rtl.get();
    uint32_t ready = draw(3);
    bool is_taken = false;

    r->araddr_i = address & 0xfff;
    for (uint32_t i = 0; i < 16; i++) {
        r->arvalid_i = !is_taken;
        r->rready_i = i >= ready;
        settle();
        const bool takes = r->arvalid_i && r->arready_o, is_answer = r->rvalid_o && r->rready_i;
        const uint32_t answer = r->rresp_o;
        *data = r->rdata_o;
        clock_edge();
        is_taken |= takes;
        r->arvalid_i = r->rready_i = 0;
        settle();
        if (is_answer) return answer;
    }
    fault("a read's answer", 0, 1);
    return 0;
}

static void set(uint32_t address, uint32_t data)
{
    const uint32_t response = write_bytes(address, data, 15);
    if (response) fault("the response to a write", response, 0);
}

static uint32_t get(uint32_t address)
{
    uint32_t data;
    const uint32_t response = read_word(address, &data);
    if (response) fault("the response to a read", response, 0);
    return data;
}

static uint64_t perf(int index)
{
    const uint32_t at = (uint32_t)(LPU_REG_PERF + 8 * index);
    const uint64_t low = get(at);
    return low | (uint64_t)get(at + 4) << 32;
}

static void expect(const char *what, uint64_t found, uint64_t expected)
{
    if (found != expected) fault(what, found, expected);
}

/* ---- programs ---- */

static lpu_insn make(lpu_insn_op op)
{
    lpu_insn i = {};
    i.op = (uint8_t)op;
    i.dst = i.a = i.b = i.c = LPU_BUFFER_NONE;
    i.m = i.m_inner = i.n = i.k = i.segs = i.seg_bytes = 1;
    i.planes = 1;
    return i;
}

/* Any instruction that the machine takes, on one of few buffers, so that they collide. */
static lpu_insn random_insn()
{
    const lpu_insn_op op = (lpu_insn_op)(LPU_INSN_setbuf + draw(LPU_INSN_OPS - LPU_INSN_setbuf));
    const uint32_t few = 3 + draw(6), from = draw(24);
    lpu_insn i = make(op);
    auto any = [&]() { return (uint8_t)(from + draw(few)); };

    i.addr = (uint64_t)draw(1 << 20) << draw(12);
    i.m = 1 + draw(PASSES_MAX);
    i.m_inner = 1 + draw(3);
    i.n = 1 + draw(1 << 21);
    i.k = 1 + draw(1 << 21);
    i.a_off = draw(1 << 30);
    i.d_stride = draw(1 << 30);
    i.scale = {(uint16_t)draw(1 << 16), (int16_t)draw(1 << 15)};
    if (op != LPU_INSN_stream && op != LPU_INSN_store) i.dst = any();
    if (op >= LPU_INSN_store) i.a = any();
    if (op >= LPU_INSN_embed && op != LPU_INSN_embed && op != LPU_INSN_kvpack &&
        (op != LPU_INSN_gate || draw(2))) {
        i.b = any();
    }
    if (op == LPU_INSN_softmax || op == LPU_INSN_argmax) i.c = any();
    if (op == LPU_INSN_gate) i.mode = (uint8_t)draw(3);
    if (op == LPU_INSN_setbuf) i.addr = 8 * draw(8192);
    return i;
}

static std::vector<lpu_insn> random_program(size_t count)
{
    std::vector<lpu_insn> program;
    while (program.size() + 1 < count) {
        program.push_back(draw(20) ? random_insn() : make(LPU_INSN_sync));
    }
    program.push_back(make(LPU_INSN_halt));
    return program;
}

/* Into program memory from address first on. */
static void load(const std::vector<lpu_insn> &program, uint32_t first)
{
    set(LPU_REG_PROGRAM_ADDRESS, first);
    for (const lpu_insn &insn : program) {
        uint8_t bytes[LPU_INSN_BYTES];
        lpu_insn_encode(bytes, &insn);
        for (uint32_t w = 0; w < LPU_INSN_BYTES / 4; w++) {
            uint32_t word;
            memcpy(&word, bytes + 4 * w, sizeof(word));
            set(LPU_REG_PROGRAM + 4 * w, word);
        }
    }
    set(LPU_REG_FIRST, first);
    set(LPU_REG_COUNT, (uint32_t)(first + program.size()));
}

/* ---- one cycle of both ---- */

static void set_tag(int unit, uint64_t tag)
{
    for (int bit = 0; bit < TAG_BITS; bit++) {
        const int at = unit * TAG_BITS + bit;
        uint32_t *word = &b.rtl->ret_tag_i[at / 32];
        *word = (*word & ~(1u << at % 32)) | (uint32_t)(tag >> bit & 1) << at % 32;
    }
}

/* Rooms and retirements of this cycle, as the registers of the units would have them. */
static void behave(const manners *how, bool *retires)
{
    b.rtl->push_ready_i = b.rtl->ret_valid_i = 0;
    for (int u = 0; u < UNITS; u++) {
        b.room[u] = b.units[u].size() < queue_of[u] && happens(how->ready);
        retires[u] = !b.units[u].empty() && happens(how->retire);
        if (b.room[u]) b.rtl->push_ready_i |= (uint8_t)(1 << u);
        if (retires[u]) b.rtl->ret_valid_i |= (uint8_t)(1 << u);
        set_tag(u, retires[u] ? b.units[u].front().tag : draw(1 << 30));
    }
    b.is_idle = b.units[1].empty() && happens(how->idle);
    b.rtl->idle_i = b.is_idle;
}

/* What goes to a unit with instruction i. */
static void check_push(const lpu_insn *i)
{
    const uint8_t buffers[4] = {i->dst, i->a, i->b, i->c};
    const uint32_t found[4] = {b.rtl->push_dst_o, b.rtl->push_a_o, b.rtl->push_b_o,
                               b.rtl->push_c_o};
    const char *const names[4] = {"push_dst_o", "push_a_o", "push_b_o", "push_c_o"};
    uint8_t bytes[LPU_INSN_BYTES];
    lpu_insn moved = *i;

    for (int f = 0; f < 4; f++) {
        expect(names[f], found[f], buffers[f] < LPU_BUFFERS ? b.base[buffers[f]] : 0);
    }
    moved.addr += base_address;
    lpu_insn_encode(bytes, &moved);
    if (memcmp(bytes, &b.rtl->push_insn_o[0], sizeof(bytes))) fault("push_insn_o", 0, 1);
}

/* The segment from first to its SYNC or HALT: the same instruction in the same cycle. False after a
 * fault. */
static bool run_segment(lpu_machine *m, size_t first, size_t end, const manners *how)
{
    const lpu_insn *insns = m->program->insns;
    bool is_drained = false; /* as the registers say */

    m->first = m->pc = m->oldest = first;
    m->end = end;
    std::fill(m->is_retired, m->is_retired + DEPTH, false);
    for (m->now_cycles = 0; m->now_cycles < PATIENCE_CYCLES; m->now_cycles++) {
        const size_t pc = m->pc;
        bool retires[UNITS];

        behave(how, retires);
        const bool own = m->pc + 1 == end && m->oldest == m->pc && b.is_idle;
        is_drained = own && (insns[pc].op == LPU_INSN_halt || happens(how->settled));
        b.rtl->sync_ack_i = insns[pc].op == LPU_INSN_halt ? draw(2) : is_drained;
        settle();

        for (int u = 0; u < UNITS; u++) {
            if (retires[u]) lpu_sequencer_retire(m, b.units[u].front().insn);
        }
        lpu_sequencer_step(m);
        const bool is_issue = m->pc != pc;
        const int unit = unit_of(&insns[pc]);

        expect("run_o", b.rtl->run_o, 1);
        expect("sync_o", b.rtl->sync_o, own && insns[pc].op == LPU_INSN_sync);
        expect("trace_issue_o", b.rtl->trace_issue_o, is_issue);
        expect("trace_issue_pc_o", b.rtl->trace_issue_pc_o, pc);
        expect("push_valid_o", b.rtl->push_valid_o, is_issue && unit >= 0 ? 1u << unit : 0);
        expect("trace_retire_o", b.rtl->trace_retire_o, b.rtl->ret_valid_i);
        if (is_issue && unit >= 0) check_push(&insns[pc]);
        if (is_issue && unit < 0) b.base[insns[pc].dst] = insns[pc].addr;
        for (int u = 0; u < UNITS; u++) {
            if (retires[u]) b.units[u].pop_front();
        }
        if (is_issue && unit >= 0) b.units[unit].push_back({pc, b.rtl->push_tag_o});
        if (!b.fault.empty()) return false;
        clock_edge();
        if (is_drained) return true;
    }
    fault("the end of a segment", 0, 1);
    return false;
}

/* ---- the random runs ---- */

static void run_program(const std::vector<lpu_insn> &program, uint32_t first, const manners *how)
{
    std::vector<lpu_insn> placed(first, make(LPU_INSN_halt));
    placed.insert(placed.end(), program.begin(), program.end());
    std::vector<lpu_insn_note> notes(placed.size());
    std::vector<uint64_t> issued_at(DEPTH);
    std::unique_ptr<bool[]> is_retired(new bool[DEPTH]);
    lpu_program p = {};
    lpu_trace trace = {};
    std::vector<lpu_op> ops(1);
    lpu_counters counters;
    uint64_t cycles = 0;

    p.insns = placed.data();
    p.notes = notes.data();
    p.count = placed.size();
    trace.ops = ops.data();
    std::unique_ptr<lpu_machine> m(new lpu_machine());
    m->program = &p;
    m->trace = &trace;
    m->ops = &counters;
    m->is_retired = is_retired.get();
    m->issued_at_cycles = issued_at.data();

    load(program, first);
    set(LPU_REG_CTRL, 1 << LPU_CTRL_CLEAR);
    set(LPU_REG_CTRL, 1 << LPU_CTRL_START);
    for (int i = 0; i < 8 && !b.rtl->run_o; i++) clock_edge();
    for (size_t at = first, end; at < placed.size() && b.fault.empty(); at = end) {
        end = at;
        while (placed[end].op != LPU_INSN_sync && placed[end].op != LPU_INSN_halt) end++;
        end++;
        if (run_segment(m.get(), at, end, how)) cycles += m->now_cycles + 1;
    }
    expect("run_o after HALT", b.rtl->run_o, 0);
    expect("STATUS", get(LPU_REG_STATUS), 1 << LPU_STATUS_DONE);
    expect("PC", get(LPU_REG_PC), placed.size());
    expect("run_cycles", perf(LPU_PERF_RUN_CYCLES), cycles);
    expect("instructions", perf(LPU_PERF_INSTRUCTIONS), program.size());
}

static void check_random(int runs)
{
    static const struct {
        const char *name;
        manners how;
    } kinds[] = {
        {"units that answer at once", {256, 256, 256, 256}},
        {"units of any length", {256, 60, 200, 100}},
        {"slow units", {256, 8, 256, 20}},
        {"queues that are often full", {60, 100, 128, 256}},
    };

    for (const auto &kind : kinds) {
        char text[120];
        for (int i = 0; i < runs && b.fault.empty(); i++) {
            const uint32_t count = 2 + draw(DEPTH - 2), first = draw(DEPTH - count + 1);
            run_program(random_program(count), first, &kind.how);
        }
        snprintf(text, sizeof(text), "%d random programs, %s: each issue in its cycle", runs,
                 kind.name);
        verdict(text);
    }
}

/* Without hazards, an instruction in every cycle. */
static void check_rate()
{
    const manners at_once = {256, 256, 256, 256};
    std::vector<lpu_insn> program;

    for (uint32_t i = 0; i < 100; i++) {
        lpu_insn insn = make(i % 2 ? LPU_INSN_stream : LPU_INSN_setbuf);
        if (i % 2 == 0) insn.dst = (uint8_t)(i % 32);
        program.push_back(insn);
    }
    program.push_back(make(LPU_INSN_halt));
    run_program(program, 0, &at_once);
    /* 100 issues, one cycle in which the last stream retires, HALT's own. */
    expect("run_cycles", perf(LPU_PERF_RUN_CYCLES), 102);
    verdict("one instruction a cycle");
}

/* ---- registers ---- */

static void check_registers()
{
    static const struct {
        uint32_t address, written, read;
    } rows[] = {
        {LPU_REG_FIRST, 0xffffffff, DEPTH - 1},
        {LPU_REG_COUNT, 0xffffffff, 2 * DEPTH - 1},
        {LPU_REG_BASE_LOW, 0xffffffff, 0xfffff000},
        {LPU_REG_BASE_HIGH, 0x12345678, 0x12345678},
        {LPU_REG_EPS, 0xdeadbeef, 0xdeadbeef},
        {LPU_REG_SCORE_SCALE, 0x89abcdef, 0x89abcdef},
        {LPU_REG_IRQ_ENABLE, 0xffffffff, 7},
        {LPU_REG_PROGRAM_ADDRESS, 0xffffffff, DEPTH - 1},
        {LPU_REG_CTRL, 1 << LPU_CTRL_STOP_AT_SYNC, 1 << LPU_CTRL_STOP_AT_SYNC},
    };
    uint32_t data;

    hold_reset();
    expect("ID", get(LPU_REG_ID), 0x55504c53);
    expect("GEOMETRY", get(LPU_REG_GEOMETRY), 64 << 16 | 160);
    expect("DEPTH", get(LPU_REG_DEPTH), DEPTH);
    expect("STATUS", get(LPU_REG_STATUS), 0);
    for (const auto &row : rows) {
        expect("a register after reset", get(row.address), 0);
        set(row.address, row.written);
        expect("a register", get(row.address), row.read);
        expect("a write with a byte left out", write_bytes(row.address, 0, 13), 2);
        expect("a write to an odd address", write_bytes(row.address + 2, 0, 15), 2);
        expect("a register that was not to change", get(row.address), row.read);
    }
    for (uint32_t address : {(uint32_t)LPU_REG_STATUS, (uint32_t)LPU_REG_PC, (uint32_t)LPU_REG_ID,
                             (uint32_t)LPU_REG_PERF, 0x080u, 0xffcu}) {
        expect("a write to what is not written", write_bytes(address, 0, 15), 2);
    }
    for (uint32_t address :
         {(uint32_t)(LPU_REG_PERF + 8 * LPU_PERF_COUNTERS), 0x080u, 0x201u, 0xffcu}) {
        expect("a read of what is not read", read_word(address, &data), 2);
    }
    verdict("registers after reset, written and read");
}

static void check_window()
{
    std::vector<uint32_t> words(16 * DEPTH);

    hold_reset();
    for (uint32_t &word : words) word = draw(1 << 30) << 2 ^ draw(1 << 30);
    for (size_t i = 0; i < words.size(); i++) {
        set(LPU_REG_PROGRAM + 4 * (uint32_t)(i % 16), words[i]);
    }
    expect("PROGRAM_ADDRESS after all", get(LPU_REG_PROGRAM_ADDRESS), 0);
    for (int i = 0; i < 500; i++) {
        const uint32_t insn = draw(DEPTH), word = draw(16);
        set(LPU_REG_PROGRAM_ADDRESS, insn);
        expect("a word of program memory", get(LPU_REG_PROGRAM + 4 * word),
               words[16 * insn + word]);
    }
    verdict("program memory through the window");
}

/* ---- errors, stops, restarts ---- */

static void base_is_set()
{
    set(LPU_REG_BASE_LOW, (uint32_t)base_address);
    set(LPU_REG_BASE_HIGH, base_address >> 32);
    set(LPU_REG_IRQ_ENABLE, 7);
    set(LPU_REG_IRQ_STATUS, 7);
}

/* Runs until irq_o, units answering at once. */
static void run_to_irq()
{
    const manners at_once = {256, 256, 256, 256};
    for (int i = 0; i < 1000 && !b.rtl->irq_o; i++) {
        bool retires[UNITS];
        behave(&at_once, retires);
        b.rtl->sync_ack_i = 1;
        settle();
        for (int u = 0; u < UNITS; u++) {
            if (retires[u]) b.units[u].pop_front();
            if (b.rtl->push_valid_o & 1 << u) b.units[u].push_back({0, b.rtl->push_tag_o});
        }
        clock_edge();
    }
    expect("irq_o", b.rtl->irq_o, 1);
    b.rtl->push_ready_i = b.rtl->ret_valid_i = 0;
}

static void start(uint32_t bits)
{
    set(LPU_REG_CTRL, 1u << LPU_CTRL_START | bits);
}

/* Out of an error: nothing but reset helps, and then the same program with good ends. */
static void check_restart()
{
    start(0);
    for (int i = 0; i < 20; i++) clock_edge();
    expect("run_o in error", b.rtl->run_o, 0);
    set(LPU_REG_CTRL, 1 << LPU_CTRL_RESET);
    for (int i = 0; i < 8; i++) clock_edge();
    for (auto &unit : b.units) unit.clear();
    expect("STATUS after reset", get(LPU_REG_STATUS), 0);
    set(LPU_REG_IRQ_STATUS, 7);
    expect("irq_o after reset", b.rtl->irq_o, 0);
    load({make(LPU_INSN_stream), make(LPU_INSN_sync), make(LPU_INSN_halt)}, 7);
    start(0);
    run_to_irq();
    expect("STATUS after restart", get(LPU_REG_STATUS), 1 << LPU_STATUS_DONE);
    set(LPU_REG_IRQ_STATUS, 1 << LPU_IRQ_DONE);
    expect("irq_o when cleared", b.rtl->irq_o, 0);
}

static void check_error(const std::vector<lpu_insn> &program, uint32_t error, size_t pc)
{
    load(program, 0);
    start(0);
    run_to_irq();
    expect("STATUS", get(LPU_REG_STATUS), 1 << LPU_STATUS_ERROR);
    expect("ERROR", get(LPU_REG_ERROR), error);
    expect("PC", get(LPU_REG_PC), pc);
    expect("IRQ_STATUS", get(LPU_REG_IRQ_STATUS), 1 << LPU_IRQ_ERROR);
    check_restart();
}

static void check_illegal()
{
    struct wrong {
        const char *what;
        lpu_insn insn;
    };
    auto with = [](lpu_insn_op op, void (*change)(lpu_insn *)) {
        lpu_insn i = make(op);
        i.dst = i.a = i.b = i.c = 1;
        change(&i);
        return i;
    };
    const wrong rows[] = {
        {"opcode", with(LPU_INSN_halt, [](lpu_insn *i) { i->op = LPU_INSN_OPS; })},
        {"opcode 255", with(LPU_INSN_halt, [](lpu_insn *i) { i->op = 255; })},
        {"setbuf of no buffer", with(LPU_INSN_setbuf, [](lpu_insn *i) { i->dst = 255; })},
        {"buffer 32", with(LPU_INSN_load, [](lpu_insn *i) { i->dst = 32; })},
        {"buffer 254", with(LPU_INSN_quant, [](lpu_insn *i) { i->b = 254; })},
        {"softmax without scales", with(LPU_INSN_softmax, [](lpu_insn *i) { i->c = 255; })},
        {"store of nothing", with(LPU_INSN_store, [](lpu_insn *i) { i->a = 255; })},
        {"resident memory", with(LPU_INSN_stream, [](lpu_insn *i) { i->flags = 16; })},
        {"no segments", with(LPU_INSN_stream, [](lpu_insn *i) { i->segs = 0; })},
        {"no bytes", with(LPU_INSN_store, [](lpu_insn *i) { i->seg_bytes = 0; })},
        {"no rows", with(LPU_INSN_rope, [](lpu_insn *i) { i->m = 0; })},
        {"65536 rows", with(LPU_INSN_rope, [](lpu_insn *i) { i->m = 65536; })},
        {"no inner rows", with(LPU_INSN_rope, [](lpu_insn *i) { i->m_inner = 0; })},
        {"no elements", with(LPU_INSN_gate, [](lpu_insn *i) { i->n = 0; })},
        {"2^22 elements", with(LPU_INSN_gate, [](lpu_insn *i) { i->n = 1 << 22; })},
        {"activation 3", with(LPU_INSN_gate, [](lpu_insn *i) { i->mode = 3; })},
        {"more rows than passes",
         with(LPU_INSN_matmul, [](lpu_insn *i) { i->m = PASSES_MAX + 1; })},
        {"no columns", with(LPU_INSN_matmul, [](lpu_insn *i) { i->k = 0; })},
        {"no planes", with(LPU_INSN_matmul, [](lpu_insn *i) { i->planes = 0; })},
        {"6 planes", with(LPU_INSN_kvpack, [](lpu_insn *i) { i->planes = 6; })},
    };

    hold_reset();
    base_is_set();
    for (const wrong &row : rows) {
        check_error({make(LPU_INSN_stream), row.insn, make(LPU_INSN_halt)}, LPU_ERROR_ILLEGAL, 1);
        if (!b.fault.empty()) b.fault = std::string(row.what) + ": " + b.fault;
        if (!b.fault.empty()) break;
    }
    verdict("every illegal instruction, and a restart after each");
    check_error({make(LPU_INSN_stream), make(LPU_INSN_sync)}, LPU_ERROR_NO_HALT, 2);
    set(LPU_REG_COUNT, 0);
    start(0);
    run_to_irq();
    expect("ERROR", get(LPU_REG_ERROR), LPU_ERROR_NO_HALT);
    check_restart();
    verdict("a program without HALT, and none at all");
}

static void check_unit_errors()
{
    for (uint32_t u = 0; u < 4; u++) {
        hold_reset();
        base_is_set();
        load({make(LPU_INSN_stream), make(LPU_INSN_sync), make(LPU_INSN_halt)}, 0);
        start(0);
        for (int i = 0; i < 5; i++) clock_edge(); /* the units take nothing */
        expect("run_o", b.rtl->run_o, 1);
        b.rtl->error_i = (uint8_t)(1u << u);
        b.rtl->push_ready_i = 0;
        settle();
        clock_edge();
        b.rtl->error_i = 0;
        b.rtl->push_ready_i = 15;
        settle();
        expect("an issue after an error", b.rtl->trace_issue_o, 0);
        clock_edge();
        expect("ERROR", get(LPU_REG_ERROR), LPU_ERROR_READ + u);
        check_restart();
    }
    verdict("errors of the units stop issue");
}

static void check_stop_at_sync()
{
    const std::vector<lpu_insn> program = {make(LPU_INSN_stream), make(LPU_INSN_sync),
                                           make(LPU_INSN_sync), make(LPU_INSN_stream),
                                           make(LPU_INSN_halt)};
    hold_reset();
    base_is_set();
    load(program, 3);
    start(1 << LPU_CTRL_STOP_AT_SYNC);
    for (uint32_t pc = 5; pc <= 6; pc++) {
        run_to_irq();
        expect("STATUS", get(LPU_REG_STATUS), 1 << LPU_STATUS_AT_SYNC);
        expect("PC", get(LPU_REG_PC), pc);
        expect("IRQ_STATUS", get(LPU_REG_IRQ_STATUS), 1 << LPU_IRQ_AT_SYNC);
        set(LPU_REG_IRQ_STATUS, 7);
        set(LPU_REG_PROGRAM_ADDRESS, 3); /* a look into the program does not disturb it */
        expect("a word of program memory", get(LPU_REG_PROGRAM) & 255, LPU_INSN_stream);
        start(1 << LPU_CTRL_STOP_AT_SYNC);
    }
    run_to_irq();
    expect("STATUS", get(LPU_REG_STATUS), 1 << LPU_STATUS_DONE);
    expect("PC", get(LPU_REG_PC), 8);
    verdict("stop at each SYNC, look, and go on");
}

static void check_busy()
{
    uint32_t data;

    hold_reset();
    base_is_set();
    load({make(LPU_INSN_stream), make(LPU_INSN_halt)}, 0);
    start(0);
    for (int i = 0; i < 3; i++) clock_edge();
    for (uint32_t address : {LPU_REG_FIRST, LPU_REG_COUNT, LPU_REG_BASE_LOW, LPU_REG_EPS,
                             LPU_REG_PROGRAM_ADDRESS, LPU_REG_PROGRAM}) {
        expect("a setting written under a program", write_bytes(address, 5, 15), 2);
    }
    expect("the window read under a program", read_word(LPU_REG_PROGRAM, &data), 2);
    start(0); /* has no effect */
    expect("STATUS", get(LPU_REG_STATUS), 1 << LPU_STATUS_RUNNING);
    run_to_irq();
    expect("PC", get(LPU_REG_PC), 2);
    verdict("nothing changes under a running program");
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], nullptr, 0) : 1;
    const int runs = argc > 2 ? atoi(argv[2]) : 10;

    b.context.reset(new VerilatedContext);
    b.context->randReset(2);
    b.context->randSeed((int)(seed % 0x7fffffff) + 1);
    b.rtl.reset(new Vsequencer_top(b.context.get()));
    b.random = seed;
    check_registers();
    check_window();
    check_illegal();
    check_unit_errors();
    check_stop_at_sync();
    check_busy();
    hold_reset();
    base_is_set();
    check_rate();
    check_random(runs);
    if (failed) printf("# seed %llu\n", (unsigned long long)seed);
    return failed;
}
