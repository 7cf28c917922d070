// Delay: what goes in comes out Stages clocks later.
//
// Timing    Stages = 0 is a wire.
// Widths    Bits is any.
// Model     none: a shift register
// Tests     tests/top/vector_test.sh
`default_nettype none

module lpu_vector_delay #(
  parameter Bits   = 8,
  parameter Stages = 1
) (
  input  wire                      clk_i,
  input  wire        [Bits-1:0]    in_i,
  output wire        [Bits-1:0]    out_o
);

  genvar s;

  generate
    for (s = 0; s <= Stages; s = s + 1) begin : gen_stage
      wire [Bits-1:0] value;

      if (s == 0) begin : gen_in
        assign value = in_i;
      end else begin : gen_register
        reg [Bits-1:0] value_q;

        // Data needs no reset: valid bits travel beside it.
        always @(posedge clk_i) value_q <= gen_stage[s-1].value;
        assign value = value_q;
      end
    end
  endgenerate

  assign out_o = gen_stage[Stages].value;

endmodule

`default_nettype wire
