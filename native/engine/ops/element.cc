#include "native/engine/ops/clamp.h"
#include "native/engine/step.h"
#include "native/kernels/binary_f32/binary_f32.h"
#include "native/kernels/binary_s8/binary_s8.h"
#include "native/kernels/clamp_f32/clamp_f32.h"
#include "native/kernels/lut_s8/lut_s8.h"
#include "native/kernels/softmax_f32/softmax_f32.h"

namespace hone {
namespace {

/// As many elements in x as in y.
Fault check_alike(const NodeView& node) {
  return count_elements(node.y()) == count_elements(node.x(0)) ? Fault() : Fault("extents of operands");
}

/// A float operation with one input and bounds.
Fault check_unary(const NodeView& node) {
  if (Fault fault = check_alike(node); !fault.empty()) return fault;
  return check_clamp(node.params<PlanClamp>());
}

Fault check_binary(const NodeView& node) {
  const PlanBinary& binary = node.params<PlanBinary>();
  if (binary.operation < 0 || binary.operation >= kBinaryOperationCount) return "operation";
  const int64_t count = count_elements(node.y());
  if (count_elements(node.x(0)) != count || count % count_elements(node.x(1)) != 0)
    return "extents of operands";
  return check_clamp(binary.clamp);
}

/// Tiles of whole cache lines.
constexpr int64_t kElementMultiple = 64;

/// A kernel over elements (or rows) whose arguments are filled by a function per operation.
template <typename Row, typename Args>
class ElementStep final : public Step {
 public:
  using Fill = void (*)(const StepContext& context, Args* args);
  using Bind = void (*)(const Memory& memory, const PlanTensor& y, const PlanTensor& x,
                        const PlanTensor* second, Args* args);

  Status prepare(const StepContext& context, const Row* rows, int row_count, Fill fill, Bind bind,
                 int64_t row_length) {
    x_ = &context.x(0);
    y_ = &context.y();
    second_ = context.optional(1);
    bind_ = bind;
    row_ = &choose_row(rows, row_count, context.mask);
    row_name_ = row_->name;
    fill(context, &args_);
    const int64_t count = count_elements(*y_);
    // A row of Softmax costs about ten times as much per element as an addition.
    const double work_ns =
        estimate_element_ns(static_cast<double>(count), row_->needs) * (row_length > 1 ? 10 : 1);
    tiles_ = divide({count / row_length, row_length > 1 ? 1 : kElementMultiple, 1, work_ns}, context);
    return Status();
  }
  void bind(const Memory& memory) override { bind_(memory, *y_, *x_, second_, &args_); }
  void run(const Tile& tile, int, const Scratch&) const override { row_->run(args_, tile); }

 private:
  const Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr, *second_ = nullptr;
  Bind bind_ = nullptr;
  Args args_{};
};

void fill_binary_s8(const StepContext& context, BinaryS8Args* args) {
  const PlanBinary& binary = context.params<PlanBinary>();
  const PlanTensor& a = context.x(0);
  const PlanTensor& b = context.x(1);
  args->b_count = count_elements(b);
  args->operation = static_cast<BinaryOperation>(binary.operation);
  args->scales = {a.scale, b.scale, context.y().scale, a.zero_point, b.zero_point};
  args->range = output_range(binary.clamp, context.y().zero_point);
}

void fill_binary_f32(const StepContext& context, BinaryF32Args* args) {
  const PlanBinary& binary = context.params<PlanBinary>();
  args->b_count = count_elements(context.x(1));
  args->operation = static_cast<BinaryOperation>(binary.operation);
  args->lo = binary.clamp.lo;
  args->hi = binary.clamp.hi;
}

/// Bounds of a float operation with one input.
template <typename Args>
void fill_clamp(const StepContext& context, Args* args) {
  args->lo = context.params<PlanClamp>().lo;
  args->hi = context.params<PlanClamp>().hi;
}

void fill_softmax(const StepContext& context, SoftmaxF32Args* args) {
  args->length = context.y().dims[context.y().rank - 1];
}

template <typename T, typename Args>
void bind_two(const Memory& memory, const PlanTensor& y, const PlanTensor& a, const PlanTensor* b,
              Args* args) {
  args->y = memory.at<T>(y);
  args->a = memory.at<T>(a);
  args->b = memory.at<T>(*b);
}

template <typename T, typename Args>
void bind_one(const Memory& memory, const PlanTensor& y, const PlanTensor& x, const PlanTensor*, Args* args) {
  args->y = memory.at<T>(y);
  args->x = memory.at<T>(x);
}

void bind_lut(const Memory& memory, const PlanTensor& y, const PlanTensor& x, const PlanTensor* table,
              LutS8Args* args) {
  args->y = memory.at(y);
  args->x = memory.at(x);
  args->table = memory.at(*table);
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
Fault check_clamp_f32(const NodeView& node) { return check_unary(node); }

Status make_binary_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<ElementStep<BinaryS8Row, BinaryS8Args>>(
      context, step, kBinaryS8Rows, kBinaryS8RowCount, fill_binary_s8, bind_two<int8_t, BinaryS8Args>, 1);
}
Status make_binary_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<ElementStep<BinaryF32Row, BinaryF32Args>>(
      context, step, kBinaryF32Rows, kBinaryF32RowCount, fill_binary_f32, bind_two<float, BinaryF32Args>, 1);
}
Status make_lut_s8(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<ElementStep<LutS8Row, LutS8Args>>(
      context, step, kLutS8Rows, kLutS8RowCount, [](const StepContext&, LutS8Args*) {}, bind_lut, 1);
}
Status make_softmax_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<ElementStep<SoftmaxF32Row, SoftmaxF32Args>>(
      context, step, kSoftmaxF32Rows, kSoftmaxF32RowCount, fill_softmax, bind_one<float, SoftmaxF32Args>,
      context.y().dims[context.y().rank - 1]);
}
Status make_clamp_f32(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<ElementStep<ClampF32Row, ClampF32Args>>(context, step, kClampF32Rows, kClampF32RowCount,
                                                              fill_clamp<ClampF32Args>,
                                                              bind_one<float, ClampF32Args>, 1);
}

}  // namespace hone
