#include <algorithm>
#include <array>
#include <utility>

#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
#include "native/engine/ops/strides.h"
#include "native/kernels/matmul_f32/matmul_f32.h"

namespace hone {
namespace {

static_assert(kMatmulMaxBatch + 2 == kPlanMaxRank);

/// Extents of the batch, then of a factor.
std::array<int64_t, kPlanMaxRank> factor_extents(const PlanMatmul& product, int64_t outer, int64_t inner) {
  std::array<int64_t, kPlanMaxRank> extents{};
  std::copy_n(product.batch, product.rank, extents.begin());
  extents[product.rank] = outer;
  extents[product.rank + 1] = inner;
  return extents;
}

int64_t count_products(const PlanMatmul& product) {
  int64_t count = 1;
  for (int32_t d = 0; d < product.rank; ++d) count *= product.batch[d];
  return count;
}

/// One column of each product, where y has no gaps, is also one row of b transposed times a transposed: of
/// such rows whole vectors can be computed at once.
bool is_turned(const Call& call) {
  const PlanMatmul& product = call.params<PlanMatmul>();
  return product.outputs == 1 && product.rows > 1 && call.is_dense(call.y());
}

Division divide_products(const StepContext&, const MatmulF32Row& row, const MatmulF32Args& args,
                         int64_t items) {
  const double macs =
      static_cast<double>(items) * static_cast<double>(args.layout.inputs * args.layout.outputs);
  const int64_t blocks = (args.layout.outputs + row.block_outputs - 1) / row.block_outputs;
  return {items, 1, static_cast<int32_t>(blocks), estimate_mac_ns(macs, row.needs, false)};
}

}  // namespace

/// Reads stay in a and b.
Fault check_matmul_f32(const NodeView& node) {
  const PlanMatmul& product = node.params<PlanMatmul>();
  if (product.rank < 0 || product.rank > kMatmulMaxBatch) return "rank";
  const auto is_extent = [](int64_t extent) { return extent >= 1 && extent < kPlanMaxWindowReach; };
  if (!is_extent(product.rows) || !is_extent(product.inputs) || !is_extent(product.outputs)) return "extents";
  int64_t left = count_elements(node.y());
  for (int32_t d = 0; d < product.rank; ++d) {
    if (!is_extent(product.batch[d]) || left % product.batch[d] != 0) return "extents";
    left /= product.batch[d];
  }
  if (left % product.rows != 0 || left / product.rows != product.outputs) return "extents of operands";
  if (row_length(node.y()) != product.outputs) return "extents of operands";
  const auto a = factor_extents(product, product.rows, product.inputs);
  if (!stays_inside(product.rank + 2, a.data(), product.a_strides, product.a_offset,
                    count_elements(node.x(0))))
    return "it reads outside a";
  const auto b = factor_extents(product, product.inputs, product.outputs);
  if (!stays_inside(product.rank + 2, b.data(), product.b_strides, product.b_offset,
                    count_elements(node.x(1))))
    return "it reads outside b";
  return check_clamp(product.clamp);
}

/// The plan's strides say where the elements of dense factors lie.
Fault fill_args(const Call& call, MatmulF32Args* args, int64_t* items) {
  const PlanMatmul& product = call.params<PlanMatmul>();
  if (!call.is_dense(call.x(0)) || !call.is_dense(call.x(1))) return "rows of a factor lie apart";
  MatmulLayout& in = args->layout;
  const int32_t rank = product.rank;
  const int64_t *a = product.a_strides + rank, *b = product.b_strides + rank;
  in.batch_rank = rank;
  std::copy_n(product.batch, rank, in.batch);
  std::copy_n(product.a_strides, rank, in.a_batch);
  std::copy_n(product.b_strides, rank, in.b_batch);
  in.rows = product.rows;
  in.inputs = product.inputs;
  in.outputs = product.outputs;
  in.a_row = a[0];
  in.a_inner = a[1];
  in.b_inner = b[0];
  in.b_column = b[1];
  args->alpha = product.alpha;
  args->lo = product.clamp.lo;
  args->hi = product.clamp.hi;
  *items = count_products(product) * product.rows;
  if (is_turned(call)) {
    std::swap(in.rows, in.outputs);
    std::swap(in.a_batch, in.b_batch);
    std::swap(in.a_row, in.b_column);
    std::swap(in.a_inner, in.b_inner);
    *items /= product.rows;
    in.y_stride = product.rows;
    return {};
  }
  return call.find_stride(call.y(), product.outputs, &in.y_stride);
}
void bind_args(const Call& call, const Memory& memory, MatmulF32Args* args) {
  const PlanMatmul& product = call.params<PlanMatmul>();
  const auto at = [&](const PlanTensor& tensor) { return reinterpret_cast<float*>(memory.at(tensor)); };
  args->y = at(call.y());
  args->a = at(call.x(0)) + product.a_offset;
  args->b = at(call.x(1)) + product.b_offset;
  if (is_turned(call)) std::swap(args->a, args->b);
}

Status make_matmul_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<MatmulF32Row, MatmulF32Args>(context, step, kMatmulF32Rows, kMatmulF32RowCount,
                                                 divide_products);
}

}  // namespace hone
