/* rtl/verify/top_pair.hh - one program on the golden machine and on the RTL, cycle by cycle.
 *
 * The golden machine runs first. The RTL is then watched in every cycle; it is stopped at the first
 * thing that is not as it should be.
 */
#ifndef LPU_RTL_VERIFY_TOP_PAIR_HH
#define LPU_RTL_VERIFY_TOP_PAIR_HH

#include "rtl/verify/top_golden.hh"
#include "rtl/verify/top_memory.hh"

#include <array>

/* The first difference. */
struct top_difference {
    bool is_found;
    std::string signal, expected, found, where; /* where: the instruction that it belongs to */
    size_t segment;
    uint64_t cycle; /* of the segment */
    uint64_t clock; /* of the RTL since it was opened: for the waveform */
};

struct top_verdict {
    std::string name;
    size_t instructions, segments, writes, events, counters; /* compared */
    uint64_t cycles, written_bytes;
    uint64_t rtl_clocks; /* with those of the host */
    double rtl_s, stepping_s, skipping_s;
    lpu_counters of_run;
    std::vector<lpu_counters> of_ops; /* of the trace */
    top_difference difference;
};

/* How the host goes about it. */
struct top_manner {
    bool is_stopping;  /* the machine stops at every SYNC and is started again */
    bool is_resetting; /* a soft reset before the program */
    uint64_t base;     /* of memory, on the AXI port */
};

/* Thrown at the first difference, within a run. */
struct top_stop {
};

/* Beside the errors of rtl/verify/regs.hh: a soft reset while the program runs. */
enum { TOP_RESET = 7 };

class top_pair
{
  public:
    /* image is memory before the first program. */
    top_pair(const lpu_layout *layout, const std::vector<uint8_t> &image, lpu_scale eps,
             lpu_scale score_scale, const lpu_port_stalls *stalls, const top_manner *manner);

    void run(const top_program *program, top_verdict *verdict);

    /* Runs the program with something wrong, and judges that the machine ends in that error and every
     * transaction with it; then runs it as it is, behind a soft reset. dice says what is wrong where.
     * False where the program has nothing to go wrong so. */
    bool provoke(const top_program *program, int error, uint64_t dice, top_verdict *verdict);

    /* Values alone, on both sides, with no look at the RTL: it sees what was written. */
    void execute(const top_program *program);

    const std::vector<uint8_t> &rtl_memory() const { return rtl_memory_; }
    const std::vector<uint8_t> &golden_memory() const { return golden_memory_; }
    const uint64_t *port_waits() const { return memory_.waits; }

  private:
    void load(const top_program *program, size_t count);
    bool plant_code(const top_program *program, lpu_insn_op op, uint64_t dice);
    void run_freely(int error, size_t index);
    void interrupt(uint64_t dice);
    void linger();
    void begin(const top_program *program, top_verdict *verdict);
    void soft_reset();
    void go();
    void be_refused(bool is_running);
    uint32_t access(bool is_write, uint32_t address, uint32_t data, uint32_t response = 0);
    void write(uint32_t address, uint32_t data) { access(true, address, data); }
    uint32_t read(uint32_t address) { return access(false, address, 0); }
    void tick();
    void sync();
    void follow_run();
    void watch();
    void watch_writes();
    void end_segment();
    void compare_counters();
    void compare_memory();
    void differ(const std::string &signal, const std::string &expected, const std::string &found,
                size_t index);

    const lpu_layout *layout_;
    top_manner manner_;
    lpu_scale eps_, score_scale_;
    std::vector<uint8_t> image_, golden_memory_, rtl_memory_;
    top_golden golden_;
    top_memory memory_;
    typedef std::array<uint32_t, LPU_INSN_BYTES / 4> insn_words;
    std::vector<insn_words> loaded_; /* in program memory, which no reset clears; all zeros: not known */
    top_in in_;
    top_out out_;
    uint64_t host_dice_;

    const top_program *program_ = nullptr;
    top_run run_;
    top_verdict *verdict_ = nullptr;
    bool has_started_ = false, is_running_ = false, has_ended_ = false;
    bool is_free_ = false; /* nothing is compared */
    uint64_t cycle_ = 0, settled_at_ = 0;
    size_t segment_ = 0, event_ = 0, write_ = 0;
};

#endif
