// A memory of bytes with one write and one read port: the file to swap for a macro of a technology.
//
// Timing    a word read in cycle t is at rdata_o from t + 1 until the next read; what a read of the word
//           that is written in the same cycle gives is never used: the macro may give anything
// Widths    Depth words of Width bits
// Model     none: memory
// Tests     tests/top/macros_test.sh
`default_nettype none

module lpu_ram_1w1r #(
  parameter Depth    = 256,
  parameter AddrBits = 8,
  parameter Width    = 8
) (
  input  wire                clk_i,

  input  wire                we_i,
  input  wire [AddrBits-1:0] waddr_i,
  input  wire [Width-1:0]    wdata_i,

  input  wire                re_i,
  input  wire [AddrBits-1:0] raddr_i,
  output reg  [Width-1:0]    rdata_o
);

  reg [Width-1:0] mem_q [0:Depth-1];

  always @(posedge clk_i) begin
    if (we_i) mem_q[waddr_i] <= wdata_i;
    if (re_i) rdata_o <= mem_q[raddr_i];
  end

endmodule

`default_nettype wire
