// Ring of the bursts that were requested: where their bytes go, and which have come.
//
//   request --> slot: place, skipped and meant bytes     oldest slots that are done --> counted
//   R beat --> its slot --> bytes, shifted to the front, and their place
//
// Bursts may come back in any order, and their beats interleaved with those of others: every byte
// has its place from the beginning. What counts is the order of request.
//
// Timing    a beat taken in cycle t is at the write outputs in t + 2; its burst, if that was its last
//           beat, is counted from t + 2 on: two bursts a cycle, one end of a descriptor
// Widths    BusBytes and BurstBytes are powers of two, BusBytes <= BurstBytes; Slots is any, 2 at least
// Model     sim/unit_stream.c: ask, lpu_stream_arrive, count_arrived
// Tests     tests/top/stream_test.sh, tests/formal/stream_test.sh
`default_nettype none
`include "lpu_assert.vh"

module lpu_stream_ring #(
  parameter BusBytes   = 8,
  parameter BurstBytes = 32,
  parameter Slots      = 16,
  parameter SlotBits   = $clog2(Slots),
  parameter BurstLog   = $clog2(BurstBytes),
  parameter CountBits  = $clog2(BusBytes + 1)
) (
  input  wire                   clk_i,
  input  wire                   rst_ni,         // active low; asserts asynchronously

  // A request takes the next slot
  output wire                   ask_ready_o,
  input  wire                   ask_i,
  output wire [SlotBits-1:0]    ask_slot_o,
  input  wire [31:0]            ask_place_i,    // of the first byte that is meant
  input  wire [BurstLog-1:0]    ask_skip_i,     // bytes before it
  input  wire [BurstLog:0]      ask_useful_i,   // bytes that are meant
  input  wire                   ask_stream_i,   // to the FIFO, else to the scratchpad
  input  wire                   ask_last_i,     // of its descriptor

  // A beat of R
  input  wire                   beat_i,
  input  wire [SlotBits-1:0]    beat_slot_i,
  input  wire                   beat_last_i,
  input  wire [8*BusBytes-1:0]  beat_data_i,

  // Bytes to write
  output reg                    write_o,
  output reg                    write_stream_o,
  output reg  [31:0]            write_place_o,
  output reg  [CountBits-1:0]   write_bytes_o,
  output reg  [8*BusBytes-1:0]  write_data_o,

  // What leaves the ring in this cycle
  output wire [BurstLog+1:0]    counted_o,      // bytes of the FIFO
  output wire                   end_o           // of the oldest descriptor
);

  localparam Beats    = BurstBytes / BusBytes;
  localparam BusLog   = $clog2(BusBytes);
  localparam BeatBits = Beats > 1 ? $clog2(Beats) : 1;
  localparam UsedBits = $clog2(Slots + 1);
  localparam KindBits = BurstLog + 3;
  localparam [31:0] SlotCount = Slots, LastSlot = Slots - 1, Bus = BusBytes;
  localparam [UsedBits-1:0] Two = {{(UsedBits-1){1'b0}}, 1'b1} << 1;

  reg  [31:0]          places_q [0:Slots-1];
  reg  [BurstLog-1:0]  skips_q [0:Slots-1];
  reg  [KindBits-1:0]  kinds_q [0:Slots-1];     // stream, last, useful
  reg  [Slots-1:0]     done_q;
  reg  [SlotBits-1:0]  head_q, tail_q;          // the oldest; the next
  reg  [UsedBits-1:0]  used_q;

  function [SlotBits-1:0] after(input [SlotBits-1:0] slot);
    after = slot == LastSlot[SlotBits-1:0] ? {SlotBits{1'b0}} : slot + 1'b1;
  endfunction

  assign ask_ready_o = used_q != SlotCount[UsedBits-1:0];
  assign ask_slot_o  = tail_q;

  always @(posedge clk_i) begin
    if (ask_i) begin
      places_q[tail_q] <= ask_place_i;
      skips_q[tail_q]  <= ask_skip_i;
      kinds_q[tail_q]  <= {ask_stream_i, ask_last_i, ask_useful_i};
    end
  end

  ///////////
  // Beats //
  ///////////

  reg                   beat_q, beat_last_q;
  reg  [SlotBits-1:0]   beat_slot_q;
  reg  [8*BusBytes-1:0] beat_data_q;
  wire [BurstLog:0]     offset;                 // of the beat's first byte in its burst

  generate
    if (Beats > 1) begin : gen_beats
      reg [BeatBits-1:0] beats_q [0:Slots-1];   // next beat of each burst
      wire [BurstLog:0]  number = {{(BurstLog+1-BeatBits){1'b0}}, beats_q[beat_slot_q]};

      assign offset = number << BusLog;
      always @(posedge clk_i) begin
        if (ask_i)  beats_q[tail_q]      <= {BeatBits{1'b0}};
        if (beat_q) beats_q[beat_slot_q] <= beats_q[beat_slot_q] + 1'b1;
      end
    end else begin : gen_whole
      assign offset = {(BurstLog+1){1'b0}};
    end
  endgenerate

  // Of the burst, bytes [begin, end) are meant; of the beat, those from low on.
  wire [KindBits-1:0]   kind       = kinds_q[beat_slot_q];
  wire [BurstLog:0]     meant      = {1'b0, skips_q[beat_slot_q]};
  wire [BurstLog:0]     meant_end  = meant + kind[BurstLog:0];
  wire [BurstLog:0]     offset_end = offset + Bus[BurstLog:0];
  wire [BurstLog:0]     from       = meant > offset ? meant : offset;
  wire [BurstLog:0]     to         = meant_end < offset_end ? meant_end : offset_end;
  wire [BurstLog:0]     bytes      = to - from;
  wire [BurstLog:0]     low        = from - offset;
  wire [BurstLog:0]     ahead      = from - meant; // meant bytes of earlier beats

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beat_q  <= 1'b0;
      write_o <= 1'b0;
    end else begin
      beat_q  <= beat_i;
      write_o <= beat_q && to > from;
    end
  end

  // Data needs no reset.
  always @(posedge clk_i) begin
    if (beat_i) begin
      beat_slot_q <= beat_slot_i;
      beat_last_q <= beat_last_i;
      beat_data_q <= beat_data_i;
    end
    if (beat_q) begin
      write_stream_o <= kind[BurstLog+2];
      write_place_o  <= places_q[beat_slot_q] + {{(31-BurstLog){1'b0}}, ahead};
      write_bytes_o  <= bytes[CountBits-1:0];
      write_data_o   <= beat_data_q >> {low, 3'd0};
    end
  end

  //////////////
  // Counting //
  //////////////

  wire [SlotBits-1:0] second    = after(head_q);
  wire [KindBits-1:0] kind0     = kinds_q[head_q];
  wire [KindBits-1:0] kind1     = kinds_q[second];
  wire                last0     = kind0[BurstLog+1];
  wire                last1     = kind1[BurstLog+1];
  wire                leave0    = used_q != {UsedBits{1'b0}} && done_q[head_q];
  wire                leave1    = leave0 && used_q >= Two && done_q[second] && !(last0 && last1);
  wire [BurstLog+1:0] counted0  = leave0 && kind0[BurstLog+2] ? {1'b0, kind0[BurstLog:0]} :
                                                                {(BurstLog+2){1'b0}};
  wire [BurstLog+1:0] counted1  = leave1 && kind1[BurstLog+2] ? {1'b0, kind1[BurstLog:0]} :
                                                                {(BurstLog+2){1'b0}};
  wire [1:0]          leaving   = {leave1, leave0 && !leave1};

  assign counted_o = counted0 + counted1;
  assign end_o     = (leave0 && last0) || (leave1 && last1);

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      done_q <= {Slots{1'b0}};
      head_q <= {SlotBits{1'b0}};
      tail_q <= {SlotBits{1'b0}};
      used_q <= {UsedBits{1'b0}};
    end else begin
      if (ask_i) begin
        done_q[tail_q] <= 1'b0;
        tail_q         <= after(tail_q);
      end
      if (beat_q && beat_last_q) done_q[beat_slot_q] <= 1'b1;
      if (leave1)      head_q <= after(second);
      else if (leave0) head_q <= second;
      used_q <= used_q + {{(UsedBits-1){1'b0}}, ask_i} - {{(UsedBits-2){1'b0}}, leaving};
    end
  end

  wire unused = &{1'b0, bytes, low};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(no_ask_when_full, !ask_i || ask_ready_o)
  `LPU_ASSERT(never_over_full, used_q <= SlotCount[UsedBits-1:0])
  `LPU_ASSERT(no_beat_unasked, !beat_q || used_q != {UsedBits{1'b0}})

endmodule

`default_nettype wire
