/* sim/dram.c - the clock of a memory, and its completions in order of time.
 *
 * Channels never touch each other, so each runs alone from event to event. What they complete meets
 * in a calendar: a ring with one bucket per clock and, in a bucket, one place per channel and
 * direction, since a channel issues one command per clock. Reading buckets in turn and places
 * upward gives the order of finish without comparing anything.
 *
 *   bucket   clock c          c+1               c+2
 *   mask     ch0r ch0w ch1r ch1w ...            one bit each
 *   tag      [  ] [ 7] [  ] [12]
 *
 * Channels run in stretches short enough that the ring never bites its tail.
 */
#include "sim/dram.h"

#include "sim/dram_channel.h"
#include "sim/dram_map.h"

#include <assert.h>
#include <stdlib.h>

enum {
    STRETCH_CLOCKS = 64, /* least length of a stretch */
};

struct lpu_dram {
    lpu_dram_config config;
    lpu_dram_common common;
    lpu_dram_mapping mapping;
    lpu_dram_channel *channels;
    uint64_t now_ps;
    uint64_t edge;       /* the first clock not worked off */
    uint64_t next_clock; /* the least of all channels */
    uint64_t ready_ps;   /* of a settle, while is_resting */
    bool is_resting;
    uint64_t queued; /* requests in all queues */

    uint64_t *mask;          /* (buckets, words) */
    uint32_t *tag;           /* (buckets, 2 x channels) */
    uint32_t buckets, words; /* buckets: a power of two */
    uint32_t stretch;        /* clocks that channels may run ahead of drained */
    uint64_t drained;        /* clocks before have been emptied */
    uint64_t flying;         /* completions in the calendar */

    uint32_t *taken; /* (taken_size) ring of finished tags, oldest first */
    uint64_t taken_size, taken_head, taken_tail;
};

static uint64_t power_of_two_above(uint64_t n)
{
    uint64_t p = 1;
    while (p < n) p *= 2;
    return p;
}

static lpu_status open_calendar(lpu_dram *d, lpu_diag *diag)
{
    const lpu_dram_timing *t = &d->common.timing;
    const uint32_t longest = t->read_clocks > t->write_clocks ? t->read_clocks : t->write_clocks;
    const uint32_t channels = d->config.channels;

    d->buckets = (uint32_t)power_of_two_above(longest + 1 + STRETCH_CLOCKS);
    d->stretch = d->buckets - longest - 1;
    d->words = (2 * channels + 63) / 64;
    d->taken_size = power_of_two_above(UINT64_C(4) * channels * d->config.queue_requests);
    d->mask = calloc((size_t)d->buckets * d->words, sizeof(*d->mask));
    d->tag = calloc((size_t)d->buckets * 2 * channels, sizeof(*d->tag));
    d->taken = calloc(d->taken_size, sizeof(*d->taken));
    if (!d->mask || !d->tag || !d->taken)
        return lpu_fail(diag, LPU_ERR_MEMORY, "dram: out of memory for %u channels", channels);
    return LPU_OK;
}

lpu_status lpu_dram_open(lpu_dram **out, const lpu_dram_config *config, lpu_diag *diag)
{
    *out = NULL;
    lpu_status status = lpu_dram_config_check(config, diag);
    if (status) return status;

    lpu_dram *d = calloc(1, sizeof(*d));
    if (!d) return lpu_fail(diag, LPU_ERR_MEMORY, "dram: out of memory");
    d->config = *config;
    lpu_dram_common_init(&d->common, config);
    lpu_dram_mapping_init(&d->mapping, config);
    status = open_calendar(d, diag);
    if (status) goto fail;
    d->channels = calloc(config->channels, sizeof(*d->channels));
    if (!d->channels) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "dram: out of memory for channels");
        goto fail;
    }
    for (uint32_t i = 0; i < config->channels; i++) {
        status = lpu_dram_channel_open(&d->channels[i], &d->common, i, diag);
        if (status) goto fail;
    }
    d->next_clock = d->channels[0].next_clock;
    *out = d;
    return LPU_OK;
fail:
    lpu_dram_close(&d);
    return status;
}

void lpu_dram_close(lpu_dram **d)
{
    if (!*d) return;
    if ((*d)->channels)
        for (uint32_t i = 0; i < (*d)->config.channels; i++)
            lpu_dram_channel_close(&(*d)->channels[i]);
    free((*d)->channels);
    free((*d)->mask);
    free((*d)->tag);
    free((*d)->taken);
    free(*d);
    *d = NULL;
}

bool lpu_dram_has_room(const lpu_dram *d, uint64_t address, uint32_t bytes)
{
    const uint32_t burst = d->config.burst_bytes, piece = d->config.interleave_bytes;
    const uint64_t waiting = d->queued + d->flying + (d->taken_tail - d->taken_head);
    const uint64_t end = address + bytes, turn = (uint64_t)piece * d->config.channels;

    if (d->is_resting || waiting + bytes / burst > d->taken_size) return false;
    for (uint64_t at = address; at < end && at < address + turn;) {
        const uint64_t next = (at / piece + 1) * piece, stop = next < end ? next : end;
        uint32_t count = 0;
        uint64_t number;
        for (uint64_t i = at; i < end; i += turn) {
            count += (uint32_t)((i + (stop - at) < end ? stop - at : end - i) / burst);
        }
        const lpu_dram_channel *c =
            &d->channels[lpu_dram_mapping_channel(&d->mapping, at, &number)];
        if (c->read_count + c->write_count + count > d->config.queue_requests) return false;
        at = stop;
    }
    return true;
}

bool lpu_dram_offer(lpu_dram *d, uint64_t address, bool is_write, uint32_t tag)
{
    const lpu_dram_mapping *m = &d->mapping;
    uint64_t number;
    lpu_dram_channel *channel = &d->channels[lpu_dram_mapping_channel(m, address, &number)];

    if (d->queued + d->flying + (d->taken_tail - d->taken_head) >= d->taken_size) return false;
    if (d->is_resting || lpu_dram_channel_is_full(channel)) return false;

    const lpu_dram_bank bank = {.rank = lpu_dram_mapping_get(m->rank, number),
                                .group = lpu_dram_mapping_get(m->group, number),
                                .bank = lpu_dram_mapping_get(m->bank, number)};
    lpu_dram_channel_offer(channel, lpu_dram_channel_bank(&d->common, bank),
                           lpu_dram_mapping_get(m->row, number), is_write, tag, d->edge);
    d->queued++;
    if (d->next_clock > channel->next_clock) d->next_clock = channel->next_clock;
    return true;
}

/* Puts a burst whose command went at clock into the bucket of its completion. */
static void book(lpu_dram *d, uint32_t channel, const lpu_dram_burst *burst, uint64_t clock)
{
    const lpu_dram_timing *t = &d->common.timing;
    const uint64_t finish = clock + (burst->is_write ? t->write_clocks : t->read_clocks);
    const size_t bucket = finish & (d->buckets - 1);
    const uint32_t place = 2 * channel + burst->is_write;

    d->mask[bucket * d->words + place / 64] |= UINT64_C(1) << place % 64;
    d->tag[bucket * 2 * d->config.channels + place] = burst->tag;
    d->queued--;
    d->flying++;
}

/* Moves the completions of clocks before end, in order, to the ring of the taken. */
static void drain(lpu_dram *d, uint64_t end)
{
    for (; d->flying && d->drained < end; d->drained++) {
        const size_t bucket = d->drained & (d->buckets - 1);
        uint64_t *mask = &d->mask[bucket * d->words];
        uint32_t *tag = &d->tag[bucket * 2 * d->config.channels];

        for (uint32_t w = 0; w < d->words; w++) {
            for (; mask[w]; mask[w] &= mask[w] - 1) {
                const uint32_t place = 64 * w + (uint32_t)__builtin_ctzll(mask[w]);
                d->taken[d->taken_tail++ & (d->taken_size - 1)] = tag[place];
                d->flying--;
            }
        }
    }
    if (d->drained < end) d->drained = end;
}

/* Runs every channel up to clock end, without it. */
static void run(lpu_dram *d, uint64_t end)
{
    uint64_t next = UINT64_MAX;

    for (uint32_t i = 0; i < d->config.channels; i++) {
        lpu_dram_channel *channel = &d->channels[i];
        while (channel->next_clock < end) {
            const uint64_t clock = channel->next_clock;
            lpu_dram_burst burst;
            if (lpu_dram_channel_step(channel, &burst)) book(d, i, &burst, clock);
        }
        if (next > channel->next_clock) next = channel->next_clock;
    }
    d->next_clock = next;
}

/* Clock 0 is now: the state after open. */
static void wake(lpu_dram *d)
{
    d->is_resting = false;
    d->common.origin_ps = d->now_ps;
    d->edge = d->drained = 0;
    for (uint32_t i = 0; i < d->config.channels; i++) lpu_dram_channel_reset(&d->channels[i]);
    d->next_clock = d->channels[0].next_clock;
}

void lpu_dram_advance(lpu_dram *d, uint64_t now_ps)
{
    assert(now_ps >= d->now_ps);
    d->now_ps = now_ps;
    if (d->is_resting) {
        if (now_ps < d->ready_ps) return;
        wake(d);
    }

    const uint64_t since = now_ps - d->common.origin_ps, full = since / d->config.tck_ps;
    const uint64_t target = full + (full * d->config.tck_ps < since);
    while (d->edge < target) {
        uint64_t end = target;
        if (d->queued + d->flying && end - d->edge > d->stretch) end = d->edge + d->stretch;
        if (d->next_clock < end) run(d, end);
        d->edge = end;
        drain(d, end);
    }
    drain(d, full + 1);
}

bool lpu_dram_take(lpu_dram *d, uint32_t *tag)
{
    if (d->taken_head == d->taken_tail) return false;
    *tag = d->taken[d->taken_head++ & (d->taken_size - 1)];
    return true;
}

bool lpu_dram_is_idle(const lpu_dram *d)
{
    return d->queued + d->flying == 0;
}

uint64_t lpu_dram_next_ps(const lpu_dram *d)
{
    if (d->taken_head != d->taken_tail) return d->now_ps;
    if (d->is_resting) return d->ready_ps;
    if (lpu_dram_is_idle(d)) return UINT64_MAX;

    /* A command at clock k frees its place after k; a completion of clock c is there at c. */
    const uint64_t tck_ps = d->config.tck_ps, origin_ps = d->common.origin_ps;
    uint64_t next = UINT64_MAX;
    for (uint32_t i = 0; d->queued && i < d->config.channels; i++)
        if (d->channels[i].valid && next > d->channels[i].next_clock)
            next = d->channels[i].next_clock;
    if (d->flying) {
        for (uint64_t c = d->drained; c <= next; c++) {
            const uint64_t *mask = &d->mask[(c & (d->buckets - 1)) * d->words];
            for (uint32_t w = 0; w < d->words; w++)
                if (mask[w]) return origin_ps + c * tck_ps;
        }
    }
    return origin_ps + next * tck_ps + 1;
}

uint64_t lpu_dram_settle(lpu_dram *d)
{
    uint64_t end = d->edge;

    assert(lpu_dram_is_idle(d));
    if (d->is_resting) return d->ready_ps;
    for (uint32_t i = 0; i < d->config.channels; i++) {
        const uint64_t done = lpu_dram_channel_settle(&d->channels[i], d->edge);
        if (end < done) end = done;
    }
    d->is_resting = true;
    d->ready_ps = d->common.origin_ps + end * d->config.tck_ps;
    return d->ready_ps;
}

void lpu_dram_count(const lpu_dram *d, lpu_counters *c)
{
    c->dram_read_bytes += d->common.reads * d->config.burst_bytes;
    c->dram_write_bytes += d->common.writes * d->config.burst_bytes;
    c->dram_activates += d->common.activates;
    c->dram_refreshes += d->common.refreshes;
    c->dram_channel_ns += d->config.channels * d->now_ps / 1000;
}

uint64_t lpu_dram_earliest_ps(const lpu_dram *d, lpu_dram_command command, lpu_dram_bank bank)
{
    const lpu_dram_channel *channel = &d->channels[bank.channel];
    const uint64_t clock =
        lpu_dram_channel_earliest(channel, command, lpu_dram_channel_bank(&d->common, bank));

    return d->common.origin_ps + (clock > d->edge ? clock : d->edge) * d->config.tck_ps;
}

bool lpu_dram_issue(lpu_dram *d, lpu_dram_command command, lpu_dram_bank bank, uint32_t row)
{
    if (!lpu_dram_channel_try(&d->channels[bank.channel], command,
                              lpu_dram_channel_bank(&d->common, bank), row, d->edge))
        return false;
    d->next_clock = d->edge;
    return true;
}

void lpu_dram_watch(lpu_dram *d, lpu_dram_watcher *watch, void *user)
{
    d->common.watch = watch;
    d->common.watch_user = user;
}

lpu_dram_place lpu_dram_map(const lpu_dram *d, uint64_t address)
{
    return lpu_dram_mapping_place(&d->mapping, address);
}
