/* sim/cost.h - what an instruction takes of the vector unit, and all that it counts.
 *
 * Closed forms of one instruction's own fields: the machine adds them when it issues. Cycles and
 * DRAM commands are not here: those the clock finds out.
 */
#ifndef LPU_SIM_COST_H
#define LPU_SIM_COST_H

#include "sim/layout.h"
#include "sim/program.h"
#include "workloads/counters.h"

/* Cycles of the vector unit from start to retirement. */
uint64_t lpu_cost_vector_cycles(const lpu_design *design, const lpu_insn *insn);

/* Adds insn's events to c. op is the trace record that it belongs to (its share of zeros). */
void lpu_cost_count(const lpu_layout *layout, const lpu_insn *insn, const lpu_op *op,
                    lpu_counters *c);

/* Sum over the adders of a balanced tree of terms inputs of width bits: their widths. */
uint64_t lpu_cost_tree_bits(uint64_t terms, uint32_t bits);

#endif
