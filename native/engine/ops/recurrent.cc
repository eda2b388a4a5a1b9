#include "native/engine/kernel_step.h"
#include "native/engine/ops/weights.h"
#include "native/kernels/recurrent_f32/recurrent_f32.h"

namespace hone {
namespace {

constexpr uint32_t kCellInput = 2, kInitialHInput = 3, kInitialCInput = 4;
constexpr int32_t kBothDirections = 2;
constexpr int32_t kMostHidden = 1 << 16;

int64_t find_steps(const NodeView& node) {
  const PlanTensor& x = node.x(0);
  return count_elements(x) / row_length(x) / node.params<PlanRecurrent>().batch;
}

const PlanTensor* optional_output(const NodeView& node, uint32_t index) {
  return index < node.node().output_count ? &node.y(index) : nullptr;
}

bool is_flag(int32_t value) { return value == 0 || value == 1; }

Fault check_functions(const PlanRecurrent& params) {
  for (int32_t i = 0; i < kRecurrentDirections * kRecurrentFunctions; ++i) {
    if (params.operations[i] < 0 || params.operations[i] >= kUnaryOperationCount) return "operation";
    if (!(params.lows[i] <= params.highs[i])) return "bounds of a function";
  }
  return params.clip > 0 ? Fault() : Fault("clip");
}

Division divide_sequences(const StepContext& context, const RecurrentF32Row& row,
                          const RecurrentF32Shape& shape, int64_t items) {
  const auto hidden = static_cast<double>(shape.hidden);
  const double moments = static_cast<double>(items * find_steps(context));
  const double macs = moments * recurrent_gates(shape.cell) * hidden * hidden;
  return {items, 1, 1,
          estimate_mac_ns(macs, row.needs, false) + estimate_element_ns(moments * hidden * 20, row.needs)};
}

}  // namespace

Fault check_recurrent_f32(const NodeView& node) {
  const PlanRecurrent& params = node.params<PlanRecurrent>();
  if (params.cell < 0 || params.cell > static_cast<int32_t>(RecurrentCell::kLstm)) return "cell";
  if (params.direction < 0 || params.direction > kBothDirections) return "direction";
  if (!is_flag(params.batch_first) || !is_flag(params.linear_before_reset) || !is_flag(params.input_forget))
    return "a flag is neither 0 nor 1";
  if (Fault fault = check_functions(params); !fault.empty()) return fault;
  const auto cell = static_cast<RecurrentCell>(params.cell);
  const PlanTensor &x = node.x(0), &w = node.x(kWeightsInput);
  const int64_t directions = params.direction == kBothDirections ? 2 : 1;
  if (w.rank != 3 || w.dims[0] != directions || w.dims[2] > kMostHidden ||
      w.dims[1] != w.dims[2] * recurrent_gates(cell))
    return "weights";
  const int64_t hidden = w.dims[2], columns = directions * w.dims[1];
  if (row_length(x) != columns || params.batch < 1) return "extents of operands";
  const int64_t sequences = count_elements(x) / columns;  // times steps
  if (sequences % params.batch != 0) return "batch";
  if (row_length(node.y()) != hidden || count_elements(node.y()) != sequences * directions * hidden)
    return "extents of operands";
  const int64_t states = directions * params.batch * hidden;
  for (const PlanTensor* state : {optional_output(node, 1), optional_output(node, 2),
                                  node.optional(kInitialHInput), node.optional(kInitialCInput)})
    if (state != nullptr && count_elements(*state) != states) return "extents of a state";
  const bool is_lstm = cell == RecurrentCell::kLstm;
  if (!is_lstm && (node.optional(kInitialCInput) != nullptr || optional_output(node, 2) != nullptr))
    return "this cell has one state";
  const PlanTensor* constants = node.optional(kCellInput);
  if (constants == nullptr) return {};
  if (!is_lstm && (cell != RecurrentCell::kGru || params.linear_before_reset == 0))
    return "this cell has no constants of its own";
  if (count_elements(*constants) != directions * (is_lstm ? 3 : 1) * hidden) return "constants of the cell";
  return {};
}

Fault fill_args(const Call& call, RecurrentF32Args* args, int64_t* items) {
  const PlanRecurrent& params = call.params<PlanRecurrent>();
  const PlanTensor& w = call.x(kWeightsInput);
  for (const PlanTensor* state : {optional_output(call, 1), optional_output(call, 2),
                                  call.optional(kInitialHInput), call.optional(kInitialCInput)})
    if (state != nullptr && !call.is_dense(*state)) return "rows of a state lie apart";
  const int64_t directions = w.dims[0], hidden = w.dims[2], batch = params.batch;
  ptrdiff_t x = 0, y = 0;
  if (Fault fault = call.find_stride(call.x(0), directions * w.dims[1], &x); !fault.empty()) return fault;
  if (Fault fault = call.find_stride(call.y(), hidden, &y); !fault.empty()) return fault;
  args->steps = find_steps(call);
  args->batch = batch;
  if (params.batch_first != 0) {
    args->x_step = x;
    args->x_row = args->steps * x;
    args->y_direction = y;
    args->y_step = directions * y;
    args->y_row = args->steps * args->y_step;
    args->state_direction = hidden;
    args->state_row = directions * hidden;
  } else {
    args->x_row = x;
    args->x_step = batch * x;
    args->y_row = y;
    args->y_direction = batch * y;
    args->y_step = directions * args->y_direction;
    args->state_row = hidden;
    args->state_direction = batch * hidden;
  }
  args->reverse[0] = params.direction == 1;
  args->reverse[1] = true;
  args->linear_before_reset = params.linear_before_reset != 0;
  args->input_forget = params.input_forget != 0;
  for (int32_t i = 0; i < kRecurrentDirections * kRecurrentFunctions; ++i)
    args->functions[i / kRecurrentFunctions][i % kRecurrentFunctions] = {
        static_cast<UnaryOperation>(params.operations[i]), params.alphas[i], params.betas[i], params.lows[i],
        params.highs[i]};
  args->clip = params.clip;
  *items = directions * batch;
  return {};
}

void bind_args(const Call& call, const Memory& memory, RecurrentF32Args* args) {
  const auto at = [&](const PlanTensor* tensor) {
    return tensor == nullptr ? nullptr : reinterpret_cast<float*>(memory.at(*tensor));
  };
  args->y = at(&call.y());
  args->y_h = at(optional_output(call, 1));
  args->y_c = at(optional_output(call, 2));
  args->x = at(&call.x(0));
  const bool is_lstm = call.params<PlanRecurrent>().cell == static_cast<int32_t>(RecurrentCell::kLstm);
  (is_lstm ? args->peepholes : args->state_bias) = at(call.optional(kCellInput));
  args->initial_h = at(call.optional(kInitialHInput));
  args->initial_c = at(call.optional(kInitialCInput));
}

void fill_shape(const Call& call, RecurrentF32Shape* shape) {
  const PlanTensor& w = call.x(kWeightsInput);
  *shape = {static_cast<int32_t>(w.dims[0]), static_cast<int32_t>(w.dims[2]),
            static_cast<RecurrentCell>(call.params<PlanRecurrent>().cell)};
}
void find_weights(const NodeView& node, RecurrentF32Weights* weights) {
  weights->weights = address_of_weights<float>(node);
}

Status make_recurrent_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_packed<RecurrentF32Row, RecurrentF32Args, RecurrentF32Shape, RecurrentF32Weights>(
      context, step, kRecurrentF32Rows, kRecurrentF32RowCount, divide_sequences);
}

}  // namespace hone
