#include <algorithm>

#include "native/engine/ops/clamp.h"
#include "native/engine/step.h"
#include "native/kernels/dequantize_s8/dequantize_s8.h"
#include "native/kernels/quantize_s8/quantize_s8.h"

namespace hone {
namespace {

/// Either equal dims, or the float side is [N, C, spatial...] and the int8 side [N, spatial..., C].
Fault check_border(const PlanBorder& border, const PlanTensor& real, const PlanTensor& grid) {
  if (border.channels_first != 0 && border.channels_first != 1) return "channels_first is no flag";
  if (border.channels_first == 0) return same_dims(real, grid) ? Fault() : Fault("extents of operands");
  if (real.rank < 2 || real.rank != grid.rank) return "extents of operands";
  const bool same = real.dims[0] == grid.dims[0] && real.dims[1] == grid.dims[grid.rank - 1] &&
                    std::equal(real.dims + 2, real.dims + real.rank, grid.dims + 1);
  return same ? Fault() : Fault("extents of operands");
}

/// A border tensor as [outer][pixels][channels], with the strides of the float and of the int8 side.
struct BorderShape {
  int64_t outer, pixels, channels;
  ptrdiff_t real_outer, real_pixel, real_channel;
  ptrdiff_t grid_outer, grid_pixel, grid_channel;
};

BorderShape border_shape(const PlanBorder& border, const PlanTensor& grid) {
  const int64_t count = count_elements(grid);
  if (border.channels_first != 0) {
    const int64_t outer = grid.dims[0];
    const int64_t channels = grid.dims[grid.rank - 1];
    const int64_t pixels = count / outer / channels;
    return {outer, pixels, channels, pixels * channels, 1, pixels, pixels * channels, channels, 1};
  }
  // Same layout: rows of some hundred elements, so that there is something to divide.
  int64_t channels = 1;
  for (int d = grid.rank - 1; d >= 0 && channels < 256; --d) channels *= grid.dims[d];
  return {1, count / channels, channels, count, channels, 1, count, channels, 1};
}

class QuantizeS8Step final : public Step {
 public:
  Status prepare(const StepContext& context) {
    x_ = &context.x(0);
    y_ = &context.y();
    const BorderShape shape = border_shape(context.params<PlanBorder>(), *y_);
    row_ = &choose_row(kQuantizeS8Rows, kQuantizeS8RowCount, context.mask);
    row_name_ = row_->name;
    args_.pixels = shape.pixels;
    args_.channels = shape.channels;
    args_.x_outer_stride = shape.real_outer;
    args_.x_pixel_stride = shape.real_pixel;
    args_.x_channel_stride = shape.real_channel;
    args_.y_outer_stride = shape.grid_outer;
    args_.y_pixel_stride = shape.grid_pixel;
    args_.y_channel_stride = shape.grid_channel;
    args_.scale = y_->scale;
    args_.range = output_range({-128, 127, 0, 0}, y_->zero_point);
    const auto count = static_cast<double>(count_elements(*y_));
    tiles_ =
        divide({shape.outer * shape.pixels, 16, 1, 4 * estimate_element_ns(count, row_->needs)}, context);
    return Status();
  }
  void bind(const Memory& memory) override {
    args_.y = memory.at<int8_t>(*y_);
    args_.x = memory.at<float>(*x_);
  }
  void run(const Tile& tile, int, const Scratch&) const override { row_->run(args_, tile); }

 private:
  const QuantizeS8Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  QuantizeS8Args args_{};
};

class DequantizeS8Step final : public Step {
 public:
  Status prepare(const StepContext& context) {
    x_ = &context.x(0);
    y_ = &context.y();
    const BorderShape shape = border_shape(context.params<PlanBorder>(), *x_);
    row_ = &choose_row(kDequantizeS8Rows, kDequantizeS8RowCount, context.mask);
    row_name_ = row_->name;
    args_.pixels = shape.pixels;
    args_.channels = shape.channels;
    args_.x_outer_stride = shape.grid_outer;
    args_.x_pixel_stride = shape.grid_pixel;
    args_.x_channel_stride = shape.grid_channel;
    args_.y_outer_stride = shape.real_outer;
    args_.y_pixel_stride = shape.real_pixel;
    args_.y_channel_stride = shape.real_channel;
    args_.scale = x_->scale;
    args_.zero_point = x_->zero_point;
    const auto count = static_cast<double>(count_elements(*x_));
    tiles_ =
        divide({shape.outer * shape.pixels, 16, 1, 4 * estimate_element_ns(count, row_->needs)}, context);
    return Status();
  }
  void bind(const Memory& memory) override {
    args_.y = memory.at<float>(*y_);
    args_.x = memory.at<int8_t>(*x_);
  }
  void run(const Tile& tile, int, const Scratch&) const override { row_->run(args_, tile); }

 private:
  const DequantizeS8Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  DequantizeS8Args args_{};
};

}  // namespace

Fault check_quantize_s8(const NodeView& node) {
  return check_border(node.params<PlanBorder>(), node.x(0), node.y());
}
Fault check_dequantize_s8(const NodeView& node) {
  return check_border(node.params<PlanBorder>(), node.y(), node.x(0));
}

Status make_quantize_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<QuantizeS8Step>(context, step);
}
Status make_dequantize_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<DequantizeS8Step>(context, step);
}

}  // namespace hone
