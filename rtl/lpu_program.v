// Program memory: instructions of 512 bits in sixteen banks of a word, each a RAM with one port for
// writing and one for reading.
//
// Timing    read_data_o is of the address of the last cycle with read_i, from the next cycle on
// Widths    Depth is a power of two
// Model     sim/program.h: the words of an instruction
// Tests     tests/top/sequencer_test.sh
`default_nettype none

module lpu_program #(
  parameter Depth    = 1024,
  parameter AddrBits = $clog2(Depth)
) (
  input  wire                clk_i,

  input  wire                write_i,
  input  wire [AddrBits-1:0] write_addr_i,
  input  wire [3:0]          write_word_i,      // of the instruction
  input  wire [31:0]         write_data_i,

  input  wire                read_i,
  input  wire [AddrBits-1:0] read_addr_i,
  output wire [511:0]        read_data_o
);

  genvar w;

  generate
    for (w = 0; w < 16; w = w + 1) begin : gen_word
      localparam [31:0] Index = w;

      reg [31:0] ram [0:Depth-1];
      reg [31:0] read_q;

      always @(posedge clk_i) begin
        if (write_i && write_word_i == Index[3:0]) ram[write_addr_i] <= write_data_i;
        if (read_i) read_q <= ram[read_addr_i];
      end
      assign read_data_o[32*w +: 32] = read_q;
    end
  endgenerate

endmodule

`default_nettype wire
