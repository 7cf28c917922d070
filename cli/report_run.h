/* cli/report_run.h - the report's other programs: gnuplot, and the RTL harness. */
#ifndef LPU_CLI_REPORT_RUN_H
#define LPU_CLI_REPORT_RUN_H

#include "workloads/status.h"

#include <sys/types.h>

/* Starts argv[0] (searched in PATH) with stdout in out_path and stderr in error_path. */
lpu_status lpu_report_spawn(pid_t *pid, const char *const *argv, const char *out_path,
                            const char *error_path, lpu_diag *diag);

/* Waits for it. A failure says the program's name and the first line that it wrote on stderr. */
lpu_status lpu_report_wait(pid_t pid, const char *name, const char *error_path, lpu_diag *diag);

/* Draws every figure of the report from its table, two at a time. */
typedef struct lpu_report_figure {
    const char *name, *table; /* reports/fig_<name>.gp reads tables/<table>.tsv */
} lpu_report_figure;
extern const lpu_report_figure lpu_report_figures[];

lpu_status lpu_report_draw(const char *home, const char *out, lpu_diag *diag);

/* Writes <out>/index.html from reports/page.html, the tables and the figures. */
lpu_status lpu_report_page(const char *home, const char *out, lpu_diag *diag);

#endif
