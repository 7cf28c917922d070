/* workloads/yaml_check.h - holds a YAML text against a libcyaml schema, before libcyaml loads it.
 *
 * libcyaml 1.3.1 reads `maybe` as true, `12 13` as 12 and `1.5x` as 1.5, and where it does refuse,
 * its backtrace names the last key that was right. This check is strict and names the line that is
 * wrong.
 */
#ifndef LPU_WORKLOADS_YAML_CHECK_H
#define LPU_WORKLOADS_YAML_CHECK_H

#include "workloads/status.h"

#include <cyaml/cyaml.h>

/* LPU_OK if text is one document that fits schema; else LPU_ERR_FORMAT and a sentence. */
lpu_status lpu_yaml_check_text(const char *name, const void *text, size_t bytes,
                               const cyaml_schema_value_t *schema, lpu_diag *diag);

#endif
