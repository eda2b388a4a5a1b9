// compare_runs: runs every variant of plans on every instruction set of this machine, on 1 to 3 threads and
// in every rounding mode, and compares every tensor of two runs (states carry over) with those of the first
// way, that of the reference rows. Prints one line for each plan, `name hash tensors`, which is the same on
// every machine. See usage().
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "native/core/cpu.h"
#include "native/engine/session.h"
#include "native/tools/float_mode.h"
#include "native/tools/plan_inputs.h"

namespace hone {
namespace {

int usage() {
  std::fputs(
      "usage: compare_runs [--quick] [--no-ref] model.plan...\n"
      "  The inputs of model.plan are the bytes of model.inputs, one after the other; seeded random without "
      "it.\n"
      "  --quick   on 1 and 3 threads in the mode of the process, for emulators\n"
      "  --no-ref  not on the reference rows alone, for slow machines whose lines are compared with "
      "others'\n",
      stderr);
  return 2;
}

/// Hash of each tensor that the nodes of a plan make, in order of execution, and of the outputs behind them.
class Hashes final : public NodeObserver {
 public:
  void on_node(uint32_t node, const PlanTensor& output, const uint8_t* bytes) override {
    add(node, output.type, bytes, dense_bytes(output));
  }
  void add(uint32_t node, PlanType type, const uint8_t* bytes, size_t size) {
    const bool is_float = type == PlanType::kFloat32;
    uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a over words, and what is left
    size_t i = 0;
    for (; i + 4 <= size; i += 4) {
      uint32_t word;
      std::memcpy(&word, bytes + i, 4);
      // Which NaN an operation makes is up to the CPU: all count as one.
      if (is_float && (word & 0x7FFFFFFFu) > 0x7F800000u) word = 0x7FC00000u;
      hash = (hash ^ word) * 0x100000001B3u;
    }
    for (; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001B3u;
    nodes.push_back(node);
    values.push_back(hash);
  }
  std::vector<uint32_t> nodes;
  std::vector<uint64_t> values;
};

/// How a plan is run.
struct Way {
  CpuFeatures cpu;
  int threads;
  /// Of kOtherModes; negative: as the process has it.
  int mode;
};

/// Inputs of a session: those of the file beside its plan where it has exactly as many bytes, else random.
std::vector<std::vector<uint8_t>> inputs_of(const std::string& path, const Session& session) {
  std::vector<std::vector<uint8_t>> inputs;
  size_t total = 0;
  for (const PlanPort& port : session.inputs()) total += session.plan().tensors()[port.tensor].bytes;
  std::vector<uint8_t> given(total);
  const bool has_inputs = read_raw(path.substr(0, path.rfind('.')) + ".inputs", &given);
  uint64_t state = 3;
  size_t at = 0;
  for (const PlanPort& port : session.inputs()) {
    std::vector<uint8_t>& bytes = inputs.emplace_back(session.plan().tensors()[port.tensor].bytes);
    if (has_inputs)
      std::memcpy(bytes.data(), given.data() + at, bytes.size());
    else
      fill_random(port.type, &state, &bytes);
    at += bytes.size();
  }
  return inputs;
}

/// Two runs of each variant of a plan in one way. What a session packs is packed in that way too.
Status run_way(const std::string& path, const Way& way, Hashes* hashes) {
  std::shared_ptr<Model> model;
  if (Status status = Model::open_file(path, "", &model); !status.ok()) return status;
  SessionOptions options;
  options.threads = way.threads;
  options.cpu_mask = way.cpu;
  // Small nodes too: only runs on one thread have nodes whole.
  options.divides_all = true;
  for (options.variant = 0; options.variant < model->plan().variants().size(); ++options.variant) {
    std::unique_ptr<Session> session;
    if (Status status = Session::open(model, options, &session); !status.ok()) return status;
    std::vector<std::vector<uint8_t>> inputs = inputs_of(path, *session), outputs;
    for (const PlanPort& port : session->outputs())
      outputs.emplace_back(session->plan().tensors()[port.tensor].bytes);
    std::vector<const void*> input_pointers;
    std::vector<void*> output_pointers;
    input_pointers.reserve(inputs.size());
    output_pointers.reserve(outputs.size());
    for (auto& bytes : inputs) input_pointers.push_back(bytes.data());
    for (auto& bytes : outputs) output_pointers.push_back(bytes.data());
    for (int run = 0; run < 2; ++run) {
      session->run_observed(input_pointers.data(), output_pointers.data(), hashes);
      for (size_t i = 0; i < outputs.size(); ++i)
        hashes->add(UINT32_MAX, session->outputs()[i].type, outputs[i].data(), outputs[i].size());
    }
  }
  return Status();
}

Status run_in_mode(const std::string& path, const Way& way, Hashes* hashes) {
  if (way.mode < 0) return run_way(path, way, hashes);
  const FloatMode before = float_mode();
  set_float_mode(kOtherModes[way.mode]);
  Status status = run_way(path, way, hashes);
  const bool kept = float_mode() == kOtherModes[way.mode];
  set_float_mode(before);
  return status.ok() && !kept ? Status("E_INTERNAL", "a run changed the rounding mode") : status;
}

/// Name of a node of the plan, for messages.
std::string name_of(const std::string& path, uint32_t node) {
  std::shared_ptr<Model> model;
  if (node == UINT32_MAX) return "an output";
  if (!Model::open_file(path, "", &model).ok()) return "?";
  const PlanNode& found = model->plan().nodes()[node];
  return std::string(describe_op(found.op)) + " '" + std::string(model->plan().string(found.name)) + "'";
}

/// The tensors of one plan in all ways; false where some differ.
bool compare(const std::string& path, const std::vector<Way>& ways) {
  Hashes expected;
  if (Status status = run_in_mode(path, ways[0], &expected); !status.ok()) {
    std::printf("FAIL %s: %s %s\n", path.c_str(), status.code(), status.reason().c_str());
    return false;
  }
  bool equal = true;
  for (size_t i = 1; i < ways.size(); ++i) {
    const Way& way = ways[i];
    Hashes found;
    Status status = run_in_mode(path, way, &found);
    if (status.ok() && found.values == expected.values) continue;
    equal = false;
    size_t first = 0;
    while (first < found.values.size() && first < expected.values.size() &&
           found.values[first] == expected.values[first])
      ++first;
    const std::string what = !status.ok() ? std::string(status.code()) + " " + status.reason()
                             : first < expected.nodes.size() ? name_of(path, expected.nodes[first])
                                                             : "more tensors";
    std::printf("FAIL %s: %s, %d thread(s), mode %d: %s\n", path.c_str(), describe_cpu(way.cpu).c_str(),
                way.threads, way.mode, what.c_str());
  }
  uint64_t hash = 0xCBF29CE484222325u;
  for (const uint64_t value : expected.values)
    for (int shift = 0; shift < 64; shift += 8) hash = (hash ^ ((value >> shift) & 0xFF)) * 0x100000001B3u;
  const size_t slash = path.rfind('/');
  std::printf("%s %016llx %zu\n", path.substr(slash == std::string::npos ? 0 : slash + 1).c_str(),
              static_cast<unsigned long long>(hash), expected.values.size());
  return equal;
}

/// Instruction sets of this machine: none, unless that is left out, then each word of the best set.
std::vector<CpuFeatures> masks_of_host(bool with_ref) {
  std::vector<CpuFeatures> masks;
  if (with_ref) masks.push_back(kCpuRef);
  const CpuFeatures all = detect_cpu();
  const std::string words = describe_cpu(all) + ",";
  for (size_t start = 0, end = 0; (end = words.find(',', start)) != std::string::npos; start = end + 1) {
    CpuFeatures mask{};
    const std::string word = words.substr(start, end - start);
    if (word != "ref" && parse_cpu_mask(word, all, &mask).ok()) masks.push_back(mask);
  }
  return masks;
}

int main_of(int count, char** words) {
  std::vector<std::string> paths;
  bool quick = false, with_ref = true;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(words[i], "--quick") == 0)
      quick = true;
    else if (std::strcmp(words[i], "--no-ref") == 0)
      with_ref = false;
    else
      paths.push_back(words[i]);
  }
  if (paths.empty()) return usage();
  std::vector<Way> ways;
  const std::vector<CpuFeatures> masks = masks_of_host(with_ref);
  if (masks.empty()) {
    std::fputs("compare_runs: this machine has reference rows alone\n", stderr);
    return 2;
  }
  for (const CpuFeatures mask : masks) {
    for (int threads = 1; threads <= 3; threads += quick ? 2 : 1) ways.push_back({mask, threads, -1});
    for (size_t mode = 0; !quick && mode < std::size(kOtherModes); ++mode)
      ways.push_back({mask, 1 + static_cast<int>(mode % 3), static_cast<int>(mode)});
  }
  size_t differing = 0;
  for (const std::string& path : paths) differing += compare(path, ways) ? 0 : 1;
  std::fprintf(stderr, "%zu plans in %zu ways on %s: %zu differ\n", paths.size(), ways.size(),
               describe_cpu(masks.back()).c_str(), differing);
  return differing == 0 ? 0 : 1;
}

}  // namespace
}  // namespace hone

int main(int count, char** words) { return hone::main_of(count, words); }
