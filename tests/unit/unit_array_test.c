/* tests/unit/unit_array_test.c - the array's clock: when it takes, waits, drains, and that skipping
 * quiet cycles is the same as stepping them. That its values and cycles are the RTL's is
 * tests/lockstep/array_test.sh. */
#include "sim/unit_array.h"
#include "tests/unit/test.h"

#include <stdlib.h>

enum { ROWS = 8, COLS = 10, DEPTH = 2 }; /* two stages of the tree: 10 -> 3 -> 1 */

static lpu_array_config small(bool has_values)
{
    const lpu_array_config config = {.rows = ROWS,
                                     .cols = COLS,
                                     .lines = 1,
                                     .passes_max = 64,
                                     .out_lanes = 4,
                                     .code = LPU_CODE_BASE3,
                                     .has_values = has_values};
    return config;
}

static uint32_t random_below(uint64_t *state, uint32_t limit)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % limit);
}

static lpu_array_cmd tile(uint32_t passes, lpu_accum accum, bool is_last)
{
    const lpu_array_cmd cmd = {
        .lines = ROWS, .rows = ROWS, .passes = passes, .accum = accum, .is_last = is_last};
    return cmd;
}

/* A clock with the given inputs always valid; beats of weights w and vectors of x. */
static lpu_array_state clock_with(lpu_array *a, const lpu_array_cmd *cmd, bool has_w, bool has_x,
                                  bool y_ready, const uint8_t *w, const int8_t *x)
{
    lpu_array_in in = {.w_valid = has_w,
                       .x_valid = has_x,
                       .y_ready = y_ready,
                       .cmd_valid = cmd != NULL,
                       .w_data = w,
                       .x_data = x};
    if (cmd) in.cmd = *cmd;
    return lpu_array_step(a, &in);
}

static void test_open_refuses_what_cannot_be(void)
{
    lpu_array *a;
    lpu_diag diag;
    lpu_array_config config = small(false);

    config.cols = 12; /* not a multiple of five */
    CHECK_EQ(lpu_array_open(&a, &config, &diag), LPU_ERR_RANGE);
    CHECK(a == NULL, "a handle from a failed open");
    config = small(false);
    config.out_lanes = 3;
    CHECK_EQ(lpu_array_open(&a, &config, &diag), LPU_ERR_RANGE);
    config = small(false);
    config.lines = 9;
    CHECK_EQ(lpu_array_open(&a, &config, &diag), LPU_ERR_RANGE);
    config = small(false);
    config.passes_max = 0;
    CHECK_EQ(lpu_array_open(&a, &config, &diag), LPU_ERR_RANGE);
    config = small(false);
    config.rows = 0;
    CHECK_EQ(lpu_array_open(&a, &config, &diag), LPU_ERR_RANGE);
}

static void test_line_bytes_hold_the_longer_side(void)
{
    lpu_array_config config = {.rows = 64, .cols = 160, .code = LPU_CODE_BASE3};
    CHECK_EQ(lpu_array_line_bytes(&config), 32);
    CHECK_EQ(lpu_array_latency_cycles(&config), 6); /* x register, 160 -> 40 -> 10 -> 3 -> 1, add */
    config.rows = 161;
    CHECK_EQ(lpu_array_line_bytes(&config), 33);
    config.code = LPU_CODE_T2;
    CHECK_EQ(lpu_array_line_bytes(&config), 41);
}

/* The cycles of one tile, one by one, as the header of unit_array.c draws them. */
static void test_one_tile_cycle_by_cycle(void)
{
    const lpu_array_config config = small(true);
    const lpu_array_cmd cmd = tile(1, LPU_ACCUM_CLEAR, true);
    const uint8_t w[2] = {242, 242}; /* all +1 */
    const int8_t x[COLS] = {-128, -128, -128, -128, -128, -128, -128, -128, -128, -128};
    lpu_array *a;
    lpu_array_out out;
    uint32_t cycle = 0;

    CHECK_OK(lpu_array_open(&a, &config, diag));
    lpu_array_outputs(a, &out);
    CHECK(out.is_idle && out.cmd_ready && out.w_ready && !out.x_ready, "not at rest after open");

    /* Beats are taken in cycles 0 to 7, decoded in 1 to 8, the swap is in 9, x in 10. */
    for (cycle = 0; cycle < 10; cycle++) {
        const lpu_array_state state =
            clock_with(a, cycle ? NULL : &cmd, cycle < ROWS, true, true, w, x);
        CHECK_EQ(state, cycle ? LPU_ARRAY_FILL : LPU_ARRAY_EMPTY);
        lpu_array_outputs(a, &out);
        CHECK_EQ(out.x_ready, cycle == 9);
    }
    CHECK_EQ(out.lane_adds, ROWS * COLS);
    CHECK_EQ(clock_with(a, NULL, false, false, true, w, x), LPU_ARRAY_STARVED);
    CHECK_EQ(clock_with(a, NULL, false, true, true, w, x), LPU_ARRAY_PASS);

    /* Sums are in the accumulator latency cycles later, at y one more; not before. */
    const uint32_t wait_cycles = lpu_array_latency_cycles(&config);
    CHECK_EQ(wait_cycles, DEPTH + 2);
    for (cycle = 0; cycle < wait_cycles; cycle++) {
        lpu_array_outputs(a, &out);
        CHECK(!out.y_valid && !out.is_idle, "y after %u cycles", cycle);
        clock_with(a, NULL, false, false, false, w, x);
    }
    for (cycle = 0; cycle < 2; cycle++) { /* 8 rows, 4 a beat */
        lpu_array_outputs(a, &out);
        CHECK(out.y_valid, "no y beat %u", cycle);
        for (int i = 0; i < 4; i++) CHECK_EQ(out.y_data[i], -1280);
        clock_with(a, NULL, false, false, true, w, x);
    }
    lpu_array_outputs(a, &out);
    CHECK(out.is_idle && !out.y_valid, "not idle after the drain");
    lpu_array_close(&a);
    CHECK(a == NULL, "close leaves the handle");
}

/* A third sum must wait until the first bank has drained, and takes its first vector right then. */
static void test_a_vector_waits_for_its_bank(void)
{
    const lpu_array_config config = small(false);
    const lpu_array_cmd cmd = tile(1, LPU_ACCUM_CLEAR, true);
    uint32_t sent = 0, passes = 0, waits = 0;
    lpu_array *a;
    lpu_array_out out;

    CHECK_OK(lpu_array_open(&a, &config, diag));
    for (uint32_t cycle = 0; cycle < 200; cycle++) {
        lpu_array_outputs(a, &out);
        sent += out.cmd_ready && sent < 3;
        const lpu_array_state state = clock_with(a, sent < 3 || out.cmd_ready ? &cmd : NULL, true,
                                                 true, cycle >= 100, NULL, NULL);
        passes += state == LPU_ARRAY_PASS;
        waits += state == LPU_ARRAY_ACCUM;
        /* The bank's second beat is read in cycle 100, when the first leaves: free in 101. */
        if (cycle == 100) CHECK_EQ(passes, 2);
        if (cycle == 101) CHECK_EQ(state, LPU_ARRAY_PASS);
    }
    CHECK(waits > 50, "waited %u cycles", waits);
    lpu_array_close(&a);
}

static bool are_equal(const lpu_array_out *a, const lpu_array_out *b)
{
    return a->cmd_ready == b->cmd_ready && a->w_ready == b->w_ready && a->x_ready == b->x_ready &&
           a->y_valid == b->y_valid && a->is_idle == b->is_idle;
}

/* Two arrays, the same random work; one steps, the other skips what it says is quiet. */
static void run_pair(uint32_t seed, uint64_t *skipped, uint64_t *total)
{
    const lpu_array_config config = small(false);
    uint64_t random = seed, cycle = 0;
    lpu_array *slow, *fast;
    lpu_array_out a, b;

    CHECK_OK(lpu_array_open(&slow, &config, diag));
    CHECK_OK(lpu_array_open(&fast, &config, diag));
    bool is_continued = false;
    lpu_array_cmd cmd = tile(1, LPU_ACCUM_CLEAR, true);
    while (cycle < 20000) {
        lpu_array_outputs(slow, &a);
        lpu_array_outputs(fast, &b);
        CHECK(are_equal(&a, &b), "seed %u cycle %llu: outputs differ", seed,
              (unsigned long long)cycle);

        const uint64_t quiet = lpu_array_quiet_cycles(fast);
        if (quiet && random_below(&random, 4)) {
            const uint64_t jump = 1 + random_below(&random, quiet < 200 ? (uint32_t)quiet : 200);
            const lpu_array_state expected = clock_with(slow, NULL, false, true, true, NULL, NULL);
            lpu_array_skip(fast, jump);
            for (uint64_t i = 1; i < jump; i++) {
                lpu_array_out now;
                lpu_array_outputs(slow, &now);
                CHECK(are_equal(&a, &now), "seed %u cycle %llu: an output changed in a quiet cycle",
                      seed, (unsigned long long)(cycle + i));
                CHECK_EQ(clock_with(slow, NULL, false, true, true, NULL, NULL), expected);
            }
            cycle += jump;
            *skipped += jump;
            continue;
        }
        const bool has_cmd = random_below(&random, 3) == 0, has_w = random_below(&random, 8) != 0;
        const bool has_x = random_below(&random, 8) != 0, y_ready = random_below(&random, 8) != 0;
        const lpu_array_cmd *now = has_cmd ? &cmd : NULL;
        const lpu_array_state state = clock_with(slow, now, has_w, has_x, y_ready, NULL, NULL);
        CHECK_EQ(clock_with(fast, now, has_w, has_x, y_ready, NULL, NULL), state);
        if (has_cmd && a.cmd_ready) {
            is_continued = !cmd.is_last;
            if (!is_continued) cmd.passes = 1 + random_below(&random, 64);
            cmd.accum = is_continued ? LPU_ACCUM_ADD : LPU_ACCUM_CLEAR;
            cmd.lines = cmd.rows = 1 + random_below(&random, ROWS);
            cmd.is_last = random_below(&random, 2);
        }
        cycle++;
    }
    *total += cycle;
    lpu_array_close(&slow);
    lpu_array_close(&fast);
}

static void test_skipping_is_stepping(void)
{
    uint64_t skipped = 0, total = 0;
    for (uint32_t seed = 1; seed <= 40 && !test_is_over; seed++) run_pair(seed, &skipped, &total);
    CHECK(test_is_over || skipped > total / 4, "only %llu of %llu cycles were skipped",
          (unsigned long long)skipped, (unsigned long long)total);
}

/* Quiet cycles in closed form: passes but the last, and for ever when nothing can happen. */
static void test_quiet_cycles_of_a_pass(void)
{
    const lpu_array_config config = small(false);
    const lpu_array_cmd cmd = tile(64, LPU_ACCUM_CLEAR, false);
    lpu_array *a;

    CHECK_OK(lpu_array_open(&a, &config, diag));
    CHECK_EQ(lpu_array_quiet_cycles(a), LPU_ARRAY_QUIET_FOREVER);
    for (uint32_t cycle = 0; cycle < 10; cycle++)
        clock_with(a, cycle ? NULL : &cmd, cycle < ROWS, false, true, NULL, NULL);
    CHECK_EQ(lpu_array_quiet_cycles(a), 63);
    CHECK_EQ(clock_with(a, NULL, false, true, true, NULL, NULL), LPU_ARRAY_PASS);
    CHECK_EQ(lpu_array_quiet_cycles(a), 62);
    lpu_array_skip(a, 62);
    CHECK_EQ(lpu_array_quiet_cycles(a), 0);
    CHECK_EQ(clock_with(a, NULL, false, true, true, NULL, NULL), LPU_ARRAY_PASS);
    CHECK_EQ(clock_with(a, NULL, false, true, true, NULL, NULL), LPU_ARRAY_EMPTY);
    lpu_array_close(&a);
}

/* A vector that ends no bank: the array is idle when it has left the tree, not before, not after.
 */
static void test_idle_comes_when_the_tree_is_empty(void)
{
    const lpu_array_config config = small(false);
    const lpu_array_cmd cmd = tile(1, LPU_ACCUM_CLEAR, false);
    lpu_array *a;
    lpu_array_out out;

    CHECK_OK(lpu_array_open(&a, &config, diag));
    for (uint32_t cycle = 0; cycle < 10; cycle++)
        clock_with(a, cycle ? NULL : &cmd, cycle < ROWS, false, true, NULL, NULL);
    CHECK_EQ(clock_with(a, NULL, false, true, true, NULL, NULL), LPU_ARRAY_PASS);
    CHECK_EQ(lpu_array_quiet_cycles(a), DEPTH);
    lpu_array_skip(a, DEPTH);
    lpu_array_outputs(a, &out);
    CHECK(!out.is_idle, "idle with a vector in the tree");
    clock_with(a, NULL, false, true, true, NULL, NULL);
    lpu_array_outputs(a, &out);
    CHECK(out.is_idle, "not idle with an empty tree");
    lpu_array_close(&a);
}

/* The clock does not depend on whether values are computed. */
static void test_timing_without_values_is_the_same(void)
{
    const lpu_array_config with = small(true), without = small(false);
    const uint8_t w[2] = {0, 255}; /* all -1; illegal: zeros */
    const int8_t x[COLS] = {1, 2, 3};
    uint64_t random = 5;
    lpu_array *a, *b;
    lpu_array_out out_a, out_b;

    CHECK_OK(lpu_array_open(&a, &with, diag));
    CHECK_OK(lpu_array_open(&b, &without, diag));
    for (uint32_t cycle = 0; cycle < 20000; cycle++) {
        lpu_array_outputs(a, &out_a);
        lpu_array_outputs(b, &out_b);
        CHECK(are_equal(&out_a, &out_b), "cycle %u", cycle);
        CHECK(out_b.y_data == NULL, "values without values");
        const lpu_array_cmd cmd = tile(1 + random_below(&random, 64), LPU_ACCUM_CLEAR, true);
        const bool has_w = random_below(&random, 2), has_x = random_below(&random, 2);
        const bool y_ready = random_below(&random, 2);
        CHECK_EQ(clock_with(a, &cmd, has_w, has_x, y_ready, w, x),
                 clock_with(b, &cmd, has_w, has_x, y_ready, w, x));
    }
    lpu_array_close(&a);
    lpu_array_close(&b);
}

int main(void)
{
    RUN(test_open_refuses_what_cannot_be);
    RUN(test_line_bytes_hold_the_longer_side);
    RUN(test_one_tile_cycle_by_cycle);
    RUN(test_a_vector_waits_for_its_bank);
    RUN(test_skipping_is_stepping);
    RUN(test_quiet_cycles_of_a_pass);
    RUN(test_idle_comes_when_the_tree_is_empty);
    RUN(test_timing_without_values_is_the_same);
    return test_failures != 0;
}
