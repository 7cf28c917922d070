/* sim/systemc/rtl.hh - an LPU whose inside is the Verilated RTL.
 *
 * The model has one clock: it is evaluated at each falling edge of clk_i, when the memory has said all
 * that it has to say in the cycle, and takes its own rising edge there. The pins of AXI4 meet the
 * sockets in lpu_sc_axi, those of AXI4-Lite in access. There is one such model in a program
 * (rtl/verify/top_rtl.hh); its parameters must be those of the design.
 */
#ifndef LPU_SIM_SYSTEMC_RTL_HH
#define LPU_SIM_SYSTEMC_RTL_HH

#include "rtl/verify/top_rtl.hh"
#include "sim/systemc/device.hh"

class lpu_sc_rtl : public lpu_sc_device
{
  public:
    /* seed: of registers without reset. */
    lpu_sc_rtl(const sc_core::sc_module_name &name, const lpu_design &design, uint64_t seed);
    ~lpu_sc_rtl() override;

  private:
    struct request { /* on AXI4-Lite */
        bool is_write, has_address, has_data, is_done, is_refused;
        uint32_t address, data;
    };

    void cycle();
    void memory();
    void drive_host();
    void take_host();
    void report();
    bool access(bool is_write, uint32_t address, uint32_t *data) override;

    top_in in_;
    top_out out_;
    std::vector<uint8_t> enables_;
    request *request_ = nullptr;
    sc_core::sc_event answered_;
    bool is_running_ = false;
    size_t segment_ = 0;
    uint64_t cycle_ = 0;
};

#endif
