// lpu_dot against sum of w x, for all weights and all activations at once: one vector goes through
// the stages of the tree, whatever they held before.
`default_nettype none

module dot #(
  parameter Cols    = 4,
  parameter Depth   = ($clog2(Cols) + 1) / 2,
  parameter SumBits = 8 + 2 * Depth
) (
  input wire              clk_i,
  input wire [8*Cols-1:0] x_i,
  input wire [Cols-1:0]   nz_i,
  input wire [Cols-1:0]   minus_i
);

  wire [SumBits-1:0] sum;
  wire               carry;
  wire [Cols-1:0]    neg = minus_i & nz_i;            // neg implies nz

  lpu_dot #(.Cols(Cols)) u_dot (
    .clk_i(clk_i), .en_i({Depth{1'b1}}), .x_i(x_i), .nz_i(nz_i), .neg_i(neg),
    .sum_o(sum), .carry_o(carry));

  // The definition, as wide as need be, and Depth clocks late.
  integer                   i;
  reg signed [15:0]         by_definition;
  reg [16*Depth-1:0]        late;
  reg [Depth-1:0]           is_valid;
  wire signed [15:0]        found    = $signed(sum) + $signed({1'b0, carry});
  wire signed [15:0]        expected = late[16*(Depth-1) +: 16];

  // Every product by itself; the order in which they are added is free.
  wire signed [15:0] product [0:Cols-1];
  genvar             c;
  generate
    for (c = 0; c < Cols; c = c + 1) begin : gen_product
      assign product[c] = !nz_i[c] ? 16'sd0 : minus_i[c] ? -$signed(x_i[8*c +: 8]) : $signed(x_i[8*c +: 8]);
    end
  endgenerate

  always @* begin
    by_definition = 0;
    for (i = 0; i < Cols; i = i + 2)
      by_definition = by_definition + (product[i] + (i + 1 < Cols ? product[(i+1)%Cols] : 16'sd0));
  end

  initial is_valid = 0;
  always @(posedge clk_i) begin
    late     <= (late << 16) | {{(16*Depth-16){1'b0}}, by_definition};
    is_valid <= (is_valid << 1) | 1'b1;
  end

  always @* if (is_valid[Depth-1]) begin
    assert (found == expected);
  end
  always @* cover (is_valid[Depth-1] && found == 16'd128 * Cols);

endmodule

`default_nettype wire
