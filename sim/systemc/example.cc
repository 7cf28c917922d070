/* sim/systemc/example.cc - a virtual platform of your own with an LPU in it.
 *
 * The bus, the memory and the processor are not this project's: a router in a few lines, a memory
 * of TLM-2.0's base protocol that knows nothing of LPUs, a thread in the place of a CPU. The LPU's
 * registers are at 0x4000_0000. The program is one product: y = W x, 16 x 20 digits, int8 in, int32
 * out; the thread computes it again with what C++ has. Build and run: sim/systemc/README.md.
 */
#include "rtl/verify/regs.hh"
#include "sim/systemc/machine.hh"

#include <cstdio>
#include <cstring>

#include <tlm_utils/peq_with_cb_and_phase.h>
#include <tlm_utils/simple_initiator_socket.h>

extern "C" {
#include "workloads/ternary.h"
}

using namespace sc_core;
using namespace tlm;

namespace
{

enum { ROWS = 16, COLS = 20, LINE_BYTES = COLS / 5 }; /* base-3: five digits in a byte */
enum { MEMORY_BYTES = 1 << 16, LPU_AT = 0x40000000 };
enum { W_AT = 0x1000, X_AT = 0x2000, Y_AT = 0x3000 }; /* in memory */

/* Answers each burst after a fixed time, in their order; and plain accesses, and DMI. */
class memory : public sc_module
{
  public:
    tlm_utils::simple_target_socket_tagged<memory> reads, writes; /* of the LPU */
    tlm_utils::simple_target_socket<memory> bus;

    explicit memory(const sc_module_name &name)
        : sc_module(name), reads("reads"), writes("writes"), bus("bus"), bytes_(MEMORY_BYTES),
          queue_(this, &memory::happen)
    {
        reads.register_nb_transport_fw(this, &memory::forward, 0);
        writes.register_nb_transport_fw(this, &memory::forward, 1);
        reads.register_get_direct_mem_ptr(this, &memory::direct, 0);
        bus.register_b_transport(this, &memory::block);
    }

  private:
    struct channel {
        std::deque<tlm_generic_payload *> ended;
        bool is_answering = false;
    };
    tlm_sync_enum forward(int, tlm_generic_payload &p, tlm_phase &phase, sc_time &delay);
    void happen(tlm_generic_payload &p, const tlm_phase &phase);
    static void end(channel *c, tlm_generic_payload *p);
    void block(tlm_generic_payload &p, sc_time &delay);
    bool direct(int, tlm_generic_payload &, tlm_dmi &dmi);
    void transfer(tlm_generic_payload &p);

    channel channels_[2];
    std::vector<uint8_t> bytes_;
    tlm_utils::peq_with_cb_and_phase<memory> queue_;
};

tlm_sync_enum memory::forward(int, tlm_generic_payload &p, tlm_phase &phase, sc_time &delay)
{
    if (phase == END_RESP) queue_.notify(p, END_RESP, delay);
    if (phase != BEGIN_REQ) return phase == END_RESP ? TLM_COMPLETED : TLM_ACCEPTED;
    p.acquire();
    queue_.notify(p, BEGIN_RESP, delay + sc_time(100, SC_NS));
    phase = END_REQ;
    return TLM_UPDATED;
}

/* A response begins when the one before it has ended. */
void memory::happen(tlm_generic_payload &p, const tlm_phase &phase)
{
    const bool is_write = p.is_write();
    channel *c = &channels_[is_write];

    if (phase == BEGIN_RESP) c->ended.push_back(&p);
    else end(c, &p);
    while (!c->is_answering && !c->ended.empty()) {
        tlm_generic_payload *first = c->ended.front();
        tlm_phase now = BEGIN_RESP;
        sc_time delay = SC_ZERO_TIME;
        c->ended.pop_front();
        c->is_answering = true;
        transfer(*first);
        auto &socket = is_write ? writes : reads;
        if (socket->nb_transport_bw(*first, now, delay) == TLM_COMPLETED) end(c, first);
    }
}

void memory::end(channel *c, tlm_generic_payload *p)
{
    c->is_answering = false;
    p->release();
}

void memory::block(tlm_generic_payload &p, sc_time &delay)
{
    transfer(p);
    delay += sc_time(50, SC_NS);
}

bool memory::direct(int, tlm_generic_payload &, tlm_dmi &dmi)
{
    dmi.set_dmi_ptr(bytes_.data());
    dmi.set_start_address(0);
    dmi.set_end_address(bytes_.size() - 1);
    dmi.allow_read_write();
    return true;
}

void memory::transfer(tlm_generic_payload &p)
{
    const uint64_t at = p.get_address();

    for (unsigned i = 0; i < p.get_data_length(); i++) {
        if (p.get_byte_enable_ptr() && !p.get_byte_enable_ptr()[i]) continue;
        if (p.is_write()) bytes_[at + i] = p.get_data_ptr()[i];
        else p.get_data_ptr()[i] = bytes_[at + i];
    }
    p.set_response_status(TLM_OK_RESPONSE);
}

/* A CPU's accesses: registers of the LPU, and memory. */
class router : public sc_module
{
  public:
    tlm_utils::simple_target_socket<router> cpu;
    tlm_utils::simple_initiator_socket<router> to_lpu, to_memory;

    explicit router(const sc_module_name &name)
        : sc_module(name), cpu("cpu"), to_lpu("to_lpu"), to_memory("to_memory")
    {
        cpu.register_b_transport(this, &router::block);
    }

  private:
    void block(tlm_generic_payload &p, sc_time &delay)
    {
        if (p.get_address() < LPU_AT) return to_memory->b_transport(p, delay);
        p.set_address(p.get_address() - LPU_AT);
        to_lpu->b_transport(p, delay);
    }
};

class cpu : public sc_module
{
  public:
    tlm_utils::simple_initiator_socket<cpu> bus;
    sc_in<bool> irq_i;
    bool is_right = false;

    cpu(const sc_module_name &name, const lpu_design &design)
        : sc_module(name), bus("bus"), irq_i("irq_i"), design_(design)
    {
        SC_HAS_PROCESS(cpu);
        SC_THREAD(work);
        set_stack_size(1 << 20);
    }

  private:
    void access(bool is_write, uint64_t address, void *data, unsigned bytes);
    void write(uint32_t reg, uint32_t value) { access(true, LPU_AT + reg, &value, 4); }
    uint32_t read(uint32_t reg)
    {
        uint32_t value;
        access(false, LPU_AT + reg, &value, 4);
        return value;
    }
    void run(const std::vector<lpu_insn> &program);
    void work();

    const lpu_design design_;
};

void cpu::access(bool is_write, uint64_t address, void *data, unsigned bytes)
{
    tlm_generic_payload p;
    sc_time delay = SC_ZERO_TIME;

    p.set_command(is_write ? TLM_WRITE_COMMAND : TLM_READ_COMMAND);
    p.set_address(address);
    p.set_data_ptr(static_cast<unsigned char *>(data));
    p.set_data_length(bytes);
    p.set_streaming_width(bytes);
    bus->b_transport(p, delay);
    wait(delay);
    if (!p.is_response_ok()) SC_REPORT_FATAL(name(), p.get_response_string().c_str());
}

lpu_insn *add(std::vector<lpu_insn> *program, lpu_insn_op op)
{
    program->push_back(lpu_insn());
    lpu_insn *i = &program->back();
    i->op = (uint8_t)op;
    i->dst = i->a = i->b = i->c = LPU_BUFFER_NONE;
    return i;
}

/* stream, load or store of one piece of memory. */
lpu_insn *add_move(std::vector<lpu_insn> *program, lpu_insn_op op, uint64_t at, uint32_t bytes)
{
    lpu_insn *i = add(program, op);
    i->addr = at;
    i->seg_bytes = i->stride = bytes;
    i->segs = 1;
    return i;
}

/* Buffers of the scratchpad; weights and x in, the product, y out. */
std::vector<lpu_insn> product()
{
    enum { X, Y, X_BYTES = 32, Y_BYTES = 4 * ROWS };
    std::vector<lpu_insn> list;

    for (uint8_t buffer : {X, Y}) {
        lpu_insn *i = add(&list, LPU_INSN_setbuf);
        i->dst = buffer;
        i->addr = buffer == X ? 0 : X_BYTES;
        i->n = buffer == X ? X_BYTES : Y_BYTES;
    }
    add_move(&list, LPU_INSN_stream, W_AT, ROWS * LINE_BYTES);
    add_move(&list, LPU_INSN_load, X_AT, COLS)->dst = X;
    lpu_insn *i = add(&list, LPU_INSN_matmul);
    i->dst = Y;
    i->a = X;
    i->m = i->m_inner = i->planes = 1;
    i->n = ROWS;
    i->k = COLS;
    i->seg_bytes = LINE_BYTES; /* one tile of all columns */
    i->stride = 1;
    add_move(&list, LPU_INSN_store, Y_AT, Y_BYTES)->a = Y;
    add(&list, LPU_INSN_halt);
    return list;
}

/* What a driver does. */
void cpu::run(const std::vector<lpu_insn> &program)
{
    for (const lpu_insn &i : program) {
        uint8_t code[LPU_INSN_BYTES];
        lpu_insn_encode(code, &i);
        access(true, LPU_AT + LPU_REG_PROGRAM, code, sizeof(code));
    }
    write(LPU_REG_COUNT, (uint32_t)program.size());
    write(LPU_REG_IRQ_ENABLE, 1 << LPU_IRQ_DONE | 1 << LPU_IRQ_ERROR);
    write(LPU_REG_CTRL, 1 << LPU_CTRL_START);
    wait(irq_i.posedge_event());
}

void cpu::work()
{
    int8_t w[ROWS][COLS], x[COLS];
    uint8_t packed[ROWS][LINE_BYTES];
    int32_t y[ROWS];

    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLS; c++) w[r][c] = (int8_t)((7 * r + 5 * c * c) % 3 - 1);
        lpu_ternary_encode(design_.code, packed[r], w[r], COLS);
    }
    for (int c = 0; c < COLS; c++) x[c] = (int8_t)(11 * c - 100);
    access(true, W_AT, packed, sizeof(packed));
    access(true, X_AT, x, sizeof(x));
    run(product());

    access(false, Y_AT, y, sizeof(y));
    is_right = read(LPU_REG_STATUS) >> LPU_STATUS_DONE & 1;
    for (int r = 0; r < ROWS; r++) {
        int32_t sum = 0;
        for (int c = 0; c < COLS; c++) sum += w[r][c] * x[c];
        is_right &= y[r] == sum;
    }
    printf("%s: %u cycles of the LPU, %s in all\n",
           is_right ? "the product is right" : "the product is wrong",
           read(LPU_REG_PERF + 8 * LPU_PERF_RUN_CYCLES), sc_time_stamp().to_string().c_str());
    sc_stop();
}

} // namespace

int sc_main(int argc, char **argv)
{
    lpu_design design;
    lpu_diag diag = {""};

    if (lpu_design_load(&design, "tests/top/designs/small-16x20.yaml", &diag)) {
        fprintf(stderr, "%s\n", diag.text);
        return 2;
    }
    sc_clock clock("clock", sc_time(1e6 / design.clock_mhz, SC_PS));
    sc_signal<bool> irq, run, sync, always;
    memory mem("memory");
    router bus("bus");
    cpu processor("cpu", design);
    lpu_sc_machine lpu("lpu", design,
                       argc > 1 && !strcmp(argv[1], "loose") ? LPU_SC_LOOSE : LPU_SC_CYCLES);

    always.write(true); /* this memory needs no time to settle at a SYNC */
    lpu.clk_i(clock);
    lpu.irq_o(irq);
    lpu.run_o(run);
    lpu.sync_o(sync);
    lpu.sync_ack_i(always);
    lpu.axi.reads.bind(mem.reads);
    lpu.axi.writes.bind(mem.writes);
    processor.bus.bind(bus.cpu);
    processor.irq_i(irq);
    bus.to_lpu.bind(lpu.host);
    bus.to_memory.bind(mem.bus);
    sc_start();
    return processor.is_right ? 0 : 1;
}
