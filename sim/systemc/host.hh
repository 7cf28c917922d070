/* sim/systemc/host.hh - what a driver of the LPU does, on a socket: programs, constants, starts, waits.
 *
 * Functions wait: they are called from a thread. A register that refuses an access is thrown as
 * lpu_sc_refused, anything else as std::runtime_error.
 */
#ifndef LPU_SIM_SYSTEMC_HOST_HH
#define LPU_SIM_SYSTEMC_HOST_HH

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

extern "C" {
#include "sim/program.h"
}

struct lpu_sc_refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class lpu_sc_host : public sc_core::sc_module
{
  public:
    tlm_utils::simple_initiator_socket<lpu_sc_host> device, memory;
    sc_core::sc_in<bool> irq_i;

    /* body is the host's program, run once. */
    lpu_sc_host(const sc_core::sc_module_name &name, std::function<void(lpu_sc_host &)> body);

    /* Memory, without time. */
    void put(uint64_t address, const void *data, size_t bytes);
    void get(uint64_t address, void *data, size_t bytes);

    uint32_t read(uint32_t reg);
    void write(uint32_t reg, uint32_t value);
    uint64_t counter(uint32_t index); /* LPU_PERF_... */

    /* The program goes to program memory; memory addresses count from base. */
    void load(const lpu_insn *insns, size_t count, uint64_t base, lpu_scale eps,
              lpu_scale score_scale);

    /* From the first instruction to HALT; returns STATUS. With is_stopping it stops at each SYNC, and is
     * started again. */
    uint32_t run(bool is_stopping);

    /* Registers read and written so far. */
    uint64_t accesses() const { return accesses_; }

  private:
    void thread();
    void access(bool is_write, uint32_t reg, uint32_t *value);
    void debug(bool is_write, uint64_t address, uint8_t *data, size_t bytes);

    std::function<void(lpu_sc_host &)> body_;
    uint64_t accesses_ = 0;
};

#endif
