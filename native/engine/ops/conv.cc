#include <algorithm>
#include <cmath>

#include "native/engine/ops/clamp.h"
#include "native/engine/ops/integer_layer.h"
#include "native/engine/ops/packed_weights.h"
#include "native/engine/ops/window.h"
#include "native/engine/step.h"
#include "native/kernels/conv_f32/conv_f32.h"
#include "native/kernels/conv_s8/conv_s8.h"
#include "native/kernels/dwconv_f32/dwconv_f32.h"
#include "native/kernels/dwconv_s8/dwconv_s8.h"

namespace hone {
namespace {

/// Channels, groups and the shape of the weights.
Fault check_conv_shape(const NodeView& node, bool depthwise) {
  const PlanConv& conv = node.params<PlanConv>();
  const PlanTensor &x = node.x(0), &w = node.x(kWeightsInput), &y = node.y();
  if (Fault fault = check_window(conv.window, x, y); !fault.empty()) return fault;
  if (Fault fault = check_clamp(conv.clamp); !fault.empty()) return fault;
  const int64_t x_channels = x.dims[3];
  const int64_t y_channels = y.dims[3];
  const int64_t groups = conv.groups;
  const uint32_t* kernel = depthwise ? w.dims : w.dims + 1;
  const bool kernel_fits = w.rank == (depthwise ? 3 : 4) &&
                           kernel[0] == static_cast<uint32_t>(conv.window.kernel_h) &&
                           kernel[1] == static_cast<uint32_t>(conv.window.kernel_w);
  if (!kernel_fits) return "extents of the weights";
  if (depthwise)
    return groups == x_channels && groups == y_channels && groups == w.dims[2] ? Fault() : Fault("channels");
  const bool channels_fit = groups >= 1 && x_channels % groups == 0 && y_channels % groups == 0 &&
                            w.dims[0] == y_channels && w.dims[3] == x_channels / groups;
  return channels_fit ? Fault() : Fault("channels");
}

/// The convolution's own grid and the bounds of the sum.
Fault check_residual(const PlanConv& conv, const PlanTensor& residual, const PlanTensor& y) {
  if (!same_dims(residual, y)) return "residual";
  if (!std::isfinite(conv.conv_scale) || conv.conv_scale <= 0)
    return "scale of the convolution before the sum";
  if (conv.conv_zero_point < -128 || conv.conv_zero_point > 127)
    return "zero point of the convolution before the sum";
  return check_clamp(conv.add_clamp);
}

Fault check_conv_f32_any(const NodeView& node, bool depthwise) {
  if (Fault fault = check_conv_shape(node, depthwise); !fault.empty()) return fault;
  return count_elements(node.x(kBiasInput)) == node.y().dims[3] ? Fault() : Fault("bias");
}

class ConvS8Step final : public Step {
 public:
  Status prepare(const StepContext& context) {
    const PlanConv& conv = context.params<PlanConv>();
    x_ = &context.x(0);
    y_ = &context.y();
    residual_ = context.optional(kResidualInput);
    shape_ = {window_shape(conv.window, *x_, *y_), static_cast<int32_t>(x_->dims[3]),
              static_cast<int32_t>(y_->dims[3]), conv.groups};
    const auto weights = integer_weights<ConvS8Weights>(context);
    row_ = &choose_row(kConvS8Rows, kConvS8RowCount, context.mask,
                       [&](const ConvS8Row& row) { return row.fits(shape_, weights); });
    row_name_ = row_->name;
    packed_ = packed_weights(context, *row_, shape_, weights);
    if (packed_ == nullptr) return Status("E_MEMORY", "packed weights");
    scratch_bytes_ = row_->scratch_bytes(shape_);

    args_.packed = packed_->data();
    args_.x_stride = shape_.in_channels;
    args_.y_stride = shape_.out_channels;
    args_.residual_stride = shape_.out_channels;
    args_.x_zero_point = x_->zero_point;
    args_.conv_range = output_range(conv.clamp, residual_ == nullptr ? y_->zero_point : conv.conv_zero_point);
    if (residual_ != nullptr) {
      args_.add = {conv.conv_scale, residual_->scale, y_->scale, conv.conv_zero_point, residual_->zero_point};
      args_.add_range = output_range(conv.add_clamp, y_->zero_point);
    }
    const int32_t group_channels = shape_.out_channels / shape_.groups;
    const int32_t group_blocks = (group_channels + row_->block_channels - 1) / row_->block_channels;
    const int64_t pixels = int64_t{shape_.window.batch} * shape_.window.out_h * shape_.window.out_w;
    const double macs = static_cast<double>(pixels) * static_cast<double>(context.x(kWeightsInput).bytes);
    tiles_ = divide({pixels, std::max(row_->tile_pixels, 1), group_blocks * shape_.groups,
                     estimate_mac_ns(macs, row_->needs, true)},
                    context);
    return Status();
  }

  void bind(const Memory& memory) override {
    args_.y = memory.at<int8_t>(*y_);
    args_.x = memory.at<int8_t>(*x_);
    args_.residual = residual_ == nullptr ? nullptr : memory.at<int8_t>(*residual_);
  }

  void run(const Tile& tile, int, const Scratch& scratch) const override {
    ConvS8Args args = args_;
    args.scratch = scratch.own;
    row_->run(shape_, args, tile);
  }

 private:
  const ConvS8Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr, *residual_ = nullptr;
  ConvS8Shape shape_{};
  ConvS8Args args_{};
};

class DwconvS8Step final : public Step {
 public:
  Status prepare(const StepContext& context) {
    const PlanConv& conv = context.params<PlanConv>();
    x_ = &context.x(0);
    y_ = &context.y();
    shape_ = {window_shape(conv.window, *x_, *y_), static_cast<int32_t>(x_->dims[3])};
    const auto weights = integer_weights<DwconvS8Weights>(context);
    row_ = &choose_row(kDwconvS8Rows, kDwconvS8RowCount, context.mask,
                       [&](const DwconvS8Row& row) { return row.fits(shape_, weights); });
    row_name_ = row_->name;
    packed_ = packed_weights(context, *row_, shape_, weights);
    if (packed_ == nullptr) return Status("E_MEMORY", "packed weights");
    scratch_bytes_ = row_->scratch_bytes(shape_);

    args_.packed = packed_->data();
    args_.x_stride = shape_.channels;
    args_.y_stride = shape_.channels;
    args_.x_zero_point = x_->zero_point;
    args_.range = output_range(conv.clamp, y_->zero_point);
    const int64_t rows = int64_t{shape_.window.batch} * shape_.window.out_h;
    const double macs =
        static_cast<double>(rows) * shape_.window.out_w * static_cast<double>(context.x(kWeightsInput).bytes);
    // No operand is reused: a quarter of the speed of a dense convolution.
    tiles_ = divide({rows, 1, 1, 4 * estimate_mac_ns(macs, row_->needs, true)}, context);
    return Status();
  }

  void bind(const Memory& memory) override {
    args_.y = memory.at<int8_t>(*y_);
    args_.x = memory.at<int8_t>(*x_);
  }

  void run(const Tile& tile, int, const Scratch& scratch) const override {
    DwconvS8Args args = args_;
    args.scratch = scratch.own;
    row_->run(shape_, args, tile);
  }

 private:
  const DwconvS8Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  DwconvS8Shape shape_{};
  DwconvS8Args args_{};
};

ConvF32Shape shape_of(const StepContext& context, const ConvF32Row*) {
  const PlanConv& conv = context.params<PlanConv>();
  return {window_shape(conv.window, context.x(0), context.y()), static_cast<int32_t>(context.x(0).dims[3]),
          static_cast<int32_t>(context.y().dims[3]), conv.groups};
}

DwconvF32Shape shape_of(const StepContext& context, const DwconvF32Row*) {
  return {window_shape(context.params<PlanConv>().window, context.x(0), context.y()),
          static_cast<int32_t>(context.y().dims[3])};
}

Division division_of(const ConvF32Shape& shape, const ConvF32Row& row) {
  const int32_t group_blocks =
      (shape.out_channels / shape.groups + row.block_channels - 1) / row.block_channels;
  return {int64_t{shape.window.batch} * shape.window.out_h * shape.window.out_w, std::max(row.tile_pixels, 1),
          group_blocks * shape.groups};
}

Division division_of(const DwconvF32Shape& shape, const DwconvF32Row&) {
  return {int64_t{shape.window.batch} * shape.window.out_h};
}

/// Dense and depthwise convolution differ only in their shapes and rows.
template <typename Row, typename Shape, typename Weights, typename Args>
class FloatConvStep final : public Step {
 public:
  Status prepare(const StepContext& context, const Row* rows, int row_count) {
    const PlanConv& conv = context.params<PlanConv>();
    x_ = &context.x(0);
    y_ = &context.y();
    row_ = &choose_row(rows, row_count, context.mask);
    row_name_ = row_->name;
    shape_ = shape_of(context, row_);
    const Weights weights = {context.plan.constant<float>(context.x(kWeightsInput)),
                             context.plan.constant<float>(context.x(kBiasInput))};
    packed_ = packed_weights(context, *row_, shape_, weights);
    if (packed_ == nullptr) return Status("E_MEMORY", "packed weights");
    scratch_bytes_ = row_->scratch_bytes(shape_);
    args_.packed = packed_->data();
    args_.x_stride = static_cast<ptrdiff_t>(x_->dims[3]);
    args_.y_stride = static_cast<ptrdiff_t>(y_->dims[3]);
    args_.lo = conv.clamp.lo;
    args_.hi = conv.clamp.hi;
    Division division = division_of(shape_, *row_);
    const double pixels = static_cast<double>(y_->dims[0]) * y_->dims[1] * y_->dims[2];
    division.work_ns = estimate_mac_ns(pixels * static_cast<double>(count_elements(context.x(kWeightsInput))),
                                       row_->needs, false);
    tiles_ = divide(division, context);
    return Status();
  }

  void bind(const Memory& memory) override {
    args_.y = memory.at<float>(*y_);
    args_.x = memory.at<float>(*x_);
  }

  void run(const Tile& tile, int, const Scratch& scratch) const override {
    Args args = args_;
    args.scratch = scratch.own;
    row_->run(shape_, args, tile);
  }

 private:
  const Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  Shape shape_{};
  Args args_{};
};

using ConvF32Step = FloatConvStep<ConvF32Row, ConvF32Shape, ConvF32Weights, ConvF32Args>;
using DwconvF32Step = FloatConvStep<DwconvF32Row, DwconvF32Shape, DwconvF32Weights, DwconvF32Args>;

}  // namespace

Fault check_conv_s8(const NodeView& node) {
  if (Fault fault = check_conv_shape(node, false); !fault.empty()) return fault;
  if (const PlanTensor* residual = node.optional(kResidualInput))
    if (Fault fault = check_residual(node.params<PlanConv>(), *residual, node.y()); !fault.empty())
      return fault;
  const int64_t outputs = node.y().dims[3];
  const int64_t count = count_elements(node.x(kWeightsInput)) / outputs;
  return check_accumulators(node, {outputs, count, 1, count});
}
Fault check_dwconv_s8(const NodeView& node) {
  if (Fault fault = check_conv_shape(node, true); !fault.empty()) return fault;
  // Weights are [KH, KW, C]: the channel runs fastest.
  const int64_t outputs = node.y().dims[3];
  return check_accumulators(node, {outputs, 1, outputs, count_elements(node.x(kWeightsInput)) / outputs});
}
Fault check_conv_f32(const NodeView& node) { return check_conv_f32_any(node, false); }
Fault check_dwconv_f32(const NodeView& node) { return check_conv_f32_any(node, true); }

Status make_conv_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<ConvS8Step>(context, step);
}
Status make_dwconv_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<DwconvS8Step>(context, step);
}
Status make_conv_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<ConvF32Step>(context, step, kConvF32Rows, kConvF32RowCount);
}
Status make_dwconv_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<DwconvF32Step>(context, step, kDwconvF32Rows, kDwconvF32RowCount);
}

}  // namespace hone
