#!/bin/sh
# tests/formal/scoreboard_test.sh - the counts of the scoreboard for all time; what it holds back, for
# all time too.
set -u
. "$(dirname "$0")/prove.sh"

unit=rtl/lpu_scoreboard_unit.v
model scoreboard_unit scoreboard_unit "$unit" "" && smt scoreboard_unit -t 3 &&
    proved "lpu_scoreboard_unit: 3 clocks from reset" || refuted scoreboard_unit "lpu_scoreboard_unit from reset"
smt scoreboard_unit -i -t 2 && proved "lpu_scoreboard_unit: induction, depth 2: counts never overflow" ||
    refuted scoreboard_unit "lpu_scoreboard_unit, induction"
smt scoreboard_unit -c -t 8 && proved "lpu_scoreboard_unit: the highest counts are reached" ||
    refuted scoreboard_unit "lpu_scoreboard_unit, cover"
planted scoreboard_kept scoreboard_unit "$unit" "" 's/if (adds\[0\] || subs\[0\])/if (adds[0])/' -t 4
planted scoreboard_late scoreboard_unit "$unit" "" 's/writers_o\[b\] = writers /writers_o[b] = writers_q /' -t 4

both="$unit rtl/lpu_scoreboard.v"
model scoreboard scoreboard "$both" "" && smt scoreboard -t 3 &&
    proved "lpu_scoreboard: 3 clocks from reset" || refuted scoreboard "lpu_scoreboard from reset"
smt scoreboard -i -t 2 &&
    proved "lpu_scoreboard: induction, depth 2: holds back hazards, and nothing else" ||
    refuted scoreboard "lpu_scoreboard, induction"
smt scoreboard -c -t 6 && proved "lpu_scoreboard: a wait for one of two busy units is reached" ||
    refuted scoreboard "lpu_scoreboard, cover"
exit $failed
