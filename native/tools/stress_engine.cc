// stress_engine: proves on one plan that runs allocate nothing, at 1 and 4 threads, that thread counts agree,
// that sessions in several threads at once agree, and that opening and closing leaks nothing. usage:
// stress_engine model.plan
#include <pthread.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "native/engine/session.h"

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

// Every way to the heap passes here: operator new calls malloc. Sanitizers bring a heap of their own, which
// is not counted.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

__attribute__((visibility("default"))) void* malloc(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(size_t count, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* block, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(block, size);
}
__attribute__((visibility("default"))) void* aligned_alloc(size_t alignment, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, size);
}
}
#endif

namespace hone {
namespace {

constexpr int kRuns = 1000;

/// A session with buffers of its own.
class Rig {
 public:
  Status open(const std::shared_ptr<Model>& model, int threads) {
    SessionOptions options;
    options.threads = threads;
    options.profile_every = 3;
    if (Status status = Session::open(model, options, &session_); !status.ok()) return status;
    const Plan& plan = session_->plan();
    uint8_t byte = 1;
    for (const PlanPort& port : session_->inputs()) {
      auto& bytes = inputs_.emplace_back(plan.tensors()[port.tensor].bytes);
      // Floats are built from small integers: arbitrary bits would be NaNs.
      for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte = static_cast<uint8_t>(byte * 13 + 7);
      if (port.type == PlanType::kFloat32)
        for (size_t i = 0; i + 4 <= bytes.size(); i += 4) {
          const float value = static_cast<float>(bytes[i]) / 64.0f - 2.0f;
          std::memcpy(bytes.data() + i, &value, 4);
        }
      input_pointers_.push_back(bytes.data());
    }
    for (const PlanPort& port : session_->outputs())
      output_pointers_.push_back(outputs_.emplace_back(plan.tensors()[port.tensor].bytes).data());
    return Status();
  }
  void run() { session_->run(input_pointers_.data(), output_pointers_.data()); }
  const std::vector<std::vector<uint8_t>>& outputs() const { return outputs_; }

 private:
  std::unique_ptr<Session> session_;
  std::vector<std::vector<uint8_t>> inputs_, outputs_;
  std::vector<const void*> input_pointers_;
  std::vector<void*> output_pointers_;
};

int fail(const char* what, unsigned long long value) {
  std::fprintf(stderr, "stress_engine: FAIL: %s (%llu)\n", what, value);
  return 1;
}

/// Resident pages of this process, in kilobytes.
long resident_kb() {
  long pages = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  if (std::fscanf(file, "%ld %ld", &pages, &resident) != 2) resident = 0;
  std::fclose(file);
  return resident * 4;
}

struct Contender {
  std::shared_ptr<Model> model;
  const Rig* expected;
  bool same = false;
};

void* contend(void* argument) {
  auto* self = static_cast<Contender*>(argument);
  Rig rig;
  if (!rig.open(self->model, 4).ok()) return nullptr;
  for (int i = 0; i < kRuns / 10; ++i) rig.run();
  self->same = rig.outputs() == self->expected->outputs();
  return nullptr;
}

int main_of(const char* path) {
  std::shared_ptr<Model> model;
  if (Status status = Model::open_file(path, &model); !status.ok()) {
    std::fprintf(stderr, "stress_engine: %s: %s\n", status.code(), status.reason().c_str());
    return 1;
  }
  const bool stateful = model->plan().variants()[0].state_count > 0;

  Rig rigs[2];
  for (int i = 0; i < 2; ++i) {
    const int threads = i == 0 ? 1 : 4;
    if (!rigs[i].open(model, threads).ok()) return fail("cannot open a session", 0);
    for (int warm = 0; warm < 5; ++warm) rigs[i].run();
    const uint64_t before = allocations.load();
    for (int run = 0; run < kRuns; ++run) rigs[i].run();
    const uint64_t made = allocations.load() - before;
    if (made != 0) return fail("allocations while running", made);
    std::printf("%d runs at %d thread(s): 0 allocations\n", kRuns, threads);
  }
  if (rigs[0].outputs() != rigs[1].outputs()) return fail("thread counts disagree", 0);

  if (!stateful) {
    Contender contenders[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) {
      contenders[i].model = model;
      contenders[i].expected = &rigs[0];
      if (pthread_create(&threads[i], nullptr, contend, &contenders[i]) != 0) return fail("no thread", 0);
    }
    for (int i = 0; i < 4; ++i) pthread_join(threads[i], nullptr);
    for (const Contender& contender : contenders)
      if (!contender.same) return fail("sessions side by side disagree", 0);
    std::printf("4 sessions at once: equal outputs\n");
  }

  long after_warm_up = 0;
  for (int i = 0; i < kRuns; ++i) {
    std::shared_ptr<Model> again;
    Rig rig;
    if (!Model::open_file(path, &again).ok() || !rig.open(again, 1 + i % 4).ok())
      return fail("cannot open again", 0);
    rig.run();
    if (i == kRuns / 10) after_warm_up = resident_kb();
  }
  [[maybe_unused]] const long grown = resident_kb() - after_warm_up;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  if (grown > 4096) return fail("resident memory grows by kilobytes", static_cast<unsigned long long>(grown));
#endif
  std::printf("%d sessions opened and closed: memory stays\n", kRuns);
  return 0;
}

}  // namespace
}  // namespace hone

int main(int count, char** words) {
  if (count == 2) return hone::main_of(words[1]);
  std::fputs("usage: stress_engine model.plan\n", stderr);
  return 2;
}
