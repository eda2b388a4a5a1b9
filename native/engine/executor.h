#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "native/core/status.h"
#include "native/engine/aligned_buffer.h"
#include "native/engine/packed_store.h"
#include "native/engine/plan.h"
#include "native/engine/step.h"
#include "native/engine/step_runner.h"

namespace hone {

/// Sees each of a node's outputs right after the node ran. The bytes are valid during the call only.
class NodeObserver {
 public:
  virtual ~NodeObserver() = default;
  virtual void on_node(uint32_t node, const PlanTensor& output, const uint8_t* bytes) = 0;
};

/// Ticks that a node took, over the runs that were timed.
struct NodeTicks {
  uint64_t total = 0;
  uint64_t least = UINT64_MAX;
};

/// The prepared nodes of one variant with their memory. Preparing allocates; running does not.
class Executor {
 public:
  /// `plan` and `packed` must outlive the executor.
  Status prepare(const Plan& plan, uint32_t variant, CpuFeatures mask, int threads, PackedStore* packed);

  /// Gives the addresses of the ports, inputs then outputs.
  void bind(const void* const* inputs, void* const* outputs);
  /// One inference over the bound ports.
  void run();
  /// The same with a counter read between nodes.
  void run_timed();
  /// The same, showing every output on the way.
  void run_observed(NodeObserver* observer);
  /// Puts states back to real zero.
  void reset_states();

  const std::vector<std::unique_ptr<Step>>& steps() const { return steps_; }
  const std::vector<NodeTicks>& ticks() const { return ticks_; }
  uint64_t timed_runs() const { return timed_runs_; }
  size_t packed_bytes() const { return packed_bytes_; }
  size_t arena_bytes() const { return arena_.size(); }
  size_t state_bytes() const { return state_.size(); }
  size_t scratch_bytes() const { return runner_.scratch_bytes(); }

 private:
  void keep_states();

  const Plan* plan_ = nullptr;
  const PlanVariant* variant_ = nullptr;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<NodeTicks> ticks_;
  std::vector<uint8_t*> ports_;  ///< address by tensor of the variant
  StepRunner runner_;
  AlignedBuffer arena_, state_;
  size_t packed_bytes_ = 0;
  uint64_t timed_runs_ = 0;
};

}  // namespace hone
