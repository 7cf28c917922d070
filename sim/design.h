/* sim/design.h - one machine: geometry, memories, clock. One YAML file per design (sim/designs/). */
#ifndef LPU_SIM_DESIGN_H
#define LPU_SIM_DESIGN_H

#include "sim/dram.h"
#include "workloads/status.h"
#include "workloads/ternary.h"

#include <stdbool.h>
#include <stdint.h>

/* What a lane does. */
typedef enum lpu_lane {
    LPU_LANE_ADD,     /* select +x, 0 or -x; no multiplier */
    LPU_LANE_MAC_I4,  /* INT4 weight x INT8 activation */
    LPU_LANE_MAC_I8,  /* INT8 x INT8 */
    LPU_LANE_MAC_F16, /* FP16 x FP16 into FP32 */
} lpu_lane;

/* Where the linear weights live. */
typedef enum lpu_residence {
    LPU_WEIGHTS_IN_DRAM,
    LPU_WEIGHTS_ON_CHIP, /* in SRAM, spread over as many chips as it takes, layer after layer */
} lpu_residence;

typedef struct lpu_design {
    char          name[64], title[96], source[256];
    lpu_lane      lane;
    lpu_code      code;          /* of linear weights in memory (LPU_LANE_ADD) */
    lpu_residence residence;
    uint32_t      clock_mhz;
    uint32_t      rows, cols;    /* R, C */
    uint32_t      lines;         /* tile lines written per cycle, at most */
    uint32_t      fill_bytes_per_cycle; /* FIFO to decoder, at most */
    uint32_t      passes_max;    /* activation vectors per tile: depth of an accumulator bank */
    uint32_t      vector_lanes;  /* L */
    uint32_t      scratch_kib;   /* activations and vectors */
    uint32_t      fifo_kib;      /* stream FIFO */
    uint32_t      weight_sram_kib; /* per chip, LPU_WEIGHTS_ON_CHIP only */
    uint32_t      bus_bytes_per_cycle; /* memory to chip, at most */
    uint32_t      outstanding_bursts;  /* reads in flight */
    uint32_t      stream_queue;  /* stream descriptors held ahead */
    uint32_t      kv_trits, head_trits; /* LPU_LANE_ADD; MAC lanes use 8 or 16 bits */
    uint32_t      wire_um;       /* mean distance from memory port to array, for wires */
    uint32_t      link_bytes_per_cycle, link_latency_cycles; /* between chips */
    char          dram_name[64], price[64]; /* price: table of logic, SRAM and wires */
    lpu_dram_config dram;
} lpu_design;

/* Reads a shipped design by name, or a YAML file by path, and its memory. */
lpu_status lpu_design_load(lpu_design *design, const char *name, lpu_diag *diag);

/* LPU_ERR_RANGE and a sentence if no such machine can be built. */
lpu_status lpu_design_check(const lpu_design *design, lpu_diag *diag);

/* Scratchpad, FIFO and both accumulator banks of one chip; resident weights are not in it. */
uint64_t lpu_design_sram_kib(const lpu_design *design);

/* Bits of one weight of a linear layer, in tenths: 16 for base-3, 20, 10, 40, 80, 160. */
uint32_t lpu_design_weight_decibits(const lpu_design *design);

#endif
