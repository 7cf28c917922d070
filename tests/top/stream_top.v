// The stream engine and the store unit beside each other, as in lpu_top, for stream_lockstep.cc.
`default_nettype none

module stream_top #(
  parameter BusBytes    = 8,
  parameter BurstBytes  = 32,
  parameter Outstanding = 16,
  parameter StreamQueue = 16,
  parameter FifoBytes   = 1024,
  parameter FillBytes   = 4,
  parameter AddrBits    = 40,
  parameter TagBits     = 32,
  parameter IdBits      = $clog2(Outstanding),
  parameter FifoBits    = $clog2(FifoBytes + 1),
  parameter TakeBits    = $clog2(FillBytes + 1),
  parameter CountBits   = $clog2(BusBytes + 1)
) (
  input  wire                   clk_i,
  input  wire                   rst_ni,

  input  wire [511:0]           push_insn_i,
  input  wire [31:0]            push_dst_i,
  input  wire [31:0]            push_a_i,
  input  wire [TagBits-1:0]     push_tag_i,
  input  wire                   stream_push_i,
  output wire                   stream_ready_o,
  output wire                   stream_ret_o,
  output wire [TagBits-1:0]     stream_tag_o,
  input  wire                   store_push_i,
  output wire                   store_ready_o,
  output wire                   store_ret_o,
  output wire [TagBits-1:0]     store_tag_o,
  output wire [3:0]             pending_o,

  output wire                   arvalid_o,
  input  wire                   arready_i,
  output wire [AddrBits-1:0]    araddr_o,
  output wire [IdBits-1:0]      arid_o,
  output wire [7:0]             arlen_o,
  input  wire                   rvalid_i,
  output wire                   rready_o,
  input  wire [8*BusBytes-1:0]  rdata_i,
  input  wire [IdBits-1:0]      rid_i,
  input  wire [1:0]             rresp_i,
  input  wire                   rlast_i,

  output wire                   awvalid_o,
  input  wire                   awready_i,
  output wire [AddrBits-1:0]    awaddr_o,
  output wire [2:0]             awid_o,
  output wire [7:0]             awlen_o,
  output wire                   wvalid_o,
  input  wire                   wready_i,
  output wire [8*BusBytes-1:0]  wdata_o,
  output wire [BusBytes-1:0]    wstrb_o,
  output wire                   wlast_o,
  input  wire                   bvalid_i,
  output wire                   bready_o,
  input  wire [2:0]             bid_i,
  input  wire [1:0]             bresp_i,

  output wire [FifoBits-1:0]    fifo_bytes_o,
  input  wire [TakeBits-1:0]    fifo_take_i,
  output wire [8*FillBytes-1:0] fifo_data_o,
  output wire                   ld_wvalid_o,
  output wire [31:0]            ld_waddr_o,
  output wire [CountBits-1:0]   ld_wbytes_o,
  output wire [8*BusBytes-1:0]  ld_wdata_o,
  output wire                   st_ren_o,
  output wire [31:0]            st_raddr_o,
  input  wire [8*BusBytes-1:0]  st_rdata_i,
  output wire                   read_error_o,
  output wire                   write_error_o
);

  lpu_stream #(
    .BusBytes(BusBytes), .BurstBytes(BurstBytes), .Outstanding(Outstanding),
    .StreamQueue(StreamQueue), .FifoBytes(FifoBytes), .FillBytes(FillBytes), .AddrBits(AddrBits),
    .TagBits(TagBits)
  ) u_stream (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .push_valid_i(stream_push_i), .push_ready_o(stream_ready_o), .push_insn_i(push_insn_i),
    .push_dst_i(push_dst_i), .push_tag_i(push_tag_i),
    .ret_valid_o(stream_ret_o), .ret_tag_o(stream_tag_o), .stores_pending_i(pending_o),
    .m_axi_arvalid_o(arvalid_o), .m_axi_arready_i(arready_i), .m_axi_araddr_o(araddr_o),
    .m_axi_arid_o(arid_o), .m_axi_arlen_o(arlen_o),
    .m_axi_rvalid_i(rvalid_i), .m_axi_rready_o(rready_o), .m_axi_rdata_i(rdata_i),
    .m_axi_rid_i(rid_i), .m_axi_rresp_i(rresp_i), .m_axi_rlast_i(rlast_i),
    .fifo_bytes_o(fifo_bytes_o), .fifo_take_i(fifo_take_i), .fifo_data_o(fifo_data_o),
    .ld_wvalid_o(ld_wvalid_o), .ld_waddr_o(ld_waddr_o), .ld_wbytes_o(ld_wbytes_o),
    .ld_wdata_o(ld_wdata_o), .ev_resp_error_o(read_error_o));

  lpu_store #(
    .BusBytes(BusBytes), .BurstBytes(BurstBytes), .AddrBits(AddrBits), .TagBits(TagBits)
  ) u_store (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .push_valid_i(store_push_i), .push_ready_o(store_ready_o), .push_insn_i(push_insn_i),
    .push_a_i(push_a_i), .push_tag_i(push_tag_i),
    .ret_valid_o(store_ret_o), .ret_tag_o(store_tag_o), .pending_o(pending_o),
    .st_ren_o(st_ren_o), .st_raddr_o(st_raddr_o), .st_rdata_i(st_rdata_i),
    .m_axi_awvalid_o(awvalid_o), .m_axi_awready_i(awready_i), .m_axi_awaddr_o(awaddr_o),
    .m_axi_awid_o(awid_o), .m_axi_awlen_o(awlen_o),
    .m_axi_wvalid_o(wvalid_o), .m_axi_wready_i(wready_i), .m_axi_wdata_o(wdata_o),
    .m_axi_wstrb_o(wstrb_o), .m_axi_wlast_o(wlast_o),
    .m_axi_bvalid_i(bvalid_i), .m_axi_bready_o(bready_o), .m_axi_bid_i(bid_i),
    .m_axi_bresp_i(bresp_i), .ev_resp_error_o(write_error_o));

endmodule

`default_nettype wire
