/* rtl/verify/top_bins.hh - functional coverage: which kinds of instruction, shape and stall were run.
 */
#ifndef LPU_RTL_VERIFY_TOP_BINS_HH
#define LPU_RTL_VERIFY_TOP_BINS_HH

#include <cstdint>
#include <map>
#include <string>

extern "C" {
#include "sim/design.h"
#include "sim/program.h"
#include "workloads/counters.h"
}

/* Hits by name. A new one has every bin that there is, at zero. */
class top_bins
{
  public:
    top_bins();
    void program(const lpu_program *program, const lpu_design *design);
    void cycles(const lpu_counters *counters);
    void hit(const std::string &name, uint64_t count = 1);
    bool save(const std::string &path) const; /* a line for each: name, tab, hits */

  private:
    void product(const lpu_insn *insn, const lpu_design *design);
    void vector(const lpu_insn *insn, const lpu_design *design);
    void transfer(const lpu_insn *insn, const lpu_design *design);

    std::map<std::string, uint64_t> hits_;
};

#endif
