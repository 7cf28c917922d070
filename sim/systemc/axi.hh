/* sim/systemc/axi.hh - the transactor: AXI4 channels, cycle by cycle, to bursts of TLM-2.0.
 *
 * A burst is one generic payload of the base protocol, on one socket for reads and one for writes:
 *
 *     BEGIN_REQ   AR is valid; or the last beat of W is, and its AW has been taken
 *     END_REQ     ready: the burst is accepted
 *     BEGIN_RESP  the first beat of R; the response of B
 *     END_RESP    the last beat of R; where one beat is all, BEGIN_RESP is answered TLM_COMPLETED
 *
 * A cycle lasts from a rising edge of the clock to the next. What the memory says until begin is of
 * this cycle; the memory's own cycle must have begun by then, so the user calls at the falling edge.
 * A request that waits asks again in each cycle by the phase LPU_AGAIN, which a memory may ignore:
 * one that knows it can answer in the order of AXI's channels, and in the very cycle.
 */
#ifndef LPU_SIM_SYSTEMC_AXI_HH
#define LPU_SIM_SYSTEMC_AXI_HH

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

TLM_DECLARE_EXTENDED_PHASE(LPU_AGAIN);

/* A beat of R. */
struct lpu_sc_beat {
    uint32_t id;
    bool is_last, has_failed;
    const uint8_t *data; /* bus_bytes, until the next beat */
};

class lpu_sc_axi : public sc_core::sc_module
{
  public:
    tlm_utils::simple_initiator_socket<lpu_sc_axi> reads, writes;

    /* A burst is burst_bytes, in beats of bus_bytes; a wider bus is so many ports side by side. */
    lpu_sc_axi(const sc_core::sc_module_name &name, uint32_t bus_bytes, uint32_t burst_bytes);
    ~lpu_sc_axi() override;

    void begin(); /* a cycle */

    /* R and B have what they have; AR, AW and W say whether they are accepted in this cycle. What is
     * not is asked for again, unchanged. data and enables are bus_bytes each; an enable is 0 or
     * TLM_BYTE_ENABLED. */
    bool r(lpu_sc_beat *beat);
    bool b(uint32_t *id, bool *has_failed);
    bool read(uint64_t address, uint32_t id);
    bool write(uint64_t address, uint32_t id);
    bool write_beat(const uint8_t *data, const uint8_t *enables);

    bool is_idle() const { return !under_way_ && aw_.empty(); }
    uint32_t bus_bytes() const { return bus_; }

  private:
    struct burst;
    class pool;
    typedef tlm_utils::simple_initiator_socket<lpu_sc_axi> socket;
    struct write_address {
        uint64_t at, cycle;
        uint32_t id;
    };

    tlm::tlm_sync_enum read_back(tlm::tlm_generic_payload &p, tlm::tlm_phase &phase,
                                 sc_core::sc_time &delay);
    tlm::tlm_sync_enum write_back(tlm::tlm_generic_payload &p, tlm::tlm_phase &phase,
                                  sc_core::sc_time &delay);
    burst *open(uint64_t address, uint32_t id, bool is_write);
    void close(burst *b);
    bool offer(socket &s, burst *b);
    void follow(burst *b, const tlm::tlm_phase &phase, const sc_core::sc_time &delay);

    const uint32_t bus_, burst_, beats_, ports_;
    std::unique_ptr<pool> pool_;
    uint64_t cycle_ = 0, under_way_ = 0;
    burst *asking_ = nullptr, *writing_ = nullptr; /* on AR; on W */
    std::deque<burst *> read_, written_;           /* answered */
    std::deque<write_address> aw_;                       /* accepted, beats to come */
    uint32_t r_beat_ = 0, w_beat_ = 0, r_left_ = 0, b_left_ = 0;
    burst *taken_ = nullptr; /* its data are in use until the next beat */
};

#endif
