#include "native/engine/session.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "native/core/float_environment.h"
#include "native/engine/refuse_bad_alloc.h"

namespace hone {

Status Session::open(std::shared_ptr<Model> model, const SessionOptions& options,
                     std::unique_ptr<Session>* session, ProgramMaker make) {
  if (options.threads < 1 || options.threads > ThreadPool::kMaxThreads)
    return Status("E_OPTION_VALUE", "threads must be 1 to " + std::to_string(ThreadPool::kMaxThreads));
  if (options.variant >= model->plan().variants().size()) return Status("E_OPTION_VALUE", "no such variant");
  const FloatEnvironment environment;  // preparing computes tables, and workers inherit the mode
  return refuse_bad_alloc([&] {
    std::unique_ptr<Session> made(new Session);
    made->model_ = std::move(model);
    made->options_ = options;
    made->options_.cpu_mask &= detect_cpu();
    Status status = make({made->plan(), options.variant, made->options_.cpu_mask, options.threads,
                          &made->model_->packed(), options.divides_all, options.memory_limit},
                         &made->program_);
    if (!status.ok()) return status;
    made->cache_ = made->model_->save_packed();
    made->bound_inputs_.resize(made->variant().input_count);
    made->bound_outputs_.resize(made->variant().output_count);
    const size_t first = made->variant().first_output;
    for (const PlanCount& count : made->plan().counts()) {
      if (count.port < first || count.port - first >= made->outputs().size()) continue;
      Counted& counted = made->counted_.emplace_back(Counted{count.port - first, &count, {}});
      std::copy_n(made->outputs()[counted.output].dims, kPlanMaxRank, counted.dims);
    }
    *session = std::move(made);
    return status;
  });
}

std::span<const PlanPort> Session::inputs() const {
  return plan().ports().subspan(variant().first_input, variant().input_count);
}

std::span<const PlanPort> Session::outputs() const {
  return plan().ports().subspan(variant().first_output, variant().output_count);
}

void Session::rebind(const void* const* inputs, void* const* outputs) {
  if (std::equal(bound_inputs_.begin(), bound_inputs_.end(), inputs) &&
      std::equal(bound_outputs_.begin(), bound_outputs_.end(), outputs) && !bound_outputs_.empty())
    return;
  std::copy_n(inputs, bound_inputs_.size(), bound_inputs_.begin());
  std::copy_n(outputs, bound_outputs_.size(), bound_outputs_.begin());
  program_->bind(inputs, outputs);
}

void Session::run(const void* const* inputs, void* const* outputs) {
  const FloatEnvironment environment;
  rebind(inputs, outputs);
  if (options_.profile_every == 0 || until_timed_ > 0) {
    if (until_timed_ > 0) --until_timed_;
    program_->run();
  } else {
    until_timed_ = options_.profile_every - 1;
    program_->run_timed();
  }
  cut_outputs();
}

void Session::cut_outputs() {
  for (Counted& counted : counted_) {
    const PlanPort& port = outputs()[counted.output];
    const uint32_t axis = counted.count->axis, most = port.dims[axis];
    const int64_t count = program_->read_count(plan().tensors()[counted.count->tensor]);
    counted.dims[axis] = static_cast<uint32_t>(std::clamp<int64_t>(count, 0, most));
    if (counted.dims[axis] == most) continue;
    int64_t outer = 1, inner = element_bytes(port.type);
    for (uint32_t d = 0; d < axis; ++d) outer *= port.dims[d];
    for (uint32_t d = axis + 1; d < port.rank; ++d) inner *= port.dims[d];
    auto* bytes = static_cast<uint8_t*>(bound_outputs_[counted.output]);
    const auto kept = static_cast<size_t>(counted.dims[axis] * inner);
    for (int64_t i = 1; i < outer; ++i)
      std::memmove(bytes + static_cast<size_t>(i) * kept, bytes + i * most * inner, kept);
  }
}

std::span<const uint32_t> Session::output_dims(size_t index) const {
  for (const Counted& counted : counted_)
    if (counted.output == index) return {counted.dims, outputs()[index].rank};
  return {outputs()[index].dims, outputs()[index].rank};
}

void Session::run_observed(const void* const* inputs, void* const* outputs, NodeObserver* observer) {
  const FloatEnvironment environment;
  rebind(inputs, outputs);
  program_->run_observed(observer);
  cut_outputs();
}

Status Session::fault() const {
  const int64_t index = program_->node_out_of_range();
  if (index < 0) return Status();
  const PlanNode& node = plan().nodes()[variant().first_node + index];
  const char* code = node.op == PlanOp::kRequire ? "E_BRANCH_LEFT_OUT" : "E_INPUT_INDEX";
  return Status(code, std::string(plan().string(node.name)));
}

std::vector<NodeProfile> Session::profile() const {
  const double ns_per_tick = rate_.ns_per_tick();
  std::vector<NodeProfile> list;
  for (size_t i = 0; i < variant().node_count; ++i) {
    const PlanNode& node = plan().nodes()[variant().first_node + i];
    const NodeKernel kernel = program_->kernel(i);
    const NodeTicks& ticks = program_->ticks()[i];
    list.push_back({plan().string(node.name), describe_op(node.op), kernel.name, kernel.threads, ticks.runs(),
                    ticks.mean() * ns_per_tick, ticks.least() * ns_per_tick,
                    ticks.percentile(0.5) * ns_per_tick, ticks.percentile(0.9) * ns_per_tick,
                    ticks.percentile(0.99) * ns_per_tick});
  }
  return list;
}

MemoryFigures Session::memory() const {
  const ProgramMemory program = program_->memory();
  size_t packed = 0;
  for (const SharedBlock& block : *program.packed) packed += block.bytes;
  return {plan().size(),        packed, program.cached_bytes, program.arena_bytes, program.state_bytes,
          program.scratch_bytes};
}

std::vector<SharedBlock> Session::shared_memory() const {
  // One by one: copying a vector asks for a symbol of newer C++ libraries.
  std::vector<SharedBlock> blocks;
  for (const SharedBlock& block : *program_->memory().packed) blocks.push_back(block);
  blocks.push_back({&plan(), plan().size()});
  return blocks;
}

}  // namespace hone
