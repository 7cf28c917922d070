/* cli/trace_record.h - the trace of a real pass, with what was measured in it. */
#ifndef LPU_CLI_TRACE_RECORD_H
#define LPU_CLI_TRACE_RECORD_H

#include "cli/cli.h"
#include "workloads/trace.h"

typedef struct lpu_trace_request {
    const char *model;        /* a GGUF file */
    const char *prompt, *text; /* a text, or the file that holds it */
    const char *design;
    lpu_phase phase;
    uint32_t tokens; /* of the text that are run at most; 0: as many as the context holds */
} lpu_trace_request;

/* Runs the text on the simulated machine: prefill as one pass, decode token after token. *recorded
 * is the last pass with the measured shares of all of them, *assumed the same with those that a
 * trace of shapes has. The caller closes both. */
lpu_status lpu_trace_record(lpu_trace **recorded, lpu_trace **assumed, const lpu_trace_request *r,
                            lpu_diag *diag);

/* Means over the products of a kind, by their elements: digits of the matrix that are 0, inputs that
 * are 0, input bits that change from one row to the next. false where the trace has none. */
typedef struct lpu_trace_shares {
    double zero_digits, zero_inputs, toggles;
} lpu_trace_shares;
bool lpu_trace_shares_of(lpu_trace_shares *shares, const lpu_trace *t, lpu_op_kind kind);

/* Measured beside assumed, by kind of operation. */
void lpu_trace_print_measured(const lpu_trace *recorded, const lpu_trace *assumed);
json_t *lpu_trace_measured_json(const lpu_trace *recorded, const lpu_trace *assumed);

#endif
