/* workloads/yaml.h - a YAML file read by schema (libcyaml), with errors a person can act on.
 *
 * A wrong key, type or value is one sentence: file, line, what was found, what was expected.
 */
#ifndef LPU_WORKLOADS_YAML_H
#define LPU_WORKLOADS_YAML_H

#include "workloads/status.h"

#include <cyaml/cyaml.h>

/* Reads path by schema into *out (allocated by libcyaml). On failure *out is NULL. */
lpu_status lpu_yaml_load(const char *path, const cyaml_schema_value_t *schema, void **out,
                         lpu_diag *diag);

/* The same from memory; name stands for the file in messages. For fuzzing and tests. */
lpu_status lpu_yaml_parse(const char *name, const void *text, size_t bytes,
                          const cyaml_schema_value_t *schema, void **out, lpu_diag *diag);

/* Frees what load or parse made, and sets *out to NULL. */
void lpu_yaml_free(const cyaml_schema_value_t *schema, void **out);

/* Finds a shipped data file: "<dir>/<name>.yaml" under $LPU_HOME, else beside the source tree that
 * built the program, else the name itself when it is a path that ends in ".yaml".
 * dir is as in the repo: "workloads/models", "sim/designs", "sim/dram". On failure the diag lists
 * the names that exist. path has room for path_bytes. */
lpu_status lpu_yaml_find(char *path, size_t path_bytes, const char *dir, const char *name,
                         lpu_diag *diag);

/* Lists the names of the files in dir, without ".yaml", sorted. Caller frees each and the array. */
lpu_status lpu_yaml_list(const char *dir, char ***names, size_t *count, lpu_diag *diag);

#endif
