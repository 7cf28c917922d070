/* sim/systemc/platform.hh - one LPU in a platform of its own, judged by programs.
 *
 * A clock, a host, a memory, and an LPU of one of the three insides. It runs works one after the
 * other, and compares of each, with what the simulator in C says of the same program outside
 * SystemC: the cycle of every issue and retirement, every burst that is written, every counter, the
 * cycles, and the memory that is left. It stops at its first difference.
 */
#ifndef LPU_SIM_SYSTEMC_PLATFORM_HH
#define LPU_SIM_SYSTEMC_PLATFORM_HH

#include "rtl/verify/top_golden.hh"
#include "sim/systemc/host.hh"
#include "sim/systemc/machine.hh"
#include "sim/systemc/memory.hh"

#include <functional>
#include <memory>
#include <string>
#include <vector>

/* One program, and what the simulator says of it. */
struct lpu_sc_work {
    std::unique_ptr<top_program> program;
    bool is_new; /* memory is image before it; else as the one before has left it */
    std::vector<uint8_t> image, memory_after;
    lpu_scale eps, score_scale;
    top_run run;
};

struct lpu_sc_row { /* of the answer: a program that was run */
    std::string name;
    size_t instructions, segments, events, writes, bytes, counters;
    uint64_t cycles;
    bool is_equal;
};

struct lpu_sc_difference {
    std::string signal, expected, found, where;
    int64_t segment, cycle; /* negative: not known */
};

enum lpu_sc_inside { LPU_SC_INSIDE_RTL, LPU_SC_INSIDE_CYCLES, LPU_SC_INSIDE_LOOSE };

class lpu_sc_platform : public sc_core::sc_module
{
  public:
    /* works outlives it. seed: of registers without reset. */
    lpu_sc_platform(const sc_core::sc_module_name &name, lpu_sc_inside inside,
                    const lpu_design &design, uint64_t seed, uint64_t memory_bytes,
                    const std::vector<lpu_sc_work> *works);

    std::vector<lpu_sc_row> rows;
    std::unique_ptr<lpu_sc_difference> first;
    std::string refusal;
    bool is_done = false;
    std::function<void()> on_done;

    /* Ends it: from outside, where it does not end by itself. why is told where the events so far
     * are as they should be. */
    void stop(const std::string &why);

    /* Grows with all that happens between the host and the LPU. */
    uint64_t progress() const { return host_.accesses() + events_seen_; }
    bool has_too_many_events() const;

  private:
    struct stopped {
    };
    void body(lpu_sc_host &host);
    void judge();
    void compare_events();
    void compare_segment(size_t segment);
    void compare_writes();
    void compare_counters();
    void compare_memory();
    void take_event(const lpu_sc_event &e);
    void take_write(const tlm::tlm_generic_payload &p);
    void differ(const std::string &signal, const std::string &expected, const std::string &found,
                size_t index, int64_t cycle = -1);
    void keep(bool is_equal);
    void end();

    const lpu_sc_inside inside_;
    const std::vector<lpu_sc_work> *works_;
    sc_core::sc_clock clock_;
    sc_core::sc_signal<bool> irq_, run_, sync_, ack_;
    lpu_sc_memory memory_;
    std::unique_ptr<lpu_sc_device> device_;
    lpu_sc_host host_;

    const lpu_sc_work *now_ = nullptr;
    std::vector<std::vector<top_event>> events_; /* by segment */
    std::vector<lpu_sc_store> writes_;
    std::vector<uint8_t> shadow_;                  /* memory, as the bursts so far have left it */
    uint64_t events_seen_ = 0, events_before_ = 0; /* of all programs; of those that are over */
    bool is_ahead_ = false;                        /* memory was not so when a burst came */
    size_t counters_ = 0;
};

#endif
