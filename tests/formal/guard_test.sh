#!/bin/sh
# tests/formal/guard_test.sh - lpu_guard for all time: AXI is kept through errors and resets.
set -u
. "$(dirname "$0")/prove.sh"

model guard guard "$rtl/lpu_guard.v" "" && smt guard -t 6 &&
    proved "lpu_guard: 6 clocks from reset" || refuted guard "lpu_guard from reset"
smt guard -i -t 3 && proved "lpu_guard: induction, depth 3" || refuted guard "lpu_guard, induction"
smt guard -c -t 16 && proved "lpu_guard: a reset amid reads and writes is reached" ||
    refuted guard "lpu_guard, cover"
planted guard_torn guard "$rtl/lpu_guard.v" "" 's/!is_closed || ar_wait_q/!is_closed/' -t 6
planted guard_early guard "$rtl/lpu_guard.v" "" 's/reads_q == None && writes_q == None/reads_q == None/' -t 12
exit $failed
