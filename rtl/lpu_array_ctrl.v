// Control of the array: which beat fills, when tiles swap, which vector is taken, what each stage
// of the trees holds.
//
//   command queue --> fill (counts lines) --> shadow --swap--> active (counts passes) --> pipe
//
// Timing    see rtl/lpu_array.v. Decisions of a cycle come from registers and x_valid_i alone.
// Widths    LineBits, RowBits and PassBits hold their largest number itself; SlotBits one less.
// Model     sim/unit_array.c: lpu_array_step, in the same words
// Tests     tests/lockstep
`default_nettype none
`include "lpu_assert.vh"

module lpu_array_ctrl #(
  parameter Rows      = 8,
  parameter Cols      = 10,
  parameter Lines     = 1,
  parameter PassesMax = 4,
  parameter Depth     = 2,
  parameter LineBits  = $clog2((Rows > Cols ? Rows : Cols) + 1),
  parameter RowBits   = $clog2(Rows + 1),
  parameter PassBits  = $clog2(PassesMax + 1),
  parameter SlotBits  = PassesMax > 1 ? $clog2(PassesMax) : 1
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Commands
  input  wire                      cmd_valid_i,
  output wire                      cmd_ready_o,
  input  wire        [LineBits-1:0] cmd_lines_i,
  input  wire        [RowBits-1:0] cmd_rows_i,
  input  wire        [PassBits-1:0] cmd_passes_i,
  input  wire        [1:0]         cmd_accum_i, // 0 clear, 1 add, 2 Horner
  input  wire                      cmd_column_i,
  input  wire                      cmd_last_i,

  // Fill
  input  wire                      beat_valid_i,
  output wire                      fill_o,      // takes the beat
  output reg         [LineBits-1:0] fill_line_q,
  output wire        [LineBits-1:0] fill_lines_o,
  output wire                      fill_column_o,

  // Swap; copy follows one cycle later, when the last beat is in the shadow
  output wire                      swap_o,
  output reg                       copy_q,
  output reg         [LineBits-1:0] copy_lines_q,
  output reg                       copy_column_q,

  // Vectors
  input  wire                      x_valid_i,
  output wire                      x_ready_o,
  output wire                      fire_o,

  // Stages: bit k of pipe_q is the vector k clocks behind the x register
  output reg         [Depth:0]     pipe_q,
  output wire        [1:0]         acc_op_o,
  output wire                      acc_bank_o,
  output wire        [SlotBits-1:0] acc_pass_o,
  output wire                      full_o,      // the vector being accumulated is its bank's last

  // Banks
  input  wire        [1:0]         bank_busy_i,
  output wire                      finish_o,    // the vector taken is its bank's last
  output reg                       bank_q,
  output wire        [RowBits-1:0] finish_rows_o,
  output wire        [PassBits-1:0] finish_passes_o,

  // Status
  output wire        [2:0]         state_o,     // lpu_array_state: why no vector was taken
  output wire                      is_idle_o    // but for the beat queue and the banks
);

  localparam CmdBits = LineBits + RowBits + PassBits + 4;
  localparam TagBits = SlotBits + 4;
  localparam [31:0]         LinesPerBeat = Lines;
  localparam [PassBits-1:0] OnePass      = 1;

  localparam [2:0] StatePass    = 3'd0;
  localparam [2:0] StateEmpty   = 3'd1;
  localparam [2:0] StateFill    = 3'd2;
  localparam [2:0] StateAccum   = 3'd3;
  localparam [2:0] StateStarved = 3'd4;

  //////////
  // Fill //
  //////////

  wire                cmd_valid;
  wire [RowBits-1:0]  head_rows;
  wire [PassBits-1:0] head_passes;
  wire [1:0]          head_accum;
  wire                head_last;
  wire                fill_last;

  lpu_queue #(.Bits(CmdBits)) u_cmd_queue (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .in_valid_i  (cmd_valid_i),
    .in_ready_o  (cmd_ready_o),
    .in_data_i   ({cmd_lines_i, cmd_rows_i, cmd_passes_i, cmd_accum_i, cmd_column_i, cmd_last_i}),
    .out_valid_o (cmd_valid),
    .out_ready_i (fill_last),
    .out_data_o  ({fill_lines_o, head_rows, head_passes, head_accum, fill_column_o, head_last})
  );

  reg                 shadow_full_q;
  reg  [LineBits-1:0] shadow_lines_q;
  reg                 shadow_column_q;
  reg  [RowBits-1:0]  shadow_rows_q;
  reg  [PassBits-1:0] shadow_passes_q;
  reg  [1:0]          shadow_accum_q;
  reg                 shadow_last_q;

  wire [LineBits:0]   fill_next = {1'b0, fill_line_q} + LinesPerBeat[LineBits:0];

  assign fill_o    = beat_valid_i && cmd_valid && (!shadow_full_q || swap_o);
  assign fill_last = fill_o && fill_next >= {1'b0, fill_lines_o};

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fill_line_q     <= {LineBits{1'b0}};
      shadow_full_q   <= 1'b0;
      shadow_lines_q  <= {LineBits{1'b0}};
      shadow_column_q <= 1'b0;
      shadow_rows_q   <= {RowBits{1'b0}};
      shadow_passes_q <= {PassBits{1'b0}};
      shadow_accum_q  <= 2'd0;
      shadow_last_q   <= 1'b0;
    end else begin
      if (fill_o) fill_line_q <= fill_last ? {LineBits{1'b0}} : fill_next[LineBits-1:0];
      shadow_full_q <= fill_last || (shadow_full_q && !swap_o);
      if (fill_last) begin
        shadow_lines_q  <= fill_lines_o;
        shadow_column_q <= fill_column_o;
        shadow_rows_q   <= head_rows;
        shadow_passes_q <= head_passes;
        shadow_accum_q  <= head_accum;
        shadow_last_q   <= head_last;
      end
    end
  end

  ////////////
  // Passes //
  ////////////

  reg                 has_active_q;
  reg  [RowBits-1:0]  active_rows_q;
  reg  [PassBits-1:0] active_passes_q;
  reg  [1:0]          active_accum_q;
  reg                 active_last_q;
  reg  [PassBits-1:0] pass_q;

  wire                is_busy      = bank_q ? bank_busy_i[1] : bank_busy_i[0];
  wire                is_last_pass = fire_o && pass_q + OnePass == active_passes_q;

  assign x_ready_o = has_active_q && !is_busy;
  assign fire_o    = x_ready_o && x_valid_i;
  assign swap_o    = shadow_full_q && (!has_active_q || is_last_pass);

  assign finish_o        = is_last_pass && active_last_q;
  assign finish_rows_o   = active_rows_q;
  assign finish_passes_o = active_passes_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      has_active_q    <= 1'b0;
      active_rows_q   <= {RowBits{1'b0}};
      active_passes_q <= {PassBits{1'b0}};
      active_accum_q  <= 2'd0;
      active_last_q   <= 1'b0;
      pass_q          <= {PassBits{1'b0}};
      bank_q          <= 1'b0;
      copy_q          <= 1'b0;
      copy_lines_q    <= {LineBits{1'b0}};
      copy_column_q   <= 1'b0;
    end else begin
      has_active_q <= swap_o || (has_active_q && !is_last_pass);
      copy_q       <= swap_o;
      if (swap_o) begin
        active_rows_q   <= shadow_rows_q;
        active_passes_q <= shadow_passes_q;
        active_accum_q  <= shadow_accum_q;
        active_last_q   <= shadow_last_q;
        copy_lines_q    <= shadow_lines_q;
        copy_column_q   <= shadow_column_q;
      end
      if (fire_o)   pass_q <= is_last_pass ? {PassBits{1'b0}} : pass_q + OnePass;
      if (finish_o) bank_q <= !bank_q;
    end
  end

  //////////
  // Pipe //
  //////////

  // What the accumulator must know of a vector goes with it: {final, op, bank, pass}.
  wire [TagBits*(Depth+1)-1:0] tags;
  genvar k;

  generate
    for (k = 0; k <= Depth; k = k + 1) begin : gen_stage
      reg  [TagBits-1:0] tag_q;
      wire [TagBits-1:0] tag_d;
      wire               tag_en;

      if (k == 0) begin : gen_first
        assign tag_d  = {finish_o, active_accum_q, bank_q, pass_q[SlotBits-1:0]};
        assign tag_en = fire_o;
      end else begin : gen_next
        assign tag_d  = tags[(k-1)*TagBits +: TagBits];
        assign tag_en = pipe_q[k-1];
      end
      assign tags[k*TagBits +: TagBits] = tag_q;

      always @(posedge clk_i) if (tag_en) tag_q <= tag_d;
    end
  endgenerate

  wire is_final;
  assign {is_final, acc_op_o, acc_bank_o, acc_pass_o} = tags[Depth*TagBits +: TagBits];
  assign full_o = pipe_q[Depth] && is_final;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) pipe_q <= {(Depth+1){1'b0}};
    else         pipe_q <= {pipe_q[Depth-1:0], fire_o};
  end

  ////////////
  // Status //
  ////////////

  assign state_o = fire_o                      ? StatePass :
                   has_active_q && is_busy     ? StateAccum :
                   has_active_q                ? StateStarved :
                   cmd_valid || shadow_full_q  ? StateFill : StateEmpty;

  assign is_idle_o = !cmd_valid && !shadow_full_q && !has_active_q && pipe_q == {(Depth+1){1'b0}};

  ////////////////
  // Assertions //
  ////////////////

  wire take_cmd = cmd_valid_i && cmd_ready_o;

  // Signs of differences: what a port of these bits cannot exceed is no comparison to a linter.
  `LPU_ASSERT(lines_are_in_tile, !take_cmd || (cmd_lines_i != 0 &&
              {{(32-LineBits){1'b0}}, cmd_lines_i} <= (cmd_column_i ? Cols : Rows)))
  `LPU_ASSERT(rows_are_in_tile, !take_cmd || (cmd_rows_i != 0 &&
              (Rows - {{(32-RowBits){1'b0}}, cmd_rows_i}) >> 31 == 0))
  `LPU_ASSERT(passes_fit_a_bank, !take_cmd || (cmd_passes_i != 0 &&
              (PassesMax - {{(32-PassBits){1'b0}}, cmd_passes_i}) >> 31 == 0))
  `LPU_ASSERT(accum_is_known, !take_cmd || cmd_accum_i != 2'd3)

endmodule

`default_nettype wire
