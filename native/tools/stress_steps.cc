#include "native/tools/stress_steps.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <vector>

#include "native/engine/step_runner.h"

namespace hone {
namespace {

constexpr int64_t kCount = 4096;
constexpr int kTilesOfFirst = 16;

/// `count` numbers in `pieces`, for `parties` threads.
Tiling cut(int64_t count, int pieces, int parties) {
  Tiling tiling = {{}, parties};
  for (int i = 0; i < pieces; ++i)
    tiling.tiles.push_back({count * i / pieces, count * (i + 1) / pieces, 0, 1});
  return tiling;
}

/// Phase 0 squares into shared memory by way of its own, phase 1 adds the square at the other end, phase 2
/// sums up, alone.
class ThreePhases final : public Step {
 public:
  ThreePhases() {
    tiles_ = cut(kCount, kTilesOfFirst, 4);
    later_phases_ = {cut(kCount, 6, 3), cut(kCount, 1, 1)};
    scratch_bytes_ = kCount * sizeof(int64_t);
    shared_scratch_bytes_ = kCount * sizeof(int64_t);
  }
  void bind(const Memory&) override {}
  void run(const Tile& tile, int phase, const Scratch& scratch) const override {
    auto* own = static_cast<int64_t*>(scratch.own);
    auto* squares = static_cast<int64_t*>(scratch.shared);
    if (phase == 0) {
      if (slow && pthread_equal(pthread_self(), caller)) {
        ++tiles_of_caller;
        usleep(500);
      }
      // The whole of it, so that two threads with the same memory disturb each other.
      std::iota(own, own + kCount, tile.begin);
      for (int64_t i = tile.begin; i < tile.end; ++i) squares[i] = own[i - tile.begin] * own[i - tile.begin];
    } else if (phase == 1) {
      for (int64_t i = tile.begin; i < tile.end; ++i)
        sums[static_cast<size_t>(i)] = squares[i] + squares[kCount - 1 - i];
    } else {
      total = std::accumulate(sums.begin(), sums.end(), int64_t{0});
    }
  }

  pthread_t caller = pthread_self();
  bool slow = false;
  mutable int tiles_of_caller = 0;
  mutable std::vector<int64_t> sums = std::vector<int64_t>(kCount);
  mutable int64_t total = 0;
};

/// A pool that ends right behind a task, which the caller may have done for workers that come late.
const char* end_pools(int rounds) {
  constexpr int kParties = 8;
  for (int i = 0; i < rounds; ++i) {
    std::atomic<int> done{0};
    std::shared_ptr<ThreadPool> pool;
    if (!ThreadPool::acquire(kParties, &pool).ok()) return "no threads for a pool";
    pool->run(kParties, [](void* count, int) { static_cast<std::atomic<int>*>(count)->fetch_add(1); }, &done);
    pool.reset();
    if (done.load() != kParties) return "a pool that ends does parts twice or not at all";
  }
  return nullptr;
}

/// Two callers at once, each with two parties: all four have to be at work before any of them is done.
class Meeting {
 public:
  /// Whether all were there within ten seconds.
  bool hold(ThreadPool* pool) {
    pthread_t other{};
    Caller caller = {this, pool};
    if (pthread_create(&other, nullptr, call, &caller) != 0) return false;
    pool->run(2, attend, this);
    pthread_join(other, nullptr);
    return met_.load() == 4;
  }

 private:
  struct Caller {
    Meeting* meeting;
    ThreadPool* pool;
  };
  static void* call(void* argument) {
    const auto* caller = static_cast<Caller*>(argument);
    caller->pool->run(2, attend, caller->meeting);
    return nullptr;
  }
  static void attend(void* argument, int) {
    auto* self = static_cast<Meeting*>(argument);
    self->here_.fetch_add(1);
    for (int waited = 0; self->here_.load() < 4; ++waited) {
      if (waited > 100000) return;
      usleep(100);
    }
    self->met_.fetch_add(1);
  }
  std::atomic<int> here_{0}, met_{0};
};

const char* share_pool(int rounds) {
  std::shared_ptr<ThreadPool> pool;
  if (!ThreadPool::acquire(3, &pool).ok()) return "no threads for a pool";
  for (int i = 0; i < rounds; ++i)
    if (!Meeting().hold(pool.get())) return "callers at once do not share the workers";
  return nullptr;
}

}  // namespace

const char* stress_steps(int rounds) {
  if (const char* fault = end_pools(rounds); fault != nullptr) return fault;
  if (const char* fault = share_pool(rounds); fault != nullptr) return fault;
  constexpr int64_t kLast = kCount - 1;
  constexpr int64_t kTotal = 2 * (kLast * kCount * (2 * kLast + 1) / 6);
  ThreePhases step;
  StepRunner runner;
  runner.admit(step);
  if (!runner.prepare().ok()) return "no threads for a step of several phases";
  for (int i = 0; i < rounds; ++i) {
    step.total = 0;
    std::fill(step.sums.begin(), step.sums.end(), 0);
    runner.run(step);
    if (step.total != kTotal) return "a phase began before the one before was done";
  }
  step.slow = true;
  for (int i = 0; i < 200; ++i) {
    step.tiles_of_caller = 0;
    runner.run(step);
    if (step.total != kTotal) return "helping a slow thread changed the result";
    if (step.tiles_of_caller < kTilesOfFirst / 4) return nullptr;
  }
  return "nobody helps a slow thread";
}

}  // namespace hone
