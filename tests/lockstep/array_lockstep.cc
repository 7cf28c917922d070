/* tests/lockstep/array_lockstep.cc - is rtl/lpu_array.v sim/unit_array.c, and is that the
 * definition?
 *
 *     array_lockstep NAME [--seed N] [--cycles N]
 *
 * Prints one line per suite: directed cases, then random work for that many cycles.
 */
#include "tests/lockstep/array_work.h"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace
{

const array_stalls never = {256, 256, 256, 256};
const uint64_t cycles_max = 1000000; /* of one run: far beyond what any of them needs */

struct suite {
    const char *name; /* of the configuration */
    array_pair pair;
    array_random random;
    array_work work;
    uint64_t passes, y_beats;
};

/* Prints the failure and says whether there was one. */
bool has_failed(const suite *s, const char *what, const array_result *result)
{
    const char *reason = s->pair.differences ? s->pair.first.c_str()
                         : result->wrong     ? result->first.c_str()
                         : result->is_stuck  ? "it never became idle"
                                             : "sums are missing";
    if (!s->pair.differences && !result->wrong && result->is_ended) return false;
    printf("not ok  array %s: %s: %s\n", s->name, what, reason);
    return true;
}

int8_t random_trit(suite *s, uint32_t zeros_in_256)
{
    if (s->pair.config.code == LPU_CODE_B1) zeros_in_256 = 0; /* it has no zero */
    if (array_random_below(&s->random, 256) < zeros_in_256) return 0;
    return array_random_below(&s->random, 2) ? 1 : -1;
}

/* A tile of the whole array, unless rows or lines are cut afterwards. */
lpu_array_cmd whole_tile(const suite *s, lpu_accum accum, bool is_last)
{
    lpu_array_cmd cmd = {};
    cmd.lines = cmd.rows = s->pair.config.rows;
    cmd.passes = 1;
    cmd.accum = accum;
    cmd.is_last = is_last;
    return cmd;
}

/* A tile with all digits w and all activations x. */
void add_constant(suite *s, lpu_array_cmd cmd, int8_t w, int8_t x)
{
    const lpu_array_config *c = &s->pair.config;
    if (w == 0 && c->code == LPU_CODE_B1) w = 1, x = 0;
    const std::vector<int8_t> digits((size_t)c->rows * c->cols, w);
    const std::vector<int8_t> vectors((size_t)cmd.passes * c->cols, x);
    array_work_tile(&s->work, &cmd, digits.data(), vectors.data(), nullptr);
}

void add_random(suite *s, const lpu_array_cmd *cmd, uint32_t zeros_in_256)
{
    const lpu_array_config *c = &s->pair.config;
    std::vector<int8_t> digits((size_t)c->rows * c->cols), x((size_t)cmd->passes * c->cols);
    for (int8_t &digit : digits) digit = random_trit(s, zeros_in_256);
    for (int8_t &v : x) v = (int8_t)array_random_next(&s->random);
    array_work_tile(&s->work, cmd, digits.data(), x.data(), &s->random);
}

array_result run(suite *s, const array_stalls *stalls)
{
    const array_result result = array_work_run(&s->work, &s->pair, stalls, &s->random, cycles_max);
    s->passes += result.passes;
    s->y_beats += s->work.counted.size();
    array_work_init(&s->work, &s->pair);
    return result;
}

/* Twice: with every stream always ready, and with a slow reader and gaps in all streams. */
bool run_twice(suite *s, const char *what)
{
    const array_stalls slow = {128, 180, 128, 40};
    const array_work work = s->work;
    array_result result = run(s, &never);
    if (has_failed(s, what, &result)) return false;
    s->work = work;
    result = run(s, &slow);
    return !has_failed(s, what, &result);
}

bool check_extremes(suite *s)
{
    static const int8_t w[] = {1, -1, 0, 1, -1}, x[] = {-128, -128, -128, 127, 127};
    for (size_t i = 0; i < sizeof(w); i++) {
        lpu_array_cmd cmd = whole_tile(s, LPU_ACCUM_CLEAR, false);
        cmd.passes = s->pair.config.passes_max;
        add_constant(s, cmd, w[i], x[i]);
        cmd.accum = LPU_ACCUM_ADD;
        cmd.is_last = true;
        add_constant(s, cmd, w[i], x[i]);
    }
    return run_twice(s, "extremes");
}

/* Integers of 1 to 5 trits, plane by plane; the sums must be those of the integers themselves. */
bool check_horner(suite *s)
{
    const lpu_array_config *c = &s->pair.config;
    if (c->code == LPU_CODE_B1) return true; /* digits of two values are no balanced ternary */
    for (uint32_t trits = 1; trits <= LPU_TRITS_MAX; trits++) {
        const int32_t limit = lpu_ternary_limit(trits);
        const size_t cells = (size_t)c->rows * c->cols;
        std::vector<int8_t> planes(trits * cells), x(c->cols);
        std::vector<int32_t> sums(c->rows);
        for (int8_t &v : x) v = (int8_t)array_random_next(&s->random);
        for (size_t i = 0; i < cells; i++) {
            int8_t digits[LPU_TRITS_MAX];
            const int32_t w =
                (int32_t)array_random_below(&s->random, 2 * (uint32_t)limit + 1) - limit;
            lpu_ternary_split(digits, trits, w);
            for (uint32_t t = 0; t < trits; t++) planes[t * cells + i] = digits[t];
            sums[i / c->cols] += w * x[i % c->cols];
        }
        for (uint32_t t = 0; t < trits; t++) {
            const lpu_array_cmd cmd =
                whole_tile(s, t ? LPU_ACCUM_HORNER : LPU_ACCUM_CLEAR, t + 1 == trits);
            array_work_tile(&s->work, &cmd, planes.data() + t * cells, x.data(), nullptr);
        }
        const size_t first = s->work.expected.size() - c->rows;
        for (uint32_t r = 0; r < c->rows; r++) {
            if (s->work.expected[first + r] == sums[r]) continue;
            printf("not ok  array %s: the oracle's planes differ from its integers\n", s->name);
            return false;
        }
    }
    return run_twice(s, "Horner planes");
}

/* Columns, then columns and rows in turn, so that digits of another tile would show. */
bool check_columns(suite *s)
{
    for (uint32_t i = 0; i < 8; i++) {
        lpu_array_cmd cmd = whole_tile(s, i % 2 ? LPU_ACCUM_ADD : LPU_ACCUM_CLEAR, i % 2);
        cmd.is_column = i < 4 || i % 2;
        if (cmd.is_column) cmd.lines = s->pair.config.cols;
        add_random(s, &cmd, 100);
    }
    return run_twice(s, "columns");
}

/* One line, all but one line, half of them; one row, all but one row. */
bool check_ragged(suite *s)
{
    const lpu_array_config *c = &s->pair.config;
    for (uint32_t i = 0; i < 24; i++) {
        lpu_array_cmd cmd = whole_tile(s, LPU_ACCUM_CLEAR, true);
        cmd.is_column = i & 1;
        const uint32_t lines = cmd.is_column ? c->cols : c->rows;
        cmd.lines = i % 3 == 0 ? 1 : i % 3 == 1 ? lines - 1 : (lines + 1) / 2;
        cmd.rows = i % 4 == 0 ? 1 : i % 4 == 1 ? c->rows - 1 : cmd.is_column ? c->rows : cmd.lines;
        cmd.passes = 1 + i % c->passes_max;
        add_random(s, &cmd, 0);
    }
    return run_twice(s, "ragged tiles");
}

/* Every tile the last of its bank: banks alternate, and vectors wait for a bank that drains. */
bool check_banks(suite *s)
{
    for (uint32_t i = 0; i < 24; i++) {
        lpu_array_cmd cmd = whole_tile(s, LPU_ACCUM_CLEAR, true);
        if (i & 4) cmd.lines = 1;
        cmd.passes = i < 12 ? 1 : s->pair.config.passes_max;
        add_random(s, &cmd, 100);
    }
    const array_stalls drain = {256, 256, 256, 26};
    const array_work work = s->work;
    const array_result result = run(s, &drain);
    if (has_failed(s, "long drains", &result)) return false;
    s->work = work;
    return run_twice(s, "banks");
}

/* One tile takes max(beats, passes) cycles when nothing stalls it, down to one cycle. */
bool check_rate(suite *s, uint32_t lines, uint32_t passes)
{
    const uint32_t tiles = 9, per_beat = s->pair.config.lines;
    for (uint32_t i = 0; i < tiles; i++) {
        lpu_array_cmd cmd = whole_tile(s, i ? LPU_ACCUM_ADD : LPU_ACCUM_CLEAR, i + 1 == tiles);
        cmd.lines = lines;
        cmd.passes = passes;
        add_random(s, &cmd, 100);
    }
    const array_result result = run(s, &never);
    if (has_failed(s, "rate", &result)) return false;
    const uint32_t beats = (lines + per_beat - 1) / per_beat;
    const uint64_t per_tile = beats > passes ? beats : passes;
    const uint64_t expected = (tiles - 1) * per_tile + passes - 1;
    if (result.last_pass - result.first_pass == expected) return true;
    printf("not ok  array %s: %u tiles of %u beats and %u passes in %" PRIu64
           " cycles, expected %" PRIu64 "\n",
           s->name, tiles, beats, passes, result.last_pass - result.first_pass, expected);
    return false;
}

/* From a vector to its sums at y: the latency to the accumulator, and one clock to read it. */
bool check_latency(suite *s)
{
    const lpu_array_cmd cmd = whole_tile(s, LPU_ACCUM_CLEAR, true);
    add_random(s, &cmd, 100);
    const array_result result = run(s, &never);
    if (has_failed(s, "latency", &result)) return false;
    const uint64_t expected = lpu_array_latency_cycles(&s->pair.config) + 1;
    if (result.first_y - result.last_pass == expected) return true;
    printf("not ok  array %s: y came %" PRIu64 " cycles after x, expected %" PRIu64 "\n", s->name,
           result.first_y - result.last_pass, expected);
    return false;
}

bool check_illegal(suite *s)
{
    const lpu_array_config *c = &s->pair.config;
    if (c->code == LPU_CODE_B1) return true; /* every byte is legal */
    for (uint32_t i = 0; i < 26; i++) {
        lpu_array_cmd cmd = whole_tile(s, LPU_ACCUM_CLEAR, true);
        std::vector<int8_t> digits((size_t)c->rows * c->cols), x(c->cols);
        for (int8_t &digit : digits) digit = random_trit(s, 64);
        for (int8_t &v : x) v = (int8_t)array_random_next(&s->random);
        cmd.is_column = i & 1;
        if (cmd.is_column) cmd.lines = c->cols;
        const size_t bytes = lpu_ternary_bytes(c->code, cmd.is_column ? c->rows : c->cols);
        array_work_illegal(&s->work, &cmd, digits.data(), x.data(), (i / 2) % cmd.lines,
                           (uint32_t)(i % bytes));
    }
    return run_twice(s, "illegal codes");
}

bool check_directed(suite *s)
{
    const lpu_array_config *c = &s->pair.config;
    return check_latency(s) && check_extremes(s) && check_horner(s) && check_columns(s) &&
           check_ragged(s) && check_banks(s) && check_rate(s, c->lines, 1) &&
           check_rate(s, c->rows, 1) && check_rate(s, c->lines, c->passes_max) && check_illegal(s);
}

/* Tiles of random shapes in sums of random lengths. */
void add_random_sum(suite *s)
{
    const lpu_array_config *c = &s->pair.config;
    const uint32_t tiles = 1 + array_random_below(&s->random, 6);
    const uint32_t passes =
        array_random_below(&s->random, 2) ? 1 : 1 + array_random_below(&s->random, c->passes_max);

    for (uint32_t i = 0; i < tiles; i++) {
        lpu_array_cmd cmd = {};
        cmd.passes = passes;
        cmd.accum = i == 0                              ? LPU_ACCUM_CLEAR
                    : array_random_below(&s->random, 2) ? LPU_ACCUM_ADD
                                                        : LPU_ACCUM_HORNER;
        cmd.is_column = array_random_below(&s->random, 4) == 0;
        cmd.is_last = i + 1 == tiles;
        cmd.lines = cmd.is_column ? c->cols : c->rows;
        if (array_random_below(&s->random, 2))
            cmd.lines = 1 + array_random_below(&s->random, cmd.lines);
        cmd.rows = array_random_below(&s->random, 2) ? c->rows
                                                     : 1 + array_random_below(&s->random, c->rows);
        if (array_random_below(&s->random, 16) == 0) {
            const int8_t w = random_trit(s, 64);
            add_constant(s, cmd, w, array_random_below(&s->random, 2) ? -128 : 127);
        } else {
            add_random(s, &cmd, array_random_below(&s->random, 257));
        }
    }
}

uint32_t random_chance(suite *s)
{
    static const uint32_t chances[] = {256, 256, 230, 128, 26};
    return chances[array_random_below(&s->random, 5)];
}

/* Now and then the array is reset in the middle of its work. */
bool check_random(suite *s, uint64_t cycles)
{
    const uint64_t begin = s->pair.cycles;
    while (s->pair.cycles - begin < cycles) {
        const array_stalls stalls = {random_chance(s), random_chance(s), random_chance(s),
                                     random_chance(s)};
        const bool is_cut = array_random_below(&s->random, 8) == 0;
        for (uint32_t i = 0; i < 16; i++) add_random_sum(s);
        array_result result =
            array_work_run(&s->work, &s->pair, &stalls, &s->random,
                           is_cut ? 1 + array_random_below(&s->random, 400) : cycles_max);
        if (is_cut && !result.wrong && !s->pair.differences) {
            array_pair_reset(&s->pair);
            result.is_ended = true;
        }
        s->passes += result.passes;
        array_work_init(&s->work, &s->pair);
        if (has_failed(s, "random", &result)) return false;
    }
    return true;
}

double seconds_now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

} // namespace

int main(int argc, char **argv)
{
    suite s = {};
    uint64_t seed = 1, cycles = 100000;

    s.name = argc > 1 ? argv[1] : "?";
    for (int i = 2; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--seed")) seed = strtoull(argv[i + 1], nullptr, 0);
        if (!strcmp(argv[i], "--cycles")) cycles = strtoull(argv[i + 1], nullptr, 0);
    }
    s.random.state = seed;
    array_pair_open(&s.pair, seed);
    array_work_init(&s.work, &s.pair);

    bool is_ok = check_directed(&s);
    if (is_ok)
        printf("ok      array %s: directed %" PRIu64 " cycles, %" PRIu64 " passes, difference 0\n",
               s.name, s.pair.cycles, s.passes);
    const uint64_t directed = s.pair.cycles, directed_passes = s.passes;
    const double begin_s = seconds_now();
    if (is_ok && cycles) {
        is_ok = check_random(&s, cycles);
        const uint64_t done = s.pair.cycles - directed;
        if (is_ok)
            printf("ok      array %s: random %" PRIu64 " cycles, %" PRIu64
                   " passes, difference 0; seed %" PRIu64 ", %.0f cycles/s\n",
                   s.name, done, s.passes - directed_passes, seed,
                   (double)done / (seconds_now() - begin_s));
    }
    array_pair_close(&s.pair);
    return !is_ok;
}
