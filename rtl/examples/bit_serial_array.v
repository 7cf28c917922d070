// Bit-serial array: an example of an array of one's own that `lpu verify` accepts. It takes the
// activations one bit at a time, eight cycles a vector, and has one tile, one bank and no queue.
//
//   partial[r] = ((b7 of x) * -2 + b6) * 2 + ... + b0,  b = sum over columns of w[r][c] * bit of x[c]
//
// Timing    one thing at a time: command, beats, vectors (take, 8 bits, accumulate), drain.
// Widths    those of rtl/lpu_array.v.
// Model     sim/unit_array.c in values and handshakes; it needs more cycles
// Tests     tests/cli/verify_test.sh
`default_nettype none

module bit_serial_array #(
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
  input  wire                             clk_i,
  input  wire                             rst_ni,

  input  wire                             cmd_valid_i,
  output wire                             cmd_ready_o,
  input  wire [LineBits-1:0]              cmd_lines_i,
  input  wire [RowBits-1:0]               cmd_rows_i,
  input  wire [PassBits-1:0]              cmd_passes_i,
  input  wire [1:0]                       cmd_accum_i,
  input  wire                             cmd_column_i,
  input  wire                             cmd_last_i,

  input  wire                             w_valid_i,
  output wire                             w_ready_o,
  input  wire [8*LineBytes*Lines-1:0]     w_data_i,

  input  wire                             x_valid_i,
  output wire                             x_ready_o,
  input  wire [8*Cols-1:0]                x_data_i,

  output wire                             y_valid_o,
  input  wire                             y_ready_i,
  output reg  [OutLanes*32-1:0]           y_data_o,

  output wire                             idle_o
);

  localparam [2:0] Idle = 0, Fill = 1, Take = 2, Bit = 3, Add = 4, Drain = 5;

  reg [2:0]         state_q;
  integer           line_q, pass_q, bit_q, row_q;
  integer           lines_q, rows_q, passes_q;
  reg [1:0]         accum_q;
  reg               column_q, last_q;
  reg [8*Cols-1:0]  x_q;
  reg [2*Rows*Cols-1:0]       tile_q;           // (row, column): {minus, not zero}
  reg [32*Rows-1:0]           partial_q;        // (row)
  reg [32*Rows*PassesMax-1:0] acc_q;            // (pass, row)

  assign cmd_ready_o = state_q == Idle;
  assign w_ready_o   = state_q == Fill;
  assign x_ready_o   = state_q == Take;
  assign y_valid_o   = state_q == Drain;
  assign idle_o      = state_q == Idle;

  // Digit `index` of a packed byte as {minus, not zero}; a byte that no digits have is zeros.
  function [1:0] digit;
    input [7:0] packed_i;
    input integer index;
    integer i, rest, power;
    begin
      digit = 2'b00;
      rest  = {24'd0, packed_i};
      power = 81;
      if (Code == 0 && packed_i < 8'd243) begin
        for (i = 4; i >= index; i = i - 1) begin
          digit = rest >= power + power ? 2'b01 : rest >= power ? 2'b00 : 2'b11;
          rest  = rest >= power + power ? rest - power - power : rest >= power ? rest - power : rest;
          power = power / 3;
        end
      end else if (Code == 1) begin
        digit = packed_i[2*index +: 2] == 2'b10 ? 2'b00 : packed_i[2*index +: 2];
      end else if (Code == 2) begin
        digit = packed_i[index] ? 2'b01 : 2'b11;
      end
    end
  endfunction

  // One bit of every activation against one row of the tile.
  function [31:0] count;
    input integer row;
    input integer position;
    integer c;
    begin
      count = 0;
      for (c = 0; c < Cols; c = c + 1)
        if (x_q[8*c+position] && tile_q[2*(row*Cols+c)])
          count = tile_q[2*(row*Cols+c)+1] ? count - 1 : count + 1;
    end
  endfunction

  integer l, d, r;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) state_q <= Idle;
    else case (state_q)
      Idle: if (cmd_valid_i) begin
        lines_q  <= {{(32-LineBits){1'b0}}, cmd_lines_i};
        rows_q   <= {{(32-RowBits){1'b0}}, cmd_rows_i};
        passes_q <= {{(32-PassBits){1'b0}}, cmd_passes_i};
        accum_q  <= cmd_accum_i;
        column_q <= cmd_column_i;
        last_q   <= cmd_last_i;
        line_q   <= 0;
        pass_q   <= 0;
        tile_q   <= {2*Rows*Cols{1'b0}};
        state_q  <= Fill;
      end

      Fill: if (w_valid_i) begin
        for (l = 0; l < Lines; l = l + 1)
          for (d = 0; d < LineDigits; d = d + 1)
            if (line_q + l < lines_q && d < (column_q ? Rows : Cols))
              tile_q[2*(column_q ? d*Cols+line_q+l : (line_q+l)*Cols+d) +: 2] <=
                digit(w_data_i[8*(l*LineBytes+d/Digits) +: 8], d % Digits);
        line_q <= line_q + Lines;
        if (line_q + Lines >= lines_q) state_q <= Take;
      end

      Take: if (x_valid_i) begin
        x_q   <= x_data_i;
        bit_q <= 7;
        partial_q <= {32*Rows{1'b0}};
        state_q   <= Bit;
      end

      Bit: begin                                // the first bit of a two's complement counts minus
        for (r = 0; r < Rows; r = r + 1)
          partial_q[32*r +: 32] <= (partial_q[32*r +: 32] << 1) + (bit_q == 7 ? -count(r, bit_q) : count(r, bit_q));
        bit_q <= bit_q - 1;
        if (bit_q == 0) state_q <= Add;
      end

      Add: begin
        for (r = 0; r < Rows; r = r + 1)
          acc_q[32*(pass_q*Rows+r) +: 32] <= partial_q[32*r +: 32] +
            (accum_q == 0 ? 0 : acc_q[32*(pass_q*Rows+r) +: 32]) +
            (accum_q == 2 ? acc_q[32*(pass_q*Rows+r) +: 32] << 1 : 0);
        pass_q  <= pass_q + 1;
        row_q   <= 0;
        state_q <= Take;
        if (pass_q + 1 == passes_q) begin
          pass_q  <= 0;
          state_q <= last_q ? Drain : Idle;
        end
      end

      default: if (y_ready_i) begin             // Drain
        row_q <= row_q + OutLanes;
        if (row_q + OutLanes >= rows_q) begin
          row_q  <= 0;
          pass_q <= pass_q + 1;
          if (pass_q + 1 == passes_q) state_q <= Idle;
        end
      end
    endcase
  end

  integer j;
  always @* begin
    for (j = 0; j < OutLanes; j = j + 1) y_data_o[32*j +: 32] = acc_q[32*(pass_q*Rows+row_q+j) +: 32];
  end

endmodule

`default_nettype wire
