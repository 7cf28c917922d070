/* sim/dram.h - memory timing: channels, bank groups, banks, rows, refresh, bus turnaround.
 *
 * A memory is a YAML file (sim/dram/) of geometry and timing constraints with their source. Each
 * channel has its own queue and schedules row hits first, then the oldest; rows stay open.
 * Requests are single bursts. The model runs on the memory's own clock; its user advances it in
 * picoseconds. Deterministic; no data is held here, so a read may pass a write to the same address:
 * who needs the order waits for the write to complete.
 *
 * Clock edge k is at k x tck_ps. Advancing to t works off every edge before t; a request offered at
 * t takes part from the first edge at or after t. How often advance is called changes nothing.
 */
#ifndef LPU_SIM_DRAM_H
#define LPU_SIM_DRAM_H

#include "workloads/counters.h"
#include "workloads/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Times in picoseconds as the standard gives them; the model rounds up to its clock. */
typedef struct lpu_dram_config {
    char name[64]; /* lpddr5x-8533-x64 */
    char title[96];
    char source[256];
    char price[64];    /* energy_model/prices/<price>.tsv holds its energies */
    uint32_t tck_ps;   /* command clock */
    uint32_t channels; /* independent: own commands, own data bus */
    uint32_t ranks, bank_groups, banks_per_group, rows;
    uint32_t row_bytes;   /* of one bank of one channel */
    uint32_t burst_bytes; /* one read or write command */
    uint32_t burst_ps;    /* data bus time of a burst; peak = burst_bytes / burst_ps x channels */
    uint32_t queue_requests;   /* per channel, at most 32 */
    uint32_t interleave_bytes; /* consecutive bytes on one channel */
    uint32_t t_rp_ab_ps;       /* precharge of all banks; 0 where it is t_rp_ps */
    uint32_t t_rcd_ps, t_rp_ps, t_ras_ps, t_rc_ps, t_rrd_s_ps, t_rrd_l_ps, t_faw_ps;
    uint32_t t_ccd_s_ps, t_ccd_l_ps, t_rtp_ps, t_cl_ps, t_cwl_ps, t_wr_ps, t_wtr_s_ps, t_wtr_l_ps;
    uint32_t t_rtw_ps; /* read command to write command */
    uint32_t t_rfc_ps, t_refi_ps;
    uint32_t controller_ps; /* fixed latency of controller and PHY, added to every read */
} lpu_dram_config;

lpu_status lpu_dram_config_load(lpu_dram_config *config, const char *name, lpu_diag *diag);

/* LPU_ERR_RANGE and a sentence if no such memory can be built. */
lpu_status lpu_dram_config_check(const lpu_dram_config *config, lpu_diag *diag);

/* Peak bytes per second over all channels. */
double lpu_dram_peak_bytes_per_s(const lpu_dram_config *config);

/* A burst address is a byte address, a multiple of burst_bytes; it wraps at the capacity. */
typedef struct lpu_dram lpu_dram;

lpu_status lpu_dram_open(lpu_dram **d, const lpu_dram_config *config, lpu_diag *diag);
void lpu_dram_close(lpu_dram **d);

/* Offers one burst at the present time; tag comes back with its completion. False when the queue of
 * its channel is full: offer it again later. Reads and writes share the queue. Also false when four
 * queues per channel wait to be taken, and between a settle and the time that it returned. */
bool lpu_dram_offer(lpu_dram *d, uint64_t address, bool is_write, uint32_t tag);

/* True when all bursts of the bytes from address on, both multiples of burst_bytes, would be taken
 * now. */
bool lpu_dram_has_room(const lpu_dram *d, uint64_t address, uint32_t bytes);

/* Advances to time now_ps (never back). */
void lpu_dram_advance(lpu_dram *d, uint64_t now_ps);

/* Takes one completed request (data on chip for a read, data on the pins for a write) that finished
 * at or before the present time, oldest finish first. False when there is none. */
bool lpu_dram_take(lpu_dram *d, uint32_t *tag);

/* The next time at which something can complete or a queue can free a slot; UINT64_MAX when idle
 * (refresh alone does not count). Never later than the event. */
uint64_t lpu_dram_next_ps(const lpu_dram *d);

/* True when no request is queued or in flight. */
bool lpu_dram_is_idle(const lpu_dram *d);

/* For a SYNC: idle only. Precharges every open bank, refreshes each channel (a refresh pulled in),
 * and restarts the refresh interval, so that the state after it is the state after open. Returns
 * the time at which requests may be offered again; time goes on. Counted as refreshes. The first
 * time at or after the returned one to which the user advances is the new clock edge 0, so that the
 * phase of the user's clock against the memory's is that of open, too. */
uint64_t lpu_dram_settle(lpu_dram *d);

/* Adds dram_* counters since open to c (dram_channel_ns by the present time). */
void lpu_dram_count(const lpu_dram *d, lpu_counters *c);

/* For constraint tests: the earliest time, at or after the present one, at which the given command
 * could go to the bank, by the timing rules alone. */
typedef enum lpu_dram_command {
    LPU_DRAM_ACT,
    LPU_DRAM_PRE,
    LPU_DRAM_RD,
    LPU_DRAM_WR,
    LPU_DRAM_REF,
    LPU_DRAM_PREA, /* every bank of the rank */
    LPU_DRAM_COMMANDS
} lpu_dram_command;
typedef struct lpu_dram_bank {
    uint32_t channel, rank, group, bank;
} lpu_dram_bank;
uint64_t lpu_dram_earliest_ps(const lpu_dram *d, lpu_dram_command command, lpu_dram_bank bank);
/* Issues it at the first clock edge at or after the present time; false if a rule or the state of
 * the bank forbids it then. */
bool lpu_dram_issue(lpu_dram *d, lpu_dram_command command, lpu_dram_bank bank, uint32_t row);

/* Calls watch for every command from now on, channel by channel in order of time; NULL stops it.
 * The row is of ACT, RD and WR. Commands of a settle lie in the future. */
typedef void lpu_dram_watcher(void *user, uint64_t time_ps, lpu_dram_command command,
                              lpu_dram_bank bank, uint32_t row);
void lpu_dram_watch(lpu_dram *d, lpu_dram_watcher *watch, void *user);

/* Where an address lives. */
typedef struct lpu_dram_place {
    lpu_dram_bank bank;
    uint32_t row, column;
} lpu_dram_place;
lpu_dram_place lpu_dram_map(const lpu_dram *d, uint64_t address);

#endif
