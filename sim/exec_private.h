/* sim/exec_private.h - the state of an execution. Private to exec*.c. */
#ifndef LPU_SIM_EXEC_PRIVATE_H
#define LPU_SIM_EXEC_PRIVATE_H

#include "sim/exec.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    LPU_EXEC_BYTES = 256, /* values of a byte */
    LPU_EXEC_DIGITS = 8,  /* room for the digits of one byte */
};

/* A stream that waits to be taken: segs segments left, the first one from offset on. */
typedef struct lpu_exec_stream {
    uint64_t addr;
    uint32_t seg_bytes, segs, stride, offset;
} lpu_exec_stream;

typedef struct lpu_exec_buffer_place {
    uint64_t base, bytes; /* bytes 0: not placed */
} lpu_exec_buffer_place;

struct lpu_exec {
    lpu_exec_config config;
    uint8_t *scratch; /* (config.scratch_bytes) */
    lpu_exec_buffer_place buffers[LPU_BUFFERS];

    lpu_exec_stream *queue; /* (room) streams first..count wait */
    size_t first, count, room;

    int16_t digits[LPU_EXEC_BYTES][LPU_EXEC_DIGITS];
    bool is_illegal[LPU_EXEC_BYTES];
    uint32_t per_byte; /* digits */
    uint8_t *line;     /* one line of the array, where it crosses two segments */
    void *work;        /* (work_bytes) of the instruction in hand */
    size_t work_bytes;

    lpu_tally *tally; /* or NULL */

    /* The instruction in hand. */
    const lpu_insn *insn;
    lpu_diag *diag;
};

/* Elements first..first+elems of elem_bytes each, of a buffer. NULL and a sentence where the buffer
 * does not hold them. */
void *lpu_exec_elems(lpu_exec *e, uint8_t buffer, size_t elem_bytes, uint64_t first,
                     uint64_t elems);

/* Room for so many bytes, until the next call. NULL and a sentence where there is none. */
void *lpu_exec_work(lpu_exec *e, size_t bytes);

/* Says that the instruction in hand cannot be executed. */
lpu_status lpu_exec_refuse(const lpu_exec *e, const char *found, uint64_t number,
                           const char *expected);

/* exec_product.c: stream, matmul; LPU_OK when the FIFO is empty. */
lpu_status lpu_exec_stream_push(lpu_exec *e);
lpu_status lpu_exec_stream_check(lpu_exec *e);
bool lpu_exec_stream_overlaps(const lpu_exec *e, uint64_t addr, uint64_t bytes);
lpu_status lpu_exec_matmul(lpu_exec *e);

/* The same file: is a product or a pack cut as its shape wants it? */
lpu_status lpu_exec_check_cut(const lpu_exec *e);

/* exec_vector.c: every operation of the vector unit. */
lpu_status lpu_exec_vector(lpu_exec *e);

#endif
