// Sum of up to four terms, each with a carry: one stage of a row's tree.
//
// A term is worth term + carry. Terms - 1 adders take Terms - 1 of the carries as carry-in; the one
// that is left travels with the sum. So the + 1 of every -x = ~x + 1 rides in an adder that is
// there anyway, and no sum needs a bit beyond log2 of the number of terms.
//
// Timing    sum_o and carry_o one cycle after en_i; held without it.
// Widths    TermBits + 2: 4 (2^(b-1) - 1) + 3 carries = 2^(b+1) - 1, and 4 (-2^(b-1)) = -2^(b+1).
// Model     sim/unit_array.c, pass_values
// Tests     tests/rtl/lpu_dot_tb.v, tests/lockstep
`default_nettype none

module lpu_sum4 #(
  parameter Terms    = 4,                       // 1 to 4
  parameter TermBits = 8
) (
  input  wire                      clk_i,
  input  wire                      en_i,
  input  wire        [Terms*TermBits-1:0] term_i, // signed
  input  wire        [Terms-1:0]   carry_i,
  output reg         [TermBits+1:0] sum_o,      // signed
  output reg                       carry_o
);

  localparam SumBits = TermBits + 2;
  localparam [SumBits-2:0] Zeros = 0;

  wire [SumBits-1:0] sum;
  genvar i;

  generate
    for (i = 0; i < Terms; i = i + 1) begin : gen_term
      wire [SumBits-1:0] wide = {{2{term_i[(i+1)*TermBits-1]}}, term_i[i*TermBits +: TermBits]};
    end

    // Balanced: (0 + 1) + (2 + 3).
    if (Terms == 4) begin : gen_four
      wire [SumBits-1:0] low  = gen_term[0].wide + gen_term[1].wide + {Zeros, carry_i[0]};
      wire [SumBits-1:0] high = gen_term[2].wide + gen_term[3].wide + {Zeros, carry_i[1]};
      assign sum = low + high + {Zeros, carry_i[2]};
    end else if (Terms == 3) begin : gen_three
      wire [SumBits-1:0] low = gen_term[0].wide + gen_term[1].wide + {Zeros, carry_i[0]};
      assign sum = low + gen_term[2].wide + {Zeros, carry_i[1]};
    end else if (Terms == 2) begin : gen_two
      assign sum = gen_term[0].wide + gen_term[1].wide + {Zeros, carry_i[0]};
    end else begin : gen_one
      assign sum = gen_term[0].wide;
    end
  endgenerate

  // Data needs no reset: the vector's valid bit travels in lpu_array_ctrl.
  always @(posedge clk_i) begin
    if (en_i) begin
      sum_o   <= sum;
      carry_o <= carry_i[Terms-1];
    end
  end

endmodule

`default_nettype wire
