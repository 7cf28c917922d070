#!/bin/sh
# tests/formal/queue_test.sh - lpu_queue for all time: valid stays, data stable, nothing lost, order.
set -u
. "$(dirname "$0")/prove.sh"

model queue queue rtl/lpu_queue.v "" && smt queue -t 8 &&
    proved "lpu_queue: 8 clocks from reset" || refuted queue "lpu_queue from reset"
smt queue -i -t 2 && proved "lpu_queue: induction, depth 2" || refuted queue "lpu_queue, induction"
smt queue -c -t 8 && proved "lpu_queue: full and empty again is reached" || refuted queue "lpu_queue, cover"
planted queue_overflow queue rtl/lpu_queue.v "" "s/in_ready_o  = !count_q\[1\]/in_ready_o = 1'b1/" -t 8
planted queue_order queue rtl/lpu_queue.v "" "s/first_q ^ count_q\[0\]/count_q[0]/" -t 8
exit $failed
