/* rtl/verify/top_memory.hh - memory behind the AXI port of an lpu_top: bytes, time by sim/port.h, and
 * a judge of the port's rules.
 */
#ifndef LPU_RTL_VERIFY_TOP_MEMORY_HH
#define LPU_RTL_VERIFY_TOP_MEMORY_HH

#include "rtl/verify/top_rtl.hh"

#include <deque>
#include <string>
#include <vector>

extern "C" {
#include "sim/port.h"
#include "sim/design.h"
}

/* A burst that was written: the first and the number of its bytes with a strobe. */
struct top_burst {
    uint64_t address;
    std::vector<uint8_t> data; /* from the first byte with a strobe on */
};

/* What the channels of the port had to wait for: cycles. */
enum top_port_wait {
    TOP_WAIT_AR,    /* a read address is not taken */
    TOP_WAIT_AW,    /* a write address is not taken */
    TOP_WAIT_W,     /* a beat of write data is not taken */
    TOP_WAIT_R,     /* no beat within a burst of read data */
    TOP_WAIT_ORDER, /* a burst is answered that is not the oldest */
    TOP_WAITS
};

class top_memory
{
  public:
    top_memory(const lpu_design *design, std::vector<uint8_t> *bytes, uint64_t base,
               const lpu_port_stalls *stalls);
    ~top_memory();
    top_memory(const top_memory &) = delete;
    top_memory &operator=(const top_memory &) = delete;

    void restart(); /* a segment begins */
    /* Answers what is on the port in this cycle. fault is empty where all rules are kept. */
    void cycle(uint64_t cycle, const top_out *out, top_in *in);
    /* The first cycle in which the memory has settled. */
    uint64_t settle();
    bool is_idle() const { return lpu_port_is_idle(port_); }

    std::string fault;
    std::deque<top_burst> written; /* to be taken by the reader */
    /* The n-th read burst, or write burst, from now on answers with an error; 0: none. */
    uint64_t failing_read = 0, failing_write = 0;
    uint64_t waits[TOP_WAITS] = {0};

  private:
    void check(const top_out *out);
    void read(const top_out *out, top_in *in);
    void write(const top_out *out, top_in *in);
    void beat(const top_out *out);
    void answer(const top_out *out, top_in *in);
    bool is_inside(uint64_t address) const;
    void count_waits(const top_out *out, const top_in *in);
    void say(const char *format, ...) __attribute__((format(printf, 2, 3)));

    std::vector<uint8_t> *bytes_;
    uint64_t base_;
    uint32_t bus_, burst_, beats_, reads_;
    lpu_port *port_ = nullptr;
    std::deque<uint64_t> writes_; /* addresses whose data are to come */
    std::vector<char> is_read_, is_failing_; /* by tag */
    std::vector<int> failing_writes_;        /* by tag: responses that are to fail */
    std::deque<uint32_t> order_;             /* tags of reads under way, the oldest first */
    bool is_amid_read_ = false;              /* a burst of R has begun */
    std::vector<uint8_t> r_data_;
    uint32_t beat_ = 0;
    top_burst burst_now_;
    bool has_first_ = false, has_end_ = false;
    top_out last_;               /* of the cycle before */
    std::vector<uint8_t> last_w_; /* its data */
    top_in answered_;
};

#endif
