// lpu_guard between any core and any memory: a valid that memory has seen stays; once the port is
// closed nothing begins, and what has begun may be finished; the core is reset only when nothing is
// under way. Base from reset, then induction: for all time.
//
// The core keeps its half of AXI: what it offers stays until it is taken, and is away in reset. Memory
// answers what it was asked, and no more.
`default_nettype none

module guard (
  input wire clk_i,
  input wire rst_ni,
  input wire stop_i,
  input wire reset_i,
  input wire core_arvalid_i,
  input wire core_awvalid_i,
  input wire core_wvalid_i,
  input wire core_wlast_i,
  input wire axi_arready_i,
  input wire axi_awready_i,
  input wire axi_wready_i,
  input wire axi_rvalid_i,
  input wire axi_rlast_i,
  input wire axi_bvalid_i
);

  localparam Bits = 4;

  wire core_rst_n, resetting, arvalid, awvalid, wvalid, rready, bready;
  wire core_arready, core_awready, core_wready;

  lpu_guard #(.OutstandingBits(Bits)) u_guard (
    .clk_i(clk_i), .rst_ni(rst_ni), .stop_i(stop_i), .reset_i(reset_i),
    .resetting_o(resetting), .core_rst_no(core_rst_n),
    .core_arvalid_i(core_arvalid_i), .core_arready_o(core_arready), .core_rready_i(1'b1),
    .core_awvalid_i(core_awvalid_i), .core_awready_o(core_awready),
    .core_wvalid_i(core_wvalid_i), .core_wready_o(core_wready), .core_wlast_i(core_wlast_i),
    .core_bready_i(1'b1),
    .axi_arvalid_o(arvalid), .axi_arready_i(axi_arready_i),
    .axi_rvalid_i(axi_rvalid_i), .axi_rlast_i(axi_rlast_i), .axi_rready_o(rready),
    .axi_awvalid_o(awvalid), .axi_awready_i(axi_awready_i),
    .axi_wvalid_o(wvalid), .axi_wready_i(axi_wready_i),
    .axi_bvalid_i(axi_bvalid_i), .axi_bready_o(bready));

  (* hierconn *) wire [Bits-1:0] \u_guard.reads_q ;
  (* hierconn *) wire [Bits-1:0] \u_guard.writes_q ;
  (* hierconn *) wire [Bits-1:0] \u_guard.ahead_q ;
  (* hierconn *) wire            \u_guard.w_inside_q ;
  (* hierconn *) wire            \u_guard.ar_wait_q ;
  (* hierconn *) wire            \u_guard.aw_wait_q ;
  (* hierconn *) wire            \u_guard.w_wait_q ;
  (* hierconn *) wire            \u_guard.reset_q ;
  (* hierconn *) wire            \u_guard.core_rst_nq ;
  (* hierconn *) wire            \u_guard.core_rst_nq2 ;

  // What memory has seen: reads under way, addresses and data of writes, responses to come.
  reg [Bits-1:0] reads, addresses, bursts, writes;
  reg            inside;                        // a burst of data
  reg            was_running, was_ar, was_aw, was_w, was_closed, was_rst_n, was_last;
  reg            was_core_ar, was_core_aw, was_core_w;

  wire ar = arvalid && axi_arready_i, aw = awvalid && axi_awready_i, w = wvalid && axi_wready_i;
  wire r  = axi_rvalid_i && rready && axi_rlast_i, b = axi_bvalid_i && bready;

  initial was_running = 1'b0;
  initial assume (!rst_ni);

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reads <= 0; addresses <= 0; bursts <= 0; writes <= 0; inside <= 1'b0;
    end else begin
      reads     <= reads + ar - r;
      writes    <= writes + aw - b;
      addresses <= addresses + aw;
      bursts    <= bursts + (w && core_wlast_i);
      if (w) inside <= !core_wlast_i;
    end
  end
  always @(posedge clk_i) begin
    was_running <= rst_ni;
    was_ar      <= arvalid && !axi_arready_i;
    was_aw      <= awvalid && !axi_awready_i;
    was_w       <= wvalid && !axi_wready_i;
    was_core_ar <= core_arvalid_i && !core_arready;
    was_core_aw <= core_awvalid_i && !core_awready;
    was_core_w  <= core_wvalid_i && !core_wready;
    was_last    <= core_wlast_i;
    was_closed  <= stop_i || \u_guard.reset_q ;
    was_rst_n   <= core_rst_n;
  end

  wire [Bits-1:0] ahead = addresses - bursts;

  always @* if (rst_ni) begin
    // The core.
    if (was_running && core_rst_n) begin
      if (was_core_ar) assume (core_arvalid_i);
      if (was_core_aw) assume (core_awvalid_i);
      if (was_core_w) assume (core_wvalid_i && core_wlast_i == was_last);
    end
    if (!core_rst_n) assume (!core_arvalid_i && !core_awvalid_i && !core_wvalid_i);
    if (!core_rst_n) assume (!stop_i);          // an error is a register of the core
    // Memory: answers to what was asked; counts that fit.
    if (reads == 0) assume (!axi_rvalid_i);
    if (writes == 0 || ahead == writes) assume (!axi_bvalid_i);
    assume (reads < 7 && writes < 7);
    assume (ahead != 4'd6 && ahead != 4'd10);
  end
  always @* if (rst_ni && ahead == 4'd11) assume (!wvalid || awvalid);

  always @* if (rst_ni) begin
    assert (\u_guard.reads_q == reads);
    assert (\u_guard.writes_q == writes);
    assert (\u_guard.ahead_q == ahead);
    assert (\u_guard.w_inside_q == inside);
    if (was_running) begin
      assert (\u_guard.ar_wait_q == was_ar);
      assert (\u_guard.aw_wait_q == was_aw);
      assert (\u_guard.w_wait_q == was_w);
      // A valid that memory has seen stays.
      if (was_ar) assert (arvalid);
      if (was_aw) assert (awvalid);
      if (was_w) assert (wvalid);
      // Nothing begins in a closed port: no read; no address but of data that are out, and no data but
      // of an address that is out, or of a burst that is.
      if (stop_i || \u_guard.reset_q ) begin
        if (!was_ar) assert (!arvalid);
        if (awvalid && !was_aw) assert (ahead[Bits-1] || (ahead == 0 && (inside || was_w)));
        if (wvalid && !was_w) assert (inside || (!ahead[Bits-1] && (ahead != 0 || was_aw)));
      end
      // The core is reset only when nothing is under way.
      if (was_rst_n && !core_rst_n) begin
        assert (reads == 0 && writes == 0 && ahead == 0 && !inside);
        assert (!was_ar && !was_aw && !was_w);
      end
    end
    // While it is in reset nothing is, either.
    if (!core_rst_n) assert (reads == 0 && writes == 0 && ahead == 0 && !inside);
    if (!\u_guard.core_rst_nq ) assert (!was_running || (!was_ar && !was_aw && !was_w));
  end

  // Not vacuous: a reset is asked for with reads and writes under way, and comes.
  reg was_busy;
  initial was_busy = 1'b0;
  always @(posedge clk_i) if (rst_ni && reset_i && reads == 2 && ahead == 1) was_busy <= 1'b1;
  always @* if (rst_ni) cover (was_busy && was_rst_n && !core_rst_n);

endmodule

`default_nettype wire
