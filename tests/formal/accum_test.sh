#!/bin/sh
# tests/formal/accum_test.sh - one step of lpu_accum: clear, add, Horner, for all contents and sums.
set -u
. "$(dirname "$0")/prove.sh"

for bits in 16 32; do
    model accum$bits accum rtl/lpu_accum.v "chparam -set AccBits $bits accum;" && smt accum$bits -t 3 &&
        proved "lpu_accum: a step of $bits bits, all words, operations and sums" || refuted accum$bits "lpu_accum, $bits bits"
    smt accum$bits -i -t 2 && proved "lpu_accum: $bits bits, induction, depth 2" || refuted accum$bits "lpu_accum, induction"
done
planted accum_horner accum rtl/lpu_accum.v "" "s/{old\[AccBits-2:0\], 1'b0}/old/" -t 3
planted accum_carry accum rtl/lpu_accum.v "" "s/ + {{(AccBits-1){1'b0}}, carry_i}//" -t 3
exit $failed
