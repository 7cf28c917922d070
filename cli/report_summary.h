/* cli/report_summary.h - what the report says in words: on the page, on the terminal, in JSON. */
#ifndef LPU_CLI_REPORT_SUMMARY_H
#define LPU_CLI_REPORT_SUMMARY_H

#include "cli/report_jobs.h"
#include "cli/report_measure.h"

typedef struct lpu_report_run {
    const char *out, *command; /* command: as it was typed */
    bool is_quick;
    lpu_report_jobs jobs;
    lpu_paper_prices paper;
    lpu_report_rtl rtl;
    lpu_report_trained trained;
    lpu_report_cpu cpu;
    double wall_s;
} lpu_report_run;

/* Writes tables/summary.tsv: the single values that the page quotes. */
lpu_status lpu_report_summary_write(const lpu_report_run *run, lpu_diag *diag);

void lpu_report_summary_print(const lpu_report_run *run, FILE *file);
json_t *lpu_report_summary_json(const lpu_report_run *run);

#endif
