#include <algorithm>

#include "native/engine/kernel_step.h"
#include "native/kernels/gather/gather.h"
#include "native/kernels/gather_elements/gather_elements.h"
#include "native/kernels/gather_nd/gather_nd.h"
#include "native/kernels/scatter_elements/scatter_elements.h"
#include "native/kernels/scatter_nd/scatter_nd.h"

// Operations that find elements by indices. Their operands have no gaps between rows.

namespace hone {
namespace {

bool is_dense(const Call& call) {
  for (uint32_t i = 0; i < call.node().input_count; ++i)
    if (!call.is_dense(call.x(i))) return false;
  return call.is_dense(call.y());
}

Fault dense_or_fault(const Call& call) {
  return is_dense(call) ? Fault() : Fault("rows of an operand lie apart");
}

/// Elements from one index of each dimension to the next.
void fill_strides(const PlanTensor& tensor, int64_t* strides) {
  int64_t stride = 1;
  for (int d = tensor.rank - 1; d >= 0; --d) {
    strides[d] = stride;
    stride *= tensor.dims[d];
  }
}

/// Indices beside a tensor of the same rank that is no smaller but along the axis.
Fault check_along_axis(const PlanTensor& x, const PlanTensor& indices, int32_t axis) {
  if (axis < 0 || axis >= x.rank) return "axis";
  if (indices.rank != x.rank) return "extents of operands";
  for (int d = 0; d < x.rank; ++d)
    if (d != axis && indices.dims[d] > x.dims[d]) return "extents of operands";
  return {};
}

/// x and y alike, updates of their type, a combination that there is.
Fault check_scatter(const NodeView& node) {
  const PlanTensor &y = node.y(), &x = node.x(0), &updates = node.x(2);
  if (x.type != y.type || updates.type != y.type) return "types of operands";
  if (!same_dims(x, y)) return "extents of operands";
  const int32_t combination = node.params<PlanScatter>().combination;
  return combination >= 0 && combination < kScatterCombinationCount ? Fault() : Fault("combination");
}

template <typename Args>
void fill_scatter(const Call& call, Args* args) {
  args->type = call.y().type;
  args->index_type = call.x(1).type;
  args->combination = static_cast<ScatterCombination>(call.params<PlanScatter>().combination);
  args->y_count = count_elements(call.y());
}

template <typename Args>
void bind_scatter(const Call& call, const Memory& memory, Args* args) {
  args->y = memory.at(call.y());
  args->x = memory.at(call.x(0));
  args->indices = memory.at(call.x(1));
  args->updates = memory.at(call.x(2));
  args->out_of_range = memory.out_of_range;
}

template <typename Args>
void bind_gather(const Call& call, const Memory& memory, Args* args) {
  args->y = memory.at(call.y());
  args->x = memory.at(call.x(0));
  args->indices = memory.at(call.x(1));
  args->out_of_range = memory.out_of_range;
}

template <typename Row, typename Args>
Division divide_slices(const StepContext&, const Row&, const Args& args, int64_t items) {
  double item_ns = 4;
  if constexpr (requires { args.slice_bytes; }) item_ns += static_cast<double>(args.slice_bytes) / 16;
  return {items, 1, 1, static_cast<double>(items) * item_ns};
}

}  // namespace

Fault check_gather(const NodeView& node) {
  const PlanTensor &y = node.y(), &x = node.x(0);
  if (y.type != x.type) return "types of operands";
  const bool fits = x.rank == 3 && y.rank == 3 && y.dims[0] == x.dims[0] && y.dims[2] == x.dims[2] &&
                    y.dims[1] == count_elements(node.x(1));
  return fits ? Fault() : Fault("extents of operands");
}
Fault check_gather_elements(const NodeView& node) {
  const PlanTensor &y = node.y(), &x = node.x(0), &indices = node.x(1);
  if (y.type != x.type) return "types of operands";
  if (!same_dims(y, indices)) return "extents of operands";
  return check_along_axis(x, indices, node.params<PlanAxis>().axis);
}
Fault check_gather_nd(const NodeView& node) {
  const PlanTensor &y = node.y(), &x = node.x(0), &indices = node.x(1);
  if (y.type != x.type) return "types of operands";
  const bool fits = indices.rank == 2 && x.rank >= 3 && indices.dims[1] + 2 == x.rank && y.rank == 2 &&
                    y.dims[0] == indices.dims[0] && indices.dims[0] % x.dims[0] == 0 &&
                    y.dims[1] == x.dims[x.rank - 1];
  return fits ? Fault() : Fault("extents of operands");
}
Fault check_scatter_elements(const NodeView& node) {
  if (Fault fault = check_scatter(node); !fault.empty()) return fault;
  if (!same_dims(node.x(1), node.x(2))) return "extents of operands";
  return check_along_axis(node.y(), node.x(1), node.params<PlanScatter>().axis);
}
Fault check_scatter_nd(const NodeView& node) {
  if (Fault fault = check_scatter(node); !fault.empty()) return fault;
  const PlanTensor &y = node.y(), &indices = node.x(1), &updates = node.x(2);
  const bool fits = indices.rank == 2 && y.rank >= 2 && indices.dims[1] + 1 == y.rank && updates.rank == 2 &&
                    updates.dims[0] == indices.dims[0] && updates.dims[1] == y.dims[y.rank - 1];
  return fits ? Fault() : Fault("extents of operands");
}

Fault fill_args(const Call& call, GatherArgs* args, int64_t* items) {
  const PlanTensor &y = call.y(), &x = call.x(0);
  args->index_type = call.x(1).type;
  args->length = x.dims[1];
  args->count = y.dims[1];
  args->slice_bytes = int64_t{x.dims[2]} * element_bytes(x.type);
  *items = int64_t{y.dims[0]} * y.dims[1];
  return dense_or_fault(call);
}
Fault fill_args(const Call& call, GatherElementsArgs* args, int64_t* items) {
  const PlanTensor &x = call.x(0), &indices = call.x(1);
  args->index_type = indices.type;
  args->element_bytes = element_bytes(x.type);
  args->rank = x.rank;
  args->axis = call.params<PlanAxis>().axis;
  args->length = x.dims[args->axis];
  std::copy_n(indices.dims, indices.rank, args->extents);
  fill_strides(x, args->x_strides);
  *items = count_elements(indices);
  return dense_or_fault(call);
}
Fault fill_args(const Call& call, GatherNdArgs* args, int64_t* items) {
  const PlanTensor &x = call.x(0), &indices = call.x(1);
  args->index_type = indices.type;
  args->count = indices.dims[0] / x.dims[0];
  args->depth = static_cast<int32_t>(indices.dims[1]);
  std::copy_n(x.dims + 1, args->depth, args->lengths);
  args->slice_bytes = int64_t{x.dims[x.rank - 1]} * element_bytes(x.type);
  *items = indices.dims[0];
  return dense_or_fault(call);
}
Fault fill_args(const Call& call, ScatterElementsArgs* args, int64_t* items) {
  const PlanTensor &y = call.y(), &indices = call.x(1);
  fill_scatter(call, args);
  args->rank = y.rank;
  args->axis = call.params<PlanScatter>().axis;
  args->length = y.dims[args->axis];
  std::copy_n(indices.dims, indices.rank, args->extents);
  fill_strides(y, args->y_strides);
  *items = 1;
  return dense_or_fault(call);
}
Fault fill_args(const Call& call, ScatterNdArgs* args, int64_t* items) {
  const PlanTensor &y = call.y(), &indices = call.x(1);
  fill_scatter(call, args);
  args->count = indices.dims[0];
  args->depth = static_cast<int32_t>(indices.dims[1]);
  std::copy_n(y.dims, args->depth, args->lengths);
  args->slice = y.dims[y.rank - 1];
  *items = 1;
  return dense_or_fault(call);
}

void bind_args(const Call& call, const Memory& memory, GatherArgs* args) { bind_gather(call, memory, args); }
void bind_args(const Call& call, const Memory& memory, GatherElementsArgs* args) {
  bind_gather(call, memory, args);
}
void bind_args(const Call& call, const Memory& memory, GatherNdArgs* args) {
  bind_gather(call, memory, args);
}
void bind_args(const Call& call, const Memory& memory, ScatterElementsArgs* args) {
  bind_scatter(call, memory, args);
}
void bind_args(const Call& call, const Memory& memory, ScatterNdArgs* args) {
  bind_scatter(call, memory, args);
}

#define HONE_INDEXED(symbol, word, divide_by)                                                         \
  Status make_##word(const StepContext& context, std::unique_ptr<Step>* step) {                       \
    return make_plain<symbol##Row, symbol##Args>(context, step, k##symbol##Rows, k##symbol##RowCount, \
                                                 divide_by);                                          \
  }
HONE_INDEXED(Gather, gather, divide_slices)
HONE_INDEXED(GatherElements, gather_elements, divide_slices)
HONE_INDEXED(GatherNd, gather_nd, divide_slices)
HONE_INDEXED(ScatterElements, scatter_elements, divide_nothing)
HONE_INDEXED(ScatterNd, scatter_nd, divide_nothing)
#undef HONE_INDEXED

}  // namespace hone
