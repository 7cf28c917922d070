// Dot products of every shape of tree from 4 to 17 lanes, extremes and random, a vector per cycle.
`default_nettype none
`timescale 1ns/1ns

module lpu_dot_tb;

  reg     clk_i;
  integer done, failures, checks;

  always #5 clk_i = !clk_i;

  initial begin
    clk_i = 0; done = 0; failures = 0; checks = 0;
  end

  genvar n;
  generate
    for (n = 4; n <= 17; n = n + 1) begin : gen_cols
      localparam Depth = ($clog2(n) + 1) / 2;
      localparam Bits  = 8 + 2 * Depth;

      reg  [8*n-1:0]   x;
      reg  [n-1:0]     nz, neg;
      wire signed [Bits-1:0] sum;
      wire             carry;
      integer          expected [0:7];
      integer          cycle, k, seed;

      lpu_dot #(.Cols(n)) u_dot (
        .clk_i(clk_i), .en_i({Depth{1'b1}}), .x_i(x), .nz_i(nz), .neg_i(neg), .sum_o(sum), .carry_o(carry));

      initial begin
        seed = n;
        for (cycle = 0; cycle < 300; cycle = cycle + 1) begin
          @(negedge clk_i);
          if (cycle > Depth) begin
            checks = checks + 1;
            if (sum + $signed({1'b0, carry}) !== expected[(cycle - Depth) % 8]) begin
              failures = failures + 1;
              if (failures < 10) $display("# %0d lanes, cycle %0d: %0d + %0d, expected %0d", n, cycle,
                                          sum, carry, expected[(cycle - Depth) % 8]);
            end
          end
          expected[cycle % 8] = 0;
          for (k = 0; k < n; k = k + 1) begin
            x[8*k +: 8] = cycle < 4 ? 8'h80 : cycle < 6 ? 8'h7f : $random(seed);
            nz[k]       = cycle < 6 ? cycle != 3 : $random(seed);
            neg[k]      = nz[k] && (cycle < 6 ? cycle % 2 == 0 : $random(seed));
            if (nz[k]) expected[cycle % 8] = neg[k] ? expected[cycle % 8] - $signed(x[8*k +: 8])
                                                    : expected[cycle % 8] + $signed(x[8*k +: 8]);
          end
        end
        done = done + 1;
        if (done == 14) begin
          if (failures == 0) $display("ok      lpu_dot: %0d sums of 4 to 17 lanes", checks);
          else               $display("not ok  lpu_dot: %0d of %0d sums", failures, checks);
          $finish;
        end
      end
    end
  endgenerate

endmodule
