/* sim/systemc/axi.cc - bursts of AXI's five channels as payloads of TLM-2.0. */
#include "sim/systemc/axi.hh"

#include <algorithm>

using namespace sc_core;
using namespace tlm;

enum { AW_QUEUE = 4 }; /* addresses whose beats are to come, as in sim/port.c */

/* A payload with its bytes. */
struct lpu_sc_axi::burst : tlm_generic_payload {
    burst(tlm_mm_interface *mm, uint32_t bytes)
        : tlm_generic_payload(mm), data(bytes), enables(bytes)
    {
    }
    std::vector<uint8_t> data, enables;
    uint32_t id = 0;
    bool is_asked = false, is_accepted = false;
    bool is_open = false; /* its END_RESP has yet to be said */
    sc_time answered;
};

/* Bursts to be used again. */
class lpu_sc_axi::pool : public tlm_mm_interface
{
  public:
    explicit pool(uint32_t bytes) : bytes_(bytes) {}
    burst *take()
    {
        if (free_.empty()) {
            all_.push_back(std::make_unique<burst>(this, bytes_));
            free_.push_back(all_.back().get());
        }
        burst *b = free_.back();
        free_.pop_back();
        b->acquire();
        return b;
    }
    void free(tlm_generic_payload *p) override
    {
        p->reset();
        free_.push_back(static_cast<burst *>(p));
    }

  private:
    uint32_t bytes_;
    std::vector<std::unique_ptr<burst>> all_;
    std::vector<burst *> free_;
};

lpu_sc_axi::lpu_sc_axi(const sc_module_name &name, uint32_t bus_bytes, uint32_t burst_bytes)
    : sc_module(name), reads("reads"), writes("writes"), bus_(bus_bytes), burst_(burst_bytes),
      beats_(bus_bytes < burst_bytes ? burst_bytes / bus_bytes : 1),
      ports_(bus_bytes > burst_bytes ? bus_bytes / burst_bytes : 1),
      pool_(std::make_unique<pool>(burst_bytes))
{
    reads.register_nb_transport_bw(this, &lpu_sc_axi::read_back);
    writes.register_nb_transport_bw(this, &lpu_sc_axi::write_back);
}

lpu_sc_axi::~lpu_sc_axi() = default;

/* ---- bursts ---- */

lpu_sc_axi::burst *lpu_sc_axi::open(uint64_t address, uint32_t id, bool is_write)
{
    burst *b = pool_->take();

    b->set_command(is_write ? TLM_WRITE_COMMAND : TLM_READ_COMMAND);
    b->set_address(address);
    b->set_data_ptr(b->data.data());
    b->set_data_length(burst_);
    b->set_streaming_width(burst_);
    b->set_byte_enable_ptr(is_write ? b->enables.data() : nullptr);
    b->set_byte_enable_length(is_write ? burst_ : 0);
    b->set_dmi_allowed(false);
    b->set_response_status(TLM_INCOMPLETE_RESPONSE);
    b->id = id;
    b->is_asked = b->is_accepted = b->is_open = false;
    under_way_++;
    return b;
}

void lpu_sc_axi::close(burst *b)
{
    if (b->is_open) {
        tlm_phase phase = END_RESP;
        sc_time delay = SC_ZERO_TIME;
        (b->is_write() ? writes : reads)->nb_transport_fw(*b, phase, delay);
    }
    b->release();
    under_way_--;
}

/* What the memory said of b, on either path. */
void lpu_sc_axi::follow(burst *b, const tlm_phase &phase, const sc_time &delay)
{
    if (phase == END_REQ || phase == BEGIN_RESP) b->is_accepted = true;
    if (phase != BEGIN_RESP) return;
    b->answered = sc_time_stamp() + delay;
    (b->is_write() ? written_ : read_).push_back(b);
}

/* BEGIN_REQ, or once more; true when it is accepted. */
bool lpu_sc_axi::offer(socket &s, burst *b)
{
    tlm_phase phase = BEGIN_REQ;
    sc_time delay = SC_ZERO_TIME;

    if (b->is_accepted) return true;
    if (b->is_asked) phase = LPU_AGAIN;
    b->is_asked = true;
    const tlm_sync_enum said = s->nb_transport_fw(*b, phase, delay);
    if (said == TLM_UPDATED) {
        b->is_open = phase == BEGIN_RESP;
        follow(b, phase, delay);
    } else if (said == TLM_COMPLETED) {
        follow(b, BEGIN_RESP, delay);
    }
    return b->is_accepted;
}

tlm_sync_enum lpu_sc_axi::read_back(tlm_generic_payload &p, tlm_phase &phase, sc_time &delay)
{
    burst *b = static_cast<burst *>(&p);

    follow(b, phase, delay);
    if (phase != BEGIN_RESP) return TLM_ACCEPTED;
    b->is_open = beats_ > 1;
    return b->is_open ? TLM_ACCEPTED : TLM_COMPLETED;
}

tlm_sync_enum lpu_sc_axi::write_back(tlm_generic_payload &p, tlm_phase &phase, sc_time &delay)
{
    follow(static_cast<burst *>(&p), phase, delay);
    return phase == BEGIN_RESP ? TLM_COMPLETED : TLM_ACCEPTED;
}

/* ---- a cycle ---- */

void lpu_sc_axi::begin()
{
    cycle_++;
    r_left_ = ports_;
    b_left_ = 1;
    if (taken_) close(taken_);
    taken_ = nullptr;
}

bool lpu_sc_axi::r(lpu_sc_beat *beat)
{
    if (!r_left_ || read_.empty() || read_.front()->answered > sc_time_stamp()) return false;
    burst *b = read_.front();

    if (taken_) close(taken_);
    taken_ = nullptr;
    *beat = {b->id, r_beat_ + 1 == beats_, b->is_response_error(),
             b->data.data() + (size_t)r_beat_ * bus_};
    r_left_--;
    r_beat_++;
    if (!beat->is_last) return true;
    r_beat_ = 0;
    read_.pop_front();
    if (b->is_open) { /* the memory may begin the next burst in the next cycle */
        tlm_phase phase = END_RESP;
        sc_time delay = SC_ZERO_TIME;
        reads->nb_transport_fw(*b, phase, delay);
        b->is_open = false;
    }
    taken_ = b;
    return true;
}

bool lpu_sc_axi::b(uint32_t *id, bool *has_failed)
{
    if (!b_left_ || written_.empty() || written_.front()->answered > sc_time_stamp()) return false;
    burst *b = written_.front();

    b_left_--;
    *id = b->id;
    *has_failed = b->is_response_error();
    written_.pop_front();
    close(b);
    return true;
}

bool lpu_sc_axi::read(uint64_t address, uint32_t id)
{
    if (!asking_) asking_ = open(address, id, false);
    if (!offer(reads, asking_)) return false;
    asking_ = nullptr;
    return true;
}

bool lpu_sc_axi::write(uint64_t address, uint32_t id)
{
    if (aw_.size() == AW_QUEUE) return false;
    aw_.push_back({address, cycle_, id});
    return true;
}

/* The data of a burst follow its address from the next cycle on. */
bool lpu_sc_axi::write_beat(const uint8_t *data, const uint8_t *enables)
{
    if (aw_.empty() || aw_.front().cycle == cycle_) return false;
    if (!writing_) writing_ = open(aw_.front().at, aw_.front().id, true);

    const size_t at = (size_t)w_beat_ * bus_, bytes = std::min(bus_, burst_);
    if (!writing_->is_asked) {
        std::copy_n(data, bytes, writing_->data.begin() + (ptrdiff_t)at);
        std::copy_n(enables, bytes, writing_->enables.begin() + (ptrdiff_t)at);
    }
    if (w_beat_ + 1 < beats_) {
        w_beat_++;
        return true;
    }
    if (!offer(writes, writing_)) return false;
    writing_ = nullptr;
    w_beat_ = 0;
    aw_.pop_front();
    return true;
}
