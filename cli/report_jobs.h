/* cli/report_jobs.h - the simulated passes of the report: what is run, by two threads, and what
 * came out. */
#ifndef LPU_CLI_REPORT_JOBS_H
#define LPU_CLI_REPORT_JOBS_H

#include "cli/cli.h"
#include "energy_model/energy.h"
#include "sim/simulate.h"

/* Which figure asked for it. */
typedef enum lpu_report_group {
    LPU_REPORT_DESIGN, /* the model on a design: decode and prefill */
    LPU_REPORT_BATCH,  /* decode with more sequences */
    LPU_REPORT_SIZE,   /* another size of model; series tells the memory */
} lpu_report_group;

typedef struct lpu_report_job {
    lpu_report_group group;
    lpu_design design;
    lpu_model model;
    lpu_phase phase;
    uint32_t tokens, context, batch;
    const char *series; /* LPU_REPORT_SIZE: "edge", "hbm"; else "" */
    double size_b;      /* LPU_REPORT_SIZE: billions of parameters, as its label says */

    /* What came out. Without a result, diag says why. */
    lpu_sim_result *result;
    lpu_diag diag;
    lpu_prices prices;
    double component_pj[LPU_COMPONENTS]; /* per token */
    double system_pj;                    /* per token */
} lpu_report_job;

typedef struct lpu_report_jobs {
    char title[96]; /* of the model */
    lpu_report_job *job;
    size_t count, room;
} lpu_report_jobs;

/* One published size: BitNet b1.58 and its FP16 twin. */
typedef struct lpu_report_size {
    double size_b;
    const char *model;
    /* Figure 2 of arXiv 2402.17764, read from its vector drawing: ms a token, GB. */
    double ternary_ms, fp16_ms, ternary_gb, fp16_gb;
    double energy_ratio;                 /* its figure 3, right */
    uint32_t drawn_hidden, drawn_layers; /* the shape figure 3 was computed for */
} lpu_report_size;
enum { LPU_REPORT_SIZES = 5 };
extern const lpu_report_size lpu_report_sizes[LPU_REPORT_SIZES];

enum { LPU_REPORT_CONTEXT = 512, LPU_REPORT_PROMPT = 512 };

/* Lists all passes of the report; quick leaves out most batches and sizes. */
lpu_status lpu_report_jobs_open(lpu_report_jobs *jobs, const char *model, bool is_quick,
                                lpu_diag *diag);
void lpu_report_jobs_close(lpu_report_jobs *jobs);

/* Runs them all, two at a time, with a progress bar. A pass that its machine cannot hold is no
 * failure: its diag says why. */
lpu_status lpu_report_jobs_run(lpu_report_jobs *jobs, lpu_diag *diag);

/* The finished pass, or NULL. */
const lpu_report_job *lpu_report_find(const lpu_report_jobs *jobs, lpu_report_group group,
                                      const char *design, lpu_phase phase);
const lpu_report_job *lpu_report_find_size(const lpu_report_jobs *jobs, const char *series,
                                           bool is_fp16, double size_b, lpu_phase phase);

#endif
