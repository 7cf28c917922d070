/* cli/array_options.c - reads the options that say which array. */
#include "cli/array_options.h"

#include <stdlib.h>
#include <string.h>

lpu_status lpu_array_options_read(const lpu_array_options *o, lpu_array_config *config,
                                  lpu_diag *diag)
{
    static const char *const codes[] = {
        [LPU_CODE_BASE3] = "base3", [LPU_CODE_T2] = "2bit", [LPU_CODE_B1] = "1bit"};
    enum { CODES = sizeof(codes) / sizeof(codes[0]) };
    uint32_t code = 0;
    lpu_array *a;

    while (code < CODES && strcmp(o->code, codes[code])) code++;
    if (code == CODES) {
        return lpu_fail(diag, LPU_ERR_RANGE, "found --code %s, expected base3, 2bit or 1bit",
                        o->code);
    }
    *config = (lpu_array_config){.rows = o->rows,
                                 .cols = o->cols,
                                 .lines = o->lines,
                                 .passes_max = o->passes,
                                 .out_lanes = o->lanes,
                                 .code = (lpu_code)code,
                                 .has_values = true};
    const lpu_status status = lpu_array_open(&a, config, diag);
    if (!status) lpu_array_close(&a);
    return status;
}

const char *lpu_array_options_home(void)
{
    const char *path = getenv("LPU_HOME");
    return path && *path ? path : LPU_SOURCE_HOME;
}
