/* energy_model/energy.h - joules from counts: counts x prices, each price with its source.
 *
 * Two methods, never mixed: `paper` prices only the arithmetic of a trace, by the published
 * formula; `system` prices every counter of a simulated run.
 */
#ifndef LPU_ENERGY_MODEL_ENERGY_H
#define LPU_ENERGY_MODEL_ENERGY_H

#include "workloads/counters.h"
#include "workloads/status.h"
#include "workloads/trace.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct lpu_price {
    double pj_each; /* 0 where is_free */
    bool is_free;
    char source[256]; /* the citation, or the reason why it is free */
} lpu_price;

/* One price per row of counters.def. */
typedef struct lpu_prices {
    char logic[64], dram[64]; /* names of the tables */
    lpu_price of[LPU_COUNTERS];
} lpu_prices;

/* Reads energy_model/prices/<logic>.tsv (all counters but dram_*) and dram-<dram>.tsv (dram_*
 * only), by name or by path; dram may carry its "dram-" already. A counter with no row, a row with
 * no counter, a price without a source or a repeated row is an error that names file, line and
 * counter.
 */
lpu_status lpu_prices_load(lpu_prices *prices, const char *logic, const char *dram, lpu_diag *diag);

/* The system method. component_pj[LPU_COMPONENTS]; returns their sum. */
double lpu_energy_system_pj(const lpu_prices *prices, const lpu_counters *counters,
                            double *component_pj);

/* The prices of the paper method, in pJ per operation at one node. */
typedef struct lpu_paper_prices {
    char node[64];
    double mul_f32, add_f32, mul_f16, add_f16, mul_i8, add_i8;
    char source[256];
} lpu_paper_prices;

/* node is "45nm" or "7nm"; from energy_model/prices/paper-<node>.tsv. */
lpu_status lpu_paper_load(lpu_paper_prices *prices, const char *node, lpu_diag *diag);

/* E = e_lin S N_lin + e_fp16 (2 L S^2 h): the formula behind figure 3 of BitNet b1.58 (arXiv
 * 2402.17764), for a pass of tokens tokens. N_lin is lpu_model_linear_elems (12 h^2 L in the
 * paper's models), L the layers with attention, h the width of their queries. */
double lpu_energy_paper_pass_pj(const lpu_paper_prices *prices, const lpu_model *model,
                                double tokens);

/* The same accounting op by op on any trace (decode, batch): MACs of linear layers at e_lin,
 * attention at FP16, nothing else. per_op_pj (trace->count) may be NULL. Returns the sum. */
double lpu_energy_paper_trace_pj(const lpu_paper_prices *prices, const lpu_trace *trace,
                                 double *per_op_pj);

/* The accounting of BitNet (arXiv 2310.11453, section 2.4 and table 1): multiplications and
 * additions of every product of a pass apart. weight_bits is 32, 16 or 1; with 1 the linear layers
 * add INT8 and multiply outputs and inputs by scales, and attention stays FP16. */
typedef struct lpu_bitnet_energy {
    double mul_pj, add_pj;
} lpu_bitnet_energy;

lpu_bitnet_energy lpu_energy_bitnet_pass(const lpu_paper_prices *prices, const lpu_model *model,
                                         double tokens, uint32_t weight_bits);

/* Multiply against add at three scopes. */
typedef enum lpu_scope {
    LPU_SCOPE_DATAPATH,
    LPU_SCOPE_CORE,
    LPU_SCOPE_SYSTEM,
    LPU_SCOPES
} lpu_scope;

/* Energy of a run within a scope: datapath = arithmetic; core = everything on the chip; system =
 * core, DRAM and the links between chips. */
double lpu_energy_scope_pj(const double *component_pj, lpu_scope scope);
const char *lpu_scope_name(lpu_scope scope);

#endif
