#include <algorithm>

#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
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

/// One side of the border as [outer][pixels][channels], strides in elements.
struct BorderSide {
  ptrdiff_t outer_stride, pixel_stride, channel_stride;
};

/// Both sides of the border.
struct BorderShape {
  int64_t outer, pixels, channels;
  BorderSide real, grid;
};

Fault fill_border(const Call& call, const PlanTensor& real, const PlanTensor& grid, BorderShape* shape) {
  const int64_t count = count_elements(grid);
  if (call.params<PlanBorder>().channels_first != 0) {
    if (!call.is_dense(real)) return "rows of a channels-first operand lie apart";
    const int64_t outer = grid.dims[0];
    const int64_t channels = row_length(grid);
    const int64_t pixels = count / outer / channels;
    *shape = {outer,
              pixels,
              channels,
              {pixels * channels, 1, pixels},
              {pixels * call.pitch(grid), call.pitch(grid), 1}};
    return {};
  }
  int64_t channels = row_length(grid);
  if (call.is_dense(real) && call.is_dense(grid)) {
    // Rows of some hundred elements, so that there is something to divide.
    channels = 1;
    for (int d = grid.rank - 1; d >= 0 && channels < 256; --d) channels *= grid.dims[d];
  }
  *shape = {1, count / channels, channels, {count, 0, 1}, {count, 0, 1}};
  if (Fault fault = call.find_stride(real, channels, &shape->real.pixel_stride); !fault.empty()) return fault;
  return call.find_stride(grid, channels, &shape->grid.pixel_stride);
}

/// The kernels' arguments name the sides by their direction.
template <typename Args>
void take_border(const BorderShape& shape, const BorderSide& x, const BorderSide& y, Args* args) {
  args->pixels = shape.pixels;
  args->channels = shape.channels;
  args->x_outer_stride = x.outer_stride;
  args->x_pixel_stride = x.pixel_stride;
  args->x_channel_stride = x.channel_stride;
  args->y_outer_stride = y.outer_stride;
  args->y_pixel_stride = y.pixel_stride;
  args->y_channel_stride = y.channel_stride;
}

template <typename Row, typename Args>
Division divide_border(const StepContext& context, const Row& row, const Args&, int64_t items) {
  const auto count = static_cast<double>(count_elements(context.y()));
  return {items, 16, 1, 4 * estimate_element_ns(count, row.needs)};
}

}  // namespace

Fault check_quantize_s8(const NodeView& node) {
  return check_border(node.params<PlanBorder>(), node.x(0), node.y());
}
Fault check_dequantize_s8(const NodeView& node) {
  return check_border(node.params<PlanBorder>(), node.y(), node.x(0));
}

Fault fill_args(const Call& call, QuantizeS8Args* args, int64_t* items) {
  BorderShape shape{};
  if (Fault fault = fill_border(call, call.x(0), call.y(), &shape); !fault.empty()) return fault;
  take_border(shape, shape.real, shape.grid, args);
  args->scale = call.y().scale;
  args->range = output_range({-128, 127, 0, 0}, call.y().zero_point);
  *items = shape.outer * shape.pixels;
  return {};
}
Fault fill_args(const Call& call, DequantizeS8Args* args, int64_t* items) {
  BorderShape shape{};
  if (Fault fault = fill_border(call, call.y(), call.x(0), &shape); !fault.empty()) return fault;
  take_border(shape, shape.grid, shape.real, args);
  args->scale = call.x(0).scale;
  args->zero_point = call.x(0).zero_point;
  *items = shape.outer * shape.pixels;
  return {};
}

Status make_quantize_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<QuantizeS8Row, QuantizeS8Args>(context, step, kQuantizeS8Rows, kQuantizeS8RowCount,
                                                   divide_border);
}
Status make_dequantize_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<DequantizeS8Row, DequantizeS8Args>(context, step, kDequantizeS8Rows,
                                                       kDequantizeS8RowCount, divide_border);
}

}  // namespace hone
