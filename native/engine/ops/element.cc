#include "native/engine/kernel_step.h"
#include "native/engine/ops/clamp.h"
#include "native/kernels/binary_f32/binary_f32.h"
#include "native/kernels/binary_s8/binary_s8.h"
#include "native/kernels/clamp_f32/clamp_f32.h"
#include "native/kernels/lut_s8/lut_s8.h"
#include "native/kernels/softmax_f32/softmax_f32.h"
#include "native/kernels/unary_f32/unary_f32.h"

namespace hone {
namespace {

/// As many elements in x as in y.
Fault check_alike(const NodeView& node) {
  return count_elements(node.y()) == count_elements(node.x(0)) ? Fault() : Fault("extents of operands");
}

Fault check_binary(const NodeView& node) {
  const PlanBinary& binary = node.params<PlanBinary>();
  if (binary.operation < 0 || binary.operation >= kBinaryOperationCount) return "operation";
  const int64_t count = count_elements(node.y());
  if (count_elements(node.x(0)) != count || count % count_elements(node.x(1)) != 0)
    return "extents of operands";
  return check_clamp(binary.clamp);
}

/// Rows of a kernel with one input: x as long as y.
template <typename Args>
Fault fill_rows(const Call& call, Args* args, int64_t* items) {
  args->length = call.find_row_length({&call.y(), &call.x(0)});
  *items = count_elements(call.y());
  if (Fault fault = call.find_stride(call.x(0), args->length, &args->x_stride); !fault.empty()) return fault;
  return call.find_stride(call.y(), args->length, &args->y_stride);
}

/// The same with two: b as long as y, or repeated.
template <typename Args>
Fault fill_binary(const Call& call, Args* args, int64_t* items) {
  const PlanTensor &y = call.y(), &a = call.x(0), &b = call.x(1);
  args->operation = static_cast<BinaryOperation>(call.params<PlanBinary>().operation);
  args->b_count = count_elements(b);
  *items = count_elements(y);
  args->length = call.find_row_length({&y, &a});
  if (args->length == *items && !call.is_dense(b)) args->length = row_length(b);
  if (args->b_count > args->length && args->b_count % args->length != 0) return "rows of operands differ";
  if (Fault fault = call.find_stride(y, args->length, &args->y_stride); !fault.empty()) return fault;
  if (Fault fault = call.find_stride(a, args->length, &args->a_stride); !fault.empty()) return fault;
  return call.find_stride(b, args->length, &args->b_stride);
}

/// Tiles of whole cache lines.
template <typename Row, typename Args>
Division divide_elements(const StepContext&, const Row& row, const Args&, int64_t items) {
  return {items, 64, 1, estimate_element_ns(static_cast<double>(items), row.needs)};
}

/// An operation costs as many additions as its row says.
template <typename Row, typename Args>
Division divide_pairs(const StepContext&, const Row& row, const Args& args, int64_t items) {
  const auto additions = static_cast<double>(items * kBinaryCosts[static_cast<int32_t>(args.operation)]);
  return {items, 64, 1, estimate_element_ns(additions, row.needs)};
}

/// A row of Softmax costs about ten times as much per element as an addition.
Division divide_rows(const StepContext&, const SoftmaxF32Row& row, const SoftmaxF32Args& args,
                     int64_t items) {
  return {items, 1, 1, 10 * estimate_element_ns(static_cast<double>(items * args.length), row.needs)};
}

/// A function costs as many additions as its row says.
Division divide_functions(const StepContext&, const UnaryF32Row& row, const UnaryF32Args& args,
                          int64_t items) {
  const auto additions = static_cast<double>(items * kUnaryCosts[static_cast<int32_t>(args.operation)]);
  return {items, 64, 1, estimate_element_ns(additions, row.needs)};
}

}  // namespace

Fault check_binary_s8(const NodeView& node) { return check_binary(node); }
Fault check_binary_f32(const NodeView& node) { return check_binary(node); }
Fault check_lut_s8(const NodeView& node) {
  if (Fault fault = check_alike(node); !fault.empty()) return fault;
  return count_elements(node.x(1)) == 256 ? Fault() : Fault("the table is not 256 bytes of uint8");
}
Fault check_softmax_f32(const NodeView& node) {
  const PlanTensor &x = node.x(0), &y = node.y();
  const bool same_rows = y.rank >= 1 && x.rank >= 1 && y.dims[y.rank - 1] == x.dims[x.rank - 1] &&
                         count_elements(y) == count_elements(x);
  return same_rows ? Fault() : Fault("extents of operands");
}
Fault check_clamp_f32(const NodeView& node) {
  if (Fault fault = check_alike(node); !fault.empty()) return fault;
  return check_clamp(node.params<PlanClamp>());
}
Fault check_unary_f32(const NodeView& node) {
  const PlanUnary& unary = node.params<PlanUnary>();
  if (unary.operation < 0 || unary.operation >= kUnaryOperationCount) return "operation";
  if (Fault fault = check_alike(node); !fault.empty()) return fault;
  return check_clamp(unary.clamp);
}

Fault fill_args(const Call& call, BinaryS8Args* args, int64_t* items) {
  const PlanTensor &y = call.y(), &a = call.x(0), &b = call.x(1);
  args->scales = {a.scale, b.scale, y.scale, a.zero_point, b.zero_point};
  args->range = output_range(call.params<PlanBinary>().clamp, y.zero_point);
  return fill_binary(call, args, items);
}
Fault fill_args(const Call& call, BinaryF32Args* args, int64_t* items) {
  args->lo = call.params<PlanBinary>().clamp.lo;
  args->hi = call.params<PlanBinary>().clamp.hi;
  return fill_binary(call, args, items);
}
Fault fill_args(const Call& call, LutS8Args* args, int64_t* items) { return fill_rows(call, args, items); }
Fault fill_args(const Call& call, SoftmaxF32Args* args, int64_t* items) {
  args->length = row_length(call.y());
  *items = count_elements(call.y()) / args->length;
  if (Fault fault = call.find_stride(call.x(0), args->length, &args->x_stride); !fault.empty()) return fault;
  return call.find_stride(call.y(), args->length, &args->y_stride);
}
Fault fill_args(const Call& call, ClampF32Args* args, int64_t* items) {
  args->lo = call.params<PlanClamp>().lo;
  args->hi = call.params<PlanClamp>().hi;
  return fill_rows(call, args, items);
}
Fault fill_args(const Call& call, UnaryF32Args* args, int64_t* items) {
  const PlanUnary& unary = call.params<PlanUnary>();
  args->operation = static_cast<UnaryOperation>(unary.operation);
  args->alpha = unary.alpha;
  args->beta = unary.beta;
  args->lo = unary.clamp.lo;
  args->hi = unary.clamp.hi;
  return fill_rows(call, args, items);
}

Status make_binary_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<BinaryS8Row, BinaryS8Args>(context, step, kBinaryS8Rows, kBinaryS8RowCount, divide_pairs);
}
Status make_binary_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<BinaryF32Row, BinaryF32Args>(context, step, kBinaryF32Rows, kBinaryF32RowCount,
                                                 divide_pairs);
}
Status make_lut_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<LutS8Row, LutS8Args>(context, step, kLutS8Rows, kLutS8RowCount, divide_elements);
}
Status make_softmax_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<SoftmaxF32Row, SoftmaxF32Args>(context, step, kSoftmaxF32Rows, kSoftmaxF32RowCount,
                                                   divide_rows);
}
Status make_clamp_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<ClampF32Row, ClampF32Args>(context, step, kClampF32Rows, kClampF32RowCount,
                                               divide_elements);
}
Status make_unary_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return make_plain<UnaryF32Row, UnaryF32Args>(context, step, kUnaryF32Rows, kUnaryF32RowCount,
                                               divide_functions);
}

}  // namespace hone
