// Jobs of lpu_scalar, and the cycles from start_i to the first cycle with done_o of each.
//
// Fixed, whatever the operands are. sim/vector.def has the same numbers; tests/top/scalar_test.sh
// measures them.
`ifndef LPU_SCALAR_VH
`define LPU_SCALAR_VH

`define LPU_SCALAR_QUANT 3'd0
`define LPU_SCALAR_RMS   3'd1
`define LPU_SCALAR_NORMQ 3'd2
`define LPU_SCALAR_MUL   3'd3
`define LPU_SCALAR_PROB  3'd4

`define LPU_SCALAR_QUANT_CYCLES 14
`define LPU_SCALAR_RMS_CYCLES   34
`define LPU_SCALAR_NORMQ_CYCLES 14
`define LPU_SCALAR_MUL_CYCLES   3
`define LPU_SCALAR_PROB_CYCLES  23

`endif
