/* tests/top/scratch_lockstep.cc - is rtl/lpu_scratch.v an array of bytes?
 *
 *     scratch_lockstep NAME [--seed N] [--cycles N]
 *
 * All nine ports at random, at any address; writes of one cycle never meet, as the units promise.
 */
#include "Vlpu_scratch.h"
#include "verilated.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace
{

const uint32_t sum_bytes = 4 * LANES;

uint64_t seed = 1;

uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

struct write_port {
    const char *name;
    uint8_t *valid;
    uint32_t *addr;
    uint8_t *data;
    uint32_t bytes_max;
    uint32_t at, bytes; /* of this cycle; 0 bytes: none */
};

struct read_port {
    const char *name;
    uint8_t *ren;
    uint32_t *addr;
    const uint8_t *data;
    uint32_t bytes;
    std::vector<uint8_t> wanted;
    std::vector<bool> is_known; /* of each byte: it lies in the scratchpad */
};

template <typename T> uint8_t *bytes_of(T &port)
{
    return reinterpret_cast<uint8_t *>(&port);
}

bool meets(const write_port *a, const write_port *b)
{
    return a->at < b->at + b->bytes && b->at < a->at + a->bytes;
}

/* Near each other, and near the ends, so that rows and columns are shared. */
uint32_t address(uint32_t bytes, uint32_t near)
{
    const uint32_t most = SCRATCH - bytes;
    const uint32_t kind = below(8);
    if (kind == 0) return below(2) ? 0 : most;
    if (kind < 4) return below(most + 1);
    const uint32_t at = near + below(256);
    return at < most ? at : most;
}

void draw_writes(std::vector<write_port> &ports, uint32_t near)
{
    for (size_t i = 0; i < ports.size(); i++) {
        write_port *p = &ports[i];
        p->bytes = below(4) ? 1 + below(p->bytes_max) : 0;
        if (below(4) == 0) p->bytes = p->bytes_max;
        p->at = address(p->bytes, near);
        for (size_t j = 0; j < i; j++) {
            if (meets(p, &ports[j])) p->bytes = 0;
        }
        *p->valid = p->bytes != 0;
        *p->addr = p->at;
        for (uint32_t b = 0; b < p->bytes_max; b++) p->data[b] = (uint8_t)below(256);
    }
}

} // namespace

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    uint64_t cycles = 20000;
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], nullptr, 10);
        if (!strcmp(argv[i], "--cycles")) cycles = strtoull(argv[i + 1], nullptr, 10);
    }
    std::unique_ptr<VerilatedContext> context(new VerilatedContext);
    context->randReset(2);
    context->randSeed((int)seed + 1);
    std::unique_ptr<Vlpu_scratch> r(new Vlpu_scratch(context.get()));
    std::vector<uint8_t> bytes(SCRATCH);
    std::vector<bool> is_written(SCRATCH);
    std::vector<write_port> writes = {
        {"ld", &r->ld_wvalid_i, &r->ld_waddr_i, bytes_of(r->ld_wdata_i), BUS, 0, 0},
        {"y", &r->y_wvalid_i, &r->y_waddr_i, bytes_of(r->y_wdata_i), sum_bytes, 0, 0},
        {"v", &r->v_wvalid_i, &r->v_waddr_i, bytes_of(r->v_wdata_i), sum_bytes, 0, 0},
        {"s", &r->s_wvalid_i, &r->s_waddr_i, bytes_of(r->s_wdata_i), 4, 0, 0}};
    std::vector<read_port> reads = {
        {"x", &r->x_ren_i, &r->x_raddr_i, bytes_of(r->x_rdata_o), COLS, {}, {}},
        {"a", &r->a_ren_i, &r->a_raddr_i, bytes_of(r->a_rdata_o), sum_bytes, {}, {}},
        {"b", &r->b_ren_i, &r->b_raddr_i, bytes_of(r->b_rdata_o), sum_bytes, {}, {}},
        {"s", &r->s_ren_i, &r->s_raddr_i, bytes_of(r->s_rdata_o), 4, {}, {}},
        {"st", &r->st_ren_i, &r->st_raddr_i, bytes_of(r->st_rdata_o), BUS, {}, {}}};
    uint64_t compared = 0;

    for (read_port &p : reads) p.wanted.resize(p.bytes), p.is_known.resize(p.bytes);
    for (uint64_t cycle = 0; cycle < cycles; cycle++) {
        const uint32_t near = below(SCRATCH);
        draw_writes(writes, near);
        r->ld_wbytes_i = (uint8_t)writes[0].bytes;
        r->y_wbytes_i = (uint8_t)writes[1].bytes;
        r->v_wbytes_i = (uint8_t)writes[2].bytes;
        r->s_wbytes_i = (uint8_t)writes[3].bytes;
        for (read_port &p : reads) {
            *p.ren = below(3) != 0;
            *p.addr = address(0, near); /* a read may go over the end */
            for (uint32_t b = 0; *p.ren && b < p.bytes; b++) {
                const uint32_t at = *p.addr + b;
                p.is_known[b] = at < SCRATCH && is_written[at];
                p.wanted[b] = p.is_known[b] ? bytes[at] : 0;
            }
        }
        r->clk_i = 0;
        r->eval();
        r->clk_i = 1;
        r->eval();
        for (const write_port &p : writes) {
            for (uint32_t b = 0; b < p.bytes; b++) {
                bytes[p.at + b] = p.data[b];
                is_written[p.at + b] = true;
            }
        }
        for (const read_port &p : reads) {
            for (uint32_t b = 0; b < p.bytes; b++) {
                compared += p.is_known[b];
                if (!p.is_known[b] || p.data[b] == p.wanted[b]) continue;
                printf("not ok  %s: cycle %" PRIu64 ": port %s, byte %u of a read is %u, expected "
                       "%u\n",
                       name, cycle, p.name, b, p.data[b], p.wanted[b]);
                return 1;
            }
        }
    }
    printf("ok      %s: %" PRIu64 " cycles, %" PRIu64 " bytes read\n", name, cycles, compared);
    return 0;
}
