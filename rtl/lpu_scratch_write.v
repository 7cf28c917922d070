// A write port of the scratchpad: bytes at any address, turned to the columns that hold them.
//
//   address A     row A / W of the columns from A % W on, row A / W + 1 of those before
//
// Timing    none: combinational
// Widths    W = 2^ColBits columns; Bytes of data, of which the first bytes_i are written
// Model     sim/exec.c: the scratchpad as an array of bytes
// Tests     tests/top/scratch_test.sh
`default_nettype none

module lpu_scratch_write #(
  parameter Bytes     = 8,
  parameter ColBits   = 3,
  parameter RowBits   = 8,
  parameter BytesBits = $clog2(Bytes + 1),
  parameter W         = 1 << ColBits
) (
  input  wire                   valid_i,
  input  wire [31:0]            addr_i,
  input  wire [BytesBits-1:0]   bytes_i,
  input  wire [8*Bytes-1:0]     data_i,

  // To the columns
  output wire [W-1:0]           we_o,
  output wire [W*RowBits-1:0]   row_o,
  output wire [8*W-1:0]         data_o
);

  localparam [RowBits-1:0] OneRow = 1;

  wire [ColBits-1:0]   col  = addr_i[ColBits-1:0];
  wire [RowBits-1:0]   row  = addr_i[ColBits +: RowBits];
  wire [RowBits-1:0]   next = row + OneRow;
  wire [W-1:0]         mask;
  wire [8*W-1:0]       data;
  wire [W-1:0]         unused_mask;
  wire [8*W-1:0]       unused_data;
  genvar c;

  // Turned left by col: byte c of the result is byte (c - col) mod W.
  assign {we_o, unused_mask}   = {mask, mask} << col;
  assign {data_o, unused_data} = {data, data} << {col, 3'b000};

  generate
    for (c = 0; c < W; c = c + 1) begin : gen_column
      localparam [31:0] Index = c;

      if (c < Bytes) begin : gen_byte
        assign mask[c]        = valid_i && Index[BytesBits-1:0] < bytes_i;
        assign data[8*c +: 8] = data_i[8*c +: 8];
      end else begin : gen_none
        assign mask[c]        = 1'b0;
        assign data[8*c +: 8] = 8'd0;
      end
      assign row_o[c*RowBits +: RowBits] = {1'b0, col} > Index[ColBits:0] ? next : row;
    end
  endgenerate

  wire unused = &{1'b0, addr_i[31:ColBits+RowBits], unused_mask, unused_data};

endmodule

`default_nettype wire
