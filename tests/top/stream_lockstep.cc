/* tests/top/stream_lockstep.cc - are lpu_stream and lpu_store what sim/unit_stream.c and
 * sim/unit_store.c say, in every cycle, and is every byte where it belongs?
 *
 * Random streams, loads and stores, on the memory of sim/port.c with random stalls, a consumer that
 * takes random numbers of bytes. The simulator's units step beside the RTL: what is on AR, AW and
 * W, the bytes that can be taken, the room in the queues and the retirements are the same in every
 * cycle. Then the RTL alone on a memory that answers in any order, beats of bursts interleaved, and
 * with errors: again every byte, and every error is reported once.
 *
 *   stream_lockstep --seed N --rounds N
 */
#include "Vstream_top.h"
#include "verilated.h"

extern "C" {
#include "sim/machine_units.h"
}

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

enum {
    MEMORY = 1 << 20,
    STORED = MEMORY / 2, /* stores go to the upper half, each to bytes of its own */
    SCRATCH = 1 << 18,
    LOADED = SCRATCH / 2, /* loads go to the upper half, each to bytes of its own */
    PER_ROUND = 60,       /* instructions */
    BYTES_MAX = 1600,     /* of one */
};

static const uint64_t base = UINT64_C(0x9a00000000); /* needs all 40 bits */

struct retirement {
    lpu_unit unit;
    size_t insn;
};

struct read_burst {
    uint64_t address;
    unsigned id, beat;
};

struct write_burst {
    uint64_t address;
    unsigned id;
};

struct write_beat {
    uint8_t data[BUS_BYTES], strobes[(BUS_BYTES + 7) / 8];
    bool is_last;
};

struct bench {
    std::unique_ptr<VerilatedContext> context{new VerilatedContext};
    std::unique_ptr<Vstream_top> top{new Vstream_top{context.get()}};
    lpu_design design;
    lpu_layout layout;
    lpu_program program;
    lpu_counters counters;
    lpu_machine *sim;
    lpu_port *port; /* of the RTL; the simulator has its own */
    uint64_t cycle, checks;

    std::vector<uint8_t> memory, memory_end, scratch, scratch_end; /* as is; as it should be */
    std::deque<uint8_t> fifo;                                      /* bytes to come */
    size_t next, retired;                                          /* instructions */
    unsigned pushing; /* chance in 256 of a push, of a take */
    unsigned taking;
    std::vector<retirement> events; /* retirements by the simulator in this cycle */
    std::deque<write_burst> addresses;
    std::deque<write_beat> beats;
    unsigned beats_written;
    std::vector<uint8_t> read_data; /* of the scratchpad, for W */

    /* The memory of any order. */
    std::vector<read_burst> reads;
    bool is_data_first;   /* an address is taken after the data of its burst */
    unsigned bursts_sent; /* with all their data, whose address has not come */
    std::vector<unsigned> responses;
    unsigned errors_given, errors_seen;
};

static uint64_t random_state = 1;
static int failures;

static uint64_t draw(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}

static bool chance(unsigned of_256)
{
    return draw(256) < of_256;
}

__attribute__((format(printf, 2, 3))) static void fail(const bench *b, const char *format, ...)
{
    if (failures++) return;
    va_list list;
    char text[256];
    va_start(list, format);
    std::vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    std::printf("not ok  cycle %" PRIu64 ": %s\n", b->cycle, text);
}

static void same(bench *b, const char *what, uint64_t rtl, uint64_t sim)
{
    b->checks++;
    if (rtl == sim) return;
    fail(b, "%s: the RTL has 0x%" PRIx64 ", expected 0x%" PRIx64, what, rtl, sim);
}

/* ---- instructions ---- */

static uint32_t draw_segment()
{
    const uint32_t burst = BURST_BYTES;

    switch (draw(8)) {
    case 0: return 1 + (uint32_t)draw(4);
    case 1: return burst << draw(3);
    case 2: return burst - 1 + (uint32_t)draw(3);
    case 3: return 1 + (uint32_t)draw(BYTES_MAX);
    default: return 1 + (uint32_t)draw(200);
    }
}

static uint32_t draw_stride(uint32_t seg_bytes, bool is_store)
{
    switch (draw(4)) {
    case 0: return is_store ? seg_bytes : 0;
    case 1: return seg_bytes;
    case 2: return is_store ? seg_bytes + (uint32_t)draw(3) : (uint32_t)draw(seg_bytes + 1);
    default: return seg_bytes + (uint32_t)draw(300);
    }
}

/* One instruction; at: the first byte in memory and in the scratchpad that no other has taken. */
static lpu_insn draw_insn(uint32_t *stored_at, uint32_t *loaded_at)
{
    lpu_insn i = {};
    const unsigned kind = (unsigned)draw(8);

    i.op = kind < 4 ? LPU_INSN_stream : kind < 6 ? LPU_INSN_load : LPU_INSN_store;
    i.dst = i.a = i.b = i.c = LPU_BUFFER_NONE;
    i.seg_bytes = draw_segment();
    i.segs = 1 + (uint32_t)draw(1 + BYTES_MAX / i.seg_bytes);
    if (i.segs > 40) i.segs = 40;
    i.stride = draw_stride(i.seg_bytes, i.op == LPU_INSN_store);
    const uint32_t span = i.seg_bytes + (i.segs - 1) * i.stride;
    const bool is_stored = *stored_at > STORED && i.op != LPU_INSN_store && draw(3) == 0;
    if (i.op == LPU_INSN_store) {
        i.addr = base + *stored_at + draw(200);
        *stored_at = (uint32_t)(i.addr - base) + span;
        i.a_off = (uint32_t)draw(LOADED - i.segs * i.seg_bytes);
    } else if (is_stored && span < *stored_at - STORED) {
        i.addr = base + STORED + draw(*stored_at - STORED - span);
        i.flags = LPU_FLAG_FENCE;
    } else {
        i.addr = base + draw(STORED - span);
        if (draw(6) == 0) i.flags = LPU_FLAG_FENCE;
    }
    if (i.op == LPU_INSN_load) {
        i.d_off = *loaded_at + (uint32_t)draw(30);
        *loaded_at = i.d_off + i.segs * i.seg_bytes;
    }
    return i;
}

/* What the instruction does to memory, scratchpad and FIFO in the end. */
static void expect(bench *b, const lpu_insn *i)
{
    for (uint32_t s = 0, done = 0; s < i->segs; s++, done += i->seg_bytes) {
        uint8_t *at = &b->memory_end[(size_t)(i->addr - base) + (size_t)s * i->stride];
        if (i->op == LPU_INSN_stream) b->fifo.insert(b->fifo.end(), at, at + i->seg_bytes);
        else if (i->op == LPU_INSN_load)
            std::memcpy(&b->scratch_end[i->d_off + done], at, i->seg_bytes);
        else std::memcpy(at, &b->scratch[i->a_off + done], i->seg_bytes);
    }
}

/* ---- the two sides of a cycle ---- */

static void watch(void *user, const lpu_machine_event *e)
{
    static_cast<bench *>(user)->events.push_back({e->unit, e->index});
}

/* What the simulator's registers show, beside what the RTL shows. */
static void compare_registers(bench *b)
{
    const lpu_stream *s = &b->sim->stream;
    const lpu_store *t = &b->sim->store;
    const Vstream_top *r = b->top.get();

    same(b, "fifo_bytes", r->fifo_bytes_o, s->fifo_bytes);
    same(b, "room for a stream", r->stream_ready_o, s->count < b->design.stream_queue);
    same(b, "room for a store", r->store_ready_o, t->count < LPU_STORE_QUEUE);
    same(b, "stores pending", r->pending_o, b->sim->stores_pending);
    same(b, "arvalid", r->arvalid_o, s->asking);
    if (s->asking) {
        const uint32_t slot =
            (s->burst_first + s->burst_count - s->asking) % b->design.outstanding_bursts;
        same(b, "arid", r->arid_o, slot);
        same(b, "araddr", r->araddr_o, s->bursts[slot].address);
    }
    same(b, "awvalid", r->awvalid_o, t->has_address);
    if (t->has_address) {
        same(b, "awid", r->awid_o, t->slot);
        same(b, "awaddr", r->awaddr_o, t->address);
    }
    same(b, "wvalid", r->wvalid_o, t->has_beat);
    if (t->has_beat) same(b, "wlast", r->wlast_o, t->beat == 0);
}

static void compare_retired(bench *b)
{
    uint64_t seen = 0;

    for (const retirement &e : b->events) {
        const bool is_stream = e.unit == LPU_UNIT_stream;
        seen |= is_stream ? 1u : 2u;
        same(b, "tag", is_stream ? b->top->stream_tag_o : b->top->store_tag_o, e.insn);
    }
    same(b, "retirements", b->top->stream_ret_o | b->top->store_ret_o << 1, seen);
    b->events.clear();
}

/* A load that retires in a cycle is in the scratchpad at its end. */
static void check_loaded(bench *b, size_t insn)
{
    const lpu_insn *i = &b->program.insns[insn];

    b->checks++;
    if (i->op != LPU_INSN_load) return;
    const size_t bytes = (size_t)i->segs * i->seg_bytes;
    if (std::memcmp(&b->scratch[i->d_off], &b->scratch_end[i->d_off], bytes)) {
        fail(b, "load %zu retires before its bytes are in the scratchpad", insn);
    }
}

static void give_beat(bench *b, uint64_t address, unsigned id, bool is_last)
{
    b->top->rvalid_i = 1;
    b->top->rid_i = (decltype(b->top->rid_i))id;
    b->top->rlast_i = is_last;
    std::memcpy(&b->top->rdata_i, &b->memory[(size_t)(address - base)], BUS_BYTES);
}

static void take_beat(bench *b)
{
    write_beat beat = {};

    std::memcpy(beat.data, &b->top->wdata_o, sizeof(beat.data));
    std::memcpy(beat.strobes, &b->top->wstrb_o, sizeof(beat.strobes));
    beat.is_last = b->top->wlast_o;
    b->beats.push_back(beat);
}

/* Beats whose address has come go to memory; true when that ends a burst: its id. */
static bool write_beats(bench *b, unsigned *id)
{
    while (!b->addresses.empty() && !b->beats.empty()) {
        const write_beat beat = b->beats.front();
        const write_burst burst = b->addresses.front();
        const size_t at = (size_t)(burst.address - base) + b->beats_written * BUS_BYTES;

        for (unsigned i = 0; i < BUS_BYTES; i++) {
            if (beat.strobes[i / 8] >> i % 8 & 1) b->memory[at + i] = beat.data[i];
        }
        b->beats_written++;
        b->beats.pop_front();
        same(b, "wlast", beat.is_last, b->beats_written * BUS_BYTES == BURST_BYTES);
        if (!beat.is_last) continue;
        b->beats_written = 0;
        b->addresses.pop_front();
        *id = burst.id;
        return true;
    }
    return false;
}

/* The RTL's inputs from sim/port.c, and what it takes. */
static void exchange_port(bench *b)
{
    Vstream_top *r = b->top.get();
    lpu_port_beat beat;
    uint32_t tag;

    lpu_port_begin(b->port, b->cycle);
    r->arready_i = r->arvalid_o && lpu_port_read(b->port, r->araddr_o, r->arid_o);
    r->rvalid_i = 0;
    if (lpu_port_r(b->port, &beat)) give_beat(b, beat.address, beat.tag, beat.is_last);
    r->bvalid_i = lpu_port_b(b->port, &tag);
    if (r->bvalid_i) r->bid_i = (decltype(r->bid_i))tag;
    r->awready_i = r->awvalid_o && lpu_port_write(b->port, r->awaddr_o, r->awid_o);
    if (r->awready_i) b->addresses.push_back({r->awaddr_o, r->awid_o});
    r->wready_i = r->wvalid_o && lpu_port_write_beat(b->port);
    if (r->wready_i) take_beat(b);
    write_beats(b, &tag);
}

/* The same from a memory of any order, with errors. It may want a burst's data before its
 * address, or after. */
static void exchange_any(bench *b)
{
    Vstream_top *r = b->top.get();
    unsigned id;

    b->errors_seen += r->read_error_o + r->write_error_o;
    r->rvalid_i = r->bvalid_i = 0;
    r->rresp_i = r->bresp_i = 0;
    if (!b->reads.empty() && chance(160)) {
        const size_t n = draw(b->reads.size());
        read_burst *burst = &b->reads[n];
        const bool is_last = (burst->beat + 1) * BUS_BYTES == BURST_BYTES;
        give_beat(b, burst->address + (uint64_t)burst->beat++ * BUS_BYTES, burst->id, is_last);
        if (draw(50) == 0) r->rresp_i = 2, b->errors_given++;
        if (is_last) b->reads.erase(b->reads.begin() + (ptrdiff_t)n);
    }
    if (!b->responses.empty() && chance(100)) {
        const size_t n = draw(b->responses.size());
        r->bvalid_i = 1;
        r->bid_i = (decltype(r->bid_i))b->responses[n];
        if (draw(20) == 0) r->bresp_i = 3, b->errors_given++;
        b->responses.erase(b->responses.begin() + (ptrdiff_t)n);
    }
    r->arready_i = chance(180);
    if (r->arvalid_o && r->arready_i) b->reads.push_back({r->araddr_o, r->arid_o, 0});
    r->awready_i = chance(120) && (!b->is_data_first || b->bursts_sent);
    if (r->awvalid_o && r->awready_i) {
        b->addresses.push_back({r->awaddr_o, r->awid_o});
        if (b->is_data_first) b->bursts_sent--;
    }
    r->wready_i = chance(200) && (b->is_data_first || !b->addresses.empty());
    if (r->wvalid_o && r->wready_i) {
        take_beat(b);
        if (b->is_data_first) b->bursts_sent += r->wlast_o;
    }
    if (write_beats(b, &id)) b->responses.push_back(id);
}

static void push(bench *b, lpu_unit unit)
{
    Vstream_top *r = b->top.get();
    const lpu_insn *i = &b->program.insns[b->next];
    uint8_t code[LPU_INSN_BYTES];

    lpu_insn_encode(code, i);
    std::memcpy(&r->push_insn_i, code, sizeof(code));
    r->push_dst_i = 0;
    r->push_a_i = 0;
    r->push_tag_i = (uint32_t)b->next;
    if (unit == LPU_UNIT_stream) r->stream_push_i = 1;
    else r->store_push_i = 1;
    expect(b, i);
    b->next++;
}

/* One clock of both, or of the RTL alone. */
static void step(bench *b, bool is_alone)
{
    Vstream_top *r = b->top.get();
    lpu_machine *m = b->sim;
    const bool is_early = r->fifo_bytes_o > b->fifo.size();

    r->stream_push_i = r->store_push_i = 0;
    if (!is_alone) compare_registers(b);
    if (is_early) fail(b, "fifo_bytes is %u of %zu", (unsigned)r->fifo_bytes_o, b->fifo.size());
    unsigned take = 0;
    if (chance(b->taking)) {
        take = (unsigned)draw(FILL_BYTES + 1);
        if (take > r->fifo_bytes_o) take = r->fifo_bytes_o;
    }
    r->fifo_take_i = (decltype(r->fifo_take_i))take;
    if (is_alone) exchange_any(b);
    else exchange_port(b);

    if (b->next + 1 < b->program.count && chance(b->pushing)) {
        const lpu_unit unit = lpu_insn_unit(b->program.insns[b->next].op);
        if (unit == LPU_UNIT_stream ? r->stream_ready_o : r->store_ready_o) push(b, unit);
    }
    r->eval();
    if (!is_alone) {
        m->now_cycles = b->cycle;
        lpu_port_begin(m->port, b->cycle);
        lpu_stream_request(m);
        m->stream.fifo_bytes -= take;
        m->stream.fifo_reserved_bytes -= take;
        lpu_stream_arrive(m);
        lpu_store_step(m);
        compare_retired(b);
        if (r->stream_push_i) lpu_stream_push(m, b->next - 1);
        if (r->store_push_i) lpu_store_push(m, b->next - 1), m->stores_pending++;
        m->pc = b->next;
    }
    const bool has_retired = r->stream_ret_o;
    const size_t which = r->stream_tag_o;
    b->retired += r->stream_ret_o + r->store_ret_o;
    const bool has_load = r->ld_wvalid_o, has_read = r->st_ren_o;
    const size_t load_at = r->ld_waddr_o, load_bytes = r->ld_wbytes_o, read_at = r->st_raddr_o;
    uint8_t load[BUS_BYTES];
    std::memcpy(load, &r->ld_wdata_o, sizeof(load));
    r->clk_i = 1;
    r->eval();
    if (has_load && load_at + load_bytes <= SCRATCH) {
        std::memcpy(&b->scratch[load_at], load, load_bytes);
    } else if (has_load) {
        fail(b, "a load writes %zu bytes at %zu", load_bytes, load_at);
    }
    if (has_retired) check_loaded(b, which);
    if (has_read) {
        for (size_t i = 0; i < BUS_BYTES; i++) {
            b->read_data[i] = b->scratch[(uint32_t)(read_at + i) % SCRATCH];
        }
        std::memcpy(&r->st_rdata_i, b->read_data.data(), BUS_BYTES);
    }
    r->clk_i = 0;
    r->eval();
    uint8_t taken[FILL_BYTES];
    std::memcpy(taken, &r->fifo_data_o, sizeof(taken));
    for (unsigned i = 0; i < take; i++, b->fifo.pop_front()) {
        same(b, "a byte of the FIFO", taken[i], b->fifo.front());
    }
    b->cycle++;
}

/* ---- rounds ---- */

/* Instructions for a round; memory and scratchpad anew. */
static void fill_round(bench *b)
{
    const lpu_insn_note note = {0, 0};
    uint32_t stored_at = STORED, loaded_at = LOADED;

    lpu_program_close(&b->program);
    for (int n = 0; n < PER_ROUND; n++) {
        const lpu_insn i = draw_insn(&stored_at, &loaded_at);
        lpu_program_append(&b->program, &i, &note);
    }
    const lpu_insn halt = {};
    lpu_program_append(&b->program, &halt, &note);
    lpu_program_end_segment(&b->program);
    for (auto &byte : b->memory) byte = (uint8_t)draw(256);
    for (auto &byte : b->scratch) byte = (uint8_t)draw(256);
    b->memory_end = b->memory;
    b->scratch_end = b->scratch;
    b->next = b->retired = 0;
    b->cycle = 0;
    b->pushing = draw(2) ? 255 : 1 + (unsigned)draw(60);
    b->is_data_first = draw(2);
    b->taking = draw(2) ? 256 : 1 + (unsigned)draw(255);
}

static uint8_t draw_share()
{
    const uint64_t kind = draw(4);
    return (uint8_t)(kind < 2 ? 0 : kind == 2 ? draw(60) : draw(250));
}

static void begin_sim(bench *b)
{
    lpu_machine *m = b->sim;
    lpu_diag diag = {""};
    const lpu_port_config config = {
        &b->design.dram,
        b->design.clock_mhz,
        BUS_BYTES,
        b->design.outstanding_bursts,
        {draw(UINT64_MAX), draw_share(), draw_share(), draw_share(), draw_share(), draw_share()},
    };

    lpu_port_close(&m->port);
    lpu_port_close(&b->port);
    if (lpu_port_open(&m->port, &config, &diag) || lpu_port_open(&b->port, &config, &diag)) {
        fail(b, "%s", diag.text);
    }
    std::free(m->is_retired);
    std::free(m->issued_at_cycles);
    m->is_retired = static_cast<bool *>(std::calloc(b->program.count, sizeof(bool)));
    m->issued_at_cycles = static_cast<uint64_t *>(std::calloc(b->program.count, sizeof(uint64_t)));
    m->program = &b->program;
    m->ops = &b->counters;
    m->first = m->pc = m->oldest = 0;
    m->end = b->program.count;
}

static void reset(bench *b)
{
    b->top->rst_ni = 0;
    b->top->clk_i = 0;
    b->top->eval();
    b->top->clk_i = 1;
    b->top->eval();
    b->top->clk_i = 0;
    b->top->rst_ni = 1;
    b->top->eval();
}

static void run_round(bench *b, bool is_alone)
{
    enum { CYCLES_MAX = 3000000 };

    fill_round(b);
    if (!is_alone) begin_sim(b);
    while (!failures && b->cycle < CYCLES_MAX &&
           (b->next + 1 < b->program.count || b->retired < b->next || !b->fifo.empty())) {
        step(b, is_alone);
    }
    if (b->cycle == CYCLES_MAX) fail(b, "%zu of %zu have retired", b->retired, b->next);
    for (int n = 0; n < 4 && !failures; n++) step(b, is_alone); /* nothing may follow */
    if (!failures && b->memory != b->memory_end) fail(b, "memory is not what the stores make it");
    if (!failures && b->scratch != b->scratch_end) fail(b, "the scratchpad has a byte too many");
    if (is_alone) same(b, "error responses", b->errors_seen, b->errors_given);
}

static lpu_status open_bench(bench *b, lpu_diag *diag)
{
    b->memory.resize(MEMORY);
    b->scratch.resize(SCRATCH);
    b->read_data.resize(BUS_BYTES);
    lpu_status status = lpu_design_load(&b->design, "ternary-edge", diag);
    if (status) return status;
    b->design.bus_bytes_per_cycle = BUS_BYTES;
    b->design.fifo_kib = FIFO_BYTES / 1024;
    b->design.fill_bytes_per_cycle = FILL_BYTES;
    b->design.outstanding_bursts = OUTSTANDING;
    b->design.stream_queue = STREAM_QUEUE;
    b->layout.design = &b->design;
    status = lpu_machine_open(&b->sim, &b->layout, true, diag);
    if (status) return status;
    if (b->sim->stream.burst_bytes != BURST_BYTES) {
        return lpu_fail(diag, LPU_ERR_RANGE, "bursts are of %u bytes, the RTL has %d",
                        b->sim->stream.burst_bytes, BURST_BYTES);
    }
    lpu_machine_watch(b->sim, watch, b);
    return LPU_OK;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, rounds = 20, cycles = 0;
    lpu_diag diag = {""};
    bench b{};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (!std::strcmp(argv[i], "--seed")) seed = std::strtoull(argv[i + 1], nullptr, 0);
        if (!std::strcmp(argv[i], "--rounds")) rounds = std::strtoull(argv[i + 1], nullptr, 0);
    }
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    if (open_bench(&b, &diag)) {
        std::printf("not ok  stream bench: %s\n", diag.text);
        return 1;
    }
    reset(&b);
    for (uint64_t n = 0; n < rounds && !failures; n++, cycles += b.cycle) run_round(&b, false);
    const uint64_t lockstep = cycles;
    for (uint64_t n = 0; n < rounds && !failures; n++, cycles += b.cycle) run_round(&b, true);
    if (!failures) {
        std::printf("ok      stream and store, bus %d, burst %d, ring %d: %" PRIu64
                    " cycles in lockstep, %" PRIu64 " alone, %" PRIu64 " checks\n",
                    BUS_BYTES, BURST_BYTES, OUTSTANDING, lockstep, cycles - lockstep, b.checks);
    }
    b.top->final();
    lpu_port_close(&b.port);
    lpu_machine_close(&b.sim);
    lpu_program_close(&b.program);
    return failures != 0;
}
