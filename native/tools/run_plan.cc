// run_plan: runs a plan without Node, for emulators, perf and callgrind. See usage().
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "native/core/cpu.h"
#include "native/engine/session.h"
#include "native/probe/timer.h"
#include "native/tools/plan_inputs.h"

namespace hone {
namespace {

int usage() {
  std::fputs(
      "usage: run_plan model.plan [options]\n"
      "  --input name=file.raw  elements of one input, little-endian (default: seeded random)\n"
      "  --seed N               seed of random inputs (default 1)\n"
      "  --runs N               inferences (default 1); states carry over\n"
      "  --threads N            default 1\n"
      "  --cpu words            instruction sets, as in HONE_CPU\n"
      "  --cache dir            folder of packed weights (default none)\n"
      "  --variant N            shape variant (default 0)\n"
      "  --dump dir             writes every output and every node's output of one run as .raw files\n"
      "  --profile              time of every node\n"
      "  --json                 one JSON object instead of text\n",
      stderr);
  return 2;
}

int fail(const Status& status) {
  std::fprintf(stderr, "run_plan: %s: %s\n", status.code(), status.reason().c_str());
  return 1;
}

struct Arguments {
  std::string plan, dump, cpu, cache;
  std::map<std::string, std::string> inputs;
  uint64_t seed = 1;
  uint64_t runs = 1;
  int threads = 1;
  uint32_t variant = 0;
  bool profile = false, json = false;
};

bool parse(int count, char** words, Arguments* arguments) {
  if (const char* cpu = std::getenv("HONE_CPU")) arguments->cpu = cpu;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--profile" || word == "--json") {
      (word == "--json" ? arguments->json : arguments->profile) = true;
    } else if (word.starts_with("--")) {
      if (++i == count) return false;
      const std::string value = words[i];
      const size_t equals = value.find('=');
      if (word == "--input" && equals != std::string::npos)
        arguments->inputs[value.substr(0, equals)] = value.substr(equals + 1);
      else if (word == "--seed")
        arguments->seed = std::strtoull(value.c_str(), nullptr, 10);
      else if (word == "--runs")
        arguments->runs = std::strtoull(value.c_str(), nullptr, 10);
      else if (word == "--threads")
        arguments->threads = std::atoi(value.c_str());
      else if (word == "--variant")
        arguments->variant = static_cast<uint32_t>(std::atoi(value.c_str()));
      else if (word == "--cpu")
        arguments->cpu = value;
      else if (word == "--cache")
        arguments->cache = value;
      else if (word == "--dump")
        arguments->dump = value;
      else
        return false;
    } else if (arguments->plan.empty()) {
      arguments->plan = word;
    } else {
      return false;
    }
  }
  return !arguments->plan.empty();
}

bool write_raw(const std::string& folder, const std::string& name, const uint8_t* bytes, size_t size) {
  std::string safe = name;
  for (char& letter : safe)
    if (!std::isalnum(static_cast<unsigned char>(letter)) && letter != '.' && letter != '-') letter = '_';
  std::FILE* file = std::fopen((folder + "/" + safe + ".raw").c_str(), "wb");
  if (file == nullptr) return false;
  const bool whole = std::fwrite(bytes, 1, size, file) == size;
  return std::fclose(file) == 0 && whole;
}

/// FNV-1a over the bytes of all outputs: one word that tells two machines apart.
uint64_t hash_bytes(uint64_t hash, const std::vector<uint8_t>& bytes) {
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001B3u;
  return hash;
}

class DumpWriter final : public NodeObserver {
 public:
  DumpWriter(const Plan& plan, std::string folder) : plan_(plan), folder_(std::move(folder)) {}
  void on_node(uint32_t node, const PlanTensor& output, const uint8_t* bytes) override {
    char number[16];
    std::snprintf(number, sizeof(number), "%03u-", count_++);
    const std::string name = number + std::string(describe_op(plan_.nodes()[node].op)) + "-" +
                             std::string(plan_.string(output.name).substr(0, 80));
    ok_ = write_raw(folder_, name, bytes, dense_bytes(output)) && ok_;
  }
  bool ok() const { return ok_; }

 private:
  const Plan& plan_;
  const std::string folder_;
  unsigned count_ = 0;
  bool ok_ = true;
};

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    const bool plain = static_cast<unsigned char>(letter) >= 0x20 && letter != '"' && letter != '\\';
    char escaped[8];
    std::snprintf(escaped, sizeof(escaped), "\\u%04x", static_cast<unsigned char>(letter));
    quoted += plain ? std::string(1, letter) : escaped;
  }
  return quoted + "\"";
}

void print_text(const Session& session, uint64_t hash, double run_ns, bool profile) {
  const MemoryFigures memory = session.memory();
  std::printf("outputs %016llx\n", static_cast<unsigned long long>(hash));
  std::printf("per run %.0f ns, %s, %d thread(s)\n", run_ns, describe_cpu(session.options().cpu_mask).c_str(),
              session.options().threads);
  std::printf("bytes: plan %zu, packed %zu, arena %zu, state %zu, scratch %zu\n", memory.plan_bytes,
              memory.packed_bytes, memory.arena_bytes, memory.state_bytes, memory.scratch_bytes);
  if (!profile) return;
  for (const NodeProfile& node : session.profile())
    std::printf("%12.0f ns  least %12.0f ns  %d thread(s)  %-28.*s %.*s\n", node.mean_ns, node.least_ns,
                node.threads, static_cast<int>(node.kernel.size()), node.kernel.data(),
                static_cast<int>(node.name.size()), node.name.data());
}

void print_json(const Session& session, uint64_t hash, double run_ns, bool profile) {
  const MemoryFigures memory = session.memory();
  std::printf("{\"outputs\":\"%016llx\",\"runNs\":%.0f,\"cpu\":\"%s\",\"threads\":%d,",
              static_cast<unsigned long long>(hash), run_ns, describe_cpu(session.options().cpu_mask).c_str(),
              session.options().threads);
  std::printf(
      "\"memory\":{\"planBytes\":%zu,\"packedBytes\":%zu,\"arenaBytes\":%zu,\"stateBytes\":%zu,"
      "\"scratchBytes\":%zu},\"nodes\":[",
      memory.plan_bytes, memory.packed_bytes, memory.arena_bytes, memory.state_bytes, memory.scratch_bytes);
  const std::vector<NodeProfile> nodes = session.profile();
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::printf("%s{\"name\":%s,\"op\":%s,\"kernel\":%s,\"threads\":%d", i == 0 ? "" : ",",
                quote(nodes[i].name).c_str(), quote(nodes[i].op).c_str(), quote(nodes[i].kernel).c_str(),
                nodes[i].threads);
    if (profile) std::printf(",\"meanNs\":%.0f,\"leastNs\":%.0f", nodes[i].mean_ns, nodes[i].least_ns);
    std::printf("}");
  }
  std::printf("]}\n");
}

int main_of(int count, char** words) {
  Arguments arguments;
  if (!parse(count, words, &arguments)) return usage();
  SessionOptions options;
  options.threads = arguments.threads;
  options.variant = arguments.variant;
  options.profile_every = arguments.profile ? 1 : 0;
  Status status = parse_cpu_mask(arguments.cpu, detect_cpu(), &options.cpu_mask);
  if (!status.ok()) return fail(status);
  std::shared_ptr<Model> model;
  std::unique_ptr<Session> session;
  if (status = Model::open_file(arguments.plan, arguments.cache, &model); !status.ok()) return fail(status);
  if (status = Session::open(model, options, &session); !status.ok()) return fail(status);

  const Plan& plan = session->plan();
  std::vector<std::vector<uint8_t>> inputs, outputs;
  std::vector<const void*> input_pointers;
  std::vector<void*> output_pointers;
  uint64_t state = arguments.seed;
  size_t used = 0;
  for (const PlanPort& port : session->inputs()) {
    std::vector<uint8_t>& bytes = inputs.emplace_back(plan.tensors()[port.tensor].bytes);
    const auto given = arguments.inputs.find(std::string(plan.string(port.name)));
    fill_random(port.type, &state, &bytes);
    if (given == arguments.inputs.end()) continue;
    ++used;
    if (!read_raw(given->second, &bytes)) {
      const std::string size = std::to_string(bytes.size());
      return fail(Status("E_INPUT_LENGTH", given->second + " is not a readable file of " + size + " bytes"));
    }
  }
  if (used != arguments.inputs.size())
    return fail(Status("E_INPUT_NAME", "--input names no input of the model"));
  for (const PlanPort& port : session->outputs()) outputs.emplace_back(plan.tensors()[port.tensor].bytes);
  input_pointers.reserve(inputs.size());
  output_pointers.reserve(outputs.size());
  for (auto& bytes : inputs) input_pointers.push_back(bytes.data());
  for (auto& bytes : outputs) output_pointers.push_back(bytes.data());

  const uint64_t start = read_monotonic_ns();
  for (uint64_t i = 0; i < arguments.runs; ++i) session->run(input_pointers.data(), output_pointers.data());
  const double run_ns = static_cast<double>(read_monotonic_ns() - start) /
                        static_cast<double>(arguments.runs == 0 ? 1 : arguments.runs);
  uint64_t hash = 0xCBF29CE484222325u;
  for (const auto& bytes : outputs) hash = hash_bytes(hash, bytes);
  (arguments.json ? print_json : print_text)(*session, hash, run_ns, arguments.profile);
  if (arguments.dump.empty()) return 0;

  session->reset();
  DumpWriter writer(plan, arguments.dump);
  session->run_observed(input_pointers.data(), output_pointers.data(), &writer);
  bool written = writer.ok();
  for (size_t i = 0; i < outputs.size(); ++i)
    written = write_raw(arguments.dump, "output-" + std::string(plan.string(session->outputs()[i].name)),
                        outputs[i].data(), outputs[i].size()) &&
              written;
  return written ? 0 : fail(Status("E_FILE_WRITE", "cannot write into " + arguments.dump));
}

}  // namespace
}  // namespace hone

int main(int count, char** words) { return hone::main_of(count, words); }
