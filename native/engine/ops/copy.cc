#include <array>
#include <cstdlib>

#include "native/engine/step.h"
#include "native/kernels/copy_nd/copy_nd.h"
#include "native/kernels/fill/fill.h"

namespace hone {
namespace {

/// |value|, also of the least int64.
uint64_t magnitude(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

bool stays_inside(const PlanCopy& copy, int64_t offset, const int64_t* strides, int64_t count) {
  if (offset < 0 || offset >= count) return false;
  int64_t low = offset;
  int64_t high = offset;
  for (int32_t d = 0; d < copy.rank; ++d) {
    if (copy.extents[d] == 1) continue;
    const int64_t stride = strides[d];
    if (stride == 0) continue;
    if (stride <= -count || stride >= count || copy.extents[d] - 1 > (count - 1) / std::abs(stride))
      return false;
    const int64_t reach = stride * (copy.extents[d] - 1);
    (reach < 0 ? low : high) += reach;
    if (low < 0 || high >= count) return false;
  }
  return true;
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
  void run(const Tile& tile, int, const Scratch&) const override { row_->run(args_, tile); }

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
  void run(const Tile& tile, int, const Scratch&) const override { row_->run(args_, tile); }

 private:
  const FillRow* row_ = nullptr;
  const PlanTensor* y_ = nullptr;
  FillArgs args_{};
};

}  // namespace

/// Reads stay in x, writes stay in y and meet no element twice.
Fault check_copy_nd(const NodeView& node) {
  const PlanCopy& copy = node.params<PlanCopy>();
  if (node.x(0).type != node.y().type) return "types of operands";
  if (copy.rank < 1 || copy.rank > static_cast<int32_t>(kPlanMaxRank)) return "rank";
  for (int32_t d = 0; d < copy.rank; ++d)
    if (copy.extents[d] < 1 || copy.extents[d] > static_cast<int64_t>(kPlanMaxMemory)) return "extents";
  if (!stays_inside(copy, copy.src_offset, copy.src_strides, count_elements(node.x(0))))
    return "it reads outside x";
  if (!stays_inside(copy, copy.dst_offset, copy.dst_strides, count_elements(node.y())))
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

Status make_copy_nd(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<CopyNdStep>(context, step);
}
Status make_fill(const StepContext& context, std::unique_ptr<Step>* step) {
  return prepare_step<FillStep>(context, step);
}

}  // namespace hone
