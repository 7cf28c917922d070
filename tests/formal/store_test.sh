#!/bin/sh
# tests/formal/store_test.sh - lpu_store keeps the rules of AXI.
set -u
. "$(dirname "$0")/prove.sh"

with="read_verilog -formal -DSYNTHESIS -Irtl rtl/lpu_walk.v;"
model store store rtl/lpu_store.v "$with" && smt store -t 11 &&
    proved "lpu_store: 11 clocks from reset" || refuted store "lpu_store from reset"
smt store -c -t 14 && proved "lpu_store: a retirement is reached" || refuted store "lpu_store, cover"
model store_induction store "-DINDUCTION rtl/lpu_store.v" "$with" &&
    smt store_induction -i -t 2 &&
    proved "lpu_store: AW and W stay until ready: induction, depth 2" ||
    refuted store_induction "lpu_store, induction"
planted store_reads_ahead store rtl/lpu_store.v "$with" \
    "s/walking_q \&\& (!w_valid_q || m_axi_wready_i)/walking_q/" -t 8
planted store_retires_early store rtl/lpu_store.v "$with" \
    "s/retire = sent_q != 4'd0 \&\& in_flight_q\[first_q\] == None/retire = sent_q != 4'd0/" -t 10
exit $failed
