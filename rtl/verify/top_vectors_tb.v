// Testbench for the files beside it: loads the program into the LPU TOP as a host does, is its memory,
// and compares that when the program has ended.
//
//   -DTOP=NAME   the module (lpu_top)        +gaps=SEED   the memory stalls at random
`default_nettype none
`timescale 1ns/1ns
`ifndef TOP
  `define TOP lpu_top
`endif

module tb;

  `include "config.vh"

  localparam IdBits    = $clog2(Outstanding);
  localparam BusBits   = 8 * BusBytes;
  localparam BusLog    = $clog2(BusBytes);
  localparam Beats     = BurstBytes / BusBytes;
  localparam Latency   = 20;
  localparam Queue     = 64;                    // more than are ever under way
  localparam HangClocks = 100000;

  // Registers of rtl/lpu_regs.vh.
  localparam [11:0] Ctrl = 12'h000, Status = 12'h004, Error = 12'h008, First = 12'h010, CountReg = 12'h014,
                    EpsReg = 12'h020, ScoreReg = 12'h024, IrqEnable = 12'h028, IrqStatus = 12'h02c,
                    ProgramAddress = 12'h030, Window = 12'h040, Perf = 12'h100;

  reg [511:0]       program  [0:Count-1];
  reg [BusBits-1:0] memory   [0:Words-1];
  reg [BusBits-1:0] expected [0:Words-1];

  reg         clk_i, rst_ni, has_gaps;
  integer     seed, clocks, moved, i, w, wrong;

  // The host's side.
  reg         h_awvalid, h_wvalid, h_arvalid;
  reg  [11:0] h_addr;
  reg  [31:0] h_wdata, h_data;
  wire        h_awready, h_wready, h_bvalid, h_arready, h_rvalid, irq;
  wire [31:0] h_rdata;

  // The memory's side.
  wire               arvalid, awvalid, wvalid, wlast, rready, bready, sync;
  wire [39:0]        araddr, awaddr;
  wire [IdBits-1:0]  arid;
  wire [2:0]         awid;
  wire [BusBits-1:0] wdata;
  wire [BusBytes-1:0] wstrb;
  reg                arready, awready, wready, rvalid, bvalid;
  reg  [BusBits-1:0] rdata;
  reg  [IdBits-1:0]  rid;
  reg                rlast;
  reg  [2:0]         bid;

  `TOP #(
    .Rows(Rows), .Cols(Cols), .Lines(Lines), .PassesMax(PassesMax), .VectorLanes(VectorLanes), .Code(Code),
    .ScratchBytes(ScratchBytes), .FifoBytes(FifoBytes), .FillBytes(FillBytes), .BusBytes(BusBytes),
    .BurstBytes(BurstBytes), .Outstanding(Outstanding), .StreamQueue(StreamQueue),
    .ProgramDepth(ProgramDepth)
  ) u_lpu (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .s_axil_awvalid_i(h_awvalid), .s_axil_awready_o(h_awready), .s_axil_awaddr_i(h_addr),
    .s_axil_wvalid_i(h_wvalid), .s_axil_wready_o(h_wready), .s_axil_wdata_i(h_wdata),
    .s_axil_wstrb_i(4'hf), .s_axil_bvalid_o(h_bvalid), .s_axil_bready_i(1'b1), .s_axil_bresp_o(),
    .s_axil_arvalid_i(h_arvalid), .s_axil_arready_o(h_arready), .s_axil_araddr_i(h_addr),
    .s_axil_rvalid_o(h_rvalid), .s_axil_rready_i(1'b1), .s_axil_rdata_o(h_rdata), .s_axil_rresp_o(),
    .irq_o(irq),
    .m_axi_arvalid_o(arvalid), .m_axi_arready_i(arready), .m_axi_araddr_o(araddr), .m_axi_arid_o(arid),
    .m_axi_arlen_o(), .m_axi_arsize_o(), .m_axi_arburst_o(),
    .m_axi_rvalid_i(rvalid), .m_axi_rready_o(rready), .m_axi_rdata_i(rdata), .m_axi_rid_i(rid),
    .m_axi_rresp_i(2'b00), .m_axi_rlast_i(rlast),
    .m_axi_awvalid_o(awvalid), .m_axi_awready_i(awready), .m_axi_awaddr_o(awaddr), .m_axi_awid_o(awid),
    .m_axi_awlen_o(), .m_axi_awsize_o(), .m_axi_awburst_o(),
    .m_axi_wvalid_o(wvalid), .m_axi_wready_i(wready), .m_axi_wdata_o(wdata), .m_axi_wstrb_o(wstrb),
    .m_axi_wlast_o(wlast),
    .m_axi_bvalid_i(bvalid), .m_axi_bready_o(bready), .m_axi_bid_i(bid), .m_axi_bresp_i(2'b00),
    .sync_o(sync), .sync_ack_i(1'b1),
    .run_o(), .trace_issue_o(), .trace_issue_pc_o(), .trace_retire_o(), .trace_retire_pc_o());

  always #5 clk_i = !clk_i;

  // Whether a channel moves in this cycle.
  function dice;
    input unused;
    dice = !has_gaps || $random(seed) % 3 != 0;
  endfunction

  task fail;
    input [8*40-1:0] why;
    begin
      $display("not ok  vectors: %0s, clock %0d", why, clocks);
      $stop;
      $finish;
    end
  endtask

  ////////////////
  // The memory //
  ////////////////

  reg [39:0]       r_addr [0:Queue-1];
  reg [IdBits-1:0] r_id   [0:Queue-1];
  integer          r_due  [0:Queue-1];
  reg [39:0]       w_addr [0:Queue-1];
  reg [2:0]        w_id   [0:Queue-1];
  reg [2:0]        b_id   [0:Queue-1];
  integer          b_due  [0:Queue-1];
  integer          r_in, r_out, r_beat, w_in, w_out, w_beat, b_in, b_out, byte_at;
  reg [39:0]       at;

  // Answers change just behind the clock's edge, as a register's would.
  always @(posedge clk_i) if (rst_ni) begin
    clocks = clocks + 1;
    moved  = moved + 1;
    if (arvalid && arready) begin
      r_addr[r_in % Queue] = araddr;
      r_id[r_in % Queue]   = arid;
      r_due[r_in % Queue]  = clocks + Latency;
      r_in  = r_in + 1;
      moved = 0;
    end
    if (awvalid && awready) begin
      w_addr[w_in % Queue] = awaddr;
      w_id[w_in % Queue]   = awid;
      w_in  = w_in + 1;
      moved = 0;
    end
    if (wvalid && wready) begin
      at = w_addr[w_out % Queue] + w_beat * BusBytes;
      for (byte_at = 0; byte_at < BusBytes; byte_at = byte_at + 1)
        if (wstrb[byte_at]) memory[at >> BusLog][8*byte_at +: 8] = wdata[8*byte_at +: 8];
      w_beat = w_beat + 1;
      if (wlast != (w_beat == Beats)) fail("wlast is wrong");
      if (wlast) begin
        b_id[b_in % Queue]  = w_id[w_out % Queue];
        b_due[b_in % Queue] = clocks + Latency;
        b_in   = b_in + 1;
        w_out  = w_out + 1;
        w_beat = 0;
      end
    end
    rvalid <= 1'b0;
    if (r_out < r_in && r_due[r_out % Queue] <= clocks && dice(1'b0)) begin
      at = r_addr[r_out % Queue] + r_beat * BusBytes;
      rvalid <= 1'b1;
      rdata  <= memory[at >> BusLog];
      rid    <= r_id[r_out % Queue];
      rlast  <= r_beat + 1 == Beats;
      r_beat = r_beat + 1;
      if (r_beat == Beats) begin
        r_beat = 0;
        r_out  = r_out + 1;
      end
    end
    bvalid <= 1'b0;
    if (b_out < b_in && b_due[b_out % Queue] <= clocks && dice(1'b0)) begin
      bvalid <= 1'b1;
      bid    <= b_id[b_out % Queue];
      b_out  = b_out + 1;
    end
    arready <= r_in - r_out < Queue - 2 && dice(1'b0);
    awready <= w_in - w_out < Queue - 2 && b_in - b_out < Queue / 2 && dice(1'b0);
    wready  <= w_in > w_out + (wvalid && wready && wlast ? 1 : 0) && dice(1'b0);
    if (rvalid && !rready) fail("rready is low");
    if (bvalid && !bready) fail("bready is low");
    if (moved > HangClocks) fail("nothing was read or written");
  end

  //////////////
  // The host //
  //////////////

  task host_write;
    input [11:0] addr;
    input [31:0] data;
    begin
      @(negedge clk_i);
      h_addr = addr;
      h_wdata = data;
      h_awvalid = 1'b1;
      h_wvalid = 1'b1;
      #1 while (!(h_awready && h_wready)) @(negedge clk_i);
      @(negedge clk_i);
      h_awvalid = 1'b0;
      h_wvalid = 1'b0;
      while (!h_bvalid) @(negedge clk_i);
    end
  endtask

  task host_read;
    input [11:0] addr;
    begin
      @(negedge clk_i);
      h_addr = addr;
      h_arvalid = 1'b1;
      #1 while (!h_arready) @(negedge clk_i);
      @(negedge clk_i);
      h_arvalid = 1'b0;
      while (!h_rvalid) @(negedge clk_i);
      h_data = h_rdata;
    end
  endtask

  initial begin
    $readmemh("program.hex", program);
    $readmemh("memory.hex", memory);
    $readmemh("expected.hex", expected);
    has_gaps = $value$plusargs("gaps=%d", seed) != 0;
    {clk_i, h_awvalid, h_wvalid, h_arvalid, arready, awready, wready, rvalid, bvalid, rlast} = 10'd0;
    {clocks, moved, r_in, r_out, r_beat, w_in, w_out, w_beat, b_in, b_out, wrong} = 352'd0;
    rst_ni = 1'b1;
    #1 rst_ni = 1'b0;
    #30 rst_ni = 1'b1;

    host_write(ProgramAddress, 32'd0);
    for (i = 0; i < Count; i = i + 1)
      for (w = 0; w < 16; w = w + 1) host_write(Window + 4 * w, program[i][32*w +: 32]);
    host_write(First, 32'd0);
    host_write(CountReg, Count);
    host_write(EpsReg, Eps);
    host_write(ScoreReg, ScoreScale);
    host_write(IrqStatus, 32'd7);
    host_write(IrqEnable, 32'd7);
    host_write(Ctrl, 32'd8);                    // clears the counters
    host_write(Ctrl, 32'd1);
    moved = 0;
    while (!irq) @(negedge clk_i);
    host_read(Status);
    if (!h_data[1]) begin
      host_read(Error);
      $display("not ok  vectors: error %0d", h_data);
      $stop;
      $finish;
    end
    for (i = 0; i < Words; i = i + 1) if (memory[i] !== expected[i] && !wrong) begin
      wrong = 1;
      $display("not ok  vectors: memory at 0x%0h: expected %h, found %h", i * BusBytes, expected[i], memory[i]);
    end
    if (wrong) begin
      $stop;
      $finish;
    end
    host_read(Perf);
    $display("ok      vectors: %0d instructions, %0d cycles on this memory, %0d bytes equal", Count, h_data,
             Words * BusBytes);
    $finish;
  end

endmodule

`default_nettype wire
