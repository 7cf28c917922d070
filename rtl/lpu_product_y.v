// Writer of sums: where each beat of the drain goes, and when a product has ended.
//
//   row block of rows from `block`    beat b of pass (i, j) goes to element
//                                     block + i d_stride + j n + b VectorLanes
//
// Timing    a beat is written in the cycle in which the array offers it; done_o with the last one
// Widths    addresses wrap at 32 bits; rows beyond the product are not written
// Model     sim/unit_tiles.c: lpu_tiles_drained; sim/exec_product.c: product_init
// Tests     tests/top/product_test.sh
`default_nettype none

module lpu_product_y #(
  parameter Rows        = 8,
  parameter PassesMax   = 4,
  parameter VectorLanes = 8,
  parameter SideBits    = 22,
  parameter PassBits    = $clog2(PassesMax + 1),
  parameter SumBytes    = 4 * VectorLanes,
  parameter SumBits     = $clog2(SumBytes + 1)
) (
  input  wire                  clk_i,
  input  wire                  rst_ni,          // active low; asserts asynchronously

  // The oldest product
  input  wire [31:0]           base_i,
  input  wire [31:0]           stride_i,
  input  wire [PassBits-1:0]   m_i,
  input  wire [PassBits-1:0]   m_inner_i,
  input  wire [SideBits-1:0]   n_i,
  output wire                  done_o,

  // Array
  input  wire                  y_valid_i,
  input  wire [8*SumBytes-1:0] y_data_i,

  // Scratchpad
  output wire                  y_wvalid_o,
  output wire [31:0]           y_waddr_o,
  output wire [SumBits-1:0]    y_wbytes_o,
  output wire [8*SumBytes-1:0] y_wdata_o
);

  localparam [31:0]         RowsNumber  = Rows;
  localparam [31:0]         LanesNumber = VectorLanes;
  localparam [31:0]         BytesNumber = SumBytes;
  localparam [PassBits-1:0] One         = 1;

  reg  [SideBits-1:0] block_q;                  // first row of the block
  reg  [SideBits-1:0] beat_q;                   // first row of the beat
  reg  [PassBits-1:0] pass_q, inner_q;
  reg  [31:0]         outer_q, row_q, at_q;     // elements: row (i, 0), the row, the beat

  wire [SideBits-1:0] next_block = block_q + RowsNumber[SideBits-1:0];
  wire [SideBits-1:0] next_beat  = beat_q + LanesNumber[SideBits-1:0];
  wire [SideBits-1:0] rows_left  = n_i - beat_q;
  wire                last_block = next_block >= n_i;
  wire                is_cut     = rows_left < LanesNumber[SideBits-1:0];
  wire                last_beat  = next_beat >= n_i || next_beat == next_block;
  wire                last_pass  = pass_q + One == m_i;
  wire                last_inner = inner_q + One >= m_inner_i;
  wire [31:0]         next_outer = outer_q + stride_i;
  wire [31:0]         next_row   = row_q + {{(32-SideBits){1'b0}}, n_i};

  assign done_o     = y_valid_i && last_beat && last_pass && last_block;
  assign y_wvalid_o = y_valid_i;
  assign y_waddr_o  = base_i + {at_q[29:0], 2'b00};
  assign y_wbytes_o = is_cut ? {rows_left[SumBits-3:0], 2'b00} : BytesNumber[SumBits-1:0];
  assign y_wdata_o  = y_data_i;

  // Rows of a block are VectorLanes a beat; a pass ends with the block's last row.
  wire [SideBits-1:0] start = !last_pass ? block_q : last_block ? {SideBits{1'b0}} : next_block;
  wire [31:0]         start_at = {{(32-SideBits){1'b0}}, start};

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      block_q <= {SideBits{1'b0}};
      beat_q  <= {SideBits{1'b0}};
      pass_q  <= {PassBits{1'b0}};
      inner_q <= {PassBits{1'b0}};
      outer_q <= 32'd0;
      row_q   <= 32'd0;
      at_q    <= 32'd0;
    end else if (y_valid_i && !last_beat) begin
      beat_q <= next_beat;
      at_q   <= at_q + LanesNumber;
    end else if (y_valid_i) begin
      beat_q  <= start;
      block_q <= start;
      pass_q  <= last_pass ? {PassBits{1'b0}} : pass_q + One;
      inner_q <= last_pass || last_inner ? {PassBits{1'b0}} : inner_q + One;
      if (last_pass)       outer_q <= start_at;
      else if (last_inner) outer_q <= next_outer;
      row_q <= last_pass ? start_at : last_inner ? next_outer : next_row;
      at_q  <= last_pass ? start_at : last_inner ? next_outer : next_row;
    end
  end

endmodule

`default_nettype wire
