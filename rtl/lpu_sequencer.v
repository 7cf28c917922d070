// Sequencer: in-order issue, one instruction a cycle, behind the scoreboard.
//
//   IDLE --start--> FETCH --> RUN --HALT--> DONE --start--> FETCH
//                     ^        | \--SYNC, to stop--> STOPPED --start--> FETCH
//                     |        |  \--error--> ERROR, until reset
//                     +--------+ (a SYNC that does not stop stays in RUN)
//
// The instruction at pc_q is on insn_i in every cycle of RUN: it is fetched while the one before it
// issues. A SETBUF is done as it issues. A SYNC or a HALT takes the first cycle in which nothing is
// under way, as the registers say; at a SYNC sync_o asks until sync_ack_i answers, in the cycle
// that is then the SYNC's own.
//
// Timing    first issue in the second cycle after start_i: cycle 0 of ev_run_o. An instruction sees
//           the retirements of its own cycle; its unit sees it one cycle later.
// Widths    tag = {pc, marks}; a unit gives back what it got
// Model     sim/unit_sequencer.c; sim/machine.c: is_drained()
// Tests     tests/top/sequencer_test.sh
`default_nettype none
`include "lpu_assert.vh"
`include "lpu_insn.vh"
`include "lpu_regs.vh"

module lpu_sequencer #(
  parameter ProgramDepth = 1024,                // instructions; a power of two
  parameter ScratchBytes = 65536,
  parameter PassesMax    = 64,
  parameter StreamQueue  = 16,
  parameter PcBits       = $clog2(ProgramDepth),
  parameter TagBits      = PcBits + 24,
  parameter ScratchBits  = $clog2(ScratchBytes)
) (
  input  wire                 clk_i,
  input  wire                 rst_ni,           // active low; asserts asynchronously

  // Host
  input  wire                 start_i,          // taken in IDLE, DONE and STOPPED
  input  wire                 stop_at_sync_i,
  input  wire [PcBits-1:0]    first_i,          // where a program starts
  input  wire [PcBits:0]      count_i,          // instructions in program memory
  input  wire [63:0]          base_i,           // added to addresses of memory
  output wire                 running_o,
  output wire                 done_o,
  output wire                 stopped_o,        // at a SYNC
  output reg  [2:0]           error_q,          // 0: none
  output reg  [PcBits:0]      pc_q,             // next to issue; in error, when it was found
  input  wire [3:0]           error_i,          // read, write, weights, embedding: 3 to 6

  // Program memory
  output wire                 fetch_o,
  output wire [PcBits-1:0]    fetch_addr_o,
  input  wire [511:0]         insn_i,

  // Units: 0 stream engine, 1 array, 2 vector unit, 3 stores
  output wire [3:0]           push_valid_o,
  input  wire [3:0]           push_ready_i,
  output wire [511:0]         push_insn_o,
  output wire [31:0]          push_dst_o,
  output wire [31:0]          push_a_o,
  output wire [31:0]          push_b_o,
  output wire [31:0]          push_c_o,
  output wire [TagBits-1:0]   push_tag_o,
  input  wire [3:0]           ret_valid_i,
  input  wire [4*TagBits-1:0] ret_tag_i,
  input  wire                 idle_i,           // the array has nothing left to do

  // The memory settles at a SYNC
  output wire                 sync_o,
  input  wire                 sync_ack_i,

  // Events
  output wire                 ev_run_o,         // this cycle counts
  output wire                 ev_issue_o,       // an instruction issued, SYNC and HALT too
  output wire                 ev_syncing_o,     // a SYNC or a HALT is next

  // Trace
  output wire                 trace_issue_o,    // an instruction issued, SYNC and HALT not
  output wire [PcBits-1:0]    trace_issue_pc_o,
  output wire [3:0]           trace_retire_o,
  output wire [4*PcBits-1:0]  trace_retire_pc_o
);

  localparam Idle = 3'd0, Fetch = 3'd1, Run = 3'd2, Stopped = 3'd3, Done = 3'd4, Error = 3'd5;

  localparam FlightBits = $clog2(StreamQueue + 4 + 4 + 8 + 1);

  reg  [2:0]            state_q;
  reg  [FlightBits-1:0] flight_q;               // issued and not retired

  /////////////////////
  // The instruction //
  /////////////////////

  wire [3:0]  unit;
  wire [23:0] marks;
  wire        is_illegal, hazard;
  wire [7:0]  op        = insn_i[`LPU_F_OP];
  wire        is_run    = state_q == Run;
  wire        is_end    = pc_q >= count_i || pc_q[PcBits];
  wire        is_sync   = op == `LPU_OP_SYNC;
  wire        is_halt   = op == `LPU_OP_HALT;
  wire        is_setbuf = op == `LPU_OP_SETBUF;
  wire        is_sound  = is_run && !is_end && !is_illegal;
  wire        is_ready  = is_setbuf || (unit & push_ready_i) != 4'd0;
  wire        issue     = is_sound && !is_sync && !is_halt && is_ready && !hazard;
  wire        drained   = is_sound && flight_q == {FlightBits{1'b0}} && idle_i;
  wire        own       = drained && (is_halt || (is_sync && sync_ack_i));

  lpu_insn_check #(.PassesMax(PassesMax)) u_check (
    .insn_i    (insn_i),
    .unit_o    (unit),
    .marks_o   (marks),
    .illegal_o (is_illegal)
  );

  lpu_scoreboard #(.StreamQueue(StreamQueue), .Buffers(`LPU_BUFFERS)) u_scoreboard (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .unit_i      (unit),
    .marks_i     (marks),
    .hazard_o    (hazard),
    .issue_i     (issue),
    .ret_valid_i (ret_valid_i),
    .ret_marks_i ({ret_tag_i[3*TagBits +: 24], ret_tag_i[2*TagBits +: 24],
                   ret_tag_i[TagBits +: 24], ret_tag_i[0 +: 24]})
  );

  assign fetch_o      = state_q == Fetch || issue || own;
  assign fetch_addr_o = state_q == Fetch ? pc_q[PcBits-1:0] :
                        pc_q[PcBits-1:0] + {{PcBits-1{1'b0}}, 1'b1};

  /////////////
  // Buffers //
  /////////////

  reg  [ScratchBits-1:0] base_q [0:`LPU_BUFFERS-1];
  integer                i;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (i = 0; i < `LPU_BUFFERS; i = i + 1) base_q[i] <= {ScratchBits{1'b0}};
    end else if (issue && is_setbuf) begin
      base_q[marks[4:0]] <= insn_i[192 +: ScratchBits];
    end
  end

  localparam [31:0] Zeros = 32'd0;

  wire [ScratchBits-1:0] dst = base_q[marks[4:0]], a = base_q[marks[10:6]];
  wire [ScratchBits-1:0] b = base_q[marks[16:12]], c = base_q[marks[22:18]];

  assign push_dst_o = marks[5]  ? {Zeros[31:ScratchBits], dst} : Zeros;
  assign push_a_o   = marks[11] ? {Zeros[31:ScratchBits], a} : Zeros;
  assign push_b_o   = marks[17] ? {Zeros[31:ScratchBits], b} : Zeros;
  assign push_c_o   = marks[23] ? {Zeros[31:ScratchBits], c} : Zeros;

  assign push_valid_o = issue ? unit : 4'd0;
  assign push_insn_o  = {insn_i[511:256], insn_i[`LPU_F_ADDR] + base_i, insn_i[191:0]};
  assign push_tag_o   = {pc_q[PcBits-1:0], marks};

  ///////////
  // State //
  ///////////

  // The first error counts.
  wire [2:0] error = error_i[0] ? `LPU_ERROR_READ : error_i[1] ? `LPU_ERROR_WRITE :
                     error_i[2] ? `LPU_ERROR_WEIGHTS : error_i[3] ? `LPU_ERROR_EMBEDDING :
                     is_end ? `LPU_ERROR_NO_HALT : is_illegal ? `LPU_ERROR_ILLEGAL :
                     `LPU_ERROR_NONE;

  wire [2:0] retired = {2'd0, ret_valid_i[0]} + {2'd0, ret_valid_i[1]} + {2'd0, ret_valid_i[2]} +
                       {2'd0, ret_valid_i[3]};

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q  <= Idle;
      flight_q <= {FlightBits{1'b0}};
      pc_q     <= {PcBits+1{1'b0}};
      error_q  <= `LPU_ERROR_NONE;
    end else begin
      flight_q <= flight_q + {{FlightBits-1{1'b0}}, issue && !is_setbuf} -
                  {{FlightBits-3{1'b0}}, retired};
      case (state_q)
        Idle, Done: if (start_i) begin
          state_q <= Fetch;
          pc_q    <= {1'b0, first_i};
        end
        Stopped: if (start_i) state_q <= Fetch;
        Fetch:   state_q <= Run;
        Run: begin
          if (issue || own) pc_q <= pc_q + {{PcBits{1'b0}}, 1'b1};
          if (error != `LPU_ERROR_NONE) begin
            state_q <= Error;
            error_q <= error;
          end else if (own && is_halt) begin
            state_q <= Done;
          end else if (own && stop_at_sync_i) begin
            state_q <= Stopped;
          end
        end
        default: state_q <= state_q;
      endcase
    end
  end

  assign running_o = state_q == Fetch || is_run;
  assign done_o    = state_q == Done;
  assign stopped_o = state_q == Stopped;
  assign sync_o    = drained && is_sync;

  assign ev_run_o     = is_run;
  assign ev_issue_o   = issue || own;
  assign ev_syncing_o = is_run && (is_sync || is_halt);

  assign trace_issue_o     = issue;
  assign trace_issue_pc_o  = pc_q[PcBits-1:0];
  assign trace_retire_o    = ret_valid_i;
  assign trace_retire_pc_o = {ret_tag_i[3*TagBits+24 +: PcBits], ret_tag_i[2*TagBits+24 +: PcBits],
                              ret_tag_i[TagBits+24 +: PcBits], ret_tag_i[24 +: PcBits]};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(retired_was_issued, flight_q >= {{FlightBits-3{1'b0}}, retired})

endmodule

`default_nettype wire
