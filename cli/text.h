/* cli/text.h - a text file as bytes and as the ids of a model. */
#ifndef LPU_CLI_TEXT_H
#define LPU_CLI_TEXT_H

#include "workloads/status.h"

#include <stddef.h>
#include <stdint.h>

/* All bytes of a file, and a zero after them; the caller frees *data. */
lpu_status lpu_text_load(uint8_t **data, size_t *bytes, const char *path, lpu_diag *diag);

#endif
