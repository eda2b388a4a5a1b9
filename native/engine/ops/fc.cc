#include <algorithm>

#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
#include "native/engine/ops/weights.h"
#include "native/kernels/fc_f32/fc_f32.h"
#include "native/kernels/fc_s8/fc_s8.h"

namespace hone {
namespace {

/// x [M, K] with any leading dims, weights [N, K], y [M, N].
Fault check_product(const NodeView& node) {
  const PlanTensor &x = node.x(0), &w = node.x(kWeightsInput);
  if (w.rank != 2) return "weights";
  const int64_t outputs = w.dims[0];
  const int64_t inputs = w.dims[1];
  const int64_t rows = count_elements(x) / inputs;
  if (rows * inputs != count_elements(x) || rows * outputs != count_elements(node.y()))
    return "extents of operands";
  if (std::max({rows, inputs, outputs}) >= kPlanMaxWindowReach) return "a matrix is too large";
  return check_clamp(node.params<PlanClamp>());
}

/// x [rows, inputs], w [outputs, inputs], y [rows, outputs]; leading dims of x and y are flattened.
template <typename Shape>
Shape product_shape(const NodeView& node) {
  const PlanTensor& w = node.x(kWeightsInput);
  const auto inputs = static_cast<int32_t>(w.dims[1]);
  return {static_cast<int32_t>(count_elements(node.x(0)) / inputs), inputs, static_cast<int32_t>(w.dims[0])};
}

template <typename Args>
Fault fill_product(const Call& call, Args* args, int64_t* items) {
  const PlanTensor& w = call.x(kWeightsInput);
  *items = count_elements(call.y()) / w.dims[0];
  if (Fault fault = call.find_stride(call.x(0), w.dims[1], &args->x_stride); !fault.empty()) return fault;
  return call.find_stride(call.y(), w.dims[0], &args->y_stride);
}

template <typename Row, typename Shape, bool kInteger>
Division divide_product(const StepContext& context, const Row& row, const Shape& shape, int64_t items) {
  const double macs = static_cast<double>(items) * shape.inputs * shape.outputs;
  // With few rows the weights come from memory once each: about 20 bytes per nanosecond.
  const double bytes = static_cast<double>(context.x(kWeightsInput).bytes);
  const double work_ns = std::max(estimate_mac_ns(macs, row.needs, kInteger), bytes / 20);
  return {items, 1, (shape.outputs + row.block_outputs - 1) / row.block_outputs, work_ns};
}

}  // namespace

Fault check_fc_s8(const NodeView& node) {
  if (Fault fault = check_product(node); !fault.empty()) return fault;
  const PlanTensor& w = node.x(kWeightsInput);
  return check_accumulators(node, {w.dims[0], w.dims[1], 1, w.dims[1]});
}
Fault check_fc_f32(const NodeView& node) {
  if (Fault fault = check_product(node); !fault.empty()) return fault;
  return count_elements(node.x(kBiasInput)) == node.x(kWeightsInput).dims[0] ? Fault() : Fault("bias");
}

Fault fill_args(const Call& call, FcS8Args* args, int64_t* items) {
  args->range = output_range(call.params<PlanClamp>(), call.y().zero_point);
  return fill_product(call, args, items);
}
Fault fill_args(const Call& call, FcF32Args* args, int64_t* items) {
  args->lo = call.params<PlanClamp>().lo;
  args->hi = call.params<PlanClamp>().hi;
  return fill_product(call, args, items);
}

void fill_shape(const Call& call, FcS8Shape* shape) { *shape = product_shape<FcS8Shape>(call); }
void fill_shape(const Call& call, FcF32Shape* shape) { *shape = product_shape<FcF32Shape>(call); }
void find_weights(const NodeView& node, FcS8Weights* weights) { find_integer_weights(node, weights); }
void find_weights(const NodeView& node, FcF32Weights* weights) { find_float_weights(node, weights); }

Status make_fc_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_packed<FcS8Row, FcS8Args, FcS8Shape, FcS8Weights>(context, step, kFcS8Rows, kFcS8RowCount,
                                                                divide_product<FcS8Row, FcS8Shape, true>);
}
Status make_fc_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_packed<FcF32Row, FcF32Args, FcF32Shape, FcF32Weights>(
      context, step, kFcF32Rows, kFcF32RowCount, divide_product<FcF32Row, FcF32Shape, false>);
}

}  // namespace hone
