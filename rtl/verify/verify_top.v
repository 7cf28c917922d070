// Harness of `lpu verify`: the array under test by the name LPU_VERIFY_TOP, with the ports that are
// judged. Status and events (state_o, ev_*) are not connected: an array may leave them out.
//
// Timing    none of its own.
// Widths    those of rtl/lpu_array.v; sums are 32 bits.
// Model     sim/unit_array.c
// Tests     tests/cli/verify_test.sh
`default_nettype none

module lpu_verify_top #(
  parameter Rows       = 8,
  parameter Cols       = 10,
  parameter Lines      = 1,
  parameter PassesMax  = 4,
  parameter OutLanes   = 4,
  parameter Code       = 0,
  parameter LineDigits = Rows > Cols ? Rows : Cols,
  parameter Digits     = Code == 0 ? 5 : Code == 1 ? 4 : 8,
  parameter LineBytes  = (LineDigits + Digits - 1) / Digits,
  parameter LineBits   = $clog2(LineDigits + 1),
  parameter RowBits    = $clog2(Rows + 1),
  parameter PassBits   = $clog2(PassesMax + 1)
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,

  input  wire                      cmd_valid_i,
  output wire                      cmd_ready_o,
  input  wire        [LineBits-1:0] cmd_lines_i,
  input  wire        [RowBits-1:0] cmd_rows_i,
  input  wire        [PassBits-1:0] cmd_passes_i,
  input  wire        [1:0]         cmd_accum_i,
  input  wire                      cmd_column_i,
  input  wire                      cmd_last_i,

  input  wire                      w_valid_i,
  output wire                      w_ready_o,
  input  wire        [8*LineBytes*Lines-1:0] w_data_i,

  input  wire                      x_valid_i,
  output wire                      x_ready_o,
  input  wire        [8*Cols-1:0]  x_data_i,

  output wire                      y_valid_o,
  input  wire                      y_ready_i,
  output wire        [OutLanes*32-1:0] y_data_o,

  output wire                      idle_o
);

  `LPU_VERIFY_TOP #(
    .Rows(Rows), .Cols(Cols), .Lines(Lines), .PassesMax(PassesMax), .OutLanes(OutLanes), .Code(Code)
  ) u_array (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .cmd_valid_i  (cmd_valid_i),
    .cmd_ready_o  (cmd_ready_o),
    .cmd_lines_i  (cmd_lines_i),
    .cmd_rows_i   (cmd_rows_i),
    .cmd_passes_i (cmd_passes_i),
    .cmd_accum_i  (cmd_accum_i),
    .cmd_column_i (cmd_column_i),
    .cmd_last_i   (cmd_last_i),
    .w_valid_i    (w_valid_i),
    .w_ready_o    (w_ready_o),
    .w_data_i     (w_data_i),
    .x_valid_i    (x_valid_i),
    .x_ready_o    (x_ready_o),
    .x_data_i     (x_data_i),
    .y_valid_o    (y_valid_o),
    .y_ready_i    (y_ready_i),
    .y_data_o     (y_data_o),
    .idle_o       (idle_o)
  );

endmodule

`default_nettype wire
