// lpu_host as an AXI4-Lite slave: an answer stays as it is until it is taken; there is one for each
// write and one for each read, and none besides; a write that is refused changes nothing, and one that
// is not changes what it names, and nothing else; an interrupt is pending from the event's beginning
// until it is cleared. Base from reset, then induction.
`default_nettype none
`include "lpu_regs.vh"

module host (
  input wire         clk_i,
  input wire         rst_ni,
  input wire         awvalid_i,
  input wire [11:0]  awaddr_i,
  input wire         wvalid_i,
  input wire [31:0]  wdata_i,
  input wire [3:0]   wstrb_i,
  input wire         bready_i,
  input wire         arvalid_i,
  input wire [11:0]  araddr_i,
  input wire         rready_i,
  input wire         running_i,
  input wire         done_i,
  input wire         stopped_i,
  input wire [2:0]   error_i,
  input wire [511:0] prog_rdata_i,
  input wire [63:0]  perf_value_i
);

  localparam PcBits = 2;

  wire         awready, wready, bvalid, arready, rvalid, irq, start, reset, clear, stop;
  wire [1:0]   bresp, rresp;
  wire [31:0]  rdata, eps, score_scale, prog_wdata;
  wire [PcBits-1:0] first, prog_addr;
  wire [PcBits:0]   count;
  wire [63:0]  base;
  wire         prog_write, prog_read;
  wire [3:0]   prog_word;
  wire [4:0]   perf_index;

  lpu_host #(.ProgramDepth(4)) u_host (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .s_axil_awvalid_i(awvalid_i), .s_axil_awready_o(awready), .s_axil_awaddr_i(awaddr_i),
    .s_axil_wvalid_i(wvalid_i), .s_axil_wready_o(wready), .s_axil_wdata_i(wdata_i),
    .s_axil_wstrb_i(wstrb_i),
    .s_axil_bvalid_o(bvalid), .s_axil_bready_i(bready_i), .s_axil_bresp_o(bresp),
    .s_axil_arvalid_i(arvalid_i), .s_axil_arready_o(arready), .s_axil_araddr_i(araddr_i),
    .s_axil_rvalid_o(rvalid), .s_axil_rready_i(rready_i), .s_axil_rdata_o(rdata),
    .s_axil_rresp_o(rresp), .irq_o(irq),
    .start_q(start), .reset_q(reset), .clear_q(clear), .stop_at_sync_q(stop), .first_q(first),
    .count_q(count), .base_o(base), .eps_q(eps), .score_scale_q(score_scale),
    .running_i(running_i), .done_i(done_i), .stopped_i(stopped_i), .error_i(error_i), .resetting_i(1'b0),
    .pc_i(3'd0),
    .prog_write_o(prog_write), .prog_read_o(prog_read), .prog_addr_o(prog_addr),
    .prog_word_o(prog_word), .prog_wdata_o(prog_wdata), .prog_rdata_i(prog_rdata_i),
    .perf_index_o(perf_index), .perf_value_i(perf_value_i));

  (* hierconn *) wire \u_host.wait_q ;
  (* hierconn *) wire [31:0] \u_host.high_q ;
  (* hierconn *) wire [2:0] \u_host.irq_q ;
  (* hierconn *) wire [2:0] \u_host.irq_enable_q ;

  wire aw = awvalid_i && awready, w = wvalid_i && wready, ar = arvalid_i && arready;
  wire is_counter = araddr_i[11:8] == 4'd1 && araddr_i[7:3] < `LPU_PERF_COUNTERS;

  // Owed: writes and reads that were taken and not yet answered.
  reg        writes, reads;
  reg        was_running, was_b, was_r, was_w, was_program, was_refused;
  reg [1:0]  was_bresp, was_rresp;
  reg [31:0] was_rdata, was_wdata, was_eps, was_score_scale;
  reg [63:0] was_base;
  reg [PcBits-1:0] was_first, was_prog_addr;
  reg        was_stop, was_reset;
  reg [2:0]  was_irq, was_irq_enable, was_event, before_event;
  reg [PcBits:0]   was_count;
  reg [11:0] was_awaddr;
  reg        was_counter;
  reg [31:0] was_value, high;                   // high: beside the low word that was read last

  initial was_running = 1'b0;
  initial assume (!rst_ni);

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      writes <= 1'b0; reads <= 1'b0; high <= 32'd0;
    end else begin
      if (ar && is_counter && !araddr_i[2]) high <= perf_value_i[63:32];
      if (aw) writes <= 1'b1; else if (bvalid && bready_i) writes <= 1'b0;
      if (ar) reads <= 1'b1; else if (rvalid && rready_i) reads <= 1'b0;
    end
  end
  always @(posedge clk_i) begin
    was_running <= rst_ni;
    was_b <= bvalid && !bready_i; was_bresp <= bresp;
    was_r <= rvalid && !rready_i; was_rresp <= rresp; was_rdata <= rdata;
    was_w <= aw; was_wdata <= wdata_i; was_awaddr <= awaddr_i;
    was_program <= running_i || start;
    was_refused <= wstrb_i != 4'hf || awaddr_i[1:0] != 2'd0;
    was_eps <= eps; was_score_scale <= score_scale; was_base <= base;
    was_first <= first; was_count <= count; was_prog_addr <= prog_addr;
    was_stop <= stop; was_reset <= reset;
    was_irq <= \u_host.irq_q ; was_irq_enable <= \u_host.irq_enable_q ;
    was_counter <= ar && is_counter; was_value <= araddr_i[2] ? high : perf_value_i[31:0];
  end

  // Events as the host sees them: from reset none has been.
  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      was_event <= 3'd0; before_event <= 3'd0;
    end else begin
      was_event[`LPU_IRQ_DONE]    <= done_i;
      was_event[`LPU_IRQ_AT_SYNC] <= stopped_i;
      was_event[`LPU_IRQ_ERROR]   <= error_i != `LPU_ERROR_NONE;
      before_event <= was_event;
    end
  end

  // What the write of the last clock may change: some registers always, the others between programs.
  wire whole      = was_w && !was_refused, between = whole && !was_program;
  wire to_ctrl    = whole && was_awaddr == `LPU_REG_CTRL;
  wire to_enable  = whole && was_awaddr == `LPU_REG_IRQ_ENABLE;
  wire to_irq     = whole && was_awaddr == `LPU_REG_IRQ_STATUS;
  wire to_first   = between && was_awaddr == `LPU_REG_FIRST;
  wire to_count   = between && was_awaddr == `LPU_REG_COUNT;
  wire to_low     = between && was_awaddr == `LPU_REG_BASE_LOW;
  wire to_high    = between && was_awaddr == `LPU_REG_BASE_HIGH;
  wire to_eps     = between && was_awaddr == `LPU_REG_EPS;
  wire to_scale   = between && was_awaddr == `LPU_REG_SCORE_SCALE;
  wire to_address = between && was_awaddr == `LPU_REG_PROGRAM_ADDRESS;
  wire to_window  = between && was_awaddr >= `LPU_REG_PROGRAM && was_awaddr < `LPU_REG_PROGRAM + 12'd64;
  wire to_last    = to_window && was_awaddr == `LPU_REG_PROGRAM + 12'd60;
  wire was_taken  = to_ctrl || to_enable || to_irq || to_first || to_count || to_low || to_high || to_eps ||
                    to_scale || to_address || to_window;

  always @* if (rst_ni) begin
    assert (aw == w);                           // address and data are taken together
    assert (bvalid == writes);
    assert (rvalid || \u_host.wait_q || !reads);
    assert (reads || (!rvalid && !\u_host.wait_q ));
    assert (!(rvalid && \u_host.wait_q ));
    if (writes) assert (!aw);
    if (reads) assert (!ar);
    if (running_i) assert (!prog_write && !prog_read);
    assert (high == \u_host.high_q );
    if (was_running) begin
      if (was_b) assert (bvalid && bresp == was_bresp);
      if (was_r) assert (rvalid && rresp == was_rresp && rdata == was_rdata);
      if (was_counter) assert (rvalid && rdata == was_value);
      if (was_w) assert (bresp == (was_taken ? 2'b00 : 2'b10));
      assert (first == (to_first ? was_wdata[PcBits-1:0] : was_first));
      assert (count == (to_count ? was_wdata[PcBits:0] : was_count));
      assert (base[31:0] == (to_low ? {was_wdata[31:12], 12'd0} : was_base[31:0]));
      assert (base[63:32] == (to_high ? was_wdata : was_base[63:32]));
      assert (eps == (to_eps ? was_wdata : was_eps));
      assert (score_scale == (to_scale ? was_wdata : was_score_scale));
      assert (prog_addr == (to_address ? was_wdata[PcBits-1:0]
                                       : was_prog_addr + {{PcBits-1{1'b0}}, to_last}));
      assert (stop == (to_ctrl ? was_wdata[`LPU_CTRL_STOP_AT_SYNC] : was_stop));
      assert (reset == (to_ctrl && was_wdata[`LPU_CTRL_RESET]));
      assert (clear == (to_ctrl && was_wdata[`LPU_CTRL_CLEAR]));
      assert (start == (to_ctrl && was_wdata[`LPU_CTRL_START] && !was_wdata[`LPU_CTRL_RESET] && !was_program &&
                        !was_reset));
      assert (\u_host.irq_enable_q  == (to_enable ? was_wdata[2:0] : was_irq_enable));
      assert (\u_host.irq_q  == ((was_irq & ~(to_irq ? was_wdata[2:0] : 3'd0)) | (was_event & ~before_event)));
    end
    if (!was_running) begin                     // right behind a reset
      assert (!start && !reset && !clear && !stop && !bvalid && !rvalid && !irq);
      assert (first == 0 && count == 0 && base == 64'd0 && eps == 32'd0 && score_scale == 32'd0 && prog_addr == 0);
      assert (\u_host.irq_q  == 3'd0 && \u_host.irq_enable_q  == 3'd0);
    end
    assert (irq == ((\u_host.irq_q  & \u_host.irq_enable_q ) != 3'd0));
  end

  always @* if (rst_ni) cover (was_running && to_eps && eps == 32'h12345678);

endmodule

`default_nettype wire
