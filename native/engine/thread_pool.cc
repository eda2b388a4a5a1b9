#include "native/engine/thread_pool.h"

#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <mutex>
#include <string>

#include "native/probe/timer.h"

namespace hone {
namespace {

/// A worker that found nothing for this long goes to sleep: longer than the gaps between the nodes of a
/// model.
constexpr uint64_t kSpinNs = 40000;
/// From here on it gives its time slice away between looks: its core may be the one that the caller needs.
constexpr uint64_t kSpinAloneNs = 4000;
/// Pauses between looks at the clock while spinning.
constexpr int kPausesPerLook = 64;
/// A caller that waited for this many pauses gives its time slice away: then there are more threads than
/// cores.
constexpr int kPausesBeforeYield = 1000;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");  // yield is a no-op on the cores at hand
#endif
}

/// The pool of this process, as long as somebody holds it: with the table of open models (model.cc) the only
/// global of the native code.
struct PoolHolder {
  std::mutex mutex;
  std::weak_ptr<ThreadPool> pool;
};

PoolHolder& holder() {
  // Never destroyed: threads of Node may outlive static destructors.
  static PoolHolder* only = [] {
    auto* made = new PoolHolder;
    // A fork keeps only the thread that asked for it: the lock must be free in the child, and the pool empty.
    pthread_atfork([] { holder().mutex.lock(); }, [] { holder().mutex.unlock(); },
                   [] {
                     PoolHolder& inherited = holder();
                     if (const auto pool = inherited.pool.lock()) pool->forget_workers();
                     inherited.pool.reset();
                     inherited.mutex.unlock();
                   });
    return made;
  }();
  return *only;
}

}  // namespace

Status ThreadPool::acquire(int threads, std::shared_ptr<ThreadPool>* pool) {
  PoolHolder& shared = holder();
  const std::lock_guard<std::mutex> lock(shared.mutex);
  std::shared_ptr<ThreadPool> found = shared.pool.lock();
  if (found == nullptr) {
    found.reset(new ThreadPool);
    shared.pool = found;
  }
  Status status = found->grow(std::min(threads, kMaxThreads) - 1);
  if (status.ok()) *pool = std::move(found);
  return status;
}

void ThreadPool::forget_workers() {
  worker_count_.store(0);
  busy_.store(false);
}

Status ThreadPool::grow(int workers) {
  int count = worker_count_.load(std::memory_order_relaxed);
  for (; count < workers; ++count) {
    Worker& worker = workers_[count];
    worker.pool = this;
    worker.party = count + 1;
    sigset_t all, before;
    sigfillset(&all);  // signals belong to the threads of Node
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&worker.thread, nullptr, work, &worker);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0) return Status("E_INTERNAL", "cannot start thread " + std::to_string(count + 1));
    worker_count_.store(count + 1, std::memory_order_release);
  }
  return Status();
}

ThreadPool::~ThreadPool() {
  task_ = nullptr;
  const int count = worker_count_.load();
  for (int i = 0; i < count; ++i) post(&workers_[i]);
  for (int i = 0; i < count; ++i) pthread_join(workers_[i].thread, nullptr);
}

void ThreadPool::run(int parties, Task task, void* context) {
  const bool alone = parties <= 1 || parties - 1 > worker_count_.load(std::memory_order_acquire) ||
                     busy_.exchange(true, std::memory_order_acquire);
  if (alone) {
    for (int party = 0; party < parties; ++party) task(context, party);
    return;
  }
  task_ = task;
  context_ = context;
  pending_.store(parties - 1, std::memory_order_relaxed);
  for (int i = 0; i < parties - 1; ++i) post(&workers_[i]);
  task(context, 0);
  // Backwards: the last one was woken last.
  for (int i = parties - 2; i >= 0; --i)
    if (claim(&workers_[i], workers_[i].posted.load(std::memory_order_relaxed))) perform(workers_[i]);
  for (int pauses = 0; pending_.load(std::memory_order_acquire) != 0; ++pauses) {
    pause();
    if (pauses >= kPausesBeforeYield) sched_yield();
  }
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::post(Worker* worker) {
  // Both sides are sequentially consistent: either the worker sees the task before it sleeps, or we see it
  // asleep.
  worker->posted.fetch_add(1);
  if (!worker->asleep.load()) return;
  pthread_mutex_lock(&worker->mutex);
  pthread_cond_signal(&worker->wake);
  pthread_mutex_unlock(&worker->mutex);
}

void ThreadPool::wait_for(Worker* worker, uint32_t seen) {
  const uint64_t start = read_monotonic_ns();
  for (uint64_t waited = 0; waited < kSpinNs; waited = read_monotonic_ns() - start) {
    if (waited > kSpinAloneNs) sched_yield();
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (worker->posted.load(std::memory_order_acquire) != seen) return;
      pause();
    }
  }
  pthread_mutex_lock(&worker->mutex);
  worker->asleep.store(true);
  while (worker->posted.load() == seen) pthread_cond_wait(&worker->wake, &worker->mutex);
  worker->asleep.store(false);
  pthread_mutex_unlock(&worker->mutex);
}

void* ThreadPool::work(void* argument) {
  Worker* const worker = static_cast<Worker*>(argument);
  ThreadPool* const pool = worker->pool;
  for (uint32_t seen = 0;;) {
    wait_for(worker, seen);
    seen = worker->posted.load(std::memory_order_acquire);
    if (!claim(worker, seen)) continue;
    if (pool->task_ == nullptr) return nullptr;
    pool->perform(*worker);
  }
}

bool ThreadPool::claim(Worker* worker, uint32_t task) {
  // Only the newest task can still be free: all before it were done when it was posted. So whoever wins here
  // finds task_ and context_ as they were posted, and they stay until pending_ says that it is done.
  uint32_t before = task - 1;
  return worker->begun.compare_exchange_strong(before, task, std::memory_order_acq_rel);
}

void ThreadPool::perform(const Worker& worker) {
  task_(context_, worker.party);
  pending_.fetch_sub(1, std::memory_order_release);
}

}  // namespace hone
