#!/bin/sh
# tests/formal/stream_test.sh - lpu_stream keeps the rules of AXI, and its FIFO never overflows.
set -u
. "$(dirname "$0")/prove.sh"

parts="rtl/lpu_stream_ring.v rtl/lpu_walk.v rtl/lpu_fifo.v rtl/lpu_fifo_ram.v"
with="read_verilog -formal -DSYNTHESIS -Irtl $parts;"
model stream stream rtl/lpu_stream.v "$with" && smt stream -t 9 &&
    proved "lpu_stream: 9 clocks from reset" || refuted stream "lpu_stream from reset"
smt stream -c -t 10 && proved "lpu_stream: a FIFO all asked for and a retirement are reached" ||
    refuted stream "lpu_stream, cover"
model stream_induction stream "-DINDUCTION rtl/lpu_stream.v" "$with" &&
    smt stream_induction -i -t 2 && proved "lpu_stream: AR stays until ready: induction, depth 2" ||
    refuted stream_induction "lpu_stream, induction"
planted stream_drops stream rtl/lpu_stream.v "$with" \
    "s/else if (m_axi_arready_i) ar_valid_q <= 1'b0;/else ar_valid_q <= 1'b0;/" -t 8
planted stream_overflow stream rtl/lpu_stream.v "$with" \
    "s/!stream_q || after_ask <= Fifo\[FifoBits:0\]/1'b1/" -t 8
exit $failed
