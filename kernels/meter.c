/* kernels/meter.c - reads counters of microjoules that start again from zero now and then. */
#include "kernels/meter.h"

#include <inttypes.h>
#include <stdio.h>

static bool read_number(const char *path, uint64_t *value)
{
    FILE *file = fopen(path, "r");
    if (!file) return false;
    const bool is_read = fscanf(file, "%" SCNu64, value) == 1;
    fclose(file);
    return is_read;
}

bool lpu_meter_init(lpu_meter *m, const char *root)
{
    *m = (lpu_meter){0};
    for (int i = 0; i < LPU_METER_PACKAGES_MAX; i++) {
        char range[256];
        const char *base = root ? root : "/sys/class/powercap";
        const int n = snprintf(m->package[m->count].path, sizeof(m->package[0].path),
                               "%s/intel-rapl:%d/energy_uj", base, i);
        snprintf(range, sizeof(range), "%s/intel-rapl:%d/max_energy_range_uj", base, i);
        if (n < 0 || (size_t)n >= sizeof(m->package[0].path)) return false;
        if (read_number(range, &m->package[m->count].range_uj) &&
            read_number(m->package[m->count].path, &m->package[m->count].last_uj)) {
            m->count++;
        }
    }
    return m->count > 0;
}

bool lpu_meter_read(lpu_meter *m, double *joules)
{
    double sum = 0;

    if (!m->count) return false;
    for (uint32_t i = 0; i < m->count; i++) {
        const uint64_t last = m->package[i].last_uj;
        uint64_t now;
        if (!read_number(m->package[i].path, &now)) return false;
        sum += (double)(now >= last ? now - last : m->package[i].range_uj - last + now);
        m->package[i].last_uj = now;
    }
    *joules = sum * 1e-6;
    return true;
}
