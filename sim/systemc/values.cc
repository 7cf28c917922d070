/* sim/systemc/values.cc - executes, counts digits, and takes stores back. */
#include "sim/systemc/values.hh"

extern "C" {
#include "sim/layout.h"
#include "sim/port.h"
}

#include <algorithm>
#include <cstring>
#include <stdexcept>

lpu_sc_values::lpu_sc_values(const lpu_design &design, uint8_t *memory, uint64_t memory_bytes,
                             lpu_scale eps, lpu_scale score_scale)
    : design_(design), memory_(memory), memory_bytes_(memory_bytes)
{
    lpu_exec_config config = {};
    lpu_diag diag = {""};

    config.rows = design.rows;
    config.cols = design.cols;
    config.code = design.code;
    config.scratch_bytes = (uint64_t)design.scratch_kib * 1024;
    config.eps = eps;
    config.score_scale = score_scale;
    config.memory = memory;
    config.memory_bytes = memory_bytes;
    if (lpu_exec_open(&exec_, &config, &diag)) throw std::runtime_error(diag.text);

    const size_t each = lpu_ternary_per_byte(design.code);
    for (int byte = 0; byte < 256; byte++) {
        const uint8_t code = (uint8_t)byte;
        int8_t digits[8] = {0};
        const bool is_legal = !lpu_ternary_decode(design.code, digits, &code, each, &diag);
        non_zero_[byte] = 0;
        for (size_t i = 0; i < each && is_legal; i++)
            non_zero_[byte] = (uint8_t)(non_zero_[byte] + !!digits[i]);
    }
}

lpu_sc_values::~lpu_sc_values()
{
    lpu_exec_close(&exec_);
}

/* The non-zero digits of the next bytes of the FIFO. */
uint64_t lpu_sc_values::take_digits(uint64_t bytes)
{
    uint64_t sum = 0;

    while (bytes && !fifo_.empty()) {
        piece *p = &fifo_.front();
        const uint64_t part = std::min(bytes, p->bytes);
        for (uint64_t i = 0; i < part; i++) sum += non_zero_[memory_[p->address + i]];
        p->address += part;
        p->bytes -= part;
        bytes -= part;
        if (!p->bytes) fifo_.pop_front();
    }
    return sum;
}

/* Every vector meets every digit once: one that is not zero adds, all other lanes are held. */
void lpu_sc_values::count_product(const lpu_insn *i)
{
    const uint64_t each = lpu_ternary_per_byte(design_.code);
    const uint64_t tiles = lpu_ktile_count(i->k, design_.cols);
    const uint64_t lanes = (uint64_t)design_.rows * design_.cols * i->m * i->planes * tiles;
    const bool is_column = i->flags & LPU_FLAG_COLUMN;

    for (uint64_t first = 0; first < i->n; first += design_.rows) {
        const uint64_t count = std::min<uint64_t>(i->n - first, design_.rows);
        const uint64_t line = ((is_column ? count : i->k) + each - 1) / each;
        const uint64_t adds = i->m * take_digits((is_column ? i->k : count) * line * i->planes);
        lane_adds += adds;
        lane_skips += lanes - adds;
    }
}

bool lpu_sc_values::step(const lpu_insn *i, std::string *why)
{
    lpu_diag diag = {""};

    if (lpu_exec_step(exec_, i, &diag)) {
        *why = diag.text;
        return false;
    }
    switch (i->op) {
    case LPU_INSN_matmul: count_product(i); break;
    case LPU_INSN_load: load_bytes += (uint64_t)i->segs * i->seg_bytes; break;
    case LPU_INSN_store: store_bytes += (uint64_t)i->segs * i->seg_bytes; break;
    case LPU_INSN_stream:
        for (uint32_t s = 0; s < i->segs; s++)
            fifo_.push_back({i->addr + (uint64_t)s * i->stride, i->seg_bytes});
        break;
    default: break;
    }
    return true;
}

bool lpu_sc_values::run(const lpu_insn *insns, size_t count, std::string *why)
{
    for (size_t i = 0; i < count; i++)
        if (!step(&insns[i], why)) return false;
    return true;
}

/* The bursts of a store, as they are in memory now; none where it leads out of memory: step will
 * say so. */
void lpu_sc_values::cut(const lpu_insn *i, std::vector<lpu_sc_store> *bursts) const
{
    const uint64_t burst = lpu_port_burst_bytes(&design_.dram, design_.bus_bytes_per_cycle);
    const uint64_t span = i->segs ? (uint64_t)(i->segs - 1) * i->stride + i->seg_bytes : 0;

    bursts->clear();
    if (i->op != LPU_INSN_store || i->addr > memory_bytes_ || span > memory_bytes_ - i->addr)
        return;
    for (uint32_t s = 0; s < i->segs; s++) {
        uint64_t from = i->addr + (uint64_t)s * i->stride;
        const uint64_t end = from + i->seg_bytes;
        while (from < end) {
            const uint64_t to = std::min(end, (from / burst + 1) * burst);
            bursts->push_back({from, std::vector<uint8_t>(memory_ + from, memory_ + to)});
            from = to;
        }
    }
}

bool lpu_sc_values::run_ahead(const lpu_insn *insns, size_t count, std::deque<lpu_sc_store> *stores,
                              std::string *why)
{
    std::vector<lpu_sc_store> bursts, before;
    bool is_well = true;

    for (size_t i = 0; i < count && is_well; i++) {
        cut(&insns[i], &bursts);
        before.insert(before.end(), bursts.begin(), bursts.end());
        is_well = step(&insns[i], why);
        cut(&insns[i], &bursts);
        stores->insert(stores->end(), bursts.begin(), bursts.end());
    }
    for (auto it = before.rbegin(); it != before.rend(); ++it)
        std::copy(it->data.begin(), it->data.end(), memory_ + it->address);
    return is_well;
}
