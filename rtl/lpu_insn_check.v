// What an instruction is: its unit, its buffers, and whether this machine can run it.
//
// Illegal are: an unknown opcode; a buffer of 32 to 254; a buffer missing that the operation needs;
// resident memory; no bytes, no rows, no elements; more than 65535 rows, or 2^22 - 1 elements;
// more rows of a product than a bank of accumulators holds; no digits, or more than 5; an unknown
// activation.
//
// Timing    combinational
// Widths    marks = {c, b, a, dst}, each {valid, buffer}
// Model     sim/exec.c: check_shape(), check_segments(); sim/isa.def: the unit
// Tests     tests/top/sequencer_test.sh
`default_nettype none
`include "lpu_insn.vh"

module lpu_insn_check #(
  parameter PassesMax = 64
) (
  /* verilator lint_off UNUSED */
  input  wire [511:0] insn_i,                   // addresses and offsets are the units' own
  /* verilator lint_on UNUSED */
  output wire [3:0]   unit_o,                   // one hot: stream, array, vector, store
  output wire [23:0]  marks_o,
  output reg          illegal_o
);

  localparam [31:0] Passes = PassesMax;

  wire [7:0]  op     = insn_i[`LPU_F_OP];
  wire [31:0] m      = insn_i[`LPU_F_M];
  wire [31:0] n      = insn_i[`LPU_F_N];
  wire [31:0] k      = insn_i[`LPU_F_K];
  wire        stream = op == `LPU_OP_STREAM || op == `LPU_OP_LOAD;
  wire        store  = op == `LPU_OP_STORE;
  wire        array  = op == `LPU_OP_MATMUL;
  wire        vector = op >= `LPU_OP_EMBED && op < `LPU_INSN_OPS;

  assign unit_o  = {store, vector, array, stream};
  assign marks_o = {insn_i[47:40] != `LPU_BUFFER_NONE, insn_i[44:40],
                    insn_i[39:32] != `LPU_BUFFER_NONE, insn_i[36:32],
                    insn_i[31:24] != `LPU_BUFFER_NONE, insn_i[28:24],
                    insn_i[23:16] != `LPU_BUFFER_NONE, insn_i[20:16]};

  // Buffers that the operation cannot do without: {c, b, a, dst}.
  reg [3:0] needs;

  always @* begin
    case (op)
      `LPU_OP_SETBUF, `LPU_OP_LOAD:                      needs = 4'b0001;
      `LPU_OP_STORE:                                     needs = 4'b0010;
      `LPU_OP_MATMUL, `LPU_OP_EMBED, `LPU_OP_NORMQ, `LPU_OP_QUANT, `LPU_OP_KVPACK,
      `LPU_OP_GATE:                                      needs = 4'b0011;
      `LPU_OP_DEQUANT, `LPU_OP_RESIDUAL, `LPU_OP_ROPE:   needs = 4'b0111;
      `LPU_OP_SOFTMAX, `LPU_OP_ARGMAX:                   needs = 4'b1111;
      default:                                           needs = 4'b0000;
    endcase
  end

  wire [3:0] given   = {marks_o[23], marks_o[17], marks_o[11], marks_o[5]};
  wire [3:0] foreign = {given[3] && insn_i[47:45] != 3'd0, given[2] && insn_i[39:37] != 3'd0,
                        given[1] && insn_i[31:29] != 3'd0, given[0] && insn_i[23:21] != 3'd0};

  always @* begin
    illegal_o = op >= `LPU_INSN_OPS || (needs & ~given) != 4'd0;
    if (op != `LPU_OP_HALT && op != `LPU_OP_SYNC && foreign != 4'd0) illegal_o = 1'b1;
    if (stream || store) begin
      if (insn_i[`LPU_FLAG_ON_CHIP] || insn_i[`LPU_F_SEGS] == 32'd0 ||
          insn_i[`LPU_F_SEG_BYTES] == 32'd0) illegal_o = 1'b1;
    end
    if (array || vector) begin
      if (m == 32'd0 || m[31:16] != 16'd0 || insn_i[`LPU_F_M_INNER] == 32'd0 ||
          n == 32'd0 || n[31:22] != 10'd0 || k[31:22] != 10'd0) illegal_o = 1'b1;
    end
    if (array && (m > Passes || k == 32'd0)) illegal_o = 1'b1;
    if ((array || op == `LPU_OP_EMBED || op == `LPU_OP_KVPACK) &&
        (insn_i[`LPU_F_PLANES] == 8'd0 || insn_i[`LPU_F_PLANES] > 8'd5)) illegal_o = 1'b1;
    if (op == `LPU_OP_GATE && insn_i[`LPU_F_MODE] > 8'd2) illegal_o = 1'b1;
  end

endmodule

`default_nettype wire
