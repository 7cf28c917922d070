/* sim/dram_timing.h - the timing rules of a memory, as rows, and the times that follow from them.
 *
 * A rule says: after a command, another one must wait so many clocks, if both went to the same
 * bank, bank group, rank or channel. Each such place is a node with the earliest clock of every
 * command. Issuing a command raises the clocks of the four nodes it belongs to; a command may go
 * when none of its four nodes says later.
 */
#ifndef LPU_SIM_DRAM_TIMING_H
#define LPU_SIM_DRAM_TIMING_H

#include "sim/dram.h"

typedef enum lpu_dram_scope {
    LPU_DRAM_SAME_BANK,
    LPU_DRAM_SAME_GROUP,
    LPU_DRAM_SAME_RANK,
    LPU_DRAM_SAME_CHANNEL,
    LPU_DRAM_SCOPES
} lpu_dram_scope;

enum {
    LPU_DRAM_EFFECTS = 24, /* rules that one command sets off, at most */
    LPU_DRAM_WINDOW = 4,   /* activates in the window of tFAW */
};

/* after: the command that waits. */
typedef struct lpu_dram_effect {
    uint32_t scope, after, clocks;
} lpu_dram_effect;

typedef struct lpu_dram_timing {
    lpu_dram_effect effects[LPU_DRAM_COMMANDS][LPU_DRAM_EFFECTS];
    uint32_t effect_count[LPU_DRAM_COMMANDS];
    uint32_t window_clocks;                   /* tFAW: of LPU_DRAM_WINDOW + 1 activates of a rank */
    uint32_t read_clocks, write_clocks;       /* command to completion */
    uint32_t refresh_clocks, interval_clocks; /* tRFC, tREFI */
} lpu_dram_timing;

/* One cache line: the earliest clock of each command. */
typedef struct lpu_dram_node {
    uint64_t earliest[8];
} lpu_dram_node;

/* The last activates of a rank, a ring. */
typedef struct lpu_dram_acts {
    uint64_t clock[LPU_DRAM_WINDOW];
    uint64_t count;
} lpu_dram_acts;

/* config has passed lpu_dram_config_check. */
void lpu_dram_timing_init(lpu_dram_timing *timing, const lpu_dram_config *config);

/* Raises the clocks of the nodes of a command issued at clock. */
void lpu_dram_timing_issue(const lpu_dram_timing *timing,
                           lpu_dram_node *const node[LPU_DRAM_SCOPES], lpu_dram_acts *acts,
                           lpu_dram_command command, uint64_t clock);

#endif
