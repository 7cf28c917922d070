/* sim/dram_channel.h - one memory channel: its queue, its open rows, and which command goes next.
 *
 * A request takes the next free place, so that the lowest place is the oldest request; sets of
 * places are bit masks, and the choice of a command is a few bit operations:
 *
 *   place     0   1   2   3   4   5        63
 *   valid     0   1   1   0   1   1   0 ..  0    5 comes last; 0 and 3 have been served
 *   writes    .   0   0   .   1   0
 *   hits      .   1   0   .   0   1              row open
 *   wants[b]  .   1   0   .   0   1              in bank b
 *
 * When the places run out, those in use move down, in order.
 */
#ifndef LPU_SIM_DRAM_CHANNEL_H
#define LPU_SIM_DRAM_CHANNEL_H

#include "sim/dram_timing.h"

enum {
    LPU_DRAM_PLACES = 64,
    LPU_DRAM_QUEUE_MAX = 32, /* half the places: moving down costs little per request */
    LPU_DRAM_NO_ROW = -1,
};

/* What all channels of a memory have in common. */
typedef struct lpu_dram_common {
    lpu_dram_timing timing;
    uint32_t ranks, banks; /* banks of a channel: a bank is (rank, group, bank in group) */
    uint32_t bank_bits, group_bits;
    uint32_t queue_requests;
    uint32_t writes_enough; /* so many writes interrupt reads */
    uint32_t bypasses_max;  /* of the oldest request, before it alone is served */
    uint32_t tck_ps;
    uint64_t origin_ps; /* time of clock 0 */
    uint64_t reads, writes, activates, refreshes;
    lpu_dram_watcher *watch;
    void *watch_user;
} lpu_dram_common;

typedef struct lpu_dram_row_state {
    uint64_t wants; /* places of the requests to this bank */
    int64_t open;   /* row, or LPU_DRAM_NO_ROW */
} lpu_dram_row_state;

typedef struct lpu_dram_channel {
    lpu_dram_common *common;
    uint64_t valid, writes, hits;
    uint64_t next_clock;                  /* nothing can happen before */
    uint64_t command_clock;               /* the command bus is free from here */
    uint64_t due_clock;                   /* the next refresh is due */
    lpu_dram_node *node[LPU_DRAM_SCOPES]; /* (banks), (groups), (ranks), (1) */
    lpu_dram_row_state *bank;             /* (banks) */
    lpu_dram_acts *acts;                  /* (ranks) */
    uint32_t *open_banks;                 /* (ranks) */
    uint32_t index;
    uint32_t tail;                    /* the next place */
    uint32_t read_count, write_count; /* in the queue */
    uint32_t owed;                    /* refreshes due and not done */
    uint32_t refresh_rank;            /* the next rank of a refresh under way */
    uint32_t served;                  /* column commands since the last change of direction */
    uint32_t bypasses;                /* column commands that passed the oldest request */
    bool is_refreshing, is_writing;
    uint32_t row[LPU_DRAM_PLACES], tag[LPU_DRAM_PLACES];
    uint16_t place_bank[LPU_DRAM_PLACES];
} lpu_dram_channel;

/* A column command that was issued. */
typedef struct lpu_dram_burst {
    uint32_t tag;
    bool is_write;
} lpu_dram_burst;

/* Sets the fields of common that follow from config. */
void lpu_dram_common_init(lpu_dram_common *common, const lpu_dram_config *config);

lpu_status lpu_dram_channel_open(lpu_dram_channel *channel, lpu_dram_common *common, uint32_t index,
                                 lpu_diag *diag);
void lpu_dram_channel_close(lpu_dram_channel *channel);

/* To the state after open. */
void lpu_dram_channel_reset(lpu_dram_channel *channel);

/* The flat number of a bank. */
static inline uint32_t lpu_dram_channel_bank(const lpu_dram_common *common, lpu_dram_bank bank)
{
    return (bank.rank << common->group_bits | bank.group) << common->bank_bits | bank.bank;
}

static inline bool lpu_dram_channel_is_full(const lpu_dram_channel *channel)
{
    return channel->read_count + channel->write_count >= channel->common->queue_requests;
}

/* Queues a request; the queue is not full. clock is the first that may serve it. */
void lpu_dram_channel_offer(lpu_dram_channel *channel, uint32_t bank, uint32_t row, bool is_write,
                            uint32_t tag, uint64_t clock);

/* Looks at clock next_clock: issues a command or not, and sets next_clock to a later one. True when
 * the command was a read or a write of a request: it is in *burst. */
bool lpu_dram_channel_step(lpu_dram_channel *channel, lpu_dram_burst *burst);

/* Closes all banks and refreshes: what is owed and one more. Returns the clock at which it is done.
 */
uint64_t lpu_dram_channel_settle(lpu_dram_channel *channel, uint64_t clock);

/* The earliest clock by the rules, and issuing a command at a clock: false if rules or state
 * forbid. */
uint64_t lpu_dram_channel_earliest(const lpu_dram_channel *channel, lpu_dram_command command,
                                   uint32_t bank);
bool lpu_dram_channel_try(lpu_dram_channel *channel, lpu_dram_command command, uint32_t bank,
                          uint32_t row, uint64_t clock);

#endif
