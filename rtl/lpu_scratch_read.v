// A read port of the scratchpad: Bytes bytes from any address, turned back from their columns.
//
// Timing    address in cycle t, data from t + 1 until the next read
// Widths    W = 2^ColBits columns, Bytes <= W; see rtl/lpu_scratch_write.v for the rows
// Model     sim/exec.c: the scratchpad as an array of bytes
// Tests     tests/top/scratch_test.sh
`default_nettype none

module lpu_scratch_read #(
  parameter Bytes   = 8,
  parameter ColBits = 3,
  parameter RowBits = 8,
  parameter W       = 1 << ColBits
) (
  input  wire                 clk_i,
  input  wire                 ren_i,
  input  wire [31:0]          addr_i,
  output wire [8*Bytes-1:0]   data_o,

  // The columns
  output wire [W*RowBits-1:0] row_o,
  input  wire [8*W-1:0]       data_i
);

  localparam [RowBits-1:0] OneRow = 1;

  wire [ColBits-1:0] col  = addr_i[ColBits-1:0];
  wire [RowBits-1:0] row  = addr_i[ColBits +: RowBits];
  wire [RowBits-1:0] next = row + OneRow;
  reg  [ColBits-1:0] col_q;
  wire [16*W-8*Bytes-1:0] unused_data;
  genvar c;

  // Data needs no reset: nobody looks before the first read.
  always @(posedge clk_i) if (ren_i) col_q <= col;

  assign {unused_data, data_o} = {data_i, data_i} >> {col_q, 3'b000};

  generate
    for (c = 0; c < W; c = c + 1) begin : gen_column
      localparam [31:0] Index = c;
      assign row_o[c*RowBits +: RowBits] = {1'b0, col} > Index[ColBits:0] ? next : row;
    end
  endgenerate

  wire unused = &{1'b0, addr_i[31:ColBits+RowBits], unused_data};

endmodule

`default_nettype wire
