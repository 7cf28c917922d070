/* tests/unit/port_test.c - the memory's AXI port: sizes, beats, responses, stalls, waiting.
 *
 * What a burst takes is asked of the memory itself: its parts offered to an lpu_dram of the test's
 * own, and the last one awaited.
 */
#include "sim/port.h"
#include "tests/unit/test.h"

#include <stdlib.h>

enum { CLOCK_MHZ = 1000, READS = 64 };

static lpu_dram_config memory;

static lpu_port *open_port(uint32_t bus_bytes, lpu_port_stalls stalls)
{
    const lpu_port_config config = {&memory, CLOCK_MHZ, bus_bytes, READS, stalls};
    lpu_diag diag;
    lpu_port *p = NULL;

    if (lpu_port_open(&p, &config, &diag)) test_fail(__FILE__, __LINE__, "%s", diag.text);
    return p;
}

static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((*state >> 33) % below);
}

static void loads(void)
{
    CHECK_OK(lpu_dram_config_load(&memory, "lpddr5x-8533", diag));
}

/* A burst is two beats, at most 128 bytes, at least the memory's. */
static void sizes(void)
{
    static const struct {
        uint32_t dram_bytes, queue, bus_bytes, burst_bytes, ports, beats;
    } rows[] = {
        {32, 32, 8, 32, 1, 4},     {32, 32, 32, 64, 1, 2},   {32, 32, 64, 128, 1, 2},
        {32, 32, 128, 128, 1, 1},  {32, 32, 100, 128, 1, 2}, {32, 32, 256, 128, 2, 1},
        {32, 32, 1024, 128, 8, 1}, {64, 32, 8, 64, 1, 8},    {64, 32, 64, 128, 1, 2},
        {128, 32, 64, 128, 1, 2},  {256, 32, 64, 256, 1, 4}, {32, 1, 64, 32, 2, 1},
        {32, 3, 64, 64, 1, 1},     {32, 32, 1, 32, 1, 32},   {32, 32, 3, 32, 1, 11},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lpu_dram_config d = memory;
        d.burst_bytes = rows[i].dram_bytes;
        d.queue_requests = rows[i].queue;
        const uint32_t bus = rows[i].bus_bytes;
        CHECK(lpu_port_burst_bytes(&d, bus) == rows[i].burst_bytes &&
                  lpu_port_count(&d, bus) == rows[i].ports &&
                  lpu_port_beats(&d, bus) == rows[i].beats,
              "row %zu: %u bytes, %u ports, %u beats", i, lpu_port_burst_bytes(&d, bus),
              lpu_port_count(&d, bus), lpu_port_beats(&d, bus));
    }
}

/* The cycle in which the memory ends the last part of a burst offered in cycle at. */
static uint64_t ends_at(uint64_t address, uint32_t bytes, bool is_write, uint64_t at)
{
    const uint32_t parts = bytes / memory.burst_bytes;
    lpu_dram *d = NULL;
    lpu_diag diag;
    uint32_t tag, ended = 0;

    if (lpu_dram_open(&d, &memory, &diag)) return 0;
    lpu_dram_advance(d, at * 1000);
    for (uint32_t i = 0; i < parts; i++) {
        lpu_dram_offer(d, address + (uint64_t)i * memory.burst_bytes, is_write, i);
    }
    for (; ended < parts && at < 10000; ended += lpu_dram_take(d, &tag)) {
        lpu_dram_advance(d, ++at * 1000);
        while (ended + 1 < parts && lpu_dram_take(d, &tag)) ended++;
    }
    lpu_dram_close(&d);
    return at;
}

static void one_read(void)
{
    static const uint32_t buses[] = {8, 32, 64, 128};

    for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]) && !test_is_over; i++) {
        const uint32_t burst = lpu_port_burst_bytes(&memory, buses[i]), at = 7, tag = 5;
        const uint32_t beats = burst / buses[i];
        const uint64_t address = 40 * (uint64_t)burst;
        const uint64_t end = ends_at(address, burst, false, at);
        lpu_port *p = open_port(buses[i], (lpu_port_stalls){0});
        uint32_t seen = 0;
        for (uint64_t cycle = 0; p && cycle < end + beats + 3 && !test_is_over; cycle++) {
            lpu_port_beat beat;
            lpu_port_begin(p, cycle);
            if (cycle == at) CHECK(lpu_port_read(p, address, tag), "a read is refused");
            CHECK_EQ(lpu_port_is_idle(p), cycle < at || cycle >= end + beats);
            if (!lpu_port_r(p, &beat)) continue;
            CHECK_EQ(cycle, end + seen);
            CHECK_EQ(beat.tag, tag);
            CHECK_EQ(beat.beat, seen);
            CHECK_EQ(beat.address, address + (uint64_t)seen * buses[i]);
            seen++;
            CHECK_EQ(beat.is_last, seen == beats);
            CHECK(!lpu_port_r(p, &beat), "two beats in one cycle");
        }
        if (!test_is_over) CHECK_EQ(seen, beats);
        lpu_port_close(&p);
    }
}

/* W is refused until the cycle after AW; the burst begins with its last beat. */
static void one_write(void)
{
    const uint32_t bus = 16, burst = lpu_port_burst_bytes(&memory, bus), at = 9;
    const uint64_t last = at + 2, end = ends_at(0, burst, true, last);
    lpu_port *p = open_port(bus, (lpu_port_stalls){0});
    uint32_t tag = 0, answers = 0;

    CHECK_EQ(burst, 2 * bus);
    for (uint64_t cycle = 0; p && cycle < end + 5 && !test_is_over; cycle++) {
        lpu_port_begin(p, cycle);
        if (lpu_port_b(p, &tag)) {
            CHECK_EQ(cycle, end);
            CHECK_EQ(tag, 3);
            answers++;
        }
        CHECK(!lpu_port_b(p, &tag), "two responses in one cycle");
        if (cycle == at) CHECK(lpu_port_write(p, 0, 3), "a write is refused");
        CHECK_EQ(lpu_port_write_beat(p), cycle > at && cycle <= last);
    }
    if (!test_is_over) CHECK_EQ(answers, 1);
    lpu_port_close(&p);
}

typedef struct traffic {
    uint64_t cycles, digest; /* of all that came back, and when */
    uint32_t reads, writes;
} traffic;

/* Reads and writes of random places, until all have come back. Skipping: straight to the next cycle
 * in which something may happen, when nothing does now. */
static void run_traffic(traffic *t, uint32_t bus, lpu_port_stalls stalls, bool is_skipping)
{
    enum { BURSTS = 400 };
    const uint32_t burst = lpu_port_burst_bytes(&memory, bus);
    const uint32_t beats = lpu_port_beats(&memory, bus), ports = lpu_port_count(&memory, bus);
    lpu_port *p = open_port(bus, stalls);
    bool is_used[READS] = {false};
    uint32_t next_beat[READS] = {0}, read = 0, written = 0, came = 0, answered = 0, w_beats = 0;
    uint64_t state = 58, cycle = 0, address = 0, to = 0;

    *t = (traffic){0};
    while (p && came + answered < 2 * BURSTS && cycle < 2000000 && !test_is_over) {
        lpu_port_beat beat;
        uint32_t tag = 0, given = 0;
        bool moves = false;
        lpu_port_begin(p, cycle);
        while (tag < READS && is_used[tag]) tag++;
        if (!address) address = burst * (uint64_t)(1 + draw(&state, 1 << 20));
        if (!to) to = burst * (uint64_t)(1 + draw(&state, 1 << 20));
        if (read < BURSTS && tag < READS) {
            if (lpu_port_read(p, address, tag)) {
                is_used[tag] = moves = true;
                address = 0;
                read++;
            }
        }
        while (lpu_port_r(p, &beat)) {
            CHECK(is_used[beat.tag] && beat.beat == next_beat[beat.tag], "beat %u of tag %u",
                  beat.beat, beat.tag);
            next_beat[beat.tag] = beat.is_last ? 0 : beat.beat + 1;
            came += beat.is_last;
            is_used[beat.tag] = !beat.is_last;
            t->digest = (t->digest ^ cycle ^ beat.tag) * UINT64_C(0x100000001b3);
            given++;
            moves = true;
        }
        CHECK(given <= ports, "%u beats in one cycle", given);
        if (lpu_port_b(p, &tag)) {
            t->digest = (t->digest ^ cycle ^ tag << 16) * UINT64_C(0x100000001b3);
            answered++;
            moves = true;
        }
        if (written < BURSTS && lpu_port_write(p, to, written & 7)) {
            to = 0;
            written++;
            moves = true;
        }
        if (w_beats < written * beats && lpu_port_write_beat(p)) {
            w_beats++;
            moves = true;
        }
        CHECK(answered * beats <= w_beats, "a response comes before its data");
        const uint64_t next = lpu_port_next_cycles(p);
        CHECK(next > cycle || next == UINT64_MAX, "the next cycle is %llu in %llu",
              (unsigned long long)next, (unsigned long long)cycle);
        cycle = moves || !is_skipping || next == UINT64_MAX ? cycle + 1 : next;
    }
    t->cycles = cycle;
    t->reads = came;
    t->writes = answered;
    if (p && !test_is_over) CHECK(lpu_port_is_idle(p), "bursts are left");
    lpu_port_close(&p);
}

static void all_come_back(void)
{
    static const lpu_port_stalls stalls[] = {
        {.seed = 0},
        {.seed = 1, .ar = 100},
        {.seed = 2, .aw = 200},
        {.seed = 3, .w = 255},
        {.seed = 4, .r = 128},
        {.seed = 5, .b = 240},
        {.seed = 6, .ar = 50, .aw = 60, .w = 70, .r = 80, .b = 90},
    };
    static const uint32_t buses[] = {8, 64, 1024};

    for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
        traffic free = {0};
        for (size_t k = 0; k < sizeof(stalls) / sizeof(stalls[0]); k++) {
            traffic stepped, skipped, again;
            run_traffic(&stepped, buses[i], stalls[k], false);
            if (!test_is_over) run_traffic(&skipped, buses[i], stalls[k], true);
            if (!test_is_over) run_traffic(&again, buses[i], stalls[k], false);
            if (test_is_over) return;
            CHECK_EQ(stepped.reads, 400);
            CHECK_EQ(stepped.writes, 400);
            CHECK_EQ(stepped.digest, again.digest);
            CHECK_EQ(stepped.digest, skipped.digest);
            CHECK_EQ(stepped.cycles, skipped.cycles);
            if (!k) free = stepped;
            CHECK(!k || stepped.digest != free.digest, "stalls %zu on bus %u are not seen", k,
                  buses[i]);
            CHECK(stepped.cycles >= free.cycles, "stalls %zu on bus %u: %llu cycles, without %llu",
                  k, buses[i], (unsigned long long)stepped.cycles, (unsigned long long)free.cycles);
        }
    }
}

/* Whether AR stalls follows from the cycle, not from what was offered before; the share is kept. */
static void stalls_follow_from_the_cycle(void)
{
    enum { CYCLES = 2000, SHARE = 77 };
    const lpu_port_stalls stalls = {.seed = 1958, .ar = SHARE};
    const double expected = CYCLES * SHARE / 256.0;
    bool is_ready[CYCLES], is_under_way = false;
    uint32_t refused = 0;

    for (uint64_t cycle = 0; cycle < CYCLES; cycle++) { /* a new port for each cycle */
        lpu_port *p = open_port(64, stalls);
        if (!p) return;
        lpu_port_begin(p, cycle);
        is_ready[cycle] = lpu_port_read(p, 0, 0);
        refused += !is_ready[cycle];
        lpu_port_close(&p);
    }
    CHECK(refused > expected - 90 && refused < expected + 90, "%u of %d refused, expected %.0f",
          refused, CYCLES, expected); /* four and a half standard deviations */

    lpu_port *p = open_port(64, stalls); /* one port, one read after another */
    for (uint64_t cycle = 0; p && cycle < CYCLES && !test_is_over; cycle++) {
        lpu_port_beat beat;
        lpu_port_begin(p, cycle);
        while (lpu_port_r(p, &beat)) is_under_way &= !beat.is_last;
        if (is_under_way) continue;
        is_under_way = lpu_port_read(p, 0, 0);
        CHECK_EQ(is_under_way, is_ready[cycle]);
    }
    lpu_port_close(&p);
}

/* Bursts one after another fill the queues of all channels to the last place. */
static void the_queues_fill(void)
{
    static const uint32_t buses[] = {8, 32, 64};

    for (size_t i = 0; i < sizeof(buses) / sizeof(buses[0]); i++) {
        const uint32_t burst = lpu_port_burst_bytes(&memory, buses[i]);
        const uint32_t room = memory.channels * memory.queue_requests * memory.burst_bytes / burst;
        const lpu_port_config config = {&memory, CLOCK_MHZ, buses[i], 1000, {0}};
        lpu_port *p;
        uint32_t taken = 0;
        CHECK_OK(lpu_port_open(&p, &config, diag));
        lpu_port_begin(p, 0);
        while (taken < 1000 && lpu_port_read(p, (uint64_t)taken * burst, taken)) taken++;
        lpu_port_close(&p);
        CHECK_EQ(taken, room);
    }
}

/* After a settle or a restart the memory is that of the beginning. */
static void settles_and_restarts(void)
{
    lpu_port *p = open_port(64, (lpu_port_stalls){0});
    uint64_t cycle = 0, first = 0;
    lpu_diag diag;

    for (int round = 0; p && round < 3 && !test_is_over; round++) {
        lpu_port_beat beat;
        const uint64_t begin = cycle;
        lpu_port_begin(p, cycle);
        CHECK(lpu_port_read(p, 4096, 0), "round %d: a read is refused", round);
        while (!lpu_port_is_idle(p)) {
            lpu_port_begin(p, ++cycle);
            while (lpu_port_r(p, &beat)) continue;
        }
        if (!round) first = cycle - begin;
        CHECK_EQ(cycle - begin, first);
        const uint64_t settled = lpu_port_settle(p);
        CHECK(settled > cycle, "a settle takes no time");
        cycle = settled;
        if (round == 1) {
            CHECK_EQ(lpu_port_restart(p, &diag), LPU_OK);
            cycle = 0;
        }
    }
    lpu_port_close(&p);
}

int main(void)
{
    RUN(loads);
    RUN(sizes);
    RUN(one_read);
    RUN(one_write);
    RUN(all_come_back);
    RUN(stalls_follow_from_the_cycle);
    RUN(the_queues_fill);
    RUN(settles_and_restarts);
    return test_failures != 0;
}
