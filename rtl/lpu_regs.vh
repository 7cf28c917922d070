// rtl/lpu_regs.vh - registers of the host port, by byte address; rtl/verify/regs.hh has them for
// C and C++. rtl/README.md says what they do.

`ifndef LPU_REGS_VH
`define LPU_REGS_VH

// Addresses.
`define LPU_REG_CTRL              12'h000  // W  start, stop at SYNC, reset, clear: bits below
`define LPU_REG_STATUS            12'h004  // R  running, done, at a SYNC, ...: bits below
`define LPU_REG_ERROR             12'h008  // R  which: see below
`define LPU_REG_PC                12'h00c  // R  next to issue; in error, when it was found
`define LPU_REG_FIRST             12'h010  // RW instruction at which a program starts
`define LPU_REG_COUNT             12'h014  // RW instructions in program memory
`define LPU_REG_BASE_LOW          12'h018  // RW added to every memory address: a multiple of 4096
`define LPU_REG_BASE_HIGH         12'h01c  // RW
`define LPU_REG_EPS               12'h020  // RW epsilon of the norms, {e, m}
`define LPU_REG_SCORE_SCALE       12'h024  // RW scale of the scores, {e, m}
`define LPU_REG_IRQ_ENABLE        12'h028  // RW done, stopped at a SYNC, error: bits below
`define LPU_REG_IRQ_STATUS        12'h02c  // RW the same; writing 1 clears
`define LPU_REG_PROGRAM_ADDRESS   12'h030  // RW instruction in the window
`define LPU_REG_ID                12'h034  // R  "SLPU"
`define LPU_REG_GEOMETRY          12'h038  // R  rows in bits 31:16, columns in 15:0
`define LPU_REG_DEPTH             12'h03c  // R  instructions that program memory holds
`define LPU_REG_PROGRAM           12'h040  // RW sixteen words of one instruction
`define LPU_REG_PERF              12'h100  // R  counters of 64 bits, low word first

// Bits of CTRL, STATUS, and of both IRQ registers.
`define LPU_CTRL_START            0
`define LPU_CTRL_STOP_AT_SYNC     1
`define LPU_CTRL_RESET            2
`define LPU_CTRL_CLEAR            3
`define LPU_STATUS_RUNNING        0
`define LPU_STATUS_DONE           1
`define LPU_STATUS_AT_SYNC        2
`define LPU_STATUS_ERROR          3
`define LPU_STATUS_RESETTING      4
`define LPU_IRQ_DONE              0
`define LPU_IRQ_AT_SYNC           1
`define LPU_IRQ_ERROR             2

// Errors.
`define LPU_ERROR_NONE            3'd0
`define LPU_ERROR_ILLEGAL         3'd1
`define LPU_ERROR_NO_HALT         3'd2
`define LPU_ERROR_READ            3'd3
`define LPU_ERROR_WRITE           3'd4
`define LPU_ERROR_WEIGHTS         3'd5
`define LPU_ERROR_EMBEDDING       3'd6

// Counters, by index; the address is LPU_REG_PERF + 8 x index.
`define LPU_PERF_RUN_CYCLES       0
`define LPU_PERF_ARRAY_PASS       1
`define LPU_PERF_STALL_MEMORY     2
`define LPU_PERF_STALL_FILL       3
`define LPU_PERF_STALL_ACCUM      4
`define LPU_PERF_STALL_VECTOR     5
`define LPU_PERF_STALL_SYNC       6
`define LPU_PERF_STALL_ISSUE      7
`define LPU_PERF_VECTOR_BUSY      8
`define LPU_PERF_INSTRUCTIONS     9
`define LPU_PERF_LANE_ADDS        10
`define LPU_PERF_LANE_SKIPS       11
`define LPU_PERF_FIFO_WRITE_BYTES 12
`define LPU_PERF_FIFO_READ_BYTES  13
`define LPU_PERF_LOAD_BYTES       14
`define LPU_PERF_STORE_BYTES      15
`define LPU_PERF_DRAM_READ_BYTES  16
`define LPU_PERF_DRAM_WRITE_BYTES 17
`define LPU_PERF_ARRAY_GATED      18
`define LPU_PERF_VECTOR_GATED     19
`define LPU_PERF_VECTOR_BEATS     20
`define LPU_PERF_COUNTERS         21

`endif
