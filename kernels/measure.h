/* kernels/measure.h - how fast this CPU does the matrix products of a model: ternary beside FP16.
 *
 * Weights are streamed from memory that is larger than the caches. Everything that is compared is
 * timed in turns, within one run, beside the machine's own limits. Only products are timed: norms,
 * attention over the cache and the like are not in it.
 */
#ifndef LPU_KERNELS_MEASURE_H
#define LPU_KERNELS_MEASURE_H

#include "kernels/layout.h"
#include "kernels/sample.h"
#include "workloads/model.h"
#include "workloads/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LPU_MEASURE_PRODUCTS_MAX = 8 * LPU_LAYOUTS * 2,
    LPU_MEASURE_PREFILL_TOKENS = 128,
    LPU_MEASURE_BATCHES = 7, /* of points */
    LPU_MEASURE_POINTS_MAX = LPU_LAYOUTS * LPU_MEASURE_BATCHES * 2 * 2,
};

/* Kinds of products, each with a peak: in registers, and for ternary ones with lookups beside. */
typedef enum lpu_measure_peak {
    LPU_PEAK_I8,
    LPU_PEAK_TERNARY, /* of many tokens: multiplied and looked up at once (lookup.h) */
    LPU_PEAK_BF16,
    LPU_PEAK_F32,
    LPU_PEAKS
} lpu_measure_peak;

/* "int8", "ternary"; in names of columns and keys: "i8", "ternary". */
const char *lpu_measure_peak_title(lpu_measure_peak peak);
const char *lpu_measure_peak_name(lpu_measure_peak peak);

/* The machine at its best, with a number of threads: the fastest tenth of the runs. */
typedef struct lpu_measure_limits {
    uint32_t threads;
    /* Memory to registers, several streams, prefetched: of the best and of the slowest part of the
     * run. Shares of it are of the part that they were measured in. */
    double read_bytes_per_s, least_read_bytes_per_s;
    double macs_per_s[LPU_PEAKS];
    double barrier_ns; /* of a job without work: median */
    bool is_noisy;     /* of the samples, any but the barrier's, or the parts of the run */
} lpu_measure_limits;

/* The peak of the products that the kernels of a layout make for so many tokens. */
double lpu_measure_peak_of(const lpu_measure_limits *limits, lpu_layout layout, size_t tokens);

/* One matrix shape of a decode token, in one layout, with one token. */
typedef struct lpu_measure_product {
    char name[32]; /* "q, o": the matrices of this shape */
    bool is_head;
    lpu_layout layout;
    uint32_t threads;
    size_t rows, k;
    uint64_t bytes; /* of the stream */
    lpu_sample time;
    double weights_per_s, bytes_per_s;
    double bandwidth_share; /* bytes_per_s over reading memory in turns with it */
} lpu_measure_product;

/* A batch of tokens times a slice of the largest matrix of a layer: a point under a roofline. */
typedef struct lpu_measure_point {
    lpu_layout layout;
    uint32_t threads;
    bool is_hot; /* weights in the caches next to the core; else from memory */
    size_t tokens, rows, k;
    uint64_t bytes; /* of the weights, as they stream */
    lpu_sample time;
    double macs_per_s, bytes_per_s, macs_per_byte;
    double peak_share;      /* of the products in registers, of the format's own kind */
    double bandwidth_share; /* of reading memory; may be above 1 where is_hot */
    double times_c;         /* faster than portable C; hot and one token only, else 0 */
    bool has_counts;        /* the processor's counters could be read */
    double macs_per_cycle, instructions_per_cycle; /* of one run, all threads */
} lpu_measure_point;

/* All the products of a token. The head of integer weights is int8, of Q4_0 Q8_0.
 */
typedef struct lpu_measure_token {
    lpu_layout layout;
    uint32_t threads;
    uint32_t layers, layers_timed; /* fewer are timed where all do not fit; times are scaled up */
    uint64_t bytes;                /* of all layers and the head */
    lpu_sample decode;
    double decode_tokens_per_s, bandwidth_share;
    lpu_sample prefill; /* LPU_MEASURE_PREFILL_TOKENS tokens; the last one's head */
    double prefill_tokens_per_s;
    bool has_joules; /* the processor has a meter that this user may read */
    double joules_per_token;
} lpu_measure_token;

/* Products and tokens are sorted by threads, then layout, then order in the model. */
typedef struct lpu_measure {
    char isa[32]; /* of the kernels: "avx512vnni" */
    size_t memory_bytes;
    uint32_t threads_counts, threads[2];
    lpu_measure_limits limits[2];
    size_t product_count, token_count;
    lpu_measure_product products[LPU_MEASURE_PRODUCTS_MAX];
    lpu_measure_token tokens[LPU_LAYOUTS * 2];
    size_t point_count;
    lpu_measure_point points[LPU_MEASURE_POINTS_MAX];
} lpu_measure;

typedef struct lpu_measure_options {
    const lpu_model *model;
    uint32_t threads;    /* 1 and this many are measured; 0: all cores */
    double seconds;      /* about; 0: 120 */
    size_t memory_bytes; /* for the weights; 0: 2 GB, or a quarter of the machine's memory */
    bool has_points;     /* measure the points too */
    void (*progress)(void *user, double share); /* NULL: nobody looks */
    void *user;
} lpu_measure_options;

/* Measures. LPU_ERR_RANGE where a matrix of the model does not fit memory_bytes. */
lpu_status lpu_measure_run(lpu_measure *out, const lpu_measure_options *options, lpu_diag *diag);

/* The rows of a result; NULL where there is none. threads is one of out->threads. */
const lpu_measure_token *lpu_measure_find_token(const lpu_measure *m, lpu_layout layout,
                                                uint32_t threads);
const lpu_measure_product *lpu_measure_find_product(const lpu_measure *m, const char *name,
                                                    lpu_layout layout, uint32_t threads);

#endif
