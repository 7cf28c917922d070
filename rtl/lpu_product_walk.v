// Walk over the tiles of a product: row block > plane > k tile, with the cut that the instruction has.
//
//   rows of a tile      k tile t of tiles_i has lines of line_bytes_i bytes, the first more_i of one more
//   columns of a tile   every Cols tokens are a k tile; lines of line_bytes_i, more_i in the last block
//
// Timing    outputs are of the present tile, from registers and from the product's fields; step_i
//           goes on to the next one, and behind the last one to the first
// Widths    SideBits holds any n and k; a line has LineBytes at most
// Model     sim/unit_tiles.c: describe, step_product; sim/exec_product.c for the columns of a tile
// Tests     tests/top/product_test.sh
`default_nettype none

module lpu_product_walk #(
  parameter Rows       = 8,
  parameter Cols       = 10,
  parameter Code       = 0,                     // 0 base-3, 1 two bits, 2 one bit
  parameter SideBits   = 22,
  parameter LineDigits = Rows > Cols ? Rows : Cols,
  parameter Digits     = Code == 0 ? 5 : Code == 1 ? 4 : 8,
  parameter LineBytes  = (LineDigits + Digits - 1) / Digits,
  parameter LineBits   = $clog2(LineBytes + 1),
  parameter RowBits    = $clog2(Rows + 1),
  parameter ColBits    = $clog2(Cols + 1)
) (
  input  wire                clk_i,
  input  wire                rst_ni,            // active low; asserts asynchronously

  // Product
  input  wire [SideBits-1:0] n_i,
  input  wire [SideBits-1:0] k_i,
  input  wire [2:0]          planes_i,
  input  wire                column_i,
  input  wire [LineBits-1:0] line_bytes_i,
  input  wire [SideBits-1:0] more_i,
  input  wire [SideBits-1:0] tiles_i,

  // Present tile
  input  wire                step_i,
  output wire [RowBits-1:0]  rows_o,            // of its row block
  output wire [ColBits-1:0]  elems_o,           // columns of its k tile
  output wire [LineBits-1:0] line_bytes_o,
  output wire [SideBits-1:0] next_first_o,      // first column of the next tile
  output wire                first_tile_o,
  output wire                first_plane_o,
  output wire                last_tile_o,
  output wire                last_plane_o,
  output wire                last_block_o
);

  localparam StepBits = LineBits + 3;           // digits of a line
  localparam [31:0]         RowsNumber = Rows;
  localparam [31:0]         ColsNumber = Cols;
  localparam [SideBits-1:0] One        = 1;

  reg  [SideBits-1:0] row_q;                    // first row of the block
  reg  [SideBits-1:0] tile_q;
  reg  [SideBits-1:0] first_q;                  // first column of the tile
  reg  [2:0]          plane_q;

  ////////////////
  // Row blocks //
  ////////////////

  wire [SideBits-1:0] rows_left = n_i - row_q;

  assign last_block_o = rows_left <= RowsNumber[SideBits-1:0];
  assign rows_o       = last_block_o ? rows_left[RowBits-1:0] : RowsNumber[RowBits-1:0];

  /////////////
  // k tiles //
  /////////////

  localparam [LineBits-1:0] OneByte = 1;

  wire [LineBits-1:0] row_bytes = tile_q < more_i ? line_bytes_i + OneByte : line_bytes_i;
  wire [StepBits-1:0] row_digits;
  wire [SideBits-1:0] digits    = column_i ? ColsNumber[SideBits-1:0]
                                           : {{(SideBits-StepBits){1'b0}}, row_digits};
  wire [SideBits-1:0] cols_left = k_i - first_q;
  wire                is_cut    = cols_left < digits;

  generate
    if (Code == 0) begin : gen_five
      assign row_digits = {1'b0, row_bytes, 2'b00} + {3'b000, row_bytes};
    end else if (Code == 1) begin : gen_four
      assign row_digits = {1'b0, row_bytes, 2'b00};
    end else begin : gen_eight
      assign row_digits = {row_bytes, 3'b000};
    end
  endgenerate

  assign line_bytes_o = !column_i ? row_bytes : last_block_o ? more_i[LineBits-1:0] : line_bytes_i;
  assign elems_o      = is_cut ? cols_left[ColBits-1:0] : digits[ColBits-1:0];

  assign first_tile_o  = tile_q == {SideBits{1'b0}};
  assign last_tile_o   = tile_q + One >= tiles_i;
  assign first_plane_o = plane_q == 3'd0;
  assign last_plane_o  = {1'b0, plane_q} + 4'd1 >= {1'b0, planes_i};
  assign next_first_o  = last_tile_o ? {SideBits{1'b0}} : first_q + digits;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      row_q   <= {SideBits{1'b0}};
      tile_q  <= {SideBits{1'b0}};
      first_q <= {SideBits{1'b0}};
      plane_q <= 3'd0;
    end else if (step_i) begin
      first_q <= next_first_o;
      tile_q  <= last_tile_o ? {SideBits{1'b0}} : tile_q + One;
      if (last_tile_o) begin
        plane_q <= last_plane_o ? 3'd0 : plane_q + 3'd1;
        if (last_plane_o) begin
          row_q <= last_block_o ? {SideBits{1'b0}} : row_q + RowsNumber[SideBits-1:0];
        end
      end
    end
  end

endmodule

`default_nettype wire
