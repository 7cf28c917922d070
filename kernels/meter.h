/* kernels/meter.h - the processor's own energy meter (RAPL), where the system lets it be read. */
#ifndef LPU_KERNELS_METER_H
#define LPU_KERNELS_METER_H

#include <stdbool.h>
#include <stdint.h>

enum { LPU_METER_PACKAGES_MAX = 16 };

/* Packages found under <root>/intel-rapl:<n>. Where there are none, count is 0 and nothing is ever
 * said about energy. */
typedef struct lpu_meter {
    uint32_t count;
    struct {
        char path[256];    /* of energy_uj */
        uint64_t range_uj; /* where the counter starts again from 0 */
        uint64_t last_uj;
    } package[LPU_METER_PACKAGES_MAX];
} lpu_meter;

/* root NULL: /sys/class/powercap. Returns whether there is a meter that can be read. */
bool lpu_meter_init(lpu_meter *m, const char *root);

/* Joules of all packages since the last read (or init); false if a counter could not be read. */
bool lpu_meter_read(lpu_meter *m, double *joules);

#endif
