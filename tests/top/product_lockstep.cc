/* tests/top/product_lockstep.cc - is rtl/lpu_product.v sim/unit_tiles.c, and are its sums those of
 * sim/exec.c?
 *
 *     product_lockstep NAME [--seed N] [--products N]
 *
 * Random products go through the Verilated unit and through unit_tiles.c, clock by clock: every
 * byte taken from the FIFO, every beat of sums, every retirement, every event must be in the same
 * cycle. The FIFO is fed at random, and shows garbage when nothing was taken. At the end of a round
 * the scratchpad must be the one that lpu_exec_step leaves.
 */
#include "Vlpu_product.h"
#include "verilated.h"

extern "C" {
#include "sim/exec.h"
#include "sim/machine_units.h"
}

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace
{

const uint32_t scratch_bytes = 1 << 16, dst_at = 1 << 14; /* activations below, sums above */
const uint32_t elsewhere = 0xa5a50000; /* the scratchpad lies here: 32 bits of addresses count */
const uint32_t buffers = 8;            /* four of each */
const uint32_t round_products = 24;
const lpu_code code = CODE == 1 ? LPU_CODE_T2 : LPU_CODE_BASE3;
const lpu_format format = {1, CODE == 1 ? 4u : 5u, 1};

struct bench {
    const char *name;
    uint64_t seed;
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vlpu_product> rtl;
    lpu_design design;
    lpu_machine m;
    lpu_program program;

    std::vector<uint8_t> scratch, memory; /* memory: the first scratchpad, then all streams */
    std::vector<lpu_insn> insns;
    std::vector<lpu_insn_note> notes;
    std::vector<uint8_t> retired;
    std::vector<uint64_t> issued;
    std::deque<uint8_t> fifo, waiting; /* waiting: streamed, and not yet in the FIFO */
    uint32_t base[buffers];
    size_t pushed;
    uint64_t cycle, adds, skips, illegals, wanted_adds, wanted_skips, products, beats;
    std::string fault;
};

uint32_t below(bench *b, uint32_t n)
{
    b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((b->seed >> 33) % n);
}

#define FAULT(b, ...)                                                                              \
    do {                                                                                           \
        char text[256];                                                                            \
        snprintf(text, sizeof(text), __VA_ARGS__);                                                 \
        if ((b)->fault.empty()) (b)->fault = text;                                                 \
    } while (0)

#define SAME(b, what, found, expected)                                                             \
    do {                                                                                           \
        const uint64_t f = (uint64_t)(found), e = (uint64_t)(expected);                            \
        if (f != e)                                                                                \
            FAULT(b, "cycle %" PRIu64 ": %s is %" PRIu64 ", expected %" PRIu64, (b)->cycle, what,  \
                  f, e);                                                                           \
    } while (0)

/* ---- products ---- */

/* Bytes of a product, at random; counts what its lanes will add. */
void stream(bench *b, const lpu_insn *i)
{
    const bool is_column = i->flags & LPU_FLAG_COLUMN;
    const uint32_t width = is_column ? ROWS : COLS;

    for (uint32_t first = 0; first < i->n; first += ROWS) {
        const uint32_t rows = i->n - first < ROWS ? i->n - first : ROWS;
        for (uint32_t t = 0; t < i->planes * i->stride; t++) {
            const uint32_t tile = t % i->stride, tokens = i->k - tile * COLS;
            const uint32_t lines = !is_column ? rows : tokens < COLS ? tokens : COLS;
            const uint32_t bytes = is_column ? (uint32_t)lpu_format_bytes(&format, rows)
                                             : lpu_ktile_at(&format, i->k, COLS, tile).line_bytes;
            uint64_t nonzero = 0;
            for (uint32_t at = 0; at < lines * bytes; at++) {
                int8_t digits[8];
                lpu_diag unused;
                uint8_t byte;
                do {
                    byte = (uint8_t)below(b, 256);
                } while (lpu_ternary_decode(code, digits, &byte, format.unit_elems, &unused));
                b->waiting.push_back(byte);
                b->memory.push_back(byte);
                for (uint32_t d = 0; d < format.unit_elems; d++) {
                    nonzero += at % bytes * format.unit_elems + d < width && digits[d];
                }
            }
            b->wanted_adds += nonzero * i->m;
            b->wanted_skips += ((uint64_t)ROWS * COLS - nonzero) * i->m;
        }
    }
}

/* A product whose operands lie in its buffers; each kind of shape now and then. */
lpu_insn draw(bench *b)
{
    lpu_insn i = {};
    const bool is_small = below(b, 3) == 0; /* many of them: the queue, and the ends of products */

    i.op = LPU_INSN_matmul;
    i.b = i.c = LPU_BUFFER_NONE;
    i.flags = below(b, 3) ? 0 : LPU_FLAG_COLUMN;
    i.planes = (uint8_t)(below(b, 2) ? 1 : 1 + below(b, 5));
    i.mode = below(b, 4) == 0 ? (uint8_t)(1 + below(b, 255)) : 0;
    i.m_inner = 1 + below(b, below(b, 2) ? 1 : PASSES);
    i.m = i.m_inner * (1 + below(b, PASSES / i.m_inner));
    i.n = 1 + below(b, is_small ? ROWS : 3 * ROWS + 1);
    i.k = 1 + below(b, is_small ? COLS : 4 * COLS);
    if (below(b, 8) == 0) i.n = ROWS;
    if (below(b, 8) == 0) i.k = COLS * (1 + below(b, 3));
    i.a = (uint8_t)below(b, buffers / 2);
    i.dst = (uint8_t)(buffers / 2 + below(b, buffers / 2));
    i.a_off = below(b, 64);
    i.a_stride = below(b, 2) ? i.m_inner * i.k : below(b, 300);
    i.d_off = below(b, 64);
    i.d_stride = i.m_inner * i.n + below(b, 9);
    const lpu_cut cut = i.flags & LPU_FLAG_COLUMN
                            ? lpu_cut_blocks(&format, i.n, ROWS, lpu_ktile_count(i.k, COLS))
                            : lpu_cut_ktiles(&format, i.k, COLS);
    i.seg_bytes = cut.line_bytes;
    i.segs = cut.more;
    i.stride = cut.pieces;
    return i;
}

bool fits(const bench *b, const lpu_insn *i)
{
    const uint64_t outer = i->m / i->m_inner - 1;
    const uint64_t a = i->a_off + outer * i->a_stride + (uint64_t)i->m_inner * i->k;
    const uint64_t d = i->d_off + outer * i->d_stride + (uint64_t)i->m_inner * i->n;
    return b->base[i->a] + a <= dst_at && b->base[i->dst] + 4 * d <= scratch_bytes;
}

/* ---- one clock ---- */

template <typename T> uint8_t *bytes_of(T &port)
{
    return reinterpret_cast<uint8_t *>(&port);
}

void show(bench *b, lpu_array_out *out)
{
    Vlpu_product *r = b->rtl.get();
    r->fifo_bytes_i = (uint32_t)b->fifo.size();
    b->m.stream.fifo_bytes = b->m.stream.fifo_reserved_bytes = b->fifo.size();
    r->push_valid_i = b->pushed < b->insns.size() && below(b, 4) != 0;
    if (r->push_valid_i) {
        const lpu_insn *i = &b->insns[b->pushed];
        lpu_insn_encode(bytes_of(r->push_insn_i), i);
        r->push_dst_i = elsewhere + b->base[i->dst];
        r->push_a_i = elsewhere + b->base[i->a];
        r->push_tag_i = (0x155ull << 24) ^ b->pushed;
    }
    r->eval();
    lpu_array_outputs(b->m.array, out);
}

/* The bytes taken appear in the next cycle; without any, and behind them, there is garbage. */
void feed(bench *b, uint32_t taken, uint32_t rate)
{
    uint8_t *data = bytes_of(b->rtl->fifo_data_i);
    for (uint32_t i = 0; i < FILL; i++) data[i] = (uint8_t)below(b, 256);
    for (uint32_t i = 0; i < taken && !b->fifo.empty(); i++) {
        data[i] = b->fifo.front();
        b->fifo.pop_front();
    }
    uint32_t more = rate == 0 ? FIFO : rate == 1 ? below(b, 4) : below(b, 9) ? 0 : below(b, FIFO);
    while (more-- && b->fifo.size() < FIFO && !b->waiting.empty()) {
        b->fifo.push_back(b->waiting.front());
        b->waiting.pop_front();
    }
}

void clock(bench *b, uint32_t rate)
{
    Vlpu_product *r = b->rtl.get();
    lpu_array_out out;

    show(b, &out);
    const uint32_t count = b->m.tiles.count;
    const lpu_array_state state = lpu_tiles_step(&b->m);
    const uint32_t taken = (uint32_t)(b->fifo.size() - b->m.stream.fifo_bytes);
    const bool retires = b->m.tiles.count < count, pushes = r->push_valid_i && r->push_ready_o;

    SAME(b, "push_ready", r->push_ready_o, lpu_tiles_has_room(&b->m));
    SAME(b, "fifo_take", r->fifo_take_o, taken);
    SAME(b, "y_wvalid", r->y_wvalid_o, out.y_valid);
    SAME(b, "ret_valid", r->ret_valid_o, retires);
    SAME(b, "state", r->ev_state_o, state);
    SAME(b, "fill", r->ev_fill_o, lpu_tiles_is_filling(&b->m));
    SAME(b, "short", r->ev_short_o, lpu_tiles_is_short(&b->m));
    SAME(b, "idle", r->ev_idle_o, out.is_idle && !count);
    if (retires) SAME(b, "ret_tag", r->ret_tag_o, (0x155ull << 24) ^ b->products++);
    b->adds += r->ev_lane_adds_o;
    b->skips += r->ev_lane_skips_o;
    b->illegals += r->ev_illegal_o;
    b->beats += r->y_wvalid_o;

    /* The scratchpad: what is read shows after the edge, until the next read. */
    uint8_t x[COLS];
    const bool reads = r->x_ren_o;
    const uint32_t page = elsewhere / scratch_bytes;
    if (reads) SAME(b, "upper bits of x_raddr", r->x_raddr_o / scratch_bytes, page);
    if (r->y_wvalid_o) SAME(b, "upper bits of y_waddr", r->y_waddr_o / scratch_bytes, page);
    for (uint32_t c = 0; c < COLS; c++) x[c] = b->scratch[(r->x_raddr_o + c) % scratch_bytes];
    if (r->y_wvalid_o) {
        const uint8_t *y = bytes_of(r->y_wdata_o);
        for (uint32_t i = 0; i < r->y_wbytes_o; i++) {
            b->scratch[(r->y_waddr_o + i) % scratch_bytes] = y[i];
        }
    }
    if (pushes) lpu_tiles_push(&b->m, b->pushed++);
    r->clk_i = 1;
    r->eval();
    feed(b, taken, rate);
    if (reads) memcpy(bytes_of(r->x_rdata_i), x, COLS);
    r->clk_i = 0;
    r->eval();
    b->cycle++;
}

/* ---- one round ---- */

void reset(bench *b)
{
    Vlpu_product *r = b->rtl.get();
    r->push_valid_i = 0;
    r->clk_i = 0;
    r->rst_ni = 0;
    r->eval();
    r->clk_i = 1;
    r->eval();
    r->clk_i = 0;
    r->rst_ni = 1;
    r->eval();
}

void draw_round(bench *b, uint32_t count)
{
    for (uint32_t i = 0; i < scratch_bytes; i++) b->scratch[i] = (uint8_t)below(b, 256);
    b->memory = b->scratch;
    b->insns.clear();
    b->notes.assign(count, lpu_insn_note{0, UINT32_MAX});
    b->retired.assign(count, 0);
    b->issued.assign(count, 0);
    b->pushed = b->products = 0;
    for (uint32_t i = 0; i < buffers; i++) {
        b->base[i] = (i < buffers / 2 ? 0 : dst_at) + 8 * below(b, 100);
    }
    while (b->insns.size() < count) {
        const lpu_insn insn = draw(b);
        if (!fits(b, &insn)) continue;
        stream(b, &insn);
        b->insns.push_back(insn);
    }
    b->program = lpu_program{};
    b->program.insns = b->insns.data();
    b->program.notes = b->notes.data();
    b->program.count = count;
    b->m.program = &b->program;
    b->m.is_retired = reinterpret_cast<bool *>(b->retired.data());
    b->m.issued_at_cycles = b->issued.data();
}

/* The same products by sim/exec.c; its scratchpad is one buffer of everything. */
void execute(bench *b)
{
    lpu_exec_config config = {};
    lpu_exec *e = nullptr;
    lpu_diag diag;

    config.rows = ROWS;
    config.cols = COLS;
    config.code = code;
    config.scratch_bytes = scratch_bytes;
    config.memory = b->memory.data();
    config.memory_bytes = b->memory.size();
    lpu_status status = lpu_exec_open(&e, &config, &diag);
    const auto step = [&](const lpu_insn &insn) {
        if (!status) status = lpu_exec_step(e, &insn, &diag);
    };
    const auto place = [&](uint8_t dst, uint32_t at) {
        lpu_insn insn = {};
        insn.op = LPU_INSN_setbuf;
        insn.dst = dst;
        insn.addr = at;
        insn.n = scratch_bytes - at;
        step(insn);
    };
    lpu_insn load = {}, weights = {};
    load.op = LPU_INSN_load;
    load.dst = 31;
    load.segs = weights.segs = 1;
    load.seg_bytes = scratch_bytes;
    weights.op = LPU_INSN_stream;
    weights.addr = scratch_bytes;
    weights.seg_bytes = (uint32_t)b->memory.size() - scratch_bytes;
    place(31, 0);
    for (uint32_t i = 0; i < buffers; i++) place((uint8_t)i, b->base[i]);
    step(load);
    step(weights);
    for (const lpu_insn &insn : b->insns) step(insn);
    if (status) {
        FAULT(b, "exec: %s", diag.text);
    } else {
        const uint8_t *wanted = static_cast<const uint8_t *>(lpu_exec_buffer(e, 31));
        for (uint32_t i = 0; i < scratch_bytes; i++) {
            if (b->scratch[i] != wanted[i]) {
                FAULT(b, "byte %u of the scratchpad is %u, expected %u", i, b->scratch[i],
                      wanted[i]);
            }
        }
    }
    lpu_exec_close(&e);
}

void run_round(bench *b, uint32_t rate)
{
    draw_round(b, round_products);
    const uint64_t limit = b->cycle + 2000000;
    while (b->fault.empty() && b->products < b->insns.size()) {
        clock(b, rate);
        if (b->cycle > limit)
            FAULT(b, "%" PRIu64 " products retired, expected %u", b->products, round_products);
    }
    for (int i = 0; i < 20 && b->fault.empty(); i++) clock(b, rate);
    if (b->fault.empty()) execute(b);
    SAME(b, "lane adds", b->adds, b->wanted_adds);
    SAME(b, "lane skips", b->skips, b->wanted_skips);
    SAME(b, "illegal codes", b->illegals, 0);
    SAME(b, "bytes left", b->fifo.size() + b->waiting.size(), 0);
}

/* A code that no digits have is told. */
void check_illegal(bench *b)
{
    draw_round(b, 1);
    b->waiting[below(b, (uint32_t)b->waiting.size())] = 0xfe; /* over 242; a pair 10 */
    while (b->fault.empty() && b->products < 1) clock(b, 0);
    SAME(b, "illegal codes", b->illegals, 1);
    b->illegals = 0;
    b->wanted_adds = b->adds;
    b->wanted_skips = b->skips;
}

bool open_bench(bench *b)
{
    lpu_array_config config = {};
    lpu_diag diag;

    config.rows = b->design.rows = ROWS;
    config.cols = b->design.cols = COLS;
    config.lines = b->design.lines = LINES;
    config.passes_max = b->design.passes_max = PASSES;
    config.out_lanes = b->design.vector_lanes = LANES;
    config.code = b->design.code = code;
    b->design.fill_bytes_per_cycle = FILL;
    b->design.lane = LPU_LANE_ADD;
    b->m.design = &b->design;
    b->scratch.resize(scratch_bytes);
    return !lpu_array_open(&b->m.array, &config, &diag);
}

} // namespace

int main(int argc, char **argv)
{
    bench b = {};
    uint64_t count = 500;

    b.name = argc > 1 ? argv[1] : "";
    b.seed = 1;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--seed")) b.seed = strtoull(argv[i + 1], nullptr, 10);
        if (!strcmp(argv[i], "--products")) count = strtoull(argv[i + 1], nullptr, 10);
    }
    b.context.reset(new VerilatedContext);
    b.context->randReset(2);
    b.context->randSeed((int)b.seed + 1);
    b.rtl.reset(new Vlpu_product(b.context.get()));
    if (!open_bench(&b)) return 1;
    reset(&b);
    uint64_t done = 0;
    for (uint32_t round = 0; done < count && b.fault.empty(); round++, done += round_products) {
        run_round(&b, round % 3);
        if (b.fault.empty() && round % 3 == 0) check_illegal(&b);
    }
    if (b.fault.empty()) {
        printf("ok      %s: %" PRIu64 " products, %" PRIu64 " cycles, %" PRIu64 " beats of sums\n",
               b.name, done, b.cycle, b.beats);
    } else {
        printf("not ok  %s: %s\n", b.name, b.fault.c_str());
    }
    lpu_array_close(&b.m.array);
    return !b.fault.empty();
}
