// Array: Rows x Cols lanes that select and add, with decoder, double-buffered tile, Horner
// accumulators in two banks, and drain. No multiplier.
//
//   cmd --> [queue 2] --> ctrl
//   w   --> [queue 2] --> decode --> shadow tile --copy--> active tile --+
//   x   --> register ----------------------------------------------------+--> trees --> banks --> y
//
// Timing    control leads the data by one clock; D = ceil(log4 Cols) stages of the trees:
//             t       beat taken into the queue
//             t+1     decoded (fill)
//             t+2     digits into the shadow; swap, if it was the last beat and the active tile is free
//                     or takes its last vector
//             t+3     x taken; shadow copied to active
//             t+4     lanes select, first stage of the trees; t+4+k stage k
//             t+4+D   accumulate
//             t+5+D   if the vector was its bank's last: first y beat read; t+6+D y_valid_o
//           One tile per max(beats, passes) cycles. Ready outputs depend on registers alone.
// Widths    a beat is Lines lines of LineBytes, enough for the longer of a row and a column.
// Model     sim/unit_array.c: same ports, same cycle, same values
// Tests     tests/rtl/lpu_array_tb.v (directed), tests/lockstep (against the model and the definition)
`default_nettype none
`include "lpu_assert.vh"

module lpu_array #(
  parameter Rows       = 8,
  parameter Cols       = 10,                    // a multiple of the code's digits per byte
  parameter Lines      = 1,                     // tile lines in a beat
  parameter PassesMax  = 4,                     // depth of a bank
  parameter OutLanes   = 4,                     // sums out per cycle; divides Rows
  parameter Code       = 0,                     // 0 base-3, 1 two bits, 2 one bit
  parameter AccBits    = 32,
  parameter LineDigits = Rows > Cols ? Rows : Cols,
  parameter Digits     = Code == 0 ? 5 : Code == 1 ? 4 : 8,
  parameter LineBytes  = (LineDigits + Digits - 1) / Digits,
  parameter LineBits   = $clog2(LineDigits + 1),
  parameter RowBits    = $clog2(Rows + 1),
  parameter PassBits   = $clog2(PassesMax + 1),
  parameter AddsBits   = $clog2(Rows * Cols + 1)
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Commands, one per tile
  input  wire                      cmd_valid_i,
  output wire                      cmd_ready_o,
  input  wire        [LineBits-1:0] cmd_lines_i, // lines that are filled
  input  wire        [RowBits-1:0] cmd_rows_i,  // rows that are drained
  input  wire        [PassBits-1:0] cmd_passes_i,
  input  wire        [1:0]         cmd_accum_i, // 0 clear, 1 add, 2 Horner
  input  wire                      cmd_column_i, // lines are columns
  input  wire                      cmd_last_i,  // drain the bank after this tile

  // Packed weights
  input  wire                      w_valid_i,
  output wire                      w_ready_o,
  input  wire        [8*LineBytes*Lines-1:0] w_data_i,

  // Activations
  input  wire                      x_valid_i,
  output wire                      x_ready_o,
  input  wire        [8*Cols-1:0]  x_data_i,

  // Sums
  output wire                      y_valid_o,
  input  wire                      y_ready_i,
  output wire        [OutLanes*AccBits-1:0] y_data_o,

  // Status and events
  output wire                      idle_o,
  output wire        [2:0]         state_o,     // lpu_array_state
  output wire                      ev_illegal_o, // a beat held an illegal code, taken as zeros
  output wire        [AddsBits-1:0] ev_lane_adds_o,
  output wire        [AddsBits-1:0] ev_lane_skips_o
);

  localparam Depth    = ($clog2(Cols) + 1) / 2;
  localparam SlotBits = PassesMax > 1 ? $clog2(PassesMax) : 1;
  localparam [31:0] AllLanes = Rows * Cols;

  /////////////
  // Control //
  /////////////

  wire                beat_valid, fill, fill_column, swap, copy, copy_column, fire;
  wire [LineBits-1:0] fill_line, fill_lines, copy_lines;
  wire [Depth:0]      pipe;
  wire [1:0]          acc_op;
  wire                acc_bank, full, finish, bank, read_bank, is_idle;
  wire [PassBits-1:0] finish_passes;
  wire [SlotBits-1:0] acc_pass, read_pass;
  wire [RowBits-1:0]  finish_rows;
  wire [1:0]          bank_busy;

  lpu_array_ctrl #(
    .Rows(Rows), .Cols(Cols), .Lines(Lines), .PassesMax(PassesMax), .Depth(Depth)
  ) u_ctrl (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .cmd_valid_i     (cmd_valid_i),
    .cmd_ready_o     (cmd_ready_o),
    .cmd_lines_i     (cmd_lines_i),
    .cmd_rows_i      (cmd_rows_i),
    .cmd_passes_i    (cmd_passes_i),
    .cmd_accum_i     (cmd_accum_i),
    .cmd_column_i    (cmd_column_i),
    .cmd_last_i      (cmd_last_i),
    .beat_valid_i    (beat_valid),
    .fill_o          (fill),
    .fill_line_q     (fill_line),
    .fill_lines_o    (fill_lines),
    .fill_column_o   (fill_column),
    .swap_o          (swap),
    .copy_q          (copy),
    .copy_lines_q    (copy_lines),
    .copy_column_q   (copy_column),
    .x_valid_i       (x_valid_i),
    .x_ready_o       (x_ready_o),
    .fire_o          (fire),
    .pipe_q          (pipe),
    .acc_op_o        (acc_op),
    .acc_bank_o      (acc_bank),
    .acc_pass_o      (acc_pass),
    .full_o          (full),
    .bank_busy_i     (bank_busy),
    .finish_o        (finish),
    .bank_q          (bank),
    .finish_rows_o   (finish_rows),
    .finish_passes_o (finish_passes),
    .state_o         (state_o),
    .is_idle_o       (is_idle)
  );

  //////////
  // Fill //
  //////////

  wire [8*LineBytes*Lines-1:0] beat;
  wire                         wr_row, wr_column;
  wire [LineBits-1:0]          wr_line;
  wire [Lines*LineDigits-1:0]  wr_nz, wr_neg;
  wire [AddsBits-1:0]          adds;

  lpu_queue #(.Bits(8*LineBytes*Lines)) u_beat_queue (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .in_valid_i  (w_valid_i),
    .in_ready_o  (w_ready_o),
    .in_data_i   (w_data_i),
    .out_valid_o (beat_valid),
    .out_ready_i (fill),
    .out_data_o  (beat)
  );

  lpu_fill #(.Rows(Rows), .Cols(Cols), .Lines(Lines), .Code(Code)) u_fill (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .take_i       (fill),
    .beat_i       (beat),
    .line_i       (fill_line),
    .lines_i      (fill_lines),
    .column_i     (fill_column),
    .swap_i       (swap),
    .wr_row_o     (wr_row),
    .wr_column_o  (wr_column),
    .wr_line_o    (wr_line),
    .wr_nz_o      (wr_nz),
    .wr_neg_o     (wr_neg),
    .ev_illegal_o (ev_illegal_o),
    .adds_o       (adds)
  );

  assign ev_lane_adds_o  = fire ? adds : {AddsBits{1'b0}};
  assign ev_lane_skips_o = fire ? AllLanes[AddsBits-1:0] - adds : {AddsBits{1'b0}};

  //////////
  // Rows //
  //////////

  // Columns that a beat of columns writes, and columns that the tile to be copied has.
  wire [Cols-1:0] column_mask, copy_columns;
  reg  [8*Cols-1:0] x_q;
  wire [Rows*AccBits-1:0] read_data;
  genvar r, c, l;

  generate
    for (c = 0; c < Cols; c = c + 1) begin : gen_column
      localparam [31:0] First = c - c % Lines;
      localparam [31:0] Index = c;
      assign column_mask[c]  = wr_line == First[LineBits-1:0];
      assign copy_columns[c] = !copy_column || Index[LineBits-1:0] < copy_lines;
    end
  endgenerate

  always @(posedge clk_i) if (fire) x_q <= x_data_i;

  generate
    for (r = 0; r < Rows; r = r + 1) begin : gen_row
      localparam [31:0] First = r - r % Lines;
      localparam [31:0] Index = r;

      wire [Lines-1:0] column_nz, column_neg;

      for (l = 0; l < Lines; l = l + 1) begin : gen_line
        assign column_nz[l]  = wr_nz[l*LineDigits+r];
        assign column_neg[l] = wr_neg[l*LineDigits+r];
      end

      lpu_row #(
        .Cols(Cols), .Lines(Lines), .Depth(Depth), .AccBits(AccBits), .AddrBits(SlotBits + 1)
      ) u_row (
        .clk_i         (clk_i),
        .row_en_i      (wr_row && wr_line == First[LineBits-1:0]),
        .row_nz_i      (wr_nz[(r%Lines)*LineDigits +: Cols]),
        .row_neg_i     (wr_neg[(r%Lines)*LineDigits +: Cols]),
        .column_en_i   (wr_column),
        .column_mask_i (column_mask),
        .column_nz_i   (column_nz),
        .column_neg_i  (column_neg),
        .copy_i        (copy),
        .copy_row_i    (copy_column || Index[LineBits-1:0] < copy_lines),
        .copy_mask_i   (copy_columns),
        .x_i           (x_q),
        .pipe_i        (pipe),
        .acc_addr_i    ({acc_bank, acc_pass}),
        .acc_op_i      (acc_op),
        .read_addr_i   ({read_bank, read_pass}),
        .read_data_o   (read_data[r*AccBits +: AccBits])
      );
    end
  endgenerate

  ///////////
  // Drain //
  ///////////

  lpu_drain #(
    .Rows(Rows), .PassesMax(PassesMax), .OutLanes(OutLanes), .AccBits(AccBits)
  ) u_drain (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .finish_i        (finish),
    .finish_bank_i   (bank),
    .finish_rows_i   (finish_rows),
    .finish_passes_i (finish_passes),
    .full_i          (full),
    .full_bank_i     (acc_bank),
    .busy_q          (bank_busy),
    .read_bank_q     (read_bank),
    .read_pass_o     (read_pass),
    .read_data_i     (read_data),
    .y_valid_o       (y_valid_o),
    .y_ready_i       (y_ready_i),
    .y_data_o        (y_data_o)
  );

  assign idle_o = is_idle && !beat_valid && bank_busy == 2'b00 && !y_valid_o;

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(adds_fit_the_tile, ev_lane_adds_o <= AllLanes[AddsBits-1:0])

endmodule

`default_nettype wire
