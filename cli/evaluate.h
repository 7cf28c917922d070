/* cli/evaluate.h - a simulated pass with its energy, by both methods: what sim and compare print.
 */
#ifndef LPU_CLI_EVALUATE_H
#define LPU_CLI_EVALUATE_H

#include "cli/cli.h"
#include "energy_model/energy.h"
#include "sim/simulate.h"

typedef struct lpu_evaluation {
    lpu_model model;
    lpu_design design;
    lpu_sim_result *result;
    lpu_prices prices;
    lpu_paper_prices paper;
    double component_pj[LPU_COMPONENTS]; /* of the whole pass, system method */
    double system_pj;                    /* of the whole pass */
    double paper_pj; /* the same by the paper method; NAN where the papers have no price */
} lpu_evaluation;

/* What the user asked for, as it stands on the command line. */
typedef struct lpu_evaluation_options {
    const char *model, *phase, *timeline;
    const char *trace; /* a saved trace in place of model and phase, or NULL */
    uint32_t tokens, context, batch;
    bool is_stepped;
} lpu_evaluation_options;

/* decode at context 512, batch 1, no files. */
lpu_evaluation_options lpu_evaluation_defaults(void);

/* Loads model and design, simulates, prices. Shows progress. On failure nothing is held, and
 * *exit_code is the program's: LPU_EXIT_USAGE when it was something that the command line named. */
lpu_status lpu_evaluation_open(lpu_evaluation *e, const lpu_evaluation_options *options,
                               const char *design, int *exit_code, lpu_diag *diag);
void lpu_evaluation_close(lpu_evaluation *e);

/* The system method on one op's counters. */
double lpu_evaluation_op_pj(const lpu_evaluation *e, size_t op);

/* The object of `lpu sim --json`; with_ops adds one entry per operation. */
json_t *lpu_evaluation_json(const lpu_evaluation *e, bool with_ops);

#endif
