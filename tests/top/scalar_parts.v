// What scalar_lockstep.cc drives: lpu_scalar, and its parts at the widths of the vector unit.
`default_nettype none

module scalar_parts (
  input  wire        clk_i,
  input  wire        rst_ni,

  input  wire        start_i,
  input  wire [2:0]  job_i,
  input  wire [31:0] a_i,
  input  wire [63:0] sum_i,
  input  wire [21:0] n_i,
  input  wire [6:0]  limit_i,
  input  wire [15:0] x_i,
  input  wire [31:0] s1_i,
  input  wire [31:0] s2_i,
  output wire        done_o,
  output wire [5:0]  bits_o,
  output wire [24:0] r_o,
  output wire [31:0] s_o,

  input  wire [63:0] u_i,                       // norm(u, x), of 64 and of 40 bits
  output wire [31:0] norm_o,
  output wire [6:0]  norm_bits_o,
  output wire [63:0] norm_word_o,
  output wire [31:0] norm40_o,

  input  wire        en_i,
  input  wire [31:0] fa_i,                      // factors
  input  wire [24:0] fb_i,
  output wire [48:0] product_o,                 // of fa and 17 bits of fb, combinational
  output wire [56:0] product_q1_o,              // of fa and fb, one register
  output wire [56:0] product_q5_o               // and five
);

  lpu_scalar u_scalar (
    .clk_i(clk_i), .rst_ni(rst_ni), .start_i(start_i), .job_i(job_i), .a_i(a_i), .sum_i(sum_i),
    .n_i(n_i), .limit_i(limit_i), .x_i(x_i), .s1_i(s1_i), .s2_i(s2_i), .done_o(done_o),
    .bits_o(bits_o), .r_o(r_o), .s_o(s_o));

  lpu_scale_norm u_norm (
    .u_i(u_i), .e_i(x_i), .m_o(norm_o[15:0]), .e_o(norm_o[31:16]), .bits_o(norm_bits_o),
    .word_o(norm_word_o));

  wire [5:0]  norm40_bits;
  wire [39:0] norm40_word;

  lpu_scale_norm #(.UBits(40)) u_norm40 (
    .u_i(u_i[39:0]), .e_i(x_i), .m_o(norm40_o[15:0]), .e_o(norm40_o[31:16]),
    .bits_o(norm40_bits), .word_o(norm40_word));

  lpu_shift_add #(.ABits(32), .BBits(17)) u_product (
    .clk_i(clk_i), .en_i(en_i), .a_i(fa_i), .b_i(fb_i[16:0]), .p_o(product_o));
  lpu_shift_add #(.ABits(32), .BBits(25), .Stages(1)) u_product_q1 (
    .clk_i(clk_i), .en_i(en_i), .a_i(fa_i), .b_i(fb_i), .p_o(product_q1_o));
  lpu_shift_add #(.ABits(32), .BBits(25), .Stages(5)) u_product_q5 (
    .clk_i(clk_i), .en_i(en_i), .a_i(fa_i), .b_i(fb_i), .p_o(product_q5_o));

  wire unused = &{1'b0, norm40_bits, norm40_word};

endmodule

`default_nettype wire
