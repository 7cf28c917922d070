/* sim/dram_channel.c - which command goes next: row hits first, then the oldest; rows stay open.
 *
 * Reads and writes go in turns, so that the bus rarely turns round: writes begin when no read waits
 * or when half the queue is writes, and end when no write is left, or when as many as the queue
 * holds have gone while a read waits. A request passed too often is served alone, whatever it
 * costs.
 *
 * A refresh that falls due while requests wait is put off, but not longer than until the next falls
 * due (JESD79-4 4.26 allows eight); then all stops, the banks close, and it is done.
 */
#include "sim/dram_channel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static uint64_t place_bit(uint32_t place)
{
    return UINT64_C(1) << place;
}

static uint32_t lowest(uint64_t places)
{
    return (uint32_t)__builtin_ctzll(places);
}

void lpu_dram_common_init(lpu_dram_common *common, const lpu_dram_config *config)
{
    *common = (lpu_dram_common){
        .ranks = config->ranks,
        .banks = config->ranks * config->bank_groups * config->banks_per_group,
        .bank_bits = (uint32_t)__builtin_ctz(config->banks_per_group),
        .group_bits = (uint32_t)__builtin_ctz(config->bank_groups),
        .queue_requests = config->queue_requests,
        .writes_enough = (config->queue_requests + 1) / 2,
        .bypasses_max = 4 * config->queue_requests,
        .tck_ps = config->tck_ps,
    };
    lpu_dram_timing_init(&common->timing, config);
}

lpu_status lpu_dram_channel_open(lpu_dram_channel *channel, lpu_dram_common *common, uint32_t index,
                                 lpu_diag *diag)
{
    const uint32_t banks = common->banks, groups = banks >> common->bank_bits,
                   ranks = common->ranks;
    const size_t nodes = (size_t)banks + groups + ranks + 1;

    *channel = (lpu_dram_channel){.common = common, .index = index};
    lpu_dram_node *first = aligned_alloc(64, nodes * sizeof(*first));
    channel->node[0] = first;
    channel->bank = calloc(banks, sizeof(*channel->bank));
    channel->acts = calloc(ranks, sizeof(*channel->acts));
    channel->open_banks = calloc(ranks, sizeof(*channel->open_banks));
    if (!first || !channel->bank || !channel->acts || !channel->open_banks) {
        lpu_dram_channel_close(channel);
        return lpu_fail(diag, LPU_ERR_MEMORY, "dram: out of memory for channel %u", index);
    }
    channel->node[LPU_DRAM_SAME_GROUP] = first + banks;
    channel->node[LPU_DRAM_SAME_RANK] = first + banks + groups;
    channel->node[LPU_DRAM_SAME_CHANNEL] = first + banks + groups + ranks;
    lpu_dram_channel_reset(channel);
    return LPU_OK;
}

void lpu_dram_channel_close(lpu_dram_channel *channel)
{
    free(channel->node[0]);
    free(channel->bank);
    free(channel->acts);
    free(channel->open_banks);
    *channel = (lpu_dram_channel){0};
}

void lpu_dram_channel_reset(lpu_dram_channel *channel)
{
    const lpu_dram_common *common = channel->common;
    const size_t nodes =
        (size_t)common->banks + (common->banks >> common->bank_bits) + common->ranks + 1;

    memset(channel->node[0], 0, nodes * sizeof(*channel->node[0]));
    memset(channel->acts, 0, common->ranks * sizeof(*channel->acts));
    memset(channel->open_banks, 0, common->ranks * sizeof(*channel->open_banks));
    for (uint32_t b = 0; b < common->banks; b++)
        channel->bank[b] = (lpu_dram_row_state){.wants = 0, .open = LPU_DRAM_NO_ROW};
    channel->valid = channel->writes = channel->hits = 0;
    channel->command_clock = 0;
    channel->next_clock = channel->due_clock = common->timing.interval_clocks;
    channel->tail = channel->owed = channel->refresh_rank = 0;
    channel->served = channel->bypasses = channel->read_count = channel->write_count = 0;
    channel->is_refreshing = channel->is_writing = false;
}

/* Moves the requests to the lowest places, in order. */
static void move_down(lpu_dram_channel *channel)
{
    uint64_t rest = channel->valid, writes = 0, hits = 0;
    uint32_t to = 0;

    for (uint64_t r = rest; r; r &= r - 1) channel->bank[channel->place_bank[lowest(r)]].wants = 0;
    for (; rest; rest &= rest - 1, to++) {
        const uint32_t from = lowest(rest);
        channel->row[to] = channel->row[from];
        channel->tag[to] = channel->tag[from];
        channel->place_bank[to] = channel->place_bank[from];
        writes |= (channel->writes >> from & 1) << to;
        hits |= (channel->hits >> from & 1) << to;
        channel->bank[channel->place_bank[to]].wants |= place_bit(to);
    }
    channel->valid = place_bit(to) - 1;
    channel->writes = writes;
    channel->hits = hits;
    channel->tail = to;
}

static inline uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void lpu_dram_channel_offer(lpu_dram_channel *channel, uint32_t bank, uint32_t row, bool is_write,
                            uint32_t tag, uint64_t clock)
{
    assert(!lpu_dram_channel_is_full(channel));
    if (channel->tail == LPU_DRAM_PLACES) move_down(channel);

    const uint32_t place = channel->tail++;
    lpu_dram_row_state *state = &channel->bank[bank];
    const bool is_hit = state->open == (int64_t)row;
    channel->row[place] = row;
    channel->tag[place] = tag;
    channel->place_bank[place] = (uint16_t)bank;
    channel->valid |= place_bit(place);
    state->wants |= place_bit(place);
    channel->writes |= (uint64_t)is_write << place;
    channel->write_count += is_write;
    channel->read_count += !is_write;
    channel->hits |= (uint64_t)is_hit << place;

    /* One more hit among reads: nothing changes before the data bus is free. */
    if (is_hit && !is_write && !channel->is_writing)
        clock = later(clock, channel->node[LPU_DRAM_SAME_CHANNEL]->earliest[LPU_DRAM_RD]);
    if (channel->next_clock > clock) channel->next_clock = clock;
}

static void nodes_of(const lpu_dram_channel *channel, uint32_t bank,
                     lpu_dram_node *node[LPU_DRAM_SCOPES])
{
    const uint32_t group = bank >> channel->common->bank_bits;

    node[LPU_DRAM_SAME_BANK] = channel->node[LPU_DRAM_SAME_BANK] + bank;
    node[LPU_DRAM_SAME_GROUP] = channel->node[LPU_DRAM_SAME_GROUP] + group;
    node[LPU_DRAM_SAME_RANK] =
        channel->node[LPU_DRAM_SAME_RANK] + (group >> channel->common->group_bits);
    node[LPU_DRAM_SAME_CHANNEL] = channel->node[LPU_DRAM_SAME_CHANNEL];
}

uint64_t lpu_dram_channel_earliest(const lpu_dram_channel *channel, lpu_dram_command command,
                                   uint32_t bank)
{
    lpu_dram_node *node[LPU_DRAM_SCOPES];

    nodes_of(channel, bank, node);
    const uint64_t near = later(node[LPU_DRAM_SAME_BANK]->earliest[command],
                                node[LPU_DRAM_SAME_GROUP]->earliest[command]);
    const uint64_t far = later(node[LPU_DRAM_SAME_RANK]->earliest[command],
                               node[LPU_DRAM_SAME_CHANNEL]->earliest[command]);
    return later(later(near, far), channel->command_clock);
}

static void close_bank(lpu_dram_channel *channel, uint32_t bank)
{
    channel->bank[bank].open = LPU_DRAM_NO_ROW;
    channel->hits &= ~channel->bank[bank].wants;
}

/* Rows that the command opens and closes, and what it counts. */
static void change_state(lpu_dram_channel *channel, lpu_dram_command command, uint32_t bank,
                         uint32_t row)
{
    lpu_dram_common *common = channel->common;
    const uint32_t rank_bits = common->bank_bits + common->group_bits, rank = bank >> rank_bits;

    switch (command) {
    case LPU_DRAM_ACT:
        channel->bank[bank].open = row;
        channel->open_banks[rank]++;
        for (uint64_t r = channel->bank[bank].wants; r; r &= r - 1)
            if (channel->row[lowest(r)] == row) channel->hits |= r & -r;
        common->activates++;
        break;
    case LPU_DRAM_PRE:
        close_bank(channel, bank);
        channel->open_banks[rank]--;
        break;
    case LPU_DRAM_PREA:
        for (uint32_t b = rank << rank_bits; b < (rank + 1) << rank_bits; b++)
            close_bank(channel, b);
        channel->open_banks[rank] = 0;
        break;
    case LPU_DRAM_RD: common->reads++; break;
    case LPU_DRAM_WR: common->writes++; break;
    case LPU_DRAM_REF: common->refreshes++; break;
    case LPU_DRAM_COMMANDS: break;
    }
}

static void issue(lpu_dram_channel *channel, lpu_dram_command command, uint32_t bank, uint32_t row,
                  uint64_t clock)
{
    lpu_dram_common *common = channel->common;
    lpu_dram_node *node[LPU_DRAM_SCOPES];

    nodes_of(channel, bank, node);
    lpu_dram_timing_issue(&common->timing, node,
                          &channel->acts[bank >> common->bank_bits >> common->group_bits], command,
                          clock);
    channel->command_clock = clock + 1;
    change_state(channel, command, bank, row);
    if (common->watch) {
        const uint32_t group = bank >> common->bank_bits;
        const lpu_dram_bank name = {channel->index, group >> common->group_bits,
                                    group & ((1u << common->group_bits) - 1),
                                    bank & ((1u << common->bank_bits) - 1)};
        common->watch(common->watch_user, common->origin_ps + clock * common->tck_ps, command, name,
                      row);
    }
}

bool lpu_dram_channel_try(lpu_dram_channel *channel, lpu_dram_command command, uint32_t bank,
                          uint32_t row, uint64_t clock)
{
    const int64_t open = channel->bank[bank].open;
    const uint32_t rank = bank >> channel->common->bank_bits >> channel->common->group_bits;

    if (lpu_dram_channel_earliest(channel, command, bank) > clock) return false;
    if (command == LPU_DRAM_ACT && open != LPU_DRAM_NO_ROW) return false;
    if (command == LPU_DRAM_PRE && open == LPU_DRAM_NO_ROW) return false;
    if (command == LPU_DRAM_REF && channel->open_banks[rank]) return false;
    if ((command == LPU_DRAM_RD || command == LPU_DRAM_WR) && open != (int64_t)row) return false;
    issue(channel, command, bank, row, clock);
    channel->next_clock = clock; /* what was known about the next event may be wrong: look again */
    return true;
}

/* One look at a refresh under way. Returns the clock at which to look again. */
static uint64_t step_refresh(lpu_dram_channel *channel, uint64_t clock)
{
    const lpu_dram_common *common = channel->common;
    const uint32_t rank = channel->refresh_rank;
    const uint32_t bank = rank << (common->bank_bits + common->group_bits);
    const lpu_dram_command command = channel->open_banks[rank] ? LPU_DRAM_PREA : LPU_DRAM_REF;
    const uint64_t earliest = lpu_dram_channel_earliest(channel, command, bank);

    if (earliest > clock) return earliest;
    issue(channel, command, bank, 0, clock);
    if (command == LPU_DRAM_REF && ++channel->refresh_rank == common->ranks) {
        channel->refresh_rank = 0;
        channel->is_refreshing = false;
        channel->owed--;
    }
    return clock + 1;
}

/* Whose turn it is. */
static void choose_direction(lpu_dram_channel *channel)
{
    const lpu_dram_common *common = channel->common;
    const uint32_t reads = channel->read_count, writes = channel->write_count;
    bool is_writing = channel->is_writing;

    if (channel->bypasses >= common->bypasses_max)
        is_writing = channel->writes & channel->valid & -channel->valid;
    else if (is_writing)
        is_writing = writes && (!reads || channel->served < common->queue_requests);
    else
        is_writing = writes && (!reads || (writes >= common->writes_enough &&
                                           channel->served >= common->writes_enough));
    if (is_writing != channel->is_writing) channel->served = 0;
    channel->is_writing = is_writing;
}

static void serve(lpu_dram_channel *channel, uint32_t place, uint64_t clock, lpu_dram_burst *burst)
{
    const uint64_t bit = place_bit(place);
    const uint32_t bank = channel->place_bank[place];
    const lpu_dram_command command = channel->is_writing ? LPU_DRAM_WR : LPU_DRAM_RD;

    *burst = (lpu_dram_burst){.tag = channel->tag[place], .is_write = channel->is_writing};
    if (place == lowest(channel->valid)) channel->bypasses = 0;
    else channel->bypasses++;
    channel->served++;
    channel->valid &= ~bit;
    channel->writes &= ~bit;
    channel->hits &= ~bit;
    channel->bank[bank].wants &= ~bit;
    if (channel->is_writing) channel->write_count--;
    else channel->read_count--;
    if (!channel->valid) channel->tail = 0;
    issue(channel, command, bank, channel->row[place], clock);
}

/* Serves the oldest hit that may go now. Otherwise lowers *soonest to when one may. */
static bool serve_hit(lpu_dram_channel *channel, uint64_t hits, uint64_t clock, uint64_t *soonest,
                      lpu_dram_burst *burst)
{
    const lpu_dram_command command = channel->is_writing ? LPU_DRAM_WR : LPU_DRAM_RD;
    const uint64_t bus = channel->node[LPU_DRAM_SAME_CHANNEL]->earliest[command];

    if (!hits) return false;
    if (bus > clock) {
        if (*soonest > bus) *soonest = bus;
        return false;
    }
    while (hits) {
        const uint32_t place = lowest(hits), bank = channel->place_bank[place];
        const uint64_t earliest = lpu_dram_channel_earliest(channel, command, bank);
        if (earliest <= clock) {
            serve(channel, place, clock, burst);
            return true;
        }
        if (*soonest > earliest) *soonest = earliest;
        hits &= ~channel->bank[bank].wants;
    }
    return false;
}

/* Opens or closes a row for the oldest of these misses that can get on now; kept are hits that a
 * row stays open for. */
static bool open_row(lpu_dram_channel *channel, uint64_t misses, uint64_t kept, uint64_t clock,
                     uint64_t *soonest)
{
    while (misses) {
        const uint32_t place = lowest(misses), bank = channel->place_bank[place];
        const lpu_dram_row_state *state = &channel->bank[bank];

        misses &= ~state->wants;
        if (state->wants & kept) continue;
        const lpu_dram_command command =
            state->open == LPU_DRAM_NO_ROW ? LPU_DRAM_ACT : LPU_DRAM_PRE;
        const uint64_t earliest = lpu_dram_channel_earliest(channel, command, bank);
        if (earliest <= clock) {
            issue(channel, command, bank, channel->row[place], clock);
            return true;
        }
        if (*soonest > earliest) *soonest = earliest;
    }
    return false;
}

/* When only hits of one direction remain, nothing can happen before the data bus is free again. */
static uint64_t after_burst(const lpu_dram_channel *channel, uint64_t hits, uint64_t misses,
                            uint64_t clock, uint64_t due_clock)
{
    const lpu_dram_command command = channel->is_writing ? LPU_DRAM_WR : LPU_DRAM_RD;
    const uint64_t bus = channel->node[LPU_DRAM_SAME_CHANNEL]->earliest[command];

    if (misses || !hits) return clock + 1;
    return bus < due_clock ? bus : due_clock;
}

bool lpu_dram_channel_step(lpu_dram_channel *channel, lpu_dram_burst *burst)
{
    const lpu_dram_common *common = channel->common;
    const uint64_t clock = channel->next_clock;
    uint64_t soonest = channel->due_clock;

    for (; clock >= soonest; soonest = channel->due_clock += common->timing.interval_clocks)
        channel->owed++;
    if (channel->owed && (channel->owed > 1 || !channel->valid)) channel->is_refreshing = true;
    if (channel->is_refreshing) {
        const uint64_t again = step_refresh(channel, clock);
        channel->next_clock = again < soonest ? again : soonest;
        return false;
    }
    channel->next_clock = soonest;
    if (!channel->valid) return false;
    if (channel->command_clock > clock) {
        channel->next_clock = channel->command_clock;
        return false;
    }

    choose_direction(channel);
    uint64_t mine = channel->is_writing ? channel->writes : channel->valid & ~channel->writes;
    if (channel->bypasses >= common->bypasses_max) mine = channel->valid & -channel->valid;

    const uint64_t hits = mine & channel->hits, misses = mine & ~hits;
    if (serve_hit(channel, hits, clock, &soonest, burst)) {
        channel->next_clock = after_burst(channel, hits & channel->hits, misses, clock, soonest);
        return true;
    }
    const bool is_busy = open_row(channel, misses, hits, clock, &soonest);
    channel->next_clock = is_busy ? clock + 1 : soonest;
    return false;
}

uint64_t lpu_dram_channel_settle(lpu_dram_channel *channel, uint64_t clock)
{
    assert(!channel->valid);
    for (channel->owed++; channel->owed;) clock = step_refresh(channel, clock);
    return clock - 1 + channel->common->timing.refresh_clocks;
}
