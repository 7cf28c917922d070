/* workloads/output.c - writes beside the target and renames; see output.h. */
#include "workloads/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct lpu_output {
    FILE *file;
    char *path; /* links resolved: the file that is replaced */
    char *temporary;
};

/* The file that path means: a link is followed, so that it stays a link. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    return real ? real : strdup(path);
}

static char *temporary_name(const char *path)
{
    const size_t bytes = strlen(path) + 32; /* ".tmp-" and a pid */
    char *name = malloc(bytes);
    if (name) snprintf(name, bytes, "%s.tmp-%ld", path, (long)getpid());
    return name;
}

/* Renaming over a device or a directory would destroy it or fail late: say so at once. */
static lpu_status check_target(const char *path, lpu_diag *diag)
{
    struct stat info;

    if (!*path) return lpu_fail(diag, LPU_ERR_IO, "output: found an empty path, expected a file");
    if (stat(path, &info)) return LPU_OK; /* absent, or unreachable: open says which */
    if (S_ISREG(info.st_mode)) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_IO, "%s: found a %s, expected a regular file or nothing", path,
                    S_ISDIR(info.st_mode) ? "directory" : "device or pipe");
}

static lpu_status open_temporary(lpu_output *o, lpu_diag *diag)
{
    /* A file of that name is left of a process that died with our pid. */
    unlink(o->temporary);
    const int fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
        o->file = fdopen(fd, "w");
        if (o->file) return LPU_OK;
        close(fd);
        unlink(o->temporary);
    }
    return lpu_fail(diag, LPU_ERR_IO, "%s: cannot write: %s", o->path, strerror(errno));
}

lpu_status lpu_output_open(lpu_output **out, const char *path, FILE **file, lpu_diag *diag)
{
    *out = NULL;
    *file = NULL;

    lpu_status status = check_target(path, diag);
    if (status) return status;

    lpu_output *o = calloc(1, sizeof(*o));
    if (!o) return lpu_fail(diag, LPU_ERR_MEMORY, "output: out of memory");
    o->path = resolve(path);
    o->temporary = o->path ? temporary_name(o->path) : NULL;
    status = o->temporary ? open_temporary(o, diag)
                          : lpu_fail(diag, LPU_ERR_MEMORY, "output: out of memory");
    if (status) {
        lpu_output_close(&o);
        return status;
    }
    *out = o;
    *file = o->file;
    return LPU_OK;
}

lpu_status lpu_output_commit(lpu_output **out, lpu_diag *diag)
{
    lpu_output *o = *out;
    lpu_status status = LPU_OK;

    /* A write that failed long ago left its mark in the stream, and errno is then another's. */
    errno = 0;
    const int failed = fflush(o->file) || ferror(o->file) || fsync(fileno(o->file));
    int cause = errno;
    FILE *file = o->file;

    o->file = NULL;
    if (fclose(file) || failed) {
        if (!failed) cause = errno;
        unlink(o->temporary);
        status = lpu_fail(diag, LPU_ERR_IO, "%s: not written, and left as it was: %s", o->path,
                          cause ? strerror(cause) : "a write before this one failed");
    } else if (rename(o->temporary, o->path)) {
        status = lpu_fail(diag, LPU_ERR_IO, "%s: cannot be replaced: %s", o->path, strerror(errno));
        unlink(o->temporary);
    }
    lpu_output_close(out);
    return status;
}

void lpu_output_close(lpu_output **out)
{
    lpu_output *o = *out;

    if (!o) return;
    if (o->file) {
        fclose(o->file);
        unlink(o->temporary);
    }
    free(o->path);
    free(o->temporary);
    free(o);
    *out = NULL;
}

void lpu_output_real(FILE *file, double value)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) { /* 17 are enough for any double */
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    fputs(text, file);
}
