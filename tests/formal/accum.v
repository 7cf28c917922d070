// One step of lpu_accum against acc = 0, acc or 3 acc, + sum, modulo 2^AccBits: for every content,
// operation, sum and address; the words of other addresses stay.
`default_nettype none

module accum #(
  parameter SumBits  = 10,
  parameter AccBits  = 32,
  parameter AddrBits = 1
) (
  input wire                clk_i,
  input wire                en_i,
  input wire [AddrBits-1:0] addr_i,
  input wire [1:0]          op_i,
  input wire [SumBits-1:0]  sum_i,
  input wire                carry_i
);

  (* anyconst *) reg [AddrBits-1:0] watched;          // any one word
  wire [AccBits-1:0] word;

  lpu_accum #(.SumBits(SumBits), .AccBits(AccBits), .AddrBits(AddrBits)) u_accum (
    .clk_i(clk_i), .en_i(en_i), .addr_i(addr_i), .op_i(op_i), .sum_i(sum_i), .carry_i(carry_i),
    .read_addr_i(watched), .read_data_o(word));

  reg [AccBits-1:0] before;
  reg [AccBits-1:0] partial;
  reg [1:0]         op;
  reg               has_before, is_hit;

  initial has_before = 1'b0;
  always @(posedge clk_i) begin
    before     <= word;
    partial    <= $signed(sum_i) + $signed({1'b0, carry_i});
    op         <= op_i;
    is_hit     <= en_i && addr_i == watched;
    has_before <= 1'b1;
  end

  always @* assume (op_i != 2'd3);                    // lpu_array_ctrl refuses it
  always @* if (has_before) begin
    if (!is_hit)        assert (word == before);
    else if (op == 2'd0) assert (word == partial);
    else if (op == 2'd1) assert (word == before + partial);
    else                assert (word == before + before + before + partial);
  end

endmodule

`default_nettype wire
