// Queue of four words, any width: one in and one out in every cycle, with a registered ready.
//
// Timing    a word taken in cycle t is at out_data_o from t + 1 if it is the oldest
// Widths    Bits is any
// Model     sim/unit_tiles.c: cmds[]
// Tests     tests/top/product_test.sh
`default_nettype none

module lpu_product_queue #(
  parameter Bits = 8
) (
  input  wire            clk_i,
  input  wire            rst_ni,                // active low; asserts asynchronously

  // Words in
  input  wire            in_valid_i,
  output wire            in_ready_o,
  input  wire [Bits-1:0] in_data_i,

  // Words out
  output wire            out_valid_o,
  input  wire            out_ready_i,
  output wire [Bits-1:0] out_data_o
);

  reg  [Bits-1:0] word_q [0:3];
  reg  [1:0]      first_q;
  reg  [2:0]      count_q;

  wire            take = in_valid_i && in_ready_o;
  wire            give = out_valid_o && out_ready_i;
  wire [1:0]      free = first_q + count_q[1:0];

  assign in_ready_o  = !count_q[2];
  assign out_valid_o = count_q != 3'd0;
  assign out_data_o  = word_q[first_q];

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_q <= 2'd0;
      count_q <= 3'd0;
    end else begin
      first_q <= first_q + {1'b0, give};
      count_q <= count_q + {2'b00, take} - {2'b00, give};
    end
  end

  // Data needs no reset: count_q says what is valid.
  always @(posedge clk_i) if (take) word_q[free] <= in_data_i;

endmodule

`default_nettype wire
