/* rtl/verify/top_faults.cc - errors: the machine must end in the right one, let go of the memory,
 * and run again as if nothing had been.
 */
#include "rtl/verify/top_pair.hh"

#include "rtl/verify/regs.hh"
#include "rtl/verify/top_random.hh"

#include <algorithm>

enum { ERROR_CYCLES_MAX = 1 << 20, DRAIN_CYCLES = 100000, RUN_CYCLES = 4000 };

/* Puts an illegal code where a stream, or the load of an embedding row, reads it. */
bool top_pair::plant_code(const top_program *program, lpu_insn_op op, uint64_t dice)
{
    enum { ILLEGAL_BASE3 = 250, ILLEGAL_T2 = 0xaa };
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
    rtl_memory_[reader->addr] = (uint8_t)(is_t2 ? ILLEGAL_T2 : ILLEGAL_BASE3);
    return true;
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
    for (int i = 0; i < DRAIN_CYCLES && !memory_.is_idle(); i++) tick();
    if (!memory_.is_idle()) differ("AXI after an error", "every transaction ends", "some wait", 0);
    if (!memory_.fault.empty()) differ("AXI", "the rules of the port", memory_.fault, 0);
}

/* A soft reset in the middle: once it is through, nothing is under way. */
void top_pair::interrupt(uint64_t dice)
{
    write(LPU_REG_CTRL, 1 << LPU_CTRL_START);
    for (uint64_t i = dice % RUN_CYCLES; i > 0 && !out_.irq; i--) tick();
    soft_reset();
    if (!memory_.is_idle())
        differ("AXI after a soft reset", "every transaction has ended", "some wait", 0);
    if (!memory_.fault.empty()) differ("AXI", "the rules of the port", memory_.fault, 0);
}

bool top_pair::provoke(const top_program *program, int error, uint64_t dice, top_verdict *verdict)
{
    const lpu_program *code = &program->code;
    size_t count = code->count, index = dice % (count - 1);
    const uint8_t kept = code->insns[index].op;
    uint64_t bursts[2] = {0, 0}; /* at least so many reads and writes */

    begin(program, verdict);
    verdict->name +=
        error == TOP_RESET ? ", reset while it runs" : ", error " + std::to_string(error);
    for (size_t i = 0; i < count; i++) {
        if (lpu_insn_unit(code->insns[i].op) == LPU_UNIT_stream) bursts[0]++;
        if (code->insns[i].op == LPU_INSN_store) bursts[1]++;
    }
    switch (error) {
    case LPU_ERROR_ILLEGAL: code->insns[index].op = LPU_INSN_OPS; break;
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
    }
    is_free_ = is_running_ = false;
    if (error == LPU_ERROR_ILLEGAL) code->insns[index].op = kept;
    memory_.failing_read = memory_.failing_write = 0;
    memory_.restart();
    memory_.written.clear();
    golden_memory_ = rtl_memory_ = image_;
    return true;
}
