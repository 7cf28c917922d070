/* sim/systemc/device.hh - an LPU as a module of SystemC: what its insides have in common.
 *
 *     host     registers of 32 bits by rtl/lpu_regs.vh, 4 KiB: what a CPU's bus reaches
 *     axi      two initiator sockets, reads and writes: what reaches memory (sim/systemc/axi.hh)
 *     clk_i    the LPU's clock
 *     irq_o    as register IRQ_STATUS says
 *     run_o, sync_o, sync_ack_i
 *              a program runs; it stands at a SYNC, and waits for memory to settle: bind
 *              sync_ack_i to a true where the memory needs no time for that
 *
 * Insides: lpu_sc_machine (the simulator in C; loosely or cycle timed) and lpu_sc_rtl (Verilated).
 */
#ifndef LPU_SIM_SYSTEMC_DEVICE_HH
#define LPU_SIM_SYSTEMC_DEVICE_HH

#include "sim/systemc/axi.hh"

extern "C" {
#include "sim/design.h"
#include "sim/port.h"
#include "sim/program.h"
}

#include <functional>

#include <tlm_utils/simple_target_socket.h>

/* An instruction issues, or retires from a unit. */
struct lpu_sc_event {
    size_t segment; /* of the program's run */
    uint64_t cycle; /* of the segment */
    bool is_retirement;
    lpu_unit unit; /* of a retirement */
    size_t index;  /* in program memory */
};

class lpu_sc_device : public sc_core::sc_module
{
  public:
    sc_core::sc_in<bool> clk_i, sync_ack_i;
    sc_core::sc_out<bool> irq_o, run_o, sync_o;
    tlm_utils::simple_target_socket<lpu_sc_device> host;
    lpu_sc_axi axi;

    /* Called as things happen, for those who watch. */
    std::function<void(const lpu_sc_event &)> on_event;

  protected:
    lpu_sc_device(const sc_core::sc_module_name &name, const lpu_design &design)
        : sc_module(name), clk_i("clk_i"), sync_ack_i("sync_ack_i"), irq_o("irq_o"), run_o("run_o"),
          sync_o("sync_o"), host("host"),
          axi("axi", design.bus_bytes_per_cycle,
              lpu_port_burst_bytes(&design.dram, design.bus_bytes_per_cycle))
    {
        host.register_b_transport(this, &lpu_sc_device::block);
    }

    /* One word; false where the register refuses it. May wait. */
    virtual bool access(bool is_write, uint32_t address, uint32_t *data) = 0;

  private:
    void block(tlm::tlm_generic_payload &p, sc_core::sc_time &delay);
};

#endif
