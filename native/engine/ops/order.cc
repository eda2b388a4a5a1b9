#include "native/engine/kernel_step.h"
#include "native/kernels/cumulative_sum/cumulative_sum.h"
#include "native/kernels/top_k/top_k.h"

// What goes along rows or columns one element after the other. Operands have no gaps between rows.

namespace hone {
namespace {

bool is_flag(int32_t value) { return value == 0 || value == 1; }

template <typename Row, typename Args>
Division divide_columns(const StepContext&, const Row&, const Args& args, int64_t items) {
  return {items, args.inner == 1 ? 1 : 64, 1, static_cast<double>(items * args.length)};
}
Division divide_heaps(const StepContext&, const TopKRow&, const TopKArgs& args, int64_t items) {
  return {items, 1, 1, 2 * static_cast<double>(items * args.length)};
}

}  // namespace

Fault check_cumulative_sum(const NodeView& node) {
  const PlanScan& scan = node.params<PlanScan>();
  const PlanTensor &x = node.x(0), &y = node.y();
  const bool sums = x.type == PlanType::kFloat32 || x.type == PlanType::kInt32 || x.type == PlanType::kInt64;
  if (x.type != y.type || !sums) return "types of operands";
  if (x.rank != 3 || !same_dims(x, y)) return "extents of operands";
  return is_flag(scan.exclusive) && is_flag(scan.reverse) ? Fault() : Fault("a flag is neither 0 nor 1");
}
Fault fill_args(const Call& call, CumulativeSumArgs* args, int64_t* items) {
  const PlanTensor& x = call.x(0);
  args->type = x.type;
  args->length = x.dims[1];
  args->inner = x.dims[2];
  args->exclusive = call.params<PlanScan>().exclusive != 0;
  args->reverse = call.params<PlanScan>().reverse != 0;
  *items = x.dims[0] * args->inner;
  return call.is_dense(x) && call.is_dense(call.y()) ? Fault() : Fault("rows of an operand lie apart");
}
Status make_cumulative_sum(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<CumulativeSumRow, CumulativeSumArgs>(context, step, kCumulativeSumRows,
                                                         kCumulativeSumRowCount, divide_columns);
}

Fault check_top_k(const NodeView& node) {
  const PlanTop& top = node.params<PlanTop>();
  const PlanTensor &x = node.x(0), &y = node.y(), &places = node.y(1);
  if (x.type != y.type || x.type == PlanType::kBool || places.type != PlanType::kInt64)
    return "types of operands";
  const bool fits = x.rank == 2 && y.rank == 2 && x.dims[0] == y.dims[0] && y.dims[1] <= x.dims[1];
  if (!fits || !same_dims(y, places)) return "extents of operands";
  if (top.count < 1 || static_cast<uint32_t>(top.count) != y.dims[1]) return "count";
  return is_flag(top.smallest) ? Fault() : Fault("a flag is neither 0 nor 1");
}
Fault fill_args(const Call& call, TopKArgs* args, int64_t* items) {
  const PlanTensor &x = call.x(0), &y = call.y();
  args->type = x.type;
  args->length = x.dims[1];
  args->count = y.dims[1];
  args->smallest = call.params<PlanTop>().smallest != 0;
  *items = x.dims[0];
  const bool dense = call.is_dense(x) && call.is_dense(y) && call.is_dense(call.y(1));
  return dense ? Fault() : Fault("rows of an operand lie apart");
}
void bind_args(const Call& call, const Memory& memory, TopKArgs* args) {
  args->y = memory.at(call.y());
  args->places = reinterpret_cast<int64_t*>(memory.at(call.y(1)));
  args->x = memory.at(call.x(0));
}
Status make_top_k(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<TopKRow, TopKArgs>(context, step, kTopKRows, kTopKRowCount, divide_heaps);
}

}  // namespace hone
