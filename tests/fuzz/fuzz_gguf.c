/* tests/fuzz/fuzz_gguf.c - any bytes as a GGUF file, plain or packed: refused with a sentence or
 * read, never worse.
 *
 *     clang -std=gnu11 -g -O1 -I. -fsanitize=fuzzer,address,undefined tests/fuzz/fuzz_gguf.c \
 *         workloads/[a-z]*.c -lcyaml -lyaml -ljansson -lz -lpthread -lm -o build/fuzz_gguf
 *     build/fuzz_gguf -max_len=262144 CORPUS
 *
 * `lpu synth` with a small model makes seeds for the corpus, and `lpu pack` one of another kind.
 */
#include "workloads/gguf.h"
#include "workloads/weights.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void need(int condition)
{
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    lpu_diag diag = {""};
    lpu_gguf *g;
    lpu_weights *w;

    if (lpu_gguf_parse(&g, "fuzz", data, bytes, &diag)) {
        need(!g && diag.text[0]);
        return 0;
    }
    for (size_t i = 0; i < lpu_gguf_tensors(g); i++) {
        const lpu_gguf_tensor *t = lpu_gguf_tensor_at(g, i);
        need((const uint8_t *)t->data >= data &&
             (const uint8_t *)t->data + t->bytes <= data + bytes);
        need(lpu_gguf_find(g, t->name) == t);
    }
    const lpu_status status = lpu_weights_load(&w, g, 3 + (uint32_t)(bytes % 3), 4, &diag);
    need(status ? !w && diag.text[0] : w != NULL);
    lpu_weights_close(&w);
    need(lpu_weights_load_packed(&w, g, 4, &diag) ? !w && diag.text[0] : w != NULL);
    lpu_weights_close(&w);
    lpu_gguf_close(&g);
    return 0;
}
