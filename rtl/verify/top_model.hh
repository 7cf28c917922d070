/* rtl/verify/top_model.hh - a model on a design: its memory, and programs of its passes.
 *
 * A GGUF file has weights; a name or a YAML file is a shape, and weights are made for it from a seed.
 * A failure is thrown as std::runtime_error with one sentence.
 */
#ifndef LPU_RTL_VERIFY_TOP_MODEL_HH
#define LPU_RTL_VERIFY_TOP_MODEL_HH

#include "rtl/verify/top_golden.hh"

extern "C" {
#include "workloads/weights.h"
}

class top_model
{
  public:
    /* capacity: tokens of each cache. folder is where a made file lies for a moment. */
    top_model(const std::string &name, const lpu_design *design, uint32_t batch, uint32_t capacity,
              uint64_t seed, const std::string &folder);
    ~top_model();
    top_model(const top_model &) = delete;
    top_model &operator=(const top_model &) = delete;

    /* One pass: tokens has batch x count ids, sequence after sequence; context tokens are cached. */
    void compile(top_program *program, const std::vector<int32_t> &tokens, uint32_t count,
                 uint32_t context) const;

    /* The best next token of each sequence, as the program has left it in memory. */
    std::vector<int32_t> results(const std::vector<uint8_t> &memory) const;

    const lpu_model *shape() const { return &weights_->model; }
    const lpu_layout *layout() const { return &layout_; }
    const lpu_weights *weights() const { return weights_; }
    const std::vector<uint8_t> &image() const { return image_; }

  private:
    void open(const std::string &name, uint32_t batch, uint32_t capacity, uint64_t seed,
              const std::string &folder);

    lpu_design design_;
    lpu_weights *weights_ = nullptr;
    lpu_layout layout_;
    std::vector<uint8_t> image_; /* memory before the first pass */
};

/* The smallest there is: made programs take the formats of their accounts from it. */
lpu_model top_model_any();

#endif
