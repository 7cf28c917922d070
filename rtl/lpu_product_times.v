// Multiples 0, 1, .. Count of a number, by doubling and adding one more.
//
// Timing    none: combinational; log2 Count adders deep
// Widths    OutBits holds Count times the largest number; multiple i is in bits i OutBits on
// Model     sim/unit_tiles.c: beat_bytes
// Tests     tests/top/product_test.sh
`default_nettype none

module lpu_product_times #(
  parameter Count   = 2,
  parameter InBits  = 3,
  parameter OutBits = 5
) (
  input  wire [InBits-1:0]            number_i,
  output reg  [(Count+1)*OutBits-1:0] times_o
);

  wire [OutBits-1:0] number = {{(OutBits-InBits){1'b0}}, number_i};
  integer            i;

  always @* begin
    times_o = {(Count+1)*OutBits{1'b0}};
    for (i = 1; i <= Count; i = i + 1)
      times_o[i*OutBits +: OutBits] = (times_o[(i/2)*OutBits +: OutBits] << 1) +
                                      (i % 2 == 1 ? number : {OutBits{1'b0}});
  end

endmodule

`default_nettype wire
