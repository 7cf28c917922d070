/* sim/machine.c - the clock: every unit once a cycle; quiet cycles are skipped, with equal counts.
 *
 * A cycle in which nothing but counts and timers moved will be followed by equal ones until the
 * next timer: the vector unit's end, a memory event, or the array's own. Those are counted at once.
 */
#include "sim/machine_units.h"

#include <stdlib.h>
#include <string.h>

lpu_status lpu_machine_open(lpu_machine **out, const lpu_layout *layout, bool is_stepped,
                            lpu_diag *diag)
{
    const lpu_design *d = layout->design;
    const lpu_array_config config = {
        .rows = d->rows,
        .cols = d->cols,
        .lines = d->lines,
        .passes_max = d->passes_max,
        .out_lanes = d->vector_lanes,
        .code = d->code,
    };
    lpu_machine *m = calloc(1, sizeof(*m));

    *out = NULL;
    if (!m) return lpu_fail(diag, LPU_ERR_MEMORY, "machine: out of memory");
    m->layout = layout;
    m->design = d;
    m->is_stepped = is_stepped;
    m->stream.entries = calloc(d->stream_queue, sizeof(*m->stream.entries));
    m->stream.bursts = calloc(d->outstanding_bursts, sizeof(*m->stream.bursts));
    m->stream.ports = lpu_port_count(&d->dram, d->bus_bytes_per_cycle);
    m->stream.beats = calloc(m->stream.ports, sizeof(*m->stream.beats));
    m->stream.burst_bytes = m->store.burst_bytes =
        lpu_port_burst_bytes(&d->dram, d->bus_bytes_per_cycle);
    m->store.beats = lpu_port_beats(&d->dram, d->bus_bytes_per_cycle);
    lpu_status status = LPU_OK;
    if (!m->stream.entries || !m->stream.bursts || !m->stream.beats) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "machine: out of memory");
    }
    if (!status) status = lpu_array_open(&m->array, &config, diag);
    if (status) {
        lpu_machine_close(&m);
        return status;
    }
    *out = m;
    return LPU_OK;
}

void lpu_machine_close(lpu_machine **m)
{
    if (!*m) return;
    lpu_array_close(&(*m)->array);
    lpu_port_close(&(*m)->port);
    free((*m)->stream.entries);
    free((*m)->stream.bursts);
    free((*m)->stream.beats);
    free((*m)->is_retired);
    free((*m)->issued_at_cycles);
    free(*m);
    *m = NULL;
}

void lpu_machine_watch(lpu_machine *m, lpu_machine_watch_fn *watch, void *user)
{
    m->watch = watch;
    m->watch_user = user;
}

void lpu_machine_stall(lpu_machine *m, const lpu_port_stalls *stalls)
{
    m->stalls = *stalls;
}

void lpu_machine_attach(lpu_machine *m, const lpu_port_remote *remote)
{
    m->remote = remote ? *remote : (lpu_port_remote){0};
}

/* ---- counting cycles ---- */

/* The op that is oldest at work; the one that waits to issue when none is. */
static uint32_t current_op(const lpu_machine *m)
{
    return m->program->notes[m->oldest < m->pc ? m->oldest : m->pc].op;
}

/* Counts n equal cycles in which the array was in state: to c, the counters of the op that was
 * oldest when they began. The units tell why as their registers stood then. */
static void count_cycles(const lpu_machine *m, lpu_counters *c, lpu_array_state state, uint64_t n)
{
    const bool is_syncing = m->pc + 1 == m->end;

    c->run_cycles += n;
    if (m->vector.is_busy) c->vector_busy_cycles += n;
    switch (state) {
    case LPU_ARRAY_PASS: c->array_pass_cycles += n; break;
    case LPU_ARRAY_ACCUM: c->stall_accum_cycles += n; break;
    case LPU_ARRAY_STARVED: c->stall_issue_cycles += n; break;
    case LPU_ARRAY_FILL:
        if (lpu_tiles_is_short(m)) c->stall_memory_cycles += n;
        else c->stall_fill_cycles += n;
        break;
    case LPU_ARRAY_EMPTY:
        if (lpu_tiles_is_filling(m)) c->stall_memory_cycles += n;
        else if (m->vector.is_busy) c->stall_vector_cycles += n;
        else if (is_syncing) c->stall_sync_cycles += n;
        else c->stall_issue_cycles += n;
        break;
    }
}

/* ---- the clock ---- */

/* Every unit once. What one tells another is in registers, seen in the next cycle, but for two
 * things: the sequencer sees the retirements of this very cycle, and the units what it issues at
 * the end of it. A unit's room is that of the cycle's beginning. */
static void step(lpu_machine *m)
{
    lpu_counters *c = &m->ops[current_op(m)];

    m->has_progress = false;
    lpu_port_begin(m->port, m->now_cycles);
    lpu_stream_request(m);
    count_cycles(m, c, lpu_tiles_step(m), 1);
    lpu_stream_arrive(m);
    lpu_vector_step(m);
    lpu_store_step(m);
    lpu_sequencer_step(m);
    m->now_cycles++;
    m->stepped_cycles++;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t cycles_until(const lpu_machine *m, uint64_t at_cycles)
{
    return at_cycles > m->now_cycles ? at_cycles - m->now_cycles : 0;
}

/* Cycles that may be counted at once, from now on: 0 when the next one may change something. */
static uint64_t quiet_cycles(const lpu_machine *m)
{
    const uint64_t memory_cycles = lpu_port_next_cycles(m->port);
    uint64_t quiet = lpu_array_quiet_cycles(m->array);
    lpu_array_out out;

    if (lpu_tiles_can_move(m)) return 0; /* a ready of the array may have gone up just now */
    if (memory_cycles != UINT64_MAX) quiet = min_u64(quiet, cycles_until(m, memory_cycles));
    if (m->vector.is_busy) quiet = min_u64(quiet, cycles_until(m, m->vector.done_at_cycles));
    lpu_array_outputs(m->array, &out);
    if (out.y_valid) { /* the last beat of a product retires it */
        quiet = min_u64(quiet, m->tiles.products[m->tiles.first].beats_left - 1);
    }
    return quiet;
}

static void skip(lpu_machine *m, uint64_t n)
{
    lpu_array_out out;

    lpu_array_outputs(m->array, &out);
    count_cycles(m, &m->ops[current_op(m)], lpu_array_peek(m->array), n);
    lpu_array_skip(m->array, n);
    if (out.y_valid) lpu_tiles_drained(m, n);
    m->now_cycles += n;
}

static bool is_drained(const lpu_machine *m)
{
    lpu_array_out out;
    if (m->pc + 1 != m->end || m->oldest != m->pc) return false;
    lpu_array_outputs(m->array, &out);
    return out.is_idle;
}

/* ---- one segment ---- */

static lpu_status reset(lpu_machine *m, const lpu_program *program, size_t s, lpu_diag *diag)
{
    const lpu_segment *segment = &program->segments[s];

    if (segment->count > m->room) {
        free(m->is_retired);
        free(m->issued_at_cycles);
        m->room = 0;
        m->is_retired = calloc(segment->count, sizeof(*m->is_retired));
        m->issued_at_cycles = calloc(segment->count, sizeof(*m->issued_at_cycles));
        if (!m->is_retired || !m->issued_at_cycles) {
            return lpu_fail(diag, LPU_ERR_MEMORY, "machine: out of memory");
        }
        m->room = segment->count;
    }
    memset(m->is_retired, 0, segment->count * sizeof(*m->is_retired));
    m->program = program;
    m->first = m->pc = m->oldest = segment->first;
    m->end = segment->first + segment->count;
    m->now_cycles = m->stepped_cycles = 0;

    const lpu_port_config port = {.dram = &m->design->dram,
                                  .clock_mhz = m->design->clock_mhz,
                                  .bus_bytes = m->design->bus_bytes_per_cycle,
                                  .reads = m->design->outstanding_bursts,
                                  .stalls = m->stalls};
    lpu_port_close(&m->port);
    if (m->remote.begin) return lpu_port_open_remote(&m->port, &m->remote, diag);
    return lpu_port_open(&m->port, &port, diag);
}

static void count_sync(lpu_machine *m, uint64_t n)
{
    count_cycles(m, &m->ops[current_op(m)], LPU_ARRAY_EMPTY, n);
    m->now_cycles += n;
}

/* SYNC: the memory settles before the next segment. Then it takes a cycle of its own, as HALT. */
static void finish(lpu_machine *m)
{
    const bool is_sync = m->program->insns[m->end - 1].op == LPU_INSN_sync;

    if (is_sync && m->design->residence != LPU_WEIGHTS_ON_CHIP) {
        const uint64_t until = lpu_port_settle(m->port);
        if (until > m->now_cycles) count_sync(m, until - m->now_cycles);
    }
    lpu_port_begin(m->port, m->now_cycles);
    count_sync(m, 1);
    m->stepped_cycles++;
}

/* Shares the segment's DRAM commands and powered time out to the ops, in whole numbers: op i gets
 * the difference of the rounded running sums, so that the sum is exact. */
static void share_out(lpu_machine *m, size_t op_count)
{
    const lpu_design *d = m->design;
    lpu_counters dram = {0};
    uint64_t bytes = 0, cycles = 0, all_bytes = 0;
    const uint64_t lanes = (uint64_t)d->rows * d->cols;
    const uint64_t kib = lpu_design_sram_kib(d);

    lpu_port_count_dram(m->port, &dram);
    for (size_t i = 0; i < op_count; i++) {
        all_bytes += m->ops[i].dram_read_bytes + m->ops[i].dram_write_bytes;
    }
    for (size_t i = 0; i < op_count; i++) {
        lpu_counters *c = &m->ops[i];
        const uint64_t b0 = bytes, c0 = cycles;
        bytes += c->dram_read_bytes + c->dram_write_bytes;
        cycles += c->run_cycles;
#define SHARE(total, at, of) ((uint64_t)((unsigned __int128)(total) * (at) / (of)))
        if (all_bytes) {
            c->dram_activates += SHARE(dram.dram_activates, bytes, all_bytes) -
                                 SHARE(dram.dram_activates, b0, all_bytes);
        }
        const uint64_t ns0 = c0 * 1000 / d->clock_mhz, ns1 = cycles * 1000 / d->clock_mhz;
        c->lane_ns += (ns1 - ns0) * lanes;
        c->sram_kib_ns += (ns1 - ns0) * kib;
        if (d->residence == LPU_WEIGHTS_ON_CHIP) continue;
        c->dram_refreshes += SHARE(dram.dram_refreshes, cycles, m->now_cycles) -
                             SHARE(dram.dram_refreshes, c0, m->now_cycles);
        c->dram_channel_ns += (ns1 - ns0) * d->dram.channels;
#undef SHARE
    }
}

static lpu_status stuck(const lpu_machine *m, lpu_diag *diag)
{
    return lpu_fail(diag, LPU_ERR_TIMEOUT,
                    "machine: instruction %zu (%s) cannot issue in cycle %llu and nothing is under "
                    "way, expected the program to go on",
                    m->pc, lpu_insn_name(m->program->insns[m->pc].op),
                    (unsigned long long)m->now_cycles);
}

lpu_status lpu_machine_run(lpu_machine *m, const lpu_program *program, size_t s,
                           const lpu_trace *trace, lpu_counters *ops, uint64_t *begin_cycles,
                           lpu_machine_run_result *result, lpu_diag *diag)
{
    m->ops = ops;
    m->trace = trace;
    memset(ops, 0, trace->count * sizeof(*ops));
    for (size_t i = 0; i < trace->count; i++) begin_cycles[i] = UINT64_MAX;

    lpu_status status = reset(m, program, s, diag);
    while (!status && !is_drained(m)) {
        uint64_t *begin = &begin_cycles[current_op(m)];
        if (*begin > m->now_cycles) *begin = m->now_cycles;
        step(m);
        if (m->has_progress || is_drained(m)) continue;
        const uint64_t quiet = quiet_cycles(m);
        if (quiet >= LPU_ARRAY_QUIET_FOREVER) status = stuck(m, diag);
        else if (quiet && !m->is_stepped) skip(m, quiet);
    }
    if (status) return status;
    finish(m);
    share_out(m, trace->count);
    ops[program->notes[m->end - 1].op].instructions++;
    *result = (lpu_machine_run_result){m->now_cycles, m->stepped_cycles};
    return LPU_OK;
}
