// Scalar unit: what the vector unit needs once per row, by digit recurrences of two bits a cycle.
//
//   QUANT  r = R(a, limit)   s = div(norm(a, x), norm(limit, 0))
//   RMS                      s = norm(root(mean of squares + eps)), section 4 steps 2 and 3
//   NORMQ  r = R(a, 127)     s = div(norm(a, x), mul(norm(127, 0), s1))
//   MUL                      s = mul(s1, s2)
//   PROB   r = R(a, 127)     s = div(div(norm(a, x), norm(127, 0)), norm(sum, -24))
//
// R(a, H) = floor(H 2^(bits(a)+16) / a), 0 where a is 0; the sections are those of
// workloads/arithmetic.md. A scale is {e, m}: m in the lower 16 bits.
//
// Three engines. The long divider makes R, and the mean: restoring, 32-bit divisor. The short one
// makes quotients of mantissas, and the root: restoring, 18 digits. The third is norm: whatever is
// to become a scale, or to be moved up to its highest one, goes through it, once per cycle.
//
// Timing    start_i in cycle t, done_o from cycle t + LPU_SCALAR_<job>_CYCLES (lpu_scalar.vh) until
//           the next start. The operands are read with start_i. A start drops what is under way.
// Widths    R: with a' = a 2^(32-bits(a)), R = floor(limit 2^48 / a') <= limit 2^17 < 2^24, 24 digits
//           from the remainder limit 2^24 < 2^31 <= a'. Exact.
//           Quotient of mantissas: floor(ma 2^24 / mb) of 24 or 25 bits is rounded to 16; norm reads
//           17 bits of it from the top, so that floor(ma 2^17 / mb), 18 digits, gives the same scale.
//           Mean: sum <= n 2^32 (|z| <= 2^16), so floor(sum 2^8 / n) <= 2^40: 42 digits, exact, from
//           the remainder sum 2^8 / 2^42 <= n / 4. With eps <= 2^61, V < 2^62.
//           Root: V 4^k of 61 or 62 bits has a root of 31; norm reads 17 of them; the upper 36 bits
//           of V 4^k give the upper 18 bits of the root. The remainder is at most twice the root.
//           Exponents are exact modulo 2^16, as the int16 of a scale is.
// Model     sim/functional.c: lpu_functional_quant, dequant_scale, rms_of, lpu_functional_mul
// Tests     tests/top/scalar_test.sh
`default_nettype none
`include "lpu_assert.vh"
`include "lpu_scalar.vh"

module lpu_scalar (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Job
  input  wire                      start_i,
  input  wire        [2:0]         job_i,       // LPU_SCALAR_...
  input  wire        [31:0]        a_i,         // maximum of magnitudes
  input  wire        [63:0]        sum_i,       // of squares, at most n 2^32; of exponentials
  input  wire        [21:0]        n_i,         // elements, not 0
  input  wire        [6:0]         limit_i,     // of QUANT
  input  wire        [15:0]        x_i,         // signed exponent of a; of RMS: of a square's root
  input  wire        [31:0]        s1_i,        // scale; of RMS: eps; of NORMQ: the rms
  input  wire        [31:0]        s2_i,        // scale

  // Result
  output wire                      done_o,
  output wire        [5:0]         bits_o,      // bit length of a
  output wire        [24:0]        r_o,
  output wire        [31:0]        s_o          // scale
);

  localparam [3:0] StateIdle = 4'd0;
  localparam [3:0] StateSum  = 4'd1;            // PROB: norm(sum)
  localparam [3:0] StateTop  = 4'd2;            // norm(a): the numerator, and R's divisor
  localparam [3:0] StateDen  = 4'd3;            // NORMQ: norm(127 m): the divisor
  localparam [3:0] StateDiv  = 4'd4;            // digits of the quotient of mantissas
  localparam [3:0] StateNext = 4'd5;            // PROB: the quotient is the next numerator
  localparam [3:0] StateMean = 4'd6;            // RMS: digits of the mean
  localparam [3:0] StateAdd  = 4'd7;            // RMS: V = mean + eps
  localparam [3:0] StateRad  = 4'd8;            // RMS: V 4^k
  localparam [3:0] StateRoot = 4'd9;            // RMS: digits of the root
  localparam [3:0] StateMul  = 4'd10;           // MUL: the product
  localparam [3:0] StateEnd  = 4'd11;           // norm of the result, behind the last digit of R

  localparam [4:0] RSteps    = 5'd12;           // 24 digits
  localparam [4:0] MeanSteps = 5'd21;           // 42
  localparam [3:0] Steps     = 4'd9;            // 18, of a quotient or a root

  reg  [3:0]  state_q, steps_q;
  reg  [2:0]  job_q;
  reg         done_q;
  reg         first_q;                          // the first of PROB's two quotients
  reg  [63:0] u_q;                              // what norm is to read
  reg  [15:0] x_q, e_q;                         // exponents: of the numerator, of the result
  reg  [6:0]  limit_q;
  reg  [15:0] m1_q, m2_q;                       // factors
  reg  [17:0] amount_q;                         // signed: 16 + the shift of eps
  reg  [31:0] sum_q;                            // norm(sum)
  reg  [5:0]  bits_q;
  reg  [31:0] s_q;

  wire is_rms   = job_q == `LPU_SCALAR_RMS;
  wire is_normq = job_q == `LPU_SCALAR_NORMQ;
  wire is_mul   = job_q == `LPU_SCALAR_MUL;
  wire is_prob  = job_q == `LPU_SCALAR_PROB;

  ///////////////////////////////////
  // The long divider: R, the mean //
  ///////////////////////////////////

  reg  [31:0] long_den_q;                       // PROB: holds a until norm has read the sum
  reg  [31:0] long_rem_q;
  reg  [41:0] long_q;                           // dividend, from the top; quotient, from below
  reg  [4:0]  long_steps_q;
  wire        long_is_last = long_steps_q <= 5'd1;
  genvar      i;

  generate
    for (i = 0; i < 2; i = i + 1) begin : gen_long
      wire [31:0] rem;
      wire [32:0] taken = {rem, long_q[41-i]};
      wire [33:0] trial = {1'b0, taken} - {2'b00, long_den_q};
      wire        digit = !trial[33];
      wire [31:0] left  = digit ? trial[31:0] : taken[31:0];

      if (i == 0) begin : gen_first
        assign rem = long_rem_q;
      end else begin : gen_second
        assign rem = gen_long[0].left;
      end
    end
  endgenerate

  /////////////////////////////////////////////////
  // The short divider: quotients, and the roots //
  /////////////////////////////////////////////////

  reg  [15:0] den_q;                            // mantissa; 0 where the divisor is
  reg  [18:0] rem_q;
  reg         next_q;                           // last bit of the numerator
  reg  [17:0] quot_q;
  wire        is_root = state_q == StateRoot;

  generate
    for (i = 0; i < 2; i = i + 1) begin : gen_short
      wire [18:0] rem;
      wire [17:0] quot;
      wire        numerator = i == 0 ? next_q : 1'b0;
      wire [20:0] taken = is_root ? {rem, long_q[41-2*i], long_q[40-2*i]} : {1'b0, rem, numerator};
      wire [19:0] by    = is_root ? {quot, 2'b01} : {4'd0, den_q};
      wire [21:0] trial = {1'b0, taken} - {2'b00, by};
      wire        digit = !trial[21];
      wire [18:0] left  = digit ? trial[18:0] : taken[18:0];

      if (i == 0) begin : gen_first
        assign rem  = rem_q;
        assign quot = quot_q;
      end else begin : gen_second
        assign rem  = gen_short[0].left;
        assign quot = {quot_q[16:0], gen_short[0].digit};
      end
    end
  endgenerate

  wire [17:0] quot_d = {gen_short[1].quot[16:0], gen_short[1].digit};

  //////////
  // norm //
  //////////

  wire        is_quotient = state_q == StateNext || (state_q == StateEnd && !is_mul);
  wire        by_zero     = !is_rms && !den_q[15];
  wire [17:0] quotient    = by_zero ? 18'd0 : quot_q;
  wire [63:0] norm_u      = is_quotient ? {46'd0, quotient} : u_q;
  wire [15:0] norm_e_in   = state_q == StateSum ? 16'd0 - 16'd24 : state_q == StateTop ? x_q : e_q;
  wire [15:0] norm_m, norm_e;
  wire [6:0]  norm_bits;
  wire [63:0] norm_word;

  lpu_scale_norm #(.UBits(64)) u_norm (
    .u_i(norm_u), .e_i(norm_e_in), .m_o(norm_m), .e_o(norm_e), .bits_o(norm_bits),
    .word_o(norm_word));

  // norm(limit, 0) of 7 bits, exact: the mantissa is limit_m 2^9. With 2 limit for u, nothing rounds.
  wire [6:0]  limit_m;
  wire [15:0] limit_e;
  wire [3:0]  limit_bits;
  wire [7:0]  limit_word;

  lpu_scale_norm #(.UBits(8), .MBits(7)) u_limit (
    .u_i({limit_q, 1'b0}), .e_i(16'd0 - 16'd10), .m_o(limit_m), .e_o(limit_e),
    .bits_o(limit_bits), .word_o(limit_word));

  // Exponent of a quotient with 17 digits behind the point.
  wire [15:0] left_e  = state_q == StateDen ? x_q : norm_e;
  wire [15:0] right_e = state_q == StateDen  ? norm_e :
                        state_q == StateNext ? sum_q[31:16] : limit_e;
  wire [15:0] quot_e  = left_e - right_e - 16'd17;

  // V 4^k, k = (62 - bits) / 2: an even number of bits, of which the upper 36 count.
  wire [35:0] radicand = norm_bits[0] ? {1'b0, norm_word[63:29]} : norm_word[63:28];
  wire [6:0]  spare    = 7'd62 - norm_bits;     // 2 k or 2 k + 1
  wire [15:0] root_e   = x_q + 16'd9 - {10'd0, spare[6:1]}; // x - 4 - k, + 13: 18 bits of 31

  //////////////////////
  // Products and eps //
  //////////////////////

  wire [33:0] product;

  lpu_shift_add #(.ABits(17), .BBits(17)) u_product (
    .clk_i(clk_i), .en_i(1'b1), .a_i({1'b0, m1_q}), .b_i({1'b0, m2_q}), .p_o(product));

  // min(2^61, floor(m 2^(amount - 16))): 16 digits behind the point, which are dropped.
  wire [76:0] eps_wide  = {61'd0, m1_q} << amount_q[5:0];
  wire        eps_small = amount_q[17];
  wire        eps_large = amount_q[16:0] > 17'd61;
  wire [61:0] eps_term  = eps_small ? 62'd0 :
                          eps_large ? {m1_q != 16'd0, 61'd0} : {1'b0, eps_wide[76:16]};

  /////////////
  // Control //
  /////////////

  wire last_step = steps_q == 4'd1;
  wire is_end    = state_q == StateEnd && long_is_last;
  reg  [3:0] first_state, state_d;

  always @* begin
    case (job_i)
      `LPU_SCALAR_QUANT, `LPU_SCALAR_NORMQ: first_state = StateTop;
      `LPU_SCALAR_RMS:                      first_state = StateMean;
      `LPU_SCALAR_PROB:                     first_state = StateSum;
      default:                              first_state = StateMul;
    endcase
    case (state_q)
      StateSum:  state_d = StateTop;
      StateTop:  state_d = is_normq ? StateDen : StateDiv;
      StateDen:  state_d = StateDiv;
      StateDiv:  state_d = !last_step ? StateDiv : is_prob && first_q ? StateNext : StateEnd;
      StateNext: state_d = StateDiv;
      StateMean: state_d = long_is_last ? StateAdd : StateMean;
      StateAdd:  state_d = StateRad;
      StateRad:  state_d = StateRoot;
      StateRoot: state_d = last_step ? StateEnd : StateRoot;
      StateMul:  state_d = StateEnd;
      StateEnd:  state_d = is_end ? StateIdle : StateEnd;
      default:   state_d = StateIdle;
    endcase
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StateIdle;
      done_q  <= 1'b0;
    end else begin
      state_q <= start_i ? first_state : state_d;
      if (start_i) done_q <= 1'b0;
      else if (is_end) done_q <= 1'b1;
    end
  end

  // Data needs no reset: nothing is read that the state has not had written.
  always @(posedge clk_i) begin
    if (start_i) begin
      job_q    <= job_i;
      x_q      <= x_i;
      limit_q  <= job_i == `LPU_SCALAR_QUANT ? limit_i : 7'd127;
      u_q      <= job_i == `LPU_SCALAR_PROB ? sum_i : {32'd0, a_i};
      e_q      <= job_i == `LPU_SCALAR_MUL ? s1_i[31:16] + s2_i[31:16] : s1_i[31:16];
      m1_q     <= s1_i[15:0];
      m2_q     <= job_i == `LPU_SCALAR_MUL ? s2_i[15:0] : 16'd127;
      amount_q <= {{2{s1_i[31]}}, s1_i[31:16]} - {x_i[15], x_i, 1'b0} + 18'd24;
    end else begin
      case (state_q)
        StateSum:  u_q <= {32'd0, long_den_q};
        StateTop:  u_q <= {32'd0, product[31:0]};
        StateMul:  u_q <= {32'd0, product[31:0]};
        StateMean: u_q <= {2'd0, eps_term};
        StateAdd:  u_q <= u_q + {22'd0, long_q};
        default: ;
      endcase
      case (state_q)
        StateTop:  if (!is_normq) e_q <= quot_e; // there it is the divisor's, still to be read
        StateDen:  e_q <= quot_e;
        StateNext: e_q <= quot_e;
        StateRad:  e_q <= root_e;
        default: ;
      endcase
      if (state_q == StateSum) sum_q <= {norm_e, norm_m};
      if (state_q == StateTop) begin
        x_q    <= norm_e;
        bits_q <= norm_bits[5:0];
      end
      if (is_end) s_q <= {norm_e, norm_m};
    end
  end

  // The long divider runs as soon as it is loaded, beside the rest.
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni)                      long_steps_q <= 5'd0;
    else if (start_i)                 long_steps_q <= job_i == `LPU_SCALAR_RMS ? MeanSteps : 5'd0;
    else if (state_q == StateTop)     long_steps_q <= RSteps;
    else if (long_steps_q != 5'd0)    long_steps_q <= long_steps_q - 5'd1;
  end

  always @(posedge clk_i) begin
    if (start_i) begin
      long_den_q <= job_i == `LPU_SCALAR_RMS ? {10'd0, n_i} : a_i;
      long_rem_q <= {2'd0, sum_i[63:34]};
      long_q     <= {sum_i[33:0], 8'd0};
    end else if (state_q == StateTop) begin
      long_den_q <= norm_word[63:32];
      long_rem_q <= {1'b0, limit_q, 24'd0};
      long_q     <= 42'd0;
    end else if (long_steps_q != 5'd0) begin
      long_rem_q <= gen_long[1].left;
      long_q     <= {long_q[39:0], gen_long[0].digit, gen_long[1].digit};
    end else if (state_q == StateRad) begin
      long_q     <= {radicand, 6'd0};
    end else if (is_root) begin
      long_q     <= {long_q[37:0], 4'd0};
    end
  end

  always @(posedge clk_i) begin
    case (state_q)
      StateTop, StateNext: begin
        rem_q   <= {4'd0, norm_m[15:1]};
        next_q  <= norm_m[0];
        quot_q  <= 18'd0;
        den_q   <= state_q == StateTop ? {limit_m, 9'd0} : sum_q[15:0];
        steps_q <= Steps;
        first_q <= state_q == StateTop;
      end
      StateDen: den_q <= norm_m;
      StateRad: begin
        rem_q   <= 19'd0;
        quot_q  <= 18'd0;
        steps_q <= Steps;
      end
      StateDiv, StateRoot: begin
        rem_q   <= gen_short[1].left;
        next_q  <= 1'b0;
        quot_q  <= quot_d;
        steps_q <= steps_q - 4'd1;
      end
      default: ;
    endcase
  end

  assign done_o = done_q;
  assign bits_o = bits_q;
  assign r_o    = long_den_q[31] ? long_q[24:0] : 25'd0; // the divisor's top bit is 0 where a is 0
  assign s_o    = s_q;

  wire unused = &{1'b0, norm_bits[6], norm_word[27:0], limit_bits, limit_word, spare[0],
                  product[33:32], eps_wide[15:0], gen_long[0].taken[32], gen_long[1].taken[32],
                  gen_long[0].trial[32], gen_long[1].trial[32], gen_short[0].taken[20:19],
                  gen_short[1].taken[20:19], gen_short[0].trial[20:19], gen_short[1].trial[20:19],
                  gen_short[0].quot[17], gen_short[1].quot[17], quot_q[17]};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(job_is_known, !start_i || job_i <= `LPU_SCALAR_PROB)
  `LPU_ASSERT(mean_fits, !start_i || job_i != `LPU_SCALAR_RMS ||
                         (n_i != 22'd0 && sum_i <= {10'd0, n_i, 32'd0}))

endmodule

`default_nettype wire
