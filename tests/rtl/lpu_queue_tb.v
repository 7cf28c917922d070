// The queue of two: order kept under random stalls, full rate without them.
`default_nettype none
`timescale 1ns/1ns

module lpu_queue_tb;

  reg         clk_i, rst_ni, in_valid, out_ready;
  wire        in_ready, out_valid;
  reg  [15:0] sent, received;
  wire [15:0] out_data;
  integer     cycle, failures, seed, taken_in_full_rate;

  lpu_queue #(.Bits(16)) u_queue (
    .clk_i(clk_i), .rst_ni(rst_ni), .in_valid_i(in_valid), .in_ready_o(in_ready), .in_data_i(sent),
    .out_valid_o(out_valid), .out_ready_i(out_ready), .out_data_o(out_data));

  always #5 clk_i = !clk_i;

  initial begin
    clk_i = 0; rst_ni = 0; in_valid = 0; out_ready = 0; sent = 0; received = 0;
    failures = 0; seed = 7; taken_in_full_rate = 0;
    #12 rst_ni = 1;
    for (cycle = 0; cycle < 4000; cycle = cycle + 1) begin
      @(negedge clk_i);
      in_valid  = cycle < 2000 ? $random(seed) : 1;
      out_ready = cycle < 2000 ? $random(seed) : 1;
      #1;
      if (out_valid && out_ready) begin
        if (out_data !== received) failures = failures + 1;
        received = received + 1;
      end
      if (in_valid && in_ready && cycle >= 2100) taken_in_full_rate = taken_in_full_rate + 1;
      if (sent - received > 2) failures = failures + 1;
      @(posedge clk_i) #1;
      if (in_valid && u_queue.take === 1'bx) failures = failures + 1;
    end
    if (taken_in_full_rate != 1900) failures = failures + 1;
    if (failures == 0 && received > 2500) $display("ok      lpu_queue: %0d words in order, full rate", received);
    else $display("not ok  lpu_queue: %0d failures, %0d words, %0d of 1900 at full rate", failures, received, taken_in_full_rate);
    $finish;
  end

  // The word taken at this edge is replaced by the next one.
  always @(posedge clk_i) if (rst_ni && in_valid && in_ready) sent <= #1 sent + 1;

endmodule
