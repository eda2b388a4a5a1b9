#include <cmath>

#include "native/engine/kernel_step.h"
#include "native/kernels/normalize_f32/normalize_f32.h"

namespace hone {
namespace {

constexpr uint32_t kFactorInput = 1;
constexpr uint32_t kShiftInput = 2;

/// Tiles of whole registers where groups are channels alone; each element is read three times.
Division divide_normalization(const StepContext&, const NormalizeF32Row& row, const NormalizeF32Args& args,
                              int64_t items) {
  const auto elements = static_cast<double>(items * args.length * args.width);
  return {items, args.width == 1 ? 32 : 1, 1, 3 * estimate_element_ns(elements, row.needs)};
}

}  // namespace

Fault check_normalize_f32(const NodeView& node) {
  const PlanNormalize& normalize = node.params<PlanNormalize>();
  const PlanTensor &x = node.x(0), &y = node.y();
  if (x.rank != 3 || !same_dims(x, y)) return "extents of operands";
  if (normalize.groups < 1 || x.dims[2] % static_cast<uint32_t>(normalize.groups) != 0) return "groups";
  if (normalize.centered != 0 && normalize.centered != 1) return "centered is no flag";
  if (!(normalize.epsilon >= 0) || std::isinf(normalize.epsilon)) return "epsilon";
  for (const uint32_t index : {kFactorInput, kShiftInput})
    if (const PlanTensor* factors = node.optional(index))
      if (factors->rank != 1 || factors->dims[0] != x.dims[2]) return "extents of operands";
  return {};
}
Fault fill_args(const Call& call, NormalizeF32Args* args, int64_t* items) {
  const PlanNormalize& normalize = call.params<PlanNormalize>();
  const PlanTensor &x = call.x(0), &y = call.y();
  args->length = x.dims[1];
  args->groups = normalize.groups;
  args->width = x.dims[2] / args->groups;
  args->centered = normalize.centered != 0;
  args->epsilon = normalize.epsilon;
  *items = x.dims[0] * args->groups;
  if (Fault fault = call.find_stride(x, row_length(x), &args->x_stride); !fault.empty()) return fault;
  return call.find_stride(y, row_length(y), &args->y_stride);
}
void bind_args(const Call& call, const Memory& memory, NormalizeF32Args* args) {
  const auto at = [&](const PlanTensor* tensor) {
    return tensor == nullptr ? nullptr : reinterpret_cast<float*>(memory.at(*tensor));
  };
  args->y = at(&call.y());
  args->x = at(&call.x(0));
  args->scale = at(call.optional(kFactorInput));
  args->bias = at(call.optional(kShiftInput));
}
Status make_normalize_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<NormalizeF32Row, NormalizeF32Args>(context, step, kNormalizeF32Rows,
                                                       kNormalizeF32RowCount, divide_normalization);
}

}  // namespace hone
