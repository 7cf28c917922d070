// Trit decoder: one packed byte into 5, 4 or 8 digits, by compare and subtract, with no table.
//
// Timing    combinational.
// Widths    Digits is 5 (base-3), 4 (2-bit) or 8 (1-bit); nz = 0 is a zero, neg = 1 is minus one.
// Model     sim/unit_array.c, decode_byte; workloads/ternary.h has the codes.
// Tests     tests/rtl/lpu_trit_decoder_tb.v (every byte), tests/lockstep
`default_nettype none

module lpu_trit_decoder #(
  parameter Code   = 0,                         // 0 base-3, 1 two bits, 2 one bit
  parameter Digits = Code == 0 ? 5 : Code == 1 ? 4 : 8
) (
  input  wire        [7:0]         byte_i,
  output wire        [Digits-1:0]  nz_o,        // the digit is not zero
  output wire        [Digits-1:0]  neg_o,       // the digit is -1; implies nz
  output wire                      illegal_o    // no digits have this code; they read as zeros
);

  genvar i;

  generate
    if (Code == 0) begin : gen_base3
      // Most significant digit first: subtract 3^i or 2 * 3^i where it fits.
      assign illegal_o = byte_i > 8'd242;

      for (i = 4; i >= 0; i = i - 1) begin : gen_digit
        localparam [7:0] One = i == 4 ? 8'd81 : i == 3 ? 8'd27 : i == 2 ? 8'd9 : i == 1 ? 8'd3 : 8'd1;
        localparam [7:0] Two = One + One;

        wire [7:0] value;
        wire       is_one = value >= One;       // digit is 1 or 2: trit 0 or +1
        wire       is_two = value >= Two;

        if (i == 4) begin : gen_first
          assign value = byte_i;
        end else begin : gen_rest
          assign value = gen_digit[i+1].gen_left.left;
        end
        if (i > 0) begin : gen_left
          wire [7:0] left = value - (is_two ? Two : is_one ? One : 8'd0);
        end
        assign nz_o[i]  = !illegal_o && (is_two || !is_one);
        assign neg_o[i] = !illegal_o && !is_one;
      end
    end else if (Code == 1) begin : gen_t2
      wire [3:0] bad;

      for (i = 0; i < 4; i = i + 1) begin : gen_digit
        assign nz_o[i]  = byte_i[2*i];
        assign neg_o[i] = byte_i[2*i+1] && byte_i[2*i];
        assign bad[i]   = byte_i[2*i+1] && !byte_i[2*i];
      end
      assign illegal_o = |bad;
    end else begin : gen_b1
      assign nz_o      = 8'hff;
      assign neg_o     = ~byte_i;
      assign illegal_o = 1'b0;
    end
  endgenerate

endmodule

`default_nettype wire
