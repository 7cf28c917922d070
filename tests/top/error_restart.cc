/* tests/top/error_restart.cc - lpu_top goes wrong in the middle of a random program, or is reset
 * there; then the same program runs, and is equal to the golden machine in every cycle.
 *
 *     error_restart DESIGN SEED RUNS
 *
 * On an error the machine must say which it is, begin no further burst, finish those under way by
 * the rules of AXI, and stay so until a soft reset.
 */
#include "rtl/verify/regs.hh"
#include "rtl/verify/top_pair.hh"
#include "rtl/verify/top_random.hh"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace
{

enum {
    OPERATIONS = 12,
    PATIENCE_CLOCKS = 200000,
    QUIET_CLOCKS = 300,
    ILLEGAL_BYTE = 255, /* no digits in any code */
    SLOT_CLOCKS = 2000, /* a reset comes within so many */
};

enum fault_kind { BY_RESET, BY_OPCODE, BY_NO_HALT, BY_READ, BY_WRITE, BY_WEIGHTS, BY_EMBEDDING };

const struct {
    fault_kind kind;
    uint32_t error;
    const char *name;
} faults[] = {
    {BY_RESET, LPU_ERROR_NONE, "a soft reset at any time"},
    {BY_OPCODE, LPU_ERROR_ILLEGAL, "an illegal instruction"},
    {BY_NO_HALT, LPU_ERROR_NO_HALT, "a program that runs off its end"},
    {BY_READ, LPU_ERROR_READ, "an error in answer to a read"},
    {BY_WRITE, LPU_ERROR_WRITE, "an error in answer to a write"},
    {BY_WEIGHTS, LPU_ERROR_WEIGHTS, "illegal weights"},
    {BY_EMBEDDING, LPU_ERROR_EMBEDDING, "an illegal embedding"},
};

[[noreturn]] void fail(const std::string &what)
{
    throw std::runtime_error(what);
}

/* A host and a memory, and no look at what is computed. */
struct bench {
    std::vector<uint8_t> image;
    top_memory memory;
    uint64_t cycle;
    top_in in;
    top_out out;
};

void tick(bench *b)
{
    top_rtl_read(&b->out);
    b->in.arready = b->in.awready = b->in.wready = b->in.rvalid = b->in.bvalid = false;
    b->in.sync_ack = false;
    b->in.rdata = nullptr;
    b->memory.cycle(b->cycle++, &b->out, &b->in);
    top_rtl_settle(&b->in, &b->out);
    if (b->out.sync) {
        b->in.sync_ack = true;
        top_rtl_settle(&b->in, &b->out);
    }
    if (!b->memory.fault.empty()) fail(b->memory.fault);
    if (!top_rtl_clock()) fail("an assertion of the RTL failed");
    b->memory.written.clear();
}

uint32_t access(bench *b, bool is_write, uint32_t address, uint32_t data)
{
    bool is_asked = true;

    b->in.host_address = address;
    b->in.host_wdata = data;
    b->in.host_bready = b->in.host_rready = true;
    for (int i = 0; i < 64; i++) {
        b->in.host_awvalid = b->in.host_wvalid = is_asked && is_write;
        b->in.host_arvalid = is_asked && !is_write;
        tick(b);
        if (is_write ? b->out.awready && b->out.wready : b->out.arready) is_asked = false;
        if (!(is_write ? b->out.bvalid : b->out.rvalid)) continue;
        b->in.host_awvalid = b->in.host_wvalid = b->in.host_arvalid = false;
        if (is_write ? b->out.bresp : b->out.rresp) fail("the host port refuses");
        return b->out.rdata;
    }
    fail("the host port does not answer");
}

void set(bench *b, uint32_t address, uint32_t data)
{
    access(b, true, address, data);
}

uint32_t get(bench *b, uint32_t address)
{
    return access(b, false, address, 0);
}

void expect(const char *what, uint64_t found, uint64_t expected)
{
    if (found == expected) return;
    fail(std::string(what) + " is " + std::to_string(found) + ", expected " +
         std::to_string(expected));
}

/* ---- making a program go wrong ---- */

/* The load that fills what instruction i reads as a, or the stream before it: its first bytes. */
bool spoil(std::vector<uint8_t> *image, const lpu_program *p, size_t i)
{
    const bool is_embed = p->insns[i].op == LPU_INSN_embed;
    for (size_t at = i; at-- > 0;) {
        const lpu_insn *from = &p->insns[at];
        if (from->op != (is_embed ? LPU_INSN_load : LPU_INSN_stream)) continue;
        if (is_embed && from->dst != p->insns[i].a) continue;
        memset(image->data() + from->addr, ILLEGAL_BYTE, from->seg_bytes);
        return true;
    }
    return false;
}

/* Any of the program's instructions op: NULL pointers are not there. */
size_t any_of(const lpu_program *p, lpu_insn_op op, top_dice *dice)
{
    std::vector<size_t> found;
    for (size_t i = 0; i < p->count; i++)
        if (p->insns[i].op == op) found.push_back(i);
    return found.empty() ? p->count : found[dice->below((uint32_t)found.size())];
}

/* False where this program has nothing to go wrong with. */
bool prepare(bench *b, const lpu_program *p, std::vector<lpu_insn> *code, fault_kind kind,
             top_dice *dice)
{
    code->assign(p->insns, p->insns + p->count);
    size_t i = p->count;
    switch (kind) {
    case BY_RESET: return true;
    case BY_OPCODE: (*code)[dice->below((uint32_t)p->count)].op = LPU_INSN_OPS; return true;
    case BY_NO_HALT: code->resize(dice->below((uint32_t)p->count)); return true;
    case BY_READ: b->memory.failing_read = 1 + dice->below(40); return true;
    case BY_WRITE: b->memory.failing_write = 1 + dice->below(4); return true;
    case BY_WEIGHTS: i = any_of(p, LPU_INSN_matmul, dice); break;
    case BY_EMBEDDING: i = any_of(p, LPU_INSN_embed, dice); break;
    }
    return i < p->count && spoil(&b->image, p, i);
}

void load(bench *b, const std::vector<lpu_insn> &code, const top_random *made)
{
    set(b, LPU_REG_PROGRAM_ADDRESS, 0);
    for (const lpu_insn &insn : code) {
        uint8_t bytes[LPU_INSN_BYTES];
        lpu_insn_encode(bytes, &insn);
        for (uint32_t w = 0; w < LPU_INSN_BYTES / 4; w++) {
            uint32_t word;
            memcpy(&word, bytes + 4 * w, sizeof(word));
            set(b, LPU_REG_PROGRAM + 4 * w, word);
        }
    }
    set(b, LPU_REG_FIRST, 0);
    set(b, LPU_REG_COUNT, (uint32_t)code.size());
    set(b, LPU_REG_BASE_LOW, 0);
    set(b, LPU_REG_BASE_HIGH, 0);
    set(b, LPU_REG_EPS, made->eps.m | (uint32_t)(uint16_t)made->eps.e << 16);
    set(b, LPU_REG_SCORE_SCALE,
        made->score_scale.m | (uint32_t)(uint16_t)made->score_scale.e << 16);
    set(b, LPU_REG_IRQ_STATUS, 7);
    set(b, LPU_REG_IRQ_ENABLE, 7);
}

/* ---- one fault ---- */

/* In error: no burst begins any more, all that were begun are finished, a start does nothing. */
void look_around(bench *b, uint32_t error)
{
    expect("STATUS", get(b, LPU_REG_STATUS), 1u << LPU_STATUS_ERROR);
    expect("ERROR", get(b, LPU_REG_ERROR), error);
    for (int i = 0; i < PATIENCE_CLOCKS && !b->memory.is_idle(); i++) tick(b);
    expect("the memory's being idle", b->memory.is_idle(), 1);
    set(b, LPU_REG_CTRL, 1 << LPU_CTRL_START);
    for (int i = 0; i < QUIET_CLOCKS; i++) {
        tick(b);
        if (b->out.arvalid || b->out.awvalid || b->out.wvalid)
            fail("a burst begins after the error");
        if (b->out.run || b->out.is_issue) fail("the program goes on after the error");
    }
}

/* Returns false if the program ended before anything went wrong. */
bool go_wrong(bench *b, const top_random *made, fault_kind kind, uint32_t error, top_dice *dice)
{
    const uint32_t clocks = kind == BY_RESET ? dice->below(SLOT_CLOCKS) : (uint32_t)PATIENCE_CLOCKS;
    std::vector<lpu_insn> code;

    if (!prepare(b, &made->program.code, &code, kind, dice)) return false;
    load(b, code, made);
    set(b, LPU_REG_CTRL, 1 << LPU_CTRL_START);
    for (uint32_t i = 0; i < clocks && !b->out.irq; i++) tick(b);
    if (!b->out.irq && kind != BY_RESET) fail("the program neither ends nor goes wrong");
    const bool is_wrong = !(get(b, LPU_REG_STATUS) >> LPU_STATUS_DONE & 1);
    if (is_wrong && kind != BY_RESET && dice->chance(128)) look_around(b, error);
    set(b, LPU_REG_CTRL, 1 << LPU_CTRL_RESET);
    for (int i = 0; i < PATIENCE_CLOCKS; i++) {
        if (!(get(b, LPU_REG_STATUS) >> LPU_STATUS_RESETTING & 1)) break;
    }
    expect("STATUS after reset", get(b, LPU_REG_STATUS), 0);
    expect("the memory's being idle after reset", b->memory.is_idle(), 1);
    return is_wrong;
}

void run(const lpu_layout *layout, size_t f, uint64_t seed, int runs)
{
    int wrong = 0;

    for (int i = 0; i < runs; i++) {
        top_dice dice = {seed * 1000 + (uint64_t)i + f * 100000};
        const uint8_t share = (uint8_t)(dice.chance(128) ? 0 : dice.below(150));
        const lpu_port_stalls stalls = {dice.next(), share, share, share, share, share};
        const top_manner manner = {false, false, 0};
        top_random made;
        top_verdict verdict;

        top_random_make(&made, layout, dice.next(), OPERATIONS);
        top_pair pair(layout, made.image, made.eps, made.score_scale, &stalls, &manner);
        bench b = {made.image, {layout->design, &b.image, 0, &stalls}, 0, {}, {}};
        wrong += go_wrong(&b, &made, faults[f].kind, faults[f].error, &dice);
        pair.run(&made.program, &verdict);
        const top_difference *d = &verdict.difference;
        if (d->is_found)
            fail("afterwards " + d->signal + " in cycle " + std::to_string(d->cycle) +
                 " of segment " + std::to_string(d->segment) + ": expected " + d->expected +
                 ", found " + d->found + ", " + d->where);
    }
    if (!wrong) fail("nothing ever went wrong");
    printf("ok      restart: %s, %d of %d times, then the program\n", faults[f].name, wrong, runs);
}

/* The smallest model there is: made programs take the formats of their accounts from it. */
lpu_model any_model()
{
    lpu_model m = {};
    strcpy(m.name, "none");
    m.weights = LPU_WEIGHTS_TERNARY;
    m.is_gated = m.is_tied = true;
    m.hidden_elems = m.ffn_elems = m.head_elems = 64;
    m.vocab_elems = 64;
    m.layers = m.heads = m.kv_heads = m.kv_layers = 1;
    m.context_tokens = 16;
    m.activation_bits = 8;
    m.native_kv_bits = 16;
    m.rope_theta = 10000;
    m.norm_eps = 1e-5;
    m.active_share = 1;
    return m;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: error_restart DESIGN SEED RUNS\n");
        return 2;
    }
    const uint64_t seed = strtoull(argv[2], nullptr, 0);
    const lpu_model model = any_model();
    lpu_design design;
    lpu_layout layout;
    lpu_diag diag = {""};
    int failed = 0;

    if (lpu_design_load(&design, argv[1], &diag) ||
        lpu_layout_open(&layout, &model, &design, 1, 1, &diag)) {
        printf("not ok  restart: %s\n", diag.text);
        return 1;
    }
    top_rtl_open(seed, nullptr, 0, 0);
    for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
        try {
            run(&layout, f, seed, atoi(argv[3]));
        } catch (const std::exception &e) {
            printf("not ok  restart: %s: %s (seed %s)\n", faults[f].name, e.what(), argv[2]);
            failed = 1;
        }
    }
    top_rtl_close(nullptr);
    lpu_layout_close(&layout);
    return failed;
}
