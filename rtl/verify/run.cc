/* rtl/verify/run.cc - drives the four streams of an array and watches what comes back.
 *
 * The harness keeps the rules it asks for: a word that is offered stays, with its data, until it is
 * taken. Its dice depend on seed, stream and cycle alone, so two arrays of the same timing see the
 * same inputs in the same cycles.
 */
#include "rtl/verify/run.hh"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace
{

enum { CMD, W, X, Y, STREAMS };
enum { EXTRA_CYCLES = 16, ALARM_CYCLES = 256, ALARM_S = 60 };

struct runner {
    const lpu_array_work *work;
    const run_pace *pace;
    uint64_t seed, cycle, moved_at;
    lpu_array *model; /* NULL: the RTL */
    size_t at[STREAMS], count[STREAMS];
    bool is_offered[3];
    size_t done_cmds, done_x, owed_y; /* tiles whose vectors were all taken; beats they owe */
    bool was_waiting;                 /* y_valid without y_ready in the cycle before */
    std::vector<int32_t> held;        /* y_data of that cycle */
    run_result result;
};

bool dice(const runner *r, int stream, uint32_t chance)
{
    uint64_t state = r->seed + 0x632be59bd9b4e019u * (r->cycle * STREAMS + (uint64_t)stream);
    return (lpu_array_work_next(&state) & 255) < chance;
}

void fail(runner *r, run_fault fault, const char *text)
{
    if (r->result.fault) return;
    r->result.fault = fault;
    r->result.text = text;
}

/* The inputs of this cycle. */
void offer(runner *r, lpu_array_in *in, bool y_was_valid)
{
    const uint32_t chances[] = {r->pace->cmd, r->pace->w, r->pace->x};
    const lpu_array_work *work = r->work;

    for (int s = CMD; s < Y; s++) {
        if (r->at[s] < r->count[s] && !r->is_offered[s]) r->is_offered[s] = dice(r, s, chances[s]);
    }
    *in = {};
    in->cmd_valid = r->is_offered[CMD];
    in->w_valid = r->is_offered[W];
    in->x_valid = r->is_offered[X];
    in->y_ready = dice(r, Y, r->pace->y) && (!r->pace->y_waits || y_was_valid);
    if (in->cmd_valid) in->cmd = work->cmds[r->at[CMD]];
    in->w_data = work->beats + r->at[W] * work->config.lines * work->line_bytes;
    in->x_data = work->vectors + r->at[X] * work->config.cols;
}

void eval(runner *r, const lpu_array_in *in, port_out *out)
{
    lpu_array_out now;
    if (!r->model) return rtl_eval(in, out);
    lpu_array_outputs(r->model, &now);
    *out = {now.cmd_ready, now.w_ready, now.x_ready, now.y_valid, now.is_idle, now.y_data};
}

void clock(runner *r, const lpu_array_in *in)
{
    if (r->model) lpu_array_step(r->model, in);
    else if (!rtl_clock()) fail(r, RUN_FINISHED, "the Verilog called $finish");
}

void watch_y(runner *r, const port_out *out)
{
    const lpu_array_work *work = r->work;
    char text[160];

    if (r->was_waiting && !out->y_valid)
        fail(r, RUN_PROTOCOL, "y_valid_o fell before y_ready_i took the beat");
    if (!out->y_valid) return;
    if (r->at[Y] >= r->owed_y) {
        snprintf(text, sizeof(text),
                 "y_valid_o rose with no sums due: %zu beats were taken, %zu %s", r->at[Y],
                 r->owed_y, r->owed_y == r->count[Y] ? "are all there are" : "could be ready");
        return fail(r, RUN_PROTOCOL, text);
    }
    const uint32_t lanes = work->ys[r->at[Y]].lanes;
    for (uint32_t i = 0; r->was_waiting && i < lanes; i++) {
        if (r->held[i] == out->y[i]) continue;
        snprintf(text, sizeof(text),
                 "y_data_o lane %u changed from %d to %d while the beat waited for y_ready_i", i,
                 r->held[i], out->y[i]);
        return fail(r, RUN_PROTOCOL, text);
    }
}

/* Where else in the same drain the found value belongs, as a hint; 0 belongs everywhere. */
std::string belongs(const lpu_array_work *work, size_t y, int32_t found)
{
    const uint32_t lanes = work->config.out_lanes;
    const int32_t expected = work->expected[y * lanes];
    char text[96] = "";

    for (size_t i = 0; found && i < work->y_count && !*text; i++) {
        if (work->ys[i].tile != work->ys[y].tile) continue;
        for (uint32_t lane = 0; lane < work->ys[i].lanes && !*text; lane++) {
            if (work->expected[i * lanes + lane] != found) continue;
            snprintf(text, sizeof(text), "; that is the sum of pass %u, row %u", work->ys[i].pass,
                     work->ys[i].row + lane);
        }
    }
    if (!*text && lanes == 1 && found == -expected) return "; the sign is wrong";
    return text;
}

void compare(runner *r, const int32_t *y)
{
    const lpu_array_work *work = r->work;
    const lpu_array_beat *beat = &work->ys[r->at[Y]];
    run_result *result = &r->result;

    for (uint32_t i = 0; i < beat->lanes; i++) {
        const int32_t expected = work->expected[r->at[Y] * work->config.out_lanes + i];
        result->sums++;
        if (y[i] == expected || result->fault) continue;
        result->tile = beat->tile;
        result->pass = beat->pass;
        result->row = beat->row + i;
        result->lane = i;
        result->expected = expected;
        result->found = y[i];
        char text[256];
        snprintf(
            text, sizeof(text),
            "tile %u (sum of %u tiles), pass %u, row %u, lane %u of rows %u to %u: expected %d, "
            "found %d",
            beat->tile, beat->tiles, beat->pass, beat->row + i, i, beat->row,
            beat->row + beat->lanes - 1, expected, y[i]);
        fail(r, RUN_VALUE, (text + belongs(work, r->at[Y], y[i])).c_str());
    }
}

/* Which tiles are through after a vector was taken. */
void count_vector(runner *r)
{
    const lpu_array_work *work = r->work;

    r->result.passes++;
    if (++r->done_x < work->cmds[r->done_cmds].passes) return;
    r->done_x = 0;
    while (r->owed_y < work->y_count && work->ys[r->owed_y].tile == r->done_cmds) r->owed_y++;
    r->done_cmds++;
}

void move(runner *r, int stream)
{
    r->result.moved[stream].push_back(r->cycle);
    r->moved_at = r->cycle;
    r->at[stream]++;
    if (stream != Y) r->is_offered[stream] = false;
}

void transfer(runner *r, const lpu_array_in *in, const port_out *out)
{
    if (out->is_idle && (r->at[CMD] > r->done_cmds || r->owed_y > r->at[Y]))
        fail(r, RUN_PROTOCOL, "idle_o is high with commands taken whose sums are not all out");
    if (in->cmd_valid && out->cmd_ready) move(r, CMD);
    if (in->w_valid && out->w_ready) move(r, W);
    if (in->x_valid && out->x_ready) {
        if (r->done_cmds >= r->at[CMD])
            return fail(r, RUN_PROTOCOL, "x_ready_o took a vector for which no command was taken");
        move(r, X);
        count_vector(r);
    }
    if (!r->result.fault && out->y_valid && in->y_ready) {
        compare(r, out->y);
        move(r, Y);
    }
}

bool is_done(const runner *r)
{
    for (int s = CMD; s < STREAMS; s++)
        if (r->at[s] < r->count[s]) return false;
    return true;
}

void explain_stuck(runner *r, const port_out *out, uint64_t bound_cycles)
{
    char text[320];
    snprintf(
        text, sizeof(text),
        "nothing moved for %llu cycles: taken %zu of %zu commands, %zu of %zu beats, %zu of %zu "
        "vectors, given %zu of %zu beats of sums; cmd_ready_o %d, w_ready_o %d, x_ready_o %d, "
        "y_valid_o %d, idle_o %d%s",
        (unsigned long long)bound_cycles, r->at[CMD], r->count[CMD], r->at[W], r->count[W],
        r->at[X], r->count[X], r->at[Y], r->count[Y], out->cmd_ready, out->w_ready, out->x_ready,
        out->y_valid, out->is_idle, r->pace->y_waits ? " (y_ready_i waits for y_valid_o)" : "");
    fail(r, RUN_STUCK, text);
}

/* One clock. Returns whether the array is idle with everything done. */
bool step(runner *r, port_out *out, uint64_t bound_cycles)
{
    lpu_array_in in;
    const bool y_was_valid = out->y_valid;

    if (r->cycle % ALARM_CYCLES == 0) alarm(ALARM_S); /* an evaluation that never ends */
    offer(r, &in, y_was_valid);
    eval(r, &in, out);
    watch_y(r, out);
    if (!r->result.fault) transfer(r, &in, out);
    r->was_waiting = out->y_valid && !in.y_ready;
    if (r->was_waiting) r->held.assign(out->y, out->y + r->work->config.out_lanes);
    const bool is_over = is_done(r) && out->is_idle;
    if (r->cycle - r->moved_at > bound_cycles) explain_stuck(r, out, bound_cycles);
    if (!r->result.fault) clock(r, &in);
    return is_over;
}

} // namespace

run_result run_work(const lpu_array_work *work, bool is_model, const run_pace *pace, uint64_t seed,
                    uint64_t bound_cycles, uint64_t stop_cycles)
{
    runner r = {};
    port_out out = {};
    lpu_diag diag;
    bool is_over = false;

    r.work = work;
    r.pace = pace;
    r.seed = seed;
    const size_t counts[] = {work->cmd_count, work->beat_count, work->vector_count, work->y_count};
    memcpy(r.count, counts, sizeof(counts));
    if (is_model && lpu_array_open(&r.model, &work->config, &diag)) {
        fail(&r, RUN_STUCK, diag.text);
        return r.result;
    }
    while (!is_over && !r.result.fault && r.cycle < stop_cycles) {
        is_over = step(&r, &out, bound_cycles);
        if (!r.result.fault) r.cycle++;
    }
    r.result.cycles = r.cycle;
    for (int i = 0; is_over && i < EXTRA_CYCLES && !r.result.fault; i++, r.cycle++)
        step(&r, &out, bound_cycles);
    alarm(0);
    if (r.model) lpu_array_close(&r.model);
    return r.result;
}

std::string run_compare_cycles(const run_result *rtl, const run_result *model)
{
    static const char *const names[] = {"command", "beat of weights", "vector", "beat of sums"};
    char text[128];

    for (int s = Y; s >= CMD; s--) {
        for (size_t i = 0; i < rtl->moved[s].size() && i < model->moved[s].size(); i++) {
            if (rtl->moved[s][i] == model->moved[s][i]) continue;
            snprintf(text, sizeof(text), "%s %zu moved in cycle %llu, in the golden model in %llu",
                     names[s], i, (unsigned long long)rtl->moved[s][i],
                     (unsigned long long)model->moved[s][i]);
            return text;
        }
    }
    if (rtl->cycles == model->cycles) return "";
    snprintf(text, sizeof(text), "idle after %llu cycles, the golden model after %llu",
             (unsigned long long)rtl->cycles, (unsigned long long)model->cycles);
    return text;
}
