// Walk: addresses of rows (i, j), base + i outer + j inner, one after another.
//
// Timing    addr_o is the present row's; step_i goes to the next one with the clock.
// Widths    addresses are modulo 2^32.
// Model     sim/exec_vector.c: row_a, row_dst
// Tests     tests/top/vector_test.sh
`default_nettype none

module lpu_vector_walk (
  input  wire                      clk_i,

  input  wire                      load_i,      // begins at base
  input  wire        [31:0]        base_i,
  input  wire        [31:0]        inner_i,     // held while the rows are walked
  input  wire        [31:0]        outer_i,
  input  wire                      linear_i,    // inner alone, past every end

  input  wire                      step_i,
  input  wire                      wrap_i,      // the present j is the last one
  output wire        [31:0]        addr_o
);

  reg  [31:0] addr_q, outer_q;
  wire [31:0] next_outer = outer_q + outer_i;
  wire        is_wrap    = wrap_i && !linear_i;

  assign addr_o = addr_q;

  // Data needs no reset: it is loaded before it is used.
  always @(posedge clk_i) begin
    if (load_i) begin
      addr_q  <= base_i;
      outer_q <= base_i;
    end else if (step_i) begin
      addr_q <= is_wrap ? next_outer : addr_q + inner_i;
      if (is_wrap) outer_q <= next_outer;
    end
  end

endmodule

`default_nettype wire
