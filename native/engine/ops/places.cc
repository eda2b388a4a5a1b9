#include <algorithm>

#include "native/engine/kernel_step.h"
#include "native/kernels/non_max_suppression/non_max_suppression.h"
#include "native/kernels/non_zero/non_zero.h"

// Lists of places whose length a run finds. Operands have no gaps between rows.

namespace hone {
namespace {

/// A count, limit or threshold: one element, of int64 unless it is a float.
bool is_number(const PlanTensor* tensor) {
  return tensor == nullptr || (count_elements(*tensor) == 1 && tensor->type != PlanType::kInt32);
}

Fault require_dense(const Call& call) {
  for (uint32_t i = 0; i < call.node().output_count; ++i)
    if (!call.is_dense(call.y(i))) return "rows of an operand lie apart";
  for (uint32_t i = 0; i < call.node().input_count; ++i)
    if (const PlanTensor* x = call.optional(i); x != nullptr && !call.is_dense(*x))
      return "rows of an operand lie apart";
  return {};
}

template <typename T>
void set(T** pointer, const PlanTensor* tensor, const Memory& memory) {
  *pointer = tensor == nullptr ? nullptr : reinterpret_cast<T*>(memory.at(*tensor));
}

}  // namespace

Fault check_non_zero(const NodeView& node) {
  const PlanTensor &y = node.y(), &count = node.y(1), &x = node.x(0);
  if (y.type != PlanType::kInt64 || !is_number(&count)) return "types of operands";
  const bool fits = x.rank >= 1 && y.rank == 2 && y.dims[0] == x.rank && y.dims[1] == count_elements(x);
  return fits ? Fault() : Fault("extents of operands");
}
Fault fill_args(const Call& call, NonZeroArgs* args, int64_t* items) {
  static_assert(kNonZeroMaxRank == kPlanMaxRank);
  const PlanTensor& x = call.x(0);
  args->type = x.type;
  args->rank = x.rank;
  std::copy_n(x.dims, x.rank, args->extents);
  *items = 1;
  return require_dense(call);
}
void bind_args(const Call& call, const Memory& memory, NonZeroArgs* args) {
  set(&args->y, &call.y(), memory);
  set(&args->count, &call.y(1), memory);
  args->x = memory.at(call.x(0));
}
Status make_non_zero(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<NonZeroRow, NonZeroArgs>(context, step, kNonZeroRows, kNonZeroRowCount, divide_nothing);
}

Fault check_non_max_suppression(const NodeView& node) {
  const PlanTensor &y = node.y(), &order = node.y(2), &boxes = node.x(0), &scores = node.x(1);
  const PlanBoxes& params = node.params<PlanBoxes>();
  if (params.centered != 0 && params.centered != 1) return "a flag is neither 0 nor 1";
  if (y.type != PlanType::kInt64 || order.type != PlanType::kInt32) return "types of operands";
  if (!is_number(&node.y(1))) return "a number is no int64 of one element";
  for (uint32_t i = 2; i < 6; ++i)
    if (!is_number(node.optional(i))) return "a number is no int64 or float32 of one element";
  if (boxes.rank != 3 || boxes.dims[2] != 4 || scores.rank != 3 || boxes.dims[0] != scores.dims[0] ||
      boxes.dims[1] != scores.dims[2])
    return "extents of operands";
  const int64_t lists = int64_t{scores.dims[0]} * scores.dims[1];
  const bool fits = count_elements(order) == boxes.dims[1] && y.rank == 2 && y.dims[1] == 3 &&
                    params.most >= 1 && static_cast<uint32_t>(params.most) <= boxes.dims[1] &&
                    y.dims[0] == lists * params.most;
  return fits ? Fault() : Fault("extents of operands");
}
Fault fill_args(const Call& call, NonMaxSuppressionArgs* args, int64_t* items) {
  const PlanTensor& scores = call.x(1);
  args->batches = scores.dims[0];
  args->classes = scores.dims[1];
  args->length = scores.dims[2];
  args->most = call.params<PlanBoxes>().most;
  args->centered = call.params<PlanBoxes>().centered != 0;
  *items = 1;
  return require_dense(call);
}
void bind_args(const Call& call, const Memory& memory, NonMaxSuppressionArgs* args) {
  set(&args->y, &call.y(), memory);
  set(&args->count, &call.y(1), memory);
  set(&args->order, &call.y(2), memory);
  set(&args->boxes, call.optional(0), memory);
  set(&args->scores, call.optional(1), memory);
  set(&args->limit, call.optional(2), memory);
  set(&args->overlap, call.optional(3), memory);
  set(&args->least, call.optional(4), memory);
  set(&args->filled, call.optional(5), memory);
}
Status make_non_max_suppression(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<NonMaxSuppressionRow, NonMaxSuppressionArgs>(context, step, kNonMaxSuppressionRows,
                                                                 kNonMaxSuppressionRowCount, divide_nothing);
}

}  // namespace hone
