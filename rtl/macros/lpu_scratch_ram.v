// One column of the scratchpad, of memories with one write and one read port: takes the place of
// rtl/lpu_scratch_ram.v, with its ports and its word.
//
//              read 0    read 1   ...  read 4
//   write 0   [ copy ]  [ copy ]      [ copy ]     bank 0    a write goes to all copies of its bank,
//   write 1   [ copy ]  [ copy ]      [ copy ]     bank 1    a read to its copy of each bank; the table
//   write 2   [ copy ]  [ copy ]      [ copy ]     bank 2    (lpu_scratch_live) says which bank has
//   write 3   [ copy ]  [ copy ]      [ copy ]     bank 3    written last
//
// After LaForest and Steffan, "Efficient multi-ported memories for FPGAs", FPGA 2010, section 3 (live
// value table). A write waits for one cycle in registers, from which reads of that cycle take it: so a
// copy is never read where it is written for the value's sake, and may do there what it likes.
//
// Timing    a byte read in cycle t is at rdata_o from t + 1 until the port's next read; a read in the
//           cycle of a write to the same byte gives the old one
// Widths    port p has the p-th part of each bundle; two writes never meet in one byte
// Model     none of its own: sim/exec.c has the scratchpad as an array of bytes
// Tests     tests/top/macros_test.sh
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
  output wire [39:0]           rdata_o
);

  // The writes of the last cycle.
  reg  [3:0]            we_q;
  reg  [4*AddrBits-1:0] waddr_q;
  reg  [31:0]           wdata_q;
  wire [9:0]            bank;                   // of each read port, of its last read
  genvar r, w;

  // No reset: a write at power-up is to a byte that nobody has written yet.
  always @(posedge clk_i) we_q <= we_i;

  generate
    for (w = 0; w < 4; w = w + 1) begin : gen_write
      always @(posedge clk_i) begin
        if (we_i[w]) begin
          waddr_q[w*AddrBits +: AddrBits] <= waddr_i[w*AddrBits +: AddrBits];
          wdata_q[8*w +: 8]               <= wdata_i[8*w +: 8];
        end
      end
    end

    for (r = 0; r < 5; r = r + 1) begin : gen_read
      wire [AddrBits-1:0] addr = raddr_i[r*AddrBits +: AddrBits];
      wire [31:0]         copies;               // one byte of each bank
      wire [3:0]          meets;                // the write that is on its way there
      wire [7:0]          late = ({8{meets[0]}} & wdata_q[7:0])   | ({8{meets[1]}} & wdata_q[15:8]) |
                                 ({8{meets[2]}} & wdata_q[23:16]) | ({8{meets[3]}} & wdata_q[31:24]);
      reg                 is_late_q;
      reg  [7:0]          late_q;

      for (w = 0; w < 4; w = w + 1) begin : gen_bank
        assign meets[w] = we_q[w] && waddr_q[w*AddrBits +: AddrBits] == addr;

        lpu_ram_1w1r #(.Depth(Depth), .AddrBits(AddrBits)) u_copy (
          .clk_i   (clk_i),
          .we_i    (we_q[w]),
          .waddr_i (waddr_q[w*AddrBits +: AddrBits]),
          .wdata_i (wdata_q[8*w +: 8]),
          .re_i    (re_i[r]),
          .raddr_i (addr),
          .rdata_o (copies[8*w +: 8])
        );
      end

      always @(posedge clk_i) begin
        if (re_i[r]) begin
          is_late_q <= meets != 4'd0;
          late_q    <= late;
        end
      end
      assign rdata_o[8*r +: 8] = is_late_q ? late_q : copies[{bank[2*r +: 2], 3'd0} +: 8];
    end
  endgenerate

  lpu_scratch_live #(.Depth(Depth), .AddrBits(AddrBits)) u_live (
    .clk_i   (clk_i),
    .we_i    (we_q),
    .waddr_i (waddr_q),
    .re_i    (re_i),
    .raddr_i (raddr_i),
    .rbank_o (bank)
  );

endmodule

`default_nettype wire
