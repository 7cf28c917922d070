// Reader of activations: the vectors of all tiles of all products, one ahead of the array.
//
//   tile of k columns from `first`    vector p = (i, j) lies at base + first + i a_stride + j k
//
// Timing    the vector after the one that the array takes in cycle t is read in t and is there in t + 1;
//           the first of a product is read in the first cycle in which valid_i shows it, at least three
//           before the array can ask. So the array never waits.
// Widths    addresses wrap at 32 bits; columns beyond the tile are zeros
// Model     sim/unit_tiles.c has vectors always ready; sim/exec_product.c: product_init
// Tests     tests/top/product_test.sh
`default_nettype none
`include "lpu_assert.vh"

module lpu_product_x #(
  parameter Rows       = 8,
  parameter Cols       = 10,
  parameter PassesMax  = 4,
  parameter Code       = 0,
  parameter SideBits   = 22,
  parameter LineDigits = Rows > Cols ? Rows : Cols,
  parameter Digits     = Code == 0 ? 5 : Code == 1 ? 4 : 8,
  parameter LineBytes  = (LineDigits + Digits - 1) / Digits,
  parameter LineBits   = $clog2(LineBytes + 1),
  parameter PassBits   = $clog2(PassesMax + 1)
) (
  input  wire                clk_i,
  input  wire                rst_ni,            // active low; asserts asynchronously

  // The oldest product whose vectors are not all read
  input  wire                valid_i,
  input  wire [31:0]         base_i,
  input  wire [31:0]         stride_i,
  input  wire [PassBits-1:0] m_i,
  input  wire [PassBits-1:0] m_inner_i,
  input  wire [SideBits-1:0] n_i,
  input  wire [SideBits-1:0] k_i,
  input  wire [2:0]          planes_i,
  input  wire                column_i,
  input  wire [LineBits-1:0] line_bytes_i,
  input  wire [SideBits-1:0] more_i,
  input  wire [SideBits-1:0] tiles_i,
  output wire                done_o,            // its last vector is being read

  // Scratchpad
  output wire                x_ren_o,
  output wire [31:0]         x_raddr_o,
  input  wire [8*Cols-1:0]   x_rdata_i,

  // Array
  output wire                x_valid_o,
  input  wire                x_ready_i,
  output wire [8*Cols-1:0]   x_data_o
);

  localparam ColBits = $clog2(Cols + 1);
  localparam RowBits = $clog2(Rows + 1);
  localparam [PassBits-1:0] One = 1;

  reg                 have_q;                   // the scratchpad shows the next vector
  reg  [PassBits-1:0] pass_q, inner_q;
  reg  [31:0]         outer_q, row_q;           // of row (i, 0) and of the row, from base_i on
  reg  [Cols-1:0]     mask_q;                   // columns that the vector shown has

  wire [RowBits-1:0]  unused_rows;
  wire [LineBits-1:0] unused_line_bytes;
  wire                unused_first_tile, unused_first_plane;
  wire [ColBits-1:0]  elems;
  wire [SideBits-1:0] next_first;
  wire                last_tile, last_plane, last_block;

  wire                read       = valid_i && (!have_q || x_ready_i);
  wire                last_pass  = pass_q + One == m_i;
  wire                last_inner = inner_q + One >= m_inner_i;

  lpu_product_walk #(.Rows(Rows), .Cols(Cols), .Code(Code), .SideBits(SideBits)) u_walk (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .n_i           (n_i),
    .k_i           (k_i),
    .planes_i      (planes_i),
    .column_i      (column_i),
    .line_bytes_i  (line_bytes_i),
    .more_i        (more_i),
    .tiles_i       (tiles_i),
    .step_i        (read && last_pass),
    .rows_o        (unused_rows),
    .elems_o       (elems),
    .line_bytes_o  (unused_line_bytes),
    .next_first_o  (next_first),
    .first_tile_o  (unused_first_tile),
    .first_plane_o (unused_first_plane),
    .last_tile_o   (last_tile),
    .last_plane_o  (last_plane),
    .last_block_o  (last_block)
  );

  assign done_o    = read && last_pass && last_tile && last_plane && last_block;
  assign x_ren_o   = read;
  assign x_raddr_o = base_i + row_q;
  assign x_valid_o = have_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      have_q  <= 1'b0;
      pass_q  <= {PassBits{1'b0}};
      inner_q <= {PassBits{1'b0}};
      outer_q <= 32'd0;
      row_q   <= 32'd0;
    end else begin
      have_q <= read || (have_q && !x_ready_i);
      if (read) begin
        pass_q  <= last_pass ? {PassBits{1'b0}} : pass_q + One;
        inner_q <= last_pass || last_inner ? {PassBits{1'b0}} : inner_q + One;
        if (last_pass) begin
          outer_q <= {{(32-SideBits){1'b0}}, next_first};
          row_q   <= {{(32-SideBits){1'b0}}, next_first};
        end else if (last_inner) begin
          outer_q <= outer_q + stride_i;
          row_q   <= outer_q + stride_i;
        end else begin
          row_q   <= row_q + {{(32-SideBits){1'b0}}, k_i};
        end
      end
    end
  end

  //////////
  // Mask //
  //////////

  genvar c;

  generate
    for (c = 0; c < Cols; c = c + 1) begin : gen_column
      localparam [31:0] Index = c;
      // Data needs no reset: have_q says what is valid.
      always @(posedge clk_i) if (read) mask_q[c] <= Index[ColBits-1:0] < elems;
      assign x_data_o[8*c +: 8] = x_rdata_i[8*c +: 8] & {8{mask_q[c]}};
    end
  endgenerate

  wire unused = &{1'b0, unused_rows, unused_line_bytes, unused_first_tile, unused_first_plane};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(array_never_waits, !x_ready_i || have_q)

endmodule

`default_nettype wire
