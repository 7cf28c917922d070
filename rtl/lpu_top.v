// The LPU: programs of sim/isa.def from program memory, weights and cache over AXI4, no multiplier.
//
//   AXI4-Lite --> host --> program --> sequencer --+--> stream --> FIFO --> product (array)
//                                                  +--> vector unit <--> scratchpad <--> all units
//   AXI4 <-- guard <-- stream (reads)              +--> store
//                 <-- store (writes)
//
// Timing    that of sim/machine.c, cycle for cycle: an instruction issues in the cycle in which the
//           last thing that it waits for retires, and its unit sees it one cycle later
// Widths    VectorLanes is a power of two >= 8 and divides Rows; FifoBytes, BusBytes, BurstBytes
//           and ProgramDepth are powers of two, BusBytes <= BurstBytes
// Model     sim/machine.c (cycles), sim/exec.c (values)
// Tests     tests/top
`default_nettype none

module lpu_top #(
  parameter Rows         = 8,
  parameter Cols         = 10,
  parameter Lines        = 1,
  parameter PassesMax    = 8,
  parameter VectorLanes  = 8,
  parameter Code         = 0,                   // 0 base-3, 1 two bits
  parameter ScratchBytes = 65536,
  parameter FifoBytes    = 4096,
  parameter FillBytes    = 2,
  parameter BusBytes     = 8,
  parameter BurstBytes   = 32,
  parameter Outstanding  = 16,
  parameter StreamQueue  = 16,
  parameter ProgramDepth = 1024,
  parameter AddrBits     = 40,
  parameter PcBits       = $clog2(ProgramDepth),
  parameter IdBits       = $clog2(Outstanding)
) (
  input  wire                  clk_i,
  input  wire                  rst_ni,          // active low; asserts asynchronously

  // Host: AXI4-Lite, and an interrupt
  input  wire                  s_axil_awvalid_i,
  output wire                  s_axil_awready_o,
  input  wire [11:0]           s_axil_awaddr_i,
  input  wire                  s_axil_wvalid_i,
  output wire                  s_axil_wready_o,
  input  wire [31:0]           s_axil_wdata_i,
  input  wire [3:0]            s_axil_wstrb_i,
  output wire                  s_axil_bvalid_o,
  input  wire                  s_axil_bready_i,
  output wire [1:0]            s_axil_bresp_o,
  input  wire                  s_axil_arvalid_i,
  output wire                  s_axil_arready_o,
  input  wire [11:0]           s_axil_araddr_i,
  output wire                  s_axil_rvalid_o,
  input  wire                  s_axil_rready_i,
  output wire [31:0]           s_axil_rdata_o,
  output wire [1:0]            s_axil_rresp_o,
  output wire                  irq_o,

  // Memory, reads: AXI4
  output wire                  m_axi_arvalid_o,
  input  wire                  m_axi_arready_i,
  output wire [AddrBits-1:0]   m_axi_araddr_o,
  output wire [IdBits-1:0]     m_axi_arid_o,
  output wire [7:0]            m_axi_arlen_o,
  output wire [2:0]            m_axi_arsize_o,
  output wire [1:0]            m_axi_arburst_o,
  input  wire                  m_axi_rvalid_i,
  output wire                  m_axi_rready_o,
  input  wire [8*BusBytes-1:0] m_axi_rdata_i,
  input  wire [IdBits-1:0]     m_axi_rid_i,
  input  wire [1:0]            m_axi_rresp_i,
  input  wire                  m_axi_rlast_i,

  // Memory, writes: AXI4
  output wire                  m_axi_awvalid_o,
  input  wire                  m_axi_awready_i,
  output wire [AddrBits-1:0]   m_axi_awaddr_o,
  output wire [2:0]            m_axi_awid_o,
  output wire [7:0]            m_axi_awlen_o,
  output wire [2:0]            m_axi_awsize_o,
  output wire [1:0]            m_axi_awburst_o,
  output wire                  m_axi_wvalid_o,
  input  wire                  m_axi_wready_i,
  output wire [8*BusBytes-1:0] m_axi_wdata_o,
  output wire [BusBytes-1:0]   m_axi_wstrb_o,
  output wire                  m_axi_wlast_o,
  input  wire                  m_axi_bvalid_i,
  output wire                  m_axi_bready_o,
  input  wire [2:0]            m_axi_bid_i,
  input  wire [1:0]            m_axi_bresp_i,

  // At a SYNC: has the memory settled? Tie the answer high if there is nothing to wait for
  output wire                  sync_o,
  input  wire                  sync_ack_i,

  // What happens, for verification; may be left open. Units: 0 stream, 1 array, 2 vector, 3 store
  output wire                  run_o,           // a cycle of run_cycles
  output wire                  trace_issue_o,   // an instruction issues; SYNC and HALT do not
  output wire [PcBits-1:0]     trace_issue_pc_o,
  output wire [3:0]            trace_retire_o,
  output wire [4*PcBits-1:0]   trace_retire_pc_o
);

  localparam TagBits   = PcBits + 24;
  localparam FifoBits  = $clog2(FifoBytes + 1);
  localparam TakeBits  = $clog2(FillBytes + 1);
  localparam BusBits   = $clog2(BusBytes + 1);
  localparam SumBytes  = 4 * VectorLanes;
  localparam SumBits   = $clog2(SumBytes + 1);
  localparam AddsBits  = $clog2(Rows * Cols + 1);
  localparam PerfBits  = 24;
  localparam BeatLog   = $clog2(BusBytes);
  localparam [31:0] BeatSize = BeatLog;

  /////////////////////////////////
  // Host, sequencer and program //
  /////////////////////////////////

  wire                 core_rst_n, resetting, start, reset, clear, stop_at_sync;
  wire [PcBits-1:0]    first;
  wire [PcBits:0]      count, pc;
  wire [63:0]          base;
  wire [31:0]          eps, score_scale;
  wire                 running, done, stopped;
  wire [2:0]           error;
  wire                 prog_write, prog_read, fetch;
  wire [PcBits-1:0]    prog_addr, fetch_addr;
  wire [3:0]           prog_word;
  wire [31:0]          prog_wdata;
  wire [511:0]         prog_rdata;
  wire [4:0]           perf_index;
  wire [63:0]          perf_value;

  wire [3:0]           push_valid, push_ready, ret_valid;
  wire [511:0]         push_insn;
  wire [31:0]          push_dst, push_a, push_b, push_c;
  wire [TagBits-1:0]   push_tag;
  wire [4*TagBits-1:0] ret_tag;
  wire                 array_idle, issue, syncing;
  wire                 read_error, write_error, weight_error, embed_error;

  lpu_host #(.ProgramDepth(ProgramDepth), .Rows(Rows), .Cols(Cols)) u_host (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni),
    .s_axil_awvalid_i (s_axil_awvalid_i),
    .s_axil_awready_o (s_axil_awready_o),
    .s_axil_awaddr_i  (s_axil_awaddr_i),
    .s_axil_wvalid_i  (s_axil_wvalid_i),
    .s_axil_wready_o  (s_axil_wready_o),
    .s_axil_wdata_i   (s_axil_wdata_i),
    .s_axil_wstrb_i   (s_axil_wstrb_i),
    .s_axil_bvalid_o  (s_axil_bvalid_o),
    .s_axil_bready_i  (s_axil_bready_i),
    .s_axil_bresp_o   (s_axil_bresp_o),
    .s_axil_arvalid_i (s_axil_arvalid_i),
    .s_axil_arready_o (s_axil_arready_o),
    .s_axil_araddr_i  (s_axil_araddr_i),
    .s_axil_rvalid_o  (s_axil_rvalid_o),
    .s_axil_rready_i  (s_axil_rready_i),
    .s_axil_rdata_o   (s_axil_rdata_o),
    .s_axil_rresp_o   (s_axil_rresp_o),
    .irq_o            (irq_o),
    .start_q          (start),
    .reset_q          (reset),
    .clear_q          (clear),
    .stop_at_sync_q   (stop_at_sync),
    .first_q          (first),
    .count_q          (count),
    .base_o           (base),
    .eps_q            (eps),
    .score_scale_q    (score_scale),
    .running_i        (running),
    .done_i           (done),
    .stopped_i        (stopped),
    .error_i          (error),
    .resetting_i      (resetting),
    .pc_i             (pc),
    .prog_write_o     (prog_write),
    .prog_read_o      (prog_read),
    .prog_addr_o      (prog_addr),
    .prog_word_o      (prog_word),
    .prog_wdata_o     (prog_wdata),
    .prog_rdata_i     (prog_rdata),
    .perf_index_o     (perf_index),
    .perf_value_i     (perf_value)
  );

  lpu_program #(.Depth(ProgramDepth)) u_program (
    .clk_i        (clk_i),
    .write_i      (prog_write),
    .write_addr_i (prog_addr),
    .write_word_i (prog_word),
    .write_data_i (prog_wdata),
    .read_i       (fetch || prog_read),
    .read_addr_i  (fetch ? fetch_addr : prog_addr),
    .read_data_o  (prog_rdata)
  );

  lpu_sequencer #(
    .ProgramDepth(ProgramDepth), .ScratchBytes(ScratchBytes), .PassesMax(PassesMax),
    .StreamQueue(StreamQueue)
  ) u_sequencer (
    .clk_i             (clk_i),
    .rst_ni            (core_rst_n),
    .start_i           (start),
    .stop_at_sync_i    (stop_at_sync),
    .first_i           (first),
    .count_i           (count),
    .base_i            (base),
    .running_o         (running),
    .done_o            (done),
    .stopped_o         (stopped),
    .error_q           (error),
    .pc_q              (pc),
    .error_i           ({embed_error, weight_error, write_error, read_error}),
    .fetch_o           (fetch),
    .fetch_addr_o      (fetch_addr),
    .insn_i            (prog_rdata),
    .push_valid_o      (push_valid),
    .push_ready_i      (push_ready),
    .push_insn_o       (push_insn),
    .push_dst_o        (push_dst),
    .push_a_o          (push_a),
    .push_b_o          (push_b),
    .push_c_o          (push_c),
    .push_tag_o        (push_tag),
    .ret_valid_i       (ret_valid),
    .ret_tag_i         (ret_tag),
    .idle_i            (array_idle),
    .sync_o            (sync_o),
    .sync_ack_i        (sync_ack_i),
    .ev_run_o          (run_o),
    .ev_issue_o        (issue),
    .ev_syncing_o      (syncing),
    .trace_issue_o     (trace_issue_o),
    .trace_issue_pc_o  (trace_issue_pc_o),
    .trace_retire_o    (trace_retire_o),
    .trace_retire_pc_o (trace_retire_pc_o)
  );

  ////////////
  // Memory //
  ////////////

  wire core_arvalid, core_arready, core_rready, core_awvalid, core_awready;
  wire core_wvalid, core_wready, core_bready;

  lpu_guard u_guard (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .stop_i         (error != 3'd0),
    .reset_i        (reset),
    .resetting_o    (resetting),
    .core_rst_no    (core_rst_n),
    .core_arvalid_i (core_arvalid),
    .core_arready_o (core_arready),
    .core_rready_i  (core_rready),
    .core_awvalid_i (core_awvalid),
    .core_awready_o (core_awready),
    .core_wvalid_i  (core_wvalid),
    .core_wready_o  (core_wready),
    .core_wlast_i   (m_axi_wlast_o),
    .core_bready_i  (core_bready),
    .axi_arvalid_o  (m_axi_arvalid_o),
    .axi_arready_i  (m_axi_arready_i),
    .axi_rvalid_i   (m_axi_rvalid_i),
    .axi_rlast_i    (m_axi_rlast_i),
    .axi_rready_o   (m_axi_rready_o),
    .axi_awvalid_o  (m_axi_awvalid_o),
    .axi_awready_i  (m_axi_awready_i),
    .axi_wvalid_o   (m_axi_wvalid_o),
    .axi_wready_i   (m_axi_wready_i),
    .axi_bvalid_i   (m_axi_bvalid_i),
    .axi_bready_o   (m_axi_bready_o)
  );

  assign m_axi_arsize_o  = BeatSize[2:0];
  assign m_axi_awsize_o  = BeatSize[2:0];
  assign m_axi_arburst_o = 2'b01;               // INCR
  assign m_axi_awburst_o = 2'b01;

  wire [3:0]              stores_pending;
  wire [FifoBits-1:0]     fifo_bytes;
  wire [TakeBits-1:0]     fifo_take;
  wire [8*FillBytes-1:0]  fifo_data;
  wire                    ld_wvalid;
  wire [31:0]             ld_waddr;
  wire [BusBits-1:0]      ld_wbytes;
  wire [8*BusBytes-1:0]   ld_wdata;

  lpu_stream #(
    .BusBytes(BusBytes), .BurstBytes(BurstBytes), .Outstanding(Outstanding),
    .StreamQueue(StreamQueue), .FifoBytes(FifoBytes), .FillBytes(FillBytes), .AddrBits(AddrBits),
    .TagBits(TagBits)
  ) u_stream (
    .clk_i             (clk_i),
    .rst_ni            (core_rst_n),
    .push_valid_i      (push_valid[0]),
    .push_ready_o      (push_ready[0]),
    .push_insn_i       (push_insn),
    .push_dst_i        (push_dst),
    .push_tag_i        (push_tag),
    .ret_valid_o       (ret_valid[0]),
    .ret_tag_o         (ret_tag[0 +: TagBits]),
    .stores_pending_i  (stores_pending),
    .m_axi_arvalid_o   (core_arvalid),
    .m_axi_arready_i   (core_arready),
    .m_axi_araddr_o    (m_axi_araddr_o),
    .m_axi_arid_o      (m_axi_arid_o),
    .m_axi_arlen_o     (m_axi_arlen_o),
    .m_axi_rvalid_i    (m_axi_rvalid_i),
    .m_axi_rready_o    (core_rready),
    .m_axi_rdata_i     (m_axi_rdata_i),
    .m_axi_rid_i       (m_axi_rid_i),
    .m_axi_rresp_i     (m_axi_rresp_i),
    .m_axi_rlast_i     (m_axi_rlast_i),
    .fifo_bytes_o      (fifo_bytes),
    .fifo_take_i       (fifo_take),
    .fifo_data_o       (fifo_data),
    .ld_wvalid_o       (ld_wvalid),
    .ld_waddr_o        (ld_waddr),
    .ld_wbytes_o       (ld_wbytes),
    .ld_wdata_o        (ld_wdata),
    .ev_resp_error_o   (read_error)
  );

  wire                    st_ren;
  wire [31:0]             st_raddr;
  wire [8*BusBytes-1:0]   st_rdata;

  lpu_store #(
    .BusBytes(BusBytes), .BurstBytes(BurstBytes), .AddrBits(AddrBits), .TagBits(TagBits)
  ) u_store (
    .clk_i             (clk_i),
    .rst_ni            (core_rst_n),
    .push_valid_i      (push_valid[3]),
    .push_ready_o      (push_ready[3]),
    .push_insn_i       (push_insn),
    .push_a_i          (push_a),
    .push_tag_i        (push_tag),
    .ret_valid_o       (ret_valid[3]),
    .ret_tag_o         (ret_tag[3*TagBits +: TagBits]),
    .pending_o         (stores_pending),
    .st_ren_o          (st_ren),
    .st_raddr_o        (st_raddr),
    .st_rdata_i        (st_rdata),
    .m_axi_awvalid_o   (core_awvalid),
    .m_axi_awready_i   (core_awready),
    .m_axi_awaddr_o    (m_axi_awaddr_o),
    .m_axi_awid_o      (m_axi_awid_o),
    .m_axi_awlen_o     (m_axi_awlen_o),
    .m_axi_wvalid_o    (core_wvalid),
    .m_axi_wready_i    (core_wready),
    .m_axi_wdata_o     (m_axi_wdata_o),
    .m_axi_wstrb_o     (m_axi_wstrb_o),
    .m_axi_wlast_o     (m_axi_wlast_o),
    .m_axi_bvalid_i    (m_axi_bvalid_i),
    .m_axi_bready_o    (core_bready),
    .m_axi_bid_i       (m_axi_bid_i),
    .m_axi_bresp_i     (m_axi_bresp_i),
    .ev_resp_error_o   (write_error)
  );

  //////////////
  // Products //
  //////////////

  wire                    x_ren, y_wvalid;
  wire [31:0]             x_raddr, y_waddr;
  wire [8*Cols-1:0]       x_rdata;
  wire [SumBits-1:0]      y_wbytes;
  wire [8*SumBytes-1:0]   y_wdata;
  wire [2:0]              array_state;
  wire                    array_fill, array_short;
  wire [AddsBits-1:0]     lane_adds, lane_skips;

  lpu_product #(
    .Rows(Rows), .Cols(Cols), .Lines(Lines), .PassesMax(PassesMax), .VectorLanes(VectorLanes),
    .Code(Code), .FifoBytes(FifoBytes), .FillBytes(FillBytes), .TagBits(TagBits)
  ) u_product (
    .clk_i             (clk_i),
    .rst_ni            (core_rst_n),
    .push_valid_i      (push_valid[1]),
    .push_ready_o      (push_ready[1]),
    .push_insn_i       (push_insn),
    .push_dst_i        (push_dst),
    .push_a_i          (push_a),
    .push_tag_i        (push_tag),
    .ret_valid_o       (ret_valid[1]),
    .ret_tag_o         (ret_tag[TagBits +: TagBits]),
    .fifo_bytes_i      (fifo_bytes),
    .fifo_take_o       (fifo_take),
    .fifo_data_i       (fifo_data),
    .x_ren_o           (x_ren),
    .x_raddr_o         (x_raddr),
    .x_rdata_i         (x_rdata),
    .y_wvalid_o        (y_wvalid),
    .y_waddr_o         (y_waddr),
    .y_wbytes_o        (y_wbytes),
    .y_wdata_o         (y_wdata),
    .ev_state_o        (array_state),
    .ev_fill_o         (array_fill),
    .ev_short_o        (array_short),
    .ev_illegal_o      (weight_error),
    .ev_lane_adds_o    (lane_adds),
    .ev_lane_skips_o   (lane_skips),
    .ev_idle_o         (array_idle)
  );

  /////////////////
  // Vector unit //
  /////////////////

  wire                    a_ren, b_ren, s_ren, v_wvalid, s_wvalid, vector_busy, vector_beat;
  wire [31:0]             a_raddr, b_raddr, s_raddr, v_waddr, s_waddr;
  wire [8*SumBytes-1:0]   a_rdata, b_rdata, v_wdata;
  wire [31:0]             s_rdata, s_wdata;
  wire [SumBits-1:0]      v_wbytes;
  wire [2:0]              s_wbytes;

  lpu_vector #(
    .Rows(Rows), .VectorLanes(VectorLanes), .Code(Code), .TagBits(TagBits)
  ) u_vector (
    .clk_i             (clk_i),
    .rst_ni            (core_rst_n),
    .push_valid_i      (push_valid[2]),
    .push_ready_o      (push_ready[2]),
    .push_insn_i       (push_insn),
    .push_dst_i        (push_dst),
    .push_a_i          (push_a),
    .push_b_i          (push_b),
    .push_c_i          (push_c),
    .push_tag_i        (push_tag),
    .ret_valid_o       (ret_valid[2]),
    .ret_tag_o         (ret_tag[2*TagBits +: TagBits]),
    .busy_o            (vector_busy),
    .eps_i             (eps),
    .score_scale_i     (score_scale),
    .a_ren_o           (a_ren),
    .a_raddr_o         (a_raddr),
    .a_rdata_i         (a_rdata),
    .b_ren_o           (b_ren),
    .b_raddr_o         (b_raddr),
    .b_rdata_i         (b_rdata),
    .s_ren_o           (s_ren),
    .s_raddr_o         (s_raddr),
    .s_rdata_i         (s_rdata),
    .v_wvalid_o        (v_wvalid),
    .v_waddr_o         (v_waddr),
    .v_wbytes_o        (v_wbytes),
    .v_wdata_o         (v_wdata),
    .s_wvalid_o        (s_wvalid),
    .s_waddr_o         (s_waddr),
    .s_wbytes_o        (s_wbytes),
    .s_wdata_o         (s_wdata),
    .ev_illegal_o      (embed_error),
    .ev_beats_o        (vector_beat)
  );

  ////////////////
  // Scratchpad //
  ////////////////

  lpu_scratch #(
    .ScratchBytes(ScratchBytes), .BusBytes(BusBytes), .VectorLanes(VectorLanes), .Cols(Cols)
  ) u_scratch (
    .clk_i       (clk_i),
    .ld_wvalid_i (ld_wvalid),
    .ld_waddr_i  (ld_waddr),
    .ld_wbytes_i (ld_wbytes),
    .ld_wdata_i  (ld_wdata),
    .y_wvalid_i  (y_wvalid),
    .y_waddr_i   (y_waddr),
    .y_wbytes_i  (y_wbytes),
    .y_wdata_i   (y_wdata),
    .v_wvalid_i  (v_wvalid),
    .v_waddr_i   (v_waddr),
    .v_wbytes_i  (v_wbytes),
    .v_wdata_i   (v_wdata),
    .s_wvalid_i  (s_wvalid),
    .s_waddr_i   (s_waddr),
    .s_wbytes_i  (s_wbytes),
    .s_wdata_i   (s_wdata),
    .x_ren_i     (x_ren),
    .x_raddr_i   (x_raddr),
    .x_rdata_o   (x_rdata),
    .a_ren_i     (a_ren),
    .a_raddr_i   (a_raddr),
    .a_rdata_o   (a_rdata),
    .b_ren_i     (b_ren),
    .b_raddr_i   (b_raddr),
    .b_rdata_o   (b_rdata),
    .s_ren_i     (s_ren),
    .s_raddr_i   (s_raddr),
    .s_rdata_o   (s_rdata),
    .st_ren_i    (st_ren),
    .st_raddr_i  (st_raddr),
    .st_rdata_o  (st_rdata)
  );

  //////////////
  // Counters //
  //////////////

  // Bytes with a strobe in the present beat of W.
  reg  [BusBits-1:0] store_bytes;
  integer            i;

  always @* begin
    store_bytes = {BusBits{1'b0}};
    for (i = 0; i < BusBytes; i = i + 1) begin
      store_bytes = store_bytes + {{BusBits-1{1'b0}}, m_axi_wstrb_o[i]};
    end
    if (!m_axi_wvalid_o || !m_axi_wready_i) store_bytes = {BusBits{1'b0}};
  end

  // Bytes that came into the FIFO in the last cycle: what it has grown by, and what was taken.
  reg  [FifoBits-1:0] fifo_bytes_q;
  reg  [TakeBits-1:0] fifo_take_q;
  wire [PerfBits-1:0] fifo_grown = {{PerfBits-FifoBits{1'b0}}, fifo_bytes} -
                                   {{PerfBits-FifoBits{1'b0}}, fifo_bytes_q} +
                                   {{PerfBits-TakeBits{1'b0}}, fifo_take_q};

  always @(posedge clk_i or negedge core_rst_n) begin
    if (!core_rst_n) begin
      fifo_bytes_q <= {FifoBits{1'b0}};
      fifo_take_q  <= {TakeBits{1'b0}};
    end else begin
      fifo_bytes_q <= fifo_bytes;
      fifo_take_q  <= fifo_take;
    end
  end

  lpu_perf #(.AddsBits(AddsBits), .BytesBits(PerfBits), .BurstBytes(BurstBytes)) u_perf (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .clear_i       (clear),
    .index_i       (perf_index),
    .value_o       (perf_value),
    .run_i         (run_o),
    .state_i       (array_state),
    .fill_i        (array_fill),
    .short_i       (array_short),
    .vector_i      (vector_busy),
    .syncing_i     (syncing),
    .array_gated_i (array_state != 3'd0 && fifo_take == {TakeBits{1'b0}}),
    .issue_i       (issue),
    .vector_beat_i (vector_beat),
    .lane_adds_i   (lane_adds),
    .lane_skips_i  (lane_skips),
    .fifo_write_i  (fifo_grown),
    .fifo_read_i   ({{PerfBits-TakeBits{1'b0}}, fifo_take}),
    .load_i        (ld_wvalid ? {{PerfBits-BusBits{1'b0}}, ld_wbytes} : {PerfBits{1'b0}}),
    .store_i       ({{PerfBits-BusBits{1'b0}}, store_bytes}),
    .read_burst_i  (m_axi_arvalid_o && m_axi_arready_i),
    .write_burst_i (m_axi_awvalid_o && m_axi_awready_i)
  );

endmodule

`default_nettype wire
