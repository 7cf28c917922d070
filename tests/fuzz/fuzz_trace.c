/* tests/fuzz/fuzz_trace.c - any bytes as a saved trace: refused with a sentence, or consistent.
 *
 * Built with clang -fsanitize=fuzzer,address,undefined.
 */
#include "workloads/trace.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reader of traces may rely on. */
static void check_op(const lpu_trace *trace, const lpu_op *op)
{
    const bool is_product = lpu_op_is_product(op->kind);
    const uint64_t macs = is_product ? op->count * op->m * op->n * op->k : 0;

    if (op->macs != macs || !op->count || !op->m || !op->n || !op->k) abort();
    if (op->layer < -1 || op->layer >= (int32_t)trace->model.layers) abort();
    if (!(op->toggle_share >= 0.0 && op->toggle_share <= 1.0)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lpu_trace *trace = NULL;
    lpu_diag diag = {""};

    const lpu_status status = lpu_trace_parse(&trace, "fuzz", data, size, &diag);
    if (status && (trace || !diag.text[0] || strchr(diag.text, '\n'))) abort();
    if (!status && lpu_model_check(&trace->model, &diag)) abort();
    for (size_t i = 0; !status && i < trace->count; i++) check_op(trace, &trace->ops[i]);
    lpu_trace_close(&trace);
    return 0;
}
