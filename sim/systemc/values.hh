/* sim/systemc/values.hh - what the instructions of a segment do to values, ahead of their time.
 *
 * The machine of sim/machine.h has the time of a program, sim/exec.h its values. Where the bytes of a
 * store must reach memory as its bursts are sent, a segment is executed first, what it stored is kept
 * by bursts, and memory is put back.
 */
#ifndef LPU_SIM_SYSTEMC_VALUES_HH
#define LPU_SIM_SYSTEMC_VALUES_HH

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

extern "C" {
#include "sim/design.h"
#include "sim/exec.h"
}

/* What a store writes to one burst of the port. */
struct lpu_sc_store {
    uint64_t address; /* of the first byte */
    std::vector<uint8_t> data;
};

class lpu_sc_values
{
  public:
    /* memory is borrowed. Throws std::runtime_error with a sentence. */
    lpu_sc_values(const lpu_design &design, uint8_t *memory, uint64_t memory_bytes, lpu_scale eps,
                  lpu_scale score_scale);
    ~lpu_sc_values();
    lpu_sc_values(const lpu_sc_values &) = delete;
    lpu_sc_values &operator=(const lpu_sc_values &) = delete;

    /* Executes; false, and why, where it cannot be. */
    bool run(const lpu_insn *insns, size_t count, std::string *why);

    /* The same, with the stores left over, in their order, instead of in memory. */
    bool run_ahead(const lpu_insn *insns, size_t count, std::deque<lpu_sc_store> *stores,
                   std::string *why);

    /* Of all that has been executed. lane_adds: digits that were not zero. */
    uint64_t lane_adds = 0, lane_skips = 0, load_bytes = 0, store_bytes = 0;

  private:
    struct piece { /* of memory, in the FIFO */
        uint64_t address, bytes;
    };
    bool step(const lpu_insn *i, std::string *why);
    void cut(const lpu_insn *i, std::vector<lpu_sc_store> *bursts) const;
    void count_product(const lpu_insn *i);
    uint64_t take_digits(uint64_t bytes);

    const lpu_design design_;
    uint8_t *memory_;
    uint64_t memory_bytes_;
    lpu_exec *exec_ = nullptr;
    uint8_t non_zero_[256]; /* digits of a byte that are not zero */
    std::deque<piece> fifo_;
};

#endif
