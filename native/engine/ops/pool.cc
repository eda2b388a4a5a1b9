#include <cmath>

#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
#include "native/engine/ops/window.h"
#include "native/kernels/average_pool_f32/average_pool_f32.h"
#include "native/kernels/average_pool_s8/average_pool_s8.h"
#include "native/kernels/max_pool_f32/max_pool_f32.h"
#include "native/kernels/max_pool_s8/max_pool_s8.h"

namespace hone {
namespace {

/// `takes_bounds`: the kernel has a fused clamp of int8. Bounds that would be ignored are a defect of whoever
/// wrote the plan.
Fault check_pool(const NodeView& node, bool takes_bounds) {
  const PlanPool& pool = node.params<PlanPool>();
  if (Fault fault = check_window(pool.window, node.x(0), node.y()); !fault.empty()) return fault;
  if (node.x(0).dims[3] != node.y().dims[3]) return "channels";
  if (static_cast<int64_t>(pool.window.kernel_h) * pool.window.kernel_w > kPlanMaxPoolArea) return "window";
  if (pool.count_include_pad != 0 && pool.count_include_pad != 1) return "count_include_pad is no flag";
  const PlanClamp& clamp = pool.clamp;
  const bool free_int8 = clamp.qmin == -128 && clamp.qmax == 127;
  const bool free_float = clamp.lo == -INFINITY && clamp.hi == INFINITY;
  if (!free_float || (!takes_bounds && !free_int8)) return "this pool takes no bounds";
  return check_clamp(clamp);
}

/// The four pools share geometry.
template <typename Args>
Fault fill_pool(const Call& call, Args* args, int64_t* items) {
  const PlanPool& pool = call.params<PlanPool>();
  const PlanTensor &x = call.x(0), &y = call.y();
  args->window = window_shape(pool.window, x, y);
  args->channels = static_cast<int32_t>(x.dims[3]);
  args->x_stride = call.pitch(x);
  args->y_stride = call.pitch(y);
  if constexpr (requires { args->count_include_pad; }) args->count_include_pad = pool.count_include_pad != 0;
  *items = int64_t{args->window.batch} * args->window.out_h;
  return {};
}

template <typename Row, typename Args>
Division divide_pool(const StepContext& context, const Row& row, const Args& args, int64_t items) {
  const double taps =
      static_cast<double>(count_elements(context.y())) * args.window.kernel_h * args.window.kernel_w;
  return {items, 1, 1, estimate_element_ns(taps, row.needs)};
}

class AveragePoolS8Step final : public PlainStep<AveragePoolS8Row, AveragePoolS8Args> {
 public:
  explicit AveragePoolS8Step(const StepContext& context)
      : PlainStep(context), multipliers_(average_pool_multipliers(context)) {
    args_.multiplier = multipliers_.data();
  }

 private:
  std::vector<float> multipliers_;
};

}  // namespace

Fault check_max_pool_s8(const NodeView& node) { return check_pool(node, false); }
Fault check_max_pool_f32(const NodeView& node) { return check_pool(node, false); }
Fault check_average_pool_f32(const NodeView& node) { return check_pool(node, false); }
Fault check_average_pool_s8(const NodeView& node) {
  if (Fault fault = check_pool(node, true); !fault.empty()) return fault;
  const float ratio = node.x(0).scale / node.y().scale;
  return std::isfinite(ratio) && ratio > 0 ? Fault() : Fault("ratio of scales");
}

Fault fill_args(const Call& call, MaxPoolS8Args* args, int64_t* items) {
  return fill_pool(call, args, items);
}
Fault fill_args(const Call& call, MaxPoolF32Args* args, int64_t* items) {
  return fill_pool(call, args, items);
}
Fault fill_args(const Call& call, AveragePoolF32Args* args, int64_t* items) {
  return fill_pool(call, args, items);
}
Fault fill_args(const Call& call, AveragePoolS8Args* args, int64_t* items) {
  args->x_zero_point = call.x(0).zero_point;
  args->range = output_range(call.params<PlanPool>().clamp, call.y().zero_point);
  return fill_pool(call, args, items);
}

std::vector<float> average_pool_multipliers(const NodeView& node) {
  const PlanWindow& window = node.params<PlanPool>().window;
  const int32_t area = window.kernel_h * window.kernel_w;
  const float ratio = node.x(0).scale / node.y().scale;
  // Entry 0: a window wholly in padding gives zero.
  std::vector<float> multipliers(static_cast<size_t>(area) + 1, 0.0f);
  for (int32_t count = 1; count <= area; ++count) multipliers[count] = ratio / static_cast<float>(count);
  return multipliers;
}

Status make_max_pool_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<MaxPoolS8Row, MaxPoolS8Args>(context, step, kMaxPoolS8Rows, kMaxPoolS8RowCount,
                                                 divide_pool);
}
Status make_average_pool_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<AveragePoolS8Step>(context, step, kAveragePoolS8Rows, kAveragePoolS8RowCount,
                                         divide_pool<AveragePoolS8Row, AveragePoolS8Args>);
}
Status make_max_pool_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<MaxPoolF32Row, MaxPoolF32Args>(context, step, kMaxPoolF32Rows, kMaxPoolF32RowCount,
                                                   divide_pool);
}
Status make_average_pool_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<AveragePoolF32Row, AveragePoolF32Args>(context, step, kAveragePoolF32Rows,
                                                           kAveragePoolF32RowCount, divide_pool);
}

}  // namespace hone
