// Walk: the segments of a stream, load or store, one burst of memory after another.
//
// Timing    the burst is at the outputs from the cycle after load_i or step_i; nothing is registered
//           behind the adders, so that a burst may leave in every cycle
// Widths    BurstBytes is a power of two; AddrBits at least 32; a walk past the end of memory wraps
// Model     sim/unit_stream.c: lpu_walk_next
// Tests     tests/top/stream_test.sh
`default_nettype none

module lpu_walk #(
  parameter BurstBytes = 64,
  parameter AddrBits   = 40,
  parameter BurstLog   = $clog2(BurstBytes)
) (
  input  wire                clk_i,

  // A descriptor; its first burst is next
  input  wire                load_i,
  input  wire [AddrBits-1:0] addr_i,
  input  wire [31:0]         seg_bytes_i,       // not 0
  input  wire [31:0]         segs_i,            // not 0
  input  wire [31:0]         stride_i,

  // The burst
  input  wire                step_i,            // to the next one
  output wire [AddrBits-1:0] address_o,         // of its first byte
  output wire [BurstLog-1:0] skip_o,            // bytes before the first that is meant
  output wire [BurstLog:0]   useful_o,          // bytes that are meant
  output wire                last_o             // of the descriptor
);

  localparam [31:0] Burst = BurstBytes;

  // No reset: what was loaded is said by the user of the walk.
  reg  [AddrBits-1:0] at_q, seg_at_q;           // next byte; first of its segment
  reg  [31:0]         left_q, seg_bytes_q, segs_q, stride_q;

  wire [BurstLog:0]   room      = Burst[BurstLog:0] - {1'b0, at_q[BurstLog-1:0]};
  wire                is_short  = left_q[31:BurstLog+1] == {(31-BurstLog){1'b0}} &&
                                  left_q[BurstLog:0] <= room; // the segment ends in this burst
  wire [AddrBits-1:0] next_seg  = seg_at_q + {{(AddrBits-32){1'b0}}, stride_q};
  wire [AddrBits-BurstLog-1:0] next_burst = at_q[AddrBits-1:BurstLog] + 1'b1;

  assign address_o = {at_q[AddrBits-1:BurstLog], {BurstLog{1'b0}}};
  assign skip_o    = at_q[BurstLog-1:0];
  assign useful_o  = is_short ? left_q[BurstLog:0] : room;
  assign last_o    = is_short && segs_q == 32'd1;

  always @(posedge clk_i) begin
    if (load_i) begin
      at_q        <= addr_i;
      seg_at_q    <= addr_i;
      left_q      <= seg_bytes_i;
      seg_bytes_q <= seg_bytes_i;
      segs_q      <= segs_i;
      stride_q    <= stride_i;
    end else if (step_i && is_short) begin
      at_q        <= next_seg;
      seg_at_q    <= next_seg;
      left_q      <= seg_bytes_q;
      segs_q      <= segs_q - 32'd1;
    end else if (step_i) begin
      at_q        <= {next_burst, {BurstLog{1'b0}}};
      left_q      <= left_q - {{(31-BurstLog){1'b0}}, room};
    end
  end

endmodule

`default_nettype wire
