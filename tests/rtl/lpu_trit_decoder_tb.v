// Every byte of every code through the decoder, against digits that are peeled off by counting.
`default_nettype none
`timescale 1ns/1ns

module lpu_trit_decoder_tb;

  reg  [7:0] value;
  wire [4:0] nz_base3, neg_base3;
  wire [3:0] nz_t2, neg_t2;
  wire [7:0] nz_b1, neg_b1;
  wire       illegal_base3, illegal_t2, illegal_b1;

  lpu_trit_decoder #(.Code(0)) u_base3 (
    .byte_i(value), .nz_o(nz_base3), .neg_o(neg_base3), .illegal_o(illegal_base3));
  lpu_trit_decoder #(.Code(1)) u_t2 (
    .byte_i(value), .nz_o(nz_t2), .neg_o(neg_t2), .illegal_o(illegal_t2));
  lpu_trit_decoder #(.Code(2)) u_b1 (
    .byte_i(value), .nz_o(nz_b1), .neg_o(neg_b1), .illegal_o(illegal_b1));

  integer checks, failures, t0, t1, t2, t3, t4, i;

  task check;
    input condition;
    begin
      checks = checks + 1;
      if (!condition) begin
        failures = failures + 1;
        if (failures < 10) $display("# byte %0d: base3 nz %b neg %b illegal %b, t2 %b %b %b, b1 %b %b",
          value, nz_base3, neg_base3, illegal_base3, nz_t2, neg_t2, illegal_t2, nz_b1, neg_b1);
      end
    end
  endtask

  // Trit t as its two bits.
  function [1:0] bits;
    input integer t;
    bits = {t < 0, t != 0};
  endfunction

  initial begin
    checks = 0;
    failures = 0;
    value = 0;
    // Counting through the digits, least significant fastest, is counting through the bytes.
    for (t4 = -1; t4 <= 1; t4 = t4 + 1)
      for (t3 = -1; t3 <= 1; t3 = t3 + 1)
        for (t2 = -1; t2 <= 1; t2 = t2 + 1)
          for (t1 = -1; t1 <= 1; t1 = t1 + 1)
            for (t0 = -1; t0 <= 1; t0 = t0 + 1) begin
              #1 check(!illegal_base3 &&
                       {neg_base3[0], nz_base3[0]} == bits(t0) && {neg_base3[1], nz_base3[1]} == bits(t1) &&
                       {neg_base3[2], nz_base3[2]} == bits(t2) && {neg_base3[3], nz_base3[3]} == bits(t3) &&
                       {neg_base3[4], nz_base3[4]} == bits(t4));
              value = value + 1;
            end
    check(value == 243);
    for (i = 243; i < 256; i = i + 1) begin
      value = i;
      #1 check(illegal_base3 && nz_base3 == 0 && neg_base3 == 0);
    end
    for (i = 0; i < 256; i = i + 1) begin
      value = i;
      #1 check(nz_b1 == 8'hff && neg_b1 == ~value && !illegal_b1);
      for (t0 = 0; t0 < 4; t0 = t0 + 1)
        case ({value[2*t0+1], value[2*t0]})
          2'b00:   check(!nz_t2[t0] && !neg_t2[t0]);
          2'b01:   check( nz_t2[t0] && !neg_t2[t0]);
          2'b11:   check( nz_t2[t0] &&  neg_t2[t0]);
          default: check(!nz_t2[t0] && !neg_t2[t0] && illegal_t2);
        endcase
      check(illegal_t2 == ((value & ~(value << 1) & 8'haa) != 0));
    end
    if (failures == 0) $display("ok      lpu_trit_decoder: %0d checks over all bytes of three codes", checks);
    else               $display("not ok  lpu_trit_decoder: %0d of %0d checks", failures, checks);
    $finish;
  end

endmodule
