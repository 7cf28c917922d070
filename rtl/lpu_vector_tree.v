// Reduction over the lanes: the maximum with the lowest lane that has it, or the sum.
//
// Timing    Stages clocks, the registers spread over the levels; the last one is the root's.
// Widths    Lanes is a power of two. Values are unsigned; a sum has no more bits than the inputs, of
//           which the user leaves the upper ones free.
// Model     sim/functional.c: max_magnitude, lpu_functional_argmax
// Tests     tests/top/vector_test.sh
`default_nettype none

module lpu_vector_tree #(
  parameter Lanes    = 8,
  parameter Bits     = 32,
  parameter IsSum    = 0,
  parameter Stages   = 2,
  parameter LaneBits = Lanes > 1 ? $clog2(Lanes) : 1
) (
  input  wire                      clk_i,
  input  wire        [Lanes*Bits-1:0] in_i,
  output wire        [Bits-1:0]    out_o,
  output wire        [LaneBits-1:0] lane_o
);

  localparam Levels = $clog2(Lanes);
  genvar l, i;

  generate
    for (l = 0; l <= Levels; l = l + 1) begin : gen_level
      localparam IsStage = l > 0 && l * Stages / Levels > (l - 1) * Stages / Levels;

      for (i = 0; i < (Lanes >> l); i = i + 1) begin : gen_node
        wire [Bits-1:0]     sum;
        wire [LaneBits-1:0] from;
        wire [Bits-1:0]     value;
        wire [LaneBits-1:0] lane;

        if (l == 0) begin : gen_leaf
          localparam [31:0] Index = i;
          assign sum  = in_i[i*Bits +: Bits];
          assign from = Index[LaneBits-1:0];
        end else begin : gen_pair
          wire [Bits-1:0] left  = gen_level[l-1].gen_node[2*i].value;
          wire [Bits-1:0] right = gen_level[l-1].gen_node[2*i+1].value;
          wire            is_right = right > left;

          assign sum  = IsSum ? left + right : is_right ? right : left;
          assign from = is_right ? gen_level[l-1].gen_node[2*i+1].lane
                                 : gen_level[l-1].gen_node[2*i].lane;
        end

        if (IsStage) begin : gen_register
          reg [Bits-1:0]     value_q;
          reg [LaneBits-1:0] lane_q;

          // Data needs no reset: valid bits travel beside it.
          always @(posedge clk_i) begin
            value_q <= sum;
            lane_q  <= from;
          end
          assign value = value_q;
          assign lane  = lane_q;
        end else begin : gen_wire
          assign value = sum;
          assign lane  = from;
        end
      end
    end
  endgenerate

  assign out_o  = gen_level[Levels].gen_node[0].value;
  assign lane_o = gen_level[Levels].gen_node[0].lane;

endmodule

`default_nettype wire
