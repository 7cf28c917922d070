/* sim/machine_units.h - the machine's registers, unit by unit. Private to machine.c and unit_*.c. */
#ifndef LPU_SIM_MACHINE_UNITS_H
#define LPU_SIM_MACHINE_UNITS_H

#include "sim/cost.h"
#include "sim/machine.h"
#include "sim/port.h"
#include "sim/unit_array.h"

enum {
    LPU_ARRAY_QUEUE = 4,
    LPU_VECTOR_QUEUE = 4,
    LPU_STORE_QUEUE = 8,
    LPU_TILE_QUEUE = 4,
};

/* Walks the segments of a stream, load or store, burst by burst. */
typedef struct lpu_walk {
    uint64_t addr, stride;
    uint32_t seg_bytes, segs; /* segs left, with the present one */
    uint32_t offset;          /* within the present segment */
} lpu_walk;

/* A descriptor in the stream queue. */
typedef struct lpu_stream_entry {
    size_t   insn;
    lpu_walk walk;
    uint64_t arrived_bytes, total_bytes;
} lpu_stream_entry;

/* A burst in flight, in the order of request. */
typedef struct lpu_stream_burst {
    uint64_t address;
    uint32_t entry, useful_bytes;
    bool     is_last; /* of its descriptor */
    bool     is_done;
} lpu_stream_burst;

typedef struct lpu_stream {
    uint32_t          ports, burst_bytes; /* bursts in a cycle, of each channel */
    lpu_stream_entry *entries; /* (stream_queue) ring */
    uint32_t          first, count, walked; /* walked: entries fully requested, from first on */
    bool              is_walking; /* the walker has the first of the others */
    lpu_stream_burst *bursts;  /* (outstanding_bursts) ring */
    uint32_t          burst_first, burst_count;
    uint32_t          asking;  /* the youngest of them: on AR, not accepted */
    uint32_t         *beats;   /* (ports) slots whose last beat was on R in the cycle before */
    uint32_t          beat_count;
    uint64_t          fifo_bytes, fifo_reserved_bytes; /* arrived and not taken; plus in flight */
    bool              has_room; /* in the queue, when the cycle began */
} lpu_stream;

/* A product in the array: tiles are made in order row block > plane > k tile. */
typedef struct lpu_product {
    size_t   insn;
    uint32_t block, plane, tile; /* of the next tile */
    uint32_t blocks, tiles;
    bool     is_made;     /* all its tiles are commanded */
    uint64_t beats_left;  /* of the drain */
} lpu_product;

typedef struct lpu_tile_fill {
    uint32_t lines, line_bytes; /* left to fill */
} lpu_tile_fill;

typedef struct lpu_tiles {
    lpu_product   products[LPU_ARRAY_QUEUE];
    uint32_t      first, count, making; /* making: products whose tiles are all commanded */
    lpu_tile_fill fills[LPU_TILE_QUEUE]; /* tiles that are gathered */
    uint32_t      fill_first, fill_count;
    lpu_array_cmd cmds[LPU_TILE_QUEUE];  /* tiles that the array has not taken */
    uint32_t      cmd_first, cmd_count;
    uint32_t      gathered_bytes; /* of the present beat */
    uint32_t      beats;          /* whole beats taken and not yet in the array: two buffers */
    bool          is_landing;     /* the newest of them is on its way from the FIFO */
    /* As they were at the beginning of the last step. */
    bool          has_room, is_filling, is_short;
} lpu_tiles;

typedef struct lpu_vector {
    size_t   queue[LPU_VECTOR_QUEUE];
    uint32_t first, count;
    uint32_t held;    /* count at the beginning of the cycle: what the sequencer sees */
    bool     is_busy; /* with queue[first] */
    uint64_t done_at_cycles;
} lpu_vector;

typedef struct lpu_store_entry {
    size_t   insn;
    lpu_walk walk;
    uint32_t in_flight; /* bursts sent and not acknowledged */
} lpu_store_entry;

typedef struct lpu_store {
    uint32_t        beats, burst_bytes;
    lpu_store_entry queue[LPU_STORE_QUEUE];
    uint32_t        first, count, walked; /* walked: entries fully sent, from first on */
    bool            is_walking;           /* the walker has the first of the others */
    uint32_t        beat;                 /* of its present burst */
    bool            has_address, has_beat; /* on AW and W, not accepted */
    uint64_t        address;
    uint32_t        slot;     /* of the burst on AW */
    bool            has_room; /* in the queue, when the cycle began */
} lpu_store;

struct lpu_machine {
    const lpu_layout  *layout;
    const lpu_design  *design;
    const lpu_program *program;
    const lpu_trace   *trace;
    bool               is_stepped;

    lpu_array *array;
    lpu_port  *port;
    lpu_port_stalls stalls;
    lpu_port_remote remote; /* has a begin where the memory is elsewhere */
    lpu_stream stream;
    lpu_tiles  tiles;
    lpu_vector vector;
    lpu_store  store;

    /* Sequencer. */
    size_t   pc, first, end, oldest;
    bool    *is_retired;   /* (room) by instruction of the segment */
    uint64_t *issued_at_cycles; /* (room) */
    size_t   room;
    uint32_t writers[LPU_BUFFERS][LPU_UNITS], readers[LPU_BUFFERS][LPU_UNITS];
    uint32_t stores_pending;

    uint64_t now_cycles;
    uint64_t stepped_cycles;
    bool     has_progress; /* something changed in this cycle that is no mere count */
    lpu_counters *ops;

    lpu_machine_watch_fn *watch;
    void                 *watch_user;
};

/* Burst-aligned address and useful bytes of the walk's next burst; advances it. burst_bytes is a
 * power of two. */
uint64_t lpu_walk_next(lpu_walk *w, uint32_t burst_bytes, uint32_t *useful_bytes);
uint64_t lpu_walk_peek(const lpu_walk *w, uint32_t burst_bytes, uint32_t *useful_bytes);
void     lpu_walk_advance(lpu_walk *w, uint32_t bytes); /* at most to the segment's end */
lpu_walk lpu_walk_of(const lpu_insn *insn);

/* Marks instruction i as retired: frees its buffers, tells the watcher. */
void lpu_sequencer_retire(lpu_machine *m, size_t i);
void lpu_sequencer_step(lpu_machine *m);

/* Each unit: room in its queue, taking an instruction, one clock. */
bool lpu_stream_has_room(const lpu_machine *m);
void lpu_stream_push(lpu_machine *m, size_t i);
void lpu_stream_request(lpu_machine *m); /* requests to memory */
void lpu_stream_arrive(lpu_machine *m);  /* data from it */

bool            lpu_tiles_has_room(const lpu_machine *m);
void            lpu_tiles_push(lpu_machine *m, size_t i);
lpu_array_state lpu_tiles_step(lpu_machine *m); /* beats, commands, the array's clock */
bool            lpu_tiles_can_move(const lpu_machine *m); /* next: bytes, a beat or a command */
/* In the last step: was a tile not all gathered, and did the FIFO hold too little for the gather? */
bool            lpu_tiles_is_filling(const lpu_machine *m);
bool            lpu_tiles_is_short(const lpu_machine *m);
void            lpu_tiles_drained(lpu_machine *m, uint64_t beats);

bool lpu_vector_has_room(const lpu_machine *m);
void lpu_vector_push(lpu_machine *m, size_t i);
void lpu_vector_step(lpu_machine *m);

bool lpu_store_has_room(const lpu_machine *m);
void lpu_store_push(lpu_machine *m, size_t i);
void lpu_store_step(lpu_machine *m);

#endif
