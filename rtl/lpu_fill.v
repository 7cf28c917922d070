// Fill: decodes a beat of packed lines and holds its digits for the write into the shadow tile.
//
// Timing    a beat given with take_i is in the wr_ registers one cycle later, and illegal with it.
//           adds_o counts the non-zero digits of the active tile from the cycle after swap_i.
// Widths    a line is LineBytes bytes, LineDigits of whose digits exist in the array.
// Model     sim/unit_array.c: fill_values
// Tests     tests/lockstep
`default_nettype none

module lpu_fill #(
  parameter Rows       = 8,
  parameter Cols       = 10,
  parameter Lines      = 1,
  parameter Code       = 0,
  parameter LineDigits = Rows > Cols ? Rows : Cols,
  parameter Digits     = Code == 0 ? 5 : Code == 1 ? 4 : 8,
  parameter LineBytes  = (LineDigits + Digits - 1) / Digits,
  parameter LineBits   = $clog2(LineDigits + 1),
  parameter AddsBits   = $clog2(Rows * Cols + 1)
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Beat
  input  wire                      take_i,
  input  wire        [8*LineBytes*Lines-1:0] beat_i,
  input  wire        [LineBits-1:0] line_i,     // tile line of the beat's first line
  input  wire        [LineBits-1:0] lines_i,    // lines that the tile fills
  input  wire                      column_i,    // lines are columns
  input  wire                      swap_i,      // the shadow becomes the active tile

  // Digits, registered; those that the tile does not fill are zeros
  output reg                       wr_row_o,
  output reg                       wr_column_o,
  output reg         [LineBits-1:0] wr_line_o,
  output reg         [Lines*LineDigits-1:0] wr_nz_o,
  output reg         [Lines*LineDigits-1:0] wr_neg_o,

  // Events
  output reg                       ev_illegal_o,
  output reg         [AddsBits-1:0] adds_o
);

  localparam RowBytes    = (Cols + Digits - 1) / Digits;
  localparam ColumnBytes = (Rows + Digits - 1) / Digits;

  wire [Lines*LineDigits-1:0] nz, neg;
  wire [Lines*LineBytes-1:0]  illegal;
  genvar l, b, d;

  generate
    for (l = 0; l < Lines; l = l + 1) begin : gen_line
      localparam [31:0] Offset = l;
      wire [LineBytes*Digits-1:0] line_nz, line_neg;
      wire is_filled = {1'b0, line_i} + Offset[LineBits:0] < {1'b0, lines_i};

      for (b = 0; b < LineBytes; b = b + 1) begin : gen_byte
        wire is_illegal;
        lpu_trit_decoder #(.Code(Code)) u_trit_decoder (
          .byte_i    (beat_i[8*(l*LineBytes+b) +: 8]),
          .nz_o      (line_nz[b*Digits +: Digits]),
          .neg_o     (line_neg[b*Digits +: Digits]),
          .illegal_o (is_illegal)
        );
        assign illegal[l*LineBytes+b] = is_illegal && is_filled &&
                                        (column_i ? b < ColumnBytes : b < RowBytes);
      end
      for (d = 0; d < LineDigits; d = d + 1) begin : gen_digit
        wire is_used = is_filled && (column_i ? d < Rows : d < Cols);
        assign nz[l*LineDigits+d]  = line_nz[d]  && is_used;
        assign neg[l*LineDigits+d] = line_neg[d] && is_used;
      end
      if (LineDigits < LineBytes * Digits) begin : gen_short
        // The last byte's digits beyond the array.
        wire unused = &{1'b0, line_nz[LineBytes*Digits-1:LineDigits],
                        line_neg[LineBytes*Digits-1:LineDigits]};
      end
    end
  endgenerate

  ///////////////////////////////
  // Count of non-zero digits  //
  ///////////////////////////////

  reg  [AddsBits-1:0] beat_adds, shadow_adds_q;
  integer k;

  always @* begin
    beat_adds = {AddsBits{1'b0}};
    for (k = 0; k < Lines * LineDigits; k = k + 1)
      beat_adds = beat_adds + {{(AddsBits-1){1'b0}}, wr_nz_o[k]};
  end

  wire                wr_any   = wr_row_o || wr_column_o;
  wire                wr_first = wr_line_o == {LineBits{1'b0}};
  wire [AddsBits-1:0] adds_d   = !wr_any  ? shadow_adds_q :
                                 wr_first ? beat_adds : shadow_adds_q + beat_adds;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_row_o      <= 1'b0;
      wr_column_o   <= 1'b0;
      ev_illegal_o  <= 1'b0;
      shadow_adds_q <= {AddsBits{1'b0}};
      adds_o        <= {AddsBits{1'b0}};
    end else begin
      wr_row_o      <= take_i && !column_i;
      wr_column_o   <= take_i &&  column_i;
      ev_illegal_o  <= take_i && |illegal;
      shadow_adds_q <= adds_d;
      if (swap_i) adds_o <= adds_d;
    end
  end

  // Data needs no reset.
  always @(posedge clk_i) begin
    if (take_i) begin
      wr_line_o <= line_i;
      wr_nz_o   <= nz;
      wr_neg_o  <= neg;
    end
  end

endmodule

`default_nettype wire
