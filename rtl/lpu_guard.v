// Guard of the memory port: closes it after an error, and resets the core when it is quiet.
//
// While stop_i holds, or a reset has been asked for, no burst begins. What has begun is finished: a
// valid that memory has seen stays, data that an address announced are sent, and so is the address
// of data sent ahead of it; read data and responses are taken. Then, if a reset was asked for, the
// core is reset for two cycles and the port opens again.
//
// Timing    combinational between core and memory; core_rst_no falls after the last response
// Widths    OutstandingBits count bursts under way in each direction
// Model     none: AXI4, A3.2 and A3.3 (handshakes, and which channel waits for which)
// Tests     tests/formal/guard_test.sh, tests/top
`default_nettype none
`include "lpu_assert.vh"

module lpu_guard #(
  parameter OutstandingBits = 24
) (
  input  wire clk_i,
  input  wire rst_ni,                           // active low; asserts asynchronously

  input  wire stop_i,                           // an error: until reset
  input  wire reset_i,                          // one cycle
  output wire resetting_o,
  output wire core_rst_no,

  // The core's side                            // Memory's side
  input  wire core_arvalid_i,                   output wire axi_arvalid_o,
  output wire core_arready_o,                   input  wire axi_arready_i,
  input  wire core_rready_i,                    input  wire axi_rvalid_i,
  input  wire axi_rlast_i,                      output wire axi_rready_o,
  input  wire core_awvalid_i,                   output wire axi_awvalid_o,
  output wire core_awready_o,                   input  wire axi_awready_i,
  input  wire core_wvalid_i,                    output wire axi_wvalid_o,
  output wire core_wready_o,                    input  wire axi_wready_i,
  input  wire core_wlast_i,
  input  wire core_bready_i,                    input  wire axi_bvalid_i,
  output wire axi_bready_o
);

  localparam [OutstandingBits-1:0] None = {OutstandingBits{1'b0}}, One = None + 1'b1;

  reg [OutstandingBits-1:0] reads_q, writes_q;  // address taken, last data or response to come
  reg [OutstandingBits-1:0] ahead_q;            // addresses of writes less last data: signed
  reg                       ar_wait_q, aw_wait_q, w_wait_q; // memory has seen valid
  reg                       w_inside_q;         // within a burst of write data
  reg                       reset_q;            // asked for
  reg                       core_rst_nq, core_rst_nq2;

  wire is_closed  = stop_i || reset_q;
  wire is_behind  = ahead_q[OutstandingBits-1]; // data were sent before their address
  wire is_even    = ahead_q == None;
  wire is_ahead   = !is_behind && !is_even;
  wire w_began    = w_inside_q || w_wait_q;

  wire open_ar = !is_closed || ar_wait_q;
  wire open_aw = !is_closed || aw_wait_q || is_behind || (is_even && w_began);
  wire open_w  = !is_closed || w_began || is_ahead || (is_even && aw_wait_q);

  assign axi_arvalid_o  = core_arvalid_i && open_ar;
  assign core_arready_o = axi_arready_i && open_ar;
  assign axi_awvalid_o  = core_awvalid_i && open_aw;
  assign core_awready_o = axi_awready_i && open_aw;
  assign axi_wvalid_o   = core_wvalid_i && open_w;
  assign core_wready_o  = axi_wready_i && open_w;
  assign axi_rready_o   = core_rready_i || is_closed;
  assign axi_bready_o   = core_bready_i || is_closed;

  wire ar     = axi_arvalid_o && axi_arready_i;
  wire r_last = axi_rvalid_i && axi_rready_o && axi_rlast_i;
  wire aw     = axi_awvalid_o && axi_awready_i;
  wire w      = axi_wvalid_o && axi_wready_i;
  wire b      = axi_bvalid_i && axi_bready_o;
  wire is_quiet = reads_q == None && writes_q == None && is_even && !ar_wait_q && !aw_wait_q &&
                  !w_began;

  function [OutstandingBits-1:0] step(input [OutstandingBits-1:0] count, input more, input less);
    step = count + (more ? One : None) - (less ? One : None);
  endfunction

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reads_q      <= None;
      writes_q     <= None;
      ahead_q      <= None;
      ar_wait_q    <= 1'b0;
      aw_wait_q    <= 1'b0;
      w_wait_q     <= 1'b0;
      w_inside_q   <= 1'b0;
      reset_q      <= 1'b0;
      core_rst_nq  <= 1'b0;
      core_rst_nq2 <= 1'b0;
    end else begin
      reads_q      <= step(reads_q, ar, r_last);
      writes_q     <= step(writes_q, aw, b);
      ahead_q      <= step(ahead_q, aw, w && core_wlast_i);
      ar_wait_q    <= axi_arvalid_o && !axi_arready_i;
      aw_wait_q    <= axi_awvalid_o && !axi_awready_i;
      w_wait_q     <= axi_wvalid_o && !axi_wready_i;
      if (w) w_inside_q <= !core_wlast_i;
      // One cycle of closed port and nothing under way, then two of reset.
      reset_q      <= reset_i || (reset_q && core_rst_nq2);
      core_rst_nq  <= !(reset_q && is_quiet && core_rst_nq2);
      core_rst_nq2 <= core_rst_nq;
    end
  end

  assign resetting_o = reset_q || !core_rst_nq || !core_rst_nq2;
  assign core_rst_no = core_rst_nq && core_rst_nq2;

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(no_data_unasked, !r_last || reads_q != None)
  `LPU_ASSERT(no_response_unasked, !b || writes_q != None)

endmodule

`default_nettype wire
