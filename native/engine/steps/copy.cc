#include "native/engine/step.h"
#include "native/kernels/copy_nd/copy_nd.h"
#include "native/kernels/fill/fill.h"

namespace hone {
namespace {

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

class CopyNdStep final : public Step {
 public:
  Status prepare(const StepContext& context) {
    const PlanCopy& copy = context.params<PlanCopy>();
    x_ = &context.x(0);
    y_ = &context.y();
    const int32_t bytes = element_bytes(x_->type);
    src_offset_ = copy.src_offset * bytes;
    dst_offset_ = copy.dst_offset * bytes;
    simplify(copy, bytes, &args_);
    row_ = &choose_row(kCopyNdRows, kCopyNdRowCount, context.mask);
    row_name_ = row_->name;
    double count = 1;
    for (int32_t d = 0; d < args_.rank; ++d) count *= static_cast<double>(args_.extents[d]);
    const bool contiguous =
        args_.src_strides[args_.rank - 1] == bytes && args_.dst_strides[args_.rank - 1] == bytes;
    const double work_ns = contiguous ? count * bytes / 16 : count;
    tiles_ = divide({args_.extents[0], args_.rank == 1 ? 64 : 1, 1, work_ns}, context);
    return Status();
  }
  void bind(const Memory& memory) override {
    args_.dst = memory.at(*y_) + dst_offset_;
    args_.src = memory.at(*x_) + src_offset_;
  }
  void run(const Tile& tile, void*) const override { row_->run(args_, tile); }

 private:
  const CopyNdRow* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  ptrdiff_t src_offset_ = 0, dst_offset_ = 0;
  CopyNdArgs args_{};
};

class FillStep final : public Step {
 public:
  Status prepare(const StepContext& context) {
    y_ = &context.y();
    row_ = &choose_row(kFillRows, kFillRowCount, context.mask);
    row_name_ = row_->name;
    args_.value = context.params<PlanFill>().value;
    args_.element_bytes = element_bytes(y_->type);
    tiles_ = divide({count_elements(*y_), 64, 1, static_cast<double>(y_->bytes) / 16}, context);
    return Status();
  }
  void bind(const Memory& memory) override { args_.y = memory.at(*y_); }
  void run(const Tile& tile, void*) const override { row_->run(args_, tile); }

 private:
  const FillRow* row_ = nullptr;
  const PlanTensor* y_ = nullptr;
  FillArgs args_{};
};

}  // namespace

Status make_copy_step(const StepContext& context, std::unique_ptr<Step>* step) {
  if (context.node().op == PlanOp::kCopyNd) return prepare_step<CopyNdStep>(context, step);
  return prepare_step<FillStep>(context, step);
}

}  // namespace hone
