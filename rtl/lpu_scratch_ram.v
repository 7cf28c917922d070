// One column of the scratchpad: bytes with four write and five read ports. Swap this file for the
// memory of a technology: banks, copies or a register file, as long as the ports keep their word.
//
// Timing    a byte read in cycle t is at rdata_o from t + 1 until the port's next read; a read in the
//           cycle of a write to the same byte gives the old one
// Widths    port p has the p-th part of each bundle; two writes never meet in one byte
// Model     none of its own: sim/exec.c has the scratchpad as an array of bytes
// Tests     tests/top/scratch_test.sh
`default_nettype none

module lpu_scratch_ram #(
  parameter Depth    = 256,
  parameter AddrBits = 8
) (
  input  wire                  clk_i,

  // Writes
  input  wire [3:0]            we_i,
  input  wire [4*AddrBits-1:0] waddr_i,
  input  wire [31:0]           wdata_i,

  // Reads
  input  wire [4:0]            re_i,
  input  wire [5*AddrBits-1:0] raddr_i,
  output reg  [39:0]           rdata_o
);

  reg [7:0] mem_q [0:Depth-1];

  always @(posedge clk_i) begin
    if (we_i[0]) mem_q[waddr_i[0*AddrBits +: AddrBits]] <= wdata_i[7:0];
    if (we_i[1]) mem_q[waddr_i[1*AddrBits +: AddrBits]] <= wdata_i[15:8];
    if (we_i[2]) mem_q[waddr_i[2*AddrBits +: AddrBits]] <= wdata_i[23:16];
    if (we_i[3]) mem_q[waddr_i[3*AddrBits +: AddrBits]] <= wdata_i[31:24];
  end

  always @(posedge clk_i) begin
    if (re_i[0]) rdata_o[7:0]   <= mem_q[raddr_i[0*AddrBits +: AddrBits]];
    if (re_i[1]) rdata_o[15:8]  <= mem_q[raddr_i[1*AddrBits +: AddrBits]];
    if (re_i[2]) rdata_o[23:16] <= mem_q[raddr_i[2*AddrBits +: AddrBits]];
    if (re_i[3]) rdata_o[31:24] <= mem_q[raddr_i[3*AddrBits +: AddrBits]];
    if (re_i[4]) rdata_o[39:32] <= mem_q[raddr_i[4*AddrBits +: AddrBits]];
  end

endmodule

`default_nettype wire
