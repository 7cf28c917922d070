/* sim/systemc/device.cc - accesses to the registers, word by word. */
#include "sim/systemc/device.hh"

#include <cstring>

using namespace tlm;

void lpu_sc_device::block(tlm_generic_payload &p, sc_core::sc_time &)
{
    enum { WORD_BYTES = 4, REGISTERS_BYTES = 4096 };
    const uint64_t at = p.get_address(), length = p.get_data_length();

    p.set_response_status(TLM_BURST_ERROR_RESPONSE);
    if (length % WORD_BYTES || p.get_streaming_width() < length) return;
    p.set_response_status(TLM_BYTE_ENABLE_ERROR_RESPONSE);
    if (p.get_byte_enable_ptr()) return;
    p.set_response_status(TLM_ADDRESS_ERROR_RESPONSE);
    if (at % WORD_BYTES || at > REGISTERS_BYTES || length > REGISTERS_BYTES - at) return;
    for (uint64_t i = 0; i < length; i += WORD_BYTES) {
        uint32_t word;
        memcpy(&word, p.get_data_ptr() + i, WORD_BYTES);
        if (!access(p.is_write(), (uint32_t)(at + i), &word)) return;
        if (!p.is_write()) memcpy(p.get_data_ptr() + i, &word, WORD_BYTES);
    }
    p.set_response_status(TLM_OK_RESPONSE);
}
