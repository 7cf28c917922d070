// Pack: a lane's integer into one of its balanced ternary digits, and digits into bytes.
//
//   value + (3^T - 1) / 2 = sum of (t[p] + 1) 3^(T-1-p): digit p by compare and subtract, from the top
//
// Timing    two clocks: digits, then bytes.
// Widths    base-3: five digits a byte, the first lowest. Two bits: four, 00 zero, 01 plus, 11 minus.
// Model     workloads/ternary.c: lpu_ternary_split, lpu_ternary_encode
// Tests     tests/top/vector_test.sh
`default_nettype none

module lpu_vector_pack #(
  parameter Lanes  = 8,
  parameter Code   = 0,                         // 0 base-3, 1 two bits
  parameter Digits = Code == 0 ? 5 : 4,
  parameter Bytes  = Lanes / Digits
) (
  input  wire                      clk_i,
  input  wire        [32*Lanes-1:0] y_i,        // |y| <= limit
  input  wire        [6:0]         limit_i,     // (3^T - 1) / 2
  input  wire        [2:0]         place_i,     // T - 1 - p
  output wire        [8*Bytes-1:0] bytes_o
);

  genvar i, d, b;

  generate
    for (i = 0; i < Bytes * Digits; i = i + 1) begin : gen_lane
      wire [7:0] all = y_i[32*i +: 8] + {1'b0, limit_i};
      wire [9:0] digits;
      reg  [1:0] digit_q;                       // the trit and 1

      for (d = 4; d >= 0; d = d - 1) begin : gen_digit
        localparam [7:0] One = d == 4 ? 8'd81 : d == 3 ? 8'd27 : d == 2 ? 8'd9 : d == 1 ? 8'd3 : 8'd1;
        localparam [7:0] Two = One + One;
        wire [7:0] value;
        wire       is_one = value >= One;
        wire       is_two = value >= Two;

        if (d == 4) begin : gen_first
          assign value = all;
        end else begin : gen_rest
          assign value = gen_digit[d+1].gen_left.left;
        end
        if (d > 0) begin : gen_left
          wire [7:0] left = value - (is_two ? Two : is_one ? One : 8'd0);
        end
        assign digits[2*d +: 2] = is_two ? 2'd2 : {1'b0, is_one};
      end

      // Data needs no reset: valid bits travel beside it.
      always @(posedge clk_i) digit_q <= digits[{place_i, 1'b0} +: 2];
    end

    for (b = 0; b < Bytes; b = b + 1) begin : gen_byte
      reg [7:0] byte_q;

      if (Code == 0) begin : gen_base3
        wire [1:0] d0 = gen_lane[5*b].digit_q;
        wire [1:0] d1 = gen_lane[5*b+1].digit_q;
        wire [1:0] d2 = gen_lane[5*b+2].digit_q;
        wire [1:0] d3 = gen_lane[5*b+3].digit_q;
        wire [1:0] d4 = gen_lane[5*b+4].digit_q;

        always @(posedge clk_i) begin
          byte_q <= {6'd0, d0} + (d1[1] ? 8'd6 : d1[0] ? 8'd3 : 8'd0) +
                    (d2[1] ? 8'd18 : d2[0] ? 8'd9 : 8'd0) +
                    (d3[1] ? 8'd54 : d3[0] ? 8'd27 : 8'd0) +
                    (d4[1] ? 8'd162 : d4[0] ? 8'd81 : 8'd0);
        end
      end else begin : gen_t2
        for (d = 0; d < 4; d = d + 1) begin : gen_pair
          wire [1:0] digit = gen_lane[4*b+d].digit_q;
          always @(posedge clk_i) byte_q[2*d +: 2] <= {digit == 2'd0, digit != 2'd1};
        end
      end
      assign bytes_o[8*b +: 8] = byte_q;
    end
  endgenerate

  wire unused = &{1'b0, y_i};

endmodule

`default_nettype wire
