// A small array by hand: three tiles (clear, add, Horner), two vectors each, and what must come out.
//
// Every digit of tile t is w(t), every activation of pass p is x(p), so row sums are 10 w x; the
// bank ends at 3 (10 w0 x + 10 w1 x) + 10 w2 x. Then a tile of one column, and an illegal byte.
`default_nettype none
`timescale 1ns/1ns

module lpu_array_tb;

  reg          clk_i, rst_ni, cmd_valid, w_valid, x_valid, y_ready, cmd_column, cmd_last;
  reg  [3:0]   cmd_lines, cmd_rows;
  reg  [2:0]   cmd_passes;
  reg  [1:0]   cmd_accum;
  reg  [15:0]  w_data;
  reg  [79:0]  x_data;
  wire         cmd_ready, w_ready, x_ready, y_valid, idle, ev_illegal;
  wire [2:0]   state;
  wire [127:0] y_data;
  wire [6:0]   adds, skips;
  integer      failures, checks, illegals, k;

  lpu_array u_array (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .cmd_valid_i(cmd_valid), .cmd_ready_o(cmd_ready), .cmd_lines_i(cmd_lines), .cmd_rows_i(cmd_rows),
    .cmd_passes_i(cmd_passes), .cmd_accum_i(cmd_accum), .cmd_column_i(cmd_column), .cmd_last_i(cmd_last),
    .w_valid_i(w_valid), .w_ready_o(w_ready), .w_data_i(w_data),
    .x_valid_i(x_valid), .x_ready_o(x_ready), .x_data_i(x_data),
    .y_valid_o(y_valid), .y_ready_i(y_ready), .y_data_o(y_data),
    .idle_o(idle), .state_o(state), .ev_illegal_o(ev_illegal),
    .ev_lane_adds_o(adds), .ev_lane_skips_o(skips));

  always #5 clk_i = !clk_i;
  always @(negedge clk_i) if (rst_ni && ev_illegal) illegals = illegals + 1;

  task check;
    input integer found, expected;
    begin
      checks = checks + 1;
      if (found !== expected) begin
        failures = failures + 1;
        $display("# check %0d: %0d, expected %0d", checks, found, expected);
      end
    end
  endtask

  task send_cmd;
    input [3:0] lines;
    input [2:0] passes;
    input [1:0] accum;
    input       column, last;
    begin
      @(negedge clk_i);
      cmd_lines = lines; cmd_rows = 8; cmd_passes = passes; cmd_accum = accum;
      cmd_column = column; cmd_last = last; cmd_valid = 1;
      while (!cmd_ready) @(negedge clk_i);
      @(negedge clk_i) cmd_valid = 0;
    end
  endtask

  task send_beats;
    input integer count;
    input [15:0]  data;
    integer       n;
    begin
      @(negedge clk_i);
      w_data = data; w_valid = 1;
      for (n = 0; n < count; n = n + 1) begin
        while (!w_ready) @(negedge clk_i);
        @(negedge clk_i);
      end
      w_valid = 0;
    end
  endtask

  task send_x;
    input signed [7:0] value;
    begin
      @(negedge clk_i);
      x_data = {10{value}}; x_valid = 1;
      while (!x_ready) @(negedge clk_i);
      @(negedge clk_i) x_valid = 0;
    end
  endtask

  task expect_y;
    input integer expected;
    integer       lane;
    begin
      while (!y_valid) @(negedge clk_i);
      for (lane = 0; lane < 4; lane = lane + 1) check($signed(y_data[32*lane +: 32]), expected);
      y_ready = 1;
      @(negedge clk_i) y_ready = 0;
    end
  endtask

  initial begin
    clk_i = 0; rst_ni = 0; cmd_valid = 0; w_valid = 0; x_valid = 0; y_ready = 0;
    failures = 0; checks = 0; illegals = 0;
    #12 rst_ni = 1;
    @(negedge clk_i) check(idle, 1);

    fork
      begin
        send_cmd(8, 2, 2'd0, 0, 0);
        send_cmd(8, 2, 2'd1, 0, 0);
        send_cmd(8, 2, 2'd2, 0, 1);
        send_cmd(1, 1, 2'd0, 1, 1);
        send_cmd(8, 1, 2'd0, 0, 1);
      end
      begin
        send_beats(8, {8'd242, 8'd242});        // all +1
        send_beats(8, {8'd242, 8'd242});
        send_beats(8, {8'd0, 8'd0});            // all -1
        send_beats(1, {8'd242, 8'd0});          // one column: rows 0..4 are -1, rows 5..7 are +1
        send_beats(8, {8'd243, 8'd242});        // columns 5..9 illegal: zeros
      end
      begin
        for (k = 0; k < 3; k = k + 1) begin
          send_x(-128);
          send_x(127);
        end
        send_x(-128);
        send_x(11);
      end
      begin
        expect_y(-6400); expect_y(-6400);       // 3 (-1280 - 1280) + 1280
        expect_y(6350);  expect_y(6350);
        while (!y_valid) @(negedge clk_i);      // only column 0 counts: -(-128), then -128 from row 5
        for (k = 0; k < 4; k = k + 1) check($signed(y_data[32*k +: 32]), 128);
        y_ready = 1;
        @(negedge clk_i);
        while (!y_valid) @(negedge clk_i);
        check($signed(y_data[31:0]), 128);
        for (k = 1; k < 4; k = k + 1) check($signed(y_data[32*k +: 32]), -128);
        @(negedge clk_i) y_ready = 0;
        expect_y(55); expect_y(55);
      end
    join
    check(illegals, 8);
    @(negedge clk_i) check(idle, 1);
    if (failures == 0) $display("ok      lpu_array: %0d checks by hand", checks);
    else               $display("not ok  lpu_array: %0d of %0d checks", failures, checks);
    $finish;
  end

  initial begin
    #100000 $display("not ok  lpu_array: no end after 10000 cycles");
    $finish;
  end

endmodule
