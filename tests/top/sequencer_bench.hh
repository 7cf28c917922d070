/* tests/top/sequencer_bench.hh - a host and four units around the sequencer in Verilog. */
#ifndef LPU_TESTS_TOP_SEQUENCER_BENCH_HH
#define LPU_TESTS_TOP_SEQUENCER_BENCH_HH

#include "rtl/verify/regs.hh"

#include "Vsequencer_top.h"
#include "verilated.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "sim/machine_units.h"
}

enum {
    PC_BITS = 9,
    DEPTH = 1 << PC_BITS,
    TAG_BITS = PC_BITS + 24,
    UNITS = 4, /* stream, array, vector, store */
    PASSES_MAX = 8,
    PATIENCE_CYCLES = 1 << 20,
};


const uint64_t base_address = 0x1230567000;

struct issued {
    size_t insn;
    uint64_t tag;
};

/* How the units behave, in 1/256: a ready queue says so, the oldest of a unit retires, the array
 * says idle, the memory has settled. */
struct manners {
    uint32_t ready, retire, idle, settled;
};

struct bench {
    std::unique_ptr<VerilatedContext> context;
    std::unique_ptr<Vsequencer_top> rtl;
    uint64_t random, clocks;
    std::deque<issued> units[UNITS];
    bool room[UNITS];
    uint64_t base[LPU_BUFFERS];
    bool is_idle;
    std::string fault;
};

extern bench b;
extern int failed;

uint32_t draw(uint32_t below);
bool     happens(uint32_t share);

/* Keeps the first difference; verdict prints it, or ok, under a name. */
void fault(const char *what, unsigned long long rtl, unsigned long long expected);
void expect(const char *what, uint64_t found, uint64_t expected);
void verdict(const char *name);

void settle();
void clock_edge();
void hold_reset();

/* The host: a write's and a read's response; set and get expect OKAY. */
uint32_t write_bytes(uint32_t address, uint32_t data, uint32_t strobes);
uint32_t read_word(uint32_t address, uint32_t *data);
void     set(uint32_t address, uint32_t data);
uint32_t get(uint32_t address);
uint64_t perf(int index);

/* An instruction with one of everything and no buffer; a program; into program memory from first on. */
lpu_insn              make(lpu_insn_op op);
std::vector<lpu_insn> random_program(size_t count);
void                  load(const std::vector<lpu_insn> &program, uint32_t first);

/* Rooms and retirements of this cycle, as the registers of the units would have them. */
void behave(const manners *how, bool *retires);

/* Settings as every program here has them. */
void base_is_set();

/* Registers, the window, errors, stops: of the RTL alone. */
void check_alone();

#endif
