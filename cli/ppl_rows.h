/* cli/ppl_rows.h - the table of lpu ppl: how well a model foretells a text, on one backend or on all
 * ways to hold cache and head. */
#ifndef LPU_CLI_PPL_ROWS_H
#define LPU_CLI_PPL_ROWS_H

#include "cli/ppl_measure.h"

enum { LPU_PPL_ROWS_MAX = 16 };

typedef struct lpu_ppl_request {
    const char *model, *text;   /* files */
    const lpu_backend *backend; /* NULL: fp16, then cpu by trits of cache and head */
    const char *design;         /* of a modelled backend; NULL: ternary-edge, or fp16-mac */
    uint32_t tokens, context, skip, kv_trits, head_trits, threads; /* 0: the default */
} lpu_ppl_request;

/* One row: what ran, how well, and what a token of it costs. */
typedef struct lpu_ppl_row {
    const char *backend;
    uint32_t kv_trits, head_trits; /* 0: halves */
    lpu_ppl_result result;
    char design[64]; /* whose energy it is; "" where none was modelled */
    double pj_per_token;
} lpu_ppl_row;

typedef struct lpu_ppl_rows {
    bool is_sweep;
    char model[64];
    uint32_t context; /* tokens of a window */
    lpu_ppl_row rows[LPU_PPL_ROWS_MAX];
    size_t count;
} lpu_ppl_rows;

/* Shows progress. */
lpu_status lpu_ppl_rows_run(lpu_ppl_rows *rows, const lpu_ppl_request *q, lpu_diag *diag);

/* Of the loss of the FP16 row, in percent; NAN where there is none. */
double lpu_ppl_excess_percent(const lpu_ppl_rows *rows, size_t row);

#endif
