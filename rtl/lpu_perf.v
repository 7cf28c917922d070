// Performance counters: 64 bits each, in the order of lpu_regs.vh.
//
// Every cycle of a run has one of seven causes, as sim/machine.c tells them apart.
//
// Timing    an event of cycle t is counted from t + 1 on
// Widths    an increment is up to 32 bits
// Model     sim/machine.c: count_cycles(); workloads/counters.def
// Tests     tests/top
`default_nettype none
`include "lpu_assert.vh"
`include "lpu_regs.vh"

module lpu_perf #(
  parameter AddsBits  = 16,
  parameter BytesBits = 9,
  parameter [31:0] BurstBytes = 64
) (
  input  wire                 clk_i,
  input  wire                 rst_ni,           // active low; asserts asynchronously
  input  wire                 clear_i,
  input  wire [4:0]           index_i,
  output reg  [63:0]          value_o,

  // Cycles
  input  wire                 run_i,
  input  wire [2:0]           state_i,          // lpu_array_state
  input  wire                 fill_i,           // a tile is commanded and not all gathered
  input  wire                 short_i,          // and bytes of it have not arrived
  input  wire                 vector_i,         // the vector unit works
  input  wire                 syncing_i,
  input  wire                 array_gated_i,

  // Work
  input  wire                 issue_i,
  input  wire                 vector_beat_i,    // the vector unit took a group of elements
  input  wire [AddsBits-1:0]  lane_adds_i,
  input  wire [AddsBits-1:0]  lane_skips_i,

  // Bytes
  input  wire [BytesBits-1:0] fifo_write_i,
  input  wire [BytesBits-1:0] fifo_read_i,
  input  wire [BytesBits-1:0] load_i,
  input  wire [BytesBits-1:0] store_i,
  input  wire                 read_burst_i,
  input  wire                 write_burst_i
);

  localparam Pass = 3'd0, Empty = 3'd1, Fill = 3'd2, Accum = 3'd3;

  // The cause of the cycle.
  wire pass    = state_i == Pass;
  wire accum   = state_i == Accum;
  wire filling = state_i == Fill;
  wire empty   = state_i == Empty;
  wire vector  = empty && !fill_i && vector_i;
  wire sync    = empty && !fill_i && !vector_i && syncing_i;
  wire memory  = (filling && short_i) || (empty && fill_i);
  wire fill    = filling && !short_i;
  wire other   = !pass && !accum && !memory && !fill && !vector && !sync;

  wire [32*`LPU_PERF_COUNTERS-1:0] inc;
  reg  [63:0]                      count_q [0:`LPU_PERF_COUNTERS-1];
  integer                          i;

  function [31:0] one(input event_i);
    one = {31'd0, event_i};
  endfunction

  assign inc[32*`LPU_PERF_RUN_CYCLES   +: 32] = one(run_i);
  assign inc[32*`LPU_PERF_ARRAY_PASS   +: 32] = one(run_i && pass);
  assign inc[32*`LPU_PERF_STALL_MEMORY +: 32] = one(run_i && memory);
  assign inc[32*`LPU_PERF_STALL_FILL   +: 32] = one(run_i && fill);
  assign inc[32*`LPU_PERF_STALL_ACCUM  +: 32] = one(run_i && accum);
  assign inc[32*`LPU_PERF_STALL_VECTOR +: 32] = one(run_i && vector);
  assign inc[32*`LPU_PERF_STALL_SYNC   +: 32] = one(run_i && sync);
  assign inc[32*`LPU_PERF_STALL_ISSUE  +: 32] = one(run_i && other);
  assign inc[32*`LPU_PERF_VECTOR_BUSY  +: 32] = one(run_i && vector_i);
  assign inc[32*`LPU_PERF_INSTRUCTIONS +: 32] = one(issue_i);
  assign inc[32*`LPU_PERF_LANE_ADDS    +: 32] = {{32-AddsBits{1'b0}}, lane_adds_i};
  assign inc[32*`LPU_PERF_LANE_SKIPS   +: 32] = {{32-AddsBits{1'b0}}, lane_skips_i};
  assign inc[32*`LPU_PERF_FIFO_WRITE_BYTES +: 32] = {{32-BytesBits{1'b0}}, fifo_write_i};
  assign inc[32*`LPU_PERF_FIFO_READ_BYTES  +: 32] = {{32-BytesBits{1'b0}}, fifo_read_i};
  assign inc[32*`LPU_PERF_LOAD_BYTES       +: 32] = {{32-BytesBits{1'b0}}, load_i};
  assign inc[32*`LPU_PERF_STORE_BYTES      +: 32] = {{32-BytesBits{1'b0}}, store_i};
  assign inc[32*`LPU_PERF_DRAM_READ_BYTES  +: 32] = read_burst_i ? BurstBytes : 32'd0;
  assign inc[32*`LPU_PERF_DRAM_WRITE_BYTES +: 32] = write_burst_i ? BurstBytes : 32'd0;
  assign inc[32*`LPU_PERF_ARRAY_GATED      +: 32] = one(run_i && array_gated_i);
  assign inc[32*`LPU_PERF_VECTOR_GATED     +: 32] = one(run_i && !vector_i);
  assign inc[32*`LPU_PERF_VECTOR_BEATS     +: 32] = one(vector_beat_i);

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (i = 0; i < `LPU_PERF_COUNTERS; i = i + 1) count_q[i] <= 64'd0;
    end else begin
      for (i = 0; i < `LPU_PERF_COUNTERS; i = i + 1) begin
        if (clear_i)                    count_q[i] <= 64'd0;
        else if (inc[32*i +: 32] != 32'd0) count_q[i] <= count_q[i] + {32'd0, inc[32*i +: 32]};
      end
    end
  end

  always @* begin
    value_o = 64'd0;
    if (index_i < `LPU_PERF_COUNTERS) value_o = count_q[index_i];
  end

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(a_cycle_has_one_cause,
              {2'd0, pass} + {2'd0, memory} + {2'd0, fill} + {2'd0, accum} + {2'd0, vector} +
              {2'd0, sync} + {2'd0, other} == 3'd1)

endmodule

`default_nettype wire
