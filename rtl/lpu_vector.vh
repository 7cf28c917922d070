// The vector unit's kinds of pass, jobs behind a pass, and cycles.
//
// A kind says what a lane does with a beat; sim/vector.def has the passes of every operation. Cycles
// are counted from the one in which a beat is decided. sim/vector.def has the same numbers.
`ifndef LPU_VECTOR_VH
`define LPU_VECTOR_VH

// Kinds of pass.
`define LPU_KIND_MAX     4'd0   // max |a|
`define LPU_KIND_RELU    4'd1   // max of max(a, 0)
`define LPU_KIND_TERM    4'd2   // sum of rsh(a, sh)^2 and max |t|, t = rsh(a b, 15)
`define LPU_KIND_NORMQ   4'd3   // t, then as QUANT
`define LPU_KIND_QUANT   4'd4   // rsh(a R, bits + 16)
`define LPU_KIND_SCALE   4'd5   // apply(a, mul(row's scale, b), -16)
`define LPU_KIND_ROPE    4'd6   // phase 0: low c - high s; phase 1: low s + high c
`define LPU_KIND_EXP     4'd7   // 2^-(top - a), its sum; max exponent of b
`define LPU_KIND_WEIGH   4'd8   // rsh(a w, 16), w from the scale b
`define LPU_KIND_SILU    4'd9   // a sigmoid(a)
`define LPU_KIND_GATE    4'd10  // f' f' u', or f' u'
`define LPU_KIND_LOAD    4'd11  // nothing but the row's scale
`define LPU_KIND_BEST    4'd12  // the row's maximum against the one before

// Activations: the mode of a gate.
`define LPU_ACT_SILU     8'd0
`define LPU_ACT_RELU2    8'd1
`define LPU_ACT_GELU     8'd2

// Jobs when a row's pass has ended.
`define LPU_END_NONE     3'd0
`define LPU_END_QUANT    3'd1
`define LPU_END_NORM     3'd2   // rms, then the row's scale
`define LPU_END_MUL      3'd3
`define LPU_END_PROB     3'd4

// What a beat writes.
`define LPU_WRITE_NONE   2'd0
`define LPU_WRITE_WORD   2'd1
`define LPU_WRITE_BYTE   2'd2
`define LPU_WRITE_PACK   2'd3

// Stages: 1 ports, 2 data, 3 operands, 4 first product, 8 between, 9 second product, 14 sum, 15 round,
// 16 left shift, 17 add, 18 digits, 19 bytes, 20 write.
`define LPU_VECTOR_M1    4      // stages of the first product
`define LPU_VECTOR_M2    5      // and of the second
`define LPU_VECTOR_POWER 12     // stages that the kinds EXP and SILU have more, from 9 on
`define LPU_VECTOR_TREE  2      // stages of a reduction over the lanes

`endif
