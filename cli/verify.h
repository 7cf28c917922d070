/* cli/verify.h - what lpu verify judges: an array, or a whole LPU. Private to cli/verify*.c and the
 * backend that runs on RTL. */
#ifndef LPU_CLI_VERIFY_H
#define LPU_CLI_VERIFY_H

#include "cli/array_options.h"
#include "cli/cli.h"
#include "sim/design.h"

#include <sys/types.h>

enum { LPU_VERIFY_PATH_BYTES = 4096 };

typedef struct lpu_verify_options {
    lpu_array_options array; /* with is_array */
    const char *rtl, *top, *build;
    const char *model, *design, *phase, *shape, *harness; /* of whole programs */
    const char *platform;                                 /* NULL: verilator */
    uint32_t tokens, context, decode, batch, random, faults, operations, stalls;
    uint32_t seed, cycles, stall_cycles;
    bool is_array, is_exact, is_json, has_no_waveform, is_systemc;
} lpu_verify_options;

/* The two judges. They print the verdict and return the exit code. */
int lpu_verify_array(const lpu_usage *usage, const lpu_verify_options *o);
int lpu_verify_top(const lpu_usage *usage, const lpu_verify_options *o);

/* ---- shared ---- */

/* build: what is kept from run to run; folder: of this run, in it. */
typedef struct lpu_verify_work {
    char build[LPU_VERIFY_PATH_BYTES - 64], folder[LPU_VERIFY_PATH_BYTES];
    bool is_kept; /* the folder stays: a message names a file in it */
} lpu_verify_work;

/* In build, else in the sources' build folder, else in the temporary one. */
lpu_status lpu_verify_open_work(lpu_verify_work *w, const char *build, lpu_diag *diag);
void       lpu_verify_close_work(lpu_verify_work *w);

lpu_status lpu_verify_check_top(const char *top, lpu_diag *diag);
/* absolute has PATH_MAX bytes. */
lpu_status lpu_verify_check_rtl(char *absolute, const char *path, lpu_diag *diag);

/* The first line of a file that begins with start ("" for any), else its last; "" without one. */
void       lpu_verify_read_line(const char *path, const char *start, char *line, size_t bytes);
lpu_status lpu_verify_no_verilator(lpu_diag *diag);

long long   lpu_verify_number(const json_t *object, const char *key);
const char *lpu_verify_text(const json_t *object, const char *key);

/* What rtl/lpu_top.v can be: LPU_ERR_RANGE and a sentence for other designs. */
lpu_status lpu_verify_check_design(const lpu_design *design, lpu_diag *diag);

/* The parameters of lpu_top, but for what follows from others. */
enum { LPU_VERIFY_PARAMETERS = 14 };
typedef struct lpu_verify_parameter {
    const char *name;
    uint32_t    value;
} lpu_verify_parameter;
void lpu_verify_parameters(lpu_verify_parameter parameters[LPU_VERIFY_PARAMETERS],
                           const lpu_design *design, uint32_t program_depth);

/* Builds the harness around the whole LPU of a design: program has LPU_VERIFY_PATH_BYTES. rtl is
 * absolute. kind is "speed", "trace" or "coverage". Refuses, with a sentence, a design that
 * rtl/lpu_top.v cannot be. */
lpu_status lpu_verify_build_top(char *program, const lpu_verify_work *w, const lpu_design *design,
                                const char *rtl, const char *top, const char *kind, lpu_diag *diag);
/* The same with TLM-2.0 platforms around it and around the simulator: sim/systemc/main.cc. */
lpu_status lpu_verify_build_systemc(char *program, const lpu_verify_work *w,
                                    const lpu_design *design, const char *rtl, const char *top,
                                    lpu_diag *diag);

/* Waits for the end of a process: its state, as waitpid gives it. */
int lpu_verify_wait(pid_t pid);

#endif
