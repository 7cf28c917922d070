// Store unit: cache rows and results from the scratchpad to memory.
//
//   queue of stores --> walk --> AW: the burst        --> memory --> B: in flight, one less
//                            --> scratchpad --> W: beat after beat
//
// A store retires when memory has answered for every burst. Bursts are whole and aligned; strobes
// say which bytes are meant. The scratchpad is read at the place that puts a byte into the lane of
// its address, so that nothing is shifted here.
//
// Timing    a store pushed in cycle t is walked from t + 2; a beat whose address is at the scratchpad
//           in cycle t is on W from t + 1, its burst on AW with the first; it retires in the cycle
//           after its last response, one store a cycle
// Widths    BusBytes and BurstBytes are powers of two, BusBytes <= BurstBytes <= 256 BusBytes; up to
//           2^InFlightBits - 1 bursts of one store are in flight
// Model     sim/unit_store.c
// Tests     tests/top/stream_test.sh, tests/formal/store_test.sh
`default_nettype none
`include "lpu_assert.vh"
`include "lpu_insn.vh"

module lpu_store #(
  parameter BusBytes     = 8,
  parameter BurstBytes   = 32,
  parameter AddrBits     = 40,
  parameter TagBits      = 34,
  parameter InFlightBits = 16
) (
  input  wire                   clk_i,
  input  wire                   rst_ni,         // active low; asserts asynchronously

  // Instructions
  input  wire                   push_valid_i,
  output wire                   push_ready_o,
  input  wire [511:0]           push_insn_i,
  input  wire [31:0]            push_a_i,       // scratchpad address of buffer a
  input  wire [TagBits-1:0]     push_tag_i,
  output wire                   ret_valid_o,
  output wire [TagBits-1:0]     ret_tag_o,
  output wire [3:0]             pending_o,      // pushed and not retired

  // Scratchpad: the beat's BusBytes, a cycle later
  output wire                   st_ren_o,
  output wire [31:0]            st_raddr_o,
  input  wire [8*BusBytes-1:0]  st_rdata_i,

  // Memory: AXI4
  output wire                   m_axi_awvalid_o,
  input  wire                   m_axi_awready_i,
  output wire [AddrBits-1:0]    m_axi_awaddr_o,
  output wire [2:0]             m_axi_awid_o,
  output wire [7:0]             m_axi_awlen_o,
  output wire                   m_axi_wvalid_o,
  input  wire                   m_axi_wready_i,
  output wire [8*BusBytes-1:0]  m_axi_wdata_o,
  output wire [BusBytes-1:0]    m_axi_wstrb_o,
  output wire                   m_axi_wlast_o,
  input  wire                   m_axi_bvalid_i,
  output wire                   m_axi_bready_o,
  input  wire [2:0]             m_axi_bid_i,
  input  wire [1:0]             m_axi_bresp_i,

  // Events
  output reg                    ev_resp_error_o
);

  localparam Queue     = 8;
  localparam Beats     = BurstBytes / BusBytes;
  localparam BurstLog  = $clog2(BurstBytes);
  localparam BusLog    = $clog2(BusBytes);
  localparam BeatBits  = Beats > 1 ? $clog2(Beats) : 1;
  localparam [31:0] LastBeat = Beats - 1;
  localparam EntryBits = AddrBits + 128;
  localparam [InFlightBits-1:0] None = {InFlightBits{1'b0}}, One = None + 1'b1;

  ///////////
  // Queue //
  ///////////

  reg  [EntryBits-1:0] entries_q [0:Queue-1];
  reg  [TagBits-1:0]   tags_q [0:Queue-1];
  reg  [3:0]           count_q, waiting_q;      // not retired; not fetched by the walk
  reg  [2:0]           first_q, fetch_q, walk_q; // oldest; next to fetch; in the walk
  reg  [3:0]           sent_q;                  // fully sent and not retired

  wire [31:0]          push_from = push_a_i + push_insn_i[`LPU_F_A_OFF];
  wire [2:0]           push_slot = first_q + count_q[2:0];
  wire [AddrBits-1:0]  entry_addr;
  wire [31:0]          entry_seg_bytes, entry_segs, entry_stride, entry_from;

  assign push_ready_o = !count_q[3];
  assign pending_o    = count_q;
  assign {entry_addr, entry_seg_bytes, entry_segs, entry_stride, entry_from} = entries_q[fetch_q];

  wire push = push_valid_i && push_ready_o;

  always @(posedge clk_i) begin
    if (push) begin
      entries_q[push_slot] <= {push_insn_i[192 +: AddrBits], push_insn_i[`LPU_F_SEG_BYTES],
                               push_insn_i[`LPU_F_SEGS], push_insn_i[`LPU_F_STRIDE], push_from};
      tags_q[push_slot]    <= push_tag_i;
    end
  end

  //////////
  // Walk //
  //////////

  reg                  walking_q;
  reg  [31:0]          from_q;                  // scratchpad address of the burst's first meant byte
  reg  [BeatBits-1:0]  beat_q;
  reg                  aw_valid_q, w_valid_q, w_last_q;
  reg  [AddrBits-1:0]  aw_addr_q;
  reg  [2:0]           aw_id_q;
  reg  [BusBytes-1:0]  w_strb_q;
  reg  [Queue-1:0]     is_full;                 // in flight: no further burst of it
  reg  [InFlightBits-1:0] in_flight_q [0:Queue-1];

  wire [AddrBits-1:0]  burst_addr;
  wire [BurstLog-1:0]  skip;
  wire [BurstLog:0]    useful;
  wire                 burst_last;

  wire is_first   = beat_q == {BeatBits{1'b0}};
  wire is_end     = beat_q == LastBeat[BeatBits-1:0];
  wire send       = walking_q && (!w_valid_q || m_axi_wready_i) &&
                    (!is_first || ((!aw_valid_q || m_axi_awready_i) && !is_full[walk_q]));
  wire step       = send && is_end;
  wire finish     = step && burst_last;
  wire fetch      = waiting_q != 4'd0 && (!walking_q || finish);

  lpu_walk #(.BurstBytes(BurstBytes), .AddrBits(AddrBits)) u_walk (
    .clk_i       (clk_i),
    .load_i      (fetch),
    .addr_i      (entry_addr),
    .seg_bytes_i (entry_seg_bytes),
    .segs_i      (entry_segs),
    .stride_i    (entry_stride),
    .step_i      (step),
    .address_o   (burst_addr),
    .skip_o      (skip),
    .useful_o    (useful),
    .last_o      (burst_last)
  );

  // The beat's bytes are those from offset on of the burst.
  wire [31:0]           beat_wide = {{(32-BeatBits){1'b0}}, beat_q};
  wire [31:0]           offset    = Beats > 1 ? beat_wide << BusLog : 32'd0;
  wire [BurstLog:0]     meant_end = {1'b0, skip} + useful;
  reg  [BusBytes-1:0]   strobes;
  reg  [BurstLog:0]     at;
  integer b;

  always @* begin
    strobes = {BusBytes{1'b0}};
    at      = offset[BurstLog:0];
    for (b = 0; b < BusBytes; b = b + 1) begin
      strobes[b] = at >= {1'b0, skip} && at < meant_end;
      at         = at + 1'b1;
    end
  end

  assign st_ren_o   = send;
  assign st_raddr_o = from_q - {{(32-BurstLog){1'b0}}, skip} + offset;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      walking_q  <= 1'b0;
      beat_q     <= {BeatBits{1'b0}};
      aw_valid_q <= 1'b0;
      w_valid_q  <= 1'b0;
    end else begin
      if (!walking_q || finish) walking_q <= fetch;
      if (send) beat_q <= is_end ? {BeatBits{1'b0}} : beat_q + 1'b1;
      if (send && is_first)     aw_valid_q <= 1'b1;
      else if (m_axi_awready_i) aw_valid_q <= 1'b0;
      if (send)                 w_valid_q <= 1'b1;
      else if (m_axi_wready_i)  w_valid_q <= 1'b0;
    end
  end

  // Data needs no reset.
  always @(posedge clk_i) begin
    if (fetch)     from_q <= entry_from;
    else if (step) from_q <= from_q + {{(31-BurstLog){1'b0}}, useful};
    if (send && is_first) begin
      aw_addr_q <= burst_addr;
      aw_id_q   <= walk_q;
    end
    if (send) begin
      w_strb_q <= strobes;
      w_last_q <= is_end;
    end
  end

  assign m_axi_awvalid_o = aw_valid_q;
  assign m_axi_awaddr_o  = aw_addr_q;
  assign m_axi_awid_o    = aw_id_q;
  assign m_axi_awlen_o   = LastBeat[7:0];
  assign m_axi_wvalid_o  = w_valid_q;
  assign m_axi_wdata_o   = st_rdata_i;          // held by the scratchpad until the next read
  assign m_axi_wstrb_o   = w_strb_q;
  assign m_axi_wlast_o   = w_last_q;

  ///////////////
  // Responses //
  ///////////////

  wire begins = send && is_first;
  wire retire = sent_q != 4'd0 && in_flight_q[first_q] == None;
  integer s;

  assign m_axi_bready_o = 1'b1;
  assign ret_valid_o    = retire;
  assign ret_tag_o      = tags_q[first_q];

  always @* begin
    for (s = 0; s < Queue; s = s + 1) is_full[s] = &in_flight_q[s];
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (s = 0; s < Queue; s = s + 1) in_flight_q[s] <= None;
    end else begin
      for (s = 0; s < Queue; s = s + 1)
        in_flight_q[s] <= in_flight_q[s] + (begins && walk_q == s[2:0] ? One : None) -
                          (m_axi_bvalid_i && m_axi_bid_i == s[2:0] ? One : None);
    end
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q         <= 4'd0;
      waiting_q       <= 4'd0;
      sent_q          <= 4'd0;
      first_q         <= 3'd0;
      fetch_q         <= 3'd0;
      walk_q          <= 3'd0;
      ev_resp_error_o <= 1'b0;
    end else begin
      count_q         <= count_q + {3'd0, push} - {3'd0, retire};
      waiting_q       <= waiting_q + {3'd0, push} - {3'd0, fetch};
      sent_q          <= sent_q + {3'd0, finish} - {3'd0, retire};
      first_q         <= first_q + {2'd0, retire};
      fetch_q         <= fetch_q + {2'd0, fetch};
      if (fetch) walk_q <= fetch_q;
      ev_resp_error_o <= m_axi_bvalid_i && m_axi_bresp_i[1];
    end
  end

  wire unused = &{1'b0, push_insn_i, m_axi_bresp_i[0], offset};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(no_push_when_full, !push_valid_i || push_ready_o)
  `LPU_ASSERT(no_response_unasked, !m_axi_bvalid_i || in_flight_q[m_axi_bid_i] != None)

endmodule

`default_nettype wire
