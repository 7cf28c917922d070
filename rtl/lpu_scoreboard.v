// Scoreboard: which buffers are still being read or written, and by which unit.
//
// An instruction may not issue while a buffer that it names has a writer in another unit, or while
// the one that it writes has a reader in another unit. Stream engine and vector unit work in order,
// so their own instructions do not hinder them; products and stores are hindered by their own kind,
// too.
//
//   unit  0 stream engine   1 array   2 vector unit   3 stores
//
// Timing    hazard_o is of this cycle, retirements of this cycle included
// Widths    marks = {c, b, a, dst}, each {valid, buffer}
// Model     sim/unit_sequencer.c: has_hazard(), mark_all()
// Tests     tests/formal/scoreboard_test.sh, tests/top/sequencer_test.sh
`default_nettype none

module lpu_scoreboard #(
  parameter StreamQueue = 16,
  parameter ArrayQueue  = 4,
  parameter VectorQueue = 4,
  parameter StoreQueue  = 8,
  parameter Buffers     = 32,
  parameter BufferBits  = $clog2(Buffers),
  parameter MarkBits    = BufferBits + 1
) (
  input  wire                   clk_i,
  input  wire                   rst_ni,         // active low; asserts asynchronously

  // The instruction that wants to issue
  input  wire [3:0]             unit_i,         // one hot; none: the sequencer's own
  input  wire [4*MarkBits-1:0]  marks_i,
  output wire                   hazard_o,
  input  wire                   issue_i,        // it does

  // Retirements, unit by unit
  input  wire [3:0]             ret_valid_i,
  input  wire [16*MarkBits-1:0] ret_marks_i
);

  wire [4*Buffers-1:0] writers, readers;
  genvar u;

  generate
    for (u = 0; u < 4; u = u + 1) begin : gen_unit
      lpu_scoreboard_unit #(
        .Queue(u == 0 ? StreamQueue : u == 1 ? ArrayQueue : u == 2 ? VectorQueue : StoreQueue),
        .Buffers(Buffers)
      ) u_unit (
        .clk_i         (clk_i),
        .rst_ni        (rst_ni),
        .issue_i       (issue_i && unit_i[u]),
        .issue_marks_i (marks_i),
        .ret_valid_i   (ret_valid_i[u]),
        .ret_marks_i   (ret_marks_i[u*4*MarkBits +: 4*MarkBits]),
        .writers_o     (writers[u*Buffers +: Buffers]),
        .readers_o     (readers[u*Buffers +: Buffers])
      );
    end
  endgenerate

  // What other units do to each buffer; products and stores count their own unit as another.
  wire [Buffers-1:0] written = (unit_i[0] ? {Buffers{1'b0}} : writers[0 +: Buffers]) |
                               writers[Buffers +: Buffers] |
                               (unit_i[2] ? {Buffers{1'b0}} : writers[2*Buffers +: Buffers]) |
                               writers[3*Buffers +: Buffers];
  wire [Buffers-1:0] read    = (unit_i[0] ? {Buffers{1'b0}} : readers[0 +: Buffers]) |
                               readers[Buffers +: Buffers] |
                               (unit_i[2] ? {Buffers{1'b0}} : readers[2*Buffers +: Buffers]) |
                               readers[3*Buffers +: Buffers];

  wire [MarkBits-1:0] dst = marks_i[0 +: MarkBits];
  wire [MarkBits-1:0] a   = marks_i[MarkBits +: MarkBits];
  wire [MarkBits-1:0] b   = marks_i[2*MarkBits +: MarkBits];
  wire [MarkBits-1:0] c   = marks_i[3*MarkBits +: MarkBits];

  assign hazard_o = (dst[BufferBits] && written[dst[BufferBits-1:0]]) ||
                    (dst[BufferBits] && read[dst[BufferBits-1:0]]) ||
                    (a[BufferBits] && written[a[BufferBits-1:0]]) ||
                    (b[BufferBits] && written[b[BufferBits-1:0]]) ||
                    (c[BufferBits] && written[c[BufferBits-1:0]]);

endmodule

`default_nettype wire
