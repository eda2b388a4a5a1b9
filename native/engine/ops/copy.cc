#include <array>
#include <cstdlib>

#include "native/engine/kernel_step.h"
#include "native/engine/ops/strides.h"
#include "native/kernels/copy_nd/copy_nd.h"
#include "native/kernels/fill/fill.h"

namespace hone {
namespace {

/// |value|, also of the least int64.
uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

/// Drops extents of 1 and joins neighbours that are contiguous on both sides: fewer, longer runs. Strides in
/// bytes.
void simplify(const PlanCopy& copy, int32_t bytes, CopyNdArgs* args) {
  int32_t rank = 0;
  for (int32_t d = 0; d < copy.rank; ++d) {
    const int64_t extent = copy.extents[d];
    if (extent == 1) continue;
    const ptrdiff_t src = copy.src_strides[d] * bytes;
    const ptrdiff_t dst = copy.dst_strides[d] * bytes;
    const int32_t last = rank - 1;
    const bool joins =
        rank > 0 && args->src_strides[last] == src * extent && args->dst_strides[last] == dst * extent;
    const int32_t at = joins ? last : rank++;
    args->extents[at] = joins ? args->extents[at] * extent : extent;
    args->src_strides[at] = src;
    args->dst_strides[at] = dst;
  }
  if (rank == 0) {
    args->extents[0] = 1;
    args->src_strides[0] = args->dst_strides[0] = bytes;
    rank = 1;
  }
  args->rank = rank;
  args->element_bytes = bytes;
}

Division divide_copy(const StepContext& context, const CopyNdRow&, const CopyNdArgs& args, int64_t items) {
  const int32_t bytes = element_bytes(context.y().type);
  double count = 1;
  for (int32_t d = 0; d < args.rank; ++d) count *= static_cast<double>(args.extents[d]);
  const bool contiguous =
      args.src_strides[args.rank - 1] == bytes && args.dst_strides[args.rank - 1] == bytes;
  return {items, args.rank == 1 ? 64 : 1, 1, contiguous ? count * bytes / 16 : count};
}

Division divide_fill(const StepContext& context, const FillRow&, const FillArgs&, int64_t items) {
  return {items, 64, 1, static_cast<double>(context.y().bytes) / 16};
}

}  // namespace

/// Reads stay in x, writes stay in y and meet no element twice.
Fault check_copy_nd(const NodeView& node) {
  const PlanCopy& copy = node.params<PlanCopy>();
  if (node.x(0).type != node.y().type) return "types of operands";
  if (copy.rank < 1 || copy.rank > static_cast<int32_t>(kPlanMaxRank)) return "rank";
  for (int32_t d = 0; d < copy.rank; ++d)
    if (copy.extents[d] < 1 || copy.extents[d] > static_cast<int64_t>(kPlanMaxMemory)) return "extents";
  if (!stays_inside(copy.rank, copy.extents, copy.src_strides, copy.src_offset, count_elements(node.x(0))))
    return "it reads outside x";
  if (!stays_inside(copy.rank, copy.extents, copy.dst_strides, copy.dst_offset, count_elements(node.y())))
    return "it writes outside y";

  // Taken by ascending stride, each step must leave behind everything that the smaller strides reach.
  int64_t span = 0;
  std::array<bool, kPlanMaxRank> done{};
  for (int32_t round = 0; round < copy.rank; ++round) {
    int32_t least = -1;
    for (int32_t d = 0; d < copy.rank; ++d)
      if (!done[d] && (least < 0 || magnitude(copy.dst_strides[d]) < magnitude(copy.dst_strides[least])))
        least = d;
    done[least] = true;
    if (copy.extents[least] == 1) continue;
    const int64_t stride = std::abs(copy.dst_strides[least]);
    if (stride <= span) return "it writes an element twice";
    span += stride * (copy.extents[least] - 1);
  }
  return {};
}
Fault check_fill(const NodeView&) { return {}; }

/// The plan's strides say where the elements of its dense operands lie.
Fault fill_args(const Call& call, CopyNdArgs* args, int64_t* items) {
  if (!call.is_dense(call.x(0)) || !call.is_dense(call.y())) return "rows of an operand lie apart";
  simplify(call.params<PlanCopy>(), element_bytes(call.y().type), args);
  *items = args->extents[0];
  return {};
}
void bind_args(const Call& call, const Memory& memory, CopyNdArgs* args) {
  const PlanCopy& copy = call.params<PlanCopy>();
  args->dst = memory.at(call.y()) + copy.dst_offset * args->element_bytes;
  args->src = memory.at(call.x(0)) + copy.src_offset * args->element_bytes;
}
Fault fill_args(const Call& call, FillArgs* args, int64_t* items) {
  args->length = call.find_row_length({&call.y()});
  args->value = uint64_t{call.params<PlanFill>().high} << 32 | call.params<PlanFill>().value;
  args->element_bytes = element_bytes(call.y().type);
  *items = count_elements(call.y());
  return call.find_stride(call.y(), args->length, &args->y_stride);
}

Status make_copy_nd(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<CopyNdRow, CopyNdArgs>(context, step, kCopyNdRows, kCopyNdRowCount, divide_copy);
}
Status make_fill(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<FillRow, FillArgs>(context, step, kFillRows, kFillRowCount, divide_fill);
}

}  // namespace hone
