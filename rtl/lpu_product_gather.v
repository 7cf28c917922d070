// Gather: bytes of the FIFO into beats of Lines lines, one buffer filling while the other is given.
//
//   tiles --> [queue 4] --> bytes the present beat lacks --> take
//   FIFO --> turned to their place --> buffer 0 or 1 --> cut into lines --> array
//
// Timing    t      bytes are taken
//           t + 1  they are at fifo_data_i; into the buffer at its end
//           t + 2  if they made the beat whole, it is given to the array
//           A beat in every cycle, if FillBytes and the FIFO have it. Bytes of a new beat are taken only
//           if one of the buffers is free, or becomes free in the cycle.
// Widths    a line has LineBytes at most; what it does not fill is zeros of the code
// Model     sim/unit_tiles.c: gather, finish_beat
// Tests     tests/top/product_test.sh
`default_nettype none
`include "lpu_assert.vh"

module lpu_product_gather #(
  parameter Rows       = 8,
  parameter Cols       = 10,
  parameter Lines      = 1,
  parameter Code       = 0,
  parameter FifoBytes  = 1024,
  parameter FillBytes  = 2,
  parameter LineDigits = Rows > Cols ? Rows : Cols,
  parameter Digits     = Code == 0 ? 5 : Code == 1 ? 4 : 8,
  parameter LineBytes  = (LineDigits + Digits - 1) / Digits,
  parameter LineBits   = $clog2(LineBytes + 1),
  parameter CountBits  = $clog2(LineDigits + 1),
  parameter FifoBits   = $clog2(FifoBytes + 1),
  parameter TakeBits   = $clog2(FillBytes + 1)
) (
  input  wire                         clk_i,
  input  wire                         rst_ni,   // active low; asserts asynchronously

  // Tiles
  input  wire                         tile_valid_i,
  output wire                         tile_ready_o,
  input  wire [CountBits-1:0]         tile_lines_i,
  input  wire [LineBits-1:0]          tile_line_bytes_i,

  // FIFO
  input  wire [FifoBits-1:0]          fifo_bytes_i,
  output wire [TakeBits-1:0]          fifo_take_o,
  input  wire [8*FillBytes-1:0]       fifo_data_i,

  // Beats
  output wire                         w_valid_o,
  input  wire                         w_ready_i,
  output wire [8*LineBytes*Lines-1:0] w_data_o,

  // Events
  output wire                         ev_fill_o,  // a tile is not all gathered
  output wire                         ev_short_o  // the FIFO has less than the gather would take
);

  localparam BeatBytes = Lines * LineBytes;
  localparam BeatBits  = $clog2(BeatBytes + 1) > LineBits ? $clog2(BeatBytes + 1) : LineBits + 1;
  localparam WideBits  = BeatBits > FifoBits ? BeatBits : FifoBits;
  localparam AllBits   = WideBits > TakeBits ? WideBits : TakeBits;
  localparam [31:0]        LinesNumber = Lines;
  localparam [31:0]        FillNumber  = FillBytes;
  localparam [AllBits-1:0] FillMost    = FillNumber[AllBits-1:0];

  ////////////////////
  // Tiles in queue //
  ////////////////////

  reg  [2:0]             count_q;               // tiles; the first has lines0_q left
  reg  [CountBits-1:0]   lines0_q, lines1_q, lines2_q, lines3_q;
  reg  [LineBits-1:0]    bytes0_q, bytes1_q, bytes2_q, bytes3_q; // of a line

  wire                   whole;                 // the last bytes of a beat are taken
  wire                   is_last = {1'b0, lines0_q} <= LinesNumber[CountBits:0];
  wire                   pop     = whole && is_last;
  wire                   push    = tile_valid_i && tile_ready_o;
  wire [2:0]             kept    = count_q - {2'b00, pop};
  wire                   behind  = pop && count_q != 3'd1; // the next tile is in the queue

  assign tile_ready_o = !count_q[2];

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) count_q <= 3'd0;
    else         count_q <= kept + {2'b00, push};
  end

  // The first tile after this cycle.
  wire [CountBits-1:0] lines_d = whole && !is_last ? lines0_q - LinesNumber[CountBits-1:0] :
                                 behind            ? lines1_q :
                                 kept == 3'd0      ? tile_lines_i : lines0_q;
  wire [LineBits-1:0]  bytes_d = behind       ? bytes1_q :
                                 kept == 3'd0 ? tile_line_bytes_i : bytes0_q;

  // Data needs no reset: count_q says what is valid.
  always @(posedge clk_i) begin
    lines0_q <= lines_d;
    bytes0_q <= bytes_d;
    if (kept == 3'd1 && push) lines1_q <= tile_lines_i;
    else if (pop)             lines1_q <= lines2_q;
    if (kept == 3'd2 && push) lines2_q <= tile_lines_i;
    else if (pop)             lines2_q <= lines3_q;
    if (kept == 3'd3 && push) lines3_q <= tile_lines_i;
    if (kept == 3'd1 && push) bytes1_q <= tile_line_bytes_i;
    else if (pop)             bytes1_q <= bytes2_q;
    if (kept == 3'd2 && push) bytes2_q <= tile_line_bytes_i;
    else if (pop)             bytes2_q <= bytes3_q;
    if (kept == 3'd3 && push) bytes3_q <= tile_line_bytes_i;
  end

  // Bytes of its next beat: as many lines as are left, Lines at most.
  wire [(Lines+1)*BeatBits-1:0] beat_times;
  reg  [BeatBits-1:0]           beat_bytes;
  integer                       i;

  lpu_product_times #(.Count(Lines), .InBits(LineBits), .OutBits(BeatBits)) u_beat (
    .number_i (bytes_d),
    .times_o  (beat_times)
  );

  always @* begin
    beat_bytes = beat_times[Lines*BeatBits +: BeatBits];
    for (i = 0; i < Lines; i = i + 1)
      if (lines_d == i[CountBits-1:0]) beat_bytes = beat_times[i*BeatBits +: BeatBits];
  end

  //////////
  // Take //
  //////////

  reg  [BeatBits-1:0]  left_q;                  // bytes that the present beat lacks
  reg  [BeatBits-1:0]  at_q;                    // bytes that it has
  reg  [1:0]           beats_q;                 // whole, and not with the array

  wire                 sent = w_valid_o && w_ready_i;
  wire                 may  = count_q != 3'd0 && (!beats_q[1] || sent);
  wire [AllBits-1:0]   left = {{(AllBits-BeatBits){1'b0}}, left_q};
  wire [AllBits-1:0]   fifo = {{(AllBits-FifoBits){1'b0}}, fifo_bytes_i};
  wire [AllBits-1:0]   want = left < FillMost ? left : FillMost;
  wire [AllBits-1:0]   take = !may ? {AllBits{1'b0}} : want < fifo ? want : fifo;

  assign whole       = may && take == left;
  assign fifo_take_o = take[TakeBits-1:0];
  assign ev_fill_o   = count_q != 3'd0;
  assign ev_short_o  = may && fifo < want;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      left_q  <= {BeatBits{1'b0}};
      at_q    <= {BeatBits{1'b0}};
      beats_q <= 2'd0;
    end else begin
      left_q  <= whole || count_q == 3'd0 ? beat_bytes : left_q - take[BeatBits-1:0];
      at_q    <= whole ? {BeatBits{1'b0}} : at_q + take[BeatBits-1:0];
      beats_q <= beats_q - {1'b0, sent} + {1'b0, whole};
    end
  end

  //////////
  // Land //
  //////////

  reg                     land_q, land_whole_q; // bytes come; they make a beat whole
  reg  [BeatBits-1:0]     land_at_q;
  reg  [LineBits-1:0]     land_bytes_q;         // of the beat's lines
  reg                     write_q, read_q;      // buffer that fills, buffer that is given
  reg  [8*BeatBytes-1:0]  buffer0_q, buffer1_q;
  reg  [LineBits-1:0]     bytes_of0_q, bytes_of1_q;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      land_q       <= 1'b0;
      land_whole_q <= 1'b0;
      write_q      <= 1'b0;
      read_q       <= 1'b0;
    end else begin
      land_q       <= take != {AllBits{1'b0}};
      land_whole_q <= whole;
      if (land_whole_q) write_q <= !write_q;
      if (sent)         read_q  <= !read_q;
    end
  end

  wire [8*BeatBytes-1:0] data;
  wire [8*BeatBytes-1:0] placed = data << {land_at_q, 3'b000};
  genvar b;

  generate
    for (b = 0; b < BeatBytes; b = b + 1) begin : gen_byte
      localparam [31:0] Index = b;
      if (b < FillBytes) begin : gen_data
        assign data[8*b +: 8] = fifo_data_i[8*b +: 8];
      end else begin : gen_none
        assign data[8*b +: 8] = 8'd0;
      end

      wire en = land_q && Index[BeatBits-1:0] >= land_at_q;

      // What lands behind the beat's bytes now is overwritten by its next ones.
      always @(posedge clk_i) begin
        if (en && !write_q) buffer0_q[8*b +: 8] <= placed[8*b +: 8];
        if (en &&  write_q) buffer1_q[8*b +: 8] <= placed[8*b +: 8];
      end
    end
  endgenerate

  always @(posedge clk_i) begin
    land_at_q    <= at_q;
    land_bytes_q <= bytes0_q;
    if (land_q && !write_q) bytes_of0_q <= land_bytes_q;
    if (land_q &&  write_q) bytes_of1_q <= land_bytes_q;
  end

  //////////
  // Give //
  //////////

  wire [8*BeatBytes-1:0]       beat       = read_q ? buffer1_q : buffer0_q;
  wire [LineBits-1:0]          line_bytes = read_q ? bytes_of1_q : bytes_of0_q;
  wire [Lines*BeatBits-1:0]    line_at;         // where each line begins
  wire [7:0]                   zeros      = Code == 0 ? 8'd121 : 8'd0;
  wire [LineBytes-1:0]         is_filled;
  wire [Lines-1:0]             unused_line;
  genvar l;

  assign w_valid_o = beats_q != {1'b0, land_whole_q};

  generate
    for (b = 0; b < LineBytes; b = b + 1) begin : gen_filled
      localparam [31:0] Index = b;
      assign is_filled[b] = Index[LineBits-1:0] < line_bytes;
    end

    if (Lines == 1) begin : gen_one_line
      assign line_at = {BeatBits{1'b0}};
    end else begin : gen_lines
      lpu_product_times #(.Count(Lines - 1), .InBits(LineBits), .OutBits(BeatBits)) u_line (
        .number_i (line_bytes),
        .times_o  (line_at)
      );
    end

    for (l = 0; l < Lines; l = l + 1) begin : gen_line
      wire [8*(l+1)*LineBytes-1:0] turned =
        beat[8*(l+1)*LineBytes-1:0] >> {line_at[l*BeatBits +: BeatBits], 3'b000};

      assign unused_line[l] = &turned;
      for (b = 0; b < LineBytes; b = b + 1) begin : gen_out
        assign w_data_o[8*(l*LineBytes+b) +: 8] = is_filled[b] ? turned[8*b +: 8] : zeros;
      end
    end
  endgenerate

  wire unused = &{1'b0, take, fifo_data_i, unused_line};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(takes_what_is_there, take <= fifo)
  `LPU_ASSERT(two_buffers, beats_q != 2'd3)

endmodule

`default_nettype wire
