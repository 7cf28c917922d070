/* cli/report_write.h - the tables of the report, from finished passes. */
#ifndef LPU_CLI_REPORT_WRITE_H
#define LPU_CLI_REPORT_WRITE_H

#include "cli/report_jobs.h"
#include "cli/report_table.h"

/* The two machines that the report holds side by side: same geometry, same memory. */
#define LPU_REPORT_TERNARY "ternary-edge"
#define LPU_REPORT_FP16    "fp16-mac"

/* The ratio of the published prices: one FP16 multiplication and addition over one INT8 addition.
 */
double lpu_report_op_ratio(const lpu_paper_prices *paper);

/* Energy of the pass by the method of the papers, pJ per token: NaN where the papers have no price
 * for such a machine (INT4 and INT8 lanes). */
double lpu_report_paper_pj(const lpu_report_job *job, const lpu_paper_prices *paper);

/* Energy within a scope, pJ per token. */
double lpu_report_scope_pj(const lpu_report_job *job, lpu_scope scope);

/* The component that takes the most, and its share. */
lpu_component lpu_report_dominant(const lpu_report_job *job, double *share);

/* All tables that come from the simulator and from data files. */
lpu_status lpu_report_write(const lpu_report_jobs *jobs, const lpu_paper_prices *paper,
                            const char *out, lpu_diag *diag);

/* A part of it: report_write_size.c. */
lpu_status lpu_report_write_sizes(const lpu_report_jobs *jobs, const lpu_paper_prices *paper,
                                  const char *out, lpu_diag *diag);
lpu_status lpu_report_write_ops(const lpu_report_jobs *jobs, const char *out, lpu_diag *diag);

#endif
