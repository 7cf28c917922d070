/* workloads/yaml.c - reads YAML files by schema, and finds those that ship; see yaml.h. */
#include "workloads/yaml.h"

#include "workloads/yaml_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_BYTES_MAX = 1 << 20, /* a description of a machine or model is a page, not a megabyte */
    NAME_MAX_BYTES = 64,      /* names longer than this are not compared for likeness */
    TOLD_MAX = 16,            /* names that a message lists */
};

/* What libcyaml logs during one load, line after line, joined by "; ". */
typedef struct log_text {
    char text[400];
} log_text;

__attribute__((format(printf, 3, 0))) static void keep_log(cyaml_log_t level, void *context,
                                                           const char *format, va_list args)
{
    log_text *log = context;
    size_t at = strlen(log->text);
    char line[200];

    if (level < CYAML_LOG_WARNING) return;
    vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    snprintf(log->text + at, sizeof(log->text) - at, "%s%s", at ? "; " : "", line);
}

static cyaml_config_t config_of(log_text *log)
{
    return (cyaml_config_t){
        .log_fn = log ? keep_log : NULL,
        .log_ctx = log,
        .log_level = CYAML_LOG_WARNING,
        .mem_fn = cyaml_mem,
        .flags = CYAML_CFG_NO_ALIAS,
    };
}

lpu_status lpu_yaml_parse(const char *name, const void *text, size_t bytes,
                          const cyaml_schema_value_t *schema, void **out, lpu_diag *diag)
{
    *out = NULL;
    if (bytes > FILE_BYTES_MAX) {
        return lpu_fail(diag, LPU_ERR_FORMAT, "%s: found %zu bytes, expected at most %d", name,
                        bytes, FILE_BYTES_MAX);
    }

    lpu_status status = lpu_yaml_check_text(name, text, bytes, schema, diag);
    if (status) return status;

    log_text log = {""};
    const cyaml_config_t config = config_of(&log);
    const cyaml_err_t error = cyaml_load_data(text, bytes, &config, schema, out, NULL);
    if (error == CYAML_OK && *out) return LPU_OK;
    return lpu_fail(diag, error == CYAML_ERR_OOM ? LPU_ERR_MEMORY : LPU_ERR_FORMAT, "%s: %s: %s",
                    name, error == CYAML_OK ? "nothing in it" : cyaml_strerror(error), log.text);
}

void lpu_yaml_free(const cyaml_schema_value_t *schema, void **out)
{
    const cyaml_config_t config = config_of(NULL);
    if (*out) cyaml_free(&config, schema, *out, 0);
    *out = NULL;
}

/* Reads at most one byte more than is allowed: enough to know that a file is too long. */
static lpu_status read_all(int fd, const char *path, char *text, size_t *bytes, lpu_diag *diag)
{
    struct stat info;

    if (fstat(fd, &info)) {
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode)) {
        return lpu_fail(diag, LPU_ERR_IO, "%s: found a %s, expected a YAML file", path,
                        S_ISDIR(info.st_mode) ? "directory" : "device or pipe");
    }
    for (*bytes = 0; *bytes <= FILE_BYTES_MAX;) {
        const ssize_t got = read(fd, text + *bytes, FILE_BYTES_MAX + 1 - *bytes);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            return lpu_fail(diag, LPU_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
        }
        *bytes += (size_t)got;
    }
    if (*bytes <= FILE_BYTES_MAX) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s: found %lld bytes, expected at most %d", path,
                    (long long)info.st_size, FILE_BYTES_MAX);
}

lpu_status lpu_yaml_load(const char *path, const cyaml_schema_value_t *schema, void **out,
                         lpu_diag *diag)
{
    size_t bytes = 0;

    *out = NULL;
    /* Without O_NONBLOCK, opening a pipe would wait for a writer before it can be refused. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot open: %s", path, strerror(errno));

    char *text = malloc(FILE_BYTES_MAX + 1);
    lpu_status status = text ? read_all(fd, path, text, &bytes, diag)
                             : lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", path);
    if (!status) status = lpu_yaml_parse(path, text, bytes, schema, out, diag);
    free(text);
    close(fd);
    return status;
}

/* Where the data files are: $LPU_HOME, else the source tree that built the program. */
static const char *home(void)
{
    const char *home_path = getenv("LPU_HOME");
    return home_path && *home_path ? home_path : LPU_SOURCE_HOME;
}

static bool ends_in_yaml(const char *name)
{
    const size_t length = strlen(name);
    return length > 5 && !strcmp(name + length - 5, ".yaml");
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, one row of the table at a time; a name that begins with the other is
 * near. */
static size_t distance(const char *a, const char *b)
{
    const size_t la = strlen(a), lb = strlen(b);
    size_t row[NAME_MAX_BYTES + 1];

    if (la > NAME_MAX_BYTES || lb > NAME_MAX_BYTES) return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++) row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            const size_t above = row[j];
            row[j] = smaller(smaller(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[lb];
}

/* Says that there is no such name, and which there are: the likest first, as many as fit. */
static lpu_status fail_unknown(const char *dir, const char *name, lpu_diag *diag)
{
    char **names = NULL;
    size_t count = 0;
    char list[320], more[40];
    size_t at = 0, told = 0;
    lpu_status status = lpu_yaml_list(dir, &names, &count, diag);
    if (status) return status;

    list[0] = '\0';
    for (; told < count; told++) {
        size_t best = told;
        for (size_t i = told; i < count; i++) {
            if (distance(name, names[i]) < distance(name, names[best])) best = i;
        }
        char *likest = names[best];
        memmove(names + told + 1, names + told, (best - told) * sizeof(*names));
        names[told] = likest;
        if (told == TOLD_MAX || strlen(likest) + 8 > sizeof(list) - at) break;
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", told ? ", " : "", likest);
    }
    more[0] = '\0';
    if (told < count) snprintf(more, sizeof(more), ", ... (%zu in all)", count);
    status = lpu_fail(diag, LPU_ERR_IO, "%s: found no \"%.40s\", expected %s%s%s", dir, name,
                      count ? "one of " : "a path that ends in .yaml", list, more);
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
    return status;
}

lpu_status lpu_yaml_find(char *path, size_t path_bytes, const char *dir, const char *name,
                         lpu_diag *diag)
{
    const bool is_plain = *name && *name != '.' && !strchr(name, '/');
    int length = -1;

    if (is_plain) {
        length = snprintf(path, path_bytes, "%s/%s/%s.yaml", home(), dir, name);
        if (length >= 0 && (size_t)length < path_bytes && !access(path, F_OK)) return LPU_OK;
    }
    if (!ends_in_yaml(name)) return fail_unknown(dir, name, diag);

    length = snprintf(path, path_bytes, "%s", name);
    if (length >= 0 && (size_t)length < path_bytes) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_RANGE, "found a path of %zu characters, expected at most %zu",
                    strlen(name), path_bytes - 1);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Adds a copy of the file's name without ".yaml"; false when memory has run out. */
static bool add_name(char ***names, size_t *count, const char *file)
{
    char **grown = realloc(*names, (*count + 1) * sizeof(*grown));
    if (!grown) return false;
    *names = grown;
    grown[*count] = strndup(file, strlen(file) - 5);
    if (!grown[*count]) return false;
    (*count)++;
    return true;
}

lpu_status lpu_yaml_list(const char *dir, char ***names, size_t *count, lpu_diag *diag)
{
    char path[4096];
    bool has_memory = true;

    *names = NULL;
    *count = 0;
    snprintf(path, sizeof(path), "%s/%s", home(), dir);

    DIR *folder = opendir(path);
    if (!folder) {
        return lpu_fail(diag, LPU_ERR_IO, "%s: cannot open: %s (LPU_HOME names the folder of %s)",
                        path, strerror(errno), dir);
    }
    for (struct dirent *file; has_memory && (file = readdir(folder));) {
        if (file->d_name[0] != '.' && ends_in_yaml(file->d_name)) {
            has_memory = add_name(names, count, file->d_name);
        }
    }
    closedir(folder);
    if (!has_memory) {
        for (size_t i = 0; i < *count; i++) free((*names)[i]);
        free(*names);
        *names = NULL;
        *count = 0;
        return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", path);
    }
    if (*count) qsort(*names, *count, sizeof(**names), by_name);
    return LPU_OK;
}
