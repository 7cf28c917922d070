/* rtl/verify/top_bins.cc - names the bins, and sorts instructions into them. */
#include "rtl/verify/top_bins.hh"

#include <cstdio>

namespace
{

const char *const edges[] = {"below", "whole", "above"};
const char *const rows[] = {"one row", "a block of rows", "several blocks"};

/* n against a unit: less than one, a whole number of them, or some more. */
const char *edge_of(uint32_t n, uint32_t unit)
{
    return edges[n < unit ? 0 : n % unit ? 2 : 1];
}

/* The vector unit works on blocks of four rows. */
const char *rows_of(uint32_t m)
{
    enum { BLOCK_ROWS = 4 };
    return rows[m == 1 ? 0 : m <= BLOCK_ROWS ? 1 : 2];
}

std::string product_name(bool is_column)
{
    return std::string("matmul ") + (is_column ? "columns" : "rows");
}

std::string planes_of(uint32_t planes)
{
    return std::to_string(planes) + " planes";
}

const char *const variants[] = {
    "matmul planes added",
    "matmul one vector",
    "matmul as many vectors as a bank holds",
    "dequant both scales",
    "dequant row scales",
    "normq gain",
    "normq no gain",
    "normq own exponents",
    "argmax first",
    "argmax continued",
    "softmax keys hidden",
    "softmax no key hidden",
    "rope one table row",
    "rope a row for each",
    "gate relu2, two factors",
    "gate silu, two factors",
    "gate gelu, two factors",
    "gate relu2, one factor",
    "gate silu, one factor",
    "gate gelu, one factor",
    "setbuf again",
    "memory without stalls",
    "memory with stalls",
    "through every SYNC",
    "stopping at each SYNC",
    "soft reset before",
    "memory at address 0",
    "memory elsewhere",
    "error 1",
    "error 2",
    "error 3",
    "error 4",
    "error 5",
    "error 6",
    "reset while it runs",
    "cycle array_pass",
    "cycle stall_memory",
    "cycle stall_fill",
    "cycle stall_accum",
    "cycle stall_vector",
    "cycle stall_sync",
    "cycle stall_issue",
};

const char *const transfers[] = {"one segment",         "segments side by side", "segments apart",
                                 "from a burst's edge", "from within a burst",   "fenced"};

} // namespace

top_bins::top_bins()
{
    enum { PLANES = 5 };
    for (int column = 0; column < 2; column++) {
        const std::string name = product_name(column);
        for (uint32_t p = 1; p <= PLANES; p++) hits_[name + ", " + planes_of(p)];
        for (const char *n : edges)
            for (const char *k : edges) hits_[name + ", n " + n + ", k " + k];
    }
    for (uint8_t op = 0; op < LPU_INSN_OPS; op++) {
        const std::string name = lpu_insn_name(op);
        if (lpu_insn_unit(op) == LPU_UNIT_vector) {
            for (const char *n : edges) hits_[name + ", n " + n];
            for (const char *m : rows) hits_[name + ", " + m];
        }
        if (op != LPU_INSN_stream && op != LPU_INSN_load && op != LPU_INSN_store) continue;
        for (const char *t : transfers)
            if (op != LPU_INSN_store || t != transfers[5]) hits_[name + ", " + t];
    }
    for (uint32_t p = 1; p <= PLANES; p++) {
        hits_["embed " + planes_of(p)];
        hits_["kvpack keys, " + planes_of(p)];
        hits_["kvpack values, " + planes_of(p)];
    }
    for (const char *name : variants) hits_[name];
}

void top_bins::hit(const std::string &name, uint64_t count)
{
    hits_[name] += count;
}

void top_bins::product(const lpu_insn *i, const lpu_design *d)
{
    const std::string name = product_name(i->flags & LPU_FLAG_COLUMN);

    hit(name + ", " + planes_of(i->planes));
    hit(name + ", n " + edge_of(i->n, d->rows) + ", k " + edge_of(i->k, d->cols));
    if (i->mode && i->planes > 1) hit("matmul planes added");
    if (i->m == 1) hit("matmul one vector");
    if (i->m == d->passes_max) hit("matmul as many vectors as a bank holds");
}

void top_bins::vector(const lpu_insn *i, const lpu_design *d)
{
    static const char *const activations[] = {"silu", "relu2", "gelu"}; /* as lpu_activation */
    const std::string name = lpu_insn_name(i->op);

    hit(name + ", n " + edge_of(i->n, d->vector_lanes));
    hit(name + ", " + rows_of(i->m));
    switch (i->op) {
    case LPU_INSN_embed: hit("embed " + planes_of(i->planes)); break;
    case LPU_INSN_kvpack:
        hit(std::string(i->mode ? "kvpack values, " : "kvpack keys, ") + planes_of(i->planes));
        break;
    case LPU_INSN_dequant: hit(i->mode ? "dequant row scales" : "dequant both scales"); break;
    case LPU_INSN_normq:
        hit(i->b == LPU_BUFFER_NONE ? "normq no gain" : "normq gain");
        if (i->flags & LPU_FLAG_EXPONENT) hit("normq own exponents");
        break;
    case LPU_INSN_argmax:
        hit(i->flags & LPU_FLAG_FIRST ? "argmax first" : "argmax continued");
        break;
    case LPU_INSN_softmax:
        hit(i->k + 1 < i->n ? "softmax keys hidden" : "softmax no key hidden");
        break;
    case LPU_INSN_rope: hit(i->k > 1 ? "rope a row for each" : "rope one table row"); break;
    case LPU_INSN_gate:
        hit(std::string("gate ") + activations[i->mode] +
            (i->b == LPU_BUFFER_NONE ? ", one factor" : ", two factors"));
        break;
    default: break;
    }
}

void top_bins::transfer(const lpu_insn *i, const lpu_design *d)
{
    const std::string name = lpu_insn_name(i->op) + std::string(", ");

    hit(name + transfers[i->segs == 1 ? 0 : i->stride == i->seg_bytes ? 1 : 2]);
    hit(name + transfers[i->addr % d->dram.burst_bytes ? 4 : 3]);
    if (i->flags & LPU_FLAG_FENCE) hit(name + transfers[5]);
}

void top_bins::program(const lpu_program *program, const lpu_design *design)
{
    bool is_placed[LPU_BUFFERS] = {false};

    for (size_t n = 0; n < program->count; n++) {
        const lpu_insn *i = &program->insns[n];
        switch (lpu_insn_unit(i->op)) {
        case LPU_UNIT_array: product(i, design); break;
        case LPU_UNIT_vector: vector(i, design); break;
        case LPU_UNIT_stream:
        case LPU_UNIT_store: transfer(i, design); break;
        default: break;
        }
        if (i->op != LPU_INSN_setbuf || i->dst >= LPU_BUFFERS) continue;
        if (is_placed[i->dst]) hit("setbuf again");
        is_placed[i->dst] = true;
    }
}

void top_bins::cycles(const lpu_counters *c)
{
    hit("cycle array_pass", c->array_pass_cycles);
    hit("cycle stall_memory", c->stall_memory_cycles);
    hit("cycle stall_fill", c->stall_fill_cycles);
    hit("cycle stall_accum", c->stall_accum_cycles);
    hit("cycle stall_vector", c->stall_vector_cycles);
    hit("cycle stall_sync", c->stall_sync_cycles);
    hit("cycle stall_issue", c->stall_issue_cycles);
}

bool top_bins::save(const std::string &path) const
{
    FILE *f = fopen(path.c_str(), "w");
    if (!f) return false;
    for (const auto &bin : hits_)
        fprintf(f, "%s\t%llu\n", bin.first.c_str(), (unsigned long long)bin.second);
    return !fclose(f);
}
