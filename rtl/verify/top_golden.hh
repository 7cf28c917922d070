/* rtl/verify/top_golden.hh - what the simulator says of a program: cycles, values, counts.
 *
 * The clock is sim/machine.c, the values are sim/exec.c. A failure is thrown as std::runtime_error
 * with one sentence.
 */
#ifndef LPU_RTL_VERIFY_TOP_GOLDEN_HH
#define LPU_RTL_VERIFY_TOP_GOLDEN_HH

#include <cstdint>
#include <string>
#include <vector>

extern "C" {
#include "sim/compile.h"
#include "sim/exec.h"
#include "sim/image.h"
#include "sim/machine.h"
}

/* An instruction issues, or retires from a unit. */
enum top_event_kind { TOP_ISSUE, TOP_RETIRE };
struct top_event {
    uint64_t cycle; /* of the segment */
    top_event_kind kind;
    lpu_unit unit; /* of a retirement */
    size_t index;  /* in the program */
};

/* A burst, or the part of one, that goes to memory. */
struct top_write {
    uint64_t address;
    size_t bytes, at; /* in written */
    size_t index;     /* of the store */
};

struct top_segment {
    size_t first, count; /* instructions */
    size_t first_event;  /* of events; they end where the next segment's begin */
    uint64_t cycles;
};

/* A program, and what it belongs to. */
struct top_program {
    std::string name;
    lpu_program code;
    lpu_trace *trace;
    top_program();
    ~top_program();
    top_program(const top_program &) = delete;
    top_program &operator=(const top_program &) = delete;
    std::string explain(size_t index) const; /* instruction, operation, layer */
};

/* What the golden machine did with a program. */
struct top_run {
    std::vector<top_segment> segments;
    std::vector<top_event> events; /* in order of time, issues first, then by unit */
    std::vector<top_write> writes;
    std::vector<uint8_t> written;
    std::vector<lpu_counters> of_ops; /* of the trace: what each of them counted */
    lpu_counters counters; /* lane_adds and lane_skips as counted on the digits */
    uint64_t load_bytes, store_bytes, cycles;
    double stepping_s, skipping_s; /* of this computer */
};

/* A machine, its memory and its scratchpad; lives through several programs. */
class top_golden
{
  public:
    /* memory is what the exec works on: kept by the caller. */
    top_golden(const lpu_layout *layout, std::vector<uint8_t> *memory, lpu_scale eps,
               lpu_scale score_scale, const lpu_port_stalls *stalls);
    ~top_golden();
    top_golden(const top_golden &) = delete;
    top_golden &operator=(const top_golden &) = delete;

    void run(const top_program *program, top_run *run);
    void execute(const top_program *program); /* values alone */

  private:
    void time(const top_program *program, top_run *run);
    void step(const top_program *program, size_t index, top_run *run);
    void count_product(const lpu_insn *insn, top_run *run);
    void record_store(const lpu_insn *insn, size_t index, top_run *run);
    uint64_t take_digits(uint64_t bytes);

    const lpu_layout *layout_;
    std::vector<uint8_t> *memory_;
    lpu_machine *stepping_ = nullptr, *skipping_ = nullptr;
    lpu_exec *exec_ = nullptr;
    uint8_t non_zero_[256]; /* digits of a byte that are not zero */
    struct waiting {
        uint64_t addr;
        uint32_t seg_bytes, segs, stride, offset;
    };
    std::vector<waiting> streams_;
    size_t first_stream_ = 0;
};

/* Throws what diag says. */
[[noreturn]] void top_throw(const lpu_diag *diag);

#endif
