/* tests/top/sequencer_bench.cc - the host's transactions, the units' manners, random programs. */
#include "tests/top/sequencer_bench.hh"

#include <cstdio>
#include <cstring>

static const uint32_t queue_of[UNITS] = {5, LPU_ARRAY_QUEUE, LPU_VECTOR_QUEUE, LPU_STORE_QUEUE};

bench b;
int failed;

uint32_t draw(uint32_t below)
{
    b.random = b.random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((b.random >> 33) % below);
}

bool happens(uint32_t share)
{
    return draw(256) < share;
}

void fault(const char *what, unsigned long long rtl, unsigned long long expected)
{
    char text[200];
    if (!b.fault.empty()) return;
    snprintf(text, sizeof(text), "clock %llu: %s is %llu, expected %llu",
             (unsigned long long)b.clocks, what, rtl, expected);
    b.fault = text;
}

void verdict(const char *name)
{
    if (b.fault.empty()) printf("ok      sequencer: %s\n", name);
    else printf("not ok  sequencer: %s: %s\n", name, b.fault.c_str());
    failed |= !b.fault.empty();
    b.fault.clear();
}
/* ---- clocks and registers ---- */

void settle()
{
    b.rtl->clk_i = 0;
    b.rtl->eval();
}

void clock_edge()
{
    b.rtl->clk_i = 1;
    b.rtl->eval();
    settle();
    b.clocks++;
    if (b.context->gotFinish()) fault("an assertion", 1, 0);
}

void hold_reset()
{
    Vsequencer_top *r = b.rtl.get();

    r->awvalid_i = r->wvalid_i = r->bready_i = r->arvalid_i = r->rready_i = 0;
    r->push_ready_i = r->ret_valid_i = r->error_i = r->sync_ack_i = 0;
    r->idle_i = 1;
    r->rst_ni = 1;
    settle();
    r->rst_ni = 0;
    settle();
    clock_edge();
    r->rst_ni = 1;
    settle();
    for (int i = 0; i < 4; i++) clock_edge();
    for (auto &unit : b.units) unit.clear();
}

/* A write: address and data come together, or one before the other. Returns the response. */
uint32_t write_bytes(uint32_t address, uint32_t data, uint32_t strobes)
{
    Vsequencer_top *r = b.rtl.get();
    uint32_t aw = draw(3), w = draw(3), bready = draw(3);
    bool is_taken = false;

    r->awaddr_i = address & 0xfff;
    r->wdata_i = data;
    r->wstrb_i = strobes & 15;
    for (uint32_t i = 0; i < 16; i++) {
        r->awvalid_i = !is_taken && i >= aw;
        r->wvalid_i = !is_taken && i >= w;
        r->bready_i = i >= bready;
        settle();
        const bool takes = r->awvalid_i && r->wvalid_i && r->awready_o && r->wready_o;
        if (r->awready_o != r->wready_o) fault("wready", r->wready_o, r->awready_o);
        const bool is_answer = r->bvalid_o && r->bready_i;
        const uint32_t answer = r->bresp_o;
        clock_edge();
        is_taken |= takes;
        r->awvalid_i = r->wvalid_i = r->bready_i = 0;
        settle();
        if (is_answer) return answer;
    }
    fault("a write's answer", 0, 1);
    return 0;
}

uint32_t read_word(uint32_t address, uint32_t *data)
{
    Vsequencer_top *r = b.rtl.get();
    uint32_t ready = draw(3);
    bool is_taken = false;

    r->araddr_i = address & 0xfff;
    for (uint32_t i = 0; i < 16; i++) {
        r->arvalid_i = !is_taken;
        r->rready_i = i >= ready;
        settle();
        const bool takes = r->arvalid_i && r->arready_o, is_answer = r->rvalid_o && r->rready_i;
        const uint32_t answer = r->rresp_o;
        *data = r->rdata_o;
        clock_edge();
        is_taken |= takes;
        r->arvalid_i = r->rready_i = 0;
        settle();
        if (is_answer) return answer;
    }
    fault("a read's answer", 0, 1);
    return 0;
}

void set(uint32_t address, uint32_t data)
{
    const uint32_t response = write_bytes(address, data, 15);
    if (response) fault("the response to a write", response, 0);
}

uint32_t get(uint32_t address)
{
    uint32_t data;
    const uint32_t response = read_word(address, &data);
    if (response) fault("the response to a read", response, 0);
    return data;
}

uint64_t perf(int index)
{
    const uint32_t at = (uint32_t)(LPU_REG_PERF + 8 * index);
    const uint64_t low = get(at);
    return low | (uint64_t)get(at + 4) << 32;
}

void expect(const char *what, uint64_t found, uint64_t expected)
{
    if (found != expected) fault(what, found, expected);
}
void base_is_set()
{
    set(LPU_REG_BASE_LOW, (uint32_t)base_address);
    set(LPU_REG_BASE_HIGH, base_address >> 32);
    set(LPU_REG_IRQ_ENABLE, 7);
    set(LPU_REG_IRQ_STATUS, 7);
}

/* ---- programs ---- */

lpu_insn make(lpu_insn_op op)
{
    lpu_insn i = {};
    i.op = (uint8_t)op;
    i.dst = i.a = i.b = i.c = LPU_BUFFER_NONE;
    i.m = i.m_inner = i.n = i.k = i.segs = i.seg_bytes = 1;
    i.planes = 1;
    return i;
}

/* Any instruction that the machine takes, on one of few buffers, so that they collide. */
static lpu_insn random_insn()
{
    const lpu_insn_op op = (lpu_insn_op)(LPU_INSN_setbuf + draw(LPU_INSN_OPS - LPU_INSN_setbuf));
    const uint32_t few = 3 + draw(6), from = draw(24);
    lpu_insn i = make(op);
    auto any = [&]() { return (uint8_t)(from + draw(few)); };

    i.addr = (uint64_t)draw(1 << 20) << draw(12);
    i.m = 1 + draw(PASSES_MAX);
    i.m_inner = 1 + draw(3);
    i.n = 1 + draw(1 << 21);
    i.k = 1 + draw(1 << 21);
    i.a_off = draw(1 << 30);
    i.d_stride = draw(1 << 30);
    i.scale = {(uint16_t)draw(1 << 16), (int16_t)draw(1 << 15)};
    if (op != LPU_INSN_stream && op != LPU_INSN_store) i.dst = any();
    if (op >= LPU_INSN_store) i.a = any();
    if (op >= LPU_INSN_embed && op != LPU_INSN_embed && op != LPU_INSN_kvpack &&
        (op != LPU_INSN_gate || draw(2))) {
        i.b = any();
    }
    if (op == LPU_INSN_softmax || op == LPU_INSN_argmax) i.c = any();
    if (op == LPU_INSN_gate) i.mode = (uint8_t)draw(3);
    if (op == LPU_INSN_setbuf) i.addr = 8 * draw(8192);
    return i;
}

std::vector<lpu_insn> random_program(size_t count)
{
    std::vector<lpu_insn> program;
    while (program.size() + 1 < count) {
        program.push_back(draw(20) ? random_insn() : make(LPU_INSN_sync));
    }
    program.push_back(make(LPU_INSN_halt));
    return program;
}

/* Into program memory from address first on. */
void load(const std::vector<lpu_insn> &program, uint32_t first)
{
    set(LPU_REG_PROGRAM_ADDRESS, first);
    for (const lpu_insn &insn : program) {
        uint8_t bytes[LPU_INSN_BYTES];
        lpu_insn_encode(bytes, &insn);
        for (uint32_t w = 0; w < LPU_INSN_BYTES / 4; w++) {
            uint32_t word;
            memcpy(&word, bytes + 4 * w, sizeof(word));
            set(LPU_REG_PROGRAM + 4 * w, word);
        }
    }
    set(LPU_REG_FIRST, first);
    set(LPU_REG_COUNT, (uint32_t)(first + program.size()));
}
/* ---- the units ---- */

static void set_tag(int unit, uint64_t tag)
{
    for (int bit = 0; bit < TAG_BITS; bit++) {
        const int at = unit * TAG_BITS + bit;
        uint32_t *word = &b.rtl->ret_tag_i[at / 32];
        *word = (*word & ~(1u << at % 32)) | (uint32_t)(tag >> bit & 1) << at % 32;
    }
}

/* Rooms and retirements of this cycle, as the registers of the units would have them. */
void behave(const manners *how, bool *retires)
{
    b.rtl->push_ready_i = b.rtl->ret_valid_i = 0;
    for (int u = 0; u < UNITS; u++) {
        b.room[u] = b.units[u].size() < queue_of[u] && happens(how->ready);
        retires[u] = !b.units[u].empty() && happens(how->retire);
        if (b.room[u]) b.rtl->push_ready_i |= (uint8_t)(1 << u);
        if (retires[u]) b.rtl->ret_valid_i |= (uint8_t)(1 << u);
        set_tag(u, retires[u] ? b.units[u].front().tag : draw(1 << 30));
    }
    b.is_idle = b.units[1].empty() && happens(how->idle);
    b.rtl->idle_i = b.is_idle;
}
