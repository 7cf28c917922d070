/* rtl/verify/top_bins.hh - functional coverage: which kinds of instruction, shape and stall were run.
 *
 * A bin is a cross: an operation, its digits, how its shape stands to the edges of tiles, lanes or
 * bursts, and what stalled meanwhile. Bins that one question asks for are a group.
 */
#ifndef LPU_RTL_VERIFY_TOP_BINS_HH
#define LPU_RTL_VERIFY_TOP_BINS_HH

#include <cstdint>
#include <map>
#include <string>
#include <vector>

extern "C" {
#include "sim/design.h"
#include "sim/program.h"
#include "workloads/counters.h"
}

/* The groups, in the order of the report. */
enum top_bin_group {
    TOP_BIN_PRODUCT,       /* matmul: direction x digits x edges of the tile x memory */
    TOP_BIN_PRODUCT_STALL, /* the same x what its array waited for */
    TOP_BIN_VECTOR,        /* operation x edges of the lanes x rows x memory */
    TOP_BIN_DIGITS,        /* operations on digits: x digits x edges of the lanes x memory */
    TOP_BIN_OVERLAP,       /* operation of the vector unit x what the array does */
    TOP_BIN_TRANSFER,      /* operation x segments x edge of the burst x memory */
    TOP_BIN_OPERAND,       /* flags, modes, operands left out */
    TOP_BIN_CYCLE,         /* cycles by cause */
    TOP_BIN_PORT,          /* channels of the AXI port that wait */
    TOP_BIN_ERROR,         /* error x memory */
    TOP_BIN_HOST,          /* what the host does */
    TOP_BIN_GROUPS
};

/* Hits by name. A new one has every bin that there is, at zero. */
class top_bins
{
  public:
    top_bins();
    /* A program that ran; of_ops: what each operation of its trace counted. */
    void program(const lpu_program *program, const lpu_design *design, bool is_stalling,
                 const std::vector<lpu_counters> &of_ops);
    void cycles(const lpu_counters *counters);
    void port(const uint64_t waits[]); /* as top_port_wait */
    void error(int error, bool is_stalling);
    void hit(top_bin_group group, const std::string &name, uint64_t count = 1);
    /* A line for each: group, tab, name, tab, hits. */
    bool save(const std::string &path) const;

  private:
    void product(const lpu_insn *insn, const lpu_design *design, const lpu_counters *counters);
    void vector(const lpu_insn *insn, const lpu_design *design, const lpu_counters *counters);
    void operands(const lpu_insn *insn);
    void transfer(const lpu_insn *insn, const lpu_design *design);

    std::map<std::string, uint64_t> hits_[TOP_BIN_GROUPS];
    std::string memory_; /* of the program in hand */
};

#endif
