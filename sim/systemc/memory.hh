/* sim/systemc/memory.hh - a memory target of TLM-2.0 with the timing of sim/dram.h.
 *
 * On reads and writes, an LPU's bursts in the base protocol, approximately timed: a burst is accepted
 * when the memory's queues have room for all of it, and answered in the first cycle in which it is
 * complete; one response a cycle and socket, and the next read not before END_RESP. A burst without
 * room waits, and is tried once per cycle: when it asks by LPU_AGAIN (sim/systemc/axi.hh), or at the
 * cycle's end. On host, plain accesses with a delay. All sockets serve DMI and debug transport.
 *
 * A cycle is one of clk_i's, from rising edge to rising edge. run_i and sync_i, where they are bound,
 * are those of an LPU: time begins anew when run_i rises and after each SYNC, which ack_o answers
 * once the memory has settled. So a segment of a program never depends on what ran before.
 */
#ifndef LPU_SIM_SYSTEMC_MEMORY_HH
#define LPU_SIM_SYSTEMC_MEMORY_HH

#include "sim/systemc/axi.hh"

extern "C" {
#include "sim/design.h"
}

#include <functional>

#include <tlm_utils/simple_target_socket.h>

class lpu_sc_memory : public sc_core::sc_module
{
  public:
    typedef sc_core::sc_port<sc_core::sc_signal_in_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>
        optional_in;
    typedef sc_core::sc_port<sc_core::sc_signal_inout_if<bool>, 1, sc_core::SC_ZERO_OR_MORE_BOUND>
        optional_out;

    sc_core::sc_in<bool> clk_i;
    optional_in run_i, sync_i;
    optional_out ack_o;
    tlm_utils::simple_target_socket_tagged<lpu_sc_memory> reads, writes;
    tlm_utils::simple_target_socket<lpu_sc_memory> host;

    /* Memory, clock and bus are the design's. */
    lpu_sc_memory(const sc_core::sc_module_name &name, const lpu_design &design, uint64_t bytes);
    ~lpu_sc_memory() override;

    /* Called as a burst of an LPU is accepted, before its bytes are in memory. */
    std::function<void(const tlm::tlm_generic_payload &)> on_write;

  private:
    struct record { /* a burst in the memory */
        tlm::tlm_generic_payload *payload;
        uint32_t parts_left;
    };
    struct channel { /* one of the two sockets */
        tlm::tlm_generic_payload *waiting = nullptr;
        bool was_tried = false, is_answering = false;
        std::deque<tlm::tlm_generic_payload *> ended;
    };

    void start_of_simulation() override;
    void edge();
    void settle();
    void restart();
    void respond(int which, uint32_t count);
    void try_again(int which);
    bool try_now(int which);
    bool transfer(tlm::tlm_generic_payload &p);
    tlm::tlm_sync_enum forward(int which, tlm::tlm_generic_payload &p, tlm::tlm_phase &phase,
                               sc_core::sc_time &delay);
    void block(tlm::tlm_generic_payload &p, sc_core::sc_time &delay);
    void block_tagged(int which, tlm::tlm_generic_payload &p, sc_core::sc_time &delay);
    bool direct(tlm::tlm_generic_payload &p, tlm::tlm_dmi &dmi);
    bool direct_tagged(int which, tlm::tlm_generic_payload &p, tlm::tlm_dmi &dmi);
    unsigned debug(tlm::tlm_generic_payload &p);
    unsigned debug_tagged(int which, tlm::tlm_generic_payload &p);
    uint64_t time_ps(uint64_t cycle) const { return cycle * 1000000u / design_.clock_mhz; }

    const lpu_design design_;
    const uint32_t ports_;
    std::vector<uint8_t> bytes_;
    lpu_dram *dram_ = nullptr;
    std::vector<record> records_;
    std::vector<uint32_t> free_;
    channel channels_[2];
    uint64_t cycle_ = 0, settled_at_ = 0;
    bool was_running_ = false, is_settling_ = false, has_acked_ = false;
};

#endif
