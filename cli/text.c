/* cli/text.c - reads a file that may be a pipe. */
#include "cli/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 1 << 30 };

lpu_status lpu_text_load(uint8_t **data, size_t *bytes, const char *path, lpu_diag *diag)
{
    FILE *file = fopen(path, "rb");
    size_t room = 1 << 16;
    lpu_status status = LPU_OK;

    *data = NULL;
    *bytes = 0;
    if (!file) return lpu_fail(diag, LPU_ERR_IO, "%s: %s", path, strerror(errno));
    for (;;) {
        uint8_t *more = realloc(*data, room);
        if (!more) break;
        *data = more;
        *bytes += fread(*data + *bytes, 1, room - *bytes - 1, file);
        if (*bytes + 1 < room || room > BYTES_MAX) break;
        room *= 2;
    }
    if (ferror(file)) {
        status = lpu_fail(diag, LPU_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    } else if (!*data || *bytes + 1 >= room) {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "%s: found more than %d bytes, expected fewer",
                          path, BYTES_MAX);
    } else {
        (*data)[*bytes] = 0;
    }
    fclose(file);
    if (!status) return LPU_OK;
    free(*data);
    *data = NULL;
    return status;
}
