/* rtl/verify/top_faults.cc - errors: the machine must end in the right one, let go of the memory,
 * and run again as if nothing had been.
 */
#include "rtl/verify/top_pair.hh"

#include "rtl/verify/regs.hh"
#include "rtl/verify/top_random.hh"

#include <algorithm>

enum { ERROR_CYCLES_MAX = 1 << 20, DRAIN_CYCLES = 100000, RUN_CYCLES = 4000 };

namespace
{

/* One of the ways in which an instruction of its kind is illegal. */
void spoil(lpu_insn *i, const lpu_design *design, uint64_t dice)
{
    enum { SIDE = 1 << 22, M_MAX = 65535, PLANES_MAX = 5, FOREIGN = 32, FOREIGN_COUNT = 223 };
    const lpu_unit unit = lpu_insn_unit(i->op);
    const bool is_shaped = unit == LPU_UNIT_array || unit == LPU_UNIT_vector;
    const bool has_planes =
        i->op == LPU_INSN_matmul || i->op == LPU_INSN_embed || i->op == LPU_INSN_kvpack;
    const uint8_t foreign = (uint8_t)(FOREIGN + dice % FOREIGN_COUNT);
    const uint64_t way = dice >> 8;

    if (i->op == LPU_INSN_gate && way % 4 == 0) i->mode = 3;
    else if (has_planes && way % 4 == 0) i->planes = way & 64 ? PLANES_MAX + 1 : 0;
    else if (i->op == LPU_INSN_matmul && way % 4 == 1) (way & 64 ? i->k : i->n) = 0;
    else if (i->op == LPU_INSN_matmul && way % 4 == 2) i->m = design->passes_max + 1;
    else if (is_shaped && way % 4 < 3) {
        uint32_t *const fields[] = {&i->m, &i->m_inner, &i->n, &i->m, &i->n, &i->k};
        const uint32_t values[] = {0, 0, 0, M_MAX + 1, SIDE, SIDE};
        *fields[way / 4 % 6] = values[way / 4 % 6];
    } else if ((unit == LPU_UNIT_stream || unit == LPU_UNIT_store) && way % 4 < 3) {
        if (way % 4 == 0) i->flags |= LPU_FLAG_ON_CHIP;
        else (way % 4 == 1 ? i->segs : i->seg_bytes) = 0;
    } else if (i->op == LPU_INSN_setbuf || i->op == LPU_INSN_load) {
        i->dst = way & 1 ? foreign : (uint8_t)LPU_BUFFER_NONE;
    } else if (is_shaped || i->op == LPU_INSN_store) {
        i->a = way & 4 ? foreign : (uint8_t)LPU_BUFFER_NONE;
    } else {
        i->op = (uint8_t)(LPU_INSN_OPS + dice % (256 - LPU_INSN_OPS));
    }
}

/* An instruction of any kind that the program has, but for its last. */
size_t any_kind(const lpu_program *code, uint64_t dice)
{
    const uint8_t op = (uint8_t)(dice % LPU_INSN_OPS);
    std::vector<size_t> of_kind;

    for (size_t i = 0; i + 1 < code->count; i++)
        if (code->insns[i].op == op) of_kind.push_back(i);
    const uint64_t which = dice / LPU_INSN_OPS;
    return of_kind.empty() ? which % (code->count - 1) : of_kind[which % of_kind.size()];
}

} // namespace

/* Puts an illegal code where a stream, or the load of an embedding row, reads it. */
bool top_pair::plant_code(const top_program *program, lpu_insn_op op, uint64_t dice)
{
    /* From 243 on a byte is no five digits; 10 is no digit of the two-bit code. */
    const uint8_t base3 = (uint8_t)(243 + (dice >> 40) % 13);
    const uint8_t t2 = (uint8_t)(2 << 2 * ((dice >> 40) % 4));
    const lpu_program *code = &program->code;
    const bool is_t2 = layout_->design->code == LPU_CODE_T2;
    std::vector<const lpu_insn *> readers;

    for (size_t i = 0; i < code->count; i++) {
        const lpu_insn *insn = &code->insns[i];
        if (op == LPU_INSN_matmul && insn->op == LPU_INSN_stream) readers.push_back(insn);
        if (op != LPU_INSN_embed || insn->op != LPU_INSN_embed) continue;
        /* The load of its first bytes is the last one before it to that place. */
        for (size_t j = i; j-- > 0;) {
            const lpu_insn *load = &code->insns[j];
            if (load->op != LPU_INSN_load || load->dst != insn->a || load->d_off) continue;
            readers.push_back(load);
            break;
        }
    }
    if (readers.empty()) return false;
    const lpu_insn *reader = readers[dice % readers.size()];
    rtl_memory_[reader->addr] = is_t2 ? t2 : base3;
    return true;
}

/* What the host may not do is answered by an error, and has no effect. */
void top_pair::be_refused(bool is_running)
{
    enum { SLVERR = 2, BEHIND_PERF = LPU_REG_PERF + 8 * LPU_PERF_COUNTERS, NOWHERE = 0x0c0 };
    const uint32_t settings[] = {LPU_REG_FIRST, LPU_REG_COUNT, LPU_REG_EPS, LPU_REG_PROGRAM};
    const uint32_t no_reads[] = {LPU_REG_STATUS + 1, NOWHERE, BEHIND_PERF, 0xffc};
    const uint32_t no_writes[] = {LPU_REG_STATUS, LPU_REG_DEPTH, LPU_REG_EPS + 2, LPU_REG_PERF};

    if (is_running) {
        for (uint32_t address : settings) access(true, address, ~0u, SLVERR);
        access(false, LPU_REG_PROGRAM, 0, SLVERR);
        return;
    }
    const uint32_t eps = read(LPU_REG_EPS);
    for (uint32_t address : no_reads) access(false, address, 0, SLVERR);
    for (uint32_t address : no_writes) access(true, address, ~0u, SLVERR);
    if (read(LPU_REG_EPS) != eps) differ("register EPS", "as it was", "changed by a refusal", 0);
}

/* To the end, with nothing compared; then the error, where it was found, and silence on the bus. */
void top_pair::run_freely(int error, size_t index)
{
    const uint64_t from = top_rtl_clocks();

    write(LPU_REG_CTRL, 1 << LPU_CTRL_START);
    while (!out_.irq && top_rtl_clocks() - from < ERROR_CYCLES_MAX) tick();
    if (!out_.irq) differ("irq_o", "1 after an error", "0", 0);
    const uint32_t status = read(LPU_REG_STATUS), found = read(LPU_REG_ERROR);
    if (!(status >> LPU_STATUS_ERROR & 1) || found != (uint32_t)error)
        differ("error", std::to_string(error), std::to_string(found), index);
    if (error <= LPU_ERROR_NO_HALT && read(LPU_REG_PC) != index)
        differ("pc at the error", std::to_string(index), std::to_string(read(LPU_REG_PC)), index);
    be_refused(false);
    for (int i = 0; i < DRAIN_CYCLES && !memory_.is_idle(); i++) tick();
    if (!memory_.is_idle()) differ("AXI after an error", "every transaction ends", "some wait", 0);
    if (!memory_.fault.empty()) differ("AXI", "the rules of the port", memory_.fault, 0);
}

/* A soft reset in the middle, often amid a burst: once it is through, nothing is under way. */
void top_pair::interrupt(uint64_t dice)
{
    write(LPU_REG_CTRL, 1 << LPU_CTRL_START);
    be_refused(true);
    const bool is_amid_write = dice >> 32 & 1, is_amid_read = dice >> 33 & 1;
    for (uint64_t i = dice % RUN_CYCLES; i > 0 && !out_.irq; i--) tick();
    /* The register is written, and taken, a clock or two later: still within one of many beats. */
    for (int i = 0; i < RUN_CYCLES && is_amid_write && !out_.wvalid && !out_.irq; i++) tick();
    for (int i = 0; i < RUN_CYCLES && is_amid_read && !out_.arvalid && !out_.irq; i++) tick();
    soft_reset();
    if (!memory_.is_idle())
        differ("AXI after a soft reset", "every transaction has ended", "some wait", 0);
    if (!memory_.fault.empty()) differ("AXI", "the rules of the port", memory_.fault, 0);
}

bool top_pair::provoke(const top_program *program, int error, uint64_t dice, top_verdict *verdict)
{
    const lpu_program *code = &program->code;
    size_t count = code->count, index = any_kind(code, dice);
    const lpu_insn kept = code->insns[index];
    uint64_t bursts[2] = {0, 0}; /* at least so many reads and writes */

    begin(program, verdict);
    verdict->name +=
        error == TOP_RESET ? ", reset while it runs" : ", error " + std::to_string(error);
    for (size_t i = 0; i < count; i++) {
        if (lpu_insn_unit(code->insns[i].op) == LPU_UNIT_stream) bursts[0]++;
        if (code->insns[i].op == LPU_INSN_store) bursts[1]++;
    }
    switch (error) {
    case LPU_ERROR_ILLEGAL: spoil(&code->insns[index], layout_->design, dice >> 32); break;
    case LPU_ERROR_NO_HALT: index = --count; break;
    case LPU_ERROR_READ: memory_.failing_read = 1 + dice % bursts[0]; break;
    case LPU_ERROR_WRITE: memory_.failing_write = 1 + dice % bursts[1]; break;
    case LPU_ERROR_WEIGHTS:
        if (!plant_code(program, LPU_INSN_matmul, dice)) return false;
        break;
    case LPU_ERROR_EMBEDDING:
        if (!plant_code(program, LPU_INSN_embed, dice)) return false;
        break;
    default: break;
    }
    is_free_ = true;
    try {
        soft_reset();
        load(program, count);
        if (error == TOP_RESET) interrupt(dice);
        else run_freely(error, index);
        soft_reset();
    } catch (const top_stop &) {
        linger();
    }
    is_free_ = is_running_ = false;
    if (error == LPU_ERROR_ILLEGAL) code->insns[index] = kept;
    memory_.failing_read = memory_.failing_write = 0;
    memory_.restart();
    memory_.written.clear();
    golden_memory_ = rtl_memory_ = image_;
    return true;
}
