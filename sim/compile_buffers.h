/* sim/compile_buffers.h - what the scratchpad must hold for a chunk of m tokens. Private to compile. */
#ifndef LPU_SIM_COMPILE_BUFFERS_H
#define LPU_SIM_COMPILE_BUFFERS_H

#include "sim/compile.h"

typedef struct lpu_buffer_plan {
    uint32_t rows;        /* tokens of a chunk: m */
    uint32_t attend_rows; /* tokens whose scores are in the scratchpad at once */
    uint64_t base[LPU_BUFS], bytes[LPU_BUFS];
    uint64_t total_bytes;
} lpu_buffer_plan;

/* Fills plan for chunks of rows tokens against at most keys keys. True if the scratchpad holds it. */
bool lpu_buffer_plan_init(lpu_buffer_plan *plan, const lpu_layout *l, uint32_t rows, uint32_t keys);

#endif
