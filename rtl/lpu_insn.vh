// rtl/lpu_insn.vh - fields and opcodes of instructions, as in sim/program.h and sim/isa.def.
//
// insn[`LPU_F_M] is the field m of an instruction of 512 bits whose word 0 is in bits 31:0. A name
// under LPU_FLAG_ is the index of a bit of the instruction: insn[`LPU_FLAG_FENCE].

`ifndef LPU_INSN_VH
`define LPU_INSN_VH

`define LPU_INSN_BITS 512

// Fields.
`define LPU_F_OP          7:0
`define LPU_F_FLAGS      15:8
`define LPU_F_DST        23:16
`define LPU_F_A          31:24
`define LPU_F_B          39:32
`define LPU_F_C          47:40
`define LPU_F_PLANES     55:48
`define LPU_F_MODE       63:56
`define LPU_F_M          95:64
`define LPU_F_M_INNER   127:96
`define LPU_F_N         159:128
`define LPU_F_K         191:160
`define LPU_F_ADDR      255:192
`define LPU_F_SEG_BYTES 287:256
`define LPU_F_SEGS      319:288
`define LPU_F_STRIDE    351:320
`define LPU_F_A_OFF     383:352
`define LPU_F_A_STRIDE  415:384
`define LPU_F_D_OFF     447:416
`define LPU_F_D_STRIDE  479:448
`define LPU_F_SCALE_M   495:480
`define LPU_F_SCALE_E   511:496

// Flags.
`define LPU_FLAG_FENCE     8  // stream, load: wait until all stores are in memory
`define LPU_FLAG_COLUMN    9  // matmul: the stream carries columns of the tile
`define LPU_FLAG_EXPONENT 10  // normq: rows of a have their own exponents
`define LPU_FLAG_FIRST    11  // argmax: starts anew
`define LPU_FLAG_ON_CHIP  12  // stream, load, store: resident memory; illegal in this machine

// Buffers of the scratchpad.
`define LPU_BUFFERS     32
`define LPU_BUFFER_NONE 8'd255

// Opcodes: the order of sim/isa.def.
`define LPU_OP_HALT     8'd0
`define LPU_OP_SYNC     8'd1
`define LPU_OP_SETBUF   8'd2
`define LPU_OP_STREAM   8'd3
`define LPU_OP_LOAD     8'd4
`define LPU_OP_STORE    8'd5
`define LPU_OP_MATMUL   8'd6
`define LPU_OP_EMBED    8'd7
`define LPU_OP_NORMQ    8'd8
`define LPU_OP_DEQUANT  8'd9
`define LPU_OP_RESIDUAL 8'd10
`define LPU_OP_ROPE     8'd11
`define LPU_OP_QUANT    8'd12
`define LPU_OP_KVPACK   8'd13
`define LPU_OP_SOFTMAX  8'd14
`define LPU_OP_GATE     8'd15
`define LPU_OP_ARGMAX   8'd16

`define LPU_INSN_OPS    17

`endif
