// lpu_trit_decoder against the definition of its code, for every byte.
//
// base-3: byte = sum of (t_i + 1) 3^i is the definition itself: the digits that come out must add up
// to the byte that went in, and only 243..255 have none.
`default_nettype none

module decoder #(
  parameter Code   = 0,
  parameter Digits = Code == 0 ? 5 : Code == 1 ? 4 : 8
) (
  input wire [7:0] byte_i
);

  wire [Digits-1:0] nz, neg;
  wire              illegal;

  lpu_trit_decoder #(.Code(Code)) u_decoder (
    .byte_i(byte_i), .nz_o(nz), .neg_o(neg), .illegal_o(illegal));

  integer    i;
  reg  [8:0] value, power;                            // up to 2 (1 + 3 + 9 + 27 + 81) = 242
  reg     is_bad;

  always @* begin
    value  = 0;
    power  = 1;
    is_bad = Code == 0 && byte_i > 8'd242;
    for (i = 0; i < Digits; i = i + 1) begin
      if (nz[i]) value = value + (neg[i] ? 9'd0 : power + power);
      else       value = value + power;
      power = power + power + power;
      if (Code == 1 && byte_i[2*(i%4) +: 2] == 2'b10) is_bad = 1'b1;
    end

    assert ((neg & ~nz) == 0);                        // minus only where not zero
    assert (illegal == is_bad);
    if (Code == 0) begin
      if (illegal) assert (nz == 0);
      else         assert (value == {1'b0, byte_i});
    end
    for (i = 0; i < Digits; i = i + 1) begin
      if (Code == 1) begin
        assert (nz[i] == (byte_i[2*(i%4) +: 2] == 2'b01 || byte_i[2*(i%4) +: 2] == 2'b11));
        assert (neg[i] == (byte_i[2*(i%4) +: 2] == 2'b11));
      end
      if (Code == 2) begin
        assert (nz[i]);
        assert (neg[i] == !byte_i[i]);
      end
    end
  end

endmodule

`default_nettype wire
