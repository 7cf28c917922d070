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

typedef struct lpu_dram_mapping {
    uint32_t channels;
    bool is_channels_pow2;
    uint32_t channel_bits, burst_bits, piece_bits; /* piece: bursts of one interleave */
    uint32_t group_bits, column_bits, bank_bits, rank_bits, row_bits;
} lpu_dram_mapping;

/* config has passed lpu_dram_config_check. */
void lpu_dram_mapping_init(lpu_dram_mapping *m, const lpu_dram_config *config);

static inline uint32_t lpu_dram_mapping_cut(uint64_t *number, uint32_t bits)
{
    const uint32_t low = (uint32_t)(*number & ((UINT64_C(1) << bits) - 1));
    *number >>= bits;
    return low;
}

static inline lpu_dram_place lpu_dram_mapping_place(const lpu_dram_mapping *m, uint64_t address)
{
    lpu_dram_place place;
    uint64_t rest = address >> m->burst_bits;
    const uint32_t piece = lpu_dram_mapping_cut(&rest, m->piece_bits);

    if (m->is_channels_pow2) {
        place.bank.channel = lpu_dram_mapping_cut(&rest, m->channel_bits);
    } else {
        place.bank.channel = (uint32_t)(rest % m->channels);
        rest /= m->channels;
    }
    rest = rest << m->piece_bits | piece;
    place.bank.group = lpu_dram_mapping_cut(&rest, m->group_bits);
    place.column = lpu_dram_mapping_cut(&rest, m->column_bits);
    place.bank.bank = lpu_dram_mapping_cut(&rest, m->bank_bits);
    place.bank.rank = lpu_dram_mapping_cut(&rest, m->rank_bits);
    place.row = lpu_dram_mapping_cut(&rest, m->row_bits);
    return place;
}

#endif
