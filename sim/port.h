/* sim/port.h - the memory behind its AXI port: bursts, beats and responses, cycle by cycle.
 *
 * One object serves the simulator and the harnesses of the RTL, so that both see the same memory.
 * In each cycle:
 *
 *     begin     the memory advances to the cycle; the beats of R and the response of B are decided
 *     r, b      take what there is in this cycle: rready and bready are always high
 *     read      AR: one burst; false when it is not accepted. The same for
 *     write     AW, and
 *     beat      W: the next beat of the bursts of AW, in their order
 *
 * A burst is burst_bytes long and aligned, and takes burst_bytes / bus_bytes beats. It is made of
 * whole bursts of the memory, and begins when there is room for all of them: a read with its AR, a
 * write with its last beat of W, which is refused until then. W may follow its AW from the next
 * cycle on. R gives a burst's beats one after another, bursts in the
 * order in which the memory ends them. A bus wider than a burst is that many ports side by side:
 * so many bursts in a cycle.
 */
#ifndef LPU_SIM_PORT_H
#define LPU_SIM_PORT_H

#include "sim/dram.h"

/* Cycles, in 1/256, in which a channel stalls: AR, AW and W are not ready, R and B give nothing.
 * Whether a cycle is one of them follows from seed, channel and cycle alone. */
typedef struct lpu_port_stalls {
    uint64_t seed;
    uint8_t ar, aw, w, r, b;
} lpu_port_stalls;

typedef struct lpu_port_config {
    const lpu_dram_config *dram; /* borrowed */
    uint32_t clock_mhz;
    uint32_t bus_bytes; /* per cycle and direction */
    uint32_t reads;     /* read tags are below */
    lpu_port_stalls stalls;
} lpu_port_config;

/* A beat of R. */
typedef struct lpu_port_beat {
    uint64_t address; /* of the beat's first byte */
    uint32_t tag, beat;
    bool is_last;
} lpu_port_beat;

typedef struct lpu_port lpu_port;

/* Bytes of a burst, a power of two: two beats, at most 128 bytes, so that one request a cycle keeps
 * ahead of the data and the memory has work in hand after a refresh; at least the memory's own. */
uint32_t lpu_port_burst_bytes(const lpu_dram_config *dram, uint32_t bus_bytes);

/* Bursts in one cycle, of a bus this wide; beats of one burst. One of the two is 1. */
uint32_t lpu_port_count(const lpu_dram_config *dram, uint32_t bus_bytes);
uint32_t lpu_port_beats(const lpu_dram_config *dram, uint32_t bus_bytes);

lpu_status lpu_port_open(lpu_port **p, const lpu_port_config *config, lpu_diag *diag);
void lpu_port_close(lpu_port **p);

/* A memory elsewhere, in a virtual platform, say, that is asked through the functions below. Each
 * does what the function of lpu_port of its name does. */
typedef struct lpu_port_remote {
    void *user;
    void (*begin)(void *user, uint64_t cycle);
    bool (*r)(void *user, lpu_port_beat *beat);
    bool (*b)(void *user, uint32_t *tag);
    bool (*read)(void *user, uint64_t address, uint32_t tag);
    bool (*write)(void *user, uint64_t address, uint32_t tag);
    bool (*write_beat)(void *user);
    bool (*is_idle)(void *user);
    uint64_t (*settle)(void *user);
} lpu_port_remote;

/* Copies remote. It cannot be restarted, and counts nothing. */
lpu_status lpu_port_open_remote(lpu_port **p, const lpu_port_remote *remote, lpu_diag *diag);

/* To the state after open, with nothing under way: cycle 0 is next. */
lpu_status lpu_port_restart(lpu_port *p, lpu_diag *diag);

/* Begins a cycle: any later than the last. */
void lpu_port_begin(lpu_port *p, uint64_t cycle);

/* The beats of R of this cycle, at most one of each port; false when there is none left. */
bool lpu_port_r(lpu_port *p, lpu_port_beat *beat);

/* The response of B of this cycle: the tag of a write, once; false when there is none. */
bool lpu_port_b(lpu_port *p, uint32_t *tag);

/* One burst each. A read's tag is not in use. Writes may share a tag: it comes back for each. */
bool lpu_port_read(lpu_port *p, uint64_t address, uint32_t tag);
bool lpu_port_write(lpu_port *p, uint64_t address, uint32_t tag);

/* The next beat of W; false when it is not accepted. */
bool lpu_port_write_beat(lpu_port *p);

/* True when no burst is under way. */
bool lpu_port_is_idle(const lpu_port *p);

/* The first cycle, from the present one on, in which something may come back or a channel may have
 * room again; UINT64_MAX when idle. */
uint64_t lpu_port_next_cycles(const lpu_port *p);

/* For a SYNC, idle only: the first cycle in which the memory has settled. */
uint64_t lpu_port_settle(lpu_port *p);

/* Adds what lpu_dram_count does. */
void lpu_port_count_dram(const lpu_port *p, lpu_counters *c);

#endif
