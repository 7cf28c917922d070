// Queue of two: takes one word and gives one word in every cycle, with a registered ready.
//
// Timing    a word taken in cycle t is at out_data_o from t + 1; in_ready_o depends on no input.
// Widths    Bits is any.
// Model     sim/unit_array.c: cmd[], values.beats.
// Tests     tests/rtl/lpu_queue_tb.v, tests/lockstep
`default_nettype none
`include "lpu_assert.vh"

module lpu_queue #(
  parameter Bits = 8
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Words in
  input  wire                      in_valid_i,
  output wire                      in_ready_o,
  input  wire        [Bits-1:0]    in_data_i,

  // Words out
  output wire                      out_valid_o,
  input  wire                      out_ready_i,
  output wire        [Bits-1:0]    out_data_o
);

  reg  [1:0]      count_q;
  reg             first_q;                      // slot of the oldest word
  reg  [Bits-1:0] slot0_q, slot1_q;

  wire            take = in_valid_i && in_ready_o;
  wire            give = out_valid_o && out_ready_i;
  wire            free = first_q ^ count_q[0];  // slot of the next word

  assign in_ready_o  = !count_q[1];
  assign out_valid_o = count_q != 2'd0;
  assign out_data_o  = first_q ? slot1_q : slot0_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q <= 2'd0;
      first_q <= 1'b0;
    end else begin
      count_q <= count_q + {1'b0, take} - {1'b0, give};
      if (give) first_q <= !first_q;
    end
  end

  // Data needs no reset: count_q says what is valid.
  always @(posedge clk_i) begin
    if (take && !free) slot0_q <= in_data_i;
    if (take &&  free) slot1_q <= in_data_i;
  end

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(never_over_full, count_q != 2'd3)

endmodule

`default_nettype wire
