// One row of the array: its digits of the tile, its dot product, its accumulators.
//
//   beat --> [tile: shadow, active] --+
//   x ------------------------------- +--> [dot: lanes, tree] --> [accum: two banks] --> drain
//
// Timing    pipe_i[k] is the vector k clocks behind x_i: stage k of the tree loads, then the sum is
//           added at pipe_i[Depth].
// Widths    SumBits = 8 + 2 Depth is exact.
// Model     sim/unit_array.c: fill_values, pass_values
// Tests     tests/lockstep
`default_nettype none

module lpu_row #(
  parameter Cols     = 10,
  parameter Lines    = 1,
  parameter Depth    = ($clog2(Cols) + 1) / 2,
  parameter AccBits  = 32,
  parameter AddrBits = 3
) (
  input  wire                      clk_i,

  // Tile
  input  wire                      row_en_i,
  input  wire        [Cols-1:0]    row_nz_i,
  input  wire        [Cols-1:0]    row_neg_i,
  input  wire                      column_en_i,
  input  wire        [Cols-1:0]    column_mask_i,
  input  wire        [Lines-1:0]   column_nz_i,
  input  wire        [Lines-1:0]   column_neg_i,
  input  wire                      copy_i,
  input  wire                      copy_row_i,  // the tile has this row
  input  wire        [Cols-1:0]    copy_mask_i, // and these columns

  // Vectors
  input  wire        [8*Cols-1:0]  x_i,         // signed bytes
  input  wire        [Depth:0]     pipe_i,

  // Accumulators
  input  wire        [AddrBits-1:0] acc_addr_i,
  input  wire        [1:0]         acc_op_i,
  input  wire        [AddrBits-1:0] read_addr_i,
  output wire        [AccBits-1:0] read_data_o
);

  localparam SumBits = 8 + 2 * Depth;

  wire [Cols-1:0]    nz, neg;
  wire [SumBits-1:0] sum;
  wire               carry;

  lpu_tile #(.Cols(Cols), .Lines(Lines)) u_tile (
    .clk_i         (clk_i),
    .row_en_i      (row_en_i),
    .row_nz_i      (row_nz_i),
    .row_neg_i     (row_neg_i),
    .column_en_i   (column_en_i),
    .column_mask_i (column_mask_i),
    .column_nz_i   (column_nz_i),
    .column_neg_i  (column_neg_i),
    .copy_i        (copy_i),
    .copy_mask_i   (copy_mask_i & {Cols{copy_row_i}}),
    .nz_o          (nz),
    .neg_o         (neg)
  );

  lpu_dot #(.Cols(Cols)) u_dot (
    .clk_i   (clk_i),
    .en_i    (pipe_i[Depth-1:0]),
    .x_i     (x_i),
    .nz_i    (nz),
    .neg_i   (neg),
    .sum_o   (sum),
    .carry_o (carry)
  );

  lpu_accum #(.SumBits(SumBits), .AccBits(AccBits), .AddrBits(AddrBits)) u_accum (
    .clk_i       (clk_i),
    .en_i        (pipe_i[Depth]),
    .addr_i      (acc_addr_i),
    .op_i        (acc_op_i),
    .sum_i       (sum),
    .carry_i     (carry),
    .read_addr_i (read_addr_i),
    .read_data_o (read_data_o)
  );

endmodule

`default_nettype wire
