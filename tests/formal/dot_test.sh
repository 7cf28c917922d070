#!/bin/sh
# tests/formal/dot_test.sh - lpu_dot for all weights and activations of 2, 3 and 4 columns.
set -u
. "$(dirname "$0")/prove.sh"

for cols in 2 3 4; do
    model dot$cols dot "rtl/lpu_dot.v rtl/lpu_sum4.v" "chparam -set Cols $cols dot;" && smt dot$cols -t 2 &&
        proved "lpu_dot: $cols columns, all inputs" || refuted dot$cols "lpu_dot, $cols columns"
done
smt dot4 -c -t 4 && proved "lpu_dot: +512 is reached" || refuted dot4 "lpu_dot, cover"
cat rtl/lpu_dot.v rtl/lpu_sum4.v >"$work/dot_both.v"
planted dot_carry dot "$work/dot_both.v" "" "s/ + {Zeros, carry_i\[2\]}//" -t 2
planted dot_extension dot "$work/dot_both.v" "" "s/{{2{term_i\[(i+1)\*TermBits-1\]}}/{2'b00/" -t 2
exit $failed
