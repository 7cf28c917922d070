/* tests/top/sequencer_alone.cc - registers, the program window, errors, stops and restarts. */
#include "tests/top/sequencer_bench.hh"

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

void check_alone()
{
    check_registers();
    check_window();
    check_illegal();
    check_unit_errors();
    check_stop_at_sync();
    check_busy();
}
