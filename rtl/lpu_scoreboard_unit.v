// Pending readers and writers of every buffer in one unit.
//
//   mark  = {valid, buffer}        marks = {c, b, a, dst}: a, b, c are read, dst is written
//
// Timing    a mark of cycle t counts from t + 1; a retirement of cycle t shows in cycle t
// Widths    Queue instructions at most are pending, each with one writer and three readers
// Model     sim/unit_sequencer.c: writers[][unit], readers[][unit]
// Tests     tests/formal/scoreboard_test.sh, tests/top/sequencer_test.sh
`default_nettype none
`include "lpu_assert.vh"

module lpu_scoreboard_unit #(
  parameter Queue      = 4,
  parameter Buffers    = 32,                    // a power of two
  parameter BufferBits = $clog2(Buffers),
  parameter MarkBits   = BufferBits + 1
) (
  input  wire                  clk_i,
  input  wire                  rst_ni,          // active low; asserts asynchronously

  input  wire                  issue_i,
  input  wire [4*MarkBits-1:0] issue_marks_i,
  input  wire                  ret_valid_i,
  input  wire [4*MarkBits-1:0] ret_marks_i,

  output wire [Buffers-1:0]    writers_o,       // buffers with a writer pending
  output wire [Buffers-1:0]    readers_o        // buffers with a reader pending
);

  localparam WriterBits = Queue < 2 ? 2 : $clog2(Queue + 1);
  localparam ReaderBits = $clog2(3 * Queue + 1);
  localparam [31:0] WritersMax = Queue, ReadersMax = 3 * Queue;

  genvar b, f;

  generate
    for (b = 0; b < Buffers; b = b + 1) begin : gen_buffer
      localparam [31:0] Index = b;
      localparam [MarkBits-1:0] Mark = {1'b1, Index[BufferBits-1:0]};

      wire [3:0] adds, subs;                    // by field: dst, a, b, c

      for (f = 0; f < 4; f = f + 1) begin : gen_field
        assign adds[f] = issue_i     && issue_marks_i[f*MarkBits +: MarkBits] == Mark;
        assign subs[f] = ret_valid_i && ret_marks_i[f*MarkBits +: MarkBits] == Mark;
      end

      reg  [WriterBits-1:0] writers_q;
      reg  [ReaderBits-1:0] readers_q;
      wire [WriterBits-1:0] writers = writers_q - {{WriterBits-1{1'b0}}, subs[0]};
      wire [ReaderBits-1:0] readers = readers_q - {{ReaderBits-1{1'b0}}, subs[1]} -
                                      {{ReaderBits-1{1'b0}}, subs[2]} -
                                      {{ReaderBits-1{1'b0}}, subs[3]};

      // With this cycle's issue: one bit more than the counts have, for the assertions.
      wire [WriterBits:0] more_writers = {1'b0, writers} + {{WriterBits{1'b0}}, adds[0]};
      wire [ReaderBits:0] more_readers = {1'b0, readers} + {{ReaderBits{1'b0}}, adds[1]} +
                                         {{ReaderBits{1'b0}}, adds[2]} +
                                         {{ReaderBits{1'b0}}, adds[3]};

      assign writers_o[b] = writers != {WriterBits{1'b0}};
      assign readers_o[b] = readers != {ReaderBits{1'b0}};

      always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
          writers_q <= {WriterBits{1'b0}};
          readers_q <= {ReaderBits{1'b0}};
        end else begin
          if (adds[0] || subs[0]) writers_q <= more_writers[WriterBits-1:0];
          if (|adds[3:1] || |subs[3:1]) readers_q <= more_readers[ReaderBits-1:0];
        end
      end

      `LPU_ASSERT(writers_fit, writers <= writers_q && more_writers <= WritersMax[WriterBits:0])
      `LPU_ASSERT(readers_fit, readers <= readers_q && more_readers <= ReadersMax[ReaderBits:0])
    end
  endgenerate

endmodule

`default_nettype wire
