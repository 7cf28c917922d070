/* cli/cli.h - what the subcommands share: options, tables, progress, exit codes. */
#ifndef LPU_CLI_CLI_H
#define LPU_CLI_CLI_H

#include "workloads/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes: 0 done, 1 the work failed, 2 the command line was wrong. */
enum { LPU_EXIT_OK = 0, LPU_EXIT_FAILED = 1, LPU_EXIT_USAGE = 2 };

#define LPU_COMMAND(name, text) int lpu_command_##name(int argc, char **argv);
#include "cli/commands.def"
#undef LPU_COMMAND

/* One option of a subcommand. Exactly one of the targets is set. */
typedef struct lpu_option {
    const char  *name;  /* "--model" */
    const char  *value; /* "NAME" in the help, NULL for a flag */
    const char  *text;
    const char **string;
    uint32_t    *number; /* a decimal from 0 to 2^32 - 1 */
    bool        *flag;
} lpu_option;

typedef struct lpu_usage {
    const char       *name;     /* "sim" */
    const char       *text;     /* one sentence */
    const char       *examples; /* lines of commands that work as they stand */
    const lpu_option *options;  /* ends with a NULL name */
    const char       *operands; /* "FILE..." or NULL */
} lpu_usage;

/* Reads argv[1..] into the targets ("--name value" and "--name=value"). Returns the index of the
 * first operand; after --help or an error it has printed what is due, and *exit_code is set (>= 0),
 * to be returned at once; else *exit_code is -1. */
int lpu_cli_parse(const lpu_usage *usage, int argc, char **argv, int *exit_code);

/* Prints "lpu NAME: sentence" to stderr and returns LPU_EXIT_FAILED. */
int lpu_cli_fail(const lpu_usage *usage, const lpu_diag *diag);

/* A text table: columns as wide as their cells, numbers to the right. Cells are copied. */
typedef struct lpu_table lpu_table;
lpu_table *lpu_table_open(size_t columns, const char *const *heads);
void       lpu_table_cell(lpu_table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* the next cell, row after row */
void lpu_table_print(const lpu_table *t, FILE *file);
void lpu_table_close(lpu_table **t);

/* "12.3 mJ", "45.6 GB/s": value with an SI prefix and three digits; buffer has 32 bytes. */
const char *lpu_cli_si(char *buffer, double value, const char *unit);

/* A progress bar on stderr, on a terminal only, shown after half a second: share is 0 to 1. */
typedef struct lpu_progress {
    const char *text;
    double      begin_s, last_s;
    bool        is_shown;
} lpu_progress;
void lpu_progress_init(lpu_progress *p, const char *text);
void lpu_progress_show(void *p, double share);
void lpu_progress_end(lpu_progress *p);

/* Prints a JSON object on stdout, indented, and releases it. */
void lpu_cli_print_json(json_t *object);

#endif
