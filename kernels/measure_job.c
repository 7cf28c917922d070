/* kernels/measure_job.c - one timed step: products of weights that are never in a cache.
 *
 * All runs take their weights from one pool, one after the other, going round: what a run reads is
 * what was read longest ago, by any run.
 */
#include "kernels/measure_private.h"

void lpu_bench_tell(const lpu_bench *b)
{
    if (!b->options->progress) return;
    const double share = (lpu_sample_now_ns() - b->begin_ns) / b->budget_ns;
    b->options->progress(b->options->user, share < 1 ? share : 1);
}

/* One stream; y is where its output begins. */
static void multiply(const lpu_bench *b, const lpu_kernels *k, const lpu_stream *s, size_t at,
                     size_t tokens, size_t member, size_t members)
{
    const size_t x_stride = b->x_elems / TOKENS_MAX, y_stride = s->rows + APART;
    float *real = (float *)b->y + at;
    size_t rows;

    if (s->layout == LPU_LAYOUT_F16) {
        lpu_stream_multiply_f32(s, k, real, y_stride, b->real, x_stride, tokens, member, members,
                                &rows);
    } else if (s->layout == LPU_LAYOUT_BF16) {
        lpu_stream_multiply_bf16(s, k, real, y_stride, b->bf16, x_stride, tokens, member, members,
                                 &rows);
    } else if (s->layout == LPU_LAYOUT_Q8 || s->layout == LPU_LAYOUT_Q4) {
        lpu_stream_multiply_groups(s, k, real, y_stride, b->a8, x_stride, b->groups, tokens, member,
                                   members, &rows);
    } else {
        const lpu_stream_split p = lpu_stream_split_work(tokens, member, members);
        int32_t *y = (int32_t *)b->y + at + p.first * y_stride;
        lpu_stream_multiply_i32(s, k, y, y_stride, b->a8 + p.first * x_stride, x_stride, p.tokens,
                                lpu_team_room(b->team, member), p.member, p.members, &rows);
    }
}

static void job_work(void *arg, size_t member, size_t members)
{
    const lpu_bench_job *j = arg;
    const lpu_kernels *k = j->k ? j->k : &j->b->k;
    const size_t turns = j->count * (j->repeats ? j->repeats : 1);
    size_t at = 0;

    for (size_t i = 0; i < turns; i++) {
        const lpu_stream *s = &j->of[i % j->count];
        multiply(j->b, k, s, at, j->tokens, member, members);
        at = (i + 1) % j->count ? at + j->tokens * (s->rows + APART) : 0;
    }
}

/* Takes the next bytes of the pool. */
uint8_t *lpu_bench_next_bytes(lpu_bench *b, size_t bytes)
{
    if (bytes > b->pool_bytes - b->cursor) b->cursor = 0;
    uint8_t *from = b->pool + b->cursor;
    b->cursor += (bytes + POOL_ALIGN - 1) / POOL_ALIGN * POOL_ALIGN;
    if (b->cursor > b->pool_bytes) b->cursor = b->pool_bytes;
    return from;
}

void lpu_bench_add_stream(lpu_bench_job *j, lpu_layout layout, size_t rows, size_t k)
{
    const size_t bytes = lpu_layout_bytes(layout, rows, k);
    j->of[j->count++] = (lpu_stream){.layout = layout,
                                     .rows = rows,
                                     .k = k,
                                     .block_rows = lpu_layout_block_rows(layout),
                                     .block_bytes = lpu_layout_block_bytes(layout, k),
                                     .bytes = bytes,
                                     .w = lpu_bench_next_bytes(j->b, bytes)};
}

static void no_work(void *arg, size_t member, size_t members)
{
    (void)arg;
    (void)member;
    (void)members;
}

/* Every member is awake and on a CPU when this returns. */
void lpu_bench_gather(lpu_bench *b)
{
    lpu_team_run(b->team, no_work, NULL);
}

void lpu_bench_run_job(lpu_bench_job *j, lpu_samples *s)
{
    lpu_bench_gather(j->b);
    const lpu_stopwatch w = lpu_sample_start();
    lpu_team_run(j->b->team, job_work, j);
    lpu_sample_stop(&w, s);
}

void lpu_bench_run_one(lpu_bench *b, lpu_layout layout, size_t rows, size_t k, size_t tokens,
                       lpu_samples *s)
{
    lpu_bench_job j = {.b = b, .tokens = tokens};
    lpu_bench_add_stream(&j, layout, rows, k);
    lpu_bench_run_job(&j, s);
}

size_t lpu_bench_slice(size_t rows, size_t most)
{
    return rows < most ? rows : most;
}
