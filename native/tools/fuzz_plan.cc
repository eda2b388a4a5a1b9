// fuzz_plan: libFuzzer target of the plan loader. The checksum is skipped, so that mutations reach the checks
// behind it; a plan that passes them and is small enough runs once, on every row that this CPU has, and on
// ref: same bytes.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "native/engine/session.h"

namespace hone {
namespace {

constexpr uint64_t kMostBytes = 1 << 20;
constexpr double kMostWork = 2e7;

/// Multiply-adds and element visits of a variant, roughly.
double estimate_work(const Plan& plan, const PlanVariant& variant) {
  double work = 0;
  for (uint32_t i = 0; i < variant.node_count; ++i) {
    const PlanNode& node = plan.nodes()[variant.first_node + i];
    double taps = 1;
    if (const PlanTensor* weights = plan.input(node, 1); weights != nullptr)
      taps += static_cast<double>(weights->bytes) /
              static_cast<double>(weights->rank == 0 ? 1 : weights->dims[0]);
    if (node.params_bytes == sizeof(PlanPool)) {
      const PlanWindow& window = plan.params<PlanPool>(node).window;
      taps = static_cast<double>(window.kernel_h) * window.kernel_w;
    }
    if (node.params_bytes == sizeof(PlanConv)) {
      const PlanWindow& window = plan.params<PlanConv>(node).window;
      taps *= static_cast<double>(window.kernel_h) * window.kernel_w;
    }
    work += taps * static_cast<double>(plan.output(node).bytes);
  }
  return work;
}

std::vector<std::vector<uint8_t>> run_once(const std::shared_ptr<Model>& model, uint32_t variant,
                                           CpuFeatures mask, int threads) {
  SessionOptions options;
  options.variant = variant;
  options.cpu_mask = mask;
  options.threads = threads;
  std::unique_ptr<Session> session;
  if (!Session::open(model, options, &session).ok()) return {};
  std::vector<std::vector<uint8_t>> inputs, outputs;
  std::vector<const void*> input_pointers;
  std::vector<void*> output_pointers;
  for (const PlanPort& port : session->inputs())
    input_pointers.push_back(inputs.emplace_back(session->plan().tensors()[port.tensor].bytes, 0x3F).data());
  for (const PlanPort& port : session->outputs())
    output_pointers.push_back(outputs.emplace_back(session->plan().tensors()[port.tensor].bytes).data());
  session->run(input_pointers.data(), output_pointers.data());
  return outputs;
}

/// Same bytes; a NaN equals any other NaN.
bool equal_outputs(const Plan& plan, const PlanVariant& variant, const std::vector<std::vector<uint8_t>>& a,
                   const std::vector<std::vector<uint8_t>>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    const bool real = plan.ports()[variant.first_output + i].type == PlanType::kFloat32;
    for (size_t k = 0; k < a[i].size(); k += real ? 4 : 1) {
      float x = 0, y = 0;
      if (real) std::memcpy(&x, &a[i][k], 4);
      if (real) std::memcpy(&y, &b[i][k], 4);
      const bool same =
          std::memcmp(&a[i][k], &b[i][k], real ? 4 : 1) == 0 || (real && std::isnan(x) && std::isnan(y));
      if (!same) return false;
    }
  }
  return true;
}

void fuzz(const uint8_t* bytes, size_t size) {
  std::shared_ptr<Model> model;
  if (!Model::open_mutated(bytes, size, &model).ok()) return;
  const Plan& plan = model->plan();
  if (plan.state_bytes() > kMostBytes) return;
  for (uint32_t i = 0; i < plan.variants().size() && i < 4; ++i) {
    const PlanVariant& variant = plan.variants()[i];
    uint64_t port_bytes = 0;
    for (uint32_t p = 0; p < variant.input_count + variant.output_count; ++p)
      port_bytes += plan.tensors()[plan.ports()[variant.first_input + p].tensor].bytes;
    if (variant.arena_bytes > kMostBytes || port_bytes > kMostBytes) continue;
    if (estimate_work(plan, variant) > kMostWork) continue;
    const auto fast = run_once(model, i, detect_cpu(), 2);
    const auto slow = run_once(model, i, kCpuRef, 1);
    if (!fast.empty() && !slow.empty() && !equal_outputs(plan, variant, fast, slow)) std::abort();
  }
}

}  // namespace
}  // namespace hone

extern "C" size_t LLVMFuzzerMutate(uint8_t* bytes, size_t size, size_t most);

/// Three times in four changes a few bytes of the records, where the checks are; else whatever libFuzzer
/// likes. The size in the header stays right, or nothing behind it would be reached.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* bytes, size_t size, size_t most, unsigned seed) {
  hone::PlanHeader head;
  if (size < sizeof(head) || seed % 4 == 0) {
    size = LLVMFuzzerMutate(bytes, size, most);
  } else {
    std::memcpy(&head, bytes, sizeof(head));
    const uint64_t front = std::clamp<uint64_t>(head.weights.offset, sizeof(head), size);
    const uint64_t cells = (front - sizeof(head)) / 4;
    // Often one of the header's sections, else a field of a record.
    const uint64_t at =
        seed % 16 == 1 || cells == 0 ? 64 + seed / 16 % 160 : sizeof(head) + seed / 16 % cells * 4;
    const uint64_t length = std::min<uint64_t>(4u << seed / 4 % 3, size - at);
    LLVMFuzzerMutate(bytes + at, length, length);
  }
  if (size >= sizeof(head) && seed % 64 != 2) {
    const uint64_t announced = size;
    std::memcpy(bytes + offsetof(hone::PlanHeader, file_bytes), &announced, sizeof(announced));
  }
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  hone::fuzz(bytes, size);
  return 0;
}
