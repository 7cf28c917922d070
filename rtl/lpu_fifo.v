// FIFO memory of the stream engine: bytes are written to their places in any order, a few at once,
// and read in order, a few at once.
//
//   place     0   1   2   3        Width columns; an access of several bytes begins in any column
//             4   5   6   7        and goes on in the next row
//
// Timing    bytes written in cycle t can be taken from t + 1 on; bytes taken in cycle t are at data_o
//           in t + 1, the first one lowest, until the next take
// Widths    FifoBytes is a power of two, at least twice the powers of two above WriteBytes and FillBytes
// Model     none in sim, where only the number of bytes counts; the bench holds every byte
// Tests     tests/top/stream_test.sh
`default_nettype none

module lpu_fifo #(
  parameter FifoBytes  = 4096,
  parameter WriteBytes = 8,
  parameter FillBytes  = 2,
  parameter PlaceBits  = $clog2(FifoBytes),
  parameter CountBits  = $clog2(WriteBytes + 1),
  parameter TakeBits   = $clog2(FillBytes + 1)
) (
  input  wire                    clk_i,
  input  wire                    rst_ni,        // active low; asserts asynchronously

  input  wire                    write_i,
  input  wire [PlaceBits-1:0]    place_i,       // of the first byte
  input  wire [CountBits-1:0]    bytes_i,
  input  wire [8*WriteBytes-1:0] data_i,

  input  wire [TakeBits-1:0]     take_i,        // bytes
  output wire [8*FillBytes-1:0]  data_o
);

  localparam Widest   = WriteBytes > FillBytes ? WriteBytes : FillBytes;
  localparam LowBits  = Widest > 2 ? $clog2(Widest) : 1;
  localparam Width    = 1 << LowBits;
  localparam RowBits  = PlaceBits - LowBits;

  reg  [PlaceBits-1:0] first_q;                 // place of the next byte to take
  reg  [LowBits-1:0]   low_q;                   // column of the first byte that was taken

  wire [LowBits-1:0]     write_low = place_i[LowBits-1:0];
  wire [LowBits-1:0]     read_low  = first_q[LowBits-1:0];
  wire [RowBits-1:0]     write_row = place_i[PlaceBits-1:LowBits];
  wire [RowBits-1:0]     read_row  = first_q[PlaceBits-1:LowBits];

  wire                   is_taken  = take_i != {TakeBits{1'b0}};
  wire [8*Width-1:0]     columns;               // as they were read
  wire [16*Width-1:0]    padded    = {{(8*(2*Width-WriteBytes)){1'b0}}, data_i} << {write_low, 3'd0};
  wire [8*Width-1:0]     turned    = padded[8*Width +: 8*Width] | padded[0 +: 8*Width];
  wire [16*Width-1:0]    unturned  = {columns, columns} >> {low_q, 3'd0};

  assign data_o = unturned[8*FillBytes-1:0];

  genvar c;
  generate
    for (c = 0; c < Width; c = c + 1) begin : gen_column
      localparam [31:0] Column = c;
      // Which byte of the access it is; a borrow where the access goes on in the next row.
      wire [LowBits:0] write_at = {1'b0, Column[LowBits-1:0]} - {1'b0, write_low};
      wire [LowBits:0] read_at  = {1'b0, Column[LowBits-1:0]} - {1'b0, read_low};
      wire             unused   = &{1'b0, read_at[LowBits-1:0]};

      lpu_fifo_ram #(.Rows(1 << RowBits)) u_ram (
        .clk_i        (clk_i),
        .write_i      (write_i && {{CountBits{1'b0}}, write_at[LowBits-1:0]} <
                                    {{LowBits{1'b0}}, bytes_i}),
        .write_row_i  (write_row + {{(RowBits-1){1'b0}}, write_at[LowBits]}),
        .write_data_i (turned[8*c +: 8]),
        .read_i       (is_taken),
        .read_row_i   (read_row + {{(RowBits-1){1'b0}}, read_at[LowBits]}),
        .read_data_o  (columns[8*c +: 8])
      );
    end
  endgenerate

  wire [PlaceBits+TakeBits-1:0] take_wide = {{PlaceBits{1'b0}}, take_i};
  wire [PlaceBits-1:0]          first_d   = first_q + take_wide[PlaceBits-1:0];

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_q <= {PlaceBits{1'b0}};
      low_q   <= {LowBits{1'b0}};
    end else if (is_taken) begin
      first_q <= first_d;
      low_q   <= read_low;
    end
  end

  wire unused = &{1'b0, unturned[16*Width-1:8*FillBytes], take_wide[PlaceBits+TakeBits-1:PlaceBits]};

endmodule

`default_nettype wire
