// One byte-wide column of the stream FIFO: one write port, one read port. The file to swap for a
// memory of the technology.
//
// Timing    a byte read in cycle t is at read_data_o from t + 1 until the next read; a read of the
//           row that is written in the same cycle gives either byte
// Widths    Rows is a power of two, 2 at least
// Model     none: memory
// Tests     tests/top/stream_test.sh
`default_nettype none

module lpu_fifo_ram #(
  parameter Rows    = 64,
  parameter RowBits = $clog2(Rows)
) (
  input  wire               clk_i,
  input  wire               write_i,
  input  wire [RowBits-1:0] write_row_i,
  input  wire [7:0]         write_data_i,
  input  wire               read_i,
  input  wire [RowBits-1:0] read_row_i,
  output reg  [7:0]         read_data_o
);

  reg [7:0] bytes_q [0:Rows-1];

  always @(posedge clk_i) begin
    if (write_i) bytes_q[write_row_i] <= write_data_i;
    if (read_i)  read_data_o <= bytes_q[read_row_i];
  end

endmodule

`default_nettype wire
