// Scratchpad: bytes with four ports in and five out, each at any address, all in one cycle.
//
//          column 0   1  ..  W-1         an access at A takes W columns, one byte of each:
//   row 0       0     1  ..  W-1         row A / W from column A % W on, the next row before it
//   row 1       W    W+1 .. 2W-1
//
// Timing    written bytes are there in the next cycle; a read's address in cycle t, its data from t + 1
//           until the port's next read; a byte read while it is written is the old one
// Widths    W is the least power of two that the widest port fits; addresses are cut to the size, and
//           what an access has beyond the end is nobody's
// Model     sim/exec.c: the scratchpad as an array of bytes
// Tests     tests/top/scratch_test.sh
`default_nettype none

module lpu_scratch #(
  parameter ScratchBytes = 65536,
  parameter BusBytes     = 8,
  parameter VectorLanes  = 8,
  parameter Cols         = 10,
  parameter SumBytes     = 4 * VectorLanes,
  parameter BusBits      = $clog2(BusBytes + 1),
  parameter SumBits      = $clog2(SumBytes + 1)
) (
  input  wire                  clk_i,

  // Write: what loads bring
  input  wire                  ld_wvalid_i,
  input  wire [31:0]           ld_waddr_i,
  input  wire [BusBits-1:0]    ld_wbytes_i,
  input  wire [8*BusBytes-1:0] ld_wdata_i,

  // Write: sums of the array
  input  wire                  y_wvalid_i,
  input  wire [31:0]           y_waddr_i,
  input  wire [SumBits-1:0]    y_wbytes_i,
  input  wire [8*SumBytes-1:0] y_wdata_i,

  // Write: results of the vector unit
  input  wire                  v_wvalid_i,
  input  wire [31:0]           v_waddr_i,
  input  wire [SumBits-1:0]    v_wbytes_i,
  input  wire [8*SumBytes-1:0] v_wdata_i,

  // Write: its scales
  input  wire                  s_wvalid_i,
  input  wire [31:0]           s_waddr_i,
  input  wire [2:0]            s_wbytes_i,
  input  wire [31:0]           s_wdata_i,

  // Read: vectors for the array
  input  wire                  x_ren_i,
  input  wire [31:0]           x_raddr_i,
  output wire [8*Cols-1:0]     x_rdata_o,

  // Read: operands of the vector unit
  input  wire                  a_ren_i,
  input  wire [31:0]           a_raddr_i,
  output wire [8*SumBytes-1:0] a_rdata_o,
  input  wire                  b_ren_i,
  input  wire [31:0]           b_raddr_i,
  output wire [8*SumBytes-1:0] b_rdata_o,

  // Read: its scales
  input  wire                  s_ren_i,
  input  wire [31:0]           s_raddr_i,
  output wire [31:0]           s_rdata_o,

  // Read: what stores take away
  input  wire                  st_ren_i,
  input  wire [31:0]           st_raddr_i,
  output wire [8*BusBytes-1:0] st_rdata_o
);

  localparam Widest  = Cols > SumBytes ? (Cols > BusBytes ? Cols : BusBytes)
                                       : (SumBytes > BusBytes ? SumBytes : BusBytes);
  localparam ColBits = $clog2(Widest);
  localparam W       = 1 << ColBits;
  localparam Depth   = (ScratchBytes + W - 1) >> ColBits;
  localparam RowBits = Depth > 1 ? $clog2(Depth) : 1;

  ///////////
  // Ports //
  ///////////

  wire [W-1:0]         ld_we, y_we, v_we, s_we;
  wire [W*RowBits-1:0] ld_wrow, y_wrow, v_wrow, s_wrow;
  wire [8*W-1:0]       ld_wcols, y_wcols, v_wcols, s_wcols;
  wire [W*RowBits-1:0] x_rrow, a_rrow, b_rrow, s_rrow, st_rrow;
  wire [8*W-1:0]       x_rcols, a_rcols, b_rcols, s_rcols, st_rcols;

  lpu_scratch_write #(.Bytes(BusBytes), .ColBits(ColBits), .RowBits(RowBits)) u_ld_write (
    .valid_i (ld_wvalid_i),
    .addr_i  (ld_waddr_i),
    .bytes_i (ld_wbytes_i),
    .data_i  (ld_wdata_i),
    .we_o    (ld_we),
    .row_o   (ld_wrow),
    .data_o  (ld_wcols)
  );

  lpu_scratch_write #(.Bytes(SumBytes), .ColBits(ColBits), .RowBits(RowBits)) u_y_write (
    .valid_i (y_wvalid_i),
    .addr_i  (y_waddr_i),
    .bytes_i (y_wbytes_i),
    .data_i  (y_wdata_i),
    .we_o    (y_we),
    .row_o   (y_wrow),
    .data_o  (y_wcols)
  );

  lpu_scratch_write #(.Bytes(SumBytes), .ColBits(ColBits), .RowBits(RowBits)) u_v_write (
    .valid_i (v_wvalid_i),
    .addr_i  (v_waddr_i),
    .bytes_i (v_wbytes_i),
    .data_i  (v_wdata_i),
    .we_o    (v_we),
    .row_o   (v_wrow),
    .data_o  (v_wcols)
  );

  lpu_scratch_write #(.Bytes(4), .ColBits(ColBits), .RowBits(RowBits)) u_s_write (
    .valid_i (s_wvalid_i),
    .addr_i  (s_waddr_i),
    .bytes_i (s_wbytes_i),
    .data_i  (s_wdata_i),
    .we_o    (s_we),
    .row_o   (s_wrow),
    .data_o  (s_wcols)
  );

  lpu_scratch_read #(.Bytes(Cols), .ColBits(ColBits), .RowBits(RowBits)) u_x_read (
    .clk_i  (clk_i),
    .ren_i  (x_ren_i),
    .addr_i (x_raddr_i),
    .data_o (x_rdata_o),
    .row_o  (x_rrow),
    .data_i (x_rcols)
  );

  lpu_scratch_read #(.Bytes(SumBytes), .ColBits(ColBits), .RowBits(RowBits)) u_a_read (
    .clk_i  (clk_i),
    .ren_i  (a_ren_i),
    .addr_i (a_raddr_i),
    .data_o (a_rdata_o),
    .row_o  (a_rrow),
    .data_i (a_rcols)
  );

  lpu_scratch_read #(.Bytes(SumBytes), .ColBits(ColBits), .RowBits(RowBits)) u_b_read (
    .clk_i  (clk_i),
    .ren_i  (b_ren_i),
    .addr_i (b_raddr_i),
    .data_o (b_rdata_o),
    .row_o  (b_rrow),
    .data_i (b_rcols)
  );

  lpu_scratch_read #(.Bytes(4), .ColBits(ColBits), .RowBits(RowBits)) u_s_read (
    .clk_i  (clk_i),
    .ren_i  (s_ren_i),
    .addr_i (s_raddr_i),
    .data_o (s_rdata_o),
    .row_o  (s_rrow),
    .data_i (s_rcols)
  );

  lpu_scratch_read #(.Bytes(BusBytes), .ColBits(ColBits), .RowBits(RowBits)) u_st_read (
    .clk_i  (clk_i),
    .ren_i  (st_ren_i),
    .addr_i (st_raddr_i),
    .data_o (st_rdata_o),
    .row_o  (st_rrow),
    .data_i (st_rcols)
  );

  /////////////
  // Columns //
  /////////////

  genvar c;

  generate
    for (c = 0; c < W; c = c + 1) begin : gen_column
      lpu_scratch_ram #(.Depth(Depth), .AddrBits(RowBits)) u_ram (
        .clk_i   (clk_i),
        .we_i    ({s_we[c], v_we[c], y_we[c], ld_we[c]}),
        .waddr_i ({s_wrow[c*RowBits +: RowBits], v_wrow[c*RowBits +: RowBits],
                   y_wrow[c*RowBits +: RowBits], ld_wrow[c*RowBits +: RowBits]}),
        .wdata_i ({s_wcols[8*c +: 8], v_wcols[8*c +: 8], y_wcols[8*c +: 8], ld_wcols[8*c +: 8]}),
        .re_i    ({st_ren_i, s_ren_i, b_ren_i, a_ren_i, x_ren_i}),
        .raddr_i ({st_rrow[c*RowBits +: RowBits], s_rrow[c*RowBits +: RowBits],
                   b_rrow[c*RowBits +: RowBits], a_rrow[c*RowBits +: RowBits],
                   x_rrow[c*RowBits +: RowBits]}),
        .rdata_o ({st_rcols[8*c +: 8], s_rcols[8*c +: 8], b_rcols[8*c +: 8], a_rcols[8*c +: 8],
                   x_rcols[8*c +: 8]})
      );
    end
  endgenerate

endmodule

`default_nettype wire
