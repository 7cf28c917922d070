// LPU_ASSERT(name, expr): expr holds at every clock edge out of reset, or the simulation stops.
//
// Plain Verilog, so that it fires in Verilator and Icarus with no flag. The reset is in the
// sensitivity list, so that rst_ni is nowhere sampled as data.
`ifndef LPU_ASSERT_VH
`define LPU_ASSERT_VH

`ifdef SYNTHESIS
  `define LPU_ASSERT(name, expr)
`else
  `define LPU_ASSERT(name, expr)                           \
    always @(posedge clk_i or negedge rst_ni) begin : name \
      if (rst_ni && !(expr)) begin                         \
        $display("%m failed at %0t", $time);               \
        $stop;                                             \
      end                                                  \
    end
`endif

`endif
