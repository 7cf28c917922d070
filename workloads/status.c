/* workloads/status.c - one sentence per failure, written where the cause is known. */
#include "workloads/status.h"

#include <stdarg.h>
#include <stdio.h>

lpu_status lpu_fail(lpu_diag *diag, lpu_status status, const char *format, ...)
{
    if (!diag) return status;

    va_list args;
    va_start(args, format);
    vsnprintf(diag->text, sizeof(diag->text), format, args);
    va_end(args);
    return status;
}
