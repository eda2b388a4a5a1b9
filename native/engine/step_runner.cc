#include "native/engine/step_runner.h"

#include <algorithm>

namespace hone {

void StepRunner::admit(const Step& step) {
  const auto whole_lines = [](size_t bytes) { return (bytes + 63) / 64 * 64; };
  for (int phase = 0; phase < step.phases(); ++phase)
    parties_ = std::max(parties_, static_cast<size_t>(step.tiling(phase).parties));
  own_bytes_ = std::max(own_bytes_, whole_lines(step.scratch_bytes()));
  shared_bytes_ = std::max(shared_bytes_, whole_lines(step.shared_scratch_bytes()));
}

Status StepRunner::prepare() {
  if (!scratch_.allocate(needed_bytes())) return Status("E_MEMORY", "working memory of kernels");
  if (parties_ == 1) return Status();
  shares_ = std::vector<Share>(parties_);
  return ThreadPool::acquire(static_cast<int>(parties_), &pool_);
}

void StepRunner::run(const Step& step) {
  for (int phase = 0; phase < step.phases(); ++phase) {
    const Tiling& tiling = step.tiling(phase);
    if (tiling.parties == 1)
      step.run(tiling.tiles[0], phase, scratch_of(0));
    else
      run_divided(step, phase);
  }
}

void StepRunner::run_divided(const Step& step, int phase) {
  const Tiling& tiling = step.tiling(phase);
  const auto parties = static_cast<size_t>(tiling.parties);
  for (size_t i = 0; i < parties; ++i) {
    shares_[i].next.store(static_cast<uint32_t>(tiling.tiles.size() * i / parties),
                          std::memory_order_relaxed);
    shares_[i].end = static_cast<uint32_t>(tiling.tiles.size() * (i + 1) / parties);
  }
  step_ = &step;
  phase_ = phase;
  pool_->run(tiling.parties, run_party, this, helpers_);
}

void StepRunner::run_party(void* runner, int party) {
  StepRunner& self = *static_cast<StepRunner*>(runner);
  const Tiling& tiling = self.step_->tiling(self.phase_);
  const Scratch scratch = self.scratch_of(party);
  for (int i = 0; i < tiling.parties; ++i) {
    // Its own share first: those tiles lie next to what this thread did in the step before.
    Share& share = self.shares_[static_cast<size_t>((party + i) % tiling.parties)];
    while (share.next.load(std::memory_order_relaxed) < share.end) {
      const uint32_t tile = share.next.fetch_add(1, std::memory_order_relaxed);
      if (tile < share.end) self.step_->run(tiling.tiles[tile], self.phase_, scratch);
    }
  }
}

}  // namespace hone
