// Set-up: the products and quotients that an operation's addresses need, one after another.
//
//   step      normq quant gate   dequant ..   embed            softmax            kvpack
//   0         m n                m k          bytes of a plane m n                tokens T = m / m_inner
//   1                                         planes step 0    d_stride d_off     T short
//   2                                         m step 1                            T other
//   3 4                                                                           of all short, all other
//   5                                                                             planes (step 3 + step 4)
//   6                                                                             m_inner step 5
//
// A piece of kvpack has a line of short or other bytes: of keys, the first segs pieces have one byte
// more; of values, the last piece has segs bytes.
//
// Timing    start_i in cycle t; done_o in cycle t + 1 + 25 steps: each takes operands, then 24 bits.
// Widths    a multiplier, and a dividend, is below 2^24; results are modulo 2^32.
// Model     sim/exec_vector.c: the same products; sim/cost.c: their cycles
// Tests     tests/top/vector_test.sh
`default_nettype none
`include "lpu_insn.vh"

module lpu_vector_setup #(
  parameter Digits = 5
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  input  wire                      start_i,     // insn_i is valid from the next cycle on
  output wire                      done_o,
  input  wire        [`LPU_INSN_BITS-1:0] insn_i,

  output wire        [31:0]        behind_o,    // bytes or elements before what stands behind
  output wire        [31:0]        query_o,     // softmax: bytes before the scales of queries
  output wire        [31:0]        plane_o,     // embed: bytes of a plane
  output wire        [31:0]        row_o,       // embed: bytes of a row; kvpack: of a head
  output wire        [31:0]        tokens_o,    // kvpack
  output wire        [31:0]        short_o,     // kvpack: T lines of either kind
  output wire        [31:0]        other_o
);

  localparam [4:0]  Bits      = 5'd24;
  localparam [31:0] DigitsOf  = Digits;

  wire [7:0]  op       = insn_i[`LPU_F_OP];
  wire        is_value = insn_i[`LPU_F_MODE] != 8'd0;
  wire [31:0] lines    = insn_i[`LPU_F_SEG_BYTES];
  wire [31:0] segs     = insn_i[`LPU_F_SEGS];
  wire [31:0] pieces   = insn_i[`LPU_F_STRIDE];

  reg         busy_q;
  reg  [2:0]  step_q;
  reg  [4:0]  bit_q;
  reg  [31:0] acc_q, x_q;
  reg  [23:0] y_q;
  reg         is_div_q;
  reg  [31:0] r0_q, r1_q, r2_q, r3_q, r4_q, r5_q, r6_q;

  ///////////
  // Steps //
  ///////////

  reg  [2:0]  steps;
  reg  [31:0] x;                                // multiplicand or divisor
  reg  [31:0] y;                                // multiplier or dividend
  reg         is_div;

  always @* begin
    case (op)
      `LPU_OP_EMBED:   steps = 3'd3;
      `LPU_OP_ROPE:    steps = 3'd0;
      `LPU_OP_SOFTMAX: steps = 3'd2;
      `LPU_OP_KVPACK:  steps = 3'd7;
      default:         steps = 3'd1;
    endcase
  end

  always @* begin
    x      = insn_i[`LPU_F_N];
    y      = insn_i[`LPU_F_M];
    is_div = 1'b0;
    case (op)
      `LPU_OP_DEQUANT, `LPU_OP_RESIDUAL, `LPU_OP_ARGMAX: x = insn_i[`LPU_F_K];
      `LPU_OP_EMBED:
        case (step_q)
          3'd0: begin
            x      = DigitsOf;
            y      = insn_i[`LPU_F_N] + DigitsOf - 32'd1;
            is_div = 1'b1;
          end
          3'd1: begin
            x = r0_q;
            y = {24'd0, insn_i[`LPU_F_PLANES]};
          end
          default: x = r1_q;
        endcase
      `LPU_OP_SOFTMAX:
        if (step_q == 3'd1) begin
          x = insn_i[`LPU_F_D_OFF];
          y = insn_i[`LPU_F_D_STRIDE];
        end
      `LPU_OP_KVPACK:
        case (step_q)
          3'd0: begin
            x      = insn_i[`LPU_F_M_INNER];
            is_div = 1'b1;
          end
          3'd1: begin
            x = lines;
            y = r0_q;
          end
          3'd2: begin
            x = is_value ? segs : lines + 32'd1;
            y = r0_q;
          end
          3'd3: begin
            x = r1_q;
            y = pieces - (is_value ? 32'd1 : segs);
          end
          3'd4: begin
            x = r2_q;
            y = is_value ? 32'd1 : segs;
          end
          3'd5: begin
            x = r3_q + r4_q;
            y = {24'd0, insn_i[`LPU_F_PLANES]};
          end
          default: begin
            x = r5_q;
            y = insn_i[`LPU_F_M_INNER];
          end
        endcase
      default: ;
    endcase
  end

  ////////////////
  // One bit each //
  ////////////////

  // Multiply: acc + (bit of y) x, y from below. Divide: the rest is in acc, y gives its bits from
  // above and takes those of the quotient.
  wire [32:0] rest    = {acc_q, y_q[23]};
  wire        fits    = rest >= {1'b0, x_q};
  wire [32:0] less    = rest - {1'b0, x_q};
  wire [31:0] product = acc_q + (y_q[0] ? x_q : 32'd0);
  wire [31:0] result  = is_div_q ? {8'd0, y_q[22:0], fits} : product;
  wire        is_end  = busy_q && bit_q == Bits;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      step_q <= 3'd0;
      bit_q  <= 5'd0;
    end else if (start_i) begin
      busy_q <= 1'b1;
      step_q <= 3'd0;
      bit_q  <= 5'd0;
    end else if (busy_q) begin
      bit_q <= is_end ? 5'd0 : bit_q + 5'd1;
      if (is_end) step_q <= step_q + 3'd1;
      if (done_o) busy_q <= 1'b0;
    end
  end

  assign done_o = busy_q && step_q == steps;

  // Data needs no reset: every step begins by loading it.
  always @(posedge clk_i) begin
    if (bit_q == 5'd0) begin
      acc_q    <= 32'd0;
      x_q      <= x;
      y_q      <= y[23:0];
      is_div_q <= is_div;
    end else begin
      acc_q <= !is_div_q ? product : fits ? less[31:0] : rest[31:0];
      y_q   <= is_div_q ? {y_q[22:0], fits} : {1'b0, y_q[23:1]};
      if (!is_div_q) x_q <= {x_q[30:0], 1'b0};
    end
    if (is_end && step_q == 3'd0) r0_q <= result;
    if (is_end && step_q == 3'd1) r1_q <= result;
    if (is_end && step_q == 3'd2) r2_q <= result;
    if (is_end && step_q == 3'd3) r3_q <= result;
    if (is_end && step_q == 3'd4) r4_q <= result;
    if (is_end && step_q == 3'd5) r5_q <= result;
    if (is_end && step_q == 3'd6) r6_q <= result;
  end

  assign behind_o = op == `LPU_OP_KVPACK ? r6_q : op == `LPU_OP_EMBED ? r2_q : r0_q;
  assign query_o  = r1_q;
  assign plane_o  = r0_q;
  assign row_o    = op == `LPU_OP_KVPACK ? r5_q : r1_q;
  assign tokens_o = r0_q;
  assign short_o  = r1_q;
  assign other_o  = r2_q;

  wire unused = &{1'b0, less[32], y[31:24], insn_i};

endmodule

`default_nettype wire
