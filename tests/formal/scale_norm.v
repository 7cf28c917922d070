// lpu_scale_norm against norm(u, e) of workloads/arithmetic.md, section 2, for all u and e.
`default_nettype none

module scale_norm #(
  parameter UBits    = 12,
  parameter MBits    = 4,
  parameter EBits    = 6,
  parameter BitsBits = $clog2(UBits + 1)
) (
  input wire [UBits-1:0] u_i,
  input wire [EBits-1:0] e_i
);

  wire [MBits-1:0]    m;
  wire [EBits-1:0]    e;
  wire [BitsBits-1:0] bits;
  wire [UBits-1:0]    word;

  lpu_scale_norm #(.UBits(UBits), .MBits(MBits), .EBits(EBits)) u_norm (
    .u_i(u_i), .e_i(e_i), .m_o(m), .e_o(e), .bits_o(bits), .word_o(word));

  // The page, word by word: rsh adds 2^(n-1), which needs a bit more.
  integer         i, n, b;
  reg [UBits:0]   rounded;
  reg [EBits-1:0] exponent;

  always @* begin
    b = 0;
    for (i = 0; i < UBits; i = i + 1) if (u_i[i]) b = i + 1;
    n        = b - MBits;
    rounded  = n > 0 ? ({1'b0, u_i} + ({{UBits{1'b0}}, 1'b1} << (n - 1))) >> n : u_i << -n;
    exponent = e_i + n;
    if (n > 0 && rounded[MBits]) begin
      rounded  = rounded >> 1;
      exponent = exponent + 1'b1;
    end
    if (b == 0) exponent = 0;

    assert (bits == b);
    assert (m == rounded[MBits-1:0]);
    assert (rounded[UBits:MBits] == 0);
    assert (e == exponent);
    assert (m[MBits-1] || u_i == 0);
    assert (word == u_i << (UBits - b));
  end

endmodule

`default_nettype wire
