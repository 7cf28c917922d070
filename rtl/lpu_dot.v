// Dot product: Cols lanes and their tree. A lane selects +x, 0 or -x by xor and and; there is no multiplier.
//
//   x -> lane --+
//   x -> lane --+-> sum4 --+
//   x -> lane --+          +-> sum4 -> ... -> sum, carry
//   x -> lane --+   ...  --+
//
// A lane with a zero weight is held at 0 whatever x does.
//
// Timing    stage k of the tree loads with en_i[k]; the sum is out Depth cycles after x is stable.
// Widths    SumBits = 8 + 2 Depth, exact; the value is sum_o + carry_o.
// Model     sim/unit_array.c, pass_values
// Tests     tests/rtl/lpu_dot_tb.v, tests/lockstep
`default_nettype none

module lpu_dot #(
  parameter Cols    = 10,
  parameter Depth   = ($clog2(Cols) + 1) / 2,   // ceil(log4 Cols)
  parameter SumBits = 8 + 2 * Depth
) (
  input  wire                      clk_i,
  input  wire        [Depth-1:0]   en_i,
  input  wire        [8*Cols-1:0]  x_i,         // signed bytes
  input  wire        [Cols-1:0]    nz_i,
  input  wire        [Cols-1:0]    neg_i,       // implies nz
  output wire        [SumBits-1:0] sum_o,       // signed
  output wire                      carry_o
);

  genvar l, i, j;

  generate
    for (l = 0; l < Depth; l = l + 1) begin : gen_level
      localparam Terms = (Cols + (1 << (2 * l)) - 1) >> (2 * l);
      localparam Bits  = 8 + 2 * l;

      for (i = 0; 4 * i < Terms; i = i + 1) begin : gen_sum
        localparam Group = Terms - 4 * i < 4 ? Terms - 4 * i : 4;

        wire [Group*Bits-1:0] term;
        wire [Group-1:0]      carry;
        wire [Bits+1:0]       sum;
        wire                  sum_carry;

        for (j = 0; j < Group; j = j + 1) begin : gen_term
          if (l == 0) begin : gen_lane
            assign term[8*j +: 8] = (x_i[8*(4*i+j) +: 8] ^ {8{neg_i[4*i+j]}}) & {8{nz_i[4*i+j]}};
            assign carry[j]       = neg_i[4*i+j];
          end else begin : gen_inner
            assign term[j*Bits +: Bits] = gen_level[l-1].gen_sum[4*i+j].sum;
            assign carry[j]             = gen_level[l-1].gen_sum[4*i+j].sum_carry;
          end
        end

        lpu_sum4 #(.Terms(Group), .TermBits(Bits)) u_sum (
          .clk_i   (clk_i),
          .en_i    (en_i[l]),
          .term_i  (term),
          .carry_i (carry),
          .sum_o   (sum),
          .carry_o (sum_carry)
        );
      end
    end
  endgenerate

  assign sum_o   = gen_level[Depth-1].gen_sum[0].sum;
  assign carry_o = gen_level[Depth-1].gen_sum[0].sum_carry;

endmodule

`default_nettype wire
