/* sim/program.h - the machine's instructions: encode, decode, print; and a program with its labels.
 *
 * An instruction is 64 bytes, sixteen little-endian words:
 *
 *   0  op, flags, dst, a      4  n            8  seg_bytes    12  a_stride
 *   1  b, c, planes, mode     5  k            9  segs         13  d_off
 *   2  m                      6  addr low    10  stride       14  d_stride
 *   3  m_inner                7  addr high   11  a_off        15  scale: m, e
 *
 * matmul and kvpack say in words 8 to 10 how lines are cut (lpu_cut in layout.h): rows, and keys of
 * kvpack, into `stride` k tiles, the first `segs` of seg_bytes + 1 bytes, the others of seg_bytes;
 * columns, and values of kvpack, into row blocks with lines of seg_bytes, of `segs` bytes in the last
 * (stride: k tiles of the product, row blocks of the pack).
 *
 * Rows of a product or vector operation are m = outer x m_inner. Row (i, j) starts at element
 * a_off + i a_stride + j k of buffer a (n for vector operations), d_off + i d_stride + j n of dst.
 */
#ifndef LPU_SIM_PROGRAM_H
#define LPU_SIM_PROGRAM_H

#include "workloads/scale.h"
#include "workloads/status.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum lpu_insn_op {
#define LPU_INSN(name, unit, text) LPU_INSN_##name,
#include "sim/isa.def"
#undef LPU_INSN
    LPU_INSN_OPS
} lpu_insn_op;

typedef enum lpu_unit {
    LPU_UNIT_sequencer,
    LPU_UNIT_stream,
    LPU_UNIT_array,
    LPU_UNIT_vector,
    LPU_UNIT_store,
    LPU_UNITS
} lpu_unit;

enum {
    LPU_INSN_BYTES = 64,
    LPU_BUFFERS = 32,
    LPU_BUFFER_NONE = 255,

    LPU_FLAG_FENCE = 1,    /* stream, load: wait until all stores are in memory */
    LPU_FLAG_COLUMN = 2,   /* matmul: the stream carries columns of the tile */
    LPU_FLAG_EXPONENT = 4, /* normq: rows of a have their own exponents */
    LPU_FLAG_FIRST = 8,    /* argmax: starts anew */
    LPU_FLAG_ON_CHIP = 16, /* stream, load, store: resident memory instead of DRAM */
};

typedef struct lpu_insn {
    uint8_t   op, flags, dst, a, b, c, planes, mode;
    uint32_t  m, m_inner, n, k;
    uint64_t  addr;
    uint32_t  seg_bytes, segs, stride;
    uint32_t  a_off, a_stride, d_off, d_stride;
    lpu_scale scale;
} lpu_insn;

/* What the assembler knows beside the code: for accounts and for sharing segments. */
typedef struct lpu_insn_note {
    uint32_t op;     /* index into the trace */
    uint32_t region; /* of addr: see lpu_layout; UINT32_MAX without an address */
} lpu_insn_note;

/* A segment runs from a drained machine with settled memory to its SYNC or HALT. */
typedef struct lpu_segment {
    size_t   first, count; /* instructions */
    size_t   same_as;      /* the earliest segment with the same timing: its own index if none */
} lpu_segment;

typedef struct lpu_program {
    lpu_insn      *insns;
    lpu_insn_note *notes;
    size_t         count, room;
    lpu_segment   *segments;
    size_t         segment_count, segment_room;
} lpu_program;

/* Appends a copy. LPU_ERR_MEMORY only. */
lpu_status lpu_program_append(lpu_program *p, const lpu_insn *insn, const lpu_insn_note *note);

/* Closes the segment that ends with the last instruction appended. */
lpu_status lpu_program_end_segment(lpu_program *p);

/* Frees what p holds and empties it. */
void lpu_program_close(lpu_program *p);

void       lpu_insn_encode(uint8_t bytes[LPU_INSN_BYTES], const lpu_insn *insn);
lpu_status lpu_insn_decode(lpu_insn *insn, const uint8_t bytes[LPU_INSN_BYTES], lpu_diag *diag);

/* One line: "matmul dst 3 a 1 m 1 n 2560 k 2560 planes 1". */
void lpu_insn_print(FILE *file, const lpu_insn *insn);

const char *lpu_insn_name(uint8_t op);
lpu_unit    lpu_insn_unit(uint8_t op);

#endif
