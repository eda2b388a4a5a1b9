#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "native/core/cpu.h"
#include "native/core/status.h"
#include "native/engine/cpu_program.h"
#include "native/engine/model.h"
#include "native/probe/timer.h"

namespace hone {

struct SessionOptions {
  int threads = 1;
  /// Instruction sets that kernels may use; more than this CPU has is cut off.
  CpuFeatures cpu_mask = ~CpuFeatures{0};
  /// Times every k-th run, node by node; 0 never.
  uint32_t profile_every = 0;
  /// Index of the shape variant.
  uint32_t variant = 0;
  /// Divides every node among all threads, however little work it is: slow, for tests of bytes.
  bool divides_all = false;
  /// Most bytes of packed weights, tensors and working memory; 0: what the machine and the container have.
  uint64_t memory_limit = 0;
};

/// What one node cost.
struct NodeProfile {
  std::string_view name;
  std::string_view op;
  std::string_view kernel;  ///< name of the kernel row
  int threads;
  uint64_t runs;  ///< timed runs that did not leave it out; the figures are over them, 0 without any
  double mean_ns;
  double least_ns;
  double p50_ns, p90_ns, p99_ns;  ///< within a sixteenth
};

struct MemoryFigures {
  size_t plan_bytes;     ///< the file; its weights are mapped when it was opened by path
  size_t packed_bytes;   ///< weights in the layout of the kernels; shared between the sessions of a model
  size_t cached_bytes;   ///< of them in a mapped cache file
  size_t arena_bytes;    ///< intermediate tensors
  size_t state_bytes;    ///< tensors kept between runs
  size_t scratch_bytes;  ///< working memory of kernels, over all threads
};

/// One variant of a model, ready to run. Not for several threads at once; open one session per thread
/// instead.
class Session {
 public:
  /// E_OPTION_VALUE, E_MEMORY, E_INTERNAL (no threads). `make` decides where it runs.
  static Status open(std::shared_ptr<Model> model, const SessionOptions& options,
                     std::unique_ptr<Session>* session, ProgramMaker make = CpuProgram::make);

  std::span<const PlanPort> inputs() const;
  std::span<const PlanPort> outputs() const;

  /// One inference. Buffers in the order of inputs() and outputs(), aligned to their element, of the size of
  /// their port, no output overlapping another buffer. The same pointers as in the last call cost nothing
  /// extra. No allocation, no lock. The caller's rounding mode does not matter and stays.
  void run(const void* const* inputs, void* const* outputs);
  /// The same, showing every intermediate tensor to `observer`.
  void run_observed(const void* const* inputs, void* const* outputs, NodeObserver* observer);
  /// Extents of output `index` in the last run, as many as its rank: those of its port, but the one that runs
  /// decide. Then the elements of this shape stand at the start of its buffer.
  std::span<const uint32_t> output_dims(size_t index) const;
  /// What the last run met, with the name of the node: an index beyond its bounds (E_INPUT_INDEX), a
  /// condition whose branch the plan was compiled without (E_BRANCH_LEFT_OUT).
  Status fault() const;
  /// At most `threads` threads, 1 or more, take part in runs from now on; results do not depend on it.
  void limit_threads(int threads) { program_->limit_threads(threads); }
  /// Ends a run that another thread is in, before its next node; states stay as they were before it.
  void cancel() { program_->stop(); }
  /// Whether the last run was ended; until rearm() every run would be.
  bool is_cancelled() const { return program_->is_stopped(); }
  /// Makes runs possible again behind a cancelled one.
  void rearm() { program_->rearm(); }
  /// Puts states back to real zero.
  void reset() { program_->reset_states(); }

  /// Per node, in order of execution; means over the timed runs (0 without any). Throws std::bad_alloc.
  std::vector<NodeProfile> profile() const;
  uint64_t timed_runs() const { return program_->timed_runs(); }
  MemoryFigures memory() const;
  /// The plan and the packed weights: what other sessions may hold as well.
  std::vector<SharedBlock> shared_memory() const;
  /// What became of the cache file when the session was opened.
  const CacheOutcome& cache() const { return cache_; }
  const Plan& plan() const { return model_->plan(); }
  const PlanVariant& variant() const { return plan().variants()[options_.variant]; }
  const SessionOptions& options() const { return options_; }

 private:
  Session() = default;
  void rebind(const void* const* inputs, void* const* outputs);
  void cut_outputs();

  /// An output of which a run decides one extent.
  struct Counted {
    size_t output;
    const PlanCount* count;
    uint32_t dims[kPlanMaxRank];
  };

  std::shared_ptr<Model> model_;
  SessionOptions options_;
  std::unique_ptr<Program> program_;
  CacheOutcome cache_ = {CacheOutcome::State::kOff, {}};
  TickRate rate_;
  uint64_t until_timed_ = 0;
  std::vector<const void*> bound_inputs_;
  std::vector<void*> bound_outputs_;
  std::vector<Counted> counted_;
};

}  // namespace hone
