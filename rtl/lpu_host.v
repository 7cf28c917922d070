// Host port: AXI4-Lite registers, program window, and interrupt. rtl/lpu_regs.vh has the map.
//
// Only whole words are written. SLVERR answers an odd address, a write with a byte left out, to a
// place that is not written, or to anything but CTRL and the IRQ registers while a program runs;
// and a read of a place that is not read, or of the window while a program runs. What is refused
// has no effect.
//
// Timing    a write is answered in the next cycle, a read too, from the window a cycle later; one
//           write and one read are in work
// Widths    12 bits of address, 32 of data
// Model     rtl/verify/regs.hh
// Tests     tests/top/sequencer_test.sh, tests/formal/host_test.sh
`default_nettype none
`include "lpu_regs.vh"

module lpu_host #(
  parameter ProgramDepth = 1024,
  parameter Rows         = 8,
  parameter Cols         = 10,
  parameter PcBits       = $clog2(ProgramDepth)
) (
  input  wire              clk_i,
  input  wire              rst_ni,              // active low; asserts asynchronously

  // AXI4-Lite
  input  wire              s_axil_awvalid_i,
  output wire              s_axil_awready_o,
  input  wire [11:0]       s_axil_awaddr_i,
  input  wire              s_axil_wvalid_i,
  output wire              s_axil_wready_o,
  input  wire [31:0]       s_axil_wdata_i,
  input  wire [3:0]        s_axil_wstrb_i,
  output wire              s_axil_bvalid_o,
  input  wire              s_axil_bready_i,
  output wire [1:0]        s_axil_bresp_o,
  input  wire              s_axil_arvalid_i,
  output wire              s_axil_arready_o,
  input  wire [11:0]       s_axil_araddr_i,
  output wire              s_axil_rvalid_o,
  input  wire              s_axil_rready_i,
  output wire [31:0]       s_axil_rdata_o,
  output wire [1:0]        s_axil_rresp_o,
  output wire              irq_o,

  // Control: one cycle each
  output reg               start_q,
  output reg               reset_q,
  output reg               clear_q,

  // Settings
  output reg               stop_at_sync_q,
  output reg  [PcBits-1:0] first_q,
  output reg  [PcBits:0]   count_q,
  output wire [63:0]       base_o,
  output reg  [31:0]       eps_q,
  output reg  [31:0]       score_scale_q,

  // Status
  input  wire              running_i,
  input  wire              done_i,
  input  wire              stopped_i,
  input  wire [2:0]        error_i,
  input  wire              resetting_i,
  input  wire [PcBits:0]   pc_i,

  // Program memory
  output wire              prog_write_o,
  output wire              prog_read_o,
  output wire [PcBits-1:0] prog_addr_o,
  output wire [3:0]        prog_word_o,
  output wire [31:0]       prog_wdata_o,
  input  wire [511:0]      prog_rdata_i,

  // Counters
  output wire [4:0]        perf_index_o,
  input  wire [63:0]       perf_value_i
);

  localparam [1:0]  Okay = 2'b00, SlvErr = 2'b10;
  localparam [31:0] Id       = 32'h55504c53;    // "SLPU", the first letter lowest
  localparam [31:0] Depth    = ProgramDepth;
  localparam [31:0] RowCount = Rows, ColCount = Cols;

  // Nothing that a program depends on changes under it.
  wire is_busy      = running_i || start_q;
  wire is_resetting = resetting_i || reset_q;

  ////////////
  // Writes //
  ////////////

  reg  [19:0] base_low_q;                       // bits 31:12
  reg  [31:0] base_high_q;
  reg  [2:0]  irq_enable_q, irq_q;
  reg  [PcBits-1:0] address_q;
  reg         bvalid_q;
  reg  [1:0]  bresp_q;

  wire        write   = s_axil_awvalid_i && s_axil_wvalid_i && !bvalid_q;
  wire [11:0] waddr   = {s_axil_awaddr_i[11:2], 2'b00};
  wire [31:0] wdata   = s_axil_wdata_i;
  wire        window  = waddr[11:6] == 6'd1;
  reg         is_free;                          // may be written now

  assign s_axil_awready_o = write;
  assign s_axil_wready_o  = write;
  assign s_axil_bvalid_o  = bvalid_q;
  assign s_axil_bresp_o   = bresp_q;
  assign base_o           = {base_high_q, base_low_q, 12'd0};

  always @* begin
    case (waddr)
      `LPU_REG_CTRL, `LPU_REG_IRQ_ENABLE, `LPU_REG_IRQ_STATUS: is_free = 1'b1;
      `LPU_REG_FIRST, `LPU_REG_COUNT, `LPU_REG_BASE_LOW, `LPU_REG_BASE_HIGH, `LPU_REG_EPS,
      `LPU_REG_SCORE_SCALE, `LPU_REG_PROGRAM_ADDRESS:          is_free = !is_busy;
      default:                                                 is_free = window && !is_busy;
    endcase
  end

  wire accept = write && is_free && s_axil_awaddr_i[1:0] == 2'd0 && s_axil_wstrb_i == 4'hf;

  assign prog_write_o = accept && window;
  assign prog_word_o  = waddr[5:2];
  assign prog_wdata_o = wdata;
  assign prog_addr_o  = address_q;

  // What an interrupt reports, as it begins.
  reg  [2:0] was_q;
  wire [2:0] is_now;

  assign is_now[`LPU_IRQ_DONE]    = done_i;
  assign is_now[`LPU_IRQ_AT_SYNC] = stopped_i;
  assign is_now[`LPU_IRQ_ERROR]   = error_i != `LPU_ERROR_NONE;
  assign irq_o = (irq_q & irq_enable_q) != 3'd0;

  wire [2:0] cleared = accept && waddr == `LPU_REG_IRQ_STATUS ? wdata[2:0] : 3'd0;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      bvalid_q       <= 1'b0;
      bresp_q        <= Okay;
      start_q        <= 1'b0;
      reset_q        <= 1'b0;
      clear_q        <= 1'b0;
      stop_at_sync_q <= 1'b0;
      first_q        <= {PcBits{1'b0}};
      count_q        <= {PcBits+1{1'b0}};
      base_low_q     <= 20'd0;
      base_high_q    <= 32'd0;
      eps_q          <= 32'd0;
      score_scale_q  <= 32'd0;
      irq_enable_q   <= 3'd0;
      irq_q          <= 3'd0;
      was_q          <= 3'd0;
      address_q      <= {PcBits{1'b0}};
    end else begin
      start_q <= 1'b0;
      reset_q <= 1'b0;
      clear_q <= 1'b0;
      was_q   <= is_now;
      irq_q   <= (irq_q & ~cleared) | (is_now & ~was_q);
      if (write) begin
        bvalid_q <= 1'b1;
        bresp_q  <= accept ? Okay : SlvErr;
      end else if (s_axil_bready_i) begin
        bvalid_q <= 1'b0;
      end
      if (accept) begin
        case (waddr)
          `LPU_REG_CTRL: begin
            stop_at_sync_q <= wdata[`LPU_CTRL_STOP_AT_SYNC];
            start_q        <= wdata[`LPU_CTRL_START] && !wdata[`LPU_CTRL_RESET] && !is_busy &&
                              !is_resetting;
            reset_q        <= wdata[`LPU_CTRL_RESET];
            clear_q        <= wdata[`LPU_CTRL_CLEAR];
          end
          `LPU_REG_FIRST:           first_q       <= wdata[PcBits-1:0];
          `LPU_REG_COUNT:           count_q       <= wdata[PcBits:0];
          `LPU_REG_BASE_LOW:        base_low_q    <= wdata[31:12];
          `LPU_REG_BASE_HIGH:       base_high_q   <= wdata;
          `LPU_REG_EPS:             eps_q         <= wdata;
          `LPU_REG_SCORE_SCALE:     score_scale_q <= wdata;
          `LPU_REG_IRQ_ENABLE:      irq_enable_q  <= wdata[2:0];
          `LPU_REG_PROGRAM_ADDRESS: address_q     <= wdata[PcBits-1:0];
          default: if (window && waddr[5:2] == 4'd15) begin
            address_q <= address_q + {{PcBits-1{1'b0}}, 1'b1};
          end
        endcase
      end
    end
  end

  ///////////
  // Reads //
  ///////////

  reg         rvalid_q, wait_q;                 // wait_q: the window's word comes in this cycle
  reg  [1:0]  rresp_q;
  reg  [31:0] rdata_q, high_q, value;           // high_q: high word of the counter last read
  reg  [3:0]  word_q;
  reg         is_known;

  wire        read      = s_axil_arvalid_i && s_axil_arready_o;
  wire [11:0] raddr     = {s_axil_araddr_i[11:2], 2'b00};
  wire        is_window = raddr[11:6] == 6'd1;
  wire        is_perf   = raddr[11:8] == 4'd1 && raddr[7:3] < `LPU_PERF_COUNTERS;

  assign s_axil_arready_o = !rvalid_q && !wait_q;
  assign s_axil_rvalid_o  = rvalid_q;
  assign s_axil_rdata_o   = rdata_q;
  assign s_axil_rresp_o   = rresp_q;
  assign prog_read_o      = read && is_window && !is_busy;
  assign perf_index_o     = raddr[7:3];

  always @* begin
    is_known = 1'b1;
    value    = 32'd0;
    case (raddr)
      `LPU_REG_CTRL:            value[`LPU_CTRL_STOP_AT_SYNC] = stop_at_sync_q;
      `LPU_REG_STATUS: begin
        value[`LPU_STATUS_RUNNING]   = running_i;
        value[`LPU_STATUS_DONE]      = done_i;
        value[`LPU_STATUS_AT_SYNC]   = stopped_i;
        value[`LPU_STATUS_ERROR]     = error_i != `LPU_ERROR_NONE;
        value[`LPU_STATUS_RESETTING] = is_resetting;
      end
      `LPU_REG_ERROR:           value = {29'd0, error_i};
      `LPU_REG_PC:              value = {{31-PcBits{1'b0}}, pc_i};
      `LPU_REG_FIRST:           value = {{32-PcBits{1'b0}}, first_q};
      `LPU_REG_COUNT:           value = {{31-PcBits{1'b0}}, count_q};
      `LPU_REG_BASE_LOW:        value = {base_low_q, 12'd0};
      `LPU_REG_BASE_HIGH:       value = base_high_q;
      `LPU_REG_EPS:             value = eps_q;
      `LPU_REG_SCORE_SCALE:     value = score_scale_q;
      `LPU_REG_IRQ_ENABLE:      value = {29'd0, irq_enable_q};
      `LPU_REG_IRQ_STATUS:      value = {29'd0, irq_q};
      `LPU_REG_PROGRAM_ADDRESS: value = {{32-PcBits{1'b0}}, address_q};
      `LPU_REG_ID:              value = Id;
      `LPU_REG_GEOMETRY:        value = {RowCount[15:0], ColCount[15:0]};
      `LPU_REG_DEPTH:           value = Depth;
      default: begin
        is_known = is_perf || (is_window && !is_busy);
        if (is_perf) value = raddr[2] ? high_q : perf_value_i[31:0];
      end
    endcase
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rvalid_q <= 1'b0;
      wait_q   <= 1'b0;
      rresp_q  <= Okay;
      rdata_q  <= 32'd0;
      high_q   <= 32'd0;
      word_q   <= 4'd0;
    end else begin
      wait_q <= prog_read_o;
      if (read) begin
        rvalid_q <= !prog_read_o;
        rresp_q  <= is_known && s_axil_araddr_i[1:0] == 2'd0 ? Okay : SlvErr;
        rdata_q  <= value;
        word_q   <= raddr[5:2];
        if (is_perf && !raddr[2]) high_q <= perf_value_i[63:32];
      end else if (wait_q) begin
        rvalid_q <= 1'b1;
        rdata_q  <= prog_rdata_i[{word_q, 5'd0} +: 32];
      end else if (s_axil_rready_i) begin
        rvalid_q <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire
