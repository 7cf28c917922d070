// norm(u, e) of workloads/arithmetic.md, section 2: an unsigned integer becomes a scale, m 2^e.
//
// u is moved left until its highest one is at the top; the upper MBits are m, and the bit below them
// rounds half up.
//
// Timing    combinational.
// Widths    m is exact: the bits below the rounding bit cannot change it. Where m and the rounding bit
//           are all ones, m becomes 2^(MBits-1) and e one more. e is exact modulo 2^EBits, as the
//           int16 of a scale is.
// Model     sim/functional.c, lpu_functional_norm
// Tests     tests/formal/scale_norm_test.sh, tests/top/scalar_test.sh
`default_nettype none

module lpu_scale_norm #(
  parameter UBits    = 64,                      // more than MBits
  parameter MBits    = 16,
  parameter EBits    = 16,
  parameter BitsBits = $clog2(UBits + 1)        // not to be set
) (
  input  wire       [UBits-1:0]    u_i,
  input  wire       [EBits-1:0]    e_i,         // signed
  output wire       [MBits-1:0]    m_o,         // 0, or its top bit is set
  output wire       [EBits-1:0]    e_o,         // signed; 0 where u is 0
  output wire       [BitsBits-1:0] bits_o,      // bit length of u
  output wire       [UBits-1:0]    word_o       // u << (UBits - bits)
);

  localparam Stages = $clog2(UBits);            // shifts by 2^(Stages-1) .. 1
  localparam [BitsBits-1:0] Whole  = UBits[BitsBits-1:0];
  localparam Spare  = UBits - MBits;
  localparam [EBits-1:0] Offset = Spare[EBits-1:0];

  wire [Stages-1:0] zeros;                      // above the highest one of u
  wire [UBits-1:0]  word;
  genvar s;

  generate
    for (s = Stages; s >= 0; s = s - 1) begin : gen_shift
      wire [UBits-1:0] value;

      if (s == Stages) begin : gen_first
        assign value = u_i;
      end else begin : gen_step
        localparam By   = 1 << s;
        wire [UBits-1:0] held = gen_shift[s+1].value;
        wire             is_low = held[UBits-1 -: By] == {By{1'b0}};

        assign value    = is_low ? {held[UBits-By-1:0], {By{1'b0}}} : held;
        assign zeros[s] = is_low;
      end
    end
  endgenerate

  assign word = gen_shift[0].value;

  wire             is_zero = !word[UBits-1];
  wire [MBits-1:0] top     = word[UBits-1 -: MBits];
  wire             half    = word[UBits-MBits-1];
  wire [MBits:0]   rounded = {1'b0, top} + {{MBits{1'b0}}, half};
  wire [EBits-1:0] count;

  generate
    if (EBits > Stages) begin : gen_wide
      assign count = {{(EBits-Stages){1'b0}}, zeros};
    end else begin : gen_narrow
      assign count = zeros[EBits-1:0];
    end
  endgenerate

  assign word_o = word;
  assign bits_o = is_zero ? {BitsBits{1'b0}} : Whole - {{(BitsBits-Stages){1'b0}}, zeros};
  assign m_o    = rounded[MBits] ? {1'b1, {(MBits-1){1'b0}}} : rounded[MBits-1:0];
  assign e_o    = is_zero ? {EBits{1'b0}}
                          : e_i + Offset - count + {{(EBits-1){1'b0}}, rounded[MBits]};

endmodule

`default_nettype wire
