#include <algorithm>

#include "native/engine/encoded_weights.h"
#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
#include "native/engine/ops/weights.h"
#include "native/kernels/fc_coded_f32/fc_coded_f32.h"
#include "native/kernels/fc_coded_s8/fc_coded_s8.h"
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
  Shape shape{};
  shape.inputs = static_cast<int32_t>(w.dims[1]);
  shape.outputs = static_cast<int32_t>(w.dims[0]);
  shape.rows = static_cast<int32_t>(count_elements(node.x(0)) / shape.inputs);
  return shape;
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

/// More rows of x do not wait for weights.
constexpr int32_t kMostCodedRows = 8;
/// Constants of a plan that are fewer stay in caches from run to run: then codes are slower
/// (docs/kernels.md). Bytes cost less to make than floats.
constexpr uint64_t kLeastBytes = 1 << 20, kLeastBytesForFloats = 8 << 20;

/// Whether a layer multiplies by codes as they are, which a row other than ref must take. Others are decoded
/// when they are packed.
template <typename Row, typename Shape>
bool reads_codes(const StepContext& context, const Row* rows, int row_count) {
  const PlanTensor& w = context.x(kWeightsInput);
  if (w.place != PlanPlace::kEncoded || context.plan.encoded()[w.offset].row != w.dims[1]) return false;
  if (context.plan.decoded_bytes() < (w.type == PlanType::kFloat32 ? kLeastBytesForFloats : kLeastBytes))
    return false;
  Shape shape{};
  fill_shape(context, &shape);
  if (shape.rows > kMostCodedRows) return false;
  const Row& row = choose_row(rows, row_count, context.mask, [&](const Row& each) {
    if constexpr (requires { each.fits; }) return each.fits(shape);
    return true;
  });
  return &row != rows + row_count - 1;
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
Fault fill_args(const Call& call, FcCodedS8Args* args, int64_t* items) {
  args->range = output_range(call.params<PlanClamp>(), call.y().zero_point);
  return fill_product(call, args, items);
}
Fault fill_args(const Call& call, FcF32Args* args, int64_t* items) {
  args->lo = call.params<PlanClamp>().lo;
  args->hi = call.params<PlanClamp>().hi;
  return fill_product(call, args, items);
}
Fault fill_args(const Call& call, FcCodedF32Args* args, int64_t* items) {
  args->lo = call.params<PlanClamp>().lo;
  args->hi = call.params<PlanClamp>().hi;
  return fill_product(call, args, items);
}

void fill_shape(const Call& call, FcS8Shape* shape) { *shape = product_shape<FcS8Shape>(call); }
void fill_shape(const Call& call, FcF32Shape* shape) { *shape = product_shape<FcF32Shape>(call); }
void fill_shape(const Call& call, FcCodedF32Shape* shape) {
  const PlanWeights& weights = call.plan.encoded()[call.x(kWeightsInput).offset];
  *shape = product_shape<FcCodedF32Shape>(call);
  shape->bits = weights.bits;
  shape->group = static_cast<int32_t>(weights.group);
}
void fill_shape(const Call& call, FcCodedS8Shape* shape) { *shape = product_shape<FcCodedS8Shape>(call); }
void find_weights(const NodeView& node, FcCodedS8Weights* weights) {
  *weights = {find_codes(node.plan, node.x(kWeightsInput)), node.plan.constant<int32_t>(node.x(kBiasInput)),
              node.plan.constant<float>(node.x(kMultiplierInput)), node.x(0).zero_point};
}
void find_weights(const NodeView& node, FcCodedF32Weights* weights) {
  *weights = {find_codes(node.plan, node.x(kWeightsInput)), node.plan.constant<float>(node.x(kBiasInput))};
}
void find_weights(const NodeView& node, FcS8Weights* weights) { find_integer_weights(node, weights); }
void find_weights(const NodeView& node, FcF32Weights* weights) { find_float_weights(node, weights); }

Status make_fc_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  if (find_zero_points(context) == nullptr &&
      reads_codes<FcCodedS8Row, FcCodedS8Shape>(context, kFcCodedS8Rows, kFcCodedS8RowCount))
    return make_packed<FcCodedS8Row, FcCodedS8Args, FcCodedS8Shape, FcCodedS8Weights>(
        context, step, kFcCodedS8Rows, kFcCodedS8RowCount,
        divide_product<FcCodedS8Row, FcCodedS8Shape, true>);
  return make_packed<FcS8Row, FcS8Args, FcS8Shape, FcS8Weights>(context, step, kFcS8Rows, kFcS8RowCount,
                                                                divide_product<FcS8Row, FcS8Shape, true>);
}
Status make_fc_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  if (reads_codes<FcCodedF32Row, FcCodedF32Shape>(context, kFcCodedF32Rows, kFcCodedF32RowCount))
    return make_packed<FcCodedF32Row, FcCodedF32Args, FcCodedF32Shape, FcCodedF32Weights>(
        context, step, kFcCodedF32Rows, kFcCodedF32RowCount,
        divide_product<FcCodedF32Row, FcCodedF32Shape, false>);
  return make_packed<FcF32Row, FcF32Args, FcF32Shape, FcF32Weights>(
      context, step, kFcF32Rows, kFcF32RowCount, divide_product<FcF32Row, FcF32Shape, false>);
}

}  // namespace hone
