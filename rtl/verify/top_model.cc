/* rtl/verify/top_model.cc - opens or makes the weights; compiles passes. */
#include "rtl/verify/top_model.hh"

#include <cstring>
#include <stdexcept>
#include <unistd.h>

extern "C" {
#include "workloads/synth.h"
}

namespace
{

bool ends_in(const std::string &text, const std::string &end)
{
    return text.size() >= end.size() && !text.compare(text.size() - end.size(), end.size(), end);
}

/* Writes a model of that shape. */
void make(const std::string &path, const std::string &name, uint64_t seed)
{
    lpu_model shape;
    lpu_diag diag = {""};

    if (lpu_model_load(&shape, name.c_str(), &diag)) top_throw(&diag);
    lpu_synth synth = {};
    synth.model = &shape;
    synth.type = LPU_QUANT_TQ2_0;
    synth.embed_type = LPU_QUANT_F16;
    synth.zero_share = shape.zero_share;
    synth.seed = seed;
    if (lpu_synth_write(path.c_str(), &synth, &diag)) top_throw(&diag);
}

} // namespace

void top_model::open(const std::string &name, uint32_t batch, uint32_t capacity, uint64_t seed,
                     const std::string &folder)
{
    const bool is_made = !ends_in(name, ".gguf");
    const std::string path =
        is_made ? folder + "/made-" + std::to_string(getpid()) + ".gguf" : name;
    lpu_image image = {};
    lpu_diag diag = {""};

    if (is_made) make(path, name, seed);
    const lpu_status status =
        lpu_weights_open(&weights_, path.c_str(), design_.head_trits, capacity, &diag);
    if (is_made) unlink(path.c_str());
    if (status) top_throw(&diag);
    if (lpu_layout_open(&layout_, &weights_->model, &design_, batch, capacity, &diag) ||
        lpu_image_open(&image, &layout_, weights_, &diag))
        top_throw(&diag);
    image_.assign(image.bytes, image.bytes + image.size_bytes);
    lpu_image_close(&image);
}

top_model::top_model(const std::string &name, const lpu_design *design, uint32_t batch,
                     uint32_t capacity, uint64_t seed, const std::string &folder)
    : design_(*design), layout_()
{
    try {
        open(name, batch, capacity, seed, folder);
    } catch (...) {
        lpu_layout_close(&layout_);
        lpu_weights_close(&weights_);
        throw;
    }
}

top_model::~top_model()
{
    lpu_layout_close(&layout_);
    lpu_weights_close(&weights_);
}

void top_model::compile(top_program *program, const std::vector<int32_t> &tokens, uint32_t count,
                        uint32_t context) const
{
    const lpu_phase phase = count == 1 && context ? LPU_PHASE_DECODE : LPU_PHASE_PREFILL;
    lpu_diag diag = {""};

    if (lpu_trace_open(&program->trace, &weights_->model, phase, count, context, layout_.batch,
                       &diag))
        top_throw(&diag);
    const lpu_compile_request request = {&layout_, program->trace, tokens.data(), weights_};
    if (lpu_compile(&program->code, &request, &diag)) top_throw(&diag);
    program->name = (phase == LPU_PHASE_DECODE ? "decode" : "prefill of " + std::to_string(count)) +
                    (context ? " after " + std::to_string(context) : "") +
                    (layout_.batch > 1 ? ", batch " + std::to_string(layout_.batch) : "");
}

std::vector<int32_t> top_model::results(const std::vector<uint8_t> &memory) const
{
    enum { RESULT_BYTES = 8 }; /* token, then its logit */
    std::vector<int32_t> tokens(layout_.batch);

    for (uint32_t i = 0; i < layout_.batch; i++)
        memcpy(&tokens[i], &memory[layout_.regions[0].base + layout_.result_at + RESULT_BYTES * i],
               sizeof(int32_t));
    return tokens;
}

lpu_model top_model_any()
{
    enum { LAYERS = 64 }; /* operations of a made program, before two of a kind share an account */
    lpu_model m = {};
    strcpy(m.name, "none");
    m.weights = LPU_WEIGHTS_TERNARY;
    m.is_gated = m.is_tied = true;
    m.hidden_elems = m.ffn_elems = m.head_elems = 64;
    m.vocab_elems = 64;
    m.heads = m.kv_heads = 1;
    m.layers = m.kv_layers = LAYERS;
    m.context_tokens = 16;
    m.activation_bits = 8;
    m.native_kv_bits = 16;
    m.rope_theta = 10000;
    m.norm_eps = 1e-5;
    m.active_share = 1;
    return m;
}
