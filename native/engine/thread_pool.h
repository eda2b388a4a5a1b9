#pragma once
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "native/core/status.h"

namespace hone {

/// Fork and join over fixed divisions of work, those of several callers at once. One pool serves the process;
/// it lives as long as somebody holds it. A caller takes the workers that it wants, as far as they are free,
/// for one task, is party 0 itself, and does the party of every worker that it did not get or that has not
/// begun when it has done its own: a busy machine costs little more than one thread would. Workers spin for a
/// short while after each task, then sleep; a task allocates nothing, and takes a lock only to wake a
/// sleeper. In the child of a fork, where no worker lives, run() does all parties itself: same result.
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 64;
  using Task = void (*)(void* context, int party);

  /// The pool of this process, with at least `threads` - 1 workers, and with so many for each of its holders
  /// as far as the machine has processors. E_INTERNAL when threads cannot be started; throws std::bad_alloc.
  static Status acquire(int threads, std::shared_ptr<ThreadPool>* pool);

  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Calls task(context, party) for every party in [0, parties) and returns when all are done. Tasks must not
  /// throw. At most `helpers` workers take part.
  void run(int parties, Task task, void* context, int helpers = kMaxThreads);
  /// After a fork, in the child: works alone from now on.
  void forget_workers();

 private:
  ThreadPool() = default;
  Status grow(int workers);

  /// What a caller wants done, on its stack.
  struct Job {
    Task task;
    void* context;
    alignas(64) std::atomic<int> pending{0};  ///< parties of workers that are not done
  };
  /// A worker and the mailbox that only the caller who took it writes.
  struct alignas(64) Worker {
    std::atomic<uint32_t> posted{0};  ///< tasks given to this worker so far
    std::atomic<uint32_t> begun{0};   ///< tasks begun so far, by the worker or by the caller in its place
    Job* job = nullptr;  ///< null when a task is posted: the end of the worker, which it takes like a task
    int party = 0;
    std::atomic<bool> asleep{false};
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
    pthread_t thread{};
    ThreadPool* pool = nullptr;
  };
  /// One who holds the pool, and how many workers he counts on.
  struct Holder {
    std::shared_ptr<ThreadPool> pool;
    int workers;
    ~Holder();
  };

  /// Takes up to `count` workers that are free: a bit for each, the first ones, which worked last.
  uint64_t take(int count);
  static void* work(void* worker);
  static void wait_for(Worker* worker, uint32_t seen);
  static void post(Worker* worker);
  /// Takes the task with number `task` of a worker: false when somebody has begun it.
  static bool claim(Worker* worker, uint32_t task);
  /// Does the party of a worker, for whoever claimed it.
  static void perform(const Worker& worker);

  Worker workers_[kMaxThreads - 1];
  int worker_count_ = 0;           ///< guarded by the lock of acquire()
  int wanted_ = 0;                 ///< workers that all holders count on together; guarded likewise
  std::atomic<uint64_t> free_{0};  ///< workers that no caller has: a bit for each
};

}  // namespace hone
