#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "native/core/status.h"
#include "native/engine/aligned_buffer.h"
#include "native/engine/step.h"
#include "native/engine/thread_pool.h"

namespace hone {

/// Runs steps on the threads of the pool, one phase after the other, with the working memory they ask for.
class StepRunner {
 public:
  /// Takes note of what a step needs. Before prepare().
  void admit(const Step& step);
  /// Working memory for all that was admitted.
  uint64_t needed_bytes() const { return uint64_t{own_bytes_} * parties_ + shared_bytes_; }
  /// Allocates it and starts threads. E_MEMORY, E_INTERNAL.
  Status prepare();
  size_t scratch_bytes() const { return scratch_.size(); }

  /// At most `threads` threads take part from now on; results do not depend on it.
  void limit_threads(int threads) { helpers_ = threads - 1; }
  /// All phases of an admitted step. No allocation, no lock.
  void run(const Step& step);

 private:
  /// The tiles of a party that nobody has begun, of the phase that runs.
  struct alignas(64) Share {
    std::atomic<uint32_t> next{0};
    uint32_t end = 0;
  };
  static void run_party(void* runner, int party);
  void run_divided(const Step& step, int phase);
  Scratch scratch_of(int party) const {
    return {scratch_.data() + static_cast<size_t>(party) * own_bytes_,
            scratch_.data() + parties_ * own_bytes_};
  }

  std::shared_ptr<ThreadPool> pool_;
  std::vector<Share> shares_;  ///< by party
  AlignedBuffer scratch_;      ///< that of each party, then what they share
  size_t own_bytes_ = 0, shared_bytes_ = 0;
  size_t parties_ = 1;
  int helpers_ = ThreadPool::kMaxThreads;  ///< threads that may work beside the caller's
  const Step* step_ = nullptr;             ///< on which several threads work
  int phase_ = 0;
};

}  // namespace hone
