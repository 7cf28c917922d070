/* tests/fuzz/fuzz_yaml.c - any bytes as the YAML of a model: refused with a sentence, or sound.
 *
 * Built with clang -fsanitize=fuzzer,address,undefined.
 */
#include "workloads/model.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A model that was read is written and read again: what parse takes, write can say. */
static void check_round_trip(const lpu_model *model)
{
    char *text = NULL;
    size_t bytes = 0;
    lpu_model again;
    lpu_diag diag = {""};
    FILE *file = open_memstream(&text, &bytes);

    if (!file) return;
    lpu_model_write(model, file, "");
    fclose(file);
    if (lpu_model_parse(&again, "again", text, bytes, &diag) || strcmp(again.name, model->name) ||
        lpu_model_total_elems(&again) != lpu_model_total_elems(model)) {
        fprintf(stderr, "%s\n%s\n", diag.text, text);
        abort();
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lpu_model model;
    lpu_diag diag = {""};

    const lpu_status status = lpu_model_parse(&model, "fuzz", data, size, &diag);
    if (status && (!diag.text[0] || strchr(diag.text, '\n'))) abort();
    if (!status) check_round_trip(&model);
    return 0;
}
