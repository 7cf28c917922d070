/* cli/report_measure.h - what the report measures rather than models: RTL, a trained model, this CPU. */
#ifndef LPU_CLI_REPORT_MEASURE_H
#define LPU_CLI_REPORT_MEASURE_H

#include "workloads/model.h"
#include "workloads/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The RTL of the array, clock by clock beside the simulator, on matrices of the model. It runs in a
 * thread of its own, beside the simulations. */
typedef struct lpu_report_rtl {
    bool is_absent; /* the harness was not built */
    uint64_t cycles, differences;

    /* Its own. */
    bool is_started;
    pthread_t thread;
    const lpu_model *model;
    const char *out;
    double budget_s;
    char program[4096];
    lpu_status status;
    lpu_diag diag;
} lpu_report_rtl;

/* Starts lpu_rtl_array, which lies beside this program, matrix after matrix, for about budget_s. */
lpu_status lpu_report_rtl_start(lpu_report_rtl *rtl, const lpu_model *model, const char *out,
                                double budget_s, lpu_diag *diag);

/* Waits for it; tables/rtl.tsv is written. A difference is an error. */
lpu_status lpu_report_rtl_finish(lpu_report_rtl *rtl, lpu_diag *diag);

/* The model that ships, on the text of the tests: its perplexity by trits of cache and head, and the
 * statistics of what went through the array, beside those that shapes alone assume. */
typedef struct lpu_report_trained {
    bool is_absent; /* its file is not there */
    char name[64];
    uint64_t tokens;                             /* of the text that it foretold */
    double fp16_perplexity, perplexity;          /* in halves, in the LPU's integers */
    double arithmetic_share_of_assumed;          /* energy of the adders, recorded over assumed */
    double system_share_of_assumed;              /* energy of the whole token */
} lpu_report_trained;

/* Writes tables/ppl.tsv and tables/recorded.tsv; home is where workloads/shipped lies. */
lpu_status lpu_report_trained_run(lpu_report_trained *trained, const char *home, const char *out,
                                  bool is_quick, lpu_diag *diag);

/* The CPU kernels, ternary and FP16: products of a decode step, all of its weights read once. */
typedef struct lpu_report_cpu {
    char name[128], isa[32];
    uint32_t cores, threads;
    double ternary_tokens_per_s, fp16_tokens_per_s;
    double read_bytes_per_s; /* what the memory gives to plain reads */
    double ternary_bandwidth_share, fp16_bandwidth_share;
    bool is_noisy; /* other load moved the times */
} lpu_report_cpu;

/* Times them for about budget_s and writes tables/cpu_kernels.tsv. Nothing else of this program may
 * run meanwhile. */
lpu_status lpu_report_cpu_run(lpu_report_cpu *cpu, const lpu_model *model, const char *out,
                              double budget_s, lpu_diag *diag);

#endif
