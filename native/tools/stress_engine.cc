// stress_engine: proves on one plan that runs allocate nothing, at 1 and 4 threads, that thread counts agree,
// that sessions in several threads at once share one model and agree, as does the child of a fork, that
// opening survives want of memory at every allocation, and that opening and closing leaks nothing.
// usage: stress_engine model.plan [rounds]
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "native/engine/session.h"
#include "native/tools/counted_heap.h"
#include "native/tools/float_mode.h"
#include "native/tools/stress_programs.h"
#include "native/tools/stress_steps.h"

namespace hone {
namespace {

/// Runs of each kind; fewer under sanitizers.
int rounds = 1000;

/// A session with buffers of its own.
class Rig {
 public:
  Status open(const std::shared_ptr<Model>& model, int threads, CpuFeatures mask = ~CpuFeatures{0}) {
    SessionOptions options;
    options.threads = threads;
    options.cpu_mask = mask;
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
          const float value = static_cast<float>(bytes[i] - 128) / 64.0f;  // no zero has a sign of the mode
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
  std::string path;
  std::shared_ptr<Model> model;  ///< that was open before
  const Rig* expected;
  bool same = false, shared = false;
};

void* contend(void* argument) {
  auto* self = static_cast<Contender*>(argument);
  std::shared_ptr<Model> model;
  Rig rig;
  if (!Model::open_file(self->path, "", &model).ok() || !rig.open(model, 4).ok()) return nullptr;
  self->shared = model == self->model;
  for (int i = 0; i < rounds / 10; ++i) rig.run();
  self->same = rig.outputs() == self->expected->outputs();
  return nullptr;
}

#if HONE_COUNTS_HEAP
/// Lets the first, second, third... allocation of opening fail, until none is left to fail.
int starve(const std::string& path, int threads) {
  int refused = 0;
  for (int64_t spared = 0;; ++spared) {
    const int64_t before = heap_live_blocks.load();
    {
      std::shared_ptr<Model> model;
      std::unique_ptr<Session> session;
      SessionOptions options;
      options.threads = threads;
      heap_allowance.store(spared);
      Status status = Model::open_file(path, "", &model);
      if (status.ok()) status = Session::open(model, options, &session);
      const bool all_spared = heap_allowance.load() > 0;
      heap_allowance.store(-1);
      if (status.ok() && all_spared) break;
      if (status.ok()) continue;  // the allocation was one that its caller can do without
      // A thread that cannot be started is no want of the heap to the engine.
      if (std::strcmp(status.code(), "E_MEMORY") != 0 && std::strcmp(status.code(), "E_INTERNAL") != 0)
        return fail(status.code(), static_cast<unsigned long long>(spared));
      ++refused;
    }
    if (threads == 1 && heap_live_blocks.load() != before)
      return fail("blocks left behind by an opening that failed", static_cast<unsigned long long>(spared));
  }
  if (refused < 10) return fail("too few failing allocations", static_cast<unsigned long long>(refused));
  std::printf("%d openings without memory, %d thread(s): refused, nothing left behind\n", refused, threads);
  return 0;
}
#endif

/// The bits do not depend on the caller's mode, nor does a run change that.
int run_in_other_modes(const std::shared_ptr<Model>& model, const Rig& expected) {
  for (const FloatMode mode : kOtherModes)
    for (const int threads : {1, 4}) {
      const FloatMode before = float_mode();
      set_float_mode(mode);
      Rig rig;
      const bool opened = rig.open(model, threads).ok();
      if (opened)
        for (int i = 0; i < 5; ++i) rig.run();
      const bool kept = float_mode() == mode;
      set_float_mode(before);
      if (!opened || !kept || rig.outputs() != expected.outputs())
        return fail(kept ? "outputs in another mode of the floating-point unit" : "a run changed the mode",
                    mode);
    }
  std::printf("%zu modes of the floating-point unit: equal outputs\n", std::size(kOtherModes));
  return 0;
}

/// The child of a fork has no workers: it must neither hang nor differ.
int run_in_child(Rig* rig, const Rig& expected) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) return fail("no fork", 0);
  if (child == 0) {
    alarm(60);
    rig->run();
    _exit(rig->outputs() == expected.outputs() ? 0 : 1);
  }
  int state = 0;
  if (waitpid(child, &state, 0) != child || state != 0)
    return fail("a forked child", static_cast<unsigned long long>(state));
  std::printf("a forked child: equal outputs\n");
  return 0;
}

std::vector<uint8_t> read_file(const std::string& path) {
  std::vector<uint8_t> bytes;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  for (int byte = std::fgetc(file); byte != EOF; byte = std::fgetc(file))
    bytes.push_back(static_cast<uint8_t>(byte));
  std::fclose(file);
  return bytes;
}

struct Packer {
  std::shared_ptr<Model> model;
  std::atomic<bool> stop{false};
};

/// Packs the weights of a model again and again.
void* pack_on(void* argument) {
  auto* self = static_cast<Packer*>(argument);
  while (!self->stop.load())
    if (Rig rig; !rig.open(self->model, 1).ok()) return argument;
  return nullptr;
}

/// A fork while another thread packs: the child opens sessions of that model like any other.
int fork_while_packing(const std::string& path, const Rig& expected) {
  Packer packer;
  pthread_t thread{};
  // Not the model that other sessions hold: it would have nothing to pack. One without checksum is not
  // shared.
  const std::vector<uint8_t> bytes = read_file(path);
  if (!Model::open_mutated(bytes.data(), bytes.size(), &packer.model).ok())
    return fail("cannot open a model", 0);
  if (pthread_create(&thread, nullptr, pack_on, &packer) != 0) return fail("no thread", 0);
  int failed = 0;
  for (int i = 0; i < 20 && failed == 0; ++i) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
      alarm(60);
      Rig rig;
      if (!rig.open(packer.model, 1).ok()) _exit(1);
      rig.run();
      _exit(rig.outputs() == expected.outputs() ? 0 : 1);
    }
    int state = 0;
    if (child < 0 || waitpid(child, &state, 0) != child || state != 0) failed = state == 0 ? 1 : state;
  }
  packer.stop.store(true);
  void* fault = nullptr;
  pthread_join(thread, &fault);
  if (failed != 0 || fault != nullptr)
    return fail("a fork while another thread packs", static_cast<unsigned long long>(failed));
  std::printf("20 forks while another thread packs: equal outputs\n");
  return 0;
}

/// The reference rows are so slow that every thread has several tiles to take and to leave to others.
int divide_finely(const std::shared_ptr<Model>& model, const Rig& expected) {
  Rig rig;
  if (!rig.open(model, 4, kCpuRef).ok()) return fail("cannot open a session", 0);
  for (int i = 0; i < 3; ++i) rig.run();
  return rig.outputs() == expected.outputs() ? 0 : fail("several tiles per thread disagree", 0);
}

/// Whoever opens the same bytes, by path or not, gets the same model.
int share(const std::string& path, const std::shared_ptr<Model>& model) {
  const std::vector<uint8_t> bytes = read_file(path);
  std::shared_ptr<Model> same;
  if (!Model::open_bytes(bytes.data(), bytes.size(), "", &same).ok() || same != model)
    return fail("a model opened twice", 0);
  if (Model::open_bytes(bytes.data(), bytes.size() - 1, "", &same).ok())
    return fail("a plan cut short opens", 0);
  return 0;
}

/// Runs at 1 and 4 threads, then 4 sessions in threads of their own, each with 4 workers, over one model.
int run_and_share(const char* path, const std::shared_ptr<Model>& model) {
  const bool stateful = model->plan().variants()[0].state_count > 0;

  Rig rigs[2];
  for (int i = 0; i < 2; ++i) {
    const int threads = i == 0 ? 1 : 4;
    if (!rigs[i].open(model, threads).ok()) return fail("cannot open a session", 0);
    for (int warm = 0; warm < 5; ++warm) rigs[i].run();
    const uint64_t before = heap_allocations.load();
    for (int run = 0; run < rounds; ++run) rigs[i].run();
    const uint64_t made = heap_allocations.load() - before;
    if (made != 0) return fail("allocations while running", made);
    std::printf("%d runs at %d thread(s): %s\n", rounds, threads,
                HONE_COUNTS_HEAP ? "0 allocations" : "no finding");
  }
  if (rigs[0].outputs() != rigs[1].outputs()) return fail("thread counts disagree", 0);
  if (const int code = share(path, model); code != 0) return code;
  const size_t packed = model->packed().live_bytes();

  if (!stateful) {
    if (const int code = divide_finely(model, rigs[0]); code != 0) return code;
    if (const int code = run_in_other_modes(model, rigs[0]); code != 0) return code;
    Contender contenders[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; ++i) {
      contenders[i].path = path;
      contenders[i].model = model;
      contenders[i].expected = &rigs[0];
      if (pthread_create(&threads[i], nullptr, contend, &contenders[i]) != 0) return fail("no thread", 0);
    }
    for (int i = 0; i < 4; ++i) pthread_join(threads[i], nullptr);
    for (const Contender& contender : contenders)
      if (!contender.same) return fail("sessions side by side disagree", 0);
    for (const Contender& contender : contenders)
      if (!contender.shared) return fail("a session has a model of its own", 0);
    if (model->packed().live_bytes() != packed)
      return fail("bytes packed for further sessions", model->packed().live_bytes() - packed);
    std::printf("4 sessions of one model at once: equal outputs, %zu bytes packed once\n", packed);
    if (const int code = run_in_child(&rigs[1], rigs[0]); code != 0) return code;
    // The heap of a sanitizer has locks of its own, which a fork of several threads copies as they are.
    if (HONE_COUNTS_HEAP)
      if (const int code = fork_while_packing(path, rigs[0]); code != 0) return code;
  }
  return 0;
}

/// Workers inherit the mode of the thread that opens the first session.
int start_in_other_modes(const char* path) {
  for (const FloatMode mode : kOtherModes) {
    std::shared_ptr<Model> model;
    Rig other, plain;
    const FloatMode before = float_mode();
    set_float_mode(mode);
    const bool opened = Model::open_file(path, "", &model).ok() && other.open(model, 4).ok();
    set_float_mode(before);
    if (!opened || !plain.open(model, 1).ok()) return fail("cannot open a session", 0);
    // Often: on a busy machine the caller may do the work of workers that come late.
    for (int i = 0; i < rounds / 4; ++i) {
      other.run();
      plain.run();
      if (other.outputs() != plain.outputs())
        return fail("outputs of workers that were born in another mode", mode);
    }
  }
  return 0;
}

int open_and_close(const char* path) {
  if (const char* fault = stress_steps(rounds); fault != nullptr) return fail(fault, 0);
  if (const int code = start_in_other_modes(path); code != 0) return code;
#if HONE_COUNTS_HEAP
  for (const int threads : {1, 4})
    if (const int code = starve(path, threads); code != 0) return code;
#endif

  long after_warm_up = 0;
  for (int i = 0; i < rounds; ++i) {
    std::shared_ptr<Model> again;
    Rig rig;
    if (!Model::open_file(path, "", &again).ok() || !rig.open(again, 1 + i % 4).ok())
      return fail("cannot open again", 0);
    rig.run();
    if (i == rounds / 10) after_warm_up = resident_kb();
  }
  const long grown = resident_kb() - after_warm_up;
  // The heap of a sanitizer keeps freed blocks; it looks for leaks itself.
  if (HONE_COUNTS_HEAP && grown > 4096)
    return fail("resident memory grows by kilobytes", static_cast<unsigned long long>(grown));
  std::printf("%d sessions opened and closed: memory stays\n", rounds);
  return 0;
}

int main_of(const char* path) {
  {
    std::shared_ptr<Model> model;
    if (Status status = Model::open_file(path, "", &model); !status.ok()) {
      std::fprintf(stderr, "stress_engine: %s: %s\n", status.code(), status.reason().c_str());
      return 1;
    }
    if (const int code = run_and_share(path, model); code != 0) return code;
    if (const char* fault = stress_programs(model); fault != nullptr) return fail(fault, 0);
  }
  // From here on nobody holds the model: opening begins at the file.
  return open_and_close(path);
}

}  // namespace
}  // namespace hone

int main(int count, char** words) {
  // Whoever ends it because it hangs wants to know where.
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  if (count == 3) hone::rounds = std::atoi(words[2]);
  if (count >= 2 && count <= 3 && hone::rounds >= 10) return hone::main_of(words[1]);
  std::fputs("usage: stress_engine model.plan [rounds]\n", stderr);
  return 2;
}
