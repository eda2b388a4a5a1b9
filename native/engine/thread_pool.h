#pragma once
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "native/core/status.h"

namespace hone {

/// Fork and join over a fixed division of work. One pool serves the process; it lives as long as somebody
/// holds it. Workers spin for a short while after each task, then sleep; a task allocates nothing, and takes
/// a lock only to wake a sleeper. The caller is party 0, and does the party of every worker that has not
/// begun when it has done its own: a busy machine costs little more than one thread would. When another
/// thread is using the pool, or in the child of a fork, where no worker lives, run() does all parties itself:
/// same result.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 64;
  using Task = void (*)(void* context, int party);

  /// The pool of this process, grown to at least `threads` - 1 workers. E_INTERNAL when threads cannot be
  /// started; throws std::bad_alloc.
  static Status acquire(int threads, std::shared_ptr<ThreadPool>* pool);

  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Calls task(context, party) for every party in [0, parties) and returns when all are done. Tasks must not
  /// throw.
  void run(int parties, Task task, void* context);
  /// After a fork, in the child: works alone from now on.
  void forget_workers();

 private:
  ThreadPool() = default;
  Status grow(int workers);

  /// A worker and the mailbox that only its caller writes.
  struct alignas(64) Worker {
    std::atomic<uint32_t> posted{0};  ///< tasks given to this worker so far
    std::atomic<uint32_t> begun{0};   ///< tasks begun so far, by the worker or by the caller in its place
    std::atomic<bool> asleep{false};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
    pthread_t thread{};
    ThreadPool* pool = nullptr;
    int party = 0;
  };
  static void* work(void* worker);
  static void wait_for(Worker* worker, uint32_t seen);
  void post(Worker* worker);
  /// Takes the task with number `task` of a worker: false when somebody has begun it.
  static bool claim(Worker* worker, uint32_t task);
  /// Does the party of a worker, for whoever claimed it.
  void perform(const Worker& worker);

  Worker workers_[kMaxThreads - 1];
  std::atomic<int> worker_count_{0};
  std::atomic<bool> busy_{false};
  Task task_ = nullptr;  ///< null when workers are posted: their end, which each of them takes like a task
  void* context_ = nullptr;
  alignas(64) std::atomic<int> pending_{0};
};

}  // namespace hone
