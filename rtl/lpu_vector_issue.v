// Issue: which beat is next, and where its operands and results lie.
//
//   for each block of up to four rows > pass > row > [piece >] group of lanes > phase: one beat
//
// A row of a pass begins when its slot is ready: when the job behind its pass before is done. In the
// first pass rows come from the walks, and their addresses are kept by slot for the others.
//
// Timing    go is the cycle of decision; the beat is at the ports (registered) one cycle later. A row
//           of a shorter kind waits until beats of a longer one can no longer meet it.
// Widths    addresses are modulo 2^32; PosBits holds n.
// Model     sim/cost.c: lpu_cost_vector_cycles
// Tests     tests/top/vector_test.sh
`default_nettype none
`include "lpu_insn.vh"
`include "lpu_vector.vh"

module lpu_vector_issue #(
  parameter Rows    = 8,
  parameter Lanes   = 8,
  parameter Digits  = 5,
  parameter PosBits = 22,
  parameter ActBits = $clog2(Lanes + 1)
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Operation
  input  wire                      start_i,     // the walks are loaded with this clock
  input  wire        [`LPU_INSN_BITS-1:0] insn_i,
  input  wire        [31:0]        plane_i,     // of lpu_vector_setup
  input  wire        [31:0]        short_i,
  input  wire        [31:0]        other_i,

  // Rows
  input  wire        [3:0]         ready_i,     // by slot
  output wire        [3:0]         leave_o,     // the slot's row has been issued
  output wire                      step_o,      // of the walks
  output wire                      wrap_o,
  input  wire        [31:0]        walk_a_i,
  input  wire        [31:0]        walk_b_i,
  input  wire        [31:0]        walk_d_i,
  input  wire        [31:0]        walk_in_i,
  input  wire        [31:0]        walk_out_i,
  input  wire        [31:0]        walk_keys_i,

  // Beat
  output reg                       valid_q,     // of the lanes: embed's is the last plane's
  output reg                       read_q,      // any beat
  output reg         [3:0]         kind_q,
  output reg         [1:0]         slot_q,
  output reg         [2:0]         phase_q,
  output reg                       first_q,     // of the row's pass
  output reg                       last_q,
  output reg                       pass_0_q,
  output reg                       final_q,     // the row's last pass: nothing is reduced
  output reg                       end_q,       // of the operation
  output reg         [2:0]         job_q,       // behind the pass: LPU_END_...
  output reg         [ActBits-1:0] act_q,       // lanes with an element
  output reg         [PosBits-1:0] pos_q,       // of the first lane
  output reg                       a_ren_q,
  output reg         [31:0]        a_addr_q,
  output reg                       b_ren_q,
  output reg         [31:0]        b_addr_q,
  output reg                       in_ren_q,
  output reg         [31:0]        in_addr_q,
  output reg         [1:0]         write_q,     // LPU_WRITE_...
  output reg         [31:0]        w_addr_q,
  output reg         [ActBits+1:0] w_bytes_q,
  output reg                       out_q,       // the row's scale or exponent is written
  output reg         [31:0]        out_addr_q
);

  localparam [31:0] LanesOf    = Lanes;
  localparam [31:0] GroupBytes = Lanes / Digits; // of digits, in a beat
  localparam [31:0] GroupElems = (Lanes / Digits) * Digits;
  localparam [31:0] RowsOf     = Rows;
  localparam [3:0]  Longer     = `LPU_VECTOR_POWER;

  ///////////////
  // Operation //
  ///////////////

  wire [7:0]         op       = insn_i[`LPU_F_OP];
  wire [31:0]        n_all    = insn_i[`LPU_F_N];
  wire [31:0]        m_all    = insn_i[`LPU_F_M];
  wire [31:0]        m_inner  = insn_i[`LPU_F_M_INNER];
  wire [7:0]         planes   = insn_i[`LPU_F_PLANES];
  wire [31:0]        lines    = insn_i[`LPU_F_SEG_BYTES];
  wire [31:0]        segs     = insn_i[`LPU_F_SEGS];
  wire [31:0]        pieces   = insn_i[`LPU_F_STRIDE];
  wire               has_b    = insn_i[`LPU_F_B] != `LPU_BUFFER_NONE;
  wire               is_mode  = insn_i[`LPU_F_MODE] != 8'd0;
  wire               is_relu  = insn_i[`LPU_F_MODE] == `LPU_ACT_RELU2;
  wire               is_embed = op == `LPU_OP_EMBED;
  wire               is_rope  = op == `LPU_OP_ROPE;
  wire               is_soft  = op == `LPU_OP_SOFTMAX;
  wire [PosBits-1:0] n        = n_all[PosBits-1:0];

  ////////////
  // Passes //
  ////////////

  localparam [1:0] FromA = 2'd0, FromB = 2'd1, FromD = 2'd2;
  localparam [1:0] NoB = 2'd0, WordB = 2'd1, HalfB = 2'd2, ValueB = 2'd3; // ValueB: n words on

  reg  [2:0] pass_q;
  reg  [3:0] kind;
  reg  [2:0] job;
  reg        is_final;
  reg  [1:0] a_from, b_as, write;
  reg        is_in, is_out;                     // the row's scalar: read, written

  always @* begin
    kind     = `LPU_KIND_SCALE;
    job      = `LPU_END_NONE;
    is_final = 1'b1;
    a_from   = FromA;
    b_as     = NoB;
    write    = `LPU_WRITE_WORD;
    is_in    = pass_q == 3'd0;
    is_out   = 1'b0;
    case (op)
      `LPU_OP_NORMQ, `LPU_OP_QUANT, `LPU_OP_KVPACK: begin
        is_in = pass_q == 3'd0 && op == `LPU_OP_NORMQ && insn_i[`LPU_FLAG_EXPONENT];
        if (pass_q == 3'd0) begin
          kind     = `LPU_KIND_MAX;
          job      = op == `LPU_OP_NORMQ && has_b ? `LPU_END_NONE : `LPU_END_QUANT;
          is_final = 1'b0;
          write    = `LPU_WRITE_NONE;
        end else if (op == `LPU_OP_NORMQ && has_b && pass_q == 3'd1) begin
          kind     = `LPU_KIND_TERM;
          job      = `LPU_END_NORM;
          is_final = 1'b0;
          b_as     = HalfB;
          write    = `LPU_WRITE_NONE;
        end else begin
          kind     = op == `LPU_OP_NORMQ && has_b ? `LPU_KIND_NORMQ : `LPU_KIND_QUANT;
          b_as     = op == `LPU_OP_NORMQ && has_b ? HalfB : NoB;
          write    = op == `LPU_OP_KVPACK ? `LPU_WRITE_PACK : `LPU_WRITE_BYTE;
          is_out   = 1'b1;
        end
      end
      `LPU_OP_ROPE: begin
        kind  = `LPU_KIND_ROPE;
        b_as  = WordB;
        is_in = 1'b0;
      end
      `LPU_OP_SOFTMAX: begin
        is_final = pass_q == 3'd4;
        is_out   = pass_q == 3'd4;
        case (pass_q)
          3'd0: begin
            kind  = `LPU_KIND_LOAD;
            job   = `LPU_END_MUL;
            write = `LPU_WRITE_NONE;
          end
          3'd1: b_as = WordB;
          3'd2: begin
            kind = `LPU_KIND_EXP;
            b_as = ValueB;
          end
          3'd3: begin
            kind = `LPU_KIND_WEIGH;
            job  = `LPU_END_PROB;
            b_as = ValueB;
          end
          default: begin
            kind  = `LPU_KIND_QUANT;
            write = `LPU_WRITE_BYTE;
          end
        endcase
      end
      `LPU_OP_GATE: begin
        is_in  = 1'b0;
        is_out = 1'b1;
        if (pass_q == 3'd0) begin
          kind     = is_relu ? `LPU_KIND_RELU : `LPU_KIND_SILU;
          write    = is_relu ? `LPU_WRITE_NONE : `LPU_WRITE_WORD;
          is_final = !is_relu && !has_b;
        end else if (pass_q == 3'd1 && has_b) begin
          kind     = `LPU_KIND_MAX;
          a_from   = FromB;
          write    = `LPU_WRITE_NONE;
          is_final = 1'b0;
        end else begin
          kind   = `LPU_KIND_GATE;
          a_from = is_relu ? FromA : FromD;
          b_as   = has_b ? WordB : NoB;
        end
      end
      `LPU_OP_ARGMAX: begin
        is_in = 1'b1;
        if (pass_q == 3'd0) begin
          is_final = 1'b0;
          b_as     = WordB;
          write    = `LPU_WRITE_NONE;
        end else begin
          kind = `LPU_KIND_BEST;
        end
      end
      default: ;
    endcase
  end

  wire is_long = kind == `LPU_KIND_EXP || kind == `LPU_KIND_SILU;
  wire is_pack = write == `LPU_WRITE_PACK;
  wire is_one  = kind == `LPU_KIND_LOAD || kind == `LPU_KIND_BEST; // beat in all
  wire is_best = kind == `LPU_KIND_BEST;

  ///////////
  // Where //
  ///////////

  reg                busy_q, begin_q;           // begin: at a row's first beat
  reg  [15:0]        left_q;                    // rows, from the present block on
  reg  [31:0]        inner_q;                   // j of the row that the walks stand at
  reg  [1:0]         row_q;                     // of the block: its slot
  reg  [PosBits-1:0] at_q;                      // element of the row or piece
  reg  [31:0]        byte_q;                    // of digits, beside it
  reg  [7:0]         turn_q;                    // phase
  reg  [31:0]        turn_byte_q;               // what phases add to the address
  reg  [31:0]        piece_q;
  reg  [PosBits-1:0] piece_at_q;                // its first element
  reg  [31:0]        piece_byte_q;              // bytes of the pieces before it
  reg  [3:0]         hold_q;                    // cycles in which only longer kinds may begin
  reg  [31:0]        kept_a_q [0:3], kept_b_q [0:3], kept_d_q [0:3];
  reg  [31:0]        kept_in_q [0:3], kept_out_q [0:3], kept_keys_q [0:3];

  wire               is_first = pass_q == 3'd0;
  wire [31:0]        row_a    = is_first ? walk_a_i    : kept_a_q[row_q];
  wire [31:0]        row_b    = is_first ? walk_b_i    : kept_b_q[row_q];
  wire [31:0]        row_d    = is_first ? walk_d_i    : kept_d_q[row_q];
  wire [31:0]        row_in   = is_first ? walk_in_i   : kept_in_q[row_q];
  wire [31:0]        row_out  = is_first ? walk_out_i  : kept_out_q[row_q];
  wire [31:0]        row_keys = is_first ? walk_keys_i : kept_keys_q[row_q];

  // Pieces: line bytes, elements, and bytes from a plane to the next.
  wire               is_other = is_mode ? piece_q + 32'd1 == pieces : piece_q < segs;
  wire [31:0]        line     = !is_other ? lines : is_mode ? segs : lines + 32'd1;
  wire [31:0]        line_elems = Digits == 5 ? {line[29:0], 2'd0} + line : {line[29:0], 2'd0};
  wire [PosBits-1:0] piece_most = is_mode ? RowsOf[PosBits-1:0] : line_elems[PosBits-1:0];
  wire [PosBits-1:0] piece_left = n - piece_at_q;
  wire [PosBits-1:0] piece_all  = piece_left < piece_most ? piece_left : piece_most;
  wire [31:0]        plane_bytes = is_embed ? plane_i : is_other ? other_i : short_i;

  // Elements of the beat.
  wire [PosBits-1:0] all      = is_pack ? piece_all : is_rope ? {1'b0, n[PosBits-1:1]} : n;
  wire [PosBits-1:0] group    = is_embed || is_pack ? GroupElems[PosBits-1:0]
                                                    : LanesOf[PosBits-1:0];
  wire [PosBits-1:0] left     = at_q < all ? all - at_q : {PosBits{1'b0}};
  wire [PosBits-1:0] size     = left < group ? left : group;
  wire [31:0]        at_bytes = {{(32-PosBits){1'b0}}, at_q};
  wire [31:0]        keys_left = at_bytes < row_keys ? row_keys - at_bytes : 32'd0;
  wire [31:0]        size_32  = {{(32-PosBits){1'b0}}, size};
  wire [31:0]        act      = is_soft && keys_left < size_32 ? keys_left : size_32;
  wire [31:0]        line_left = line - byte_q;
  wire [31:0]        pack_bytes = line_left < GroupBytes ? line_left : GroupBytes;

  ///////////
  // Order //
  ///////////

  wire [7:0]  phases     = is_embed || is_pack ? planes : is_rope ? 8'd2 : 8'd1;
  wire        turn_last  = turn_q + 8'd1 >= phases;
  wire        group_last = is_one || (is_pack ? line_left <= GroupBytes : left <= group);
  wire        piece_end  = turn_last && group_last;
  wire        row_end    = piece_end && (!is_pack || piece_q + 32'd1 >= pieces);
  wire        row_last   = row_q == 2'd3 || {14'd0, row_q} + 16'd1 == left_q;
  wire        op_end     = row_end && row_last && is_final && left_q <= 16'd4;
  wire        is_held    = begin_q && (!is_first && !ready_i[row_q] || !is_long && hold_q != 4'd0);
  wire        go         = busy_q && !is_held;

  assign step_o  = go && row_end && is_first;
  assign wrap_o  = inner_q + 32'd1 == m_inner;
  assign leave_o = go && row_end ? 4'd1 << row_q : 4'd0;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      hold_q <= 4'd0;
    end else begin
      if (start_i) busy_q <= 1'b1;
      else if (go && op_end) busy_q <= 1'b0;
      if (go && is_long) hold_q <= Longer;
      else if (hold_q != 4'd0) hold_q <= hold_q - 4'd1;
    end
  end

  // Data needs no reset: start_i sets it.
  always @(posedge clk_i) begin
    if (start_i) begin
      left_q  <= m_all[15:0];
      inner_q <= 32'd0;
      pass_q  <= 3'd0;
      row_q   <= 2'd0;
    end else if (go && row_end) begin
      row_q <= row_last ? 2'd0 : row_q + 2'd1;
      if (row_last) pass_q <= is_final ? 3'd0 : pass_q + 3'd1;
      if (row_last && is_final) left_q <= left_q - 16'd4;
      if (is_first) inner_q <= wrap_o ? 32'd0 : inner_q + 32'd1;
    end

    if (start_i || go && row_end) begin
      piece_q      <= 32'd0;
      piece_at_q   <= {PosBits{1'b0}};
      piece_byte_q <= 32'd0;
    end else if (go && piece_end) begin
      piece_q      <= piece_q + 32'd1;
      piece_at_q   <= piece_at_q + piece_most;
      piece_byte_q <= piece_byte_q + turn_byte_q + plane_bytes;
    end

    if (start_i) begin_q <= 1'b1;
    else if (go) begin_q <= row_end;
    if (start_i || go && piece_end) begin
      at_q        <= {PosBits{1'b0}};
      byte_q      <= 32'd0;
    end else if (go && turn_last) begin
      at_q        <= at_q + group;
      byte_q      <= byte_q + GroupBytes;
    end
    if (start_i || go && turn_last) begin
      turn_q      <= 8'd0;
      turn_byte_q <= 32'd0;
    end else if (go) begin
      turn_q      <= turn_q + 8'd1;
      turn_byte_q <= turn_byte_q + plane_bytes;
    end

    if (step_o) begin
      kept_a_q[row_q]    <= walk_a_i;
      kept_b_q[row_q]    <= walk_b_i;
      kept_d_q[row_q]    <= walk_d_i;
      kept_in_q[row_q]   <= walk_in_i;
      kept_out_q[row_q]  <= walk_out_i;
      kept_keys_q[row_q] <= walk_keys_i;
    end
  end

  //////////
  // Beat //
  //////////

  wire [31:0] half_n   = {{(33-PosBits){1'b0}}, n[PosBits-1:1]};
  wire [31:0] elem     = at_bytes + (is_pack ? {{(32-PosBits){1'b0}}, piece_at_q}
                                             : is_rope && turn_q[0] ? half_n : 32'd0);
  wire [31:0] base     = a_from == FromA ? row_a : a_from == FromB ? row_b : row_d;
  wire        is_word  = write == `LPU_WRITE_WORD;
  wire [31:0] w_base   = is_rope || is_soft && is_word ? row_a : row_d;
  wire [31:0] w_line   = piece_byte_q + (is_other ? row_in : row_b) + byte_q + turn_byte_q;
  wire [31:0] w_bytes  = is_best ? 32'd8 : is_word ? {act[29:0], 2'd0} :
                         is_pack ? pack_bytes : size_32;
  wire        is_valid = !is_embed || turn_last;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q  <= 1'b0;
      read_q   <= 1'b0;
      a_ren_q  <= 1'b0;
      b_ren_q  <= 1'b0;
      in_ren_q <= 1'b0;
      out_q    <= 1'b0;
    end else begin
      valid_q  <= go && is_valid;
      read_q   <= go;
      a_ren_q  <= go && !is_one;
      b_ren_q  <= go && b_as != NoB && !(is_rope && turn_q != 8'd0);
      in_ren_q <= go && begin_q && is_in;
      out_q    <= go && begin_q && is_out && is_final;
    end
  end

  always @(posedge clk_i) begin
    kind_q     <= kind;
    slot_q     <= row_q;
    phase_q    <= turn_q[2:0];
    first_q    <= begin_q;
    last_q     <= row_end;
    pass_0_q   <= is_first;
    final_q    <= is_final;
    end_q      <= op_end;
    job_q      <= job;
    act_q      <= is_pack ? size[ActBits-1:0] : act[ActBits-1:0];
    pos_q      <= at_q;
    a_addr_q   <= base + (is_embed ? byte_q + turn_byte_q : {elem[29:0], 2'd0});
    b_addr_q   <= row_b + (b_as == HalfB  ? {at_bytes[30:0], 1'b0} :
                           b_as == ValueB ? {at_bytes[29:0] + n_all[29:0], 2'd0}
                                          : {at_bytes[29:0], 2'd0});
    in_addr_q  <= is_best ? row_d + 32'd4 : row_in;
    write_q    <= w_bytes == 32'd0 ? `LPU_WRITE_NONE : write;
    w_addr_q   <= w_base + (is_word ? is_best ? 32'd0 : {elem[29:0], 2'd0} :
                            is_pack ? w_line : at_bytes);
    w_bytes_q  <= w_bytes[ActBits+1:0];
    out_addr_q <= row_out;
  end

  wire unused = &{1'b0, insn_i, n_all, m_all, line_elems, act, elem, w_bytes[31:ActBits+2], LanesOf,
                  GroupElems, RowsOf};

endmodule

`default_nettype wire
