// lpu_store on AXI, whatever the program, the scratchpad and the memory do: what is on AW and on W
// stays until it is taken, data and strobes too; as many bursts of data as addresses, of the length
// that AW says; and no response is awaited that was not asked for.
`default_nettype none

module store #(
  parameter BusBytes   = 1,
  parameter BurstBytes = 2
) (
  input wire         clk_i,
  input wire         rst_ni,
  input wire         push_valid_i,
  input wire [511:0] push_insn_i,
  input wire         awready_i,
  input wire         wready_i,
  input wire         bvalid_i,
  input wire [2:0]   bid_i,
  input wire [8*BusBytes-1:0] scratch_i         // what the scratchpad holds at the place read
);

  localparam AddrBits = 34;

  wire                push_ready, ret_valid, st_ren, awvalid, wvalid, wlast, bready, write_error;
  wire [3:0]          ret_tag, pending;
  wire [31:0]         st_raddr;
  wire [AddrBits-1:0] awaddr;
  wire [2:0]          awid;
  wire [7:0]          awlen;
  wire [8*BusBytes-1:0] wdata;
  wire [BusBytes-1:0] wstrb;
  reg  [8*BusBytes-1:0] st_rdata;               // held until the next read, as lpu_scratch does

  always @(posedge clk_i) if (st_ren) st_rdata <= scratch_i;

  lpu_store #(
    .BusBytes(BusBytes), .BurstBytes(BurstBytes), .AddrBits(AddrBits), .TagBits(4),
    .InFlightBits(3)
  ) u_store (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .push_valid_i(push_valid_i), .push_ready_o(push_ready), .push_insn_i(push_insn_i),
    .push_a_i(32'd0), .push_tag_i(4'd0), .ret_valid_o(ret_valid), .ret_tag_o(ret_tag),
    .pending_o(pending), .st_ren_o(st_ren), .st_raddr_o(st_raddr), .st_rdata_i(st_rdata),
    .m_axi_awvalid_o(awvalid), .m_axi_awready_i(awready_i), .m_axi_awaddr_o(awaddr),
    .m_axi_awid_o(awid), .m_axi_awlen_o(awlen),
    .m_axi_wvalid_o(wvalid), .m_axi_wready_i(wready_i), .m_axi_wdata_o(wdata),
    .m_axi_wstrb_o(wstrb), .m_axi_wlast_o(wlast),
    .m_axi_bvalid_i(bvalid_i), .m_axi_bready_o(bready), .m_axi_bid_i(bid_i),
    .m_axi_bresp_i(2'd0), .ev_resp_error_o(write_error));

  // What memory has seen: addresses, ends of data, beats of the present burst; responses due by id,
  // which are given when both address and data are there.
  reg  [7:0] addresses, ends, answers;
  reg  [3:0] beats;
  reg  [3:0] due [0:7];
  wire       aw = awvalid && awready_i, w = wvalid && wready_i;

  integer i;
  initial begin
    {addresses, ends, answers, beats} = 28'd0;
    for (i = 0; i < 8; i = i + 1) due[i] = 4'd0;
  end
  always @(posedge clk_i) begin
    if (!rst_ni) begin                                // nothing is under way at a reset: lpu_guard
      {addresses, ends, answers, beats} <= 28'd0;
      for (i = 0; i < 8; i = i + 1) due[i] <= 4'd0;
    end else begin
      addresses <= addresses + aw;
      ends      <= ends + (w && wlast);
      answers   <= answers + bvalid_i;
      if (w) beats <= wlast ? 4'd0 : beats + 4'd1;
      for (i = 0; i < 8; i = i + 1)
        due[i] <= due[i] + (aw && awid == i[2:0]) - (bvalid_i && bid_i == i[2:0]);
    end
  end

  always @* begin
    if (push_valid_i) begin
      assume (push_ready);
      assume (push_insn_i[287:256] != 32'd0 && push_insn_i[319:288] != 32'd0);
    end
    if (bvalid_i) assume (due[bid_i] != 4'd0 && answers < ends && answers < addresses);
  end

  // What was on AW and W a clock ago.
  reg                was_running, aw_waiting, w_waiting, was_last;
  reg [AddrBits-1:0] was_addr;
  reg [2:0]          was_id;
  reg [8*BusBytes-1:0] was_data;
  reg [BusBytes-1:0] was_strb;
  initial was_running = 1'b0;
  initial assume (!rst_ni);
  always @(posedge clk_i) begin
    was_running <= rst_ni;
    aw_waiting  <= awvalid && !awready_i;
    w_waiting   <= wvalid && !wready_i;
    was_addr    <= awaddr;
    was_id      <= awid;
    was_data    <= wdata;
    was_strb    <= wstrb;
    was_last    <= wlast;
  end

  always @* if (rst_ni) begin
    assert (bready);
    if (was_running && aw_waiting) begin              // valid stays until ready, payload stable
      assert (awvalid);
      assert (awaddr == was_addr && awid == was_id);
    end
    if (was_running && w_waiting) begin
      assert (wvalid);
      assert (wdata == was_data && wstrb == was_strb && wlast == was_last);
    end
    if (awvalid) assert (awlen == BurstBytes / BusBytes - 1);
`ifndef INDUCTION
    if (awvalid) assert (awaddr[0] == 1'b0);          // whole aligned bursts
    if (wvalid)  assert (wlast == (beats == BurstBytes / BusBytes - 1));
    assert (ends <= addresses + 8'd1);                // W is at most one burst ahead of AW
    assert (addresses <= ends + 8'd1);                // and the other way round
    if (ret_valid) assert (pending != 4'd0 && due[\u_store.first_q ] == 4'd0);
`endif
  end

  (* hierconn *) wire [2:0] \u_store.first_q ;

  // Not vacuous: a store of two bursts retires.
  always @* if (rst_ni) cover (ret_valid && addresses == 8'd2);

endmodule

`default_nettype wire
