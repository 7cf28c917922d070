// Lane: one element of a beat, through two products, rounding shifts and saturation.
//
//   operands -> prepare -> x1 y1 -> norm, round -> a2 b2 + c -> round -> saturate, left -> add -> y
//                                        |     \-> power --^
//                                      mid
//
// Timing    a stage per number in a name: what ends in _3_i goes with the beat at its stage 3. Beats of
//           EXP and SILU are `LPU_VECTOR_POWER longer between 9 and 10.
// Widths    first product 32 x 19 bits, second 32 x 25, sum of both 58.
// Model     sim/functional.c, by kind of pass as rtl/lpu_vector.vh has them
// Tests     tests/top/vector_test.sh
`default_nettype none
`include "lpu_vector.vh"

module lpu_vector_lane (
  input  wire                      clk_i,

  // Stage 2: operands
  input  wire        [31:0]        a_i,
  input  wire        [31:0]        b_word_i,
  input  wire        [15:0]        b_half_i,
  input  wire        [1:0]         b_sel_2_i,   // 0 word, 1 half, 2 constant
  input  wire        [31:0]        b_const_i,
  input  wire                      is_digit_2_i, // a is a digit of its number
  input  wire                      is_top_2_i,  // the most significant one
  input  wire                      nz_i,
  input  wire                      neg_i,

  // Stage 3: prepare
  input  wire        [3:0]         kind_3_i,
  input  wire                      phase_3_i,
  input  wire                      is_relu_3_i, // squared ReLU
  input  wire                      has_b_3_i,
  input  wire        [4:0]         sh0_3_i,
  input  wire        [4:0]         sh1_3_i,
  input  wire        [31:0]        top_3_i,
  input  wire        [31:0]        scale_3_i,   // {e, m}
  input  wire        [18:0]        slope_i,

  // Stage 8: between the products
  input  wire        [3:0]         kind_8_i,
  input  wire                      is_cube_8_i, // three factors
  input  wire        [24:0]        ratio_8_i,
  input  wire        [5:0]         places_8_i,
  input  wire        [15:0]        ev_8_i,

  // Stage 9: beats that come from the power
  input  wire                      is_on_9_i,   // the lane has an element of the beat
  output wire        [31:0]        mid_o,       // 0 where it has none
  input  wire                      is_silu_9_i,
  input  wire                      is_long_i,
  input  wire                      is_long_silu_i,

  // Stage 16: sums. Stage 17: add. Stage 18: results
  input  wire                      is_on_16_i,
  output wire        [39:0]        sum_o,
  input  wire                      is_add_17_i,
  input  wire        [31:0]        x_i,
  input  wire                      is_on_18_i,
  input  wire                      is_abs_18_i,
  output wire        [31:0]        late_o,      // biased by 2^31; 0 where there is none
  output wire        [31:0]        y_o
);

  localparam [31:0] MaxV32    = 32'h7fffffff;
  localparam [31:0] MinV32    = 32'h80000001;

  // rsh of 32 bits by 0 to 31.
  function [31:0] rsh32;
    input [31:0] v;
    input [4:0]  n;
    reg   [32:0] twice;
    begin
      twice = $signed({v, 1'b0}) >>> n;
      twice = twice + 33'd1;
      rsh32 = twice[32:1];
    end
  endfunction

  function [31:0] abs32;
    input [31:0] v;
    abs32 = v[31] ? 32'd0 - v : v;
  endfunction

  ////////////////
  // 2 Operands //
  ////////////////

  reg  [31:0] a_q, b_q, before_q;               // before: a of the beat before
  wire [31:0] thrice = is_top_2_i ? 32'd0 : {a_q[30:0], 1'b0} + a_q;
  wire [31:0] digit  = {{31{neg_i}}, nz_i};

  // Data needs no reset: valid bits travel beside it.
  always @(posedge clk_i) begin
    a_q      <= is_digit_2_i ? thrice + digit : a_i;
    b_q      <= b_sel_2_i == 2'd0 ? b_word_i :
                b_sel_2_i == 2'd1 ? {{16{b_half_i[15]}}, b_half_i} : b_const_i;
    before_q <= a_q;
  end

  ///////////////
  // 3 Prepare //
  ///////////////

  wire        is_gate   = kind_3_i == `LPU_KIND_GATE;
  wire        is_cut    = a_q[31] && (kind_3_i == `LPU_KIND_RELU || is_gate && is_relu_3_i);
  wire [31:0] left      = is_cut ? 32'd0 : a_q;
  wire [31:0] shifted   = rsh32(left, sh0_3_i);
  wire [31:0] right     = has_b_3_i ? rsh32(b_q, sh1_3_i) : 32'd1;
  wire [31:0] low       = phase_3_i ? before_q : a_q;
  wire [31:0] high      = phase_3_i ? a_q : a_i;
  wire [15:0] e_sum     = scale_3_i[31:16] + b_q[31:16];
  wire [16:0] minus_sin = 17'd0 - {b_q[31], b_q[31:16]};

  reg  [31:0] x1, a3, b3;
  reg  [18:0] y1;

  always @* begin
    x1 = a_q;
    y1 = {{3{b_q[15]}}, b_q[15:0]};
    a3 = a_q;
    b3 = b_q;
    case (kind_3_i)
      `LPU_KIND_RELU: a3 = left;
      `LPU_KIND_TERM: a3 = shifted;
      `LPU_KIND_SCALE: begin
        x1 = {16'd0, b_q[15:0]};
        y1 = {3'd0, scale_3_i[15:0]};
        b3 = {16'd0, e_sum};
      end
      `LPU_KIND_ROPE: begin
        x1 = low;
        a3 = high;
        y1 = phase_3_i ? {{3{b_q[31]}}, b_q[31:16]} : {{3{b_q[15]}}, b_q[15:0]};
        b3 = phase_3_i ? {{16{b_q[15]}}, b_q[15:0]} : {{15{minus_sin[16]}}, minus_sin};
      end
      `LPU_KIND_EXP: a3 = top_3_i - a_q;
      `LPU_KIND_SILU: begin
        x1 = abs32(a_q);
        y1 = slope_i;
      end
      `LPU_KIND_GATE: begin
        x1 = shifted;
        y1 = is_relu_3_i ? shifted[18:0] : 19'd1;
        b3 = right;
      end
      default: ;
    endcase
  end

  reg  [31:0] x1_q, a4_q, b4_q;
  reg  [18:0] y1_q;
  wire [50:0] p1;
  wire [31:0] a8, b8;

  always @(posedge clk_i) begin
    x1_q <= x1;
    y1_q <= y1;
    a4_q <= a3;
    b4_q <= b3;
  end

  lpu_shift_add #(.ABits(32), .BBits(19), .Stages(`LPU_VECTOR_M1)) u_first (
    .clk_i (clk_i),
    .en_i  (1'b1),
    .a_i   (x1_q),
    .b_i   (y1_q),
    .p_o   (p1)
  );
  lpu_vector_delay #(.Bits(64), .Stages(`LPU_VECTOR_M1)) u_first_delay (
    .clk_i (clk_i),
    .in_i  ({a4_q, b4_q}),
    .out_o ({a8, b8})
  );

  ///////////////
  // 8 Between //
  ///////////////

  // The product as a scale; as rsh(., 15); as rsh(., 16) below 2^32.
  wire [15:0] m, e;
  wire [5:0]  norm_bits;
  wire [31:0] norm_word;

  lpu_scale_norm #(.UBits(32), .MBits(16), .EBits(16)) u_norm (
    .u_i    (p1[31:0]),
    .e_i    (b8[15:0]),
    .m_o    (m),
    .e_o    (e),
    .bits_o (norm_bits),
    .word_o (norm_word)
  );

  wire [36:0] t_15    = {p1[50], p1[50:15]} + {36'd0, p1[14]};
  wire [35:0] y_16    = {p1[50], p1[50:16]} + {35'd0, p1[15]};
  wire [31:0] d_silu  = y_16[34:32] != 3'd0 ? 32'hffffffff : y_16[31:0];
  wire [16:0] right_by = 17'h1fff0 - {e[15], e}; // -16 - e
  wire        is_far  = !right_by[16] && right_by[15:6] != 10'd0;
  wire        is_up   = right_by[16] && (right_by[15:5] != 11'h7ff || right_by[4:0] == 5'd0);
  wire [6:0]  by      = is_far ? 7'd63 : is_up ? 7'h61 : right_by[6:0]; // -31 to 63
  wire [16:0] behind  = {ev_8_i[15], ev_8_i} - {b8[31], b8[31:16]};
  wire [15:0] weight  = behind[16:4] != 13'd0 ? 16'd0 : b8[15:0] >> behind[3:0];

  reg  [31:0] a9, mid;
  reg  [24:0] b9;
  reg  [6:0]  n9;

  always @* begin
    a9  = a8;
    b9  = 25'd0;
    n9  = 7'd0;
    mid = abs32(a8);
    case (kind_8_i)
      `LPU_KIND_TERM: begin
        b9  = a8[24:0];
        mid = abs32(t_15[31:0]);
      end
      `LPU_KIND_NORMQ: begin
        a9 = t_15[31:0];
        b9 = ratio_8_i;
        n9 = {1'b0, places_8_i};
      end
      `LPU_KIND_QUANT: begin
        b9 = ratio_8_i;
        n9 = {1'b0, places_8_i};
      end
      `LPU_KIND_SCALE: begin
        b9 = {9'd0, m};
        n9 = by;
      end
      `LPU_KIND_ROPE: begin
        b9 = b8[24:0];
        n9 = 7'd14;
      end
      `LPU_KIND_EXP: mid = b8[15:0] == 16'd0 ? 32'd0 : {15'd0, 1'b1, !b8[31], b8[30:16]};
      `LPU_KIND_WEIGH: begin
        b9 = {9'd0, weight};
        n9 = 7'd16;
      end
      `LPU_KIND_GATE: begin
        a9 = p1[31:0];
        b9 = b8[24:0];
        n9 = is_cube_8_i ? 7'd15 : 7'd0;
      end
      default: ;
    endcase
  end

  reg  [31:0] a9_q, d9_q, mid_q;
  reg  [24:0] b9_q;
  reg  [50:0] c9_q;
  reg  [6:0]  n9_q;

  always @(posedge clk_i) begin
    a9_q  <= a9;
    b9_q  <= b9;
    c9_q  <= kind_8_i == `LPU_KIND_ROPE ? p1 : 51'd0;
    n9_q  <= n9;
    d9_q  <= kind_8_i == `LPU_KIND_SILU ? d_silu : a8;
    mid_q <= mid;
  end

  assign mid_o = is_on_9_i ? mid_q : 32'd0;

  //////////////////////
  // 9 Second product //
  //////////////////////

  wire [31:0] carry;
  wire [16:0] sig;

  lpu_vector_power u_power (
    .clk_i     (clk_i),
    .d_i       (d9_q),
    .carry_i   (a9_q),
    .is_silu_i (is_silu_9_i),
    .carry_o   (carry),
    .sig_o     (sig)
  );

  wire [16:0] sig_of_g = carry[31] ? 17'd65536 - sig : sig;
  wire [24:0] b_long   = is_long_silu_i ? {8'd0, sig_of_g} : 25'd0;
  wire [50:0] c_long   = is_long_silu_i ? 51'd0 : {19'd0, carry};
  wire [6:0]  n_long   = is_long_silu_i ? 7'd16 : 7'd0;
  wire [56:0] p2;
  wire [50:0] c14;
  wire [6:0]  n14;

  lpu_shift_add #(.ABits(32), .BBits(25), .Stages(`LPU_VECTOR_M2)) u_second (
    .clk_i (clk_i),
    .en_i  (1'b1),
    .a_i   (is_long_i ? carry : a9_q),
    .b_i   (is_long_i ? b_long : b9_q),
    .p_o   (p2)
  );
  lpu_vector_delay #(.Bits(58), .Stages(`LPU_VECTOR_M2)) u_second_delay (
    .clk_i (clk_i),
    .in_i  (is_long_i ? {c_long, n_long} : {c9_q, n9_q}),
    .out_o ({c14, n14})
  );

  ///////////////////////////////////////////
  // 14 Sum, 15 round, 16 saturate, 17 add //
  ///////////////////////////////////////////

  reg  [57:0] sum_q, round_q;
  reg  [6:0]  n15_q;
  reg  [4:0]  up_q;
  reg  [31:0] y17_q, y18_q;

  wire [5:0]  down    = n15_q[6] ? 6'd0 : n15_q[5:0];
  wire [58:0] twice   = $signed({sum_q, 1'b0}) >>> down;
  wire [58:0] rounded = twice + 59'd1;
  wire [4:0]  up      = n15_q[6] ? 5'd0 - n15_q[4:0] : 5'd0;

  // Within a V32, then moved left, then within a V32 again.
  wire        is_wide = round_q[57:31] != {27{round_q[57]}} || round_q[31:0] == 32'h80000000;
  wire [31:0] narrow  = !is_wide ? round_q[31:0] : round_q[57] ? MinV32 : MaxV32;
  wire [62:0] moved   = {{31{narrow[31]}}, narrow} << up_q;
  wire        is_over = moved[62:31] != {32{narrow[31]}} || moved[31:0] == 32'h80000000;
  wire [32:0] total   = {y17_q[31], y17_q} + (is_add_17_i ? {x_i[31], x_i} : 33'd0);
  wire        is_past = total[32] != total[31] || total[31:0] == 32'h80000000;

  always @(posedge clk_i) begin
    sum_q   <= {p2[56], p2} + {{7{c14[50]}}, c14};
    n15_q   <= n14;
    round_q <= rounded[58:1];
    up_q    <= up;
    y17_q   <= !is_over ? moved[31:0] : narrow[31] ? MinV32 : MaxV32;
    y18_q   <= !is_past ? total[31:0] : total[32] ? MinV32 : MaxV32;
  end

  wire [31:0] late      = is_abs_18_i ? abs32(y18_q) : y18_q;

  assign sum_o  = is_on_16_i ? round_q[39:0] : 40'd0;
  assign late_o = is_on_18_i ? {!late[31], late[30:0]} : 32'd0;
  assign y_o    = is_on_18_i ? y18_q : 32'd0;

  wire unused = &{1'b0, norm_bits, norm_word, t_15[36:32], y_16[35], rounded[0], twice[0]};

endmodule

`default_nettype wire
