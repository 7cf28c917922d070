/* sim/dram_map.h - where an address lives.
 *
 *   high                                                                           low
 *   +-----+------+------+--------+-------+----------+----------------------+-------+
 *   | row | rank | bank | column | group | channel  | burst of interleave  | byte  |
 *   +-----+------+------+--------+-------+----------+----------------------+-------+
 *                                    ^-------------- the bits of burst go below group -'
 *
 * interleave_bytes go to one channel, then the next channel follows. Inside a channel consecutive
 * bursts go to consecutive bank groups, so that a sequential stream pays tCCD_S and never tCCD_L;
 * it reads one row in every group to its end, then the rows of the next bank in every group, which
 * the scheduler has opened meanwhile because its requests are in the queue already.
 *
 * All counts but that of channels are powers of two.
 */
#ifndef LPU_SIM_DRAM_MAP_H
#define LPU_SIM_DRAM_MAP_H

#include "sim/dram.h"

typedef struct lpu_dram_field {
    uint32_t shift, mask;
} lpu_dram_field;

typedef struct lpu_dram_mapping {
    uint32_t channels;
    bool is_channels_pow2;
    uint32_t channel_bits, burst_bits, piece_bits; /* piece: bursts of one interleave */
    uint32_t piece_mask;
    lpu_dram_field group, column, bank, rank, row; /* of the number of a burst in its channel */
} lpu_dram_mapping;

/* config has passed lpu_dram_config_check. */
void lpu_dram_mapping_init(lpu_dram_mapping *m, const lpu_dram_config *config);

lpu_dram_place lpu_dram_mapping_place(const lpu_dram_mapping *m, uint64_t address);

/* Channel of an address, and the number of its burst there. */
static inline uint32_t lpu_dram_mapping_channel(const lpu_dram_mapping *m, uint64_t address,
                                                uint64_t *number)
{
    const uint64_t burst = address >> m->burst_bits, piece = burst >> m->piece_bits;
    uint64_t quotient = piece >> m->channel_bits;
    uint32_t channel = (uint32_t)piece & (m->channels - 1);

    if (!m->is_channels_pow2) {
        quotient = piece / m->channels;
        channel = (uint32_t)(piece % m->channels);
    }
    *number = quotient << m->piece_bits | (burst & m->piece_mask);
    return channel;
}

static inline uint32_t lpu_dram_mapping_get(lpu_dram_field field, uint64_t number)
{
    return (uint32_t)(number >> field.shift) & field.mask;
}

#endif
