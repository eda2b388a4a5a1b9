#include "native/engine/kernel_step.h"
#include "native/kernels/binary_int/binary_int.h"
#include "native/kernels/cast/cast.h"
#include "native/kernels/compare/compare.h"
#include "native/kernels/select/select.h"

// Element-wise operations on elements of any type. Their operands have no gaps between rows.

namespace hone {
namespace {

/// As many elements in x as in y, or a divisor of them.
bool repeats(const PlanTensor& x, const PlanTensor& y) { return count_elements(y) % count_elements(x) == 0; }

Fault check_pair(const NodeView& node) {
  const PlanTensor &a = node.x(0), &b = node.x(1);
  if (a.type != b.type) return "types of operands";
  return count_elements(a) == count_elements(node.y()) && repeats(b, a) ? Fault()
                                                                        : Fault("extents of operands");
}

Fault check_operation(int32_t operation, int32_t count) {
  return operation >= 0 && operation < count ? Fault() : Fault("operation");
}

Fault require_dense(const Call& call) {
  bool dense = call.is_dense(call.y());
  for (uint32_t i = 0; i < call.node().input_count; ++i) dense = dense && call.is_dense(call.x(i));
  return dense ? Fault() : Fault("rows of an operand lie apart");
}

template <typename Row, typename Args>
Division divide_typed(const StepContext&, const Row&, const Args&, int64_t items) {
  // Loops that compilers vectorize: half of what rows of intrinsics do.
  return {items, 64, 1, static_cast<double>(items) / 2.0};
}

}  // namespace

Fault check_cast(const NodeView& node) {
  return count_elements(node.x(0)) == count_elements(node.y()) ? Fault() : Fault("extents of operands");
}
Fault check_binary_int(const NodeView& node) {
  if (Fault fault = check_operation(node.params<PlanInteger>().operation, kIntegerOperationCount);
      !fault.empty())
    return fault;
  if (node.y().type != node.x(0).type) return "types of operands";
  return check_pair(node);
}
Fault check_compare(const NodeView& node) {
  if (Fault fault = check_operation(node.params<PlanComparison>().comparison, kComparisonCount);
      !fault.empty())
    return fault;
  return check_pair(node);
}
Fault check_select(const NodeView& node) {
  const PlanTensor &y = node.y(), &a = node.x(1), &b = node.x(2);
  if (a.type != y.type || b.type != y.type) return "types of operands";
  const bool fits = repeats(node.x(0), y) && repeats(a, y) && repeats(b, y);
  // On a repeated operand y would write what is still to be read.
  return fits ? Fault() : Fault("extents of operands");
}

Fault fill_args(const Call& call, CastArgs* args, int64_t* items) {
  args->y_type = call.y().type;
  args->x_type = call.x(0).type;
  *items = count_elements(call.y());
  return require_dense(call);
}
Fault fill_args(const Call& call, BinaryIntArgs* args, int64_t* items) {
  args->b_count = count_elements(call.x(1));
  args->type = call.y().type;
  args->operation = static_cast<IntegerOperation>(call.params<PlanInteger>().operation);
  *items = count_elements(call.y());
  return require_dense(call);
}
Fault fill_args(const Call& call, CompareArgs* args, int64_t* items) {
  args->b_count = count_elements(call.x(1));
  args->type = call.x(0).type;
  args->comparison = static_cast<Comparison>(call.params<PlanComparison>().comparison);
  *items = count_elements(call.y());
  return require_dense(call);
}
Fault fill_args(const Call& call, SelectArgs* args, int64_t* items) {
  args->condition_count = count_elements(call.x(0));
  args->a_count = count_elements(call.x(1));
  args->b_count = count_elements(call.x(2));
  args->element_bytes = element_bytes(call.y().type);
  *items = count_elements(call.y());
  return require_dense(call);
}
void bind_args(const Call& call, const Memory& memory, SelectArgs* args) {
  args->y = memory.at(call.y());
  args->condition = memory.at(call.x(0));
  args->a = memory.at(call.x(1));
  args->b = memory.at(call.x(2));
}

#define HONE_TYPED(symbol, word)                                                                      \
  Status make_##word(const StepContext& context, std::unique_ptr<Step>* step) {                       \
    return make_plain<symbol##Row, symbol##Args>(context, step, k##symbol##Rows, k##symbol##RowCount, \
                                                 divide_typed);                                       \
  }
HONE_TYPED(Cast, cast)
HONE_TYPED(BinaryInt, binary_int)
HONE_TYPED(Compare, compare)
HONE_TYPED(Select, select)
#undef HONE_TYPED

}  // namespace hone
