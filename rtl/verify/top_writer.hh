/* rtl/verify/top_writer.hh - writes a program, one operation after another, and the memory that it
 * finds: what random and directed programs are made with.
 *
 * The scratchpad is cut into slots, one buffer each. An operation takes slots for its operands from
 * one half of them, its successor from the other half, so that two operations may be written one
 * behind the other, the loads of the second before the work of the first, or side by side: then
 * array and vector unit work at once.
 *
 *     setbuf, loads, streams | operation | stores
 */
#ifndef LPU_RTL_VERIFY_TOP_WRITER_HH
#define LPU_RTL_VERIFY_TOP_WRITER_HH

#include "rtl/verify/top_random.hh"

typedef std::vector<uint8_t> top_bytes;

class top_writer
{
  public:
    top_writer(top_random *out, const lpu_layout *layout, uint64_t seed);

    top_dice dice;
    const lpu_design *const design;

    /* An instruction without operands. */
    static lpu_insn make(lpu_insn_op op);

    /* Loads data into a new slot, in one or more pieces. The buffer. */
    uint8_t load(const top_bytes &data) { return load(data, slot()); }
    /* Streams data in so many pieces, or fewer. */
    void stream(const top_bytes &data, uint32_t pieces);
    /* A slot for a result that ends at byte end. Now and then everything in it is known before, and
     * a guard behind it: what the operation leaves alone must stay. */
    uint8_t result(uint32_t end);
    /* The operation itself. */
    void work(const lpu_insn &insn) { say(&now_.work, insn); }
    /* Bytes of a buffer, to a new place. */
    void store(uint32_t buffer, uint32_t from, uint32_t count);
    /* Every row of dst, and nothing that lies between: there the scratchpad may hold anything. */
    void store_rows(const lpu_insn &insn);
    uint32_t room_bytes() const; /* of a slot */

    /* The operation is complete. It is written now, or with the next one. */
    void finish();
    void end_segment(lpu_insn_op op);
    void close(); /* HALT, and the end of memory */

  private:
    enum { SLOTS = 16, HALF = SLOTS / 2 };
    struct said {
        lpu_insn insn;
        uint32_t op; /* of the trace */
    };
    typedef std::vector<said> list;
    struct operation {
        list before, work, stores;
        size_t streams() const;
        size_t entries() const; /* of the stream engine's queue */
    };

    uint64_t place(const top_bytes &data);
    lpu_insn scatter(lpu_insn_op op, const uint8_t *data, size_t count);
    uint32_t slot();
    uint8_t load(const top_bytes &data, uint32_t slot);
    void say(list *to, const lpu_insn &insn);
    void emit(const list &all);
    void flush();
    void find_ops();

    top_random *out_;
    uint32_t slot_bytes_, used_ = 0; /* used: slots of this operation */
    int half_ = 0;
    bool is_placed_[SLOTS] = {false};
    operation now_, held_; /* held: the one before, whose work and stores are not yet written */
    uint32_t guarded_slot_ = 0, guarded_bytes_ = 0; /* of a result with a guard behind it; 0: none */
    size_t operations_ = 0;
    std::vector<uint32_t> ops_[LPU_INSN_OPS]; /* of the trace, by instruction: where its counts go */
};

/* So many bytes of anything. */
top_bytes top_random_bytes(top_dice *dice, size_t count);

#endif
