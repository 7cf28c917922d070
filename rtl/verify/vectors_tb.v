// Testbench for the files beside it: gives the streams to the array TOP, compares every sum.
//
//   -DTOP=NAME   the module (lpu_array)        +gaps=SEED   streams stall at random
`default_nettype none
`timescale 1ns/1ns
`ifndef TOP
  `define TOP lpu_array
`endif

module tb;

  `include "config.vh"

  localparam LineDigits = Rows > Cols ? Rows : Cols;
  localparam Digits     = Code == 0 ? 5 : Code == 1 ? 4 : 8;
  localparam LineBytes  = (LineDigits + Digits - 1) / Digits;
  localparam LineBits   = $clog2(LineDigits + 1);
  localparam RowBits    = $clog2(Rows + 1);
  localparam PassBits   = $clog2(PassesMax + 1);
  localparam BoundClocks = 10000 + 16 * Rows * Cols;

  reg [63:0]                  cmds    [0:Cmds-1];
  reg [8*LineBytes*Lines-1:0] beats   [0:Beats-1];
  reg [8*Cols-1:0]            vectors [0:Vectors-1];
  reg [32*OutLanes+15:0]      sums    [0:Sums-1];

  reg     clk_i, rst_ni, cmd_valid, w_valid, x_valid, y_ready, has_gaps;
  wire    cmd_ready, w_ready, x_ready, y_valid, idle;
  wire [32*OutLanes-1:0] y_data;
  integer cmd, beat, vector, sum, seed, still, lane, clocks;

  // A word that is offered stays until it is taken; behind the last one there is nothing.
  wire [63:0] command = cmds[cmd < Cmds ? cmd : 0];

  `TOP #(
    .Rows(Rows), .Cols(Cols), .Lines(Lines), .PassesMax(PassesMax), .OutLanes(OutLanes), .Code(Code)
  ) u_array (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .cmd_valid_i(cmd_valid), .cmd_ready_o(cmd_ready), .cmd_lines_i(command[48 +: LineBits]),
    .cmd_rows_i(command[32 +: RowBits]), .cmd_passes_i(command[16 +: PassBits]),
    .cmd_accum_i(command[9:8]), .cmd_column_i(command[4]), .cmd_last_i(command[0]),
    .w_valid_i(w_valid), .w_ready_o(w_ready), .w_data_i(beats[beat < Beats ? beat : 0]),
    .x_valid_i(x_valid), .x_ready_o(x_ready), .x_data_i(vectors[vector < Vectors ? vector : 0]),
    .y_valid_o(y_valid), .y_ready_i(y_ready), .y_data_o(y_data), .idle_o(idle));

  always #5 clk_i = !clk_i;

  // Whether a stream is offered or taken in this cycle.
  function dice;
    input unused;
    dice = !has_gaps || $random(seed) % 3 == 0;
  endfunction

  task give_up;
    begin
      $display("not ok  vectors: stopped at beat %0d of %0d, clock %0d", sum, Sums, clocks);
      $stop;
      $finish;
    end
  endtask

  task compare;
    for (lane = 0; lane < sums[sum][32*OutLanes +: 16]; lane = lane + 1)
      if (y_data[32*lane +: 32] !== sums[sum][32*lane +: 32]) begin
        $display("# beat %0d, lane %0d: expected %0d, found %0d", sum, lane,
                 $signed(sums[sum][32*lane +: 32]), $signed(y_data[32*lane +: 32]));
        give_up;
      end
  endtask

  initial begin
    $readmemh("cmd.hex", cmds);
    $readmemh("w.hex", beats);
    $readmemh("x.hex", vectors);
    $readmemh("y.hex", sums);
    has_gaps = $value$plusargs("gaps=%d", seed) != 0;
    cmd = 0; beat = 0; vector = 0; sum = 0; still = 0; clocks = 0;
    cmd_valid = 0; w_valid = 0; x_valid = 0; y_ready = 0;
    clk_i = 0; rst_ni = 1;
    #1 rst_ni = 0;
    #12 rst_ni = 1;
    @(negedge clk_i);
    while (sum < Sums || !idle) begin
      cmd_valid = cmd < Cmds && (cmd_valid || dice(0));
      w_valid   = beat < Beats && (w_valid || dice(0));
      x_valid   = vector < Vectors && (x_valid || dice(0));
      y_ready   = dice(0);
      #4;                                       // just before the edge: what moves in this cycle
      still = still + 1;
      if (still > BoundClocks) give_up;
      if (y_valid && sum >= Sums) give_up;
      if (y_valid && y_ready) compare;
      if (cmd_valid && cmd_ready || w_valid && w_ready || x_valid && x_ready || y_valid && y_ready)
        still = 0;
      take(cmd_valid && cmd_ready, w_valid && w_ready, x_valid && x_ready, y_valid && y_ready);
    end
    $display("ok      vectors: %0d beats of sums in %0d clocks%0s", Sums, clocks,
             has_gaps ? ", with gaps" : "");
    $finish;
  end

  // The edge, then the streams move on.
  task take;
    input is_cmd, is_w, is_x, is_y;
    begin
      @(negedge clk_i);
      clocks = clocks + 1;
      if (is_cmd) begin cmd = cmd + 1; cmd_valid = 0; end
      if (is_w)   begin beat = beat + 1; w_valid = 0; end
      if (is_x)   begin vector = vector + 1; x_valid = 0; end
      if (is_y)   sum = sum + 1;
    end
  endtask

endmodule

`default_nettype wire
