#include "native/engine/executor.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "native/probe/timer.h"

namespace hone {
namespace {

/// Whether this machine can have so much memory at all. Asked first, because systems promise more than they
/// have and end the process when it is touched.
Status check_memory(uint64_t bytes) {
  const auto pages = ::sysconf(_SC_PHYS_PAGES);
  const auto page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return Status();
  const uint64_t all = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
  if (bytes <= all) return Status();
  return Status("E_MEMORY",
                std::to_string(bytes) + " bytes for tensors, this machine has " + std::to_string(all));
}

}  // namespace

Status Executor::prepare(const Plan& plan, uint32_t variant, CpuFeatures mask, int threads,
                         PackedStore* packed) {
  plan_ = &plan;
  variant_ = &plan.variants()[variant];
  for (uint32_t i = 0; i < variant_->node_count; ++i) {
    std::unique_ptr<Step> step;
    const bool after_divided = !steps_.empty() && steps_.back()->parties() > 1;
    const uint32_t node = variant_->first_node + i;
    const StepContext context = {{plan, node}, mask, threads, after_divided, packed};
    Status status = find_rule(plan.nodes()[node].op).make(context, &step);
    if (!status.ok()) return status;
    runner_.admit(*step);
    const bool shares = std::any_of(steps_.begin(), steps_.end(),
                                    [&](const auto& other) { return other->packed() == step->packed(); });
    if (step->packed() != nullptr && !shares) packed_bytes_ += step->packed()->size();
    steps_.push_back(std::move(step));
  }
  ticks_.resize(steps_.size());
  ports_.resize(variant_->tensor_count);
  if (Status status = check_memory(variant_->arena_bytes + plan.state_bytes() + runner_.needed_bytes());
      !status.ok())
    return status;
  // The arena begins as zeros: a plan that reads before it writes still gives the same result every first
  // time.
  if (!arena_.allocate(variant_->arena_bytes) || !state_.allocate(plan.state_bytes()))
    return Status("E_MEMORY", "tensors between the nodes");
  reset_states();
  return runner_.prepare();
}

void Executor::bind(const void* const* inputs, void* const* outputs) {
  const auto ports = plan_->ports();
  for (uint32_t i = 0; i < variant_->input_count; ++i)
    ports_[ports[variant_->first_input + i].tensor - variant_->first_tensor] =
        static_cast<uint8_t*>(const_cast<void*>(inputs[i]));  // the plan check lets nobody write inputs
  for (uint32_t i = 0; i < variant_->output_count; ++i)
    ports_[ports[variant_->first_output + i].tensor - variant_->first_tensor] =
        static_cast<uint8_t*>(outputs[i]);
  const Memory memory = {arena_.data(), state_.data(), plan_->weights(), ports_.data(),
                         plan_->tensors().data() + variant_->first_tensor};
  for (const auto& step : steps_) step->bind(memory);
}

void Executor::run() {
  for (const auto& step : steps_) runner_.run(*step);
  keep_states();
}

void Executor::run_timed() {
  uint64_t before = read_ticks();
  for (size_t i = 0; i < steps_.size(); ++i) {
    runner_.run(*steps_[i]);
    const uint64_t now = read_ticks();
    ticks_[i].total += now - before;
    ticks_[i].least = std::min(ticks_[i].least, now - before);
    before = now;
  }
  ++timed_runs_;
  keep_states();
}

void Executor::run_observed(NodeObserver* observer) {
  const Memory memory = {arena_.data(), state_.data(), plan_->weights(), ports_.data(),
                         plan_->tensors().data() + variant_->first_tensor};
  for (size_t i = 0; i < steps_.size(); ++i) {
    runner_.run(*steps_[i]);
    const uint32_t node = variant_->first_node + static_cast<uint32_t>(i);
    for (uint32_t k = 0; k < plan_->nodes()[node].output_count; ++k) {
      const PlanTensor& output = plan_->output(plan_->nodes()[node], k);
      observer->on_node(node, output, memory.at(output));
    }
  }
  keep_states();
}

void Executor::keep_states() {
  for (uint32_t i = 0; i < variant_->state_count; ++i) {
    const PlanState& state = plan_->states()[variant_->first_state + i];
    const PlanTensor& input = plan_->tensors()[state.input_tensor];
    const PlanTensor& output = plan_->tensors()[state.output_tensor];
    std::memcpy(state_.data() + input.offset, state_.data() + output.offset, input.bytes);
  }
}

void Executor::reset_states() {
  for (uint32_t i = 0; i < variant_->state_count; ++i) {
    const PlanState& state = plan_->states()[variant_->first_state + i];
    for (const uint32_t index : {state.input_tensor, state.output_tensor}) {
      const PlanTensor& tensor = plan_->tensors()[index];
      const int zero = tensor.type == PlanType::kInt8 ? tensor.zero_point : 0;
      std::memset(state_.data() + tensor.offset, zero, tensor.bytes);
    }
  }
}

}  // namespace hone
