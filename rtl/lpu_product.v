// Product unit: a queue of products, their tiles, the array, and both its sides.
//
//   push --> [products 4] --> walk --> [commands 4] ---------------> array --> y --> scratchpad
//                        |        `--> gather <-- FIFO --> beats --> array
//                        `--> x <-- scratchpad --> vectors --------> array
//
// Timing    pushed in t, a product's first tile is made in t + 1; its bytes are taken from t + 2 on, and
//           are offered to the array two cycles later (rtl/lpu_product_gather.v). It retires in the cycle
//           in which its last sums are written.
// Widths    n, k and the numbers of tiles are below 2^22; m is PassesMax at most; planes 1 to 5
// Model     sim/unit_tiles.c (cycles), sim/exec_product.c (values)
// Tests     tests/top/product_test.sh
`default_nettype none
`include "lpu_insn.vh"
`include "lpu_assert.vh"

module lpu_product #(
  parameter Rows        = 8,
  parameter Cols        = 10,
  parameter Lines       = 1,
  parameter PassesMax   = 8,
  parameter VectorLanes = 8,
  parameter Code        = 0,                    // 0 base-3, 1 two bits
  parameter FifoBytes   = 4096,
  parameter FillBytes   = 2,
  parameter TagBits     = 34,
  parameter FifoBits    = $clog2(FifoBytes + 1),
  parameter TakeBits    = $clog2(FillBytes + 1),
  parameter SumBytes    = 4 * VectorLanes,
  parameter SumBits     = $clog2(SumBytes + 1),
  parameter AddsBits    = $clog2(Rows * Cols + 1)
) (
  input  wire                   clk_i,
  input  wire                   rst_ni,         // active low; asserts asynchronously

  // Products in
  input  wire                   push_valid_i,
  output wire                   push_ready_o,
  input  wire [511:0]           push_insn_i,
  input  wire [31:0]            push_dst_i,
  input  wire [31:0]            push_a_i,
  input  wire [TagBits-1:0]     push_tag_i,

  // Products done
  output wire                   ret_valid_o,
  output wire [TagBits-1:0]     ret_tag_o,

  // Weight FIFO: bytes taken in a cycle are at fifo_data_i in the next one, the first lowest
  input  wire [FifoBits-1:0]    fifo_bytes_i,
  output wire [TakeBits-1:0]    fifo_take_o,
  input  wire [8*FillBytes-1:0] fifo_data_i,

  // Scratchpad
  output wire                   x_ren_o,
  output wire [31:0]            x_raddr_o,
  input  wire [8*Cols-1:0]      x_rdata_i,
  output wire                   y_wvalid_o,
  output wire [31:0]            y_waddr_o,
  output wire [SumBits-1:0]     y_wbytes_o,
  output wire [8*SumBytes-1:0]  y_wdata_o,

  // Status and events
  output wire [2:0]             ev_state_o,     // lpu_array_state
  output wire                   ev_fill_o,      // a tile is made and not all gathered
  output wire                   ev_short_o,     // the FIFO has less than the gather would take
  output wire                   ev_illegal_o,   // a beat held an illegal code
  output wire [AddsBits-1:0]    ev_lane_adds_o,
  output wire [AddsBits-1:0]    ev_lane_skips_o,
  output wire                   ev_idle_o       // nothing is in the unit
);

  localparam SideBits   = 22;
  localparam LineDigits = Rows > Cols ? Rows : Cols;
  localparam Digits     = Code == 0 ? 5 : Code == 1 ? 4 : 8;
  localparam LineBytes  = (LineDigits + Digits - 1) / Digits;
  localparam LineBits   = $clog2(LineBytes + 1);
  localparam CountBits  = $clog2(LineDigits + 1);
  localparam RowBits    = $clog2(Rows + 1);
  localparam ColBits    = $clog2(Cols + 1);
  localparam PassBits   = $clog2(PassesMax + 1);

  //////////////
  // Products //
  //////////////

  // A product's fields; each side of the array looks at a product of its own.
  localparam ShapeBits = LineBits + 4*SideBits + 4;  // how it is cut into tiles
  localparam RowsBits  = 2*PassBits;                 // its vectors: m, m_inner
  localparam EntryBits = TagBits + 4*32 + RowsBits + 1 + ShapeBits;

  reg  [EntryBits-1:0] entry_q [0:3];
  reg  [1:0]           first_q, make_q, x_q;    // the oldest; whose tiles, whose vectors are next
  reg  [2:0]           count_q, make_left_q, x_left_q;

  wire                 push = push_valid_i && push_ready_o;
  wire                 make_done, x_done, y_done;
  wire [1:0]           free = first_q + count_q[1:0];

  assign push_ready_o = !count_q[2];
  assign ret_valid_o  = y_done;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_q     <= 2'd0;
      make_q      <= 2'd0;
      x_q         <= 2'd0;
      count_q     <= 3'd0;
      make_left_q <= 3'd0;
      x_left_q    <= 3'd0;
    end else begin
      first_q     <= first_q + {1'b0, y_done};
      make_q      <= make_q + {1'b0, make_done};
      x_q         <= x_q + {1'b0, x_done};
      count_q     <= count_q + {2'b00, push} - {2'b00, y_done};
      make_left_q <= make_left_q + {2'b00, push} - {2'b00, make_done};
      x_left_q    <= x_left_q + {2'b00, push} - {2'b00, x_done};
    end
  end

  wire [31:0] n_field    = push_insn_i[`LPU_F_N];
  wire [31:0] k_field    = push_insn_i[`LPU_F_K];
  wire [31:0] m_field    = push_insn_i[`LPU_F_M];
  wire [31:0] mi_field   = push_insn_i[`LPU_F_M_INNER];
  wire [31:0] line_field = push_insn_i[`LPU_F_SEG_BYTES];
  wire [31:0] more_field = push_insn_i[`LPU_F_SEGS];
  wire [31:0] tile_field = push_insn_i[`LPU_F_STRIDE];
  wire [7:0]  plane_field = push_insn_i[`LPU_F_PLANES];
  wire [31:0] d_off      = push_insn_i[`LPU_F_D_OFF];

  // Data needs no reset: count_q says what is valid.
  always @(posedge clk_i) begin
    if (push) begin
      entry_q[free] <= {push_tag_i,
                        push_dst_i + {d_off[29:0], 2'b00}, push_insn_i[`LPU_F_D_STRIDE],
                        push_a_i + push_insn_i[`LPU_F_A_OFF], push_insn_i[`LPU_F_A_STRIDE],
                        m_field[PassBits-1:0], mi_field[PassBits-1:0],
                        push_insn_i[`LPU_F_MODE] != 8'd0,
                        n_field[SideBits-1:0], k_field[SideBits-1:0], plane_field[2:0],
                        push_insn_i[`LPU_FLAG_COLUMN],
                        line_field[LineBits-1:0], more_field[SideBits-1:0],
                        tile_field[SideBits-1:0]};
    end
  end

  wire [EntryBits-1:0] make_entry  = entry_q[make_q];
  wire [EntryBits-1:0] x_entry     = entry_q[x_q];
  wire [EntryBits-1:0] first_entry = entry_q[first_q];

  ///////////
  // Tiles //
  ///////////

  wire [SideBits-1:0] make_n, make_k, make_more, make_tiles, unused_next_first;
  wire [2:0]          make_planes;
  wire                make_column, make_adds;
  wire [LineBits-1:0] make_line_bytes, line_bytes;
  wire [PassBits-1:0] make_m, unused_make_m_inner;
  wire [RowBits-1:0]  rows;
  wire [ColBits-1:0]  elems;
  wire                first_tile, first_plane, last_tile, last_plane, last_block;
  wire                gather_ready, cmd_queue_ready;

  assign {make_m, unused_make_m_inner, make_adds, make_n, make_k, make_planes, make_column,
          make_line_bytes, make_more, make_tiles} = make_entry[RowsBits+ShapeBits:0];

  wire                make = make_left_q != 3'd0 && gather_ready && cmd_queue_ready;

  assign make_done = make && last_tile && last_plane && last_block;

  lpu_product_walk #(.Rows(Rows), .Cols(Cols), .Code(Code), .SideBits(SideBits)) u_walk (
    .clk_i         (clk_i),
    .rst_ni        (rst_ni),
    .n_i           (make_n),
    .k_i           (make_k),
    .planes_i      (make_planes),
    .column_i      (make_column),
    .line_bytes_i  (make_line_bytes),
    .more_i        (make_more),
    .tiles_i       (make_tiles),
    .step_i        (make),
    .rows_o        (rows),
    .elems_o       (elems),
    .line_bytes_o  (line_bytes),
    .next_first_o  (unused_next_first),
    .first_tile_o  (first_tile),
    .first_plane_o (first_plane),
    .last_tile_o   (last_tile),
    .last_plane_o  (last_plane),
    .last_block_o  (last_block)
  );

  wire [CountBits-1:0] lines = make_column ? {{(CountBits-ColBits){1'b0}}, elems}
                                           : {{(CountBits-RowBits){1'b0}}, rows};
  wire [1:0]           accum = !first_tile  ? 2'd1 :
                               first_plane  ? 2'd0 :
                               make_adds    ? 2'd1 : 2'd2;

  //////////////
  // Commands //
  //////////////

  localparam CmdBits = CountBits + RowBits + PassBits + 4;

  wire                 cmd_valid, cmd_ready, cmd_column, cmd_last;
  wire [CountBits-1:0] cmd_lines;
  wire [RowBits-1:0]   cmd_rows;
  wire [PassBits-1:0]  cmd_passes;
  wire [1:0]           cmd_accum;

  lpu_product_queue #(.Bits(CmdBits)) u_cmd_queue (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .in_valid_i  (make),
    .in_ready_o  (cmd_queue_ready),
    .in_data_i   ({lines, rows, make_m, accum, make_column, last_tile && last_plane}),
    .out_valid_o (cmd_valid),
    .out_ready_i (cmd_ready),
    .out_data_o  ({cmd_lines, cmd_rows, cmd_passes, cmd_accum, cmd_column, cmd_last})
  );

  ////////////
  // Gather //
  ////////////

  wire                         w_valid, w_ready;
  wire [8*LineBytes*Lines-1:0] w_data;

  lpu_product_gather #(
    .Rows(Rows), .Cols(Cols), .Lines(Lines), .Code(Code), .FifoBytes(FifoBytes),
    .FillBytes(FillBytes)
  ) u_gather (
    .clk_i             (clk_i),
    .rst_ni            (rst_ni),
    .tile_valid_i      (make),
    .tile_ready_o      (gather_ready),
    .tile_lines_i      (lines),
    .tile_line_bytes_i (line_bytes),
    .fifo_bytes_i      (fifo_bytes_i),
    .fifo_take_o       (fifo_take_o),
    .fifo_data_i       (fifo_data_i),
    .w_valid_o         (w_valid),
    .w_ready_i         (w_ready),
    .w_data_o          (w_data),
    .ev_fill_o         (ev_fill_o),
    .ev_short_o        (ev_short_o)
  );

  /////////////
  // Vectors //
  /////////////

  wire [SideBits-1:0] x_n, x_k, x_more, x_tiles;
  wire [2:0]          x_planes;
  wire                x_column, unused_x_adds;
  wire [LineBits-1:0] x_line_bytes;
  wire [PassBits-1:0] x_m, x_m_inner;
  wire [31:0]         x_base, x_stride;
  wire                x_valid, x_ready;
  wire [8*Cols-1:0]   x_data;

  assign {x_base, x_stride, x_m, x_m_inner, unused_x_adds, x_n, x_k, x_planes, x_column,
          x_line_bytes, x_more, x_tiles} = x_entry[64+RowsBits+ShapeBits:0];

  lpu_product_x #(
    .Rows(Rows), .Cols(Cols), .PassesMax(PassesMax), .Code(Code), .SideBits(SideBits)
  ) u_x (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .valid_i      (x_left_q != 3'd0),
    .base_i       (x_base),
    .stride_i     (x_stride),
    .m_i          (x_m),
    .m_inner_i    (x_m_inner),
    .n_i          (x_n),
    .k_i          (x_k),
    .planes_i     (x_planes),
    .column_i     (x_column),
    .line_bytes_i (x_line_bytes),
    .more_i       (x_more),
    .tiles_i      (x_tiles),
    .done_o       (x_done),
    .x_ren_o      (x_ren_o),
    .x_raddr_o    (x_raddr_o),
    .x_rdata_i    (x_rdata_i),
    .x_valid_o    (x_valid),
    .x_ready_i    (x_ready),
    .x_data_o     (x_data)
  );

  //////////
  // Sums //
  //////////

  wire [31:0]           y_base, y_stride, unused_y_x_base, unused_y_x_stride;
  wire [PassBits-1:0]   y_m, y_m_inner;
  wire [SideBits-1:0]   y_n;
  wire                  unused_y_adds;
  wire [ShapeBits-SideBits-1:0] unused_y_shape;
  wire                  y_valid;
  wire [8*SumBytes-1:0] y_data;

  assign {ret_tag_o, y_base, y_stride, unused_y_x_base, unused_y_x_stride, y_m, y_m_inner,
          unused_y_adds, y_n, unused_y_shape} = first_entry;

  lpu_product_y #(
    .Rows(Rows), .PassesMax(PassesMax), .VectorLanes(VectorLanes), .SideBits(SideBits)
  ) u_y (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .base_i     (y_base),
    .stride_i   (y_stride),
    .m_i        (y_m),
    .m_inner_i  (y_m_inner),
    .n_i        (y_n),
    .done_o     (y_done),
    .y_valid_i  (y_valid),
    .y_data_i   (y_data),
    .y_wvalid_o (y_wvalid_o),
    .y_waddr_o  (y_waddr_o),
    .y_wbytes_o (y_wbytes_o),
    .y_wdata_o  (y_wdata_o)
  );

  ///////////
  // Array //
  ///////////

  wire array_idle;

  lpu_array #(
    .Rows(Rows), .Cols(Cols), .Lines(Lines), .PassesMax(PassesMax), .OutLanes(VectorLanes),
    .Code(Code)
  ) u_array (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .cmd_valid_i     (cmd_valid),
    .cmd_ready_o     (cmd_ready),
    .cmd_lines_i     (cmd_lines),
    .cmd_rows_i      (cmd_rows),
    .cmd_passes_i    (cmd_passes),
    .cmd_accum_i     (cmd_accum),
    .cmd_column_i    (cmd_column),
    .cmd_last_i      (cmd_last),
    .w_valid_i       (w_valid),
    .w_ready_o       (w_ready),
    .w_data_i        (w_data),
    .x_valid_i       (x_valid),
    .x_ready_o       (x_ready),
    .x_data_i        (x_data),
    .y_valid_o       (y_valid),
    .y_ready_i       (1'b1),
    .y_data_o        (y_data),
    .idle_o          (array_idle),
    .state_o         (ev_state_o),
    .ev_illegal_o    (ev_illegal_o),
    .ev_lane_adds_o  (ev_lane_adds_o),
    .ev_lane_skips_o (ev_lane_skips_o)
  );

  assign ev_idle_o = array_idle && count_q == 3'd0;

  wire unused = &{1'b0, push_insn_i, n_field, k_field, m_field, mi_field, line_field, more_field,
                  tile_field, plane_field, d_off, make_entry, x_entry, unused_next_first,
                  unused_make_m_inner, unused_x_adds, unused_y_x_base, unused_y_x_stride,
                  unused_y_adds, unused_y_shape};

  ////////////////
  // Assertions //
  ////////////////

  `LPU_ASSERT(sums_have_a_product, !y_valid || count_q != 3'd0)
  `LPU_ASSERT(vectors_are_of_the_queue, x_left_q <= count_q && make_left_q <= count_q)

endmodule

`default_nettype wire
