/* workloads/trace_file.c - traces as text: saved, and read again with every number checked.
 *
 *     # lpu trace 1
 *     # phase	decode
 *     # tokens	1
 *     # context	512
 *     # batch	1
 *     #| name: "bitnet-b1.58-2b4t"           the model's whole YAML: the file needs no other
 *     #| ...
 *     # ops	604
 *     kind	layer	operand	count	m	n	k	macs	weight_elems
 * zero_weight_share	...
 *     embed	-1	head	1	1	2560	1	0	2560	0	0	0.5
 *     ...
 */
#include "workloads/output.h"
#include "workloads/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES_MAX = 64 << 20,
    MODEL_BYTES_MAX = 1 << 16,
    OPS_MAX = 1 << 20,
    COLUMNS = 12,
};

static const char *const phase_names[] = {"prefill", "decode"};
static const char *const operand_names[] = {"none", "linear", "kv", "head"};
static const char magic[] = "# lpu trace 1";
static const char columns[] =
    "kind\tlayer\toperand\tcount\tm\tn\tk\tmacs\tweight_elems\tzero_weight_"
    "share\tzero_input_share\ttoggle_share";

static void write_real(FILE *file, double value)
{
    fputc('\t', file);
    lpu_output_real(file, value);
}

static void write_op(FILE *file, const lpu_op *op)
{
    fprintf(file,
            "%s\t%" PRId32 "\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
            "\t%" PRIu64,
            lpu_op_name(op->kind), op->layer, operand_names[op->operand], op->count, op->m, op->n,
            op->k, op->macs, op->weight_elems);
    write_real(file, op->zero_weight_share);
    write_real(file, op->zero_input_share);
    write_real(file, op->toggle_share);
    fputc('\n', file);
}

lpu_status lpu_trace_save(const lpu_trace *trace, const char *path, lpu_diag *diag)
{
    lpu_output *output = NULL;
    FILE *file = NULL;
    const lpu_status status = lpu_output_open(&output, path, &file, diag);
    if (status) return status;

    fprintf(file, "%s\n# phase\t%s\n# tokens\t%u\n# context\t%u\n# batch\t%u\n", magic,
            phase_names[trace->phase], trace->tokens, trace->context, trace->batch);
    lpu_model_write(&trace->model, file, "#| ");
    fprintf(file, "# ops\t%zu\n%s\n", trace->count, columns);
    for (size_t i = 0; i < trace->count; i++) write_op(file, &trace->ops[i]);
    return lpu_output_commit(&output, diag);
}

/* Reading: a copy of the text, cut into lines and cells where it stands. */
typedef struct reader {
    const char *name;
    char *at, *end; /* the text not yet read */
    char *line;     /* the line at hand, without its newline */
    size_t number;  /* of that line, from 1 */
    lpu_diag *diag;
} reader;

__attribute__((format(printf, 2, 3))) static lpu_status fail_here(reader *r, const char *format,
                                                                  ...)
{
    char sentence[400];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    for (char *c = sentence; *c; c++) {
        if ((unsigned char)*c < ' ') *c = '?';
    }
    return lpu_fail(r->diag, LPU_ERR_FORMAT, "%s:%zu: %s", r->name, r->number, sentence);
}

/* The next line. A text that ends without a newline was cut off. */
static lpu_status read_line(reader *r, const char *expected)
{
    r->number++;
    if (r->at == r->end) return fail_here(r, "found the end, expected %s", expected);

    char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
    if (!newline) return fail_here(r, "found a line that is cut off, expected %s", expected);
    if (memchr(r->at, '\0', (size_t)(newline - r->at))) {
        return fail_here(r, "found a zero byte, expected %s", expected);
    }
    *newline = '\0';
    r->line = r->at;
    r->at = newline + 1;
    return LPU_OK;
}

/* The whole of text as a number from min to max, in decimal. */
static lpu_status read_number(reader *r, const char *key, const char *text, int64_t min,
                              uint64_t max, uint64_t *value)
{
    const bool is_negative = min < 0 && *text == '-';
    const char *const digits = text + is_negative;
    const size_t length = strspn(digits, "0123456789");

    errno = 0;
    const uint64_t size = strtoull(digits, NULL, 10);
    const bool is_bad = !length || digits[length] || (*digits == '0' && length > 1) || errno;
    if (is_bad || (is_negative ? size > (uint64_t)-min || !size
                               : size > max || (min > 0 && size < (uint64_t)min))) {
        return fail_here(r, "found \"%.40s\" for %s, expected %" PRId64 " to %" PRIu64, text, key,
                         min, max);
    }
    *value = is_negative ? (uint64_t)0 - size : size;
    return LPU_OK;
}

static lpu_status read_share(reader *r, const char *key, const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    if (*text && !*end && *value >= 0.0 && *value <= 1.0) return LPU_OK;
    return fail_here(r, "found \"%.40s\" for %s, expected 0 to 1", text, key);
}

static lpu_status read_choice(reader *r, const char *key, const char *text,
                              const char *const *names, int count, int *value)
{
    for (*value = 0; *value < count; (*value)++) {
        if (!strcmp(text, names[*value])) return LPU_OK;
    }
    return fail_here(r, "found \"%.40s\" for %s, expected a name such as %s", text, key, names[0]);
}

/* A line "# key<TAB>value": value. */
static lpu_status read_header(reader *r, const char *key, const char **value)
{
    const size_t bytes = strlen(key);
    lpu_status status = read_line(r, key);
    if (status) return status;
    if (strncmp(r->line, "# ", 2) || strncmp(r->line + 2, key, bytes) ||
        r->line[2 + bytes] != '\t') {
        return fail_here(r, "found \"%.40s\", expected \"# %s\", a tab and a value", r->line, key);
    }
    *value = r->line + 3 + bytes;
    return LPU_OK;
}

static lpu_status read_header_number(reader *r, const char *key, int64_t min, uint64_t max,
                                     uint64_t *value)
{
    const char *text = NULL;
    lpu_status status = read_header(r, key, &text);
    return status ? status : read_number(r, key, text, min, max, value);
}

/* The lines "#| ..." are the model's YAML, and are parsed as such: a message counts from its first
 * line, so the file's line is told beside. */
static lpu_status read_model(reader *r, lpu_model *model)
{
    char *yaml = malloc(MODEL_BYTES_MAX);
    size_t bytes = 0;
    lpu_diag why = {""};
    lpu_status status =
        yaml ? LPU_OK : lpu_fail(r->diag, LPU_ERR_MEMORY, "%s: out of memory", r->name);

    while (!status && r->end - r->at >= 3 && !memcmp(r->at, "#| ", 3)) {
        status = read_line(r, "a line of the model");
        if (status) break;
        const size_t length = strlen(r->line + 3);
        if (bytes + length + 1 > MODEL_BYTES_MAX) {
            status = fail_here(r, "found a model of more than %d bytes, expected a page",
                               MODEL_BYTES_MAX);
            break;
        }
        memcpy(yaml + bytes, r->line + 3, length);
        yaml[bytes + length] = '\n';
        bytes += length + 1;
    }
    if (!status && lpu_model_parse(model, "its line", yaml, bytes, &why)) {
        status = fail_here(r, "in the model that ends here: %s", why.text);
    }
    free(yaml);
    return status;
}

static lpu_status read_cells(reader *r, char *cells[COLUMNS])
{
    lpu_status status = read_line(r, "an operation");
    size_t count = 0;
    if (status) return status;

    for (char *cell = r->line; cell; count++) {
        char *tab = strchr(cell, '\t');
        if (tab) *tab = '\0';
        if (count < COLUMNS) cells[count] = cell;
        cell = tab ? tab + 1 : NULL;
    }
    if (count == COLUMNS) return LPU_OK;
    return fail_here(r, "found %zu cells, expected %d", count, COLUMNS);
}

static lpu_status read_kind(reader *r, const char *text, lpu_op_kind *kind)
{
    for (int i = 0; i < LPU_OP_KINDS; i++) {
        *kind = (lpu_op_kind)i;
        if (!strcmp(text, lpu_op_name(*kind))) return LPU_OK;
    }
    return fail_here(r, "found operation \"%.40s\", expected one of workloads/ops.def", text);
}

/* What follows from the shape must be what the file says. */
static lpu_status check_sums(reader *r, const lpu_op *op)
{
    const bool is_product = lpu_op_is_product(op->kind);
    uint64_t weight = 0, macs = 0, rows = 0;

    if (is_product != (op->operand != LPU_OPERAND_NONE) && op->kind != LPU_OP_embed) {
        return fail_here(r, "found operand %s of %s, expected %s", operand_names[op->operand],
                         lpu_op_name(op->kind), is_product ? "a matrix" : "none");
    }
    if (!is_product && op->k != 1) {
        return fail_here(r, "found k %" PRIu64 " where there is no product, expected 1", op->k);
    }
    if (__builtin_mul_overflow(op->count, op->n, &weight) ||
        __builtin_mul_overflow(weight, op->k, &weight) ||
        __builtin_mul_overflow(weight, op->m, &macs) ||
        __builtin_mul_overflow(op->m, op->n, &rows)) {
        return fail_here(r, "found a shape whose sums do not fit 64 bits, expected a smaller one");
    }
    if (!is_product) {
        weight = op->operand == LPU_OPERAND_HEAD ? rows : 0;
        macs = 0;
    }
    if (op->macs != macs) {
        return fail_here(r, "found %" PRIu64 " macs, expected count m n k, %" PRIu64, op->macs,
                         macs);
    }
    if (op->weight_elems != weight) {
        return fail_here(r, "found %" PRIu64 " weight_elems, expected %" PRIu64, op->weight_elems,
                         weight);
    }
    return LPU_OK;
}

static lpu_status read_op(reader *r, const lpu_model *model, lpu_op *op)
{
    char *cells[COLUMNS];
    uint64_t layer = 0;
    int operand = 0;
    lpu_status status = read_cells(r, cells);

    *op = (lpu_op){0};
    if (!status) status = read_kind(r, cells[0], &op->kind);
    if (!status) status = read_number(r, "layer", cells[1], -1, model->layers - 1, &layer);
    if (!status) status = read_choice(r, "operand", cells[2], operand_names, 4, &operand);
    if (!status) status = read_number(r, "count", cells[3], 1, UINT64_MAX, &op->count);
    if (!status) status = read_number(r, "m", cells[4], 1, UINT64_MAX, &op->m);
    if (!status) status = read_number(r, "n", cells[5], 1, UINT64_MAX, &op->n);
    if (!status) status = read_number(r, "k", cells[6], 1, UINT64_MAX, &op->k);
    if (!status) status = read_number(r, "macs", cells[7], 0, UINT64_MAX, &op->macs);
    if (!status) {
        status = read_number(r, "weight_elems", cells[8], 0, UINT64_MAX, &op->weight_elems);
    }
    if (!status) status = read_share(r, "zero_weight_share", cells[9], &op->zero_weight_share);
    if (!status) status = read_share(r, "zero_input_share", cells[10], &op->zero_input_share);
    if (!status) status = read_share(r, "toggle_share", cells[11], &op->toggle_share);
    if (status) return status;

    op->layer = (int32_t)(int64_t)layer;
    op->operand = (lpu_operand)operand;
    return check_sums(r, op);
}

static lpu_status read_headers(reader *r, lpu_trace *t, uint64_t *count)
{
    const char *text = NULL;
    int phase = 0;
    uint64_t tokens = 0, context = 0, batch = 0;
    lpu_status status = read_line(r, magic);

    if (!status && strcmp(r->line, magic)) {
        return fail_here(r, "found \"%.40s\", expected \"%s\"", r->line, magic);
    }
    if (!status) status = read_header(r, "phase", &text);
    if (!status) status = read_choice(r, "phase", text, phase_names, 2, &phase);
    if (!status) status = read_header_number(r, "tokens", 1, UINT32_MAX, &tokens);
    if (!status) status = read_header_number(r, "context", 0, UINT32_MAX, &context);
    if (!status) status = read_header_number(r, "batch", 1, UINT32_MAX, &batch);
    if (!status) status = read_model(r, &t->model);
    if (!status) status = read_header_number(r, "ops", 1, OPS_MAX, count);
    if (!status) status = read_line(r, "the names of the columns");
    if (!status && strcmp(r->line, columns)) {
        return fail_here(r, "found columns \"%.80s\", expected kind, layer, operand, ...", r->line);
    }
    t->phase = (lpu_phase)phase;
    t->tokens = (uint32_t)tokens;
    t->context = (uint32_t)context;
    t->batch = (uint32_t)batch;
    if (!status && t->phase == LPU_PHASE_DECODE && tokens != 1) {
        return fail_here(r, "found %" PRIu64 " tokens to decode, expected 1", tokens);
    }
    if (!status && context + tokens > t->model.context_tokens) {
        return fail_here(r, "found %" PRIu64 " tokens, expected at most the %u of the model",
                         context + tokens, t->model.context_tokens);
    }
    return status;
}

static lpu_status read_ops(reader *r, lpu_trace *t, uint64_t count)
{
    lpu_status status = LPU_OK;

    /* An operation takes more than two bytes of text: the count cannot ask for more memory than the
     * text is long, times a constant. */
    if (count > (uint64_t)(r->end - r->at)) {
        return fail_here(r, "found the end before operation %" PRIu64 ", expected it", count);
    }
    t->ops = calloc(count, sizeof(*t->ops));
    if (!t->ops) return lpu_fail(r->diag, LPU_ERR_MEMORY, "%s: out of memory", r->name);
    for (; !status && t->count < count; t->count++) {
        status = read_op(r, &t->model, &t->ops[t->count]);
    }
    if (!status && r->at != r->end) {
        r->number++;
        return fail_here(r, "found more than the %" PRIu64 " operations of the header", count);
    }
    return status;
}

lpu_status lpu_trace_parse(lpu_trace **trace, const char *name, const void *text, size_t bytes,
                           lpu_diag *diag)
{
    uint64_t count = 0;
    char *copy = malloc(bytes + 1);
    lpu_trace *t = calloc(1, sizeof(*t));
    lpu_status status;

    *trace = NULL;
    if (copy && t) {
        memcpy(copy, text, bytes);
        reader r = {.name = name, .at = copy, .end = copy + bytes, .diag = diag};
        status = read_headers(&r, t, &count);
        if (!status) status = read_ops(&r, t, count);
    } else {
        status = lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", name);
    }
    free(copy);
    if (status) {
        lpu_trace_close(&t);
    } else {
        *trace = t;
    }
    return status;
}

/* The whole of a file, or a sentence; the caller frees *text. */
static lpu_status read_file(const char *path, char **text, size_t *bytes, lpu_diag *diag)
{
    FILE *file = fopen(path, "rb");

    if (!file) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    for (size_t room = 1 << 16; room <= FILE_BYTES_MAX; room *= 2) {
        char *grown = realloc(*text, room);
        if (!grown) {
            fclose(file);
            return lpu_fail(diag, LPU_ERR_MEMORY, "%s: out of memory", path);
        }
        *text = grown;
        *bytes += fread(*text + *bytes, 1, room - *bytes, file);
        if (*bytes < room) break;
    }
    const int error = ferror(file) ? errno : 0;
    fclose(file);
    if (error) return lpu_fail(diag, LPU_ERR_IO, "%s: cannot read: %s", path, strerror(error));
    if (*bytes < FILE_BYTES_MAX) return LPU_OK;
    return lpu_fail(diag, LPU_ERR_FORMAT, "%s: found %d bytes or more, expected fewer", path,
                    FILE_BYTES_MAX);
}

lpu_status lpu_trace_load(lpu_trace **trace, const char *path, lpu_diag *diag)
{
    char *text = NULL;
    size_t bytes = 0;

    *trace = NULL;
    lpu_status status = read_file(path, &text, &bytes, diag);
    if (!status) status = lpu_trace_parse(trace, path, text, bytes, diag);
    free(text);
    return status;
}
