#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
#include "native/engine/ops/strides.h"
#include "native/kernels/matmul_f32/matmul_f32.h"
#include "native/kernels/matmul_s8/matmul_s8.h"

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

/// fl(fl(sa * sb) / sy)
float multiplier_of(const NodeView& node) {
  const float product = node.x(0).scale * node.x(1).scale;
  return product / node.y().scale;
}

/// The most that x less its zero point can be.
int64_t reach(const PlanTensor& tensor) {
  return std::max(127 - int64_t{tensor.zero_point}, int64_t{tensor.zero_point} + 128);
}

template <typename Row, typename Args, bool kInteger>
Division divide_products(const StepContext&, const Row& row, const Args& args, int64_t items) {
  const MatmulLayout& in = args.layout;
  const double macs = static_cast<double>(items) * static_cast<double>(in.inputs * in.outputs);
  const int64_t blocks = (in.outputs + row.block_outputs - 1) / row.block_outputs;
  return {items, 1, static_cast<int32_t>(blocks), estimate_mac_ns(macs, row.needs, kInteger)};
}

/// Reads stay in a and b.
Fault check_products(const NodeView& node) {
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
Fault fill_layout(const Call& call, MatmulLayout* layout, int64_t* items) {
  const PlanMatmul& product = call.params<PlanMatmul>();
  if (!call.is_dense(call.x(0)) || !call.is_dense(call.x(1))) return "rows of a factor lie apart";
  MatmulLayout& in = *layout;
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
template <typename Args>
void bind_factors(const Call& call, const Memory& memory, Args* args) {
  const PlanMatmul& product = call.params<PlanMatmul>();
  const auto at = [&](const PlanTensor& tensor) {
    return reinterpret_cast<decltype(args->y)>(memory.at(tensor));
  };
  args->y = at(call.y());
  args->a = at(call.x(0)) + product.a_offset;
  args->b = at(call.x(1)) + product.b_offset;
  if (is_turned(call)) std::swap(args->a, args->b);
}

}  // namespace

Fault check_matmul_f32(const NodeView& node) { return check_products(node); }
Fault check_matmul_s8(const NodeView& node) {
  if (Fault fault = check_products(node); !fault.empty()) return fault;
  const PlanMatmul& product = node.params<PlanMatmul>();
  if (product.alpha != 1) return "alpha";
  const float multiplier = multiplier_of(node);
  if (!std::isfinite(multiplier) || multiplier <= 0) return "ratio of scales";
  // inputs < 2^30, and each factor reaches at most 255
  if (product.inputs * reach(node.x(0)) * reach(node.x(1)) >= int64_t{1} << 31) return "a sum can overflow";
  return {};
}

Fault fill_args(const Call& call, MatmulF32Args* args, int64_t* items) {
  const PlanMatmul& product = call.params<PlanMatmul>();
  args->alpha = product.alpha;
  args->lo = product.clamp.lo;
  args->hi = product.clamp.hi;
  return fill_layout(call, &args->layout, items);
}
Fault fill_args(const Call& call, MatmulS8Args* args, int64_t* items) {
  args->a_zero_point = call.x(0).zero_point;
  args->b_zero_point = call.x(1).zero_point;
  if (is_turned(call)) std::swap(args->a_zero_point, args->b_zero_point);
  args->multiplier = multiplier_of(call);
  args->range = output_range(call.params<PlanMatmul>().clamp, call.y().zero_point);
  return fill_layout(call, &args->layout, items);
}
void bind_args(const Call& call, const Memory& memory, MatmulF32Args* args) {
  bind_factors(call, memory, args);
}
void bind_args(const Call& call, const Memory& memory, MatmulS8Args* args) {
  bind_factors(call, memory, args);
}

Status make_matmul_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<MatmulF32Row, MatmulF32Args>(context, step, kMatmulF32Rows, kMatmulF32RowCount,
                                                 divide_products<MatmulF32Row, MatmulF32Args, false>);
}
Status make_matmul_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<MatmulS8Row, MatmulS8Args>(context, step, kMatmulS8Rows, kMatmulS8RowCount,
                                               divide_products<MatmulS8Row, MatmulS8Args, true>);
}

}  // namespace hone
