// lpu_stream on AXI, whatever the program, the memory and the consumer do: what is on AR stays until
// it is taken, no id is in use twice, bursts are aligned, and FIFO and ring never hold more than fits.
`default_nettype none

module stream #(
  parameter BusBytes    = 1,
  parameter BurstBytes  = 2,
  parameter Outstanding = 3,
  parameter FifoBytes   = 4
) (
  input wire         clk_i,
  input wire         rst_ni,
  input wire         push_valid_i,
  input wire         push_stream_i,             // stream or load
  input wire [511:0] push_insn_i,
  input wire [3:0]   stores_pending_i,
  input wire         arready_i,
  input wire         rvalid_i,
  input wire [1:0]   rid_i,
  input wire [8*BusBytes-1:0] rdata_i,
  input wire         fifo_take_i
);

  localparam AddrBits = 34;
  localparam [2:0] Fifo = FifoBytes;

  wire                arvalid, push_ready, ret_valid, read_error, ld_wvalid, rready;
  wire [AddrBits-1:0] araddr;
  wire [1:0]          arid;
  wire [7:0]          arlen;
  wire [2:0]          fifo_bytes;
  wire [7:0]          fifo_data;
  wire [31:0]         ld_waddr;
  wire                ld_wbytes;
  wire [8*BusBytes-1:0] ld_wdata;
  wire [3:0]          ret_tag;
  reg  [1:0]          left [0:3];               // beats to come of each id
  wire                is_last = left[rid_i] == 2'd1;
  wire [511:0]        insn = {push_insn_i[511:8], push_stream_i ? 8'd3 : 8'd4};

  lpu_stream #(
    .BusBytes(BusBytes), .BurstBytes(BurstBytes), .Outstanding(Outstanding), .StreamQueue(2),
    .FifoBytes(FifoBytes), .FillBytes(1), .AddrBits(AddrBits), .TagBits(4)
  ) u_stream (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .push_valid_i(push_valid_i), .push_ready_o(push_ready), .push_insn_i(insn),
    .push_dst_i(32'd0), .push_tag_i(4'd0), .ret_valid_o(ret_valid), .ret_tag_o(ret_tag),
    .stores_pending_i(stores_pending_i),
    .m_axi_arvalid_o(arvalid), .m_axi_arready_i(arready_i), .m_axi_araddr_o(araddr),
    .m_axi_arid_o(arid), .m_axi_arlen_o(arlen),
    .m_axi_rvalid_i(rvalid_i), .m_axi_rready_o(rready), .m_axi_rdata_i(rdata_i),
    .m_axi_rid_i(rid_i), .m_axi_rresp_i(2'd0), .m_axi_rlast_i(is_last),
    .fifo_bytes_o(fifo_bytes), .fifo_take_i(fifo_take_i), .fifo_data_o(fifo_data),
    .ld_wvalid_o(ld_wvalid), .ld_waddr_o(ld_waddr), .ld_wbytes_o(ld_wbytes),
    .ld_wdata_o(ld_wdata), .ev_resp_error_o(read_error));

  (* hierconn *) wire [2:0] \u_stream.reserved_q ;

  // The program is one that the sequencer lets pass; memory answers what it was asked; nothing is
  // taken that is not there.
  always @* begin
    if (push_valid_i) begin
      assume (push_ready);
      assume (push_insn_i[287:256] != 32'd0 && push_insn_i[319:288] != 32'd0);
`ifndef INDUCTION
      assume (push_insn_i[287:260] == 28'd0 && push_insn_i[319:290] == 30'd0); // short, in low memory
      assume (push_insn_i[255:198] == 58'd0 && push_insn_i[351:324] == 28'd0);
`endif
    end
    if (rvalid_i) assume (left[rid_i] != 2'd0);
    if (fifo_take_i) assume (fifo_bytes != 3'd0);
  end

  integer i;
  initial for (i = 0; i < 4; i = i + 1) left[i] = 2'd0;
  always @(posedge clk_i) begin
    if (!rst_ni) begin                                // nothing is under way at a reset: lpu_guard
      for (i = 0; i < 4; i = i + 1) left[i] <= 2'd0;
    end else begin
      if (rvalid_i)             left[rid_i] <= left[rid_i] - 2'd1;
      if (arvalid && arready_i) left[arid]  <= BurstBytes / BusBytes;
    end
  end

  // What was on AR a clock ago.
  reg                was_running, was_waiting;
  reg [AddrBits-1:0] was_addr;
  reg [1:0]          was_id;
  initial was_running = 1'b0;
  initial assume (!rst_ni);
  always @(posedge clk_i) begin
    was_running <= rst_ni;
    was_waiting <= arvalid && !arready_i;
    was_addr    <= araddr;
    was_id      <= arid;
  end

  always @* if (rst_ni) begin
    assert (rready);                                  // room was reserved
    if (was_running && was_waiting) begin             // valid stays until ready, payload stable
      assert (arvalid);
      assert (araddr == was_addr && arid == was_id);
    end
    if (arvalid) assert (arlen == BurstBytes / BusBytes - 1);
`ifndef INDUCTION
    if (arvalid) assert (araddr[0] == 1'b0);          // whole aligned bursts
    if (arvalid) assert (arid < Outstanding && left[arid] == 2'd0);
    assert (fifo_bytes <= \u_stream.reserved_q );     // no overflow
    assert (\u_stream.reserved_q <= Fifo);
`endif
  end

  // Not vacuous: all of the FIFO can be asked for, and a descriptor can retire.
  always @* if (rst_ni) cover (\u_stream.reserved_q == Fifo);
  always @* if (rst_ni) cover (ret_valid);

endmodule

`default_nettype wire
