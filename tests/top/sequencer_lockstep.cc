/* tests/top/sequencer_lockstep.cc - the sequencer in Verilog against sim/unit_sequencer.c, cycle by
 * cycle, between a host on AXI4-Lite and four units that take as long as they like.
 *
 * Both see the same units: what one cycle's rooms and retirements are follows from seed and cycle.
 * The rule of SYNC and HALT is written down here once more.
 */
#include "tests/top/sequencer_bench.hh"

#include <cstdio>
#include <cstdlib>
#include <cstring>

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
/* ---- one cycle of both ---- */

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
int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], nullptr, 0) : 1;
    const int runs = argc > 2 ? atoi(argv[2]) : 10;

    b.context.reset(new VerilatedContext);
    b.context->randReset(2);
    b.context->randSeed((int)(seed % 0x7fffffff) + 1);
    b.rtl.reset(new Vsequencer_top(b.context.get()));
    b.random = seed;
    check_alone();
    hold_reset();
    base_is_set();
    check_rate();
    check_random(runs);
    if (failed) printf("# seed %llu\n", (unsigned long long)seed);
    return failed;
}
