// lpu_queue against a list of two words: the same words leave, in the order in which they came; none
// is lost, doubled or changed while it waits. Base from reset, then induction: for all time.
`default_nettype none

module queue #(
  parameter Bits = 8
) (
  input wire            clk_i,
  input wire            rst_ni,
  input wire            in_valid_i,
  input wire [Bits-1:0] in_data_i,
  input wire            out_ready_i
);

  wire            in_ready, out_valid;
  wire [Bits-1:0] out_data;

  lpu_queue #(.Bits(Bits)) u_queue (
    .clk_i(clk_i), .rst_ni(rst_ni),
    .in_valid_i(in_valid_i), .in_ready_o(in_ready), .in_data_i(in_data_i),
    .out_valid_o(out_valid), .out_ready_i(out_ready_i), .out_data_o(out_data));

  // Registers of the queue, for the invariant that induction stands on.
  (* hierconn *) wire [1:0]      \u_queue.count_q ;
  (* hierconn *) wire            \u_queue.first_q ;
  (* hierconn *) wire [Bits-1:0] \u_queue.slot0_q ;
  (* hierconn *) wire [Bits-1:0] \u_queue.slot1_q ;

  // The list.
  reg  [1:0]      words;
  reg  [Bits-1:0] oldest, newest;
  wire            take = in_valid_i && in_ready;
  wire            give = out_valid && out_ready_i;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) words <= 2'd0;
    else         words <= words + {1'b0, take} - {1'b0, give};
  end
  always @(posedge clk_i) begin
    if (give && words == 2'd2)                        oldest <= newest;
    else if (take && (words == 2'd0 || give))         oldest <= in_data_i;
    if (take) newest <= in_data_i;
  end

  // What it showed a clock ago.
  reg            was_running, was_waiting;
  reg [Bits-1:0] was_data;
  initial was_running = 1'b0;
  initial assume (!rst_ni);
  always @(posedge clk_i) begin
    was_running <= rst_ni;
    was_waiting <= out_valid && !out_ready_i;
    was_data    <= out_data;
  end

  always @* if (rst_ni) begin
    assert (words <= 2'd2);                           // no overflow
    assert (\u_queue.count_q == words);
    assert (out_valid == (words != 2'd0));            // no underflow
    assert (in_ready == (words != 2'd2));
    if (words != 2'd0) assert (out_data == oldest);   // order
    if (words == 2'd2) assert ((\u_queue.first_q ? \u_queue.slot0_q : \u_queue.slot1_q ) == newest);
    if (words == 2'd1) assert (oldest == newest);
    if (was_running && was_waiting) begin             // valid stays until ready, data stable
      assert (out_valid);
      assert (out_data == was_data);
    end
  end

  // Not vacuous: it can be full, and empty again.
  reg was_full;
  initial was_full = 1'b0;
  always @(posedge clk_i) if (rst_ni && words == 2'd2) was_full <= 1'b1;
  always @* if (rst_ni) cover (was_full && words == 2'd0);

endmodule

`default_nettype wire
