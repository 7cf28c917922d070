// 2^-d and the sigmoid: e = floor(2^8 p(d) / 2^(d >> 16)) of workloads/arithmetic.md, section 8.3, then
// 2^32 / (2^16 + p) of section 9 by digit recurrence, two bits a stage.
//
//   p(d) = P[j] - floor((P[j] - P[j+1]) r / 1024),  j = (d >> 10) & 63,  r = d & 1023
//
// Timing    `LPU_VECTOR_POWER clocks: table 1, product 2, shift 1, division 8.
// Widths    e is below 2^24 + 1; of the sigmoid, the p is e / 2^8, the quotient 2^15 to 2^16.
// Model     sim/functional.c: power, exponentials, sigmoid_unit
// Tests     tests/top/vector_test.sh
`default_nettype none

module lpu_vector_power (
  input  wire                      clk_i,
  input  wire        [31:0]        d_i,         // unsigned, 16 fractional bits
  input  wire        [31:0]        carry_i,     // comes out as it is with is_silu_i
  input  wire                      is_silu_i,
  output wire        [31:0]        carry_o,     // else e
  output wire        [16:0]        sig_o        // the sigmoid at +d
);

  // P[j] = round(2^16 * 2^(-j/64)), j = 0..64.
  function [16:0] table_of;
    input [6:0] j;
    case (j)
      7'd0: table_of = 17'd65536;
      7'd1: table_of = 17'd64830;
      7'd2: table_of = 17'd64132;
      7'd3: table_of = 17'd63441;
      7'd4: table_of = 17'd62757;
      7'd5: table_of = 17'd62081;
      7'd6: table_of = 17'd61413;
      7'd7: table_of = 17'd60751;
      7'd8: table_of = 17'd60097;
      7'd9: table_of = 17'd59449;
      7'd10: table_of = 17'd58809;
      7'd11: table_of = 17'd58176;
      7'd12: table_of = 17'd57549;
      7'd13: table_of = 17'd56929;
      7'd14: table_of = 17'd56316;
      7'd15: table_of = 17'd55709;
      7'd16: table_of = 17'd55109;
      7'd17: table_of = 17'd54515;
      7'd18: table_of = 17'd53928;
      7'd19: table_of = 17'd53347;
      7'd20: table_of = 17'd52773;
      7'd21: table_of = 17'd52204;
      7'd22: table_of = 17'd51642;
      7'd23: table_of = 17'd51085;
      7'd24: table_of = 17'd50535;
      7'd25: table_of = 17'd49991;
      7'd26: table_of = 17'd49452;
      7'd27: table_of = 17'd48920;
      7'd28: table_of = 17'd48393;
      7'd29: table_of = 17'd47871;
      7'd30: table_of = 17'd47356;
      7'd31: table_of = 17'd46846;
      7'd32: table_of = 17'd46341;
      7'd33: table_of = 17'd45842;
      7'd34: table_of = 17'd45348;
      7'd35: table_of = 17'd44859;
      7'd36: table_of = 17'd44376;
      7'd37: table_of = 17'd43898;
      7'd38: table_of = 17'd43425;
      7'd39: table_of = 17'd42958;
      7'd40: table_of = 17'd42495;
      7'd41: table_of = 17'd42037;
      7'd42: table_of = 17'd41584;
      7'd43: table_of = 17'd41136;
      7'd44: table_of = 17'd40693;
      7'd45: table_of = 17'd40255;
      7'd46: table_of = 17'd39821;
      7'd47: table_of = 17'd39392;
      7'd48: table_of = 17'd38968;
      7'd49: table_of = 17'd38548;
      7'd50: table_of = 17'd38133;
      7'd51: table_of = 17'd37722;
      7'd52: table_of = 17'd37316;
      7'd53: table_of = 17'd36914;
      7'd54: table_of = 17'd36516;
      7'd55: table_of = 17'd36123;
      7'd56: table_of = 17'd35734;
      7'd57: table_of = 17'd35349;
      7'd58: table_of = 17'd34968;
      7'd59: table_of = 17'd34591;
      7'd60: table_of = 17'd34219;
      7'd61: table_of = 17'd33850;
      7'd62: table_of = 17'd33486;
      7'd63: table_of = 17'd33125;
      7'd64: table_of = 17'd32768;
      default: table_of = 17'd0;
    endcase
  endfunction

  ///////////
  // Table //
  ///////////

  wire [6:0]  j = {1'b0, d_i[15:10]};
  wire [16:0] here = table_of(j);
  wire [16:0] drop = here - table_of(j + 7'd1); // at most 706

  reg  [16:0] p_q;
  reg  [9:0]  drop_q, r_q;
  reg  [15:0] shift_q;
  reg  [31:0] carry_q;
  reg         is_silu_q;

  // Data needs no reset: valid bits travel beside it.
  always @(posedge clk_i) begin
    p_q       <= here;
    drop_q    <= drop[9:0];
    r_q       <= d_i[9:0];
    shift_q   <= d_i[31:16];
    carry_q   <= carry_i;
    is_silu_q <= is_silu_i;
  end

  /////////////////////////
  // Line between entries //
  /////////////////////////

  wire [21:0] product;
  wire [16:0] p_2;
  wire [15:0] shift_2;
  wire [31:0] carry_2;
  wire        is_silu_2;

  lpu_shift_add #(.ABits(11), .BBits(11), .Stages(2)) u_line (
    .clk_i (clk_i),
    .en_i  (1'b1),
    .a_i   ({1'b0, drop_q}),
    .b_i   ({1'b0, r_q}),
    .p_o   (product)
  );
  lpu_vector_delay #(.Bits(66), .Stages(2)) u_line_delay (
    .clk_i (clk_i),
    .in_i  ({p_q, shift_q, carry_q, is_silu_q}),
    .out_o ({p_2, shift_2, carry_2, is_silu_2})
  );

  ///////////
  // Shift //
  ///////////

  wire [16:0] p = p_2 - {5'd0, product[21:10]};
  wire [24:0] e = shift_2 >= 16'd25 ? 25'd0 : {p, 8'd0} >> shift_2[4:0];

  reg  [24:0] e_q;
  reg  [31:0] carry_3_q;
  reg         is_silu_3_q;

  always @(posedge clk_i) begin
    e_q         <= e;
    carry_3_q   <= carry_2;
    is_silu_3_q <= is_silu_2;
  end

  //////////////
  // Division //
  //////////////

  // 2^32 / (2^16 + p): the bit of 2^16 is p = 0, with nothing left over; 16 bits follow.
  wire is_whole = e_q[24:8] == 17'd0;
  genvar s;

  generate
    for (s = 0; s <= 8; s = s + 1) begin : gen_digit
      wire [16:0] left;                         // below the divisor
      wire [16:0] by;                           // the divisor less 2^16
      wire [16:0] quotient;                     // so far
      wire [31:0] held;

      if (s == 0) begin : gen_first
        assign left     = is_whole ? 17'd0 : 17'd65536;
        assign by       = e_q[24:8];
        assign quotient = {16'd0, is_whole};
        assign held     = is_silu_3_q ? carry_3_q : {7'd0, e_q};
      end else begin : gen_step
        wire [17:0] divisor = {1'b0, gen_digit[s-1].by} + 18'd65536;
        wire [18:0] first   = {1'b0, gen_digit[s-1].left, 1'b0};
        wire        bit_1   = first >= {1'b0, divisor};
        wire [18:0] rest    = bit_1 ? first - {1'b0, divisor} : first;
        wire [18:0] second  = {rest[17:0], 1'b0};
        wire        bit_0   = second >= {1'b0, divisor};
        wire [18:0] last    = bit_0 ? second - {1'b0, divisor} : second;
        reg  [16:0] left_q, by_q, quotient_q;
        reg  [31:0] held_q;
        wire        unused  = &{1'b0, rest[18], last[18:17], gen_digit[s-1].quotient[16:15]};

        always @(posedge clk_i) begin
          left_q     <= last[16:0];
          by_q       <= gen_digit[s-1].by;
          quotient_q <= {gen_digit[s-1].quotient[14:0], bit_1, bit_0};
          held_q     <= gen_digit[s-1].held;
        end
        assign left     = left_q;
        assign by       = by_q;
        assign quotient = quotient_q;
        assign held     = held_q;
      end
    end
  endgenerate

  assign carry_o = gen_digit[8].held;
  assign sig_o   = gen_digit[8].quotient;

  wire unused = &{1'b0, drop[16:10], product[9:0], gen_digit[8].left, gen_digit[8].by};

endmodule

`default_nettype wire
