#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
#include "native/kernels/arg_extreme/arg_extreme.h"
#include "native/kernels/reduce_f32/reduce_f32.h"
#include "native/kernels/reduce_max_f32/reduce_max_f32.h"
#include "native/kernels/reduce_max_s8/reduce_max_s8.h"
#include "native/kernels/reduce_min_f32/reduce_min_f32.h"
#include "native/kernels/reduce_min_s8/reduce_min_s8.h"

namespace hone {
namespace {

/// Rows of x to one element each, or the rows between its first and its last dimension to one row.
Fault check_reduction(const NodeView& node) {
  const PlanTensor &x = node.x(0), &y = node.y();
  const bool ranks = (x.rank == 2 || x.rank == 3) && y.rank == x.rank - 1;
  const bool fits = ranks && y.dims[0] == x.dims[0] && (x.rank == 2 || y.dims[1] == x.dims[2]);
  return fits ? Fault() : Fault("extents of operands");
}

template <typename T>
Fault fill_reduction(const Call& call, Reduction<T>* args, int64_t* items) {
  const PlanTensor &x = call.x(0), &y = call.y();
  const bool along_rows = x.rank == 2;
  args->length = x.dims[1];
  args->inner = along_rows ? 1 : x.dims[2];
  *items = count_elements(y);
  ptrdiff_t pitch = 0;
  if (Fault fault = call.find_stride(x, row_length(x), &pitch); !fault.empty()) return fault;
  args->x_stride = along_rows ? 1 : pitch;
  args->x_outer_stride = along_rows ? pitch : args->length * pitch;
  args->y_stride = 1;  // y [rows] is one row itself
  return along_rows ? Fault() : call.find_stride(y, args->inner, &args->y_stride);
}

/// Tiles of whole cache lines where an element costs little.
template <typename Row, typename Args>
Division divide_reduction(const StepContext&, const Row& row, const Args& args, int64_t items) {
  const double work_ns = estimate_element_ns(static_cast<double>(items * args.length), row.needs);
  return {items, args.inner == 1 ? 1 : 64, 1, work_ns};
}

/// A reduction costs as many additions as its row says.
Division divide_accumulation(const StepContext&, const ReduceF32Row& row, const ReduceF32Args& args,
                             int64_t items) {
  const auto elements = static_cast<double>(items * args.length);
  const double work_ns =
      estimate_element_ns(elements * kReduceCosts[static_cast<int32_t>(args.operation)], row.needs);
  return {items, args.inner == 1 ? 1 : 64, 1, work_ns};
}

/// An element costs some four additions.
Division divide_search(const StepContext&, const ArgExtremeRow& row, const ArgExtremeArgs& args,
                       int64_t items) {
  const auto elements = static_cast<double>(items * args.length);
  return {items, args.inner == 1 ? 1 : 64, 1, 4 * estimate_element_ns(elements, row.needs)};
}

}  // namespace

Fault check_arg_extreme(const NodeView& node) {
  const PlanExtreme& extreme = node.params<PlanExtreme>();
  const PlanTensor& x = node.x(0);
  if (node.y().type != PlanType::kInt64 || x.type == PlanType::kBool) return "types of operands";
  if (Fault fault = check_reduction(node); !fault.empty()) return fault;
  if (x.dims[1] > INT32_MAX) return "extents of operands";
  const bool are_flags =
      (extreme.smallest == 0 || extreme.smallest == 1) && (extreme.last == 0 || extreme.last == 1);
  return are_flags ? Fault() : Fault("a flag is neither 0 nor 1");
}
Fault fill_args(const Call& call, ArgExtremeArgs* args, int64_t* items) {
  const PlanTensor& x = call.x(0);
  args->type = x.type;
  args->length = x.dims[1];
  args->inner = x.rank == 2 ? 1 : x.dims[2];
  args->smallest = call.params<PlanExtreme>().smallest != 0;
  args->last = call.params<PlanExtreme>().last != 0;
  *items = count_elements(call.y());
  return call.is_dense(x) && call.is_dense(call.y()) ? Fault() : Fault("rows of an operand lie apart");
}
Status make_arg_extreme(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<ArgExtremeRow, ArgExtremeArgs>(context, step, kArgExtremeRows, kArgExtremeRowCount,
                                                   divide_search);
}

Fault check_reduce_f32(const NodeView& node) {
  const PlanReduce& reduce = node.params<PlanReduce>();
  if (reduce.operation < 0 || reduce.operation >= kReduceOperationCount) return "operation";
  if (Fault fault = check_reduction(node); !fault.empty()) return fault;
  return check_clamp(reduce.clamp);
}
Fault fill_args(const Call& call, ReduceF32Args* args, int64_t* items) {
  const PlanReduce& reduce = call.params<PlanReduce>();
  args->operation = static_cast<ReduceOperation>(reduce.operation);
  args->lo = reduce.clamp.lo;
  args->hi = reduce.clamp.hi;
  return fill_reduction(call, args, items);
}
Status make_reduce_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<ReduceF32Row, ReduceF32Args>(context, step, kReduceF32Rows, kReduceF32RowCount,
                                                 divide_accumulation);
}

#define HONE_REDUCTION(symbol, word)                                                                  \
  Fault check_##word(const NodeView& node) { return check_reduction(node); }                          \
  Fault fill_args(const Call& call, symbol##Args* args, int64_t* items) {                             \
    return fill_reduction(call, args, items);                                                         \
  }                                                                                                   \
  Status make_##word(const StepContext& context, std::unique_ptr<Step>* step) {                       \
    return make_plain<symbol##Row, symbol##Args>(context, step, k##symbol##Rows, k##symbol##RowCount, \
                                                 divide_reduction);                                   \
  }
HONE_REDUCTION(ReduceMaxS8, reduce_max_s8)
HONE_REDUCTION(ReduceMaxF32, reduce_max_f32)
HONE_REDUCTION(ReduceMinS8, reduce_min_s8)
HONE_REDUCTION(ReduceMinF32, reduce_min_f32)
#undef HONE_REDUCTION

}  // namespace hone
