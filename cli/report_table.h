/* cli/report_table.h - the tables of the report: written cell by cell, read back as text. */
#ifndef LPU_CLI_REPORT_TABLE_H
#define LPU_CLI_REPORT_TABLE_H

#include "workloads/output.h"
#include "workloads/status.h"

#include <stddef.h>

typedef enum lpu_report_table_id {
#define LPU_REPORT_TABLE(name, text, columns) LPU_REPORT_##name,
#include "cli/report_tables.def"
#undef LPU_REPORT_TABLE
    LPU_REPORT_TABLES
} lpu_report_table_id;

const char *lpu_report_table_name(lpu_report_table_id id);

/* A table being written, row after row. A failure to write shows when it is committed. */
typedef struct lpu_report_writer {
    lpu_output *output;
    FILE *file;
    size_t columns, next;
} lpu_report_writer;

/* Opens <out>/tables/<name>.tsv and writes its first two lines. */
lpu_status lpu_report_writer_open(lpu_report_writer *w, const char *out, lpu_report_table_id id,
                                  lpu_diag *diag);
void lpu_report_text(lpu_report_writer *w, const char *text);
void lpu_report_number(lpu_report_writer *w, double value); /* "-" where it is not finite */
lpu_status lpu_report_writer_commit(lpu_report_writer *w, lpu_diag *diag);
void lpu_report_writer_close(lpu_report_writer *w);

/* A table read back: cells point into text. heads are row 0. */
typedef struct lpu_report_grid {
    char *text;
    char *note;   /* the comment of the first line */
    char **cells; /* (rows, columns) */
    size_t rows, columns;
} lpu_report_grid;

lpu_status lpu_report_grid_load(lpu_report_grid *g, const char *path, lpu_diag *diag);
void lpu_report_grid_free(lpu_report_grid *g);

/* Reads a whole file; *text ends in a zero byte and belongs to the caller. */
lpu_status lpu_report_file_load(char **text, const char *path, lpu_diag *diag);

#endif
