/* energy_model/tsv.c - finds and reads tables of prices. */
#include "energy_model/tsv.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 1024 };

static const char prices_dir[] = "energy_model/prices";
static const char ending[] = ".tsv";

static bool begins_with(const char *text, const char *prefix)
{
    return !strncmp(text, prefix, strlen(prefix));
}

static bool is_table(const char *file)
{
    const size_t bytes = strlen(file), tail = strlen(ending);
    return bytes > tail && !strcmp(file + bytes - tail, ending);
}

/* "found no table "x" in DIR, expected one of a, b": the names that begin with prefix. */
static lpu_status no_table(const char *dir, const char *prefix, const char *name, lpu_diag *diag)
{
    char names[300] = "";
    struct dirent **files = NULL;
    const int count = scandir(dir, &files, NULL, alphasort);

    if (count < 0) return lpu_fail(diag, LPU_ERR_IO, "%s: %s", dir, strerror(errno));
    for (int i = 0; i < count; i++) {
        const char *file = files[i]->d_name;
        const size_t at = strlen(names);
        if (is_table(file) && begins_with(file, prefix)) {
            snprintf(names + at, sizeof(names) - at, "%s%.*s", at ? ", " : "",
                     (int)(strlen(file) - strlen(ending)), file);
        }
        free(files[i]);
    }
    free(files);
    return lpu_fail(diag, LPU_ERR_IO, "found no table \"%s\" in %s, expected one of %s", name, dir,
                    names);
}

lpu_status lpu_tsv_open(lpu_tsv *tsv, const char *prefix, const char *name, lpu_diag *diag)
{
    const char *home = getenv("LPU_HOME");
    char dir[LPU_TSV_PATH_BYTES / 2];
    int bytes;

    *tsv = (lpu_tsv){.file = NULL};
    bytes = snprintf(dir, sizeof(dir), "%s/%s", home && *home ? home : LPU_SOURCE_HOME, prices_dir);
    if (bytes >= (int)sizeof(dir)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "%s: the path has %d bytes, expected at most %zu", dir,
                        bytes, sizeof(dir) - 1);
    }

    const bool is_path = is_table(name);
    if (is_path) {
        bytes = snprintf(tsv->path, sizeof(tsv->path), "%s", name);
    } else {
        bytes = snprintf(tsv->path, sizeof(tsv->path), "%s/%s%s%s", dir,
                         begins_with(name, prefix) ? "" : prefix, name, ending);
    }
    if (bytes >= (int)sizeof(tsv->path)) {
        return lpu_fail(diag, LPU_ERR_RANGE, "%.64s...: the name has more than %zu bytes", name,
                        sizeof(tsv->path) - 1);
    }

    tsv->file = fopen(tsv->path, "re");
    if (tsv->file) return LPU_OK;
    if (errno == ENOENT && !is_path) return no_table(dir, prefix, name, diag);
    return lpu_fail(diag, LPU_ERR_IO, "%s: cannot open: %s", tsv->path, strerror(errno));
}

void lpu_tsv_close(lpu_tsv *tsv)
{
    if (tsv->file) fclose(tsv->file);
    tsv->file = NULL;
}

/* The next line that holds a row, without its end. LPU_DONE when there is none. */
static lpu_status next_line(lpu_tsv *tsv, char *line, lpu_diag *diag)
{
    for (;;) {
        if (!fgets(line, LINE_BYTES, tsv->file)) {
            if (!ferror(tsv->file)) return LPU_DONE;
            return lpu_fail(diag, LPU_ERR_IO, "%s:%zu: cannot read on: %s", tsv->path,
                            tsv->line + 1, strerror(errno));
        }
        tsv->line++;
        const size_t bytes = strlen(line);
        if ((bytes == 0 || line[bytes - 1] != '\n') && !feof(tsv->file)) {
            return lpu_fail(diag, LPU_ERR_FORMAT,
                            "%s:%zu: found a line of %d bytes or more, or a zero byte, expected "
                            "a line of text",
                            tsv->path, tsv->line, LINE_BYTES - 1);
        }
        line[strcspn(line, "\r\n")] = '\0';
        const char *text = line + strspn(line, " \t");
        if (*text && *text != '#') return LPU_OK;
    }
}

/* Cuts the next word off *at and moves it behind the word and its spaces. */
static char *word(char **at)
{
    char *begin = *at + strspn(*at, " \t");
    char *end = begin + strcspn(begin, " \t");

    *at = end + strspn(end, " \t");
    *end = '\0';
    return begin;
}

/* A plain decimal, 0 or more: no sign, no hexadecimal, no "inf". */
static bool read_price(const char *text, double *value)
{
    char *end;

    if (!isdigit((unsigned char)*text) || text[strspn(text, "0123456789.eE+-")]) return false;
    *value = strtod(text, &end);
    return !*end && isfinite(*value);
}

lpu_status lpu_tsv_read(lpu_tsv *tsv, lpu_tsv_row *row, lpu_diag *diag)
{
    char line[LINE_BYTES];
    const lpu_status status = next_line(tsv, line, diag);

    if (status) return status;

    char *at = line;
    const char *name = word(&at);
    const char *price = word(&at);
    *row = (lpu_tsv_row){.is_free = !strcmp(price, "free")};

    if (strlen(name) >= sizeof(row->name)) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "%s:%zu: found a name of %zu bytes, expected at most %zu", tsv->path,
                        tsv->line, strlen(name), sizeof(row->name) - 1);
    }
    if (!row->is_free && !read_price(price, &row->value)) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "%s:%zu: the price of %s is \"%.40s\", expected picojoules or `free`",
                        tsv->path, tsv->line, name, price);
    }
    for (size_t bytes = strlen(at); bytes > 0 && strchr(" \t", at[bytes - 1]);) at[--bytes] = '\0';
    if (!*at) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s:%zu: the price of %s has no source, expected %s",
                        tsv->path, tsv->line, name,
                        row->is_free ? "the reason why it is free" : "its citation");
    }
    if (strlen(at) >= sizeof(row->source)) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "%s:%zu: the source of %s has %zu bytes, expected at most %zu", tsv->path,
                        tsv->line, name, strlen(at), sizeof(row->source) - 1);
    }
    memcpy(row->name, name, strlen(name) + 1);
    memcpy(row->source, at, strlen(at) + 1);
    return LPU_OK;
}
