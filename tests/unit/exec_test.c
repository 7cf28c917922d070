/* tests/unit/exec_test.c - products of the execution against the clocked array, and refusals.
 *
 * The array of unit_array.h gets the same bytes, tile by tile, at its ports; what it drains is what
 * the instruction leaves in the scratchpad, and both are the sums of the definition.
 */
#include "sim/exec.h"
#include "sim/layout.h"
#include "sim/unit_array.h"
#include "tests/unit/test.h"

#include <stdlib.h>

enum { ROWS = 8, COLS = 20, LINES = 3, PASSES = 3, LANES = 4, SIDE_MAX = 64, PLANES_MAX = 5 };
enum { MEMORY_BYTES = 1 << 16, SCRATCH_BYTES = 1 << 16 };

/* A product and its bytes in memory, in the array's order. */
typedef struct problem {
    lpu_code code;
    bool is_column;
    uint32_t n, k, planes;
    int8_t digits[PLANES_MAX][SIDE_MAX][SIDE_MAX]; /* [plane][n][k] */
    int8_t x[PASSES][SIDE_MAX];
    uint8_t memory[MEMORY_BYTES];
    uint32_t bytes;
    int32_t found[PASSES][SIDE_MAX], drained[PASSES][SIDE_MAX], wanted[PASSES][SIDE_MAX];
} problem;

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* One line: a row of a k tile, or a column of a row block. */
static void put_line(problem *p, const int8_t *trits, uint32_t elems)
{
    lpu_ternary_encode(p->code, p->memory + p->bytes, trits, elems);
    p->bytes += (uint32_t)lpu_ternary_bytes(p->code, elems);
}

static void put_tile(problem *p, uint32_t plane, uint32_t first, uint32_t count, lpu_ktile tile)
{
    int8_t column[SIDE_MAX];

    for (uint32_t r = 0; !p->is_column && r < count; r++) {
        put_line(p, &p->digits[plane][first + r][tile.first], tile.elems);
    }
    for (uint32_t c = 0; p->is_column && c < tile.elems; c++) {
        for (uint32_t r = 0; r < count; r++)
            column[r] = p->digits[plane][first + r][tile.first + c];
        put_line(p, column, count);
    }
}

/* Columns are cut at every COLS of them, rows of tiles by the layout. */
static lpu_ktile tile_at(const problem *p, uint32_t t)
{
    const lpu_format format = {1, (uint32_t)lpu_ternary_per_byte(p->code), 1};
    if (!p->is_column) return lpu_ktile_at(&format, p->k, COLS, t);
    return (lpu_ktile){t * COLS, p->k - t * COLS < COLS ? p->k - t * COLS : COLS, 0};
}

static void problem_init(problem *p, lpu_code code, bool is_column, uint32_t n, uint32_t k,
                         uint32_t planes, uint32_t seed)
{
    memset(p, 0, sizeof(*p));
    p->code = code;
    p->is_column = is_column;
    p->n = n;
    p->k = k;
    p->planes = planes;
    for (uint32_t r = 0; r < PASSES; r++) {
        for (uint32_t c = 0; c < k; c++) p->x[r][c] = (int8_t)(next_random(&seed) % 255 - 127);
    }
    for (uint32_t plane = 0; plane < planes; plane++) {
        for (uint32_t i = 0; i < n * k; i++) {
            p->digits[plane][i / k][i % k] = (int8_t)(next_random(&seed) % 3 - 1);
        }
    }
    for (uint32_t r = 0; r < PASSES; r++) {
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t c = 0; c < k; c++) {
                int32_t v = 0;
                for (uint32_t plane = 0; plane < planes; plane++) {
                    v = 3 * v + p->digits[plane][i][c];
                }
                p->wanted[r][i] += v * p->x[r][c];
            }
        }
    }
    for (uint32_t first = 0; first < n; first += ROWS) {
        const uint32_t count = n - first < ROWS ? n - first : ROWS;
        for (uint32_t plane = 0; plane < planes; plane++) {
            for (uint32_t t = 0; t < lpu_ktile_count(k, COLS); t++) {
                put_tile(p, plane, first, count, tile_at(p, t));
            }
        }
    }
}

/* ---- by instruction ---- */

enum { BUFFER_X, BUFFER_Y };

static lpu_status exec_open(lpu_exec **e, problem *p, lpu_diag *diag)
{
    const lpu_exec_config config = {.rows = ROWS,
                                    .cols = COLS,
                                    .code = p->code,
                                    .scratch_bytes = SCRATCH_BYTES,
                                    .memory = p->memory,
                                    .memory_bytes = sizeof(p->memory)};
    lpu_status status = lpu_exec_open(e, &config, diag);
    const lpu_insn buffers[2] = {
        {.op = LPU_INSN_setbuf, .dst = BUFFER_X, .addr = 0, .n = PASSES * SIDE_MAX},
        {.op = LPU_INSN_setbuf, .dst = BUFFER_Y, .addr = 4096, .n = PASSES * SIDE_MAX * 4}};

    for (int i = 0; i < 2 && !status; i++) status = lpu_exec_step(*e, &buffers[i], diag);
    return status;
}

static lpu_insn stream_of(const problem *p)
{
    return (lpu_insn){.op = LPU_INSN_stream, .addr = 0, .seg_bytes = p->bytes, .segs = 1};
}

static lpu_insn product_of(const problem *p)
{
    const lpu_format format = {1, (uint32_t)lpu_ternary_per_byte(p->code), 1};
    const lpu_cut cut = p->is_column
                            ? lpu_cut_blocks(&format, p->n, ROWS, lpu_ktile_count(p->k, COLS))
                            : lpu_cut_ktiles(&format, p->k, COLS);

    return (lpu_insn){.op = LPU_INSN_matmul,
                      .flags = p->is_column ? LPU_FLAG_COLUMN : 0,
                      .dst = BUFFER_Y,
                      .a = BUFFER_X,
                      .planes = (uint8_t)p->planes,
                      .m = PASSES,
                      .m_inner = 1,
                      .n = p->n,
                      .k = p->k,
                      .seg_bytes = cut.line_bytes,
                      .segs = cut.more,
                      .stride = cut.pieces,
                      .a_stride = SIDE_MAX,
                      .d_stride = SIDE_MAX};
}

/* x goes through memory: behind the matrix, by a load. */
static lpu_status run_insns(problem *p, lpu_diag *diag)
{
    lpu_exec *e;
    lpu_status status = exec_open(&e, p, diag);
    const lpu_insn insns[] = {{.op = LPU_INSN_load,
                               .dst = BUFFER_X,
                               .addr = MEMORY_BYTES / 2,
                               .seg_bytes = sizeof(p->x),
                               .segs = 1},
                              stream_of(p),
                              product_of(p),
                              {.op = LPU_INSN_sync}};

    memcpy(p->memory + MEMORY_BYTES / 2, p->x, sizeof(p->x));
    for (size_t i = 0; i < sizeof(insns) / sizeof(*insns) && !status; i++) {
        status = lpu_exec_step(e, &insns[i], diag);
    }
    if (!status) memcpy(p->found, lpu_exec_buffer(e, BUFFER_Y), sizeof(p->found));
    lpu_exec_close(&e);
    return status;
}

/* ---- by clock ---- */

/* What goes to the array's ports, in order. */
typedef struct tile_work {
    lpu_array_cmd cmd;
    lpu_ktile tile;
    uint32_t first, at, line_bytes; /* row of the product; place of its lines in memory */
} tile_work;

static uint32_t list_tiles(const problem *p, tile_work *list)
{
    const uint32_t tiles = lpu_ktile_count(p->k, COLS);
    uint32_t count = 0, at = 0;

    for (uint32_t first = 0; first < p->n; first += ROWS) {
        const uint32_t rows = p->n - first < ROWS ? p->n - first : ROWS;
        for (uint32_t i = 0; i < p->planes * tiles; i++) {
            const uint32_t plane = i / tiles, t = i % tiles;
            const lpu_ktile tile = tile_at(p, t);
            const uint32_t bytes =
                p->is_column ? (uint32_t)lpu_ternary_bytes(p->code, rows) : tile.line_bytes;
            const lpu_array_cmd cmd = {.lines = p->is_column ? tile.elems : rows,
                                       .rows = rows,
                                       .passes = PASSES,
                                       .accum = t       ? LPU_ACCUM_ADD
                                                : plane ? LPU_ACCUM_HORNER
                                                        : LPU_ACCUM_CLEAR,
                                       .is_column = p->is_column,
                                       .is_last = i + 1 == p->planes * tiles};
            list[count++] = (tile_work){cmd, tile, first, at, bytes};
            at += cmd.lines * bytes;
        }
    }
    return count;
}

typedef struct port {
    uint32_t tile, index; /* index: line of the tile, or vector */
} port;

static void fill_beat(const problem *p, const tile_work *w, uint32_t line, uint8_t *beat,
                      uint32_t port_bytes)
{
    const int8_t zeros[8] = {0};
    uint8_t zero;
    lpu_ternary_encode(p->code, &zero, zeros, lpu_ternary_per_byte(p->code));
    memset(beat, zero, LINES * port_bytes);
    for (uint32_t l = 0; l < LINES && line + l < w->cmd.lines; l++) {
        memcpy(beat + l * port_bytes, p->memory + w->at + (line + l) * w->line_bytes,
               w->line_bytes);
    }
}

static bool run_array(problem *p)
{
    const lpu_array_config config = {.rows = ROWS,
                                     .cols = COLS,
                                     .lines = LINES,
                                     .passes_max = PASSES,
                                     .out_lanes = LANES,
                                     .code = p->code,
                                     .has_values = true};
    const uint32_t port_bytes = lpu_array_line_bytes(&config);
    static tile_work list[1024];
    const uint32_t tiles = list_tiles(p, list);
    uint32_t cmd = 0, drained = 0, first = 0;
    port w = {0, 0}, x = {0, 0};
    lpu_array *a;

    if (lpu_array_open(&a, &config, NULL)) return false;
    for (uint32_t cycle = 0; cycle < 100000 && first < p->n; cycle++) {
        uint8_t beat[LINES * SIDE_MAX];
        int8_t vector[COLS] = {0};
        lpu_array_out out;
        lpu_array_in in = {.y_ready = true, .w_data = beat, .x_data = vector};

        lpu_array_outputs(a, &out);
        if ((in.cmd_valid = cmd < tiles)) in.cmd = list[cmd].cmd;
        if ((in.w_valid = w.tile < tiles)) fill_beat(p, &list[w.tile], w.index, beat, port_bytes);
        if ((in.x_valid = x.tile < tiles)) {
            const lpu_ktile *t = &list[x.tile].tile;
            memcpy(vector, &p->x[x.index][t->first], t->elems);
        }
        const uint32_t rows = p->n - first < ROWS ? p->n - first : ROWS;
        const uint32_t beats = (rows + LANES - 1) / LANES;
        for (uint32_t l = 0; out.y_valid && l < LANES; l++) {
            const uint32_t row = drained % beats * LANES + l;
            if (row < rows) p->drained[drained / beats][first + row] = out.y_data[l];
        }
        if (out.y_valid && ++drained == beats * PASSES) {
            drained = 0;
            first += ROWS;
        }
        lpu_array_step(a, &in);
        if (in.cmd_valid && out.cmd_ready) cmd++;
        if (in.w_valid && out.w_ready && (w.index += LINES) >= list[w.tile].cmd.lines) {
            w = (port){w.tile + 1, 0};
        }
        if (in.x_valid && out.x_ready && ++x.index == PASSES) x = (port){x.tile + 1, 0};
    }
    lpu_array_close(&a);
    return first >= p->n;
}

/* ---- tests ---- */

static problem shared;

static void check_problem(lpu_code code, bool is_column, uint32_t n, uint32_t k, uint32_t planes)
{
    problem *p = &shared;

    problem_init(p, code, is_column, n, k, planes, n * 131 + k * 7 + planes);
    CHECK_OK(run_insns(p, diag));
    CHECK(run_array(p), "the array does not end");
    for (uint32_t r = 0; r < PASSES; r++) {
        for (uint32_t i = 0; i < n; i++) {
            CHECK(p->found[r][i] == p->wanted[r][i] && p->drained[r][i] == p->wanted[r][i],
                  "code %d, %u x %u, %u planes: sum %u of vector %u is %d, of the array %d, "
                  "expected %d",
                  (int)code, n, k, planes, i, r, p->found[r][i], p->drained[r][i], p->wanted[r][i]);
        }
    }
}

static void products_are_those_of_the_array(void)
{
    static const uint32_t shapes[][3] = {{8, 20, 1},  {5, 7, 1},   {8, 20, 5},
                                         {21, 33, 3}, {64, 61, 2}, {1, 64, 5}};

    for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
        for (int way = 0; way < 4 && !test_is_over; way++) {
            check_problem(way & 1 ? LPU_CODE_T2 : LPU_CODE_BASE3, way & 2, shapes[i][0],
                          shapes[i][1], shapes[i][2]);
        }
    }
}

/* One instruction is refused, and says why. */
static void refuse(const char *why, const lpu_insn *insns, size_t count)
{
    problem *p = &shared;
    lpu_exec *e;
    lpu_diag diag = {""};
    lpu_status status = exec_open(&e, p, &diag);

    CHECK(!status, "%s", diag.text);
    for (size_t i = 0; i < count; i++) {
        CHECK(!status, "instruction %zu of the case \"%s\": %s", i - 1, why, diag.text);
        status = lpu_exec_step(e, &insns[i], &diag);
    }
    CHECK(status == LPU_ERR_FORMAT, "%s: status %d, expected a refusal", why, (int)status);
    CHECK(strstr(diag.text, why), "the sentence is \"%s\", expected \"%s\"", diag.text, why);
    lpu_exec_close(&e);
}

static void what_cannot_be_is_refused(void)
{
    problem *p = &shared;
    problem_init(p, LPU_CODE_BASE3, false, 21, 33, 3, 1);
    const lpu_insn good = stream_of(p), product = product_of(p), sync = {.op = LPU_INSN_sync};
    lpu_insn stream = good, bad = product;

    stream.seg_bytes--;
    refuse("FIFO that ends", (lpu_insn[]){stream, product}, 2);
    stream.seg_bytes += 2;
    refuse("waiting streams: 1", (lpu_insn[]){stream, product, sync}, 3);
    stream.addr = MEMORY_BYTES - 1;
    refuse("expected one within memory", &stream, 1);
    stream = good;
    stream.segs = stream.stride = UINT32_MAX;
    refuse("expected one within memory", &stream, 1);
    bad.a = 7;
    refuse("buffer 7", (lpu_insn[]){good, bad}, 2);
    bad = product;
    bad.d_off = PASSES * SIDE_MAX;
    refuse("of buffer 1", (lpu_insn[]){good, bad}, 2);
    bad = product;
    bad.planes = 6;
    refuse("planes 6", (lpu_insn[]){good, bad}, 2);
    bad = product;
    bad.m_inner = 2;
    refuse("m_inner 2", (lpu_insn[]){good, bad}, 2);
    bad = product; /* 33 digits in two k tiles of 20: 4 and 3 bytes */
    bad.stride = 3;
    refuse("cut into 3 pieces, expected 2", (lpu_insn[]){good, bad}, 2);
    bad = product;
    bad.segs = 0;
    refuse("lines of 3 bytes in k tile 0, expected 4", (lpu_insn[]){good, bad}, 2);
    bad = product;
    bad.seg_bytes = 4;
    refuse("lines of 5 bytes in k tile 0, expected 4", (lpu_insn[]){good, bad}, 2);
    bad = product; /* 21 digits in row blocks of 8: 2 bytes, 1 in the last */
    bad.flags = LPU_FLAG_COLUMN;
    bad.seg_bytes = bad.segs = 2;
    refuse("lines of 2 and 2 bytes, expected 2 and 1", (lpu_insn[]){good, bad}, 2);
    bad = product;
    bad.op = LPU_INSN_kvpack;
    refuse("kvpack: found a cut with lines of 4 bytes in k tile 0, expected 3",
           (lpu_insn[]){good, bad}, 2);
    bad.mode = 1;
    bad.stride = 3;
    refuse("kvpack: found a cut with lines", (lpu_insn[]){good, bad}, 2);
    const lpu_insn store = {
        .op = LPU_INSN_store, .a = BUFFER_X, .addr = p->bytes - 1, .seg_bytes = 4, .segs = 1};
    refuse("no waiting stream", (lpu_insn[]){good, store}, 2);
    const lpu_insn place = {.op = LPU_INSN_setbuf, .dst = 3, .addr = SCRATCH_BYTES - 8, .n = 9};
    refuse("within the scratchpad", &place, 1);
    const lpu_insn unknown = {.op = LPU_INSN_OPS, .m = 1, .m_inner = 1, .n = 1};
    refuse("opcode 17", &unknown, 1);
    p->memory[5] = 243;
    refuse("illegal codes", (lpu_insn[]){good, product}, 2);
}

/* Logits 1 2 0, then 2 2 1 of two chunks: the first 2 of all wins, as the lowest index. */
static void the_lowest_of_equal_logits_wins(void)
{
    enum { ACT = 2, LOGITS = 3, SCALES = 4, RESULT = 5 };
    problem *p = &shared;
    const int32_t logits[2][3] = {{1, 2, 0}, {2, 2, 1}};
    const lpu_scale one[3] = {{32768, -15}, {32768, -15}, {32768, -15}};
    int32_t kept[6];
    const lpu_exec_config config = {.rows = ROWS,
                                    .cols = COLS,
                                    .scratch_bytes = SCRATCH_BYTES,
                                    .memory = p->memory,
                                    .memory_bytes = sizeof(p->memory),
                                    .logits = kept,
                                    .logits_elems = 6};
    lpu_exec *e;

    CHECK_OK(lpu_exec_open(&e, &config, diag));
    memcpy(p->memory, logits, sizeof(logits));
    memcpy(p->memory + 256, one, sizeof(one));
    for (uint8_t b = ACT; b <= RESULT; b++) {
        const lpu_insn place = {.op = LPU_INSN_setbuf, .dst = b, .addr = b * 64u, .n = 64};
        const lpu_insn load = {
            .op = LPU_INSN_load, .dst = b, .addr = 256, .seg_bytes = sizeof(one), .segs = 1};
        CHECK_OK(lpu_exec_step(e, &place, diag));
        CHECK_OK(lpu_exec_step(e, &load, diag));
    }
    for (uint32_t chunk = 0; chunk < 2; chunk++) {
        const lpu_insn load = {
            .op = LPU_INSN_load, .dst = LOGITS, .addr = 12 * chunk, .seg_bytes = 12, .segs = 1};
        const lpu_insn best = {.op = LPU_INSN_argmax,
                               .flags = chunk ? 0 : LPU_FLAG_FIRST,
                               .dst = RESULT,
                               .a = LOGITS,
                               .b = ACT,
                               .c = SCALES,
                               .m = 1,
                               .m_inner = 1,
                               .n = 3,
                               .k = 4,
                               .d_off = 3 * chunk};
        CHECK_OK(lpu_exec_step(e, &load, diag));
        CHECK_OK(lpu_exec_step(e, &best, diag));
    }
    const int32_t *result = lpu_exec_buffer(e, RESULT);
    CHECK_EQ(result[0], 1);
    CHECK_EQ(result[1], 2 << 16); /* X32: 16 fractional bits */
    for (int i = 0; i < 6; i++) CHECK_EQ(kept[i], logits[i / 3][i % 3] << 16);
    lpu_exec_close(&e);
}

int main(void)
{
    RUN(products_are_those_of_the_array);
    RUN(what_cannot_be_is_refused);
    RUN(the_lowest_of_equal_logits_wins);
    return test_failures != 0;
}
