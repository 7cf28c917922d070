/* sim/unit_stream.c - the stream engine: descriptors to bursts, bursts to the FIFO in order.
 *
 *   queue of descriptors --> requests --> memory --> ring of bursts, in order of request
 *                                                      | oldest first, once arrived
 *                                          FIFO <------+------> scratchpad (load)
 *
 * A burst is requested only if the FIFO has room for it, so returned data never waits. A fenced
 * descriptor waits until every store issued before it is in memory. Resident memory answers at
 * once, bus_bytes_per_cycle.
 */
#include "sim/machine_units.h"

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

uint64_t lpu_walk_next(lpu_walk *w, uint32_t burst_bytes, uint32_t *useful_bytes)
{
    const uint64_t address = lpu_walk_peek(w, burst_bytes, useful_bytes);

    w->offset += *useful_bytes;
    if (w->offset == w->seg_bytes) {
        w->offset = 0;
        w->addr += w->stride;
        w->segs--;
    }
    return address;
}

static const lpu_insn *insn_of(const lpu_machine *m, const lpu_stream_entry *e)
{
    return &m->program->insns[e->insn];
}

bool lpu_stream_has_room(const lpu_machine *m)
{
    return m->stream.count < m->design->stream_queue;
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

/* Adds arrived bytes to an entry and retires the oldest ones that are complete. */
static void deliver(lpu_machine *m, uint32_t slot, uint64_t bytes)
{
    lpu_stream *s = &m->stream;
    lpu_stream_entry *e = &s->entries[slot];

    e->arrived_bytes += bytes;
    if (insn_of(m, e)->op == LPU_INSN_stream) s->fifo_bytes += bytes;
    m->has_progress = true;
    while (s->count && s->entries[s->first].arrived_bytes == s->entries[s->first].total_bytes) {
        lpu_sequencer_retire(m, s->entries[s->first].insn);
        s->first = ring_at(s->first, 1, m->design->stream_queue);
        s->count--;
        s->walking--;
    }
}

void lpu_stream_earn(lpu_machine *m, uint64_t cycles)
{
    const uint64_t bus = m->design->bus_bytes_per_cycle, burst = m->design->dram.burst_bytes;
    const uint64_t most = bus > burst ? bus : burst;

    m->stream.credit_bytes += cycles * bus;
    if (m->stream.credit_bytes > most) m->stream.credit_bytes = most;
}

void lpu_stream_arrive(lpu_machine *m)
{
    lpu_stream *s = &m->stream;
    const uint32_t burst = m->design->dram.burst_bytes;
    uint32_t tag;

    lpu_stream_earn(m, 1);
    while (s->credit_bytes >= burst && lpu_dram_take(m->dram, &tag)) {
        m->has_progress = true;
        if (tag & LPU_STORE_TAG) {
            lpu_store_written(m, tag);
            continue;
        }
        s->bursts[tag].is_done = true;
        s->credit_bytes -= burst;
    }
    while (s->burst_count && s->bursts[s->burst_first].is_done) {
        const lpu_stream_burst b = s->bursts[s->burst_first];
        s->burst_first = ring_at(s->burst_first, 1, m->design->outstanding_bursts);
        s->burst_count--;
        deliver(m, b.entry, b.useful_bytes);
    }
}

/* The entry that still has something to request, or NULL. */
static lpu_stream_entry *next_entry(lpu_machine *m)
{
    lpu_stream *s = &m->stream;
    if (s->walking >= s->count) return NULL;

    lpu_stream_entry *e = &s->entries[ring_at(s->first, s->walking, m->design->stream_queue)];
    if ((insn_of(m, e)->flags & LPU_FLAG_FENCE) && m->stores_pending) return NULL;
    return e;
}

static bool fifo_has_room(const lpu_machine *m, uint64_t bytes)
{
    return m->stream.fifo_reserved_bytes + bytes <= (uint64_t)m->design->fifo_kib * 1024;
}

/* One burst from DRAM; false if nothing can be requested now. */
static bool request_burst(lpu_machine *m, lpu_stream_entry *e)
{
    lpu_stream *s = &m->stream;
    const uint32_t burst = m->design->dram.burst_bytes;
    const bool is_stream = insn_of(m, e)->op == LPU_INSN_stream;
    const uint32_t slot = ring_at(s->burst_first, s->burst_count, m->design->outstanding_bursts);
    uint32_t useful;
    const uint64_t address = lpu_walk_peek(&e->walk, burst, &useful);

    if (s->burst_count == m->design->outstanding_bursts) return false;
    if (is_stream && !fifo_has_room(m, useful)) return false;
    if (!lpu_dram_offer(m->dram, address, false, slot)) return false;

    lpu_walk_next(&e->walk, burst, &useful);
    s->bursts[slot] = (lpu_stream_burst){(uint32_t)(e - s->entries), useful, false};
    s->burst_count++;
    if (is_stream) s->fifo_reserved_bytes += useful;
    m->ops[m->program->notes[e->insn].op].dram_read_bytes += burst;
    return true;
}

/* Resident memory: as much as the port gives and the FIFO takes, at once. */
static void copy_resident(lpu_machine *m, lpu_stream_entry *e, uint64_t *port_bytes)
{
    const bool is_stream = insn_of(m, e)->op == LPU_INSN_stream;

    while (*port_bytes && e->walk.segs) {
        uint64_t bytes = e->walk.seg_bytes - e->walk.offset;
        if (bytes > *port_bytes) bytes = *port_bytes;
        const uint64_t room = (uint64_t)m->design->fifo_kib * 1024 - m->stream.fifo_reserved_bytes;
        if (is_stream && bytes > room) bytes = room;
        if (!bytes) return;
        e->walk.offset += (uint32_t)bytes;
        if (e->walk.offset == e->walk.seg_bytes) {
            e->walk.offset = 0;
            e->walk.addr += e->walk.stride;
            e->walk.segs--;
        }
        if (is_stream) m->stream.fifo_reserved_bytes += bytes;
        *port_bytes -= bytes;
        if (!e->walk.segs) m->stream.walking++;
        deliver(m, (uint32_t)(e - m->stream.entries), bytes);
    }
}

void lpu_stream_request(lpu_machine *m)
{
    const uint32_t burst = m->design->dram.burst_bytes;
    uint32_t requests = 1 + m->design->bus_bytes_per_cycle / burst;
    uint64_t port_bytes = m->design->bus_bytes_per_cycle;
    lpu_stream_entry *e;

    while ((e = next_entry(m))) {
        if (insn_of(m, e)->flags & LPU_FLAG_ON_CHIP) {
            const uint64_t before = port_bytes;
            copy_resident(m, e, &port_bytes);
            if (!port_bytes || port_bytes == before) return;
            continue;
        }
        if (!requests-- || !request_burst(m, e)) return;
        m->has_progress = true;
        if (!e->walk.segs) m->stream.walking++;
    }
}
