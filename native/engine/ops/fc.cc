#include <algorithm>

#include "native/engine/ops/clamp.h"
#include "native/engine/ops/integer_layer.h"
#include "native/engine/ops/packed_weights.h"
#include "native/engine/step.h"
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
Shape shape_of(const StepContext& context) {
  const PlanTensor& w = context.x(kWeightsInput);
  const auto inputs = static_cast<int32_t>(w.dims[1]);
  return {static_cast<int32_t>(count_elements(context.x(0)) / inputs), inputs,
          static_cast<int32_t>(w.dims[0])};
}

template <typename Row, typename Shape>
Tiling tiles_of(const StepContext& context, const Row& row, const Shape& shape, bool integer) {
  const double macs = static_cast<double>(shape.rows) * shape.inputs * shape.outputs;
  // With few rows the weights come from memory once each: about 20 bytes per nanosecond.
  const double bytes = static_cast<double>(context.x(kWeightsInput).bytes);
  const double work_ns = std::max(estimate_mac_ns(macs, row.needs, integer), bytes / 20);
  const int32_t blocks = (shape.outputs + row.block_outputs - 1) / row.block_outputs;
  return divide({shape.rows, 1, blocks, work_ns}, context);
}

class FcS8Step final : public Step {
 public:
  Status prepare(const StepContext& context) {
    x_ = &context.x(0);
    y_ = &context.y();
    shape_ = shape_of<FcS8Shape>(context);
    const auto weights = integer_weights<FcS8Weights>(context);
    row_ = &choose_row(kFcS8Rows, kFcS8RowCount, context.mask,
                       [&](const FcS8Row& row) { return row.fits(shape_, weights); });
    row_name_ = row_->name;
    packed_ = packed_weights(context, *row_, shape_, weights);
    if (packed_ == nullptr) return Status("E_MEMORY", "packed weights");
    scratch_bytes_ = row_->scratch_bytes(shape_);
    args_.packed = packed_->data();
    args_.x_stride = shape_.inputs;
    args_.y_stride = shape_.outputs;
    args_.range = output_range(context.params<PlanClamp>(), y_->zero_point);
    tiles_ = tiles_of(context, *row_, shape_, true);
    return Status();
  }

  void bind(const Memory& memory) override {
    args_.y = memory.at<int8_t>(*y_);
    args_.x = memory.at<int8_t>(*x_);
  }

  void run(const Tile& tile, int, const Scratch& scratch) const override {
    FcS8Args args = args_;
    args.scratch = scratch.own;
    row_->run(shape_, args, tile);
  }

 private:
  const FcS8Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  FcS8Shape shape_{};
  FcS8Args args_{};
};

class FcF32Step final : public Step {
 public:
  Status prepare(const StepContext& context) {
    x_ = &context.x(0);
    y_ = &context.y();
    shape_ = shape_of<FcF32Shape>(context);
    row_ = &choose_row(kFcF32Rows, kFcF32RowCount, context.mask);
    row_name_ = row_->name;
    const FcF32Weights weights = {context.plan.constant<float>(context.x(kWeightsInput)),
                                  context.plan.constant<float>(context.x(kBiasInput))};
    packed_ = packed_weights(context, *row_, shape_, weights);
    if (packed_ == nullptr) return Status("E_MEMORY", "packed weights");
    scratch_bytes_ = row_->scratch_bytes(shape_);
    args_.packed = packed_->data();
    args_.x_stride = shape_.inputs;
    args_.y_stride = shape_.outputs;
    args_.lo = context.params<PlanClamp>().lo;
    args_.hi = context.params<PlanClamp>().hi;
    tiles_ = tiles_of(context, *row_, shape_, false);
    return Status();
  }

  void bind(const Memory& memory) override {
    args_.y = memory.at<float>(*y_);
    args_.x = memory.at<float>(*x_);
  }

  void run(const Tile& tile, int, const Scratch& scratch) const override {
    FcF32Args args = args_;
    args.scratch = scratch.own;
    row_->run(shape_, args, tile);
  }

 private:
  const FcF32Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  FcF32Shape shape_{};
  FcF32Args args_{};
};

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

Status make_fc_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<FcS8Step>(context, step);
}
Status make_fc_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<FcF32Step>(context, step);
}

}  // namespace hone
