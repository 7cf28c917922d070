/* sim/systemc/host.cc - register accesses in the order in which rtl/README.md wants them. */
#include "sim/systemc/host.hh"

#include "rtl/verify/regs.hh"

#include <cstring>
#include <string>

using namespace sc_core;
using namespace tlm;

enum { STACK_BYTES = 1 << 20, IRQ_ALL = 7 };

lpu_sc_host::lpu_sc_host(const sc_module_name &name, std::function<void(lpu_sc_host &)> body)
    : sc_module(name), device("device"), memory("memory"), irq_i("irq_i"), body_(std::move(body))
{
    SC_HAS_PROCESS(lpu_sc_host);
    SC_THREAD(thread);
    set_stack_size(STACK_BYTES);
}

void lpu_sc_host::thread()
{
    body_(*this);
}

static void fill(tlm_generic_payload *p, bool is_write, uint64_t address, void *data, size_t bytes)
{
    p->set_command(is_write ? TLM_WRITE_COMMAND : TLM_READ_COMMAND);
    p->set_address(address);
    p->set_data_ptr(static_cast<unsigned char *>(data));
    p->set_data_length((unsigned)bytes);
    p->set_streaming_width((unsigned)bytes);
    p->set_byte_enable_ptr(nullptr);
    p->set_response_status(TLM_INCOMPLETE_RESPONSE);
}

void lpu_sc_host::debug(bool is_write, uint64_t address, uint8_t *data, size_t bytes)
{
    enum { PIECE_BYTES = 1 << 20 };

    while (bytes) {
        const size_t part = bytes < PIECE_BYTES ? bytes : (size_t)PIECE_BYTES;
        tlm_generic_payload p;
        fill(&p, is_write, address, data, part);
        if (memory->transport_dbg(p) != part)
            throw std::runtime_error("the memory does not have " + std::to_string(part) +
                                     " bytes at " + std::to_string(address));
        address += part;
        data += part;
        bytes -= part;
    }
}

void lpu_sc_host::put(uint64_t address, const void *data, size_t bytes)
{
    debug(true, address, const_cast<uint8_t *>(static_cast<const uint8_t *>(data)), bytes);
}

void lpu_sc_host::get(uint64_t address, void *data, size_t bytes)
{
    debug(false, address, static_cast<uint8_t *>(data), bytes);
}

void lpu_sc_host::access(bool is_write, uint32_t reg, uint32_t *value)
{
    tlm_generic_payload p;
    sc_time delay = SC_ZERO_TIME;

    fill(&p, is_write, reg, value, sizeof(*value));
    device->b_transport(p, delay);
    if (delay > SC_ZERO_TIME) wait(delay);
    accesses_++;
    if (p.is_response_ok()) return;
    throw lpu_sc_refused(std::string("the LPU refuses to ") + (is_write ? "write" : "read") +
                         " register " + std::to_string(reg) + ": " + p.get_response_string());
}

uint32_t lpu_sc_host::read(uint32_t reg)
{
    uint32_t value = 0;
    access(false, reg, &value);
    return value;
}

void lpu_sc_host::write(uint32_t reg, uint32_t value)
{
    access(true, reg, &value);
}

uint64_t lpu_sc_host::counter(uint32_t index)
{
    const uint64_t low = read(LPU_REG_PERF + 8 * index);
    return low | (uint64_t)read(LPU_REG_PERF + 8 * index + 4) << 32;
}

void lpu_sc_host::load(const lpu_insn *insns, size_t count, uint64_t base, lpu_scale eps,
                       lpu_scale score_scale)
{
    enum { WORDS = LPU_INSN_BYTES / 4 };
    const uint32_t depth = read(LPU_REG_DEPTH);

    if (count > depth)
        throw std::runtime_error("found " + std::to_string(count) +
                                 " instructions, expected at most " + std::to_string(depth) +
                                 ", what program memory holds");
    write(LPU_REG_PROGRAM_ADDRESS, 0);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[LPU_INSN_BYTES];
        uint32_t words[WORDS];
        lpu_insn_encode(bytes, &insns[i]);
        memcpy(words, bytes, sizeof(words));
        for (uint32_t w = 0; w < WORDS; w++) write(LPU_REG_PROGRAM + 4 * w, words[w]);
    }
    write(LPU_REG_FIRST, 0);
    write(LPU_REG_COUNT, (uint32_t)count);
    write(LPU_REG_BASE_LOW, (uint32_t)base);
    write(LPU_REG_BASE_HIGH, (uint32_t)(base >> 32));
    write(LPU_REG_EPS, eps.m | (uint32_t)(uint16_t)eps.e << 16);
    write(LPU_REG_SCORE_SCALE, score_scale.m | (uint32_t)(uint16_t)score_scale.e << 16);
    write(LPU_REG_IRQ_STATUS, IRQ_ALL);
    write(LPU_REG_IRQ_ENABLE, IRQ_ALL);
    write(LPU_REG_CTRL, 1 << LPU_CTRL_CLEAR);
}

uint32_t lpu_sc_host::run(bool is_stopping)
{
    const uint32_t stop = is_stopping ? 1 << LPU_CTRL_STOP_AT_SYNC : 0;
    uint32_t status;

    do {
        write(LPU_REG_CTRL, 1 << LPU_CTRL_START | stop);
        while (!irq_i.read()) wait(irq_i.posedge_event());
        status = read(LPU_REG_STATUS);
        write(LPU_REG_IRQ_STATUS, IRQ_ALL);
        while (irq_i.read()) wait(irq_i.negedge_event());
    } while (status >> LPU_STATUS_AT_SYNC & 1);
    return status;
}
