// One row of the tile, twice: the shadow is written beat by beat, the active one feeds the lanes.
//
// Timing    a write is in the shadow one cycle later; copy_i brings the shadow, as it was before that
//           clock, into the active row. Shadow digits that copy_mask_i does not keep become zeros.
// Widths    Cols digits of two bits: nz, neg.
// Model     sim/unit_array.c: values.shadow, values.active
// Tests     tests/lockstep (rows, columns and ragged tiles)
`default_nettype none

module lpu_tile #(
  parameter Cols  = 10,
  parameter Lines = 1                           // columns in a beat of columns
) (
  input  wire                      clk_i,

  // Writes into the shadow: the whole row, or Lines digits of it
  input  wire                      row_en_i,
  input  wire        [Cols-1:0]    row_nz_i,
  input  wire        [Cols-1:0]    row_neg_i,
  input  wire                      column_en_i,
  input  wire        [Cols-1:0]    column_mask_i,
  input  wire        [Lines-1:0]   column_nz_i,
  input  wire        [Lines-1:0]   column_neg_i,

  // Shadow to active
  input  wire                      copy_i,
  input  wire        [Cols-1:0]    copy_mask_i,
  output reg         [Cols-1:0]    nz_o,
  output reg         [Cols-1:0]    neg_o
);

  // Line l of a beat of columns goes to a column c with c mod Lines = l.
  localparam Copies = (Cols + Lines - 1) / Lines;
  localparam Spread = Copies * Lines;

  reg  [Cols-1:0]   shadow_nz_q, shadow_neg_q;

  wire [Spread-1:0] spread_nz  = {Copies{column_nz_i}};
  wire [Spread-1:0] spread_neg = {Copies{column_neg_i}};

  // The last copy is cut where Cols is no multiple of Lines.
  wire unused = &{1'b0, spread_nz, spread_neg};

  // Data needs no reset: a tile is copied only after all that its mask keeps was written.
  always @(posedge clk_i) begin
    if (row_en_i) begin
      shadow_nz_q  <= row_nz_i;
      shadow_neg_q <= row_neg_i;
    end else if (column_en_i) begin
      shadow_nz_q  <= (shadow_nz_q  & ~column_mask_i) | (spread_nz[Cols-1:0]  & column_mask_i);
      shadow_neg_q <= (shadow_neg_q & ~column_mask_i) | (spread_neg[Cols-1:0] & column_mask_i);
    end
    if (copy_i) begin
      nz_o  <= shadow_nz_q  & copy_mask_i;
      neg_o <= shadow_neg_q & copy_mask_i;
    end
  end

endmodule

`default_nettype wire
