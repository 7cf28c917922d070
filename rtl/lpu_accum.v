// Accumulators of one row: two banks of PassesMax words, read, added to and written in one cycle.
//
//   op 0  acc = sum          op 1  acc = acc + sum          op 2  acc = 3 acc + sum, 3 acc = (acc << 1) + acc
//
// Timing    the word is new one cycle after en_i, so that the next vector may use the same word.
// Widths    AccBits >= 8 + $clog2 of all terms that are ever added; it wraps beyond.
// Model     sim/unit_array.c: values.acc, pass_values
// Tests     tests/lockstep
`default_nettype none

module lpu_accum #(
  parameter SumBits  = 12,
  parameter AccBits  = 32,
  parameter AddrBits = 3                        // bank, pass
) (
  input  wire                      clk_i,

  // Add
  input  wire                      en_i,
  input  wire        [AddrBits-1:0] addr_i,
  input  wire        [1:0]         op_i,        // 0 clear, 1 add, 2 Horner
  input  wire        [SumBits-1:0] sum_i,       // signed
  input  wire                      carry_i,

  // Read, for the drain
  input  wire        [AddrBits-1:0] read_addr_i,
  output wire        [AccBits-1:0] read_data_o
);

  reg  [AccBits-1:0] acc_q [0:(1<<AddrBits)-1];

  wire [AccBits-1:0] old    = acc_q[addr_i];
  wire [AccBits-1:0] once   = op_i == 2'd0 ? {AccBits{1'b0}} : old;
  wire [AccBits-1:0] twice  = op_i == 2'd2 ? {old[AccBits-2:0], 1'b0} : {AccBits{1'b0}};
  wire [AccBits-1:0] base   = once + twice;
  wire [AccBits-1:0] sum    = {{(AccBits-SumBits){sum_i[SumBits-1]}}, sum_i};

  assign read_data_o = acc_q[read_addr_i];

  // Data needs no reset: the first tile of a bank clears.
  always @(posedge clk_i) begin
    if (en_i) acc_q[addr_i] <= base + sum + {{(AccBits-1){1'b0}}, carry_i};
  end

endmodule

`default_nettype wire
