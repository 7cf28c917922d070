/* sim/dram_map.c - the widths of the address fields from the geometry. */
#include "sim/dram_map.h"

static uint32_t bits_of(uint32_t power_of_two)
{
    return (uint32_t)__builtin_ctz(power_of_two);
}

void lpu_dram_mapping_init(lpu_dram_mapping *m, const lpu_dram_config *config)
{
    *m = (lpu_dram_mapping){
        .channels = config->channels,
        .is_channels_pow2 = (config->channels & (config->channels - 1)) == 0,
        .channel_bits = bits_of(config->channels), /* read only for a power of two */
        .burst_bits = bits_of(config->burst_bytes),
        .piece_bits = bits_of(config->interleave_bytes / config->burst_bytes),
        .group_bits = bits_of(config->bank_groups),
        .column_bits = bits_of(config->row_bytes / config->burst_bytes),
        .bank_bits = bits_of(config->banks_per_group),
        .rank_bits = bits_of(config->ranks),
        .row_bits = bits_of(config->rows),
    };
}
