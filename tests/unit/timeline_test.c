/* tests/unit/timeline_test.c - the timeline is JSON, its slices do not overlap, and it ends with
 * the run. */
#include "sim/simulate.h"
#include "tests/unit/test.h"
#include "tests/unit/tiny_model.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRACKS = 8 };

typedef struct track {
    json_int_t end_cycles;
    size_t slices;
    json_int_t busy_cycles;
} track;

/* One slice: its time is its cycles at the clock; it begins after the one before it. */
static void check_slice(const json_t *e, track *tracks, uint32_t clock_mhz)
{
    const json_t *args = json_object_get(e, "args");
    const json_int_t tid = json_integer_value(json_object_get(e, "tid"));
    const json_int_t issue = json_integer_value(json_object_get(args, "issue_cycles"));
    const json_int_t begin = json_integer_value(json_object_get(args, "begin_cycles"));
    const json_int_t end = json_integer_value(json_object_get(args, "end_cycles"));
    const double ts = json_number_value(json_object_get(e, "ts"));
    const double dur = json_number_value(json_object_get(e, "dur"));

    CHECK(tid > 0 && tid < TRACKS && json_string_length(json_object_get(e, "name")), "tid %lld",
          (long long)tid);
    CHECK(issue <= begin && begin <= end, "slice from %lld to %lld, issued at %lld",
          (long long)begin, (long long)end, (long long)issue);
    CHECK(begin >= tracks[tid].end_cycles, "track %lld: a slice begins at %lld, before %lld",
          (long long)tid, (long long)begin, (long long)tracks[tid].end_cycles);
    CHECK(begin == issue || begin == tracks[tid].end_cycles, "a slice waits for nothing");
    CHECK(ts * clock_mhz > (double)begin - 0.2 && ts * clock_mhz < (double)begin + 0.2,
          "ts %.4f for cycle %lld", ts, (long long)begin);
    CHECK(dur * clock_mhz > (double)(end - begin) - 0.2 &&
              dur * clock_mhz < (double)(end - begin) + 0.2,
          "dur %.4f for %lld cycles", dur, (long long)(end - begin));
    tracks[tid].end_cycles = end;
    tracks[tid].slices++;
    tracks[tid].busy_cycles += end - begin;
}

static void check_file(const char *path, const lpu_sim_result *r, uint32_t clock_mhz)
{
    json_error_t error;
    json_t *root = json_load_file(path, 0, &error), *e;
    track tracks[TRACKS] = {{0}};
    json_int_t last = 0;
    size_t i, names = 0, slices = 0;

    CHECK(root, "%s:%d: %s", path, error.line, error.text);
    json_array_foreach(json_object_get(root, "traceEvents"), i, e)
    {
        const char *phase = json_string_value(json_object_get(e, "ph"));
        if (!strcmp(phase, "M")) names++;
        else check_slice(e, tracks, clock_mhz);
        if (test_is_over) break;
    }
    json_decref(root);
    if (test_is_over) return;
    for (int t = 0; t < TRACKS; t++) {
        if (tracks[t].end_cycles > last) last = tracks[t].end_cycles;
        slices += tracks[t].slices;
        CHECK(tracks[t].busy_cycles <= last, "track %d is busy for longer than the run", t);
    }
    CHECK_EQ(names, 1 + 4);        /* the process; stream, array, vector, store */
    CHECK_EQ(last + 1, r->cycles); /* HALT has a cycle of its own */
    /* Beside its work, a slice of the vector unit is a cycle in the queue and one to retire. */
    const json_int_t vector_busy = (json_int_t)r->counters.vector_busy_cycles;
    CHECK(tracks[3].busy_cycles >= vector_busy &&
              tracks[3].busy_cycles <= vector_busy + 2 * (json_int_t)tracks[3].slices,
          "the vector unit's slices take %lld cycles, it was busy for %lld",
          (long long)tracks[3].busy_cycles, (long long)vector_busy);
    CHECK(slices > 100 && slices < r->counters.instructions, "%zu slices of %llu instructions",
          slices, (unsigned long long)r->counters.instructions);
}

static void timelines(void)
{
    static const char *const designs[] = {"ternary-edge", "ternary-hbm", "binary-edge"};
    char path[] = "/tmp/lpu_timeline_XXXXXX";
    const int fd = mkstemp(path);
    lpu_model m;

    CHECK(fd >= 0, "no temporary file");
    close(fd);
    CHECK_OK(tiny_model_init(&m, diag));
    m.layers = 4;
    for (size_t i = 0; i < sizeof(designs) / sizeof(designs[0]) && !test_is_over; i++) {
        lpu_design d;
        lpu_sim_result *plain = NULL, *drawn = NULL;
        CHECK_OK(lpu_design_load(&d, designs[i], diag));
        d.clock_mhz = 800;
        lpu_sim_request q = {.model = &m,
                             .design = &d,
                             .phase = i ? LPU_PHASE_PREFILL : LPU_PHASE_DECODE,
                             .tokens = i ? 20 : 1,
                             .context = 10,
                             .batch = 2};
        CHECK_OK(lpu_simulate(&plain, &q, diag));
        q.timeline_path = path;
        CHECK_OK(lpu_simulate(&drawn, &q, diag));
        check_file(path, drawn, d.clock_mhz);
        if (!test_is_over) CHECK_EQ(drawn->cycles, plain->cycles);
        lpu_simulate_close(&plain);
        lpu_simulate_close(&drawn);
    }
    unlink(path);
}

static void no_place_for_it(void)
{
    lpu_model m;
    lpu_design d;
    lpu_sim_result *r;
    lpu_diag diag = {""};
    const lpu_sim_request q = {.model = &m,
                               .design = &d,
                               .phase = LPU_PHASE_DECODE,
                               .tokens = 1,
                               .batch = 1,
                               .timeline_path = "/nowhere/timeline.json"};

    CHECK_EQ(tiny_model_init(&m, &diag), LPU_OK);
    CHECK_EQ(lpu_design_load(&d, "ternary-edge", &diag), LPU_OK);
    CHECK_EQ(lpu_simulate(&r, &q, &diag), LPU_ERR_IO);
    CHECK(!r && strstr(diag.text, "/nowhere/timeline.json"), "%s", diag.text);
}

int main(void)
{
    RUN(timelines);
    RUN(no_place_for_it);
    return test_failures != 0;
}
