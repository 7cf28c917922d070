/* cli/table.c - text tables, and numbers with SI prefixes. */
#include "cli/cli.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct lpu_table {
    size_t columns, cells, room;
    char **text; /* (cells), heads first, row after row; each is owned */
};

/* A table is the last thing a command makes: without memory for it there is nothing to fall back
 * to. */
static void *need(void *memory)
{
    if (memory) return memory;
    fprintf(stderr, "lpu: out of memory for a table\n");
    exit(LPU_EXIT_FAILED);
}

static void append(lpu_table *t, char *text)
{
    if (t->cells == t->room) {
        t->room = 2 * t->room + 16;
        t->text = need(realloc(t->text, t->room * sizeof(*t->text)));
    }
    t->text[t->cells++] = text;
}

lpu_table *lpu_table_open(size_t columns, const char *const *heads)
{
    lpu_table *t = need(calloc(1, sizeof(*t)));

    t->columns = columns;
    for (size_t i = 0; i < columns; i++) append(t, need(strdup(heads[i])));
    return t;
}

void lpu_table_cell(lpu_table *t, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    const int bytes = vsnprintf(NULL, 0, format, args);
    va_end(args);

    char *text = need(bytes < 0 ? NULL : malloc((size_t)bytes + 1));
    vsnprintf(text, (size_t)bytes + 1, format, again);
    va_end(again);
    append(t, text);
}

/* Columns on the screen: UTF-8 characters, not bytes. */
static size_t width(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* A number, alone or with a unit: "12", "-3.5%", "41.2x", "12.3 mJ"; not "45nm" and not "2B4T". */
static bool is_number(const char *text)
{
    char *end;

    if (!strchr("+-.0123456789", *text)) return false;
    strtod(text, &end);
    return end != text && (!*end || *end == ' ' || !strcmp(end, "%") || !strcmp(end, "x"));
}

/* A column goes to the right when it holds numbers and, beside them, only empty cells and dashes.
 */
static bool is_right(const lpu_table *t, size_t column)
{
    bool has_number = false;

    for (size_t i = t->columns + column; i < t->cells; i += t->columns) {
        const char *text = t->text[i];
        if (!*text || !strcmp(text, "-")) continue;
        if (!is_number(text)) return false;
        has_number = true;
    }
    return has_number;
}

static void pad(FILE *file, size_t columns, char with)
{
    while (columns--) fputc(with, file);
}

static void print_cell(const lpu_table *t, FILE *file, size_t i, size_t columns, bool to_right)
{
    const bool is_last = i % t->columns + 1 == t->columns || i + 1 == t->cells;
    const size_t spare = columns - width(t->text[i]);

    if (to_right) pad(file, spare, ' ');
    fputs(t->text[i], file);
    if (is_last) {
        fputc('\n', file);
    } else {
        pad(file, (to_right ? 0 : spare) + 2, ' ');
    }
}

void lpu_table_print(const lpu_table *t, FILE *file)
{
    size_t *columns = need(calloc(t->columns + 1, sizeof(*columns)));
    bool *to_right = need(calloc(t->columns + 1, sizeof(*to_right)));

    for (size_t i = 0; i < t->cells; i++) {
        const size_t w = width(t->text[i]);
        if (w > columns[i % t->columns]) columns[i % t->columns] = w;
    }
    for (size_t c = 0; c < t->columns; c++) to_right[c] = is_right(t, c);
    for (size_t i = 0; i < t->cells; i++) {
        print_cell(t, file, i, columns[i % t->columns], to_right[i % t->columns]);
        if (i + 1 != t->columns) continue;
        for (size_t c = 0; c < t->columns; c++) {
            pad(file, columns[c], '-');
            fputs(c + 1 < t->columns ? "  " : "\n", file);
        }
    }
    free(columns);
    free(to_right);
}

void lpu_table_close(lpu_table **t)
{
    if (!*t) return;
    for (size_t i = 0; i < (*t)->cells; i++) free((*t)->text[i]);
    free((*t)->text);
    free(*t);
    *t = NULL;
}

const char *lpu_cli_si(char *buffer, double value, const char *unit)
{
    static const char *const prefixes[] = {"a", "f", "p", "n", "µ", "m", "",
                                           "k", "M", "G", "T", "P", "E"};
    enum { BUFFER_BYTES = 32, ONE = 6, PREFIXES = sizeof(prefixes) / sizeof(prefixes[0]) };

    int p = ONE;
    double magnitude = fabs(value);

    if (magnitude > 0 && isfinite(magnitude)) {
        for (; magnitude >= 999.5 && p + 1 < PREFIXES; p++) magnitude /= 1000;
        for (; magnitude < 0.9995 && p > 0; p--) magnitude *= 1000;
    }
    const int decimals = magnitude == 0 ? 0 : magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0;

    snprintf(buffer, BUFFER_BYTES, "%.*f%s%s%s", decimals, copysign(magnitude, value),
             *prefixes[p] || *unit ? " " : "", prefixes[p], unit);
    return buffer;
}
