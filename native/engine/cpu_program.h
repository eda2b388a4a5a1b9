#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "native/engine/aligned_buffer.h"
#include "native/engine/program.h"
#include "native/engine/step.h"
#include "native/engine/step_runner.h"

namespace hone {

/// The program of this CPU: steps in order, each divided among the threads of the pool.
class CpuProgram final : public Program {
 public:
  static Status make(const ProgramContext& context, std::unique_ptr<Program>* program);
  /// The same with tensors that lie elsewhere than the plan says. E_PLAN_FORMAT when a kernel cannot take
  /// them so.
  static Status make(const ProgramContext& context, Layout layout, std::unique_ptr<Program>* program);

  void bind(const void* const* inputs, void* const* outputs) override;
  void run() override;
  void run_timed() override;
  void run_observed(NodeObserver* observer) override;
  void limit_threads(int threads) override { runner_.limit_threads(threads); }
  int64_t read_count(const PlanTensor& tensor) const override;
  void reset_states() override;
  int64_t node_out_of_range() const override { return node_out_of_range_; }
  NodeKernel kernel(size_t node) const override {
    return {steps_[node]->row_name(), steps_[node]->parties()};
  }
  ProgramMemory memory() const override {
    return {&packed_, cached_bytes_, arena_.size(), state_.size(), runner_.scratch_bytes()};
  }

 private:
  CpuProgram(const ProgramContext& context, Layout layout);
  Status prepare(const ProgramContext& context);
  /// Decodes what kernels read as it lies: constants that no row packs.
  Status decode_operands(const ProgramContext& context, const NodeView& node);
  void count_shared(const PackedBlock* block);
  Memory addresses() const {
    return {arena_.data(),
            state_.data(),
            plan_.weights(),
            ports_.data(),
            decoded_.data(),
            &out_of_range_,
            is_exchanged_ ? &exchanged_ : &layout_};
  }
  const uint8_t* without_gaps(const PlanTensor& tensor);
  void begin();
  /// The step to run after step i. Takes note of indices that lay beyond their bounds in it.
  size_t next_step(size_t i);
  void keep_states();
  /// Fills exchanged_ and state_steps_ where exchanging states is possible and less work than copying.
  void prepare_exchange();

  const Plan& plan_;
  const PlanVariant& variant_;
  const Layout layout_;
  Layout exchanged_ = {};  ///< with inputs and outputs of states in each other's place
  bool is_exchanged_ = false;
  std::vector<Step*> state_steps_;  ///< those that touch states; empty: states are copied
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<uint8_t*> ports_;          ///< address by tensor of the variant
  std::vector<const uint8_t*> decoded_;  ///< of constants that the plan holds as codes
  std::vector<std::shared_ptr<const PackedBlock>> decoded_memory_;
  StepRunner runner_;
  AlignedBuffer arena_, state_;
  AlignedBuffer shown_;  ///< an output with gaps between its rows, for observers
  std::vector<SharedBlock> packed_;
  size_t cached_bytes_ = 0;            ///< of them in a cache file
  mutable uint32_t out_of_range_ = 0;  ///< set by kernels
  int64_t node_out_of_range_ = -1;
};

/// Copies the rows of a tensor, `pitch` elements from one to the next, to `dense`, without gaps.
void copy_rows(const PlanTensor& tensor, int64_t pitch, const uint8_t* bytes, uint8_t* dense);
}  // namespace hone
