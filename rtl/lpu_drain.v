// Drain: the life of the two accumulator banks, and the stream of sums out.
//
//   free --finish--> busy --full--> busy and full (drains, OutLanes sums a cycle) --last beat--> free
//
// Timing    a bank is busy from the cycle after finish_i to the cycle after its last beat is read;
//           the first beat is read the cycle after full_i and is out one cycle later.
// Widths    beats of OutLanes rows; the lanes past the last row carry what is there.
// Model     sim/unit_array.c: drain_step, finish_bank
// Tests     tests/lockstep
`default_nettype none
`include "lpu_assert.vh"

module lpu_drain #(
  parameter Rows      = 8,
  parameter PassesMax = 4,
  parameter OutLanes  = 4,
  parameter AccBits   = 32,
  parameter RowBits   = $clog2(Rows + 1),
  parameter PassBits  = $clog2(PassesMax + 1),
  parameter SlotBits  = PassesMax > 1 ? $clog2(PassesMax) : 1
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Banks
  input  wire                      finish_i,    // the bank takes no more vectors
  input  wire                      finish_bank_i,
  input  wire        [RowBits-1:0] finish_rows_i,
  input  wire        [PassBits-1:0] finish_passes_i,
  input  wire                      full_i,      // its last sum is being written
  input  wire                      full_bank_i,
  output reg         [1:0]         busy_q,

  // Accumulators of all rows at one address
  output reg                       read_bank_q,
  output wire        [SlotBits-1:0] read_pass_o,
  input  wire        [Rows*AccBits-1:0] read_data_i,

  // Sums out
  output reg                       y_valid_o,
  input  wire                      y_ready_i,
  output reg         [OutLanes*AccBits-1:0] y_data_o
);

  localparam Groups = Rows / OutLanes;
  localparam GroupBits = Groups > 1 ? $clog2(Groups) : 1;
  localparam [31:0]          LanesPerBeat = OutLanes;
  localparam [GroupBits-1:0] OneGroup     = 1;
  localparam [PassBits-1:0]  OnePass      = 1;

  reg  [1:0]           full_q;
  reg  [PassBits-1:0]  read_pass_q;
  reg  [RowBits-1:0]   rows0_q, rows1_q;
  reg  [PassBits-1:0]  passes0_q, passes1_q;
  reg  [GroupBits-1:0] group_q;                 // of OutLanes rows
  reg  [RowBits-1:0]   row_q;                   // its first row

  wire [RowBits-1:0]   rows      = read_bank_q ? rows1_q : rows0_q;
  wire [PassBits-1:0]  passes    = read_bank_q ? passes1_q : passes0_q;
  wire                 is_full   = read_bank_q ? full_q[1] : full_q[0];

  wire [RowBits:0]     row_next  = {1'b0, row_q} + LanesPerBeat[RowBits:0];
  wire                 load      = is_full && (!y_valid_o || y_ready_i);
  wire                 row_last  = row_next >= {1'b0, rows};
  wire                 beat_last = load && row_last && read_pass_q + OnePass == passes;

  wire [1:0]           finish_bank = {finish_i && finish_bank_i, finish_i && !finish_bank_i};
  wire [1:0]           full_bank   = {full_i && full_bank_i, full_i && !full_bank_i};
  wire [1:0]           free_bank   = {beat_last && read_bank_q, beat_last && !read_bank_q};

  assign read_pass_o = read_pass_q[SlotBits-1:0];

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q      <= 2'b00;
      full_q      <= 2'b00;
      read_bank_q <= 1'b0;
      read_pass_q <= {PassBits{1'b0}};
      group_q     <= {GroupBits{1'b0}};
      row_q       <= {RowBits{1'b0}};
      y_valid_o   <= 1'b0;
    end else begin
      busy_q <= (busy_q | finish_bank) & ~free_bank;
      full_q <= (full_q | full_bank) & ~free_bank;
      if (!y_valid_o || y_ready_i) y_valid_o <= is_full;
      if (load) begin
        group_q <= row_last ? {GroupBits{1'b0}} : group_q + OneGroup;
        row_q   <= row_last ? {RowBits{1'b0}} : row_next[RowBits-1:0];
        if (row_last)  read_pass_q <= beat_last ? {PassBits{1'b0}} : read_pass_q + OnePass;
        if (beat_last) read_bank_q <= !read_bank_q;
      end
    end
  end

  // Data needs no reset: busy_q, full_q and y_valid_o say what is valid.
  always @(posedge clk_i) begin
    if (finish_bank[0]) begin
      rows0_q   <= finish_rows_i;
      passes0_q <= finish_passes_i;
    end
    if (finish_bank[1]) begin
      rows1_q   <= finish_rows_i;
      passes1_q <= finish_passes_i;
    end
  end

  ////////////////////
  // Output register //
  ////////////////////

  // Lane j reads row j of the group. An index times AccBits would be a multiplier: compare instead.
  genvar j;
  generate
    for (j = 0; j < OutLanes; j = j + 1) begin : gen_lane
      reg [AccBits-1:0] pick;
      integer           g;

      always @* begin
        pick = {AccBits{1'b0}};
        for (g = 0; g < Groups; g = g + 1)
          if (group_q == g[GroupBits-1:0]) pick = read_data_i[(g*OutLanes+j)*AccBits +: AccBits];
      end
      always @(posedge clk_i) if (load) y_data_o[j*AccBits +: AccBits] <= pick;
    end
  endgenerate

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(full_only_if_busy, (full_q & ~busy_q) == 2'b00)
  `LPU_ASSERT(finish_only_if_free, (busy_q & finish_bank) == 2'b00)

endmodule

`default_nettype wire
