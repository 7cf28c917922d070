/* sim/unit_stream.c - the stream engine: descriptors to bursts, bursts to the FIFO in order.
 *
 *   queue of descriptors --> walker --> AR --> memory --> R --> FIFO, scratchpad (load)
 *                                |                        |
 *                                +--> ring of bursts <----+ done; the oldest first are counted
 *
 * A burst is requested only if the FIFO has room for it, and with the request its bytes have their
 * place: returned data never waits. What R gives in cycle t is written at the end of t + 2, and
 * counted from that cycle on, in the order of request: two bursts a cycle of each port, one
 * retirement. A fenced descriptor waits in the queue until every store issued before it is in
 * memory.
 *
 * Resident memory answers at once, bus_bytes_per_cycle.
 */
#include "sim/machine_units.h"

enum { COUNTED_PER_CYCLE = 2 }; /* bursts that leave the ring, of each port */

/* The place n after first in a ring of size: both are below it. */
static uint32_t ring_at(uint32_t first, uint32_t n, uint32_t size)
{
    const uint32_t at = first + n;
    return at < size ? at : at - size;
}

lpu_walk lpu_walk_of(const lpu_insn *insn)
{
    return (lpu_walk){insn->addr, insn->stride, insn->seg_bytes, insn->segs, 0};
}

uint64_t lpu_walk_peek(const lpu_walk *w, uint32_t burst_bytes, uint32_t *useful_bytes)
{
    const uint64_t at = w->addr + w->offset, aligned = at & ~(uint64_t)(burst_bytes - 1);
    const uint32_t left = w->seg_bytes - w->offset;
    const uint32_t room = burst_bytes - (uint32_t)(at - aligned);

    *useful_bytes = left < room ? left : room;
    return aligned;
}

void lpu_walk_advance(lpu_walk *w, uint32_t bytes)
{
    w->offset += bytes;
    if (w->offset < w->seg_bytes) return;
    w->offset = 0;
    w->addr += w->stride;
    w->segs--;
}

uint64_t lpu_walk_next(lpu_walk *w, uint32_t burst_bytes, uint32_t *useful_bytes)
{
    const uint64_t address = lpu_walk_peek(w, burst_bytes, useful_bytes);

    lpu_walk_advance(w, *useful_bytes);
    return address;
}

static const lpu_insn *insn_of(const lpu_machine *m, const lpu_stream_entry *e)
{
    return &m->program->insns[e->insn];
}

bool lpu_stream_has_room(const lpu_machine *m)
{
    return m->stream.has_room;
}

void lpu_stream_push(lpu_machine *m, size_t i)
{
    lpu_stream *s = &m->stream;
    const lpu_insn *insn = &m->program->insns[i];
    const uint32_t slot = ring_at(s->first, s->count++, m->design->stream_queue);

    s->entries[slot] = (lpu_stream_entry){.insn = i,
                                          .walk = lpu_walk_of(insn),
                                          .total_bytes = (uint64_t)insn->segs * insn->seg_bytes};
}

/* ---- requests ---- */

/* The oldest entry that has something to request. */
static lpu_stream_entry *walked_entry(lpu_machine *m)
{
    lpu_stream *s = &m->stream;
    return &s->entries[ring_at(s->first, s->walked, m->design->stream_queue)];
}

/* The walker takes the next descriptor, if there is one that may begin. */
static void fetch(lpu_machine *m)
{
    lpu_stream *s = &m->stream;

    s->is_walking = s->walked < s->count &&
                    !((insn_of(m, walked_entry(m))->flags & LPU_FLAG_FENCE) && m->stores_pending);
    if (s->is_walking) m->has_progress = true;
}

static bool fifo_has_room(const lpu_machine *m, uint64_t bytes)
{
    return m->stream.fifo_reserved_bytes + bytes <= (uint64_t)m->design->fifo_kib * 1024;
}

/* Puts the next burst of e on AR; false if it has no place. */
static bool ask(lpu_machine *m, lpu_stream_entry *e)
{
    lpu_stream *s = &m->stream;
    const bool is_stream = insn_of(m, e)->op == LPU_INSN_stream;
    const uint32_t slot = ring_at(s->burst_first, s->burst_count, m->design->outstanding_bursts);
    uint32_t useful;
    const uint64_t address = lpu_walk_peek(&e->walk, s->burst_bytes, &useful);

    if (s->burst_count == m->design->outstanding_bursts) return false;
    if (is_stream && !fifo_has_room(m, useful)) return false;

    lpu_walk_next(&e->walk, s->burst_bytes, &useful);
    s->bursts[slot] = (lpu_stream_burst){.address = address,
                                         .entry = (uint32_t)(e - s->entries),
                                         .useful_bytes = useful,
                                         .is_last = !e->walk.segs};
    s->burst_count++;
    s->asking++;
    if (is_stream) s->fifo_reserved_bytes += useful;
    m->ops[m->program->notes[e->insn].op].dram_read_bytes += s->burst_bytes;
    m->has_progress = true;
    return true;
}

void lpu_stream_request(lpu_machine *m)
{
    lpu_stream *s = &m->stream;
    const uint32_t ring = m->design->outstanding_bursts;

    s->has_room = s->count < m->design->stream_queue;
    while (s->asking) {
        const uint32_t slot = ring_at(s->burst_first, s->burst_count - s->asking, ring);
        if (!lpu_port_read(m->port, s->bursts[slot].address, slot)) break;
        s->asking--;
        m->has_progress = true;
    }
    if (!s->is_walking) {
        fetch(m);
        return;
    }
    while (s->is_walking && s->asking < s->ports) {
        lpu_stream_entry *e = walked_entry(m);
        if ((insn_of(m, e)->flags & LPU_FLAG_ON_CHIP) || !ask(m, e)) break;
        if (e->walk.segs) continue;
        s->walked++;
        fetch(m);
    }
}

/* ---- arrivals ---- */

static void deliver(lpu_machine *m, uint32_t slot, uint64_t bytes)
{
    lpu_stream_entry *e = &m->stream.entries[slot];

    e->arrived_bytes += bytes;
    if (insn_of(m, e)->op == LPU_INSN_stream) m->stream.fifo_bytes += bytes;
    m->has_progress = true;
}

/* Counts what has come, in the order of request. */
static void count_arrived(lpu_machine *m)
{
    lpu_stream *s = &m->stream;
    bool has_last = false;

    for (uint32_t n = COUNTED_PER_CYCLE * s->ports; n && s->burst_count; n--) {
        const lpu_stream_burst *b = &s->bursts[s->burst_first];
        if (!b->is_done || (b->is_last && has_last)) return;
        has_last |= b->is_last;
        s->burst_first = ring_at(s->burst_first, 1, m->design->outstanding_bursts);
        s->burst_count--;
        deliver(m, b->entry, b->useful_bytes);
    }
}

static void retire_one(lpu_machine *m)
{
    lpu_stream *s = &m->stream;
    const lpu_stream_entry *e = &s->entries[s->first];

    if (!s->count || e->arrived_bytes < e->total_bytes) return;
    lpu_sequencer_retire(m, e->insn);
    s->first = ring_at(s->first, 1, m->design->stream_queue);
    s->count--;
    s->walked--;
    m->has_progress = true;
}

/* Resident memory: as much as the port gives and the FIFO takes, at once. */
static void copy_resident(lpu_machine *m)
{
    lpu_stream *s = &m->stream;
    uint64_t port_bytes = m->design->bus_bytes_per_cycle;

    while (s->is_walking) {
        lpu_stream_entry *e = walked_entry(m);
        const bool is_stream = insn_of(m, e)->op == LPU_INSN_stream;
        if (!(insn_of(m, e)->flags & LPU_FLAG_ON_CHIP)) return;
        while (e->walk.segs) {
            const uint64_t room = (uint64_t)m->design->fifo_kib * 1024 - s->fifo_reserved_bytes;
            uint64_t bytes = e->walk.seg_bytes - e->walk.offset;
            if (bytes > port_bytes) bytes = port_bytes;
            if (is_stream && bytes > room) bytes = room;
            if (!bytes) return;
            port_bytes -= bytes;
            if (is_stream) s->fifo_reserved_bytes += bytes;
            deliver(m, (uint32_t)(e - s->entries), bytes);
            lpu_walk_advance(&e->walk, (uint32_t)bytes);
        }
        s->walked++;
        fetch(m);
    }
}

void lpu_stream_arrive(lpu_machine *m)
{
    lpu_stream *s = &m->stream;
    lpu_port_beat beat;

    count_arrived(m);
    for (uint32_t i = 0; i < s->beat_count; i++) s->bursts[s->beats[i]].is_done = true;
    if (s->beat_count) m->has_progress = true;
    s->beat_count = 0;
    while (lpu_port_r(m->port, &beat)) {
        if (beat.is_last) s->beats[s->beat_count++] = beat.tag;
        m->has_progress = true;
    }
    retire_one(m);
    copy_resident(m);
}
