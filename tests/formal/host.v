// lpu_host as an AXI4-Lite slave: an answer stays as it is until it is taken; there is one for each
// write and one for each read, and none besides; a write that is refused changes no setting, and one
// that is not changes the setting that it names, and no other. Base from reset, then induction.
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
    .running_i(running_i), .done_i(1'b0), .stopped_i(1'b0), .error_i(3'd0), .resetting_i(1'b0),
    .pc_i(3'd0),
    .prog_write_o(prog_write), .prog_read_o(prog_read), .prog_addr_o(prog_addr),
    .prog_word_o(prog_word), .prog_wdata_o(prog_wdata), .prog_rdata_i(prog_rdata_i),
    .perf_index_o(perf_index), .perf_value_i(perf_value_i));

  (* hierconn *) wire \u_host.wait_q ;
  (* hierconn *) wire [31:0] \u_host.high_q ;

  wire aw = awvalid_i && awready, w = wvalid_i && wready, ar = arvalid_i && arready;
  wire is_counter = araddr_i[11:8] == 4'd1 && araddr_i[7:3] < `LPU_PERF_COUNTERS;

  // Owed: writes and reads that were taken and not yet answered.
  reg        writes, reads;
  reg        was_running, was_b, was_r, was_w, was_program, was_refused;
  reg [1:0]  was_bresp, was_rresp;
  reg [31:0] was_rdata, was_wdata, was_eps, was_score_scale;
  reg [63:0] was_base;
  reg [PcBits-1:0] was_first;
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
    was_first <= first; was_count <= count;
    was_counter <= ar && is_counter; was_value <= araddr_i[2] ? high : perf_value_i[31:0];
  end

  wire to_eps = was_w && was_awaddr == `LPU_REG_EPS && !was_refused && !was_program;

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
      assert (eps == (to_eps ? was_wdata : was_eps));
      if (!was_w || was_refused || was_program) begin
        assert (score_scale == was_score_scale && base == was_base && first == was_first &&
                count == was_count);
      end
      if (was_w && was_refused) assert (bresp == 2'b10 && !start && !reset && !clear);
    end
  end

  always @* if (rst_ni) cover (was_running && to_eps && eps == 32'h12345678);

endmodule

`default_nettype wire
