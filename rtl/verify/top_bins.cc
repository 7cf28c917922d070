/* rtl/verify/top_bins.cc - names the bins, and sorts instructions into them. */
#include "rtl/verify/top_bins.hh"

#include "rtl/verify/regs.hh"
#include "rtl/verify/top_memory.hh"

#include <cstdio>

namespace
{

enum { PLANES = 5, BLOCK_ROWS = 4 }; /* the vector unit works on blocks of four rows */

const char *const groups[TOP_BIN_GROUPS] = {
    "product: direction, digits, rows and columns beside a tile, memory",
    "product: direction, digits, rows and columns beside a tile, what the array waits for",
    "vector unit: operation, elements beside the lanes, rows, memory",
    "vector unit: operation on digits, digits, elements beside the lanes, memory",
    "vector unit: operation, what the array does meanwhile",
    "transfer: operation, segments, place in a burst, memory",
    "operands",
    "cycles",
    "memory port",
    "errors",
    "host",
};

const char *const edges[] = {"below", "whole", "above"};
const char *const rows[] = {"one row", "a block of rows", "several blocks"};
const char *const memories[] = {"steady", "stalling"};
const char *const directions[] = {"rows", "columns"};
const char *const segments[] = {"one segment", "segments side by side", "segments apart"};
const char *const bursts[] = {"from a burst's edge", "from within a burst"};
const char *const overlaps[] = {"the array waits", "the array works"};

const char *const operands_list[] = {
    "matmul, planes added",   "matmul, one vector",     "matmul, as many vectors as a bank holds",
    "dequant, both scales",   "dequant, row scales",    "normq, gain",
    "normq, no gain",         "normq, own exponents",   "argmax, first",
    "argmax, continued",      "softmax, keys hidden",   "softmax, no key hidden",
    "rope, one table row",    "rope, a row for each",   "gate relu2, two factors",
    "gate silu, two factors", "gate gelu, two factors", "gate relu2, one factor",
    "gate silu, one factor",  "gate gelu, one factor",  "setbuf again",
};

const char *const ports[TOP_WAITS] = {
    "a read address waits",
    "a write address waits",
    "write data wait",
    "read data pause within a burst",
    "reads are answered in another order",
};

const char *const hosts[] = {
    "through every SYNC", "stopping at each SYNC", "soft reset before",     "memory at address 0",
    "memory elsewhere",   "refused in an error",   "refused while it runs",
};

/* Of rtl/verify/regs.hh; behind them a soft reset. */
const char *const errors[] = {
    "",
    "illegal instruction",
    "end of the program without HALT",
    "a read is answered by an error",
    "a write is answered by an error",
    "illegal code in weights",
    "illegal code in an embedding",
    "soft reset while it runs",
};
enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

const struct {
    const char *name;
    uint64_t lpu_counters::*cycles;
} causes[] = {
    {"array passes", &lpu_counters::array_pass_cycles},
    {"stall: memory", &lpu_counters::stall_memory_cycles},
    {"stall: fill", &lpu_counters::stall_fill_cycles},
    {"stall: accumulators", &lpu_counters::stall_accum_cycles},
    {"stall: vector unit", &lpu_counters::stall_vector_cycles},
    {"stall: SYNC", &lpu_counters::stall_sync_cycles},
    {"stall: issue", &lpu_counters::stall_issue_cycles},
    {"vector unit busy", &lpu_counters::vector_busy_cycles},
};

/* n against a unit: less than one, a whole number of them, or some more. */
const char *edge_of(uint32_t n, uint32_t unit)
{
    return edges[n < unit ? 0 : n % unit ? 2 : 1];
}

const char *rows_of(uint32_t m)
{
    return rows[m == 1 ? 0 : m <= BLOCK_ROWS ? 1 : 2];
}

std::string digits_of(uint32_t planes)
{
    return std::to_string(planes) + (planes > 1 ? " digits" : " digit");
}

std::string shape_of(const char *direction, uint32_t planes, const char *n, const char *k)
{
    return std::string(direction) + ", " + digits_of(planes) + ", n " + n + ", k " + k;
}

/* What a product waits for while it is the oldest at work. Accumulators are waited for where a
 * block of sums leaves more slowly than the next one is made: more than a block, and one tile a
 * row.
 */
std::string accum_of(const char *direction, const char *n, const char *k)
{
    return std::string(direction) + ", n " + n + ", k " + k + ", accumulators";
}

bool is_on_digits(uint8_t op)
{
    return op == LPU_INSN_embed || op == LPU_INSN_kvpack;
}

std::string digits_name(const lpu_insn *i)
{
    return i->op == LPU_INSN_embed ? "embed" : i->mode ? "kvpack values" : "kvpack keys";
}

} // namespace

/* ---- every bin there is ---- */

top_bins::top_bins()
{
    for (const char *direction : directions)
        for (const char *n : edges)
            for (const char *k : edges) {
                for (uint32_t p = 1; p <= PLANES; p++) {
                    const std::string shape = shape_of(direction, p, n, k);
                    for (const char *m : memories) hits_[TOP_BIN_PRODUCT][shape + ", " + m];
                    hits_[TOP_BIN_PRODUCT_STALL][shape + ", memory"];
                    hits_[TOP_BIN_PRODUCT_STALL][shape + ", fill"];
                }
                if (n != edges[0] && k != edges[2])
                    hits_[TOP_BIN_PRODUCT_STALL][accum_of(direction, n, k)];
            }
    for (uint8_t op = 0; op < LPU_INSN_OPS; op++) {
        const std::string name = lpu_insn_name(op) + std::string(", ");
        const lpu_unit unit = lpu_insn_unit(op);
        for (const char *memory : memories) {
            for (const char *edge : edges) {
                if (unit != LPU_UNIT_vector) continue;
                for (const char *m : rows)
                    hits_[TOP_BIN_VECTOR][name + "n " + edge + ", " + m + ", " + memory];
            }
            for (const char *s : segments) {
                if (unit != LPU_UNIT_stream && unit != LPU_UNIT_store) continue;
                for (const char *b : bursts)
                    hits_[TOP_BIN_TRANSFER][name + s + ", " + b + ", " + memory];
            }
            if (unit == LPU_UNIT_stream) hits_[TOP_BIN_TRANSFER][name + "fenced, " + memory];
        }
        for (const char *overlap : overlaps)
            if (unit == LPU_UNIT_vector) hits_[TOP_BIN_OVERLAP][name + overlap];
    }
    for (const char *op : {"embed", "kvpack keys", "kvpack values"})
        for (uint32_t p = 1; p <= PLANES; p++)
            for (const char *n : edges)
                for (const char *memory : memories)
                    hits_[TOP_BIN_DIGITS]
                         [std::string(op) + ", " + digits_of(p) + ", n " + n + ", " + memory];
    for (const char *name : operands_list) hits_[TOP_BIN_OPERAND][name];
    for (const auto &cause : causes) hits_[TOP_BIN_CYCLE][cause.name];
    for (const char *name : ports) hits_[TOP_BIN_PORT][name];
    for (int e = 1; e < ERRORS; e++)
        for (const char *memory : memories)
            hits_[TOP_BIN_ERROR][std::string(errors[e]) + ", " + memory];
    for (const char *name : hosts) hits_[TOP_BIN_HOST][name];
}

void top_bins::hit(top_bin_group group, const std::string &name, uint64_t count)
{
    hits_[group][name] += count;
}

/* ---- sorting ---- */

void top_bins::product(const lpu_insn *i, const lpu_design *d, const lpu_counters *c)
{
    const char *const direction = directions[i->flags & LPU_FLAG_COLUMN ? 1 : 0];
    const char *const n = edge_of(i->n, d->rows), *const k = edge_of(i->k, d->cols);
    const std::string shape = shape_of(direction, i->planes, n, k);

    hit(TOP_BIN_PRODUCT, shape + ", " + memory_);
    if (i->mode && i->planes > 1) hit(TOP_BIN_OPERAND, "matmul, planes added");
    if (i->m == 1) hit(TOP_BIN_OPERAND, "matmul, one vector");
    if (i->m == d->passes_max) hit(TOP_BIN_OPERAND, "matmul, as many vectors as a bank holds");
    if (!c) return;
    if (c->stall_memory_cycles) hit(TOP_BIN_PRODUCT_STALL, shape + ", memory");
    if (c->stall_fill_cycles) hit(TOP_BIN_PRODUCT_STALL, shape + ", fill");
    if (c->stall_accum_cycles && n != edges[0] && k != edges[2])
        hit(TOP_BIN_PRODUCT_STALL, accum_of(direction, n, k));
}

void top_bins::operands(const lpu_insn *i)
{
    static const char *const activations[] = {"silu", "relu2", "gelu"}; /* as lpu_activation */
    const std::string name = lpu_insn_name(i->op);
    const top_bin_group g = TOP_BIN_OPERAND;

    switch (i->op) {
    case LPU_INSN_dequant: hit(g, i->mode ? "dequant, row scales" : "dequant, both scales"); break;
    case LPU_INSN_normq:
        hit(g, i->b == LPU_BUFFER_NONE ? "normq, no gain" : "normq, gain");
        if (i->flags & LPU_FLAG_EXPONENT) hit(g, "normq, own exponents");
        break;
    case LPU_INSN_argmax:
        hit(g, i->flags & LPU_FLAG_FIRST ? "argmax, first" : "argmax, continued");
        break;
    case LPU_INSN_softmax:
        hit(g, i->k + 1 < i->n ? "softmax, keys hidden" : "softmax, no key hidden");
        break;
    case LPU_INSN_rope: hit(g, i->k > 1 ? "rope, a row for each" : "rope, one table row"); break;
    case LPU_INSN_gate:
        hit(g, std::string("gate ") + activations[i->mode] +
                   (i->b == LPU_BUFFER_NONE ? ", one factor" : ", two factors"));
        break;
    default: break;
    }
}

void top_bins::vector(const lpu_insn *i, const lpu_design *d, const lpu_counters *c)
{
    const std::string name = lpu_insn_name(i->op) + std::string(", ");
    const char *const edge = edge_of(i->n, d->vector_lanes);

    hit(TOP_BIN_VECTOR, name + "n " + edge + ", " + rows_of(i->m) + ", " + memory_);
    if (is_on_digits(i->op))
        hit(TOP_BIN_DIGITS,
            digits_name(i) + ", " + digits_of(i->planes) + ", n " + edge + ", " + memory_);
    operands(i);
    if (!c) return;
    const uint64_t works = c->array_pass_cycles + c->stall_memory_cycles + c->stall_fill_cycles;
    if (c->stall_vector_cycles) hit(TOP_BIN_OVERLAP, name + overlaps[0]);
    if (works) hit(TOP_BIN_OVERLAP, name + overlaps[1]);
}

void top_bins::transfer(const lpu_insn *i, const lpu_design *d)
{
    const std::string name = lpu_insn_name(i->op) + std::string(", ");
    const char *const cut = segments[i->segs == 1 ? 0 : i->stride == i->seg_bytes ? 1 : 2];
    const uint32_t burst = lpu_port_burst_bytes(&d->dram, d->bus_bytes_per_cycle);
    const char *const place = bursts[i->addr % burst ? 1 : 0];

    hit(TOP_BIN_TRANSFER, name + cut + ", " + place + ", " + memory_);
    if (i->flags & LPU_FLAG_FENCE) hit(TOP_BIN_TRANSFER, name + "fenced, " + memory_);
}

void top_bins::program(const lpu_program *program, const lpu_design *design, bool is_stalling,
                       const std::vector<lpu_counters> &of_ops)
{
    bool is_placed[LPU_BUFFERS] = {false};
    /* Products and vector operations that count there, and whether all are of one name. */
    struct crew {
        int count;
        uint8_t op;
        bool is_mixed;
    };
    std::vector<crew> crews(of_ops.size());

    memory_ = memories[is_stalling];
    for (size_t n = 0; n < program->count; n++) {
        crew *c = &crews[program->notes[n].op];
        const uint8_t op = program->insns[n].op;
        if (lpu_insn_unit(op) != LPU_UNIT_array && lpu_insn_unit(op) != LPU_UNIT_vector) continue;
        c->is_mixed = c->is_mixed || (c->count && c->op != op);
        c->op = op;
        c->count++;
    }
    for (size_t n = 0; n < program->count; n++) {
        const lpu_insn *i = &program->insns[n];
        const uint32_t op = program->notes[n].op;
        const crew *c = &crews[op];
        const lpu_counters *own = c->count == 1 ? &of_ops[op] : nullptr;
        switch (lpu_insn_unit(i->op)) {
        case LPU_UNIT_array: product(i, design, own); break;
        case LPU_UNIT_vector: vector(i, design, c->is_mixed ? nullptr : &of_ops[op]); break;
        case LPU_UNIT_stream:
        case LPU_UNIT_store: transfer(i, design); break;
        default: break;
        }
        if (i->op != LPU_INSN_setbuf || i->dst >= LPU_BUFFERS) continue;
        if (is_placed[i->dst]) hit(TOP_BIN_OPERAND, "setbuf again");
        is_placed[i->dst] = true;
    }
}

void top_bins::cycles(const lpu_counters *c)
{
    for (const auto &cause : causes) hit(TOP_BIN_CYCLE, cause.name, c->*cause.cycles);
}

void top_bins::port(const uint64_t waits[])
{
    for (int i = 0; i < TOP_WAITS; i++) hit(TOP_BIN_PORT, ports[i], waits[i]);
}

void top_bins::error(int error, bool is_stalling)
{
    hit(TOP_BIN_ERROR, std::string(errors[error]) + ", " + memories[is_stalling]);
    hit(TOP_BIN_HOST, error + 1 < ERRORS ? "refused in an error" : "refused while it runs");
}

bool top_bins::save(const std::string &path) const
{
    FILE *f = fopen(path.c_str(), "w");
    if (!f) return false;
    for (int g = 0; g < TOP_BIN_GROUPS; g++)
        for (const auto &bin : hits_[g])
            fprintf(f, "%d %s\t%s\t%llu\n", g + 1, groups[g], bin.first.c_str(),
                    (unsigned long long)bin.second);
    return !fclose(f);
}
