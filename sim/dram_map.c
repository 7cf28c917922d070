/* sim/dram_map.c - the widths of the address fields from the geometry. */
#include "sim/dram_map.h"

static uint32_t bits_of(uint32_t power_of_two)
{
    return (uint32_t)__builtin_ctz(power_of_two);
}

/* The next field of count values above *shift. */
static lpu_dram_field next_field(uint32_t *shift, uint32_t count)
{
    const lpu_dram_field field = {*shift, count - 1};

    *shift += bits_of(count);
    return field;
}

void lpu_dram_mapping_init(lpu_dram_mapping *m, const lpu_dram_config *config)
{
    const uint32_t piece = config->interleave_bytes / config->burst_bytes;
    uint32_t shift = 0;

    *m = (lpu_dram_mapping){
        .channels = config->channels,
        .is_channels_pow2 = (config->channels & (config->channels - 1)) == 0,
        .channel_bits = bits_of(config->channels), /* means something for a power of two */
        .burst_bits = bits_of(config->burst_bytes),
        .piece_bits = bits_of(piece),
        .piece_mask = piece - 1,
    };
    m->group = next_field(&shift, config->bank_groups);
    m->column = next_field(&shift, config->row_bytes / config->burst_bytes);
    m->bank = next_field(&shift, config->banks_per_group);
    m->rank = next_field(&shift, config->ranks);
    m->row = next_field(&shift, config->rows);
}

lpu_dram_place lpu_dram_mapping_place(const lpu_dram_mapping *m, uint64_t address)
{
    uint64_t number;
    const uint32_t channel = lpu_dram_mapping_channel(m, address, &number);

    return (lpu_dram_place){
        .bank = {.channel = channel,
                 .rank = lpu_dram_mapping_get(m->rank, number),
                 .group = lpu_dram_mapping_get(m->group, number),
                 .bank = lpu_dram_mapping_get(m->bank, number)},
        .row = lpu_dram_mapping_get(m->row, number),
        .column = lpu_dram_mapping_get(m->column, number),
    };
}
