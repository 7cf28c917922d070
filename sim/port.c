/* sim/port.c - bursts of AXI to bursts of the memory, and back in order of their end.
 *
 *   AR ---> parts ---> memory ---> ended reads ---> R, beat by beat
 *   AW -+-> parts ---> memory ---> ended writes --> B
 *   W  -+
 */
#include "sim/port.h"

#include <assert.h>
#include <stdlib.h>

enum {
    BURST_MAX_BYTES = 128,
    WRITES = 256,        /* bursts in flight; a power of two */
    AW_QUEUE = 4,        /* addresses whose beats are to come; a power of two */
    WRITE_TAG = 1 << 30, /* of the memory: writes carry their record, reads their own tag */
};

typedef enum channel { CHANNEL_AR, CHANNEL_AW, CHANNEL_W, CHANNEL_R, CHANNEL_B } channel;

typedef struct write_burst {
    uint32_t tag, parts_left;
} write_burst;

typedef struct write_address {
    uint64_t address;
    uint64_t accepted_cycles; /* W may follow in later ones */
    uint32_t tag;
} write_address;

typedef struct read_burst {
    uint64_t address;
    uint32_t parts_left;
} read_burst;

struct lpu_port {
    lpu_port_remote remote; /* asked for everything, where it has a begin */
    lpu_port_config config;
    lpu_dram *dram;
    uint32_t burst_bytes, beats, ports, parts; /* parts: bursts of the memory */
    uint64_t now_cycles;
    bool is_held; /* a stall refused something in this cycle */

    read_burst *reads; /* (config.reads) by tag */
    uint32_t *ended;   /* (config.reads) ring of tags */
    uint32_t ended_first, ended_count;
    uint32_t r_beat, r_left; /* beat of the first ended one; beats left in this cycle */

    write_burst writes[WRITES];
    uint32_t free_writes[WRITES], free_count;
    uint32_t acks[WRITES], ack_first, ack_count; /* ring of tags */
    bool has_b;
    write_address aw[AW_QUEUE];
    uint32_t aw_first, aw_count, w_beat;
};

/* ---- sizes ---- */

uint32_t lpu_port_burst_bytes(const lpu_dram_config *dram, uint32_t bus_bytes)
{
    uint32_t bytes = dram->burst_bytes, parts = 1;

    while (bytes < BURST_MAX_BYTES && bytes <= bus_bytes && bytes < dram->row_bytes &&
           2 * parts <= dram->queue_requests) {
        bytes *= 2;
        parts *= 2;
    }
    return bytes;
}

uint32_t lpu_port_count(const lpu_dram_config *dram, uint32_t bus_bytes)
{
    const uint32_t burst = lpu_port_burst_bytes(dram, bus_bytes);
    return bus_bytes > burst ? bus_bytes / burst : 1;
}

uint32_t lpu_port_beats(const lpu_dram_config *dram, uint32_t bus_bytes)
{
    const uint32_t burst = lpu_port_burst_bytes(dram, bus_bytes);
    return bus_bytes < burst ? (burst + bus_bytes - 1) / bus_bytes : 1;
}

/* ---- time ---- */

static uint64_t time_ps(const lpu_port *p, uint64_t cycles)
{
    return cycles * 1000000u / p->config.clock_mhz;
}

/* The first cycle whose time is at or after ps. */
static uint64_t cycle_at(const lpu_port *p, uint64_t ps)
{
    const uint64_t mhz = p->config.clock_mhz;
    uint64_t cycles = ps / 1000000u * mhz + ps % 1000000u * mhz / 1000000u;

    while (time_ps(p, cycles) < ps) cycles++;
    return cycles;
}

/* ---- opening ---- */

lpu_status lpu_port_restart(lpu_port *p, lpu_diag *diag)
{
    lpu_dram_close(&p->dram);
    p->ended_first = p->ended_count = p->r_beat = p->r_left = 0;
    p->ack_first = p->ack_count = 0;
    p->aw_first = p->aw_count = p->w_beat = 0;
    p->has_b = p->is_held = false;
    p->now_cycles = 0;
    p->free_count = WRITES;
    for (uint32_t i = 0; i < WRITES; i++) p->free_writes[i] = i;
    return lpu_dram_open(&p->dram, p->config.dram, diag);
}

lpu_status lpu_port_open(lpu_port **out, const lpu_port_config *config, lpu_diag *diag)
{
    lpu_port *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (!p) return lpu_fail(diag, LPU_ERR_MEMORY, "port: out of memory");
    p->config = *config;
    p->burst_bytes = lpu_port_burst_bytes(config->dram, config->bus_bytes);
    p->beats = lpu_port_beats(config->dram, config->bus_bytes);
    p->ports = lpu_port_count(config->dram, config->bus_bytes);
    p->parts = p->burst_bytes / config->dram->burst_bytes;
    p->reads = calloc(config->reads, sizeof(*p->reads));
    p->ended = calloc(config->reads, sizeof(*p->ended));
    lpu_status status = LPU_OK;
    if (!p->reads || !p->ended) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "port: out of memory for %u reads", config->reads);
    }
    if (!status) status = lpu_port_restart(p, diag);
    if (status) {
        lpu_port_close(&p);
        return status;
    }
    *out = p;
    return LPU_OK;
}

lpu_status lpu_port_open_remote(lpu_port **out, const lpu_port_remote *remote, lpu_diag *diag)
{
    lpu_port *p = calloc(1, sizeof(*p));

    *out = p;
    if (!p) return lpu_fail(diag, LPU_ERR_MEMORY, "port: out of memory");
    p->remote = *remote;
    return LPU_OK;
}

void lpu_port_close(lpu_port **p)
{
    if (!*p) return;
    lpu_dram_close(&(*p)->dram);
    free((*p)->reads);
    free((*p)->ended);
    free(*p);
    *p = NULL;
}

/* ---- a cycle ---- */

/* splitmix64 (Steele, Lea, Flood 2014): every bit of the result depends on every bit of x. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static bool is_stalled(lpu_port *p, channel c, uint8_t share)
{
    if (!share) return false;

    const uint64_t dice = mix(mix(p->config.stalls.seed + (uint64_t)c) + p->now_cycles);
    const bool is_now = (dice & 255) < share;
    p->is_held |= is_now;
    return is_now;
}

static void end_part(lpu_port *p, uint32_t tag)
{
    if (tag & WRITE_TAG) {
        const uint32_t slot = tag & (WRITES - 1);
        if (--p->writes[slot].parts_left) return;
        p->acks[(p->ack_first + p->ack_count++) & (WRITES - 1)] = p->writes[slot].tag;
        p->free_writes[p->free_count++] = slot;
        return;
    }
    if (--p->reads[tag].parts_left) return;
    const uint32_t at = p->ended_first + p->ended_count++;
    p->ended[at < p->config.reads ? at : at - p->config.reads] = tag;
}

void lpu_port_begin(lpu_port *p, uint64_t cycle)
{
    uint32_t tag;

    p->now_cycles = cycle;
    if (p->remote.begin) {
        p->remote.begin(p->remote.user, cycle);
        return;
    }
    p->is_held = false;
    lpu_dram_advance(p->dram, time_ps(p, cycle));
    while (lpu_dram_take(p->dram, &tag)) end_part(p, tag);
    p->r_left = p->ended_count && !is_stalled(p, CHANNEL_R, p->config.stalls.r) ? p->ports : 0;
    p->has_b = p->ack_count && !is_stalled(p, CHANNEL_B, p->config.stalls.b);
}

bool lpu_port_r(lpu_port *p, lpu_port_beat *beat)
{
    if (p->remote.begin) return p->remote.r(p->remote.user, beat);
    if (!p->r_left || !p->ended_count) return false;

    const uint32_t tag = p->ended[p->ended_first];
    const uint64_t offset = (uint64_t)p->r_beat * p->config.bus_bytes;
    *beat = (lpu_port_beat){.address = p->reads[tag].address + offset,
                            .tag = tag,
                            .beat = p->r_beat,
                            .is_last = p->r_beat + 1 == p->beats};
    p->r_left--;
    p->r_beat++;
    if (beat->is_last) {
        p->r_beat = 0;
        p->ended_count--;
        if (++p->ended_first == p->config.reads) p->ended_first = 0;
    }
    return true;
}

bool lpu_port_b(lpu_port *p, uint32_t *tag)
{
    if (p->remote.begin) return p->remote.b(p->remote.user, tag);
    if (!p->has_b) return false;
    p->has_b = false;
    *tag = p->acks[p->ack_first];
    p->ack_first = (p->ack_first + 1) & (WRITES - 1);
    p->ack_count--;
    return true;
}

/* Offers all parts of a burst or none. */
static bool offer(lpu_port *p, uint64_t address, bool is_write, uint32_t tag)
{
    assert(!(address & (p->burst_bytes - 1)));
    if (!lpu_dram_has_room(p->dram, address, p->burst_bytes)) return false;
    for (uint32_t i = 0; i < p->parts; i++) {
        const uint64_t at = address + (uint64_t)i * p->config.dram->burst_bytes;
        const bool is_taken = lpu_dram_offer(p->dram, at, is_write, tag);
        assert(is_taken);
        (void)is_taken;
    }
    return true;
}

bool lpu_port_read(lpu_port *p, uint64_t address, uint32_t tag)
{
    if (p->remote.begin) return p->remote.read(p->remote.user, address, tag);
    assert(tag < p->config.reads);
    if (is_stalled(p, CHANNEL_AR, p->config.stalls.ar)) return false;
    if (!offer(p, address, false, tag)) return false;
    p->reads[tag] = (read_burst){address, p->parts};
    return true;
}

bool lpu_port_write(lpu_port *p, uint64_t address, uint32_t tag)
{
    if (p->remote.begin) return p->remote.write(p->remote.user, address, tag);
    if (p->aw_count == AW_QUEUE) return false;
    if (is_stalled(p, CHANNEL_AW, p->config.stalls.aw)) return false;
    p->aw[(p->aw_first + p->aw_count++) & (AW_QUEUE - 1)] =
        (write_address){address, p->now_cycles, tag};
    return true;
}

bool lpu_port_write_beat(lpu_port *p)
{
    if (p->remote.begin) return p->remote.write_beat(p->remote.user);

    const write_address *a = &p->aw[p->aw_first];

    if (!p->aw_count || a->accepted_cycles == p->now_cycles) return false;
    if (is_stalled(p, CHANNEL_W, p->config.stalls.w)) return false;
    if (p->w_beat + 1 < p->beats) {
        p->w_beat++;
        return true;
    }
    /* Every burst in flight has its place in the ring of acknowledgements. */
    if (p->free_count <= p->ack_count) return false;
    const uint32_t slot = p->free_writes[p->free_count - 1];
    if (!offer(p, a->address, true, WRITE_TAG | slot)) return false;
    p->free_count--;
    p->writes[slot] = (write_burst){a->tag, p->parts};
    p->w_beat = 0;
    p->aw_first = (p->aw_first + 1) & (AW_QUEUE - 1);
    p->aw_count--;
    return true;
}

/* ---- between segments ---- */

bool lpu_port_is_idle(const lpu_port *p)
{
    if (p->remote.begin) return p->remote.is_idle(p->remote.user);
    return !p->ended_count && !p->ack_count && !p->aw_count && lpu_dram_is_idle(p->dram);
}

uint64_t lpu_port_next_cycles(const lpu_port *p)
{
    if (p->remote.begin) return lpu_port_is_idle(p) ? UINT64_MAX : p->now_cycles + 1;
    if (p->ended_count || p->ack_count || p->is_held) return p->now_cycles + 1;
    const uint64_t next_ps = lpu_dram_next_ps(p->dram);
    return next_ps == UINT64_MAX ? UINT64_MAX : cycle_at(p, next_ps);
}

uint64_t lpu_port_settle(lpu_port *p)
{
    if (p->remote.begin) return p->remote.settle(p->remote.user);
    return cycle_at(p, lpu_dram_settle(p->dram));
}

void lpu_port_count_dram(const lpu_port *p, lpu_counters *c)
{
    if (!p->remote.begin) lpu_dram_count(p->dram, c);
}
