#include <algorithm>
#include <cmath>

#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
#include "native/engine/ops/weights.h"
#include "native/engine/ops/window.h"
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

/// Strides of every convolution; a float one has bounds besides.
template <typename Args>
void fill_conv(const Call& call, Args* args) {
  args->x_stride = call.pitch(call.x(0));
  args->y_stride = call.pitch(call.y());
  if constexpr (requires { args->lo; }) {
    args->lo = call.params<PlanConv>().clamp.lo;
    args->hi = call.params<PlanConv>().clamp.hi;
  }
}

int64_t count_rows(const PlanTensor& image) { return int64_t{image.dims[0]} * image.dims[1]; }
int64_t count_pixels(const PlanTensor& image) { return count_rows(image) * image.dims[2]; }

template <typename Shape>
Shape dense_shape(const NodeView& node) {
  const PlanConv& conv = node.params<PlanConv>();
  return {window_shape(conv.window, node.x(0), node.y()), static_cast<int32_t>(node.x(0).dims[3]),
          static_cast<int32_t>(node.y().dims[3]), conv.groups};
}

template <typename Shape>
Shape depthwise_shape(const NodeView& node) {
  return {window_shape(node.params<PlanConv>().window, node.x(0), node.y()),
          static_cast<int32_t>(node.y().dims[3])};
}

double count_macs(const NodeView& node) {
  return static_cast<double>(count_pixels(node.y())) *
         static_cast<double>(count_elements(node.x(kWeightsInput)));
}

template <typename Row, typename Shape, bool kInteger>
Division divide_dense(const StepContext& context, const Row& row, const Shape& shape, int64_t items) {
  const int32_t group_channels = shape.out_channels / shape.groups;
  const int32_t group_blocks = (group_channels + row.block_channels - 1) / row.block_channels;
  return {items, std::max(row.tile_pixels, 1), group_blocks * shape.groups,
          estimate_mac_ns(count_macs(context), row.needs, kInteger)};
}

template <typename Row, typename Shape, bool kInteger>
Division divide_depthwise(const StepContext& context, const Row& row, const Shape&, int64_t items) {
  // No operand is reused: on integers a quarter of the speed of a dense convolution.
  return {items, 1, 1, (kInteger ? 4 : 1) * estimate_mac_ns(count_macs(context), row.needs, kInteger)};
}

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

Fault fill_args(const Call& call, ConvS8Args* args, int64_t* items) {
  const PlanConv& conv = call.params<PlanConv>();
  const PlanTensor &x = call.x(0), &y = call.y();
  const PlanTensor* residual = call.optional(kResidualInput);
  fill_conv(call, args);
  args->x_zero_point = x.zero_point;
  args->conv_range = output_range(conv.clamp, residual == nullptr ? y.zero_point : conv.conv_zero_point);
  if (residual != nullptr) {
    args->residual_stride = call.pitch(*residual);
    args->add = {conv.conv_scale, residual->scale, y.scale, conv.conv_zero_point, residual->zero_point};
    args->add_range = output_range(conv.add_clamp, y.zero_point);
  }
  *items = count_pixels(y);
  return {};
}
Fault fill_args(const Call& call, DwconvS8Args* args, int64_t* items) {
  fill_conv(call, args);
  args->x_zero_point = call.x(0).zero_point;
  args->range = output_range(call.params<PlanConv>().clamp, call.y().zero_point);
  *items = count_rows(call.y());
  return {};
}
Fault fill_args(const Call& call, ConvF32Args* args, int64_t* items) {
  fill_conv(call, args);
  *items = count_pixels(call.y());
  return {};
}
Fault fill_args(const Call& call, DwconvF32Args* args, int64_t* items) {
  fill_conv(call, args);
  *items = count_rows(call.y());
  return {};
}

void fill_shape(const Call& call, ConvS8Shape* shape) { *shape = dense_shape<ConvS8Shape>(call); }
void fill_shape(const Call& call, DwconvS8Shape* shape) { *shape = depthwise_shape<DwconvS8Shape>(call); }
void fill_shape(const Call& call, ConvF32Shape* shape) { *shape = dense_shape<ConvF32Shape>(call); }
void fill_shape(const Call& call, DwconvF32Shape* shape) { *shape = depthwise_shape<DwconvF32Shape>(call); }
void find_weights(const NodeView& node, ConvS8Weights* weights) { find_integer_weights(node, weights); }
void find_weights(const NodeView& node, DwconvS8Weights* weights) { find_integer_weights(node, weights); }
void find_weights(const NodeView& node, ConvF32Weights* weights) { find_float_weights(node, weights); }
void find_weights(const NodeView& node, DwconvF32Weights* weights) { find_float_weights(node, weights); }

Status make_conv_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_packed<ConvS8Row, ConvS8Args, ConvS8Shape, ConvS8Weights>(
      context, step, kConvS8Rows, kConvS8RowCount, divide_dense<ConvS8Row, ConvS8Shape, true>);
}
Status make_dwconv_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_packed<DwconvS8Row, DwconvS8Args, DwconvS8Shape, DwconvS8Weights>(
      context, step, kDwconvS8Rows, kDwconvS8RowCount, divide_depthwise<DwconvS8Row, DwconvS8Shape, true>);
}
Status make_conv_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_packed<ConvF32Row, ConvF32Args, ConvF32Shape, ConvF32Weights>(
      context, step, kConvF32Rows, kConvF32RowCount, divide_dense<ConvF32Row, ConvF32Shape, false>);
}
Status make_dwconv_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_packed<DwconvF32Row, DwconvF32Args, DwconvF32Shape, DwconvF32Weights>(
      context, step, kDwconvF32Rows, kDwconvF32RowCount,
      divide_depthwise<DwconvF32Row, DwconvF32Shape, false>);
}

}  // namespace hone
