/* sim/systemc/machine.hh - an LPU whose inside is the simulator in C.
 *
 * Loosely timed, a segment of the program takes the cycles of sim/machine.c on the memory of its
 * design, at once; its values are in memory at its end, by DMI. Cycle timed, the same machine steps
 * through the same cycles, but its memory is the one behind axi: every burst is a payload, in the
 * cycle in which the RTL would send it, and takes the time that this memory takes. Values are those of
 * sim/exec.c in both; memory must give DMI for them. An instruction that cannot be executed ends the
 * program with error 1 before the segment that it is in.
 *
 * Registers are those of rtl/README.md. Not those of the hardware: PERF_ARRAY_GATED reads as 0, and a
 * reset waits for the end of the segment.
 */
#ifndef LPU_SIM_SYSTEMC_MACHINE_HH
#define LPU_SIM_SYSTEMC_MACHINE_HH

#include "sim/systemc/device.hh"
#include "sim/systemc/values.hh"

extern "C" {
#include "sim/layout.h"
#include "sim/machine.h"
}

enum lpu_sc_timing { LPU_SC_LOOSE, LPU_SC_CYCLES };

class lpu_sc_machine : public lpu_sc_device
{
  public:
    lpu_sc_machine(const sc_core::sc_module_name &name, const lpu_design &design,
                   lpu_sc_timing timing);
    ~lpu_sc_machine() override;

  private:
    enum state { IDLE, RUNNING, STOPPED, DONE, FAILED };

    void work();
    void run();
    bool run_segment(const lpu_program *program, size_t s);
    bool take_values(const lpu_insn *insns, size_t count);
    bool time_segment(const lpu_program *program, size_t s);
    bool decode(lpu_program *program);
    bool open_values();
    void fail(uint32_t error, const char *why);
    void reset();
    void interrupt(uint32_t bit);
    void show_irq();
    bool access(bool is_write, uint32_t address, uint32_t *data) override;
    bool read(uint32_t address, uint32_t *data);
    bool write(uint32_t address, uint32_t data);
    void control(uint32_t data);
    uint64_t counter(uint32_t index) const;

    /* The memory that the machine asks. */
    void begin(uint64_t cycle);
    uint64_t settle();
    bool write_beat();
    static lpu_port_remote remote_of(lpu_sc_machine *m);
    static void watch(void *user, const lpu_machine_event *event);

    const lpu_design design_;
    const lpu_sc_timing timing_;
    const sc_core::sc_time period_;
    lpu_model model_;
    lpu_layout layout_;
    lpu_trace trace_;
    lpu_op op_;
    lpu_machine *machine_ = nullptr;
    std::unique_ptr<lpu_sc_values> values_;
    bool is_new_ = true; /* values_ is of other constants */

    /* Registers. */
    state state_ = IDLE;
    std::vector<uint8_t> program_;
    uint32_t first_ = 0, count_ = 0, pc_ = 0, error_ = 0, eps_ = 0, score_scale_ = 0;
    uint32_t irq_enable_ = 0, irq_ = 0, window_ = 0, high_ = 0;
    uint64_t base_ = 0;
    bool is_stopping_ = false, is_resetting_ = false;
    lpu_counters counters_ = {};
    uint64_t load_bytes_ = 0, store_bytes_ = 0;

    /* The run. */
    sc_core::sc_event start_, irq_changed_;
    sc_core::sc_time origin_; /* the falling edge of the segment's cycle 0 */
    uint64_t cycle_ = 0;
    size_t segment_ = 0;
    std::deque<lpu_sc_store> stores_;
    uint32_t beat_ = 0;
    size_t first_index_ = 0; /* of the decoded program, in program memory */
};

#endif
