#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "native/core/cpu_features.h"
#include "native/core/status.h"
#include "native/engine/node_ticks.h"
#include "native/engine/packed_store.h"
#include "native/engine/plan.h"

namespace hone {

/// Sees each of a node's outputs right after the node ran. The bytes are valid during the call only; rows of
/// `output` follow each other without gaps.
class NodeObserver {
 public:
  virtual ~NodeObserver() = default;
  virtual void on_node(uint32_t node, const PlanTensor& output, const uint8_t* bytes) = 0;
};

/// How a program runs a node.
struct NodeKernel {
  const char* name;
  int threads;
};

/// Memory that sessions of one model share.
struct SharedBlock {
  const void* address;  ///< says which block it is
  size_t bytes;
};

struct ProgramMemory {
  const std::vector<SharedBlock>* packed;  ///< weights in the layout of the kernels, each block once
  size_t cached_bytes;                     ///< of them in a mapped cache file
  size_t arena_bytes, state_bytes, scratch_bytes;
};

/// One variant of a plan, prepared for where it runs, with its memory. Its session gives it addresses of the
/// caller and then runs it; how nodes are laid out, divided and timed is its own business. Preparing
/// allocates; what is here does not.
class Program {
 public:
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  virtual ~Program() = default;

  /// Gives the addresses of the ports. They stay valid until the next call.
  virtual void bind(const void* const* inputs, void* const* outputs) = 0;
  /// One inference over the bound ports, done when it returns.
  virtual void run() = 0;
  /// The same with a counter read between nodes.
  virtual void run_timed() = 0;
  /// The same, showing every output on the way.
  virtual void run_observed(NodeObserver* observer) = 0;
  /// At most `threads` threads take part in runs from now on.
  virtual void limit_threads(int threads) { static_cast<void>(threads); }
  /// Ends the run that is under way before its next node; from any thread. Runs end at once until rearm().
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool is_stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void rearm() { stopped_.store(false, std::memory_order_relaxed); }
  /// The first node of the last run that met an index beyond its bounds, by place in the variant; -1: none.
  virtual int64_t node_out_of_range() const { return -1; }
  /// An int64 of one element that the last run left in the arena.
  virtual int64_t read_count(const PlanTensor& tensor) const = 0;
  /// Puts states back to real zero.
  virtual void reset_states() = 0;

  /// By node of the variant.
  virtual NodeKernel kernel(size_t node) const = 0;
  virtual ProgramMemory memory() const = 0;
  /// By node of the variant, over timed_runs() runs.
  const std::vector<NodeTicks>& ticks() const { return ticks_; }
  uint64_t timed_runs() const { return timed_runs_; }

 protected:
  std::vector<NodeTicks> ticks_;
  uint64_t timed_runs_ = 0;

 private:
  std::atomic<bool> stopped_{false};
};

/// What a program is prepared from; plan and store outlive it.
struct ProgramContext {
  const Plan& plan;
  uint32_t variant;
  CpuFeatures mask;
  int threads;
  PackedStore* packed;
  bool divides_all = false;
  uint64_t memory_limit = 0;  ///< as in SessionOptions
};

/// Prepares a program. E_MEMORY, E_INTERNAL, or std::bad_alloc.
using ProgramMaker = Status (*)(const ProgramContext& context, std::unique_ptr<Program>* program);

}  // namespace hone
