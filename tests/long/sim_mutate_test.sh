#!/bin/sh
# tests/long/sim_mutate_test.sh - one fault at a time in the simulator; a unit test must see each.
set -u
cd "$(dirname "$0")/../.."
root=build/mutate
tree=$root/tree
failed=0

rm -rf "$tree"
mkdir -p "$tree"
cp -rp Makefile workloads sim kernels energy_model tests "$tree"
tests="port_test machine_test simulate_test compile_test timeline_test"
programs=$(for t in $tests; do echo "build/tests/unit/$t"; done)

# Builds what has changed and runs the tests until one fails; prints what it said.
run() {
    (cd "$tree" && make OPT=-O1 CFLAGS=-w $programs >../log 2>&1) || { echo "does not build"; return; }
    for t in $tests; do
        (cd "$tree" && timeout 60 "build/tests/unit/$t") >"$root/out" 2>&1 && continue
        grep -m1 '^not ok' "$root/out" || echo "$t ends with a crash or never"
        return
    done
}

said=$(run)
if [ -n "$said" ]; then
    echo "not ok  unchanged: $said"
    exit 1
fi
echo "ok      unchanged"
# FILE | what is wrong with it | sed command
while IFS='|' read -r file what command; do
    sed "$command" "sim/$file" >"$tree/sim/$file"
    if cmp -s "sim/$file" "$tree/sim/$file"; then
        echo "not ok  $what: the sed command changes nothing in $file"
        failed=1
        continue
    fi
    said=$(run)
    case $said in
    '') echo "not ok  $what: not seen" && failed=1 ;;
    'does not build') echo "not ok  $what: does not build: $(grep -m1 error "$root/log")" && failed=1 ;;
    *) echo "ok      $what: $(echo "$said" | sed 's/^not ok *//' | cut -c1-110)" ;;
    esac
    cp "sim/$file" "$tree/sim/$file"
done <<'END'
machine.c|accumulator stalls are dropped|s/c->stall_accum_cycles += n/(void)n/
machine.c|a skip counts one cycle less|s/lpu_array_peek(m->array), n)/lpu_array_peek(m->array), n - 1)/
machine.c|a skip goes one cycle too far|s/m->now_cycles += n;/m->now_cycles += n + 1;/
machine.c|a skip passes by a tile that could move|s/if (lpu_tiles_can_move(m)) return 0;.*//
machine.c|a skip passes by the end of the vector unit|s/if (m->vector.is_busy) quiet = /if (0) quiet = /
machine.c|refreshes are not shared out|s/c->dram_refreshes += SHARE/c->dram_refreshes += 0 * SHARE/
machine.c|activates are not shared out|s/c->dram_activates += SHARE/c->dram_activates += 0 * SHARE/
machine.c|lanes lose their power|s/c->lane_ns += (ns1 - ns0) \* lanes/c->lane_ns += (ns1 - ns0) * lanes \/ 2/
machine.c|a stuck program is stepped forever|s/quiet >= LPU_ARRAY_QUIET_FOREVER/quiet == UINT64_MAX/
unit_tiles.c|a beat has one byte less|s/m->design->lines) \* fill->line_bytes;/m->design->lines) * fill->line_bytes - 1;/
unit_tiles.c|a product drains one beat early|s/(left + lanes - 1) \/ lanes)/left \/ lanes)/
unit_tiles.c|the port has no width|s/if (bytes > m->design->fill_bytes_per_cycle).*//
unit_stream.c|reads do not wait for stores|s/m->stores_pending);/0);/
unit_stream.c|bytes past a burst are fetched twice|s/read_bytes += s->burst_bytes/read_bytes += 2 * s->burst_bytes/
unit_store.c|a store retires before its answers|s/!s->walked || s->queue\[s->first\].in_flight/!s->walked/
port.c|W does not wait for AW|s/ || a->accepted_cycles == p->now_cycles//
port.c|a burst ends with its first part|s/if (--p->reads\[tag\].parts_left) return;/--p->reads[tag].parts_left;/
port.c|stalls are not kept awake for|s/p->is_held |= is_now;//
unit_vector.c|a vector operation ends a cycle early|s/lpu_cost_vector_cycles(m->design, insn)/lpu_cost_vector_cycles(m->design, insn) - 1/
unit_sequencer.c|reads do not wait for writers|s/return has_pending(m->writers, i->a, unit) ||/return/
cost.c|accumulations of the last tile are lost|s/c->accum_adds += sums \* tiles/c->accum_adds += sums * (tiles - 1)/
cost.c|skipped lanes are not counted|s/c->lane_skips += skips/(void)skips/
cost.c|a Horner step too many|s/outputs \* (i->planes - 1)/outputs * i->planes/
layout.c|a row is rounded down to whole bytes|s/(elems + f->unit_elems - 1) \/ f->unit_elems/elems \/ f->unit_elems/
layout.c|values of the last block overlap|s/(plane \* tokens + token) \* line/(plane * tokens + token) * (line - 1)/
layout.c|regions are not aligned|s/l->bytes += align(bytes, stripe_bytes(&l->design->dram))/l->bytes += bytes/
compile.c|a chunk has a token too few|s/b->rows = t->tokens - i < chunk ? t->tokens - i : chunk/b->rows = t->tokens - i < chunk ? t->tokens - i : chunk - 1/
compile_head.c|the head leaves its last row out|s/chunk_rows(l, chunk) \* row_bytes)/(chunk_rows(l, chunk) - 1) * row_bytes)/
compile_build.c|streams pass the stores that they read|s/(s->flags \& LPU_FLAG_FENCE) \&\& e->op == LPU_INSN_store/0/
compile_build.c|loads pass the readers of their buffer|s/s->op == LPU_INSN_load \&\& touches(e, s->dst)/0/
compile_attention.c|a key too few is read|s/values.seg_bytes = g->keys \*/values.seg_bytes = (g->keys - 1) */
compile_attention.c|keys have no fence|s/scale.flags = keys.flags = LPU_FLAG_FENCE/scale.flags = LPU_FLAG_FENCE/
unit_array.c|the next bank does not wait|s/const bool fire = a->has_active \&\& !a->banks\[a->bank\].is_busy/const bool fire = a->has_active/
unit_array.c|the tree is a stage too deep|s/for (; terms > 1; terms = (terms + 3) \/ 4) depth++;/for (; terms > 0; terms = terms == 1 ? 0 : (terms + 3) \/ 4) depth++;/
segments.c|equal segments are counted once|s/r->cycles += k->run.cycles/r->cycles += k->run.cycles - (segment > 5)/
timeline.c|slices begin when issued|s/issue > t->end_cycles\[e->unit\] ? issue : t->end_cycles\[e->unit\]/issue/
END
exit $failed
