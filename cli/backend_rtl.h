/* cli/backend_rtl.h - the row of cli/backend.c that runs on the Verilated LPU. */
#ifndef LPU_CLI_BACKEND_RTL_H
#define LPU_CLI_BACKEND_RTL_H

#include "cli/backend.h"

extern const lpu_backend lpu_backend_rtl;

#endif
