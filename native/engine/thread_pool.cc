#include "native/engine/thread_pool.h"

#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <bit>
#include <mutex>
#include <string>
#include <thread>

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
  const int workers = std::min(threads, kMaxThreads) - 1;
  const int processors = static_cast<int>(std::thread::hardware_concurrency());
  auto held = std::make_shared<Holder>();
  {
    const std::lock_guard<std::mutex> lock(shared.mutex);
    std::shared_ptr<ThreadPool> found = shared.pool.lock();
    if (found == nullptr) {
      found.reset(new ThreadPool);
      shared.pool = found;
    }
    const int together = std::min(found->wanted_ + workers, processors - 1);
    if (Status status = found->grow(std::clamp(together, workers, kMaxThreads - 1)); !status.ok())
      return status;
    found->wanted_ += workers;
    held->workers = workers;
    held->pool = std::move(found);
  }
  *pool = std::shared_ptr<ThreadPool>(held, held->pool.get());
  return Status();
}

ThreadPool::Holder::~Holder() {
  if (pool == nullptr) return;
  const std::lock_guard<std::mutex> lock(holder().mutex);
  pool->wanted_ -= workers;
}

void ThreadPool::forget_workers() {
  worker_count_ = 0;
  free_.store(0);
}

Status ThreadPool::grow(int workers) {
  for (; worker_count_ < workers; ++worker_count_) {
    Worker& worker = workers_[worker_count_];
    worker.pool = this;
    sigset_t all, before;
    sigfillset(&all);  // signals belong to the threads of Node
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&worker.thread, nullptr, work, &worker);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0) return Status("E_INTERNAL", "cannot start thread " + std::to_string(worker_count_ + 1));
    free_.fetch_or(uint64_t{1} << worker_count_, std::memory_order_release);
  }
  return Status();
}

ThreadPool::~ThreadPool() {
  for (int i = 0; i < worker_count_; ++i) {
    workers_[i].job = nullptr;
    post(&workers_[i]);
  }
  for (int i = 0; i < worker_count_; ++i) pthread_join(workers_[i].thread, nullptr);
}

uint64_t ThreadPool::take(int count) {
  uint64_t idle = free_.load(std::memory_order_relaxed);
  uint64_t taken = 0;
  do {
    taken = 0;
    for (uint64_t rest = idle; rest != 0 && std::popcount(taken) < count; rest &= rest - 1)
      taken |= rest & (~rest + 1);
  } while (!free_.compare_exchange_weak(idle, idle & ~taken, std::memory_order_acquire));
  return taken;
}

void ThreadPool::run(int parties, Task task, void* context, int helpers) {
  Job job = {task, context};
  const int wanted = std::min(parties - 1, helpers);
  const uint64_t taken = wanted > 0 ? take(wanted) : 0;
  job.pending.store(std::popcount(taken), std::memory_order_relaxed);
  int party = 0;
  for (uint64_t rest = taken; rest != 0; rest &= rest - 1) {
    Worker& worker = workers_[std::countr_zero(rest)];
    worker.job = &job;
    worker.party = ++party;
    post(&worker);
  }
  task(context, 0);
  while (++party < parties) task(context, party);
  // Backwards: the last one was woken last.
  for (uint64_t rest = taken; rest != 0;) {
    const int last = 63 - std::countl_zero(rest);
    rest ^= uint64_t{1} << last;
    Worker& worker = workers_[last];
    if (claim(&worker, worker.posted.load(std::memory_order_relaxed))) perform(worker);
  }
  for (int pauses = 0; job.pending.load(std::memory_order_acquire) != 0; ++pauses) {
    pause();
    if (pauses >= kPausesBeforeYield) sched_yield();
  }
  if (taken != 0) free_.fetch_or(taken, std::memory_order_release);
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
  for (uint32_t seen = 0;;) {
    wait_for(worker, seen);
    seen = worker->posted.load(std::memory_order_acquire);
    if (!claim(worker, seen)) continue;
    if (worker->job == nullptr) return nullptr;
    perform(*worker);
  }
}

bool ThreadPool::claim(Worker* worker, uint32_t task) {
  // Only the newest task can still be free: all before it were done when it was posted. So whoever wins here
  // finds job and party as they were posted, and they stay until the job is done.
  uint32_t before = task - 1;
  return worker->begun.compare_exchange_strong(before, task, std::memory_order_acq_rel);
}

void ThreadPool::perform(const Worker& worker) {
  Job& job = *worker.job;
  job.task(job.context, worker.party);
  job.pending.fetch_sub(1, std::memory_order_release);
}

}  // namespace hone
