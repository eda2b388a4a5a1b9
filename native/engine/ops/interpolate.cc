#include <algorithm>

#include "native/engine/kernel_step.h"
#include "native/kernels/interpolate_f32/interpolate_f32.h"

namespace hone {
namespace {

constexpr uint32_t kWeights = 1, kIndex = 2;

Division divide_mixtures(const StepContext&, const InterpolateF32Row& row, const InterpolateF32Args& args,
                         int64_t items) {
  return {items, args.inner == 1 ? 1 : 64, 1,
          estimate_element_ns(static_cast<double>(items * args.taps), row.needs)};
}

}  // namespace

/// Every row of y between the first and the last dimension is a mixture of rows of x.
Fault check_interpolate_f32(const NodeView& node) {
  const PlanTensor &x = node.x(0), &y = node.y(), &weights = node.x(kWeights), &index = node.x(kIndex);
  if (x.rank != 3 || y.rank != 3 || y.dims[0] != x.dims[0] || y.dims[2] != x.dims[2])
    return "extents of operands";
  if (weights.rank != 2 || weights.dims[0] != y.dims[1] || !same_dims(weights, index))
    return "extents of weights and indices";
  const int32_t* places = node.plan.constant<int32_t>(index);
  const int64_t length = x.dims[1];
  const bool inside = std::all_of(places, places + count_elements(index),
                                  [length](int32_t place) { return place >= 0 && place < length; });
  return inside ? Fault() : Fault("an index is outside x");
}

Fault fill_args(const Call& call, InterpolateF32Args* args, int64_t* items) {
  const PlanTensor &x = call.x(0), &y = call.y();
  args->outputs = y.dims[1];
  args->taps = call.x(kWeights).dims[1];
  args->inner = y.dims[2];
  args->x_stride = call.pitch(x);
  args->x_outer_stride = x.dims[1] * args->x_stride;
  args->y_stride = call.pitch(y);
  *items = count_elements(y);
  return {};
}

Status make_interpolate_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<InterpolateF32Row, InterpolateF32Args>(context, step, kInterpolateF32Rows,
                                                           kInterpolateF32RowCount, divide_mixtures);
}

}  // namespace hone
