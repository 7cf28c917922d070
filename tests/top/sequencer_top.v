// Host port, program memory and sequencer as in lpu_top, with the units' side open to the bench.
`default_nettype none

module sequencer_top #(
  parameter ProgramDepth = 512,
  parameter ScratchBytes = 65536,
  parameter PassesMax    = 8,
  parameter StreamQueue  = 5,
  parameter PcBits       = $clog2(ProgramDepth),
  parameter TagBits      = PcBits + 24
) (
  input  wire                 clk_i,
  input  wire                 rst_ni,

  input  wire                 awvalid_i,
  output wire                 awready_o,
  input  wire [11:0]          awaddr_i,
  input  wire                 wvalid_i,
  output wire                 wready_o,
  input  wire [31:0]          wdata_i,
  input  wire [3:0]           wstrb_i,
  output wire                 bvalid_o,
  input  wire                 bready_i,
  output wire [1:0]           bresp_o,
  input  wire                 arvalid_i,
  output wire                 arready_o,
  input  wire [11:0]          araddr_i,
  output wire                 rvalid_o,
  input  wire                 rready_i,
  output wire [31:0]          rdata_o,
  output wire [1:0]           rresp_o,
  output wire                 irq_o,

  output wire [3:0]           push_valid_o,
  input  wire [3:0]           push_ready_i,
  output wire [511:0]         push_insn_o,
  output wire [31:0]          push_dst_o,
  output wire [31:0]          push_a_o,
  output wire [31:0]          push_b_o,
  output wire [31:0]          push_c_o,
  output wire [TagBits-1:0]   push_tag_o,
  input  wire [3:0]           ret_valid_i,
  input  wire [4*TagBits-1:0] ret_tag_i,
  input  wire                 idle_i,
  input  wire [3:0]           error_i,
  output wire                 sync_o,
  input  wire                 sync_ack_i,
  output wire                 run_o,
  output wire                 trace_issue_o,
  output wire [PcBits-1:0]    trace_issue_pc_o,
  output wire [3:0]           trace_retire_o,
  output wire [4*PcBits-1:0]  trace_retire_pc_o,

  output wire                 core_rst_no
);

  wire              start, reset, clear, stop_at_sync, running, done, stopped, resetting;
  wire [PcBits-1:0] first, prog_addr, fetch_addr;
  wire [PcBits:0]   count, pc;
  wire [63:0]       base, perf_value;
  wire [2:0]        error;
  wire              prog_write, prog_read, fetch, issue, syncing;
  wire [3:0]        prog_word;
  wire [4:0]        perf_index;
  wire [31:0]       prog_wdata;
  wire [511:0]      prog_rdata;

  lpu_host #(.ProgramDepth(ProgramDepth), .Rows(64), .Cols(160)) u_host (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni),
    .s_axil_awvalid_i (awvalid_i),
    .s_axil_awready_o (awready_o),
    .s_axil_awaddr_i  (awaddr_i),
    .s_axil_wvalid_i  (wvalid_i),
    .s_axil_wready_o  (wready_o),
    .s_axil_wdata_i   (wdata_i),
    .s_axil_wstrb_i   (wstrb_i),
    .s_axil_bvalid_o  (bvalid_o),
    .s_axil_bready_i  (bready_i),
    .s_axil_bresp_o   (bresp_o),
    .s_axil_arvalid_i (arvalid_i),
    .s_axil_arready_o (arready_o),
    .s_axil_araddr_i  (araddr_i),
    .s_axil_rvalid_o  (rvalid_o),
    .s_axil_rready_i  (rready_i),
    .s_axil_rdata_o   (rdata_o),
    .s_axil_rresp_o   (rresp_o),
    .irq_o            (irq_o),
    .start_q          (start),
    .reset_q          (reset),
    .clear_q          (clear),
    .stop_at_sync_q   (stop_at_sync),
    .first_q          (first),
    .count_q          (count),
    .base_o           (base),
    .eps_q            (),
    .score_scale_q    (),
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
    .rst_ni            (core_rst_no),
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
    .error_i           (error_i),
    .fetch_o           (fetch),
    .fetch_addr_o      (fetch_addr),
    .insn_i            (prog_rdata),
    .push_valid_o      (push_valid_o),
    .push_ready_i      (push_ready_i),
    .push_insn_o       (push_insn_o),
    .push_dst_o        (push_dst_o),
    .push_a_o          (push_a_o),
    .push_b_o          (push_b_o),
    .push_c_o          (push_c_o),
    .push_tag_o        (push_tag_o),
    .ret_valid_i       (ret_valid_i),
    .ret_tag_i         (ret_tag_i),
    .idle_i            (idle_i),
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

  lpu_guard u_guard (
    .clk_i          (clk_i),
    .rst_ni         (rst_ni),
    .stop_i         (error != 3'd0),
    .reset_i        (reset),
    .resetting_o    (resetting),
    .core_rst_no    (core_rst_no),
    .core_arvalid_i (1'b0),
    .core_arready_o (),
    .core_rready_i  (1'b1),
    .core_awvalid_i (1'b0),
    .core_awready_o (),
    .core_wvalid_i  (1'b0),
    .core_wready_o  (),
    .core_wlast_i   (1'b0),
    .core_bready_i  (1'b1),
    .axi_arvalid_o  (),
    .axi_arready_i  (1'b0),
    .axi_rvalid_i   (1'b0),
    .axi_rlast_i    (1'b0),
    .axi_rready_o   (),
    .axi_awvalid_o  (),
    .axi_awready_i  (1'b0),
    .axi_wvalid_o   (),
    .axi_wready_i   (1'b0),
    .axi_bvalid_i   (1'b0),
    .axi_bready_o   ()
  );

  lpu_perf u_perf (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .clear_i       (clear),
    .index_i       (perf_index),
    .value_o       (perf_value),
    .run_i         (run_o),
    .state_i       (3'd1),
    .fill_i        (1'b0),
    .short_i       (1'b0),
    .vector_i      (1'b0),
    .syncing_i     (syncing),
    .array_gated_i (1'b1),
    .issue_i       (issue),
    .vector_beat_i (1'b0),
    .lane_adds_i   (16'd0),
    .lane_skips_i  (16'd0),
    .fifo_write_i  (9'd0),
    .fifo_read_i   (9'd0),
    .load_i        (9'd0),
    .store_i       (9'd0),
    .read_burst_i  (1'b0),
    .write_burst_i (1'b0)
  );

endmodule

`default_nettype wire
