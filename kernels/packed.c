/* kernels/packed.c - reads packed files: what they are, whether they are whole, and for this CPU.
 */
#include "kernels/packed.h"

#include "kernels/columns.h"
#include "kernels/cpu.h"
#include "kernels/packed_private.h"
#include "kernels/screen.h"
#include "workloads/checksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const lpu_layout layouts[] = {LPU_LAYOUT_B1, LPU_LAYOUT_T2, LPU_LAYOUT_B3, LPU_LAYOUT_I4,
                                     LPU_LAYOUT_I8};

void lpu_packed_name(char name[LPU_PACKED_NAME_BYTES], const lpu_model *m, lpu_layout layout,
                     uint32_t allowed)
{
    snprintf(name, LPU_PACKED_NAME_BYTES, "%s%s %s", lpu_layout_name(layout),
             lpu_columns_pay(m, layout, allowed) ? " columns" : "",
             lpu_screen_pays(allowed) ? "screen" : "i8");
}

bool lpu_packed_is(const lpu_gguf *g)
{
    return lpu_gguf_has(g, "setun.pack.version");
}

lpu_status lpu_packed_layout(lpu_layout *layout, const lpu_weights *weights, uint32_t allowed,
                             lpu_diag *diag)
{
    const size_t bytes = strcspn(weights->packed, " ");
    char wanted[LPU_PACKED_NAME_BYTES];

    *layout = LPU_LAYOUT_B3;
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        const char *name = lpu_layout_name(layouts[i]);
        if (strlen(name) == bytes && !memcmp(name, weights->packed, bytes)) *layout = layouts[i];
    }
    lpu_packed_name(wanted, &weights->model, *layout, allowed);
    if (!strcmp(wanted, weights->packed)) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT,
                    "%s: packed as \"%s\", and the kernels of this CPU want \"%s\": pack the GGUF "
                    "file again",
                    weights->model.name, weights->packed, wanted);
}

/* The sum is the last tensor, and all before it must be as it was. */
static lpu_status check_sum(const lpu_gguf *g, lpu_diag *diag)
{
    const lpu_gguf_tensor *t = lpu_gguf_find(g, LPU_PACKED_SUM);
    lpu_checksum s;
    uint64_t sum;
    size_t bytes;
    const void *data = lpu_gguf_bytes(g, &bytes);

    if (!t || t->bytes != sizeof(sum)) {
        return lpu_fail(diag, LPU_ERR_FORMAT,
                        "%s: found no %s of %zu bytes, expected the file's sum", lpu_gguf_name(g),
                        LPU_PACKED_SUM, sizeof(sum));
    }
    memcpy(&sum, t->data, sizeof(sum));
    lpu_checksum_init(&s);
    lpu_checksum_add(&s, data, (size_t)t->offset_bytes);
    if (lpu_checksum_read(&s) == sum) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT,
                    "%s: its bytes have the sum %016" PRIx64 ", expected %016" PRIx64
                    ": it is damaged, pack the GGUF file again",
                    lpu_gguf_name(g), lpu_checksum_read(&s), sum);
}

lpu_status lpu_packed_load(lpu_weights **out, const lpu_gguf *g, uint32_t context_tokens,
                           lpu_diag *diag)
{
    uint32_t version = 0, allowed;
    lpu_layout layout;
    lpu_status status = lpu_gguf_get_u32(g, "setun.pack.version", &version, diag);

    *out = NULL;
    if (!status) status = lpu_cpu_allowed(&allowed, diag);
    if (status) return status;
    if (version != LPU_PACKED_VERSION) {
        return lpu_fail(
            diag, LPU_ERR_FORMAT,
            "%s: packed in version %u, and these kernels want version %d: pack the GGUF "
            "file again",
            lpu_gguf_name(g), version, LPU_PACKED_VERSION);
    }
    status = check_sum(g, diag);
    if (!status) status = lpu_weights_load_packed(out, g, context_tokens, diag);
    if (!status) status = lpu_packed_layout(&layout, *out, allowed, diag);
    if (status) lpu_weights_close(out);
    return status;
}
