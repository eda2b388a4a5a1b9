#include "native/tools/stress_programs.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "native/engine/cpu_program.h"
#include "native/engine/encoded_weights.h"
#include "native/engine/kernel_step.h"
#include "native/engine/session.h"
#include "native/kernels/every_kernel.h"

namespace hone {
namespace {

/// By tensor.
using Recording = std::map<const PlanTensor*, std::vector<uint8_t>>;

/// Every tensor as the last node that writes it leaves it: behind an earlier one, parts are still what lay
/// there before.
class Recorder final : public NodeObserver {
 public:
  void on_node(uint32_t, const PlanTensor& output, const uint8_t* bytes) override {
    tensors[&output].assign(bytes, bytes + dense_bytes(output));
  }
  Recording tensors;
};

/// What a program gives for inputs that are the same every time: two runs, so that states count.
Recording record(Program* program, const Plan& plan) {
  const PlanVariant& variant = plan.variants()[0];
  std::vector<std::vector<uint8_t>> memory;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  uint8_t byte = 1;
  for (uint32_t i = 0; i < variant.input_count + variant.output_count; ++i) {
    const PlanPort& port = plan.ports()[variant.first_input + i];
    std::vector<uint8_t>& bytes = memory.emplace_back(plan.tensors()[port.tensor].bytes);
    for (uint8_t& one : bytes) one = byte = static_cast<uint8_t>(byte * 13 + 7);
    if (port.type == PlanType::kFloat32)
      for (size_t at = 0; at < bytes.size(); at += 4) {
        const float value = static_cast<float>(bytes[at] - 128) / 64.0f;
        std::memcpy(bytes.data() + at, &value, 4);
      }
    if (i < variant.input_count)
      inputs.push_back(bytes.data());
    else
      outputs.push_back(bytes.data());
  }
  Recorder recorder;
  program->bind(inputs.data(), outputs.data());
  program->run();
  program->run_observed(&recorder);
  for (uint32_t i = 0; i < variant.output_count; ++i) {
    const PlanPort& port = plan.ports()[variant.first_output + i];
    recorder.tensors[&plan.tensors()[port.tensor]] = memory[inputs.size() + i];
  }
  return std::move(recorder.tensors);
}

// --- gaps between rows ---

/// Gaps between the rows of the tensors of a variant: alike in all that share memory while they are in use.
class Spread {
 public:
  explicit Spread(const Plan& plan) : plan_(plan), variant_(plan.variants()[0]) {
    first_ = plan.tensors().data() + variant_.first_tensor;
    groups_.resize(variant_.tensor_count);
    for (uint32_t i = 0; i < variant_.tensor_count; ++i) groups_[i] = i;
    std::vector<uint32_t> written;  ///< in order, the last time of each last
    for (const PlanNode& node : plan.nodes().subspan(variant_.first_node, variant_.node_count)) {
      const auto operands = plan.operands(node);
      for (size_t i = node.output_count; i < operands.size(); ++i) {
        if (operands[i] == kPlanNone) continue;
        const uint32_t x = operands[i] - variant_.first_tensor;
        const uint32_t y = operands[0] - variant_.first_tensor;
        if (overlap(x, y)) join(x, y);
        // Nobody wrote it since: it is that output under another shape.
        const auto last = std::find_if(written.rbegin(), written.rend(),
                                       [&](uint32_t other) { return other == x || overlap(x, other); });
        if (last != written.rend() && *last != x) join(x, *last);
      }
      for (size_t i = 0; i < node.output_count; ++i) written.push_back(operands[i] - variant_.first_tensor);
    }
  }

  /// Whether the plan itself has gaps.
  bool has_gaps() const {
    return std::any_of(first_, first_ + variant_.tensor_count,
                       [](const PlanTensor& tensor) { return row_pitch(tensor) != row_length(tensor); });
  }

  /// Gaps in tensor `index` and in all that must lie like it; false when it is not in the arena, has one row,
  /// or other rows than those.
  bool spread(uint32_t index, Layout* layout) const {
    if (first_[index].place != PlanPlace::kArena || has_one_row(first_[index])) return false;
    for (uint32_t i = 0; i < variant_.tensor_count; ++i)
      if (groups_[i] == groups_[index] && (first_[i].offset != first_[index].offset ||
                                           count_elements(first_[i]) != count_elements(first_[index]) ||
                                           row_length(first_[i]) != row_length(first_[index])))
        return false;
    for (uint32_t i = 0; i < variant_.tensor_count; ++i)
      if (groups_[i] == groups_[index]) layout->tensors[i].pitch += (layout->tensors[i].pitch + 1) / 2;
    return true;
  }

  /// The plan's layout with room for rows twice as long: what did not overlap still does not.
  Layout roomy() const {
    Layout layout = plan_layout(plan_, variant_);
    layout.arena_bytes *= 2;
    for (uint32_t i = 0; i < variant_.tensor_count; ++i)
      if (first_[i].place == PlanPlace::kArena) layout.tensors[i].offset *= 2;
    return layout;
  }

  /// The operations that have an operand with gaps.
  void note_operations(const Layout& layout, std::set<std::string>* words) const {
    for (const PlanNode& node : plan_.nodes().subspan(variant_.first_node, variant_.node_count))
      for (const uint32_t operand : plan_.operands(node)) {
        if (operand == kPlanNone) continue;
        const PlanTensor& tensor = plan_.tensors()[operand];
        if (layout.of(tensor).pitch != row_length(tensor) && !has_one_row(tensor))
          words->insert(describe_op(node.op));
      }
  }

 private:
  static bool has_one_row(const PlanTensor& tensor) { return count_elements(tensor) == row_length(tensor); }
  bool overlap(uint32_t a, uint32_t b) const {
    return first_[a].place == PlanPlace::kArena && first_[b].place == PlanPlace::kArena &&
           first_[a].offset < first_[b].offset + first_[b].bytes &&
           first_[b].offset < first_[a].offset + first_[a].bytes;
  }
  void join(uint32_t a, uint32_t b) {
    const uint32_t from = groups_[a];
    const uint32_t into = groups_[b];
    for (uint32_t& group : groups_)
      if (group == from) group = into;
  }

  const Plan& plan_;
  const PlanVariant& variant_;
  const PlanTensor* first_;
  std::vector<uint32_t> groups_;
};

const char* stress_gaps(const ProgramContext& context, const Recording& expected) {
  const Spread spread(context.plan);
  Layout all = spread.roomy();
  std::vector<bool> joined(all.tensors.size());
  std::set<std::string> words;
  int tried = 0;
  int taken = 0;
  // Parts of a whole have gaps by the plan already, and lie only so.
  const bool has_gaps = spread.has_gaps();
  if (has_gaps) spread.note_operations(plan_layout(context.plan, context.plan.variants()[0]), &words);
  for (uint32_t i = 0; !has_gaps && i < all.tensors.size(); ++i) {
    Layout layout = spread.roomy();
    if (!spread.spread(i, &layout)) continue;
    std::unique_ptr<Program> program;
    ++tried;
    const Status status = CpuProgram::make(context, layout, &program);
    if (!status.ok() && std::strcmp(status.code(), "E_PLAN_FORMAT") != 0) return "gaps between rows";
    if (!status.ok()) continue;
    if (record(program.get(), context.plan) != expected) return "gaps between rows change an output";
    spread.note_operations(layout, &words);
    ++taken;
    for (uint32_t k = 0; k < all.tensors.size(); ++k)
      if (layout.tensors[k].pitch != spread.roomy().tensors[k].pitch) all.tensors[k] = layout.tensors[k];
  }
  std::unique_ptr<Program> program;
  if (has_gaps) all = plan_layout(context.plan, context.plan.variants()[0]);
  if (!CpuProgram::make(context, all, &program).ok()) return "gaps in all tensors";
  if (record(program.get(), context.plan) != expected) return "gaps in all tensors change an output";
  std::printf("gaps between the rows of %d of %d tensors: equal outputs;", taken, tried);
  for (const std::string& word : words) std::printf(" %s", word.c_str());
  std::printf("\n");
  // Operations that take no gaps in any plan are told by the gate of kernels.
  return nullptr;
}

// --- a program with memory of its own ---

/// A kernel over the whole of its output.
class Launch {
 public:
  virtual ~Launch() = default;
  virtual void bind(const Memory& memory) = 0;
  virtual void run() = 0;
};

template <typename Row, typename Args>
class PlainLaunch : public Launch {
 public:
  PlainLaunch(const Call& call, const Row& row) : call_(call), row_(row) {
    if (!fill_args(call, &args_, &items_).empty()) items_ = 0;  // then outputs differ
    if constexpr (requires { args_.multiplier[0]; }) {
      table_ = average_pool_multipliers(call);
      args_.multiplier = table_.data();
    }
  }
  void bind(const Memory& memory) override { bind_args(call_, memory, &args_); }
  void run() override {
    int64_t blocks = 1;
    if constexpr (requires { args_.layout.outputs; })
      blocks = (args_.layout.outputs + row_.block_outputs - 1) / row_.block_outputs;
    if constexpr (!requires { row_.pack; }) row_.run(args_, {0, items_, 0, static_cast<int32_t>(blocks)});
  }

 protected:
  Call call_;
  const Row& row_;
  Args args_{};
  int64_t items_ = 0;

 private:
  std::vector<float> table_;
};

template <typename Row, typename Args, typename Shape, typename Weights>
class PackedLaunch final : public PlainLaunch<Row, Args> {
 public:
  PackedLaunch(const Call& call, const Row& row) : PlainLaunch<Row, Args>(call, row) {
    Weights weights{};
    fill_shape(call, &shape_);
    find_weights(call, &weights);
    if (!packed_.allocate(row.packed_bytes(shape_)) || !scratch_.allocate(row.scratch_bytes(shape_))) return;
    const auto elements = decode_for_packing(call, &weights);
    row.pack(pack_shape(shape_), weights, packed_.data());
    this->args_.packed = packed_.data();
    this->args_.scratch = scratch_.data();
  }
  void run() override {
    const Row& row = this->row_;
    const auto pieces = [](int32_t count, int32_t size) { return (count + size - 1) / size; };
    int32_t blocks = 1;
    if constexpr (requires { row.block_channels; })
      blocks = pieces(shape_.out_channels / shape_.groups, row.block_channels) * shape_.groups;
    if constexpr (requires { row.block_outputs; }) blocks = pieces(shape_.outputs, row.block_outputs);
    row.run(shape_, this->args_, {0, this->items_, 0, blocks});
  }

 private:
  Shape shape_{};
  AlignedBuffer packed_, scratch_;
};

/// By the last row of the table, ref.
std::unique_ptr<Launch> make_launch(const Call& call) {
  const auto plain = [&]<typename Row, typename Args>(const Row& row, void (*)(const Args&, const Tile&)) {
    return std::unique_ptr<Launch>(std::make_unique<PlainLaunch<Row, Args>>(call, row));
  };
  const auto packed = [&]<typename Row, typename Args, typename Shape, typename Weights>(
                          const Row& row, void (*)(const Shape&, const Args&, const Tile&),
                          void (*)(const Shape&, const Weights&, void*)) {
    return std::unique_ptr<Launch>(std::make_unique<PackedLaunch<Row, Args, Shape, Weights>>(call, row));
  };
  const auto any = [&](const auto& row) {
    if constexpr (requires { row.pack; }) {
      return packed(row, row.run, row.pack);
    } else {
      return plain(row, row.run);
    }
  };
  switch (call.node().op) {
#define HONE_PLAN_OP(number, symbol, ...) \
  case PlanOp::k##symbol:                 \
    return any(k##symbol##Rows[k##symbol##RowCount - 1]);
#include "native/engine/plan_ops.def"
  }
  return nullptr;
}

/// As a GPU would: constants, activations and ports in memory of its own, one launch per node, copies at both
/// ends.
class DeviceProgram final : public Program {
 public:
  static Status make(const ProgramContext& context, std::unique_ptr<Program>* program) {
    std::unique_ptr<DeviceProgram> made(new DeviceProgram(context.plan));
    const size_t weight_bytes = context.plan.header().weights.count;
    bool has_room = made->arena_.allocate(made->layout_.arena_bytes) &&
                    made->state_.allocate(made->layout_.state_bytes) && made->weights_.allocate(weight_bytes);
    for (const PlanTensor& tensor : made->tensors()) {
      const bool is_port = tensor.place == PlanPlace::kPort;
      has_room = made->port_memory_.emplace_back().allocate(is_port ? tensor.bytes : 0) && has_room;
      const bool is_coded = tensor.place == PlanPlace::kEncoded;
      AlignedBuffer& elements = made->decoded_memory_.emplace_back();
      has_room = elements.allocate(is_coded ? tensor.bytes : 0) && has_room;
      if (is_coded && has_room) decode_weights(context.plan, tensor, elements.data());
      made->decoded_.push_back(elements.data());
    }
    if (!has_room) return Status("E_MEMORY", "device");
    if (weight_bytes > 0) std::memcpy(made->weights_.data(), context.plan.weights(), weight_bytes);
    for (const AlignedBuffer& port : made->port_memory_) made->ports_.push_back(port.data());
    for (uint32_t i = 0; i < made->variant_.node_count; ++i) {
      made->launches_.push_back(make_launch({{context.plan, made->variant_.first_node + i}, made->layout_}));
      made->launches_.back()->bind(made->addresses());
    }
    made->ticks_.resize(made->launches_.size());
    made->reset_states();
    *program = std::move(made);
    return Status();
  }

  void bind(const void* const* inputs, void* const* outputs) override {
    inputs_ = inputs;
    outputs_ = outputs;
  }
  void run() override { run_observed(nullptr); }
  void run_timed() override {
    run();
    ++timed_runs_;
  }
  void run_observed(NodeObserver* observer) override {
    for (uint32_t i = 0; i < variant_.input_count; ++i) {
      const PlanTensor& tensor = plan_.tensors()[plan_.ports()[variant_.first_input + i].tensor];
      std::memcpy(addresses().at(tensor), inputs_[i], tensor.bytes);
    }
    for (uint32_t i = 0, next = 0; i < launches_.size(); i = next) {
      launches_[i]->run();
      const PlanNode& node = plan_.nodes()[variant_.first_node + i];
      next = i + 1;
      if (node.op == PlanOp::kSkip && *addresses().at(plan_.output(node)) != 0)
        next += static_cast<uint32_t>(plan_.params<PlanSkip>(node).count);
      for (uint32_t k = 0; observer != nullptr && k < node.output_count; ++k) {
        const PlanTensor& output = plan_.output(node, k);
        std::vector<uint8_t> rows(dense_bytes(output));
        copy_rows(output, layout_.of(output).pitch, addresses().at(output), rows.data());
        observer->on_node(variant_.first_node + i, output, rows.data());
      }
    }
    for (uint32_t i = 0; i < variant_.output_count; ++i) {
      const PlanTensor& tensor = plan_.tensors()[plan_.ports()[variant_.first_output + i].tensor];
      std::memcpy(outputs_[i], addresses().at(tensor), tensor.bytes);
    }
    for (const PlanState& state : states())
      std::memcpy(addresses().at(plan_.tensors()[state.input_tensor]),
                  addresses().at(plan_.tensors()[state.output_tensor]),
                  plan_.tensors()[state.input_tensor].bytes);
  }
  void reset_states() override {
    for (const PlanState& state : states())
      for (const uint32_t index : {state.input_tensor, state.output_tensor}) {
        const PlanTensor& tensor = plan_.tensors()[index];
        const bool is_grid = tensor.type == PlanType::kInt8;
        std::memset(addresses().at(tensor), is_grid ? tensor.zero_point : 0, tensor.bytes);
      }
  }
  int64_t read_count(const PlanTensor& tensor) const override {
    int64_t count = 0;
    std::memcpy(&count, addresses().at(tensor), sizeof(count));
    return count;
  }
  NodeKernel kernel(size_t) const override { return {"device", 1}; }
  ProgramMemory memory() const override { return {&kPacked, 0, arena_.size(), state_.size(), 0}; }

 private:
  explicit DeviceProgram(const Plan& plan)
      : plan_(plan), variant_(plan.variants()[0]), layout_(plan_layout(plan, variant_)) {}
  static inline const std::vector<SharedBlock> kPacked;  ///< none: the weights are its own
  Memory addresses() const {
    return {arena_.data(),   state_.data(),  weights_.data(), ports_.data(),
            decoded_.data(), &out_of_range_, &layout_};
  }
  std::span<const PlanTensor> tensors() const {
    return plan_.tensors().subspan(variant_.first_tensor, variant_.tensor_count);
  }
  std::span<const PlanState> states() const {
    return plan_.states().subspan(variant_.first_state, variant_.state_count);
  }

  const Plan& plan_;
  const PlanVariant& variant_;
  const Layout layout_;
  AlignedBuffer arena_, state_, weights_;
  std::vector<AlignedBuffer> port_memory_;  ///< by tensor of the variant
  std::vector<AlignedBuffer> decoded_memory_;
  std::vector<const uint8_t*> decoded_;
  std::vector<uint8_t*> ports_;
  std::vector<std::unique_ptr<Launch>> launches_;
  const void* const* inputs_ = nullptr;
  void* const* outputs_ = nullptr;
  mutable uint32_t out_of_range_ = 0;
};

}  // namespace

const char* stress_programs(const std::shared_ptr<Model>& model) {
  const ProgramContext context = {model->plan(), 0, detect_cpu(), 2, &model->packed()};
  std::unique_ptr<Program> plain, device;
  if (!CpuProgram::make(context, &plain).ok()) return "no program";
  const auto expected = record(plain.get(), model->plan());
  if (!DeviceProgram::make(context, &device).ok()) return "no program of another kind";
  if (record(device.get(), model->plan()) != expected) return "a program with memory of its own differs";
  std::unique_ptr<Session> session;
  if (!Session::open(model, {}, &session, DeviceProgram::make).ok() || session->profile().empty())
    return "a session takes no program of another kind";
  return stress_gaps(context, expected);
}

}  // namespace hone
