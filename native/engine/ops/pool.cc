#include <cmath>

#include "native/engine/ops/clamp.h"
#include "native/engine/ops/window.h"
#include "native/engine/step.h"
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

/// The four pools share geometry; averages add what they need in `finish`.
template <typename Row, typename Args, typename Element>
class PoolStep final : public Step {
 public:
  Status prepare(const StepContext& context, const Row* rows, int row_count) {
    const PlanPool& pool = context.params<PlanPool>();
    x_ = &context.x(0);
    y_ = &context.y();
    row_ = &choose_row(rows, row_count, context.mask);
    row_name_ = row_->name;
    args_.window = window_shape(pool.window, *x_, *y_);
    args_.channels = static_cast<int32_t>(x_->dims[3]);
    args_.x_stride = args_.channels;
    args_.y_stride = args_.channels;
    finish(pool, &args_);
    const double taps =
        static_cast<double>(count_elements(*y_)) * pool.window.kernel_h * pool.window.kernel_w;
    tiles_ = divide(
        {int64_t{args_.window.batch} * args_.window.out_h, 1, 1, estimate_element_ns(taps, row_->needs)},
        context);
    return Status();
  }
  void bind(const Memory& memory) override {
    args_.y = memory.at<Element>(*y_);
    args_.x = memory.at<Element>(*x_);
  }
  void run(const Tile& tile, int, const Scratch&) const override { row_->run(args_, tile); }

 private:
  template <typename Any>
  void finish(const PlanPool&, Any*) {}

  void finish(const PlanPool& pool, AveragePoolF32Args* args) {
    args->count_include_pad = pool.count_include_pad != 0;
  }

  void finish(const PlanPool& pool, AveragePoolS8Args* args) {
    const int32_t area = pool.window.kernel_h * pool.window.kernel_w;
    const float ratio = x_->scale / y_->scale;
    multipliers_.assign(static_cast<size_t>(area) + 1,
                        0.0f);  // entry 0: a window wholly in padding gives zero
    for (int32_t count = 1; count <= area; ++count) multipliers_[count] = ratio / static_cast<float>(count);
    args->multiplier = multipliers_.data();
    args->x_zero_point = x_->zero_point;
    args->count_include_pad = pool.count_include_pad != 0;
    args->range = output_range(pool.clamp, y_->zero_point);
  }

  const Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  std::vector<float> multipliers_;
  Args args_{};
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

Status make_max_pool_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<PoolStep<MaxPoolS8Row, MaxPoolS8Args, int8_t>>(context, step, kMaxPoolS8Rows,
                                                                     kMaxPoolS8RowCount);
}
Status make_average_pool_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<PoolStep<AveragePoolS8Row, AveragePoolS8Args, int8_t>>(
      context, step, kAveragePoolS8Rows, kAveragePoolS8RowCount);
}
Status make_max_pool_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<PoolStep<MaxPoolF32Row, MaxPoolF32Args, float>>(context, step, kMaxPoolF32Rows,
                                                                      kMaxPoolF32RowCount);
}
Status make_average_pool_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<PoolStep<AveragePoolF32Row, AveragePoolF32Args, float>>(
      context, step, kAveragePoolF32Rows, kAveragePoolF32RowCount);
}

}  // namespace hone
