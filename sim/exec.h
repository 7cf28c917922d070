/* sim/exec.h - what the machine's instructions do to values: memory, scratchpad, stream FIFO.
 *
 * Instructions are executed in program order, each by its own fields alone. The clock is elsewhere
 * (machine.h): scoreboard and fences make the result the same as if every instruction waited for
 * the one before. What cannot be is refused with a sentence: operands outside a buffer, a product
 * that the FIFO does not feed, bytes left in it at a SYNC, a store under a stream that waits.
 *
 * In the scratchpad, what stands "behind" m x n bytes begins at the next multiple of 4: scales of
 * rows, as 4 bytes each, mantissa first. Exponents of a gate stand behind its m x n values.
 */
#ifndef LPU_SIM_EXEC_H
#define LPU_SIM_EXEC_H

#include "sim/program.h"
#include "sim/tally.h"
#include "workloads/scale.h"
#include "workloads/status.h"
#include "workloads/ternary.h"

#include <stdint.h>

typedef struct lpu_exec_config {
    uint32_t rows, cols; /* of the array */
    lpu_code code;       /* base-3 or 2-bit */
    uint64_t scratch_bytes;
    lpu_scale eps, score_scale; /* constants of the model, in registers of the vector unit */
    uint8_t *memory;            /* borrowed */
    uint64_t memory_bytes;
    int32_t *logits; /* (logits_elems) or NULL: argmax leaves the logits of its first row here */
    uint64_t logits_elems;
} lpu_exec_config;

typedef struct lpu_exec lpu_exec;

lpu_status lpu_exec_open(lpu_exec **e, const lpu_exec_config *config, lpu_diag *diag);
void lpu_exec_close(lpu_exec **e);

/* Products count into tally from now on; NULL: into nothing. Borrowed. */
void lpu_exec_watch(lpu_exec *e, lpu_tally *tally);

/* Executes one instruction. After a failure the values are unspecified. */
lpu_status lpu_exec_step(lpu_exec *e, const lpu_insn *insn, lpu_diag *diag);

/* The buffer's bytes as they are now; NULL where no setbuf has placed it. */
const void *lpu_exec_buffer(const lpu_exec *e, uint8_t buffer);

#endif
