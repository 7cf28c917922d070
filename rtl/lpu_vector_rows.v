// Rows: where each row's operands and results begin, by walks over (outer, inner) rows.
//
// Timing    load_i begins with the first row; step_i goes on to the next.
// Widths    addresses are modulo 2^32.
// Model     sim/exec_vector.c: row_a, row_dst, scales_behind, and the operands of each operation
// Tests     tests/top/vector_test.sh
`default_nettype none
`include "lpu_insn.vh"

module lpu_vector_rows (
  input  wire                      clk_i,

  // Operation
  input  wire                      load_i,
  input  wire        [`LPU_INSN_BITS-1:0] insn_i,
  input  wire        [31:0]        dst_i,       // where the buffers begin
  input  wire        [31:0]        a_i,
  input  wire        [31:0]        b_i,
  input  wire        [31:0]        c_i,
  input  wire        [31:0]        behind_i,    // of lpu_vector_setup
  input  wire        [31:0]        query_i,
  input  wire        [31:0]        row_i,
  input  wire        [31:0]        tokens_i,

  // Rows
  input  wire                      step_i,
  input  wire                      wrap_i,      // the present one is the last of its outer row
  output wire        [31:0]        a_o,
  output wire        [31:0]        b_o,
  output wire        [31:0]        d_o,
  output wire        [31:0]        in_o,        // the row's scale or exponent: read, written
  output wire        [31:0]        out_o,
  output wire        [31:0]        keys_o       // softmax: keys that exist for the row
);

  wire [7:0]  op    = insn_i[`LPU_F_OP];
  wire [7:0]  mode  = insn_i[`LPU_F_MODE];
  wire [31:0] n     = insn_i[`LPU_F_N];
  wire [31:0] k     = insn_i[`LPU_F_K];

  wire is_embed    = op == `LPU_OP_EMBED;
  wire is_normq    = op == `LPU_OP_NORMQ;
  wire is_rope     = op == `LPU_OP_ROPE;
  wire is_kvpack   = op == `LPU_OP_KVPACK;
  wire is_softmax  = op == `LPU_OP_SOFTMAX;
  wire is_gate     = op == `LPU_OP_GATE;
  wire is_argmax   = op == `LPU_OP_ARGMAX;

  // What stands behind m x n bytes begins at the next multiple of 4.
  function [31:0] align4;
    input [31:0] bytes;
    align4 = (bytes + 32'd3) & 32'hfffffffc;
  endfunction

  // Rows of bytes, or of words.
  wire        is_byte   = is_normq || op == `LPU_OP_QUANT || is_softmax;
  wire [31:0] d_off     = insn_i[`LPU_F_D_OFF];
  wire [31:0] d_stride  = insn_i[`LPU_F_D_STRIDE];
  wire [31:0] a_off     = insn_i[`LPU_F_A_OFF];
  wire [31:0] a_stride  = insn_i[`LPU_F_A_STRIDE];
  wire [31:0] n_words   = {n[29:0], 2'd0};
  wire [31:0] in_base   = is_normq   ? a_i + {behind_i[29:0], 2'd0} :
                          is_embed   ? a_i + align4(behind_i) :
                          is_softmax ? b_i + align4(query_i) + {a_off[29:0], 2'd0} :
                          is_kvpack  ? 32'd0 : b_i + align4(behind_i);
  wire [31:0] in_outer  = is_softmax ? {a_stride[29:0], 2'd0} :
                          mode != 8'd0 ? insn_i[`LPU_F_SEGS] : insn_i[`LPU_F_SEG_BYTES] + 32'd1;
  wire [31:0] out_base  = dst_i + (is_gate ? {behind_i[29:0], 2'd0} : align4(behind_i));

  lpu_vector_walk u_walk_a (
    .clk_i    (clk_i),
    .load_i   (load_i),
    .base_i   (a_i + (is_embed || is_softmax ? 32'd0 : {a_off[29:0], 2'd0})),
    .inner_i  (is_embed ? row_i : n_words),
    .outer_i  ({a_stride[29:0], 2'd0}),
    .linear_i (is_embed || is_softmax),
    .step_i   (step_i),
    .wrap_i   (wrap_i),
    .addr_o   (a_o)
  );

  // Rows of b: of a gate, one after another; of rope, each token's or one for all. Of kvpack: the
  // lines of the tokens before.
  lpu_vector_walk u_walk_b (
    .clk_i    (clk_i),
    .load_i   (load_i),
    .base_i   (is_kvpack ? 32'd0 : is_softmax || is_argmax ? c_i : b_i),
    .inner_i  (is_gate ? n_words : 32'd0),
    .outer_i  (is_kvpack ? insn_i[`LPU_F_SEG_BYTES] : is_rope && k > 32'd1 ? {n[30:0], 1'b0} : 32'd0),
    .linear_i (is_gate),
    .step_i   (step_i),
    .wrap_i   (wrap_i),
    .addr_o   (b_o)
  );

  lpu_vector_walk u_walk_d (
    .clk_i    (clk_i),
    .load_i   (load_i),
    .base_i   (dst_i + (is_softmax || is_argmax || is_kvpack ? 32'd0 :
                      is_byte ? d_off : {d_off[29:0], 2'd0})),
    .inner_i  (is_kvpack ? row_i : is_argmax ? 32'd8 : is_byte ? n : n_words),
    .outer_i  (is_kvpack ? 32'd0 : is_byte ? d_stride : {d_stride[29:0], 2'd0}),
    .linear_i (is_softmax || is_argmax),
    .step_i   (step_i),
    .wrap_i   (wrap_i),
    .addr_o   (d_o)
  );

  // Scales and exponents of rows, in and out. Of kvpack, in: lines of the other kind.
  lpu_vector_walk u_walk_in (
    .clk_i    (clk_i),
    .load_i   (load_i),
    .base_i   (in_base),
    .inner_i  (is_kvpack ? 32'd0 : 32'd4),
    .outer_i  (in_outer),
    .linear_i (!is_softmax && !is_kvpack),
    .step_i   (step_i),
    .wrap_i   (wrap_i),
    .addr_o   (in_o)
  );

  lpu_vector_walk u_walk_out (
    .clk_i    (clk_i),
    .load_i   (load_i),
    .base_i   (out_base),
    .inner_i  (is_kvpack ? {tokens_i[29:0], 2'd0} : 32'd4),
    .outer_i  (32'd4),
    .linear_i (!is_kvpack),
    .step_i   (step_i),
    .wrap_i   (wrap_i),
    .addr_o   (out_o)
  );

  lpu_vector_walk u_walk_keys (
    .clk_i    (clk_i),
    .load_i   (load_i),
    .base_i   (k + 32'd1),
    .inner_i  (32'd0),
    .outer_i  (32'd1),
    .linear_i (1'b0),
    .step_i   (step_i),
    .wrap_i   (wrap_i),
    .addr_o   (keys_o)
  );

  wire unused = &{1'b0, insn_i, tokens_i, a_off, a_stride};

endmodule

`default_nettype wire
