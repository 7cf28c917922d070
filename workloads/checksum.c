/* workloads/checksum.c - lines of 64 bytes, a word for each lane. */
#include "workloads/checksum.h"

#include <string.h>

static const uint64_t basis = 0xcbf29ce484222325; /* FNV-1a, 64 bits: RFC 9923 */
static const uint64_t prime = 0x100000001b3;

void lpu_checksum_init(lpu_checksum *s)
{
    *s = (lpu_checksum){.bytes = 0};
    for (size_t i = 0; i < LPU_CHECKSUM_LANES; i++) s->lanes[i] = basis + i;
}

static void add_lines(uint64_t lanes[LPU_CHECKSUM_LANES], const uint8_t *data, size_t lines)
{
    uint64_t own[LPU_CHECKSUM_LANES], word[LPU_CHECKSUM_LANES];

    memcpy(own, lanes, sizeof(own));
    for (; lines; lines--, data += LPU_CHECKSUM_LINE_BYTES) {
        memcpy(word, data, sizeof(word));
        for (size_t i = 0; i < LPU_CHECKSUM_LANES; i++) own[i] = (own[i] ^ word[i]) * prime;
    }
    memcpy(lanes, own, sizeof(own));
}

void lpu_checksum_add(lpu_checksum *s, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    const size_t used = s->bytes % LPU_CHECKSUM_LINE_BYTES;

    if (!bytes) return;
    s->bytes += bytes;
    if (used) {
        const size_t room = LPU_CHECKSUM_LINE_BYTES - used, n = bytes < room ? bytes : room;
        memcpy(s->rest + used, from, n);
        if (n == room) add_lines(s->lanes, s->rest, 1);
        from += n;
        bytes -= n;
    }
    add_lines(s->lanes, from, bytes / LPU_CHECKSUM_LINE_BYTES);
    from += bytes / LPU_CHECKSUM_LINE_BYTES * LPU_CHECKSUM_LINE_BYTES;
    if (bytes % LPU_CHECKSUM_LINE_BYTES) memcpy(s->rest, from, bytes % LPU_CHECKSUM_LINE_BYTES);
}

uint64_t lpu_checksum_read(const lpu_checksum *s)
{
    const size_t used = s->bytes % LPU_CHECKSUM_LINE_BYTES;
    uint64_t lanes[LPU_CHECKSUM_LANES], sum = basis;
    uint8_t line[LPU_CHECKSUM_LINE_BYTES] = {0};

    memcpy(lanes, s->lanes, sizeof(lanes));
    memcpy(line, s->rest, used);
    if (used) add_lines(lanes, line, 1);
    for (size_t i = 0; i < LPU_CHECKSUM_LANES; i++) sum = (sum ^ lanes[i]) * prime;
    return (sum ^ s->bytes) * prime;
}
