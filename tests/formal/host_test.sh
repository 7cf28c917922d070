#!/bin/sh
# tests/formal/host_test.sh - lpu_host for all time: the rules of an AXI4-Lite slave, its settings, its
# counters, its interrupts.
set -u
. "$(dirname "$0")/prove.sh"

model host host "$rtl/lpu_host.v" "" && smt host -t 5 &&
    proved "lpu_host: 5 clocks from reset" || refuted host "lpu_host from reset"
smt host -i -t 2 && proved "lpu_host: induction, depth 2" || refuted host "lpu_host, induction"
smt host -c -t 6 && proved "lpu_host: a setting is written" || refuted host "lpu_host, cover"
planted host_torn host "$rtl/lpu_host.v" "" 's/end else if (s_axil_rready_i) begin/end else begin/' -t 6
planted host_open host "$rtl/lpu_host.v" "" 's/`LPU_REG_SCORE_SCALE, `LPU_REG_PROGRAM_ADDRESS:          is_free = !is_busy/`LPU_REG_SCORE_SCALE, `LPU_REG_PROGRAM_ADDRESS: is_free = 1/' -t 6
planted host_irq host "$rtl/lpu_host.v" "" 's/(irq_q & ~cleared)/(irq_q | ~cleared)/' -t 6
planted host_alias host "$rtl/lpu_host.v" "" 's/waddr   = {s_axil_awaddr_i\[11:2\]/waddr   = {1'"'"'b0, s_axil_awaddr_i[10:2]/' -t 6
planted host_start host "$rtl/lpu_host.v" "" "s/start_q        <= 1'b0;/start_q        <= 1'b1;/" -t 6
exit $failed
