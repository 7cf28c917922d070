/* tests/unit/compile_test.c - instructions as bytes and text, the order of programs, and the map of
 * memory.
 *
 * Order: beside the streams nothing moves, and the streams keep their order. That a stream went
 * ahead of nothing it depends on is checked from what each instruction reads and writes, not from
 * the rules of the compiler: the k-th product takes the bytes of its own streams, in order.
 */
#include "sim/compile.h"
#include "tests/unit/sim_odd.h"
#include "tests/unit/test.h"
#include "tests/unit/tiny_model.h"

#include <stdlib.h>

/* ---- one instruction ---- */

static void every_bit_of_an_instruction(void)
{
    uint8_t bytes[LPU_INSN_BYTES], again[LPU_INSN_BYTES];
    uint32_t seed = 1;

    for (int i = 0; i < 20000; i++) {
        lpu_insn insn, back;
        lpu_diag diag = {""};
        /* One bit alone, then all at random; the opcode must be legal. */
        for (int b = 0; b < LPU_INSN_BYTES; b++) {
            bytes[b] = i < LPU_INSN_BYTES * 8 ? (uint8_t)((i / 8 == b) << i % 8)
                                              : (uint8_t)odd_below(&seed, 256);
        }
        bytes[0] = (uint8_t)(bytes[0] % LPU_INSN_OPS);
        CHECK(!lpu_insn_decode(&insn, bytes, &diag), "%s", diag.text);
        lpu_insn_encode(again, &insn);
        CHECK(!memcmp(bytes, again, sizeof(bytes)), "bytes differ in case %d", i);
        CHECK(!lpu_insn_decode(&back, again, &diag), "%s", diag.text);
        CHECK(!memcmp(&insn.op, &back.op, 8) && insn.addr == back.addr && insn.n == back.n &&
                  insn.scale.m == back.scale.m && insn.scale.e == back.scale.e,
              "fields differ in case %d", i);
    }
}

/* The words as sim/program.h draws them. */
static void the_words(void)
{
    const lpu_insn insn = {.op = LPU_INSN_matmul,
                           .flags = 2,
                           .dst = 3,
                           .a = 4,
                           .b = 5,
                           .c = 6,
                           .planes = 7,
                           .mode = 8,
                           .m = 0x11121314,
                           .m_inner = 0x21222324,
                           .n = 0x31323334,
                           .k = 0x41424344,
                           .addr = 0x5152535461626364,
                           .seg_bytes = 0x71727374,
                           .segs = 0x81828384,
                           .stride = 0x91929394,
                           .a_off = 0xa1a2a3a4,
                           .a_stride = 0xb1b2b3b4,
                           .d_off = 0xc1c2c3c4,
                           .d_stride = 0xd1d2d3d4,
                           .scale = {0xe1e2, -2}};
    const uint32_t words[16] = {
        0x04030200u | LPU_INSN_matmul,
        0x08070605,
        0x11121314,
        0x21222324,
        0x31323334,
        0x41424344,
        0x61626364,
        0x51525354,
        0x71727374,
        0x81828384,
        0x91929394,
        0xa1a2a3a4,
        0xb1b2b3b4,
        0xc1c2c3c4,
        0xd1d2d3d4,
        0xfffee1e2,
    };
    uint8_t bytes[LPU_INSN_BYTES];

    lpu_insn_encode(bytes, &insn);
    for (size_t i = 0; i < 16; i++) {
        const uint8_t *b = bytes + 4 * i;
        const uint32_t word =
            (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        CHECK(word == words[i], "word %zu is %08x, expected %08x", i, word, words[i]);
    }
}

static void illegal_opcodes(void)
{
    uint8_t bytes[LPU_INSN_BYTES] = {0};
    lpu_insn insn;

    for (int op = LPU_INSN_OPS; op < 256; op++) {
        lpu_diag diag = {""};
        bytes[0] = (uint8_t)op;
        CHECK_EQ(lpu_insn_decode(&insn, bytes, &diag), LPU_ERR_FORMAT);
        CHECK(strstr(diag.text, "found opcode"), "%s", diag.text);
    }
    CHECK(!strcmp(lpu_insn_name(255), "illegal"), "%s", lpu_insn_name(255));
}

static void printing(void)
{
    static const struct {
        lpu_insn insn;
        const char *text;
    } cases[] = {
        {{.op = LPU_INSN_halt}, "halt    \n"},
        {{.op = LPU_INSN_matmul,
          .dst = 3,
          .a = 1,
          .b = 255,
          .c = 255,
          .m = 1,
          .n = 2560,
          .k = 160,
          .planes = 1},
         "matmul   dst 3 a 1 m 1 n 2560 k 160 planes 1\n"},
        {{.op = LPU_INSN_stream,
          .flags = LPU_FLAG_FENCE,
          .dst = 255,
          .a = 255,
          .b = 255,
          .c = 255,
          .addr = 0x1000,
          .segs = 2,
          .seg_bytes = 64,
          .stride = 128},
         "stream   addr 0x1000 bytes 2 x 64 stride 128 fence\n"},
        {{.op = LPU_INSN_setbuf, .dst = 7, .a = 255, .b = 255, .c = 255, .addr = 64, .n = 32},
         "setbuf   dst 7 addr 0x40 bytes 32\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        size_t bytes = 0;
        FILE *file = open_memstream(&text, &bytes);
        CHECK(file, "no memory stream");
        lpu_insn_print(file, &cases[i].insn);
        fclose(file);
        const int is_same = !strcmp(text, cases[i].text);
        if (!is_same) test_fail(__FILE__, __LINE__, "%s", text);
        free(text);
        if (!is_same) return;
    }
}

/* ---- programs ---- */

typedef struct compiled {
    lpu_trace *trace;
    lpu_layout layout;
    lpu_program program;
} compiled;

static lpu_status compile(compiled *c, const lpu_model *m, const lpu_design *d, lpu_phase phase,
                          uint32_t tokens, uint32_t context, uint32_t batch, lpu_diag *diag)
{
    memset(c, 0, sizeof(*c));
    lpu_status status = lpu_trace_open(&c->trace, m, phase, tokens, context, batch, diag);
    if (!status) {
        status = lpu_layout_open(&c->layout, &c->trace->model, d, batch, context + tokens, diag);
    }
    const lpu_compile_request request = {.layout = &c->layout, .trace = c->trace};
    return status ? status : lpu_compile(&c->program, &request, diag);
}

static void compiled_close(compiled *c)
{
    lpu_trace_close(&c->trace);
    lpu_layout_close(&c->layout);
    lpu_program_close(&c->program);
}

static bool is_stream_unit(const lpu_insn *i)
{
    return i->op == LPU_INSN_stream || i->op == LPU_INSN_load;
}

static const lpu_format *format_of(const compiled *c, size_t i)
{
    const lpu_operand operand = c->trace->ops[c->program.notes[i].op].operand;
    return operand == LPU_OPERAND_KV     ? &c->layout.kv
           : operand == LPU_OPERAND_HEAD ? &c->layout.head
                                         : &c->layout.linear;
}

static uint64_t matrix_bytes(const compiled *c, size_t i)
{
    const lpu_insn *p = &c->program.insns[i];
    const lpu_format *f = format_of(c, i);
    const uint32_t rows = c->layout.design->rows;

    if (!(p->flags & LPU_FLAG_COLUMN))
        return (uint64_t)p->n * p->planes * lpu_format_bytes(f, p->k);
    uint64_t bytes = 0;
    for (uint32_t at = 0; at < p->n; at += rows) {
        bytes +=
            (uint64_t)p->k * p->planes * lpu_format_bytes(f, p->n - at < rows ? p->n - at : rows);
    }
    return bytes;
}

/* The FIFO in order: each product, as it comes, takes exactly the bytes of streams of its own op,
 * all of them issued before it or not at all; no more than the queue holds wait for it. */
static void check_streams_feed_products(const compiled *c)
{
    const lpu_program *p = &c->program;
    size_t stream = 0;

    for (size_t i = 0; i < p->count; i++) {
        if (p->insns[i].op != LPU_INSN_matmul) continue;
        uint64_t bytes = 0;
        while (bytes < matrix_bytes(c, i)) {
            while (stream < p->count && p->insns[stream].op != LPU_INSN_stream) stream++;
            CHECK(stream < i, "instruction %zu: its stream comes after it", i);
            CHECK_EQ(p->notes[stream].op, p->notes[i].op);
            bytes += (uint64_t)p->insns[stream].segs * p->insns[stream].seg_bytes;
            stream++;
        }
        CHECK_EQ(bytes, matrix_bytes(c, i));
    }
    while (stream < p->count && p->insns[stream].op != LPU_INSN_stream) stream++;
    CHECK_EQ(stream, p->count);
}

/* Products and packs say how their lines are cut: as the layout cuts them. */
static void check_cuts(const compiled *c)
{
    const uint32_t rows = c->layout.design->rows, cols = c->layout.design->cols;

    for (size_t i = 0; i < c->program.count && !test_is_over; i++) {
        const lpu_insn *e = &c->program.insns[i];
        const bool is_product = e->op == LPU_INSN_matmul;
        if (!is_product && e->op != LPU_INSN_kvpack) continue;
        const lpu_format *f = is_product ? format_of(c, i) : &c->layout.kv;
        const uint32_t elems = is_product ? e->k : e->n;
        if (is_product ? e->flags & LPU_FLAG_COLUMN : e->mode) {
            CHECK_EQ(e->stride, is_product ? (e->k + cols - 1) / cols : (e->n + rows - 1) / rows);
            CHECK_EQ(e->seg_bytes, lpu_format_bytes(f, rows));
            CHECK_EQ(e->segs, lpu_format_bytes(f, e->n % rows ? e->n % rows : rows));
            continue;
        }
        CHECK_EQ(e->stride, lpu_ktile_count(elems, cols));
        for (uint32_t t = 0; t < e->stride; t++) {
            const uint32_t more = t < e->segs ? f->unit_bytes : 0;
            CHECK_EQ(e->seg_bytes + more, lpu_ktile_at(f, elems, cols, t).line_bytes);
        }
    }
}

/* The last thing that a pass does is to store each sequence's result at its place. */
static void check_results(const compiled *c)
{
    const lpu_program *p = &c->program;
    const lpu_region *r = &c->layout.regions[0];
    uint32_t next = 0;

    CHECK_EQ(r->kind, LPU_REGION_TABLES);
    CHECK_EQ(r->bytes, c->layout.result_at + 8 * c->layout.batch);
    for (size_t i = 0; i < p->count; i++) {
        const lpu_insn *e = &p->insns[i];
        if (e->op != LPU_INSN_store || e->a != LPU_BUF_RESULT) continue;
        CHECK_EQ(e->addr, r->base + c->layout.result_at + 8 * next);
        CHECK_EQ(p->insns[i - 1].op, LPU_INSN_argmax);
        CHECK_EQ(e->segs, 1);
        next += e->seg_bytes / 8;
        CHECK(p->insns[i + 1].op == (next < c->layout.batch ? LPU_INSN_sync : LPU_INSN_halt),
              "instruction %zu (%s) follows the result of %u sequences", i + 1,
              lpu_insn_name(p->insns[i + 1].op), next);
    }
    CHECK_EQ(next, c->layout.batch);
}

/* What a buffer is loaded for must find it loaded, and not yet loaded again: each reader of a
 * buffer that loads write sees a load of its own op, or of the op before it in its pair. */
static void check_loads_serve_readers(const compiled *c)
{
    const lpu_program *p = &c->program;
    uint32_t loaded_for[LPU_BUFS];
    bool is_read[LPU_BUFS];

    for (int b = 0; b < LPU_BUFS; b++) loaded_for[b] = UINT32_MAX, is_read[b] = true;
    for (size_t i = 0; i < p->count; i++) {
        const lpu_insn *e = &p->insns[i];
        const uint8_t reads[] = {e->a, e->b, e->c};
        if (e->op == LPU_INSN_load) {
            const bool is_part = loaded_for[e->dst] == p->notes[i].op; /* one of several pieces */
            CHECK(is_read[e->dst] || is_part,
                  "instruction %zu: buffer %u is loaded again before "
                  "anybody reads it",
                  i, e->dst);
            loaded_for[e->dst] = p->notes[i].op;
            is_read[e->dst] = false;
            continue;
        }
        if (lpu_insn_unit(e->op) == LPU_UNIT_sequencer) continue;
        for (size_t r = 0; r < 3; r++) {
            if (reads[r] >= LPU_BUFS || loaded_for[reads[r]] == UINT32_MAX) continue;
            CHECK(loaded_for[reads[r]] == p->notes[i].op,
                  "instruction %zu (%s) of op %u reads buffer %u, loaded for op %u", i,
                  lpu_insn_name(e->op), p->notes[i].op, reads[r], loaded_for[reads[r]]);
            is_read[reads[r]] = true;
        }
    }
}

/* A stream of bytes that this pass stores comes after the store, and has the fence. */
static void check_fences(const compiled *c)
{
    const lpu_program *p = &c->program;

    for (size_t s = 0; s < p->segment_count; s++) {
        const size_t end = p->segments[s].first + p->segments[s].count;
        for (size_t i = p->segments[s].first; i < end; i++) {
            const lpu_insn *store = &p->insns[i];
            const uint64_t to = store->addr + (uint64_t)store->segs * store->seg_bytes;
            if (store->op != LPU_INSN_store) continue;
            for (size_t j = p->segments[s].first; j < end; j++) {
                const lpu_insn *e = &p->insns[j];
                bool meets = false;
                if (!is_stream_unit(e)) continue;
                for (uint32_t g = 0; g < e->segs && !meets; g++) {
                    const uint64_t at = e->addr + (uint64_t)g * e->stride;
                    meets = at < to && store->addr < at + e->seg_bytes;
                }
                if (!meets || c->trace->ops[p->notes[j].op].kind == LPU_OP_state_update) continue;
                CHECK(j > i && (e->flags & LPU_FLAG_FENCE), "instruction %zu reads what %zu stores",
                      j, i);
            }
        }
    }
}

/* Beside streams, the order is that of a queue of two: the least that moves ahead. */
static void check_order(const compiled *c, const compiled *least)
{
    const lpu_program *p = &c->program, *q = &least->program;
    size_t j = 0, ahead = 0;

    CHECK_EQ(p->count, q->count);
    for (int streams = 0; streams < 2; streams++) {
        j = 0;
        for (size_t i = 0; i < p->count; i++) {
            if (is_stream_unit(&p->insns[i]) != streams) continue;
            while (is_stream_unit(&q->insns[j]) != streams) j++;
            CHECK(!memcmp(&p->insns[i], &q->insns[j], sizeof(p->insns[i])),
                  "instruction %zu is not %zu of the least moved", i, j);
            CHECK(i <= j || !streams, "stream %zu was %zu", i, j);
            ahead += streams && i < j;
            j++;
        }
    }
    CHECK(ahead, "no stream is ahead");
}

static void check_program(const lpu_model *m, lpu_design *d, lpu_phase phase, uint32_t tokens,
                          uint32_t context, uint32_t batch)
{
    compiled c, least;

    lpu_diag diag = {""};
    const lpu_status status = compile(&c, m, d, phase, tokens, context, batch, &diag);
    if (status == LPU_ERR_RANGE && strstr(diag.text, "the streams of one product")) {
        compiled_close(&c); /* narrow arrays cut a head into more streams than a queue holds */
        return;
    }
    CHECK(!status, "%s", diag.text);
    check_streams_feed_products(&c);
    if (!test_is_over) check_loads_serve_readers(&c);
    if (!test_is_over) check_fences(&c);
    if (!test_is_over) check_cuts(&c);
    if (!test_is_over) check_results(&c);
    const uint32_t queue = d->stream_queue;
    for (d->stream_queue = 2; d->stream_queue < queue; d->stream_queue++) {
        if (!compile(&least, m, d, phase, tokens, context, batch, &diag)) break;
        compiled_close(&least);
    }
    if (!test_is_over && d->stream_queue < queue / 2) check_order(&c, &least);
    if (d->stream_queue < queue) compiled_close(&least);
    d->stream_queue = queue;
    compiled_close(&c);
}

static void programs_keep_their_order(void)
{
    static const char *const designs[] = {"ternary-edge", "binary-edge", "ternary-hbm", "int8-mac"};
    lpu_model m;

    CHECK_OK(tiny_model_init(&m, diag));
    m.layers = 4;
    m.kv_layers = 2;
    m.vocab_elems = 2000;
    m.context_tokens = 1000;
    for (size_t i = 0; i < 4 && !test_is_over; i++) {
        lpu_design d;
        CHECK_OK(lpu_design_load(&d, designs[i], diag));
        check_program(&m, &d, LPU_PHASE_DECODE, 1, 100, 3);
        if (!test_is_over) check_program(&m, &d, LPU_PHASE_PREFILL, 70, 10, 1);
        if (test_is_over) printf("        on %s\n", designs[i]);
    }
}

static void odd_programs(void)
{
    uint32_t seed = 3;

    for (int i = 0; i < 40 && !test_is_over; i++) {
        lpu_model m;
        lpu_design d;
        CHECK_OK(tiny_model_init(&m, diag));
        CHECK_OK(lpu_design_load(&d, "ternary-resident", diag));
        odd_model(&m, &seed);
        odd_design(&d, &seed);
        check_program(&m, &d, i % 2 ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL,
                      i % 2 ? 1 : 1 + odd_below(&seed, 60), odd_below(&seed, 100), 2);
        if (test_is_over) printf("        case %d\n", i);
    }
}

/* ---- memory ---- */

/* Regions follow one another without overlap, each on a row of every bank of every channel. */
static void check_regions(const lpu_layout *l)
{
    const lpu_dram_config *d = &l->design->dram;
    const uint64_t stripe =
        (uint64_t)d->channels * d->ranks * d->bank_groups * d->banks_per_group * d->row_bytes;
    uint64_t end = 0;

    for (size_t i = 0; i < l->region_count; i++) {
        CHECK(l->regions[i].base % stripe == 0, "region %zu begins at %llu", i,
              (unsigned long long)l->regions[i].base);
        CHECK(l->regions[i].base >= end, "region %zu overlaps the one before", i);
        end = l->regions[i].base + l->regions[i].bytes;
    }
    CHECK(end <= l->bytes, "regions end at %llu of %llu", (unsigned long long)end,
          (unsigned long long)l->bytes);
}

/* Marks bytes at..at+bytes of a cache; each may be marked once. */
static void mark(uint8_t *cache, uint64_t region_bytes, uint64_t at, uint64_t bytes)
{
    CHECK(at + bytes <= region_bytes, "byte %llu of %llu", (unsigned long long)(at + bytes),
          (unsigned long long)region_bytes);
    for (uint64_t i = at; i < at + bytes; i++) {
        CHECK(!cache[i], "byte %llu is used twice", (unsigned long long)i);
        cache[i] = 1;
    }
}

/* Every line of every key and value, and every scale, has bytes of its own. */
static void check_cache(const lpu_layout *l)
{
    const lpu_model *m = l->model;
    const uint64_t bytes = l->regions[l->kv_first].bytes;
    const uint32_t tiles = lpu_ktile_count(m->head_elems, l->design->cols);
    const uint32_t blocks = (m->head_elems + l->design->rows - 1) / l->design->rows;
    uint8_t *cache = calloc(bytes, 1);

    for (uint32_t h = 0; h < m->kv_heads; h++) {
        for (uint32_t t = 0; t < l->capacity_tokens; t++) {
            for (uint32_t p = 0; p < l->kv.planes; p++) {
                for (uint32_t k = 0; k < tiles && !test_is_over; k++) {
                    mark(cache, bytes, lpu_layout_key_at(l, h, t, p, k),
                         lpu_ktile_at(&l->kv, m->head_elems, l->design->cols, k).line_bytes);
                }
                for (uint32_t b = 0; b < blocks && !test_is_over; b++) {
                    mark(cache, bytes, lpu_layout_value_at(l, h, t, b, p),
                         l->value_lines[b + 1 == blocks]);
                }
            }
            const uint64_t scale = 4 * ((uint64_t)h * l->capacity_tokens + t);
            if (!test_is_over) mark(cache, bytes, l->key_scale_at + scale, 4);
            if (!test_is_over) mark(cache, bytes, l->value_scale_at + scale, 4);
        }
    }
    free(cache);
}

/* The k tiles of a row: every column once, whole units, lines that add up to the row. */
static void check_ktiles(const lpu_format *f, uint32_t k, uint32_t cols)
{
    const uint32_t tiles = lpu_ktile_count(k, cols);
    uint32_t next = 0, bytes = 0;

    for (uint32_t i = 0; i < tiles; i++) {
        const lpu_ktile t = lpu_ktile_at(f, k, cols, i);
        CHECK(t.first == next && t.elems && t.elems <= cols, "k %u cols %u: tile %u is %u from %u",
              k, cols, i, t.elems, t.first);
        next += t.elems;
        bytes += t.line_bytes;
    }
    CHECK_EQ(next, k);
    CHECK_EQ(bytes, lpu_format_bytes(f, k));
}

static void memory_maps(void)
{
    uint32_t seed = 77;

    for (int i = 0; i < 60 && !test_is_over; i++) {
        lpu_model m;
        lpu_design d;
        lpu_layout l;
        CHECK_OK(tiny_model_init(&m, diag));
        CHECK_OK(lpu_design_load(&d, i % 2 ? "ternary-hbm" : "ternary-edge", diag));
        odd_model(&m, &seed);
        odd_design(&d, &seed);
        CHECK_OK(
            lpu_layout_open(&l, &m, &d, 1 + odd_below(&seed, 3), 1 + odd_below(&seed, 90), diag));
        check_regions(&l);
        if (!test_is_over) check_cache(&l);
        for (uint32_t k = 1; k < 900 && !test_is_over; k += 1 + odd_below(&seed, 7)) {
            check_ktiles(&l.linear, k, d.cols);
        }
        lpu_layout_close(&l);
        if (test_is_over) printf("        case %d\n", i);
    }
}

/* Within a layer's region the matrices and gains follow one another, each aligned. */
static void layers_do_not_overlap(void)
{
    uint32_t seed = 5;

    for (int i = 0; i < 40 && !test_is_over; i++) {
        lpu_model m;
        lpu_design d;
        lpu_layout l;
        uint64_t end = 0;
        CHECK_OK(tiny_model_init(&m, diag));
        CHECK_OK(lpu_design_load(&d, "ternary-edge", diag));
        odd_model(&m, &seed);
        odd_design(&d, &seed);
        CHECK_OK(lpu_layout_open(&l, &m, &d, 1, 1, diag));
        for (int w = 0; w < LPU_LINEARS; w++) {
            uint32_t n, k;
            lpu_layout_linear_shape(&m, (lpu_linear)w, &n, &k);
            CHECK(l.linear_at[w] % 64 == 0 && l.linear_at[w] >= end, "matrix %d at %llu", w,
                  (unsigned long long)l.linear_at[w]);
            end = l.linear_at[w] + (uint64_t)n * l.linear.planes * lpu_format_bytes(&l.linear, k);
        }
        for (int w = 0; w < LPU_NORMS; w++) {
            const uint32_t elems = w == LPU_NORM_FFN_SUB    ? m.ffn_elems
                                   : w == LPU_NORM_ATTN_SUB ? m.heads * m.head_elems
                                                            : m.hidden_elems;
            CHECK(l.norm_at[w] % 64 == 0 && l.norm_at[w] >= end, "gain %d", w);
            end = l.norm_at[w] + 2ull * elems;
        }
        CHECK(end <= l.regions[l.layer_first].bytes, "a layer ends at %llu of %llu",
              (unsigned long long)end, (unsigned long long)l.regions[l.layer_first].bytes);
        lpu_layout_close(&l);
    }
}

int main(void)
{
    RUN(every_bit_of_an_instruction);
    RUN(the_words);
    RUN(illegal_opcodes);
    RUN(printing);
    RUN(programs_keep_their_order);
    RUN(odd_programs);
    RUN(memory_maps);
    RUN(layers_do_not_overlap);
    return test_failures != 0;
}
