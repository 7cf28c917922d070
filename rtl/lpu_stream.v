// Stream engine: descriptors to bursts of memory, bursts to the FIFO and to the scratchpad.
//
//   queue of descriptors --> walk --> AR --> memory --> R --> FIFO, scratchpad (load)
//                              |                        |
//                              +-----> ring of bursts <-+ done; the oldest first are counted
//
// A burst is requested only if the ring and the FIFO have room for it, and with the request its bytes
// have their place: R never waits. A fenced descriptor waits in the queue until every store that
// was pushed before it has retired.
//
// Timing    a descriptor pushed in cycle t is walked from t + 2, its first burst is on AR from t + 3;
//           see lpu_stream_ring for the way back. What is counted in cycle t is at fifo_bytes_o from
//           t + 1; bytes taken in cycle t are at fifo_data_o in t + 1
// Widths    BusBytes, BurstBytes and FifoBytes are powers of two, BusBytes <= BurstBytes <= FifoBytes and
//           <= 256 BusBytes; FifoBytes as lpu_fifo wants it; Outstanding and StreamQueue 2 at least
// Model     sim/unit_stream.c
// Tests     tests/top/stream_test.sh, tests/formal/stream_test.sh
`default_nettype none
`include "lpu_assert.vh"
`include "lpu_insn.vh"

module lpu_stream #(
  parameter BusBytes    = 8,
  parameter BurstBytes  = 32,
  parameter Outstanding = 16,
  parameter StreamQueue = 16,
  parameter FifoBytes   = 4096,
  parameter FillBytes   = 2,
  parameter AddrBits    = 40,
  parameter TagBits     = 34,
  parameter IdBits      = $clog2(Outstanding),
  parameter FifoBits    = $clog2(FifoBytes + 1),
  parameter TakeBits    = $clog2(FillBytes + 1),
  parameter CountBits   = $clog2(BusBytes + 1)
) (
  input  wire                   clk_i,
  input  wire                   rst_ni,         // active low; asserts asynchronously

  // Instructions
  input  wire                   push_valid_i,
  output wire                   push_ready_o,
  input  wire [511:0]           push_insn_i,
  input  wire [31:0]            push_dst_i,     // scratchpad address of buffer dst
  input  wire [TagBits-1:0]     push_tag_i,
  output wire                   ret_valid_o,
  output wire [TagBits-1:0]     ret_tag_o,
  input  wire [3:0]             stores_pending_i,

  // Memory: AXI4
  output wire                   m_axi_arvalid_o,
  input  wire                   m_axi_arready_i,
  output wire [AddrBits-1:0]    m_axi_araddr_o,
  output wire [IdBits-1:0]      m_axi_arid_o,
  output wire [7:0]             m_axi_arlen_o,
  input  wire                   m_axi_rvalid_i,
  output wire                   m_axi_rready_o,
  input  wire [8*BusBytes-1:0]  m_axi_rdata_i,
  input  wire [IdBits-1:0]      m_axi_rid_i,
  input  wire [1:0]             m_axi_rresp_i,
  input  wire                   m_axi_rlast_i,

  // FIFO to the product unit
  output wire [FifoBits-1:0]    fifo_bytes_o,   // in order, and not taken
  input  wire [TakeBits-1:0]    fifo_take_i,
  output wire [8*FillBytes-1:0] fifo_data_o,

  // Loads to the scratchpad
  output wire                   ld_wvalid_o,
  output wire [31:0]            ld_waddr_o,
  output wire [CountBits-1:0]   ld_wbytes_o,
  output wire [8*BusBytes-1:0]  ld_wdata_o,

  // Events
  output reg                    ev_resp_error_o
);

  localparam Beats     = BurstBytes / BusBytes;
  localparam BurstLog  = $clog2(BurstBytes);
  localparam PlaceBits = $clog2(FifoBytes);
  localparam SlotBits  = $clog2(StreamQueue);
  localparam UsedBits  = $clog2(StreamQueue + 1);
  localparam EntryBits = AddrBits + 130;
  localparam [31:0] LastBeat = Beats - 1, Fifo = FifoBytes, QueueCount = StreamQueue,
                    LastSlot = StreamQueue - 1;
  localparam [UsedBits-1:0] None = {UsedBits{1'b0}};

  ///////////
  // Queue //
  ///////////

  reg  [EntryBits-1:0] entries_q [0:StreamQueue-1];
  reg  [TagBits-1:0]   tags_q [0:StreamQueue-1];
  reg  [UsedBits-1:0]  count_q, waiting_q;      // not retired; not fetched by the walk
  reg  [SlotBits-1:0]  first_q, fetch_q, push_q; // oldest; next to fetch; next free

  wire [AddrBits-1:0]  entry_addr;
  wire [31:0]          entry_seg_bytes, entry_segs, entry_stride, entry_place;
  wire                 entry_stream, entry_fence;

  function [SlotBits-1:0] after(input [SlotBits-1:0] slot);
    after = slot == LastSlot[SlotBits-1:0] ? {SlotBits{1'b0}} : slot + 1'b1;
  endfunction

  assign push_ready_o = count_q != QueueCount[UsedBits-1:0];
  assign {entry_addr, entry_seg_bytes, entry_segs, entry_stride, entry_place, entry_stream,
          entry_fence} = entries_q[fetch_q];

  wire        push       = push_valid_i && push_ready_o;
  wire        is_stream  = push_insn_i[`LPU_F_OP] == `LPU_OP_STREAM;
  wire [31:0] push_place = push_dst_i + push_insn_i[`LPU_F_D_OFF];

  always @(posedge clk_i) begin
    if (push) begin
      entries_q[push_q] <= {push_insn_i[192 +: AddrBits], push_insn_i[`LPU_F_SEG_BYTES],
                            push_insn_i[`LPU_F_SEGS], push_insn_i[`LPU_F_STRIDE], push_place,
                            is_stream, push_insn_i[`LPU_FLAG_FENCE]};
      tags_q[push_q]    <= push_tag_i;
    end
  end

  //////////////
  // Requests //
  //////////////

  reg                  walking_q, stream_q;     // a descriptor is in the walk; it is a stream
  reg  [31:0]          load_place_q;            // of the next byte of a load
  reg  [PlaceBits-1:0] fifo_place_q;            // and of a stream
  reg  [FifoBits-1:0]  fifo_bytes_q, reserved_q; // counted and not taken; and those requested
  reg                  ar_valid_q;
  reg  [AddrBits-1:0]  ar_addr_q;
  reg  [IdBits-1:0]    ar_id_q;

  wire [AddrBits-1:0]  burst_addr;
  wire [BurstLog-1:0]  skip;
  wire [BurstLog:0]    useful;
  wire                 burst_last, ring_ready;
  wire [IdBits-1:0]    ring_slot;

  wire [FifoBits:0]    after_ask = {1'b0, reserved_q} + {{(FifoBits-BurstLog){1'b0}}, useful};
  wire                 has_room  = !stream_q || after_ask <= Fifo[FifoBits:0];
  wire                 ask       = walking_q && ring_ready && has_room &&
                                   (!ar_valid_q || m_axi_arready_i);
  wire                 finish    = ask && burst_last;
  wire                 is_held   = entry_fence && stores_pending_i != 4'd0;
  wire                 fetch     = waiting_q != None && !is_held && (!walking_q || finish);

  lpu_walk #(.BurstBytes(BurstBytes), .AddrBits(AddrBits)) u_walk (
    .clk_i       (clk_i),
    .load_i      (fetch),
    .addr_i      (entry_addr),
    .seg_bytes_i (entry_seg_bytes),
    .segs_i      (entry_segs),
    .stride_i    (entry_stride),
    .step_i      (ask),
    .address_o   (burst_addr),
    .skip_o      (skip),
    .useful_o    (useful),
    .last_o      (burst_last)
  );

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      walking_q  <= 1'b0;
      ar_valid_q <= 1'b0;
    end else begin
      if (!walking_q || finish) walking_q <= fetch;
      if (ask)                  ar_valid_q <= 1'b1;
      else if (m_axi_arready_i) ar_valid_q <= 1'b0;
    end
  end

  // Data needs no reset.
  always @(posedge clk_i) begin
    if (ask) begin
      ar_addr_q <= burst_addr;
      ar_id_q   <= ring_slot;
    end
    if (fetch) begin
      stream_q     <= entry_stream;
      load_place_q <= entry_place;
    end else if (ask) begin
      load_place_q <= load_place_q + {{(31-BurstLog){1'b0}}, useful};
    end
  end

  assign m_axi_arvalid_o = ar_valid_q;
  assign m_axi_araddr_o  = ar_addr_q;
  assign m_axi_arid_o    = ar_id_q;
  assign m_axi_arlen_o   = LastBeat[7:0];
  assign m_axi_rready_o  = 1'b1;

  //////////////
  // Arrivals //
  //////////////

  wire                  write, write_stream, retire;
  wire [31:0]           write_place;
  wire [CountBits-1:0]  write_bytes;
  wire [8*BusBytes-1:0] write_data;
  wire [BurstLog+1:0]   counted;
  wire [31:0]           ask_place = stream_q ? {{(32-PlaceBits){1'b0}}, fifo_place_q} : load_place_q;

  lpu_stream_ring #(
    .BusBytes(BusBytes), .BurstBytes(BurstBytes), .Slots(Outstanding)
  ) u_ring (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .ask_ready_o    (ring_ready),
    .ask_i          (ask),
    .ask_slot_o     (ring_slot),
    .ask_place_i    (ask_place),
    .ask_skip_i     (skip),
    .ask_useful_i   (useful),
    .ask_stream_i   (stream_q),
    .ask_last_i     (burst_last),
    .beat_i         (m_axi_rvalid_i),
    .beat_slot_i    (m_axi_rid_i),
    .beat_last_i    (m_axi_rlast_i),
    .beat_data_i    (m_axi_rdata_i),
    .write_o        (write),
    .write_stream_o (write_stream),
    .write_place_o  (write_place),
    .write_bytes_o  (write_bytes),
    .write_data_o   (write_data),
    .counted_o      (counted),
    .end_o          (retire)
  );

  lpu_fifo #(.FifoBytes(FifoBytes), .WriteBytes(BusBytes), .FillBytes(FillBytes)) u_fifo (
    .clk_i   (clk_i),
    .rst_ni  (rst_ni),
    .write_i (write && write_stream),
    .place_i (write_place[PlaceBits-1:0]),
    .bytes_i (write_bytes),
    .data_i  (write_data),
    .take_i  (fifo_take_i),
    .data_o  (fifo_data_o)
  );

  assign ld_wvalid_o = write && !write_stream;
  assign ld_waddr_o  = write_place;
  assign ld_wbytes_o = write_bytes;
  assign ld_wdata_o  = write_data;

  assign fifo_bytes_o = fifo_bytes_q;
  assign ret_valid_o  = retire;
  assign ret_tag_o    = tags_q[first_q];

  ////////////
  // Counts //
  ////////////

  wire                              ask_stream = ask && stream_q;
  wire [FifoBits+TakeBits-1:0]      take_wide  = {{FifoBits{1'b0}}, fifo_take_i};
  wire [FifoBits-1:0]               take       = take_wide[FifoBits-1:0];
  wire [FifoBits+BurstLog+1:0]      count_wide = {{FifoBits{1'b0}}, counted};
  wire [FifoBits-1:0]               asked      = ask_stream ? after_ask[FifoBits-1:0] : reserved_q;
  wire [PlaceBits+BurstLog:0]       place_wide = {{PlaceBits{1'b0}}, useful};

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      count_q         <= None;
      waiting_q       <= None;
      first_q         <= {SlotBits{1'b0}};
      fetch_q         <= {SlotBits{1'b0}};
      push_q          <= {SlotBits{1'b0}};
      fifo_place_q    <= {PlaceBits{1'b0}};
      fifo_bytes_q    <= {FifoBits{1'b0}};
      reserved_q      <= {FifoBits{1'b0}};
      ev_resp_error_o <= 1'b0;
    end else begin
      count_q         <= count_q + {{(UsedBits-1){1'b0}}, push} - {{(UsedBits-1){1'b0}}, retire};
      waiting_q       <= waiting_q + {{(UsedBits-1){1'b0}}, push} - {{(UsedBits-1){1'b0}}, fetch};
      if (retire) first_q <= after(first_q);
      if (fetch)  fetch_q <= after(fetch_q);
      if (push)   push_q  <= after(push_q);
      if (ask_stream) fifo_place_q <= fifo_place_q + place_wide[PlaceBits-1:0];
      fifo_bytes_q    <= fifo_bytes_q + count_wide[FifoBits-1:0] - take;
      reserved_q      <= asked - take;
      ev_resp_error_o <= m_axi_rvalid_i && m_axi_rresp_i[1];
    end
  end

  wire unused = &{1'b0, push_insn_i, m_axi_rresp_i[0], write_place,
                  take_wide[FifoBits+TakeBits-1:FifoBits],
                  count_wide[FifoBits+BurstLog+1:FifoBits],
                  place_wide[PlaceBits+BurstLog:PlaceBits]};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(no_push_when_full, !push_valid_i || push_ready_o)
  `LPU_ASSERT(no_take_of_nothing, take <= fifo_bytes_q)
  `LPU_ASSERT(reserved_fits, {1'b0, reserved_q} <= Fifo[FifoBits:0] && fifo_bytes_q <= reserved_q)

endmodule

`default_nettype wire
