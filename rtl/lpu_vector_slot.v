// Slot: what is known of one row of a block. Reductions come in from the lanes; when a pass has ended
// a job of the scalar unit makes of them what the next pass needs.
//
//   beats' maxima, sums -> mid late sum -> [job, [job]] -> ratio places scale sh -> ready
//
// Timing    what the last beat of a pass brings is in mid, late or sum when end_q is set; the slot is
//           ready one cycle after that, or after its jobs are done.
// Widths    late is biased by 2^31; exponents are modulo 2^16.
// Model     sim/functional.c
// Tests     tests/top/vector_test.sh
`default_nettype none
`include "lpu_assert.vh"
`include "lpu_scalar.vh"
`include "lpu_vector.vh"

module lpu_vector_slot #(
  parameter PosBits = 22
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Row
  input  wire                      busy_i,      // a pass of the row has been issued: not ready
  output reg                       ready_q,
  input  wire                      load_i,      // in_i is the row's scale or exponent
  input  wire        [31:0]        in_i,

  // Reductions: a beat of this slot. end: the pass's last beat, of a pass that ends here
  input  wire                      mid_i,
  input  wire                      mid_first_i,
  input  wire        [31:0]        mid_data_i,
  input  wire                      mid_end_i,
  input  wire                      sum_i,
  input  wire                      sum_first_i,
  input  wire        [63:0]        sum_data_i,
  input  wire                      late_i,
  input  wire                      late_first_i,
  input  wire        [31:0]        late_data_i,
  input  wire        [PosBits-1:0] late_pos_i,
  input  wire                      late_end_i,
  input  wire        [2:0]         mid_job_i,   // LPU_END_...
  input  wire        [2:0]         late_job_i,
  input  wire                      mid_pass_0_i,
  input  wire                      late_pass_0_i,

  // Operation
  input  wire                      is_gate_i,
  input  wire                      is_plain_i,  // the row's exponent is -16, not in_i
  input  wire        [15:0]        gain_e_i,
  input  wire        [21:0]        n_i,
  input  wire        [6:0]         limit_i,
  input  wire        [31:0]        eps_i,
  input  wire        [31:0]        score_scale_i,

  // Row, as the lanes need it
  output reg         [31:0]        in_q,
  output reg         [31:0]        mid_q,
  output reg         [31:0]        late_q,
  output reg         [PosBits-1:0] late_pos_q,
  output reg         [4:0]         sh0_q,
  output reg         [4:0]         sh1_q,
  output reg         [24:0]        ratio_q,
  output reg         [5:0]         places_q,    // bits of the maximum, and 16
  output reg         [31:0]        scale_q
);

  reg  [63:0] sum_q;
  reg         end_q, is_late_q, is_pass_0_q, running_q, is_second_q;
  reg  [2:0]  job_q;

  ////////////////
  // Reductions //
  ////////////////

  // Data needs no reset: the first beat of a pass overwrites it.
  always @(posedge clk_i) begin
    if (load_i) in_q <= in_i;
    if (mid_i && (mid_first_i || mid_data_i > mid_q)) mid_q <= mid_data_i;
    if (sum_i) sum_q <= (sum_first_i ? 64'd0 : sum_q) + sum_data_i;
    if (late_i && (late_first_i || late_data_i > late_q)) begin
      late_q     <= late_data_i;
      late_pos_q <= late_pos_i;
    end
    if (mid_end_i || late_end_i) begin
      job_q       <= late_end_i ? late_job_i : mid_job_i;
      is_late_q   <= late_end_i;
      is_pass_0_q <= late_end_i ? late_pass_0_i : mid_pass_0_i;
    end
  end

  ////////////
  // Shifts //
  ////////////

  function [5:0] bits_of;
    input [31:0] u;
    integer      i;
    begin
      bits_of = 6'd0;
      for (i = 0; i < 32; i = i + 1)
        if (u[i]) bits_of = i[5:0] + 6'd1;
    end
  endfunction

  wire [31:0] late      = {!late_q[31], late_q[30:0]};
  wire [5:0]  bits      = bits_of(is_late_q ? late : mid_q);
  wire [5:0]  kept      = is_gate_i ? 6'd15 : 6'd16;
  wire [5:0]  spare     = bits > kept ? bits - kept : 6'd0;

  always @(posedge clk_i) begin
    if (end_q && is_pass_0_q)  sh0_q <= spare[4:0];
    if (end_q && !is_pass_0_q) sh1_q <= spare[4:0];
  end

  //////////
  // Jobs //
  //////////

  wire [15:0] ex     = is_plain_i ? 16'hfff0 : in_q[15:0];
  wire [15:0] ev     = {!mid_q[15], mid_q[14:0]};
  wire        is_job = job_q != `LPU_END_NONE;
  wire        done;
  wire        go_on  = running_q && done && job_q == `LPU_END_NORM && !is_second_q;
  wire        start  = end_q && is_job || is_second_q && !running_q;
  wire [5:0]  job_bits;
  wire [24:0] ratio;
  wire [31:0] scale;
  reg  [2:0]  job;
  reg  [15:0] x;

  always @* begin
    case (job_q)
      `LPU_END_NORM: begin
        job = is_second_q ? `LPU_SCALAR_NORMQ : `LPU_SCALAR_RMS;
        x   = is_second_q ? ex + gain_e_i + 16'd15 : ex + {11'd0, sh0_q};
      end
      `LPU_END_MUL: begin
        job = `LPU_SCALAR_MUL;
        x   = ex;
      end
      `LPU_END_PROB: begin
        job = `LPU_SCALAR_PROB;
        x   = ev - 16'd8;
      end
      default: begin
        job = `LPU_SCALAR_QUANT;
        x   = ex;
      end
    endcase
  end

  lpu_scalar u_scalar (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .start_i (start),
    .job_i   (job),
    .a_i     (job_q == `LPU_END_PROB ? late : mid_q),
    .sum_i   (sum_q),
    .n_i     (n_i),
    .limit_i (limit_i),
    .x_i     (x),
    .s1_i    (job_q == `LPU_END_MUL ? in_q : is_second_q ? scale_q : eps_i),
    .s2_i    (score_scale_i),
    .done_o  (done),
    .bits_o  (job_bits),
    .r_o     (ratio),
    .s_o     (scale)
  );

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      end_q       <= 1'b0;
      running_q   <= 1'b0;
      is_second_q <= 1'b0;
      ready_q     <= 1'b0;
    end else begin
      end_q <= mid_end_i || late_end_i;
      if (start) running_q <= 1'b1;
      else if (done) running_q <= 1'b0;
      if (go_on) is_second_q <= 1'b1;
      else if (running_q && done) is_second_q <= 1'b0;
      if (busy_i) ready_q <= 1'b0;
      else if (end_q && !is_job || running_q && done && !go_on) ready_q <= 1'b1;
    end
  end

  always @(posedge clk_i) begin
    if (running_q && done) begin
      scale_q <= scale;
      if (job_q != `LPU_END_MUL && !go_on) begin
        ratio_q  <= ratio;
        places_q <= job_bits + 6'd16;
      end
    end
  end

  wire unused = &{1'b0, spare[5]};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(one_job_at_a_time, !(end_q && running_q))
  `LPU_ASSERT(one_end_at_a_time, !(mid_end_i && late_end_i))

endmodule

`default_nettype wire
