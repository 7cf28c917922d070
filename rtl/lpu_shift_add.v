// Product of two signed numbers by shift and add: radix-4 digits of b, a tree of adders over them.
//
//   b = sum of d[i] 4^i,  d[i] = -2 b[2i+1] + b[2i] + b[2i-1], within -2..2
//
// So d[i] a is 0, a or a << 1, perhaps negated. A negation is ~x; its + 1 waits in the lower of the
// two bits that the shift of the next digit leaves empty.
//
// Timing    p_o is a_i b_i of Stages enabled clocks before; Stages = 0 is combinational. Registers
//           follow levels of the tree, the last one is p_o. Without en_i everything holds.
// Widths    exact for all a_i, b_i. A node of n digits, less its carry, is within
//           2^(ABits-1) 2/3 (4^n - 1) + 4^(n-1) of zero, below 2^(ABits+2n-1): ABits + 2n bits hold
//           it. The product fits ABits + BBits, to which the last node is cut.
// Model     the product in C
// Tests     tests/formal/shift_add_test.sh, tests/top/scalar_test.sh
`default_nettype none

module lpu_shift_add #(
  parameter ABits  = 32,                        // 2 or more
  parameter BBits  = 17,                        // 2 or more; a digit for every two
  parameter Stages = 0                          // 0 to 1 + $clog2(ceil(BBits / 2))
) (
  input  wire                         clk_i,
  input  wire                         en_i,
  input  wire       [ABits-1:0]       a_i,      // signed
  input  wire       [BBits-1:0]       b_i,      // signed
  output wire       [ABits+BBits-1:0] p_o       // signed
);

  localparam Digits = (BBits + 1) / 2;
  localparam Levels = $clog2(Digits);           // of adders; level 0 is the digits

  // b with its sign to an even number of bits, and the 0 below its lowest.
  wire [2*Digits:0] b;
  wire [ABits+2*Digits-1:0] root;
  genvar l, i;

  generate
    if (BBits == 2 * Digits) begin : gen_even
      assign b = {b_i, 1'b0};
    end else begin : gen_odd
      assign b = {b_i[BBits-1], b_i, 1'b0};
    end

    for (l = 0; l <= Levels; l = l + 1) begin : gen_level
      localparam Nodes   = (Digits + (1 << l) - 1) >> l;
      // Stages registers, spread evenly over the ends of the 1 + Levels levels.
      localparam IsStage = (l + 1) * Stages / (Levels + 1) > l * Stages / (Levels + 1);

      for (i = 0; i < Nodes; i = i + 1) begin : gen_node
        localparam Left  = Digits - (i << l);
        localparam Count = Left < (1 << l) ? Left : 1 << l;
        localparam Bits  = ABits + 2 * Count;

        wire [Bits-1:0] sum;                    // of the node's digits, less the carry
        wire            carry;                  // to be added at bit 2 (Count - 1)
        wire [Bits-1:0] value;                  // the same, behind the register if there is one
        wire            left_over;

        if (l == 0) begin : gen_digit
          wire is_one = b[2*i+1] ^ b[2*i];
          wire is_two = b[2*i+2] ? !b[2*i+1] && !b[2*i] : b[2*i+1] && b[2*i];
          wire is_neg = b[2*i+2] && !(b[2*i+1] && b[2*i]);
          wire [Bits-1:0] once = {{2{a_i[ABits-1]}}, a_i};
          wire [Bits-1:0] term = is_one ? once : is_two ? {once[Bits-2:0], 1'b0} : {Bits{1'b0}};

          // No digit follows the last one: its negation is made whole.
          if (i == Digits - 1) begin : gen_last
            assign sum   = (term ^ {Bits{is_neg}}) + {{(Bits-1){1'b0}}, is_neg};
            assign carry = 1'b0;
          end else begin : gen_inner
            assign sum   = term ^ {Bits{is_neg}};
            assign carry = is_neg;
          end
        end else if (Count > 1 << (l - 1)) begin : gen_pair
          localparam Low  = 2 << (l - 1);       // bits by which the right half is shifted
          localparam Half = Bits - Low;         // bits of the right half
          wire [Low-1:0] gap = {1'b0, gen_level[l-1].gen_node[2*i].left_over, {(Low-2){1'b0}}};

          assign sum   = {{Half-ABits{gen_level[l-1].gen_node[2*i].value[ABits+Low-1]}},
                          gen_level[l-1].gen_node[2*i].value} +
                         {gen_level[l-1].gen_node[2*i+1].value, gap};
          assign carry = gen_level[l-1].gen_node[2*i+1].left_over;
        end else begin : gen_single
          assign sum   = gen_level[l-1].gen_node[2*i].value;
          assign carry = gen_level[l-1].gen_node[2*i].left_over;
        end

        if (IsStage) begin : gen_register
          reg [Bits-1:0] sum_q;
          reg            carry_q;

          // Data needs no reset: valid bits travel with the user.
          always @(posedge clk_i) begin
            if (en_i) begin
              sum_q   <= sum;
              carry_q <= carry;
            end
          end
          assign value     = sum_q;
          assign left_over = carry_q;
        end else begin : gen_wire
          assign value     = sum;
          assign left_over = carry;
        end
      end
    end

    wire unused = &{1'b0, clk_i, en_i, root, gen_level[Levels].gen_node[0].left_over};

    assign root = gen_level[Levels].gen_node[0].value;
    assign p_o  = root[ABits+BBits-1:0];
  endgenerate

endmodule

`default_nettype wire
