// lpu_scoreboard: an instruction is held back if and only if it has a hazard with one that is under
// way, as the pairs of them say one by one; the rule is written down here once more, from the
// definition of order in each unit. Two buffers, queues of one. Base from reset, then
// induction: for all time.
`default_nettype none

module scoreboard (
  input wire        clk_i,
  input wire        rst_ni,
  input wire        want_i,                     // an instruction wants to issue
  input wire [3:0]  unit_i,
  input wire [7:0]  marks_i,
  input wire [3:0]  ret_i
);

  localparam Buffers = 2, MarkBits = 2, Bits = 4 * MarkBits;

  // What each unit holds.
  reg  [Bits-1:0] mark0, mark1, mark2, mark3;
  reg  [3:0]      held;
  wire [3:0]      ret   = ret_i & held;
  wire [3:0]      left  = held & ~ret;
  wire            hazard;
  wire            issue = want_i && !hazard && ((unit_i & ~held) != 0 || unit_i == 0);

  lpu_scoreboard #(
    .StreamQueue(1), .ArrayQueue(1), .VectorQueue(1), .StoreQueue(1), .Buffers(Buffers)
  ) u_scoreboard (
    .clk_i(clk_i), .rst_ni(rst_ni), .unit_i(unit_i), .marks_i(marks_i), .hazard_o(hazard),
    .issue_i(issue), .ret_valid_i(ret),
    .ret_marks_i({mark3, mark2, mark1, mark0}));

  // Counts of the units, for the invariant that induction stands on.
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[0].u_unit.gen_buffer[0].writers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[0].u_unit.gen_buffer[0].readers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[0].u_unit.gen_buffer[1].writers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[0].u_unit.gen_buffer[1].readers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[1].u_unit.gen_buffer[0].writers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[1].u_unit.gen_buffer[0].readers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[1].u_unit.gen_buffer[1].writers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[1].u_unit.gen_buffer[1].readers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[2].u_unit.gen_buffer[0].writers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[2].u_unit.gen_buffer[0].readers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[2].u_unit.gen_buffer[1].writers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[2].u_unit.gen_buffer[1].readers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[3].u_unit.gen_buffer[0].writers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[3].u_unit.gen_buffer[0].readers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[3].u_unit.gen_buffer[1].writers_q ;
  (* hierconn *) wire [1:0] \u_scoreboard.gen_unit[3].u_unit.gen_buffer[1].readers_q ;

  initial assume (!rst_ni);
  always @* assume (unit_i == 0 || unit_i == 1 || unit_i == 2 || unit_i == 4 || unit_i == 8);

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) held <= 4'd0;
    else         held <= left | (issue ? unit_i : 4'd0);
  end
  always @(posedge clk_i) if (issue) begin
    if (unit_i[0]) mark0 <= marks_i;
    if (unit_i[1]) mark1 <= marks_i;
    if (unit_i[2]) mark2 <= marks_i;
    if (unit_i[3]) mark3 <= marks_i;
  end

  // New after old: one writes what the other reads or writes.
  function collide(input [Bits-1:0] now, input [Bits-1:0] old);
    integer f;
    begin
      collide = 1'b0;
      for (f = 0; f < 4; f = f + 1) begin
        if (now[f*MarkBits+1] && now[f*MarkBits +: MarkBits] == old[0 +: MarkBits]) collide = 1'b1;
        if (now[1] && old[f*MarkBits +: MarkBits] == now[0 +: MarkBits]) collide = 1'b1;
      end
    end
  endfunction

  // Stream engine and vector unit keep their own order.
  wire expected = (left[0] && collide(marks_i, mark0) && !unit_i[0]) ||
                  (left[1] && collide(marks_i, mark1)) ||
                  (left[2] && collide(marks_i, mark2) && !unit_i[2]) ||
                  (left[3] && collide(marks_i, mark3));

  // A mark's share of the counts of buffer b: as its writer, as its reader.
  function [1:0] writes(input [Bits-1:0] mark, input b);
    writes = {1'b0, mark[0 +: 2] == {1'b1, b}};
  endfunction
  function [1:0] reads(input [Bits-1:0] mark, input b);
    reads = {1'b0, mark[2 +: 2] == {1'b1, b}} + {1'b0, mark[4 +: 2] == {1'b1, b}} +
            {1'b0, mark[6 +: 2] == {1'b1, b}};
  endfunction

  always @* if (rst_ni) begin
    assert (\u_scoreboard.gen_unit[0].u_unit.gen_buffer[0].writers_q == (held[0] ? writes(mark0, 1'b0) : 2'd0));
    assert (\u_scoreboard.gen_unit[0].u_unit.gen_buffer[0].readers_q == (held[0] ? reads(mark0, 1'b0) : 2'd0));
    assert (\u_scoreboard.gen_unit[0].u_unit.gen_buffer[1].writers_q == (held[0] ? writes(mark0, 1'b1) : 2'd0));
    assert (\u_scoreboard.gen_unit[0].u_unit.gen_buffer[1].readers_q == (held[0] ? reads(mark0, 1'b1) : 2'd0));
    assert (\u_scoreboard.gen_unit[1].u_unit.gen_buffer[0].writers_q == (held[1] ? writes(mark1, 1'b0) : 2'd0));
    assert (\u_scoreboard.gen_unit[1].u_unit.gen_buffer[0].readers_q == (held[1] ? reads(mark1, 1'b0) : 2'd0));
    assert (\u_scoreboard.gen_unit[1].u_unit.gen_buffer[1].writers_q == (held[1] ? writes(mark1, 1'b1) : 2'd0));
    assert (\u_scoreboard.gen_unit[1].u_unit.gen_buffer[1].readers_q == (held[1] ? reads(mark1, 1'b1) : 2'd0));
    assert (\u_scoreboard.gen_unit[2].u_unit.gen_buffer[0].writers_q == (held[2] ? writes(mark2, 1'b0) : 2'd0));
    assert (\u_scoreboard.gen_unit[2].u_unit.gen_buffer[0].readers_q == (held[2] ? reads(mark2, 1'b0) : 2'd0));
    assert (\u_scoreboard.gen_unit[2].u_unit.gen_buffer[1].writers_q == (held[2] ? writes(mark2, 1'b1) : 2'd0));
    assert (\u_scoreboard.gen_unit[2].u_unit.gen_buffer[1].readers_q == (held[2] ? reads(mark2, 1'b1) : 2'd0));
    assert (\u_scoreboard.gen_unit[3].u_unit.gen_buffer[0].writers_q == (held[3] ? writes(mark3, 1'b0) : 2'd0));
    assert (\u_scoreboard.gen_unit[3].u_unit.gen_buffer[0].readers_q == (held[3] ? reads(mark3, 1'b0) : 2'd0));
    assert (\u_scoreboard.gen_unit[3].u_unit.gen_buffer[1].writers_q == (held[3] ? writes(mark3, 1'b1) : 2'd0));
    assert (\u_scoreboard.gen_unit[3].u_unit.gen_buffer[1].readers_q == (held[3] ? reads(mark3, 1'b1) : 2'd0));
    assert (hazard == expected);
  end

  // Not vacuous: two units at work, one retires, and an instruction must wait for another.
  always @* if (rst_ni) cover (held[2:1] == 2'b11 && ret != 0 && hazard);

endmodule

`default_nettype wire
