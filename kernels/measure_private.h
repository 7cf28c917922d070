/* kernels/measure_private.h - what the parts of a measurement share. */
#ifndef LPU_KERNELS_MEASURE_PRIVATE_H
#define LPU_KERNELS_MEASURE_PRIVATE_H

#include "kernels/kernels.h"
#include "kernels/measure.h"
#include "kernels/meter.h"
#include "kernels/perf.h"
#include "kernels/stream.h"
#include "kernels/team.h"

enum {
    SHAPES_MAX = 8,
    TOKENS_MAX = 512,      /* of a product */
    READ_BYTES = 16 << 20, /* of one read for calibration */
    HEAD_ROWS = 8192,      /* of a slice of the head */
    GROUPS = 5,            /* q k v; o; gate up; down; head */
    SLICE_ROWS = 2560,     /* of a slice for many tokens: whole blocks of most layouts */
    APART = 16, /* elements between the rows of tokens: not all in a few sets of a cache */
    POOL_ALIGN = 4096,
};

/* Matrices of one shape. */
typedef struct lpu_bench_shape {
    char name[32];
    size_t count; /* in a layer */
    size_t rows, k;
    bool is_head;
} lpu_bench_shape;

typedef struct lpu_bench {
    const lpu_measure_options *options;
    lpu_measure *out;
    lpu_kernels k;
    lpu_team *team;
    lpu_meter meter;
    bool has_meter;
    lpu_perf perf; /* of the team that is at work */
    bool has_perf;
    uint8_t *pool;
    size_t pool_bytes, cursor;
    size_t x_elems, y_elems;
    int8_t *a8;  /* (tokens, longest k) */
    float *real; /* the same */
    uint16_t *bf16;
    lpu_group *groups; /* (tokens, longest k / 32) */
    void *y;           /* int32 or float */
    lpu_bench_shape shapes[SHAPES_MAX];
    size_t shape_count;
    lpu_samples of[LPU_LAYOUTS][GROUPS], read, peaks[LPU_PEAKS], barrier, unused;
    lpu_sample head[LPU_LAYOUTS]; /* of a token */
    double read_bytes_per_s;      /* by the last samples */
    double begin_ns, budget_ns;
    volatile uint64_t sink;
} lpu_bench;

/* Streams of the pool, multiplied one after the other. */
typedef struct lpu_bench_job {
    lpu_bench *b;
    lpu_stream of[3]; /* bytes of the pool */
    size_t count, tokens;
    size_t repeats;       /* of all of it; 0 is 1 */
    const lpu_kernels *k; /* NULL: the fastest */
} lpu_bench_job;

/* --- measure_job.c --- */

/* Shows how far the measurement is. */
void lpu_bench_tell(const lpu_bench *b);

/* Every member is awake and on a CPU when this returns. */
void lpu_bench_gather(lpu_bench *b);

/* Takes the next bytes of the pool, none of them in a cache. */
uint8_t *lpu_bench_next_bytes(lpu_bench *b, size_t bytes);

/* Adds a stream of the next bytes; runs the job and adds its time. */
void lpu_bench_add_stream(lpu_bench_job *j, lpu_layout layout, size_t rows, size_t k);
void lpu_bench_run_job(lpu_bench_job *j, lpu_samples *s);

/* A job of one stream. */
void lpu_bench_run_one(lpu_bench *b, lpu_layout layout, size_t rows, size_t k, size_t tokens,
                       lpu_samples *s);

/* At most so many rows. */
size_t lpu_bench_slice(size_t rows, size_t most);

/* --- measure_limits.c --- */

/* Reads memory, for b->read. */
void lpu_bench_sample_read(lpu_bench *b, size_t runs);

/* What b->read says, for the shares of what was measured in turns with it: NaN if it is noisy. */
void lpu_bench_keep_read(lpu_bench *b, lpu_measure_limits *limits);

/* The peaks of this team, its barrier, and a reading; limits keeps what was better before. */
void lpu_bench_measure_limits(lpu_bench *b, lpu_measure_limits *limits, double seconds);

/* --- measure_token.c --- */

/* One matrix of the model in every layout: b->out's products of thread count t. */
void lpu_bench_measure_shape(lpu_bench *b, size_t t, size_t index, double seconds);

void lpu_bench_init_token(const lpu_bench *b, lpu_measure_token *token, lpu_layout l);
void lpu_bench_measure_decode(lpu_bench *b, size_t t, double seconds);
void lpu_bench_measure_prefill(lpu_bench *b, lpu_measure_token *tokens, double seconds);

/* --- measure_points.c --- */

/* Batches of tokens with weights from memory and from the caches: b->out's points of this team. */
void lpu_bench_measure_points(lpu_bench *b, size_t t, double seconds);

#endif
