#include "native/engine/cpu_program.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "native/engine/encoded_weights.h"
#include "native/engine/memory_limit.h"
#include "native/probe/timer.h"

namespace hone {

Status CpuProgram::make(const ProgramContext& context, std::unique_ptr<Program>* program) {
  return make(context, plan_layout(context.plan, context.plan.variants()[context.variant]), program);
}

Status CpuProgram::make(const ProgramContext& context, Layout layout, std::unique_ptr<Program>* program) {
  std::unique_ptr<CpuProgram> made(new CpuProgram(context, std::move(layout)));
  if (Status status = made->prepare(context); !status.ok()) return status;
  *program = std::move(made);
  return Status();
}

CpuProgram::CpuProgram(const ProgramContext& context, Layout layout)
    : plan_(context.plan), variant_(plan_.variants()[context.variant]), layout_(std::move(layout)) {}

void CpuProgram::count_shared(const PackedBlock* block) {
  const bool is_known = std::any_of(packed_.begin(), packed_.end(),
                                    [&](const SharedBlock& other) { return other.address == block; });
  if (block == nullptr || is_known) return;
  packed_.push_back({block, block->size()});
  if (block->is_mapped()) cached_bytes_ += block->size();
}

Status CpuProgram::decode_operands(const ProgramContext& context, const NodeView& node) {
  for (uint32_t i = 0; i < node.node().input_count; ++i) {
    const PlanTensor* tensor = node.optional(i);
    if (i == kWeightsInput || tensor == nullptr || tensor->place != PlanPlace::kEncoded) continue;
    constexpr PackedLayout kDecoded = {"decoded", 1};
    auto elements = context.packed->find_or_pack(packed_key(kDecoded, tensor->offset), tensor->bytes,
                                                 [&](void* to) { decode_weights(plan_, *tensor, to); });
    if (elements == nullptr) return Status("E_MEMORY", "decoded constants");
    plan_.give_back_pages(*tensor);
    decoded_[static_cast<size_t>(tensor - layout_.first_tensor)] = elements->data();
    count_shared(elements.get());
    decoded_memory_.push_back(std::move(elements));
  }
  return Status();
}

Status CpuProgram::prepare(const ProgramContext& context) {
  // Packed weights take about as much as the plan; known exactly below.
  const uint64_t tensor_bytes = layout_.arena_bytes + layout_.state_bytes;
  if (Status status = check_memory(plan_.size() + tensor_bytes, context.memory_limit); !status.ok())
    return status;
  decoded_.resize(variant_.tensor_count);
  for (uint32_t i = 0; i < variant_.node_count; ++i) {
    std::unique_ptr<Step> step;
    const bool after_divided = !steps_.empty() && steps_.back()->parties() > 1;
    const uint32_t node = variant_.first_node + i;
    const StepContext about = {{{plan_, node}, layout_}, context.mask,       context.threads, after_divided,
                               context.packed,           context.divides_all};
    Status status = decode_operands(context, about);
    if (status.ok()) status = find_rule(plan_.nodes()[node].op).make(about, &step);
    if (!status.ok()) return status;
    runner_.admit(*step);
    count_shared(step->packed());
    steps_.push_back(std::move(step));
  }
  uint64_t shown_bytes = 0;
  for (const PlanTensor& tensor : plan_.tensors().subspan(variant_.first_tensor, variant_.tensor_count))
    if (layout_.of(tensor).pitch != row_length(tensor))
      shown_bytes = std::max(shown_bytes, static_cast<uint64_t>(dense_bytes(tensor)));
  prepare_exchange();
  ticks_.resize(steps_.size());
  ports_.resize(variant_.tensor_count);
  uint64_t needed_bytes = tensor_bytes + shown_bytes + runner_.needed_bytes();
  for (const SharedBlock& block : packed_) needed_bytes += block.bytes;
  if (Status status = check_memory(needed_bytes, context.memory_limit); !status.ok()) return status;
  // The arena begins as zeros: a plan that reads before it writes still gives the same result every first
  // time.
  if (!arena_.allocate(layout_.arena_bytes) || !state_.allocate(layout_.state_bytes) ||
      !shown_.allocate(shown_bytes))
    return Status("E_MEMORY", "tensors between the nodes");
  reset_states();
  return runner_.prepare();
}

void CpuProgram::bind(const void* const* inputs, void* const* outputs) {
  const auto ports = plan_.ports();
  for (uint32_t i = 0; i < variant_.input_count; ++i)
    ports_[ports[variant_.first_input + i].tensor - variant_.first_tensor] =
        static_cast<uint8_t*>(const_cast<void*>(inputs[i]));  // the plan check lets nobody write inputs
  for (uint32_t i = 0; i < variant_.output_count; ++i)
    ports_[ports[variant_.first_output + i].tensor - variant_.first_tensor] =
        static_cast<uint8_t*>(outputs[i]);
  const Memory memory = addresses();
  for (const auto& step : steps_) step->bind(memory);
}

void CpuProgram::begin() {
  out_of_range_ = 0;
  node_out_of_range_ = -1;
}

size_t CpuProgram::next_step(size_t i) {
  if (out_of_range_ != 0 && node_out_of_range_ < 0) node_out_of_range_ = static_cast<int64_t>(i);
  if (is_stopped()) return steps_.size();
  const uint8_t* skip = steps_[i]->skip_flag();
  return i + 1 + (skip != nullptr && *skip != 0 ? steps_[i]->skip_count() : 0);
}

void CpuProgram::run() {
  begin();
  for (size_t i = 0; i < steps_.size(); i = next_step(i)) runner_.run(*steps_[i]);
  keep_states();
}

void CpuProgram::run_timed() {
  begin();
  uint64_t before = read_ticks();
  for (size_t i = 0; i < steps_.size(); i = next_step(i)) {
    runner_.run(*steps_[i]);
    const uint64_t now = read_ticks();
    ticks_[i].add(now - before);
    before = now;
  }
  ++timed_runs_;
  keep_states();
}

void CpuProgram::run_observed(NodeObserver* observer) {
  begin();
  for (size_t i = 0; i < steps_.size(); i = next_step(i)) {
    runner_.run(*steps_[i]);
    const uint32_t node = variant_.first_node + static_cast<uint32_t>(i);
    for (uint32_t k = 0; k < plan_.nodes()[node].output_count; ++k) {
      const PlanTensor& output = plan_.output(plan_.nodes()[node], k);
      observer->on_node(node, output, without_gaps(output));
    }
  }
  keep_states();
}

const uint8_t* CpuProgram::without_gaps(const PlanTensor& tensor) {
  const uint8_t* bytes = addresses().at(tensor);
  const int64_t pitch = layout_.of(tensor).pitch;
  if (pitch == row_length(tensor)) return bytes;
  copy_rows(tensor, pitch, bytes, shown_.data());
  return shown_.data();
}

void copy_rows(const PlanTensor& tensor, int64_t pitch, const uint8_t* bytes, uint8_t* dense) {
  const int64_t row_bytes = row_length(tensor) * element_bytes(tensor.type);
  for (int64_t row = 0; row < count_elements(tensor) / row_length(tensor); ++row)
    std::memcpy(dense + row * row_bytes, bytes + row * pitch * element_bytes(tensor.type),
                static_cast<size_t>(row_bytes));
}

void CpuProgram::prepare_exchange() {
  // Below, binding the steps anew costs more than the copy.
  constexpr uint64_t kWorthwhileBytes = 16 << 10;
  const auto tensors = plan_.tensors().subspan(variant_.first_tensor, variant_.tensor_count);
  const auto states = plan_.states().subspan(variant_.first_state, variant_.state_count);
  uint64_t bytes = 0;
  for (const PlanState& state : states) bytes += plan_.tensors()[state.input_tensor].bytes;
  if (bytes < kWorthwhileBytes) return;
  Layout exchanged = layout_;
  for (const PlanTensor& tensor : tensors) {
    if (tensor.place != PlanPlace::kState) continue;
    // Every tensor there is all of an input or output of a state, in whatever shape.
    const PlanTensor* partner = nullptr;
    for (const PlanState& state : states) {
      const PlanTensor& input = plan_.tensors()[state.input_tensor];
      const PlanTensor& output = plan_.tensors()[state.output_tensor];
      if (tensor.offset == input.offset) partner = &output;
      if (tensor.offset == output.offset) partner = &input;
    }
    if (partner == nullptr || partner->bytes != tensor.bytes ||
        layout_.of(tensor).pitch != row_length(tensor))
      return;
    exchanged.tensors[static_cast<size_t>(&tensor - tensors.data())].offset = layout_.of(*partner).offset;
  }
  for (uint32_t i = 0; i < variant_.node_count; ++i) {
    const auto operands = plan_.operands(plan_.nodes()[variant_.first_node + i]);
    if (std::any_of(operands.begin(), operands.end(), [&](uint32_t index) {
          return index != kPlanNone && plan_.tensors()[index].place == PlanPlace::kState;
        }))
      state_steps_.push_back(steps_[i].get());
  }
  exchanged_ = std::move(exchanged);
}

void CpuProgram::keep_states() {
  if (is_stopped()) return;
  if (!state_steps_.empty()) {
    is_exchanged_ = !is_exchanged_;
    const Memory exchanged = addresses();
    for (Step* step : state_steps_) step->bind(exchanged);
    return;
  }
  const Memory memory = addresses();
  for (uint32_t i = 0; i < variant_.state_count; ++i) {
    const PlanState& state = plan_.states()[variant_.first_state + i];
    const PlanTensor& input = plan_.tensors()[state.input_tensor];
    std::memcpy(memory.at(input), memory.at(plan_.tensors()[state.output_tensor]), input.bytes);
  }
}

int64_t CpuProgram::read_count(const PlanTensor& tensor) const {
  int64_t count = 0;
  std::memcpy(&count, addresses().at(tensor), sizeof(count));
  return count;
}

void CpuProgram::reset_states() {
  const Memory memory = addresses();
  for (uint32_t i = 0; i < variant_.state_count; ++i) {
    const PlanState& state = plan_.states()[variant_.first_state + i];
    for (const uint32_t index : {state.input_tensor, state.output_tensor}) {
      const PlanTensor& tensor = plan_.tensors()[index];
      std::memset(memory.at(tensor), tensor.type == PlanType::kInt8 ? tensor.zero_point : 0, tensor.bytes);
    }
  }
}

}  // namespace hone
