// lpu_shift_add against a * b, for all a and b, and whatever the registers held before.
`default_nettype none

module shift_add #(
  parameter ABits  = 5,
  parameter BBits  = 5,
  parameter Stages = 0
) (
  input wire             clk_i,
  input wire             en_i,
  input wire [ABits-1:0] a_i,
  input wire [BBits-1:0] b_i
);

  localparam Bits = ABits + BBits;

  wire [Bits-1:0] product;
  wire [Bits-1:0] by_definition = $signed(a_i) * $signed(b_i);

  lpu_shift_add #(.ABits(ABits), .BBits(BBits), .Stages(Stages)) u_product (
    .clk_i(clk_i), .en_i(en_i), .a_i(a_i), .b_i(b_i), .p_o(product));

  generate
    if (Stages == 0) begin : gen_now
      always @* assert (product == by_definition);
    end else begin : gen_late
      reg [Stages*Bits-1:0] late;                     // of the enabled clocks; the latest lowest
      reg [Stages-1:0]      is_valid;

      initial is_valid = 0;
      always @(posedge clk_i) if (en_i) begin
        late     <= {late, by_definition};
        is_valid <= {is_valid, 1'b1};
      end
      always @* if (is_valid[Stages-1]) assert (product == late[(Stages-1)*Bits +: Bits]);
    end
  endgenerate

endmodule

`default_nettype wire
