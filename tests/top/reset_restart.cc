/* tests/top/reset_restart.cc - resets by the host amid a random program; then the program, as if
 * new.
 *
 *     reset_restart DESIGN SEED RUNS
 *
 * The reset comes at any time, or at once after an error: bursts are under way. They must be
 * finished by the rules of AXI, and no other may begin, before STATUS says that the reset is over.
 * Then the same program runs, and is equal to the golden machine in every cycle. That a machine in
 * error stays so, and which error it is, is asked by lpu verify --faults.
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
    SLOT_CLOCKS = 2000, /* a reset comes within so many */
};

enum fault_kind { BY_NOTHING, BY_OPCODE, BY_READ, BY_WRITE };

const struct {
    fault_kind kind;
    const char *name;
} faults[] = {
    {BY_NOTHING, "at any time"},
    {BY_OPCODE, "after an illegal instruction"},
    {BY_READ, "after an error in answer to a read"},
    {BY_WRITE, "after an error in answer to a write"},
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

/* ---- one reset ---- */

/* False if the program had come to its end before. */
bool reset_amid(bench *b, const top_random *made, fault_kind kind, top_dice *dice)
{
    const lpu_program *p = &made->program.code;
    const uint32_t patience = PATIENCE_CLOCKS;
    const uint32_t clocks = kind == BY_NOTHING ? dice->below(SLOT_CLOCKS) : patience;
    std::vector<lpu_insn> code(p->insns, p->insns + p->count);

    if (kind == BY_OPCODE) code[dice->below((uint32_t)p->count)].op = LPU_INSN_OPS;
    if (kind == BY_READ) b->memory.failing_read = 1 + dice->below(40);
    if (kind == BY_WRITE) b->memory.failing_write = 1 + dice->below(4);
    load(b, code, made);
    set(b, LPU_REG_CTRL, 1 << LPU_CTRL_START);
    for (uint32_t i = 0; i < clocks && !b->out.irq; i++) tick(b);
    if (!b->out.irq && kind != BY_NOTHING) fail("the program neither ends nor goes wrong");
    set(b, LPU_REG_CTRL, 1 << LPU_CTRL_RESET);
    const bool was_busy = !b->memory.is_idle();
    for (int i = 0; i < PATIENCE_CLOCKS; i++) {
        if (!(get(b, LPU_REG_STATUS) >> LPU_STATUS_RESETTING & 1)) break;
    }
    expect("STATUS after reset", get(b, LPU_REG_STATUS), 0);
    expect("the memory's being idle after reset", b->memory.is_idle(), 1);
    return was_busy;
}

void run(const lpu_layout *layout, size_t f, uint64_t seed, int runs)
{
    int busy = 0;

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
        busy += reset_amid(&b, &made, faults[f].kind, &dice);
        pair.run(&made.program, &verdict);
        const top_difference *d = &verdict.difference;
        if (d->is_found)
            fail("afterwards " + d->signal + " in cycle " + std::to_string(d->cycle) +
                 " of segment " + std::to_string(d->segment) + ": expected " + d->expected +
                 ", found " + d->found + ", " + d->where);
    }
    if (!busy) fail("no burst was ever under way");
    printf("ok      reset %s, %d times, %d of them amid bursts; then the program\n", faults[f].name,
           runs, busy);
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
        fprintf(stderr, "usage: reset_restart DESIGN SEED RUNS\n");
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
        printf("not ok  reset: %s\n", diag.text);
        return 1;
    }
    top_rtl_open(seed, nullptr, 0, 0);
    for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
        try {
            run(&layout, f, seed, atoi(argv[3]));
        } catch (const std::exception &e) {
            printf("not ok  reset %s: %s (seed %s)\n", faults[f].name, e.what(), argv[2]);
            failed = 1;
        }
    }
    top_rtl_close(nullptr);
    lpu_layout_close(&layout);
    return failed;
}
