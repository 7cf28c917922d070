// Vector unit: one operation at a time, in passes over blocks of up to four rows.
//
//   queue --> set-up --> walks --> issue --> ports --> lanes --> trees --> slots (scalar units)
//                                                        |                   |
//                                                        +---> writes <------+--> scales, exponents
//
// Timing    an operation starts in the first cycle in which it is next and none is under way; it retires
//           sim/cost.c's cycles later, and the next one starts in that cycle. Numbers of stages in
//           names are those of rtl/lpu_vector.vh.
// Widths    Lanes is a power of two, 8 or more. An operand port has 4 Lanes bytes.
// Model     sim/exec_vector.c and sim/functional.c (values), sim/unit_vector.c and sim/cost.c (cycles)
// Tests     tests/top/vector_test.sh
`default_nettype none
`include "lpu_assert.vh"
`include "lpu_insn.vh"
`include "lpu_vector.vh"

module lpu_vector #(
  parameter Rows        = 8,                    // of the array: what a block of values has
  parameter VectorLanes = 8,
  parameter Code        = 0,                    // 0 base-3, 1 two bits
  parameter TagBits     = 32,
  parameter CountBits   = $clog2(4 * VectorLanes + 1) // not to be set
) (
  input  wire                      clk_i,
  input  wire                      rst_ni,      // active low; asserts asynchronously

  // Instructions
  input  wire                      push_valid_i,
  output wire                      push_ready_o,
  input  wire        [`LPU_INSN_BITS-1:0] push_insn_i,
  input  wire        [31:0]        push_dst_i,
  input  wire        [31:0]        push_a_i,
  input  wire        [31:0]        push_b_i,
  input  wire        [31:0]        push_c_i,
  input  wire        [TagBits-1:0] push_tag_i,
  output reg                       ret_valid_o,
  output wire        [TagBits-1:0] ret_tag_o,
  output wire                      busy_o,

  // Constants of the model: {e, m}
  input  wire        [31:0]        eps_i,
  input  wire        [31:0]        score_scale_i,

  // Scratchpad: data one cycle after ren, held until the next
  output wire                      a_ren_o,
  output wire        [31:0]        a_raddr_o,
  input  wire        [32*VectorLanes-1:0] a_rdata_i,
  output wire                      b_ren_o,
  output wire        [31:0]        b_raddr_o,
  input  wire        [32*VectorLanes-1:0] b_rdata_i,
  output wire                      s_ren_o,
  output wire        [31:0]        s_raddr_o,
  input  wire        [31:0]        s_rdata_i,
  output wire                      v_wvalid_o,
  output wire        [31:0]        v_waddr_o,
  output wire        [CountBits-1:0] v_wbytes_o,
  output wire        [32*VectorLanes-1:0] v_wdata_o,
  output wire                      s_wvalid_o,
  output wire        [31:0]        s_waddr_o,
  output wire        [2:0]         s_wbytes_o,
  output wire        [31:0]        s_wdata_o,

  // Events
  output wire                      ev_illegal_o, // embed: a byte without digits, taken as zeros
  output wire                      ev_beats_o
);

  localparam Lanes    = VectorLanes;
  localparam Digits   = Code == 0 ? 5 : 4;
  localparam Bytes    = Lanes / Digits;         // of digits in a beat
  localparam PosBits  = 22;
  localparam ActBits  = $clog2(Lanes + 1);
  localparam LaneBits = $clog2(Lanes);
  localparam InsnBits = `LPU_INSN_BITS;
  localparam EntryBits = InsnBits + 128 + TagBits;

  ///////////
  // Queue //
  ///////////

  localparam [1:0] StateIdle  = 2'd0;
  localparam [1:0] StateSetup = 2'd1;
  localparam [1:0] StateRun   = 2'd2;

  reg  [1:0]           state_q;
  reg  [2:0]           count_q;                 // with the one under way
  reg  [2:0]           waiting_q;
  reg  [1:0]           write_q, read_q;
  reg  [EntryBits-1:0] entry_q [0:3];
  reg  [EntryBits-1:0] now_q;                   // under way

  wire push  = push_valid_i && push_ready_o;
  wire start = state_q == StateIdle && waiting_q != 3'd0;
  wire setup_done, retire;

  assign push_ready_o = !count_q[2];
  assign busy_o       = state_q != StateIdle || ret_valid_o;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q     <= StateIdle;
      count_q     <= 3'd0;
      waiting_q   <= 3'd0;
      write_q     <= 2'd0;
      read_q      <= 2'd0;
      ret_valid_o <= 1'b0;
    end else begin
      count_q     <= count_q + {2'd0, push} - {2'd0, ret_valid_o};
      waiting_q   <= waiting_q + {2'd0, push} - {2'd0, start};
      ret_valid_o <= retire;
      if (push)  write_q <= write_q + 2'd1;
      if (start) read_q  <= read_q + 2'd1;
      case (state_q)
        StateIdle:  if (start) state_q <= StateSetup;
        StateSetup: if (setup_done) state_q <= StateRun;
        default:    if (retire) state_q <= StateIdle;
      endcase
    end
  end

  // Data needs no reset: count_q and state_q say what is valid.
  reg  [TagBits-1:0] tag_q;
  always @(posedge clk_i) begin
    if (push)   entry_q[write_q] <= {push_tag_i, push_c_i, push_b_i, push_a_i, push_dst_i, push_insn_i};
    if (start)  now_q <= entry_q[read_q];
    if (retire) tag_q <= now_q[InsnBits+128 +: TagBits];
  end

  assign ret_tag_o = tag_q;

  wire [InsnBits-1:0] insn  = now_q[InsnBits-1:0];
  wire [31:0]         dst   = now_q[InsnBits +: 32];
  wire [31:0]         buf_a = now_q[InsnBits+32 +: 32];
  wire [31:0]         buf_b = now_q[InsnBits+64 +: 32];
  wire [31:0]         buf_c = now_q[InsnBits+96 +: 32];
  wire [7:0]          op    = insn[`LPU_F_OP];
  wire [7:0]          mode  = insn[`LPU_F_MODE];
  wire [7:0]          planes = insn[`LPU_F_PLANES];
  wire [31:0]         n     = insn[`LPU_F_N];
  wire [31:0]         d_off = insn[`LPU_F_D_OFF];
  wire                has_b = insn[`LPU_F_B] != `LPU_BUFFER_NONE;
  wire                is_relu = mode == `LPU_ACT_RELU2;

  wire is_embed    = op == `LPU_OP_EMBED;
  wire is_normq    = op == `LPU_OP_NORMQ;
  wire is_dequant  = op == `LPU_OP_DEQUANT;
  wire is_residual = op == `LPU_OP_RESIDUAL;
  wire is_kvpack   = op == `LPU_OP_KVPACK;
  wire is_softmax  = op == `LPU_OP_SOFTMAX;
  wire is_gate     = op == `LPU_OP_GATE;
  wire is_argmax   = op == `LPU_OP_ARGMAX;

  ////////////
  // Set-up //
  ////////////

  wire [31:0] behind, query, plane, row_bytes, tokens, lines_short, lines_other;

  lpu_vector_setup #(.Digits(Digits)) u_setup (
    .clk_i    (clk_i),
    .rst_ni   (rst_ni),
    .start_i  (start),
    .done_o   (setup_done),
    .insn_i   (insn),
    .behind_o (behind),
    .query_o  (query),
    .plane_o  (plane),
    .row_o    (row_bytes),
    .tokens_o (tokens),
    .short_o  (lines_short),
    .other_o  (lines_other)
  );

  wire        step, wrap;
  wire [31:0] walk_a, walk_b, walk_d, walk_in, walk_out, walk_keys;

  lpu_vector_rows u_rows (
    .clk_i    (clk_i),
    .load_i   (setup_done),
    .insn_i   (insn),
    .dst_i    (dst),
    .a_i      (buf_a),
    .b_i      (buf_b),
    .c_i      (buf_c),
    .behind_i (behind),
    .query_i  (query),
    .row_i    (row_bytes),
    .tokens_i (tokens),
    .step_i   (step),
    .wrap_i   (wrap),
    .a_o      (walk_a),
    .b_o      (walk_b),
    .d_o      (walk_d),
    .in_o     (walk_in),
    .out_o    (walk_out),
    .keys_o   (walk_keys)
  );

  ///////////
  // Issue //
  ///////////

  wire [3:0]         ready, leave;
  wire               valid_1, read_1, in_1, out_1;
  wire [3:0]         kind_1;
  wire [1:0]         slot_1, write_1;
  wire [2:0]         phase_1, job_1;
  wire               first_1, last_1, pass_0_1, final_1, end_1;
  wire [ActBits-1:0] act_1;
  wire [PosBits-1:0] pos_1;
  wire [31:0]        w_addr_1, out_addr_1, b_addr_1;
  wire [ActBits+1:0] w_bytes_1;
  wire               b_ren_1;

  lpu_vector_issue #(
    .Rows(Rows), .Lanes(Lanes), .Digits(Digits), .PosBits(PosBits)
  ) u_issue (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .start_i     (setup_done),
    .insn_i      (insn),
    .plane_i     (plane),
    .short_i     (lines_short),
    .other_i     (lines_other),
    .ready_i     (ready),
    .leave_o     (leave),
    .step_o      (step),
    .wrap_o      (wrap),
    .walk_a_i    (walk_a),
    .walk_b_i    (walk_b),
    .walk_d_i    (walk_d),
    .walk_in_i   (walk_in),
    .walk_out_i  (walk_out),
    .walk_keys_i (walk_keys),
    .valid_q     (valid_1),
    .read_q      (read_1),
    .kind_q      (kind_1),
    .slot_q      (slot_1),
    .phase_q     (phase_1),
    .first_q     (first_1),
    .last_q      (last_1),
    .pass_0_q    (pass_0_1),
    .final_q     (final_1),
    .end_q       (end_1),
    .job_q       (job_1),
    .act_q       (act_1),
    .pos_q       (pos_1),
    .a_ren_q     (a_ren_o),
    .a_addr_q    (a_raddr_o),
    .b_ren_q     (b_ren_1),
    .b_addr_q    (b_addr_1),
    .in_ren_q    (in_1),
    .in_addr_q   (s_raddr_o),
    .write_q     (write_1),
    .w_addr_q    (w_addr_1),
    .w_bytes_q   (w_bytes_1),
    .out_q       (out_1),
    .out_addr_q  (out_addr_1)
  );

  assign s_ren_o    = in_1;
  assign ev_beats_o = read_1;

  //////////////////////
  // Beats under way  //
  //////////////////////

  // Fields of the word that goes with a beat.
  localparam FKind  = 0, FSlot = 4, FPhase = 6, FFirst = 9, FLast = 10, FPass0 = 11, FFinal = 12,
             FEnd   = 13, FJob = 14, FWrite = 17, FAct = 19, FPos = FAct + ActBits,
             FAddr  = FPos + PosBits, FBytes = FAddr + 32, BeatBits = FBytes + ActBits + 2;

  wire [BeatBits-1:0] beat_1 = {w_bytes_1, w_addr_1, pos_1, act_1, write_1, job_1, end_1, final_1,
                                pass_0_1, last_1, first_1, phase_1, slot_1, kind_1};
  wire [BeatBits-1:0] beat_2, beat_3, beat_8, beat_9, beat_11, beat_long, beat_16, beat_17, beat_18,
                      beat_20;

  // Valid bits: stages 2 to 9, those of the longer kinds behind them, then 10 to 20.
  reg  [9:2]                     valid_q;
  reg  [`LPU_VECTOR_POWER-1:0]   long_q;
  reg  [20:10]                   back_q;
  reg  [11:10]                   mid_q;
  reg                            read_2_q, in_2_q;

  wire is_long_9   = beat_9[FKind +: 4] == `LPU_KIND_EXP || beat_9[FKind +: 4] == `LPU_KIND_SILU;
  wire is_long     = long_q[`LPU_VECTOR_POWER-1];
  wire is_short    = valid_q[9] && !is_long_9;
  wire [BeatBits-1:0] beat_in = is_long ? beat_long : beat_9;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q  <= 8'd0;
      long_q   <= {`LPU_VECTOR_POWER{1'b0}};
      back_q   <= 11'd0;
      mid_q    <= 2'd0;
      read_2_q <= 1'b0;
      in_2_q   <= 1'b0;
    end else begin
      valid_q  <= {valid_q[8:2], valid_1};
      long_q   <= {long_q[`LPU_VECTOR_POWER-2:0], valid_q[9] && is_long_9};
      back_q   <= {back_q[19:10], is_long || is_short};
      mid_q    <= {mid_q[10], valid_q[9]};
      read_2_q <= read_1;
      in_2_q   <= in_1;
    end
  end

  // The running best is kept where the row's is no better.
  wire        is_better;
  wire [BeatBits-1:0] beat_3_kept = {beat_3[BeatBits-1:FAct], is_better ? beat_3[FWrite +: 2]
                                     : `LPU_WRITE_NONE, beat_3[FWrite-1:0]};

  lpu_vector_delay #(.Bits(BeatBits), .Stages(1)) u_to_2 (
    .clk_i (clk_i), .in_i (beat_1), .out_o (beat_2));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(1)) u_to_3 (
    .clk_i (clk_i), .in_i (beat_2), .out_o (beat_3));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(5)) u_to_8 (
    .clk_i (clk_i), .in_i (beat_3_kept), .out_o (beat_8));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(1)) u_to_9 (
    .clk_i (clk_i), .in_i (beat_8), .out_o (beat_9));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(2)) u_to_11 (
    .clk_i (clk_i), .in_i (beat_9), .out_o (beat_11));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(`LPU_VECTOR_POWER)) u_long (
    .clk_i (clk_i), .in_i (beat_9), .out_o (beat_long));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(7)) u_to_16 (
    .clk_i (clk_i), .in_i (beat_in), .out_o (beat_16));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(1)) u_to_17 (
    .clk_i (clk_i), .in_i (beat_16), .out_o (beat_17));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(1)) u_to_18 (
    .clk_i (clk_i), .in_i (beat_17), .out_o (beat_18));
  lpu_vector_delay #(.Bits(BeatBits), .Stages(2)) u_to_20 (
    .clk_i (clk_i), .in_i (beat_18), .out_o (beat_20));

  assign retire = back_q[20] && beat_20[FEnd];

  // A residual's other operand is read where the sum will be written, in time for stage 17.
  wire late_read = back_q[16] && is_residual;
  assign b_ren_o   = b_ren_1 || late_read;
  assign b_raddr_o = late_read ? beat_16[FAddr +: 32] : b_addr_1;

  ///////////
  // Slots //
  ///////////

  wire [4*32-1:0]      in_all, mid_all, late_all, scale_all;
  wire [4*PosBits-1:0] late_pos_all;
  wire [4*5-1:0]       sh0_all, sh1_all;
  wire [4*25-1:0]      ratio_all;
  wire [4*6-1:0]       places_all;
  wire [31:0]          mid_root, late_root;
  wire [LaneBits-1:0]  late_lane;
  wire [PosBits-1:0]   late_pos;
  wire [39+LaneBits:0] sum_root;
  reg  [6:0]           limit;
  genvar s, i;

  always @* begin
    limit = 7'd127;
    if (is_kvpack)
      case (planes)
        8'd1: limit = 7'd1;
        8'd2: limit = 7'd4;
        8'd3: limit = 7'd13;
        8'd4: limit = 7'd40;
        default: limit = 7'd121;
      endcase
  end

  wire [3:0] kind_11 = beat_11[FKind +: 4];
  wire [3:0] kind_18 = beat_18[FKind +: 4];
  wire [3:0] kind_20 = beat_20[FKind +: 4];
  wire is_mid_11  = kind_11 == `LPU_KIND_MAX || kind_11 == `LPU_KIND_RELU ||
                    kind_11 == `LPU_KIND_TERM || kind_11 == `LPU_KIND_EXP;
  wire ends_mid   = kind_11 == `LPU_KIND_MAX || kind_11 == `LPU_KIND_RELU ||
                    kind_11 == `LPU_KIND_LOAD;
  wire is_sum_18  = kind_18 == `LPU_KIND_TERM || kind_18 == `LPU_KIND_EXP;
  wire is_late_20 = kind_20 == `LPU_KIND_SCALE || kind_20 == `LPU_KIND_WEIGH ||
                    kind_20 == `LPU_KIND_SILU;
  wire ends_late  = is_late_20 || kind_20 == `LPU_KIND_TERM || kind_20 == `LPU_KIND_EXP;

  generate
    for (s = 0; s < 4; s = s + 1) begin : gen_slot
      localparam [1:0] Slot = s;
      wire is_2  = beat_2[FSlot +: 2] == Slot;
      wire is_11 = mid_q[11] && beat_11[FSlot +: 2] == Slot;
      wire is_18 = back_q[18] && beat_18[FSlot +: 2] == Slot;
      wire is_20 = back_q[20] && beat_20[FSlot +: 2] == Slot;

      lpu_vector_slot #(.PosBits(PosBits)) u_slot (
        .clk_i         (clk_i),
        .rst_ni        (rst_ni),
        .busy_i        (leave[s]),
        .ready_q       (ready[s]),
        .load_i        (in_2_q && is_2),
        .in_i          (s_rdata_i),
        .mid_i         (is_11 && is_mid_11),
        .mid_first_i   (beat_11[FFirst]),
        .mid_data_i    (mid_root),
        .mid_end_i     (is_11 && ends_mid && beat_11[FLast] && !beat_11[FFinal]),
        .sum_i         (is_18 && is_sum_18),
        .sum_first_i   (beat_18[FFirst]),
        .sum_data_i    ({{(24-LaneBits){1'b0}}, sum_root}),
        .late_i        (is_20 && is_late_20),
        .late_first_i  (beat_20[FFirst]),
        .late_data_i   (late_root),
        .late_pos_i    (late_pos),
        .late_end_i    (is_20 && ends_late && beat_20[FLast] && !beat_20[FFinal]),
        .mid_job_i     (beat_11[FJob +: 3]),
        .late_job_i    (beat_20[FJob +: 3]),
        .mid_pass_0_i  (beat_11[FPass0]),
        .late_pass_0_i (beat_20[FPass0]),
        .is_gate_i     (is_gate),
        .is_plain_i    (!(is_normq && insn[`LPU_FLAG_EXPONENT])),
        .gain_e_i      (insn[`LPU_F_SCALE_E]),
        .n_i           (n[21:0]),
        .limit_i       (limit),
        .eps_i         (eps_i),
        .score_scale_i (score_scale_i),
        .in_q          (in_all[32*s +: 32]),
        .mid_q         (mid_all[32*s +: 32]),
        .late_q        (late_all[32*s +: 32]),
        .late_pos_q    (late_pos_all[PosBits*s +: PosBits]),
        .sh0_q         (sh0_all[5*s +: 5]),
        .sh1_q         (sh1_all[5*s +: 5]),
        .ratio_q       (ratio_all[25*s +: 25]),
        .places_q      (places_all[6*s +: 6]),
        .scale_q       (scale_all[32*s +: 32])
      );
    end
  endgenerate

  // What the lanes need of the beat's slot: at stage 3, at stage 8; and what is written of it.
  wire [1:0]  slot_3   = beat_3[FSlot +: 2];
  wire [1:0]  slot_8   = beat_8[FSlot +: 2];
  wire [31:0] in_3     = in_all[{slot_3, 5'd0} +: 32];
  wire [31:0] late_3   = late_all[{slot_3, 5'd0} +: 32];
  wire [31:0] scale_3  = is_softmax ? scale_all[{slot_3, 5'd0} +: 32] : in_3;
  wire [31:0] mid_8    = mid_all[{slot_8, 5'd0} +: 32];
  reg  [4:0]  sh0_3, sh1_3, sh0_1, sh1_1;
  reg  [24:0] ratio_8;
  reg  [5:0]  places_8;

  always @* begin
    case (slot_3)
      2'd0:    {sh0_3, sh1_3} = {sh0_all[4:0],   sh1_all[4:0]};
      2'd1:    {sh0_3, sh1_3} = {sh0_all[9:5],   sh1_all[9:5]};
      2'd2:    {sh0_3, sh1_3} = {sh0_all[14:10], sh1_all[14:10]};
      default: {sh0_3, sh1_3} = {sh0_all[19:15], sh1_all[19:15]};
    endcase
    case (slot_1)
      2'd0:    {sh0_1, sh1_1} = {sh0_all[4:0],   sh1_all[4:0]};
      2'd1:    {sh0_1, sh1_1} = {sh0_all[9:5],   sh1_all[9:5]};
      2'd2:    {sh0_1, sh1_1} = {sh0_all[14:10], sh1_all[14:10]};
      default: {sh0_1, sh1_1} = {sh0_all[19:15], sh1_all[19:15]};
    endcase
    case (slot_8)
      2'd0:    {ratio_8, places_8} = {ratio_all[24:0],  places_all[5:0]};
      2'd1:    {ratio_8, places_8} = {ratio_all[49:25], places_all[11:6]};
      2'd2:    {ratio_8, places_8} = {ratio_all[74:50], places_all[17:12]};
      default: {ratio_8, places_8} = {ratio_all[99:75], places_all[23:18]};
    endcase
  end

  // Biased by 2^31, values compare as they are.
  assign is_better = beat_3[FKind +: 4] != `LPU_KIND_BEST || insn[`LPU_FLAG_FIRST] ||
                     late_3 > {!in_3[31], in_3[30:0]};

  // Exponent of a gate.
  wire [31:0] sg       = {27'd0, sh0_1};
  wire [31:0] su       = {27'd0, sh1_1};
  wire [31:0] exponent = is_relu ? {sg[30:0], 1'b0} + (has_b ? su - 32'd33 : 32'd0 - 32'd32)
                                 : has_b ? sg + su - 32'd32 : 32'd0 - 32'd16;

  assign s_wvalid_o = out_1;
  assign s_waddr_o  = out_addr_1;
  assign s_wbytes_o = 3'd4;
  assign s_wdata_o  = is_gate ? exponent : scale_all[{slot_1, 5'd0} +: 32];

  ///////////
  // Lanes //
  ///////////

  wire [3:0]  kind_2   = beat_2[FKind +: 4];
  wire        is_norm_2 = kind_2 == `LPU_KIND_TERM || kind_2 == `LPU_KIND_NORMQ;
  wire [1:0]  b_sel_2  = is_norm_2 ? 2'd1 :
                         kind_2 == `LPU_KIND_SCALE && !is_softmax && !is_argmax ? 2'd2 : 2'd0;
  // Without a matrix scale: 2^15 2^-15, which leaves a scale as it is.
  wire [31:0] b_const  = is_embed || is_dequant && mode != 8'd0
                         ? 32'hfff18000 : {insn[`LPU_F_SCALE_E], insn[`LPU_F_SCALE_M]};
  wire [18:0] slope    = mode == `LPU_ACT_SILU ? 19'd94548 : 19'd160921; // round(2^16 [1.702] log2 e)

  wire [Bytes*Digits-1:0] nz, neg;
  wire [Bytes-1:0]        illegal;
  wire [32*Lanes-1:0]     mid_lanes, late_lanes, y_lanes;
  wire [(40+LaneBits)*Lanes-1:0] sum_lanes;

  generate
    for (i = 0; i < Bytes; i = i + 1) begin : gen_decode
      localparam [31:0] First = i * Digits;
      wire              is_wrong;

      lpu_trit_decoder #(.Code(Code)) u_decoder (
        .byte_i    (a_rdata_i[8*i +: 8]),
        .nz_o      (nz[Digits*i +: Digits]),
        .neg_o     (neg[Digits*i +: Digits]),
        .illegal_o (is_wrong)
      );
      assign illegal[i] = is_wrong && First[ActBits-1:0] < beat_2[FAct +: ActBits];
    end

    for (i = 0; i < Lanes; i = i + 1) begin : gen_lane
      localparam [31:0] Index = i;
      wire is_nz, is_neg;

      if (i < Bytes * Digits) begin : gen_digit
        assign is_nz  = nz[i];
        assign is_neg = neg[i];
      end else begin : gen_spare
        assign is_nz  = 1'b0;
        assign is_neg = 1'b0;
      end

      lpu_vector_lane u_lane (
        .clk_i          (clk_i),
        .a_i            (a_rdata_i[32*i +: 32]),
        .b_word_i       (b_rdata_i[32*i +: 32]),
        .b_half_i       (b_rdata_i[16*i +: 16]),
        .b_sel_2_i      (b_sel_2),
        .b_const_i      (b_const),
        .is_digit_2_i   (is_embed),
        .is_top_2_i     (beat_2[FPhase +: 3] == 3'd0),
        .nz_i           (is_nz),
        .neg_i          (is_neg),
        .kind_3_i       (beat_3[FKind +: 4]),
        .phase_3_i      (beat_3[FPhase]),
        .is_relu_3_i    (is_relu),
        .has_b_3_i      (has_b),
        .sh0_3_i        (sh0_3),
        .sh1_3_i        (sh1_3),
        .top_3_i        ({!late_3[31], late_3[30:0]}),
        .scale_3_i      (scale_3),
        .slope_i        (slope),
        .kind_8_i       (beat_8[FKind +: 4]),
        .is_cube_8_i    (is_relu && has_b),
        .ratio_8_i      (ratio_8),
        .places_8_i     (places_8),
        .ev_8_i         ({!mid_8[15], mid_8[14:0]}),
        .is_on_9_i      (Index[ActBits-1:0] < beat_9[FAct +: ActBits]),
        .mid_o          (mid_lanes[32*i +: 32]),
        .is_silu_9_i    (beat_9[FKind +: 4] == `LPU_KIND_SILU),
        .is_long_i      (is_long),
        .is_long_silu_i (beat_long[FKind +: 4] == `LPU_KIND_SILU),
        .is_on_16_i     (Index[ActBits-1:0] < beat_16[FAct +: ActBits]),
        .sum_o          (sum_lanes[(40+LaneBits)*i +: 40]),
        .is_add_17_i    (is_residual),
        .x_i            (b_rdata_i[32*i +: 32]),
        .is_on_18_i     (Index[ActBits-1:0] < beat_18[FAct +: ActBits]),
        .is_abs_18_i    (kind_18 == `LPU_KIND_SILU),
        .late_o         (late_lanes[32*i +: 32]),
        .y_o            (y_lanes[32*i +: 32])
      );
      assign sum_lanes[(40+LaneBits)*i+40 +: LaneBits] = {LaneBits{1'b0}};
    end
  endgenerate

  assign ev_illegal_o = read_2_q && is_embed && illegal != {Bytes{1'b0}};

  wire [LaneBits-1:0] unused_mid_lane, unused_sum_lane;

  lpu_vector_tree #(.Lanes(Lanes), .Bits(32), .Stages(`LPU_VECTOR_TREE)) u_mid (
    .clk_i (clk_i), .in_i (mid_lanes), .out_o (mid_root), .lane_o (unused_mid_lane));
  lpu_vector_tree #(.Lanes(Lanes), .Bits(40 + LaneBits), .IsSum(1), .Stages(`LPU_VECTOR_TREE)) u_sum (
    .clk_i (clk_i), .in_i (sum_lanes), .out_o (sum_root), .lane_o (unused_sum_lane));
  lpu_vector_tree #(.Lanes(Lanes), .Bits(32), .Stages(`LPU_VECTOR_TREE)) u_late (
    .clk_i (clk_i), .in_i (late_lanes), .out_o (late_root), .lane_o (late_lane));

  assign late_pos = beat_20[FPos +: PosBits] + {{(PosBits-LaneBits){1'b0}}, late_lane};

  ////////////
  // Writes //
  ////////////

  // 19: what is to be written; 20: as bytes.
  wire [8*Bytes-1:0]  packed_20;
  wire [1:0]          write_20 = beat_20[FWrite +: 2];
  wire [1:0]          slot_20  = beat_20[FSlot +: 2];
  wire [32*Lanes-1:0] y_20;
  wire [8*Lanes-1:0]  bytes_20;
  wire [31:0]         best     = late_all[{slot_20, 5'd0} +: 32];
  reg  [PosBits-1:0]  best_pos;
  wire [2:0]          place_18 = planes[2:0] - 3'd1 - beat_18[FPhase +: 3];

  always @* begin
    case (slot_20)
      2'd0:    best_pos = late_pos_all[PosBits-1:0];
      2'd1:    best_pos = late_pos_all[2*PosBits-1:PosBits];
      2'd2:    best_pos = late_pos_all[3*PosBits-1:2*PosBits];
      default: best_pos = late_pos_all[4*PosBits-1:3*PosBits];
    endcase
  end

  lpu_vector_pack #(.Lanes(Lanes), .Code(Code)) u_pack (
    .clk_i   (clk_i),
    .y_i     (y_lanes),
    .limit_i (limit),
    .place_i (place_18),
    .bytes_o (packed_20)
  );
  lpu_vector_delay #(.Bits(32*Lanes), .Stages(2)) u_y (
    .clk_i (clk_i), .in_i (y_lanes), .out_o (y_20));

  generate
    for (i = 0; i < Lanes; i = i + 1) begin : gen_bytes
      assign bytes_20[8*i +: 8] = y_20[32*i +: 8];
    end
  endgenerate

  wire [31:0] best_index = d_off + {{(32-PosBits){1'b0}}, best_pos};
  wire [31:0] best_value = {!best[31], best[30:0]};

  assign v_wvalid_o = back_q[20] && write_20 != `LPU_WRITE_NONE;
  assign v_waddr_o  = beat_20[FAddr +: 32];
  assign v_wbytes_o = beat_20[FBytes +: CountBits];
  assign v_wdata_o  = kind_20 == `LPU_KIND_BEST  ? {{(32*Lanes-64){1'b0}}, best_value, best_index} :
                      write_20 == `LPU_WRITE_BYTE ? {{(24*Lanes){1'b0}}, bytes_20} :
                      write_20 == `LPU_WRITE_PACK ? {{(32*Lanes-8*Bytes){1'b0}}, packed_20} : y_20;

  wire unused = &{1'b0, beat_2, beat_3, beat_8, beat_9, beat_11, beat_long,
                  beat_16, beat_17, beat_18, beat_20, insn, n, unused_mid_lane, unused_sum_lane, mid_8};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(kinds_do_not_meet, !(is_long && is_short))
  `LPU_ASSERT(no_read_meets_another, !(b_ren_1 && late_read))

endmodule

`default_nettype wire
