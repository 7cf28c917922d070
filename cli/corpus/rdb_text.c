/* cli/corpus/rdb_text.c - rdb_text FILE: prints the strings of an R data base.
 *
 * The file is what R loads lazily: records of a length (4 bytes, big endian) and a zlib stream,
 * each an object in R's XDR form. A text is a vector of strings, which are printed as lines; texts
 * of one line each are too. Only vectors of strings are understood, and they are all that matters
 * here.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { OBJECT_BYTES_MAX = 1 << 28, TYPE_STRINGS = 16, TYPE_STRING = 9 }; /* R Internals, 1.1 */

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* "X\n", three words of versions, then from version 3 on the name of the encoding. */
static const char *print_object(const uint8_t *at, size_t bytes)
{
    size_t i = 14;

    if (bytes < 26 || memcmp(at, "X\n", 2)) return "is no R object in XDR form";
    if (get_u32(at + 2) >= 3) i += 4 + (size_t)get_u32(at + 14);
    if (i > bytes - 8 || at[i + 3] != TYPE_STRINGS) return "is an R object other than strings";
    const uint32_t count = get_u32(at + i + 4);
    i += 8;
    for (uint32_t k = 0; k < count; k++) {
        if (bytes - i < 8 || at[i + 3] != TYPE_STRING) return "has no string where one should be";
        const uint32_t length = get_u32(at + i + 4);
        i += 8;
        if (length == UINT32_MAX) continue; /* NA */
        if (length > bytes - i) return "has a string that is cut short";
        fwrite(at + i, 1, length, stdout);
        putchar('\n');
        i += length;
    }
    return NULL;
}

static const char *print_all(const uint8_t *at, size_t bytes)
{
    const char *fault = NULL;

    while (bytes && !fault) {
        uLong used = bytes < 4 ? 0 : bytes - 4;
        const size_t length = bytes < 4 ? 0 : get_u32(at);
        if (length < 1 || length > OBJECT_BYTES_MAX)
            return "has a record of no or too great length";
        uint8_t *object = malloc(length);
        if (!object) return "does not fit into memory";
        uLongf unpacked = length;
        if (uncompress2(object, &unpacked, at + 4, &used) == Z_OK && unpacked == length) {
            fault = print_object(object, length);
        } else {
            fault = "has a record that is no whole zlib stream";
        }
        free(object);
        if (fault) return fault;
        at += 4 + used;
        bytes -= 4 + used;
    }
    return fault;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    uint8_t *data = NULL;
    size_t bytes = 0, room = 1 << 22;
    const char *fault = file ? NULL : "cannot be opened: expected one file";

    while (file && !fault) {
        uint8_t *more = realloc(data, room);
        if (!more) {
            fault = "does not fit into memory";
            break;
        }
        data = more;
        bytes += fread(data + bytes, 1, room - bytes, file);
        if (bytes < room) break;
        room *= 2;
    }
    if (file) fclose(file);
    if (!fault) fault = print_all(data, bytes);
    if (!fault && fflush(stdout)) fault = "cannot be printed";
    free(data);
    if (fault) fprintf(stderr, "rdb_text: %s %s\n", argc > 1 ? argv[1] : "the file", fault);
    return fault ? 1 : 0;
}
