// Which bank wrote last: two bits for each byte of a column, in registers, with the ports of the column.
//
// Timing    as rtl/lpu_scratch_ram.v, but what a read of an entry that is written in the same cycle
//           gives is never used
// Widths    Depth entries; port p has the p-th part of each bundle; two writes never meet in one entry
// Model     none: memory
// Tests     tests/top/macros_test.sh
`default_nettype none

module lpu_scratch_live #(
  parameter Depth    = 256,
  parameter AddrBits = 8
) (
  input  wire                  clk_i,

  input  wire [3:0]            we_i,            // bank p has written
  input  wire [4*AddrBits-1:0] waddr_i,

  input  wire [4:0]            re_i,
  input  wire [5*AddrBits-1:0] raddr_i,
  output reg  [9:0]            rbank_o
);

  reg [1:0] bank_q [0:Depth-1];

  always @(posedge clk_i) begin
    if (we_i[0]) bank_q[waddr_i[0*AddrBits +: AddrBits]] <= 2'd0;
    if (we_i[1]) bank_q[waddr_i[1*AddrBits +: AddrBits]] <= 2'd1;
    if (we_i[2]) bank_q[waddr_i[2*AddrBits +: AddrBits]] <= 2'd2;
    if (we_i[3]) bank_q[waddr_i[3*AddrBits +: AddrBits]] <= 2'd3;
  end

  always @(posedge clk_i) begin
    if (re_i[0]) rbank_o[1:0] <= bank_q[raddr_i[0*AddrBits +: AddrBits]];
    if (re_i[1]) rbank_o[3:2] <= bank_q[raddr_i[1*AddrBits +: AddrBits]];
    if (re_i[2]) rbank_o[5:4] <= bank_q[raddr_i[2*AddrBits +: AddrBits]];
    if (re_i[3]) rbank_o[7:6] <= bank_q[raddr_i[3*AddrBits +: AddrBits]];
    if (re_i[4]) rbank_o[9:8] <= bank_q[raddr_i[4*AddrBits +: AddrBits]];
  end

endmodule

`default_nettype wire
