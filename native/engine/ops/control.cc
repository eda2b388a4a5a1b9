#include "native/engine/kernel_step.h"
#include "native/kernels/require/require.h"
#include "native/kernels/skip/skip.h"

namespace hone {
namespace {

/// A step that tells the program how many steps behind it to leave out.
class SkipStep final : public PlainStep<SkipRow, SkipArgs> {
 public:
  using PlainStep::PlainStep;

  Status prepare(const StepContext& context, const SkipRow* rows, int row_count,
                 Divide<SkipRow, SkipArgs> divide_by) {
    skip_count_ = static_cast<uint32_t>(context.params<PlanSkip>().count);
    return PlainStep::prepare(context, rows, row_count, divide_by);
  }
  void bind(const Memory& memory) override {
    PlainStep::bind(memory);
    skip_flag_ = args_.y;
  }
};

}  // namespace

/// One condition, and no more nodes than are left in the variant (which the plan check sees to).
Fault check_skip(const NodeView& node) {
  const PlanSkip& skip = node.params<PlanSkip>();
  if (skip.value != 0 && skip.value != 1) return "value";
  if (skip.count < 1) return "count";
  return count_elements(node.x(0)) == 1 && count_elements(node.y()) == 1 ? Fault()
                                                                         : Fault("extents of operands");
}

Fault check_require(const NodeView& node) {
  const PlanTensor &y = node.y(), &x = node.x(0);
  if (y.type != x.type) return "types of operands";
  return same_dims(y, x) && count_elements(node.x(1)) == 1 ? Fault() : Fault("extents of operands");
}
Fault fill_args(const Call& call, RequireArgs* args, int64_t* items) {
  args->bytes = dense_bytes(call.y());
  *items = 1;
  return call.is_dense(call.y()) && call.is_dense(call.x(0)) ? Fault()
                                                             : Fault("rows of an operand lie apart");
}
void bind_args(const Call& call, const Memory& memory, RequireArgs* args) {
  args->y = memory.at(call.y());
  args->x = memory.at(call.x(0));
  args->condition = memory.at(call.x(1));
  args->out_of_range = memory.out_of_range;
}
Status make_require(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<RequireRow, RequireArgs>(context, step, kRequireRows, kRequireRowCount, divide_nothing);
}

Fault fill_args(const Call& call, SkipArgs* args, int64_t* items) {
  args->value = call.params<PlanSkip>().value;
  *items = 1;
  return {};
}

Status make_skip(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<SkipStep>(context, step, kSkipRows, kSkipRowCount, divide_nothing<SkipRow, SkipArgs>);
}

}  // namespace hone
