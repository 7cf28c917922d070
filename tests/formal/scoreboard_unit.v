// lpu_scoreboard_unit against the list of what it holds: a buffer has a writer or a reader pending if
// an instruction of the list, less the one that retires in this cycle, has it as dst, or as a, b or
// c. Its counts are those of the list, so none can overflow. Base from reset, then induction: for
// all time, all buffers and all marks.
`default_nettype none

module scoreboard_unit #(
  parameter Queue = 3
) (
  input wire       clk_i,
  input wire       rst_ni,
  input wire       issue_i,
  input wire [7:0] issue_marks_i,
  input wire       ret_i
);

  localparam Buffers = 2, MarkBits = 2;

  // The list: the oldest first.
  reg  [8*Queue-1:0] list;
  reg  [2:0]         held;
  wire               issue = issue_i && held < Queue;
  wire               ret   = ret_i && held != 0;
  wire [8*Queue-1:0] left  = ret ? list >> 8 : list;
  wire [2:0]         rest  = held - {2'd0, ret};
  integer            i;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) held <= 3'd0;
    else         held <= rest + {2'd0, issue};
  end
  always @(posedge clk_i) begin
    list <= left;
    if (issue) list[8*rest +: 8] <= issue_marks_i;
  end

  wire [Buffers-1:0] writers, readers;

  lpu_scoreboard_unit #(.Queue(Queue), .Buffers(Buffers)) u_unit (
    .clk_i(clk_i), .rst_ni(rst_ni), .issue_i(issue), .issue_marks_i(issue_marks_i),
    .ret_valid_i(ret), .ret_marks_i(list[7:0]), .writers_o(writers), .readers_o(readers));

  (* hierconn *) wire [1:0] \u_unit.gen_buffer[0].writers_q ;
  (* hierconn *) wire [1:0] \u_unit.gen_buffer[1].writers_q ;
  (* hierconn *) wire [3:0] \u_unit.gen_buffer[0].readers_q ;
  (* hierconn *) wire [3:0] \u_unit.gen_buffer[1].readers_q ;

  // Marks of buffer b in the list, in the fields of mask.
  function [3:0] count(input [8*Queue-1:0] of, input [2:0] n, input b, input [3:0] mask);
    integer e, f;
    begin
      count = 4'd0;
      for (e = 0; e < Queue; e = e + 1) begin
        for (f = 0; f < 4; f = f + 1) begin
          if (e < n && mask[f] && of[8*e+2*f +: 2] == {1'b1, b}) count = count + 4'd1;
        end
      end
    end
  endfunction

  initial assume (!rst_ni);

  always @* if (rst_ni) begin
    assert (held <= Queue);
    assert (\u_unit.gen_buffer[0].writers_q == count(list, held, 1'b0, 4'b0001));
    assert (\u_unit.gen_buffer[1].writers_q == count(list, held, 1'b1, 4'b0001));
    assert (\u_unit.gen_buffer[0].readers_q == count(list, held, 1'b0, 4'b1110));
    assert (\u_unit.gen_buffer[1].readers_q == count(list, held, 1'b1, 4'b1110));
    assert (writers == {count(left, rest, 1'b1, 4'b0001) != 0, count(left, rest, 1'b0, 4'b0001) != 0});
    assert (readers == {count(left, rest, 1'b1, 4'b1110) != 0, count(left, rest, 1'b0, 4'b1110) != 0});
  end

  // Not vacuous: every count at its most.
  always @* if (rst_ni) cover (\u_unit.gen_buffer[1].readers_q == 3 * Queue &&
                               \u_unit.gen_buffer[1].writers_q == Queue);

endmodule

`default_nettype wire
