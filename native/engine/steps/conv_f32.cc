#include <algorithm>

#include "native/engine/step.h"
#include "native/kernels/conv_f32/conv_f32.h"
#include "native/kernels/dwconv_f32/dwconv_f32.h"

namespace hone {
namespace {

ConvF32Shape shape_of(const StepContext& context, const ConvF32Row*) {
  const PlanConv& conv = context.params<PlanConv>();
  return {window_shape(conv.window, context.x(0), context.y()), static_cast<int32_t>(context.x(0).dims[3]),
          static_cast<int32_t>(context.y().dims[3]), conv.groups};
}

DwconvF32Shape shape_of(const StepContext& context, const DwconvF32Row*) {
  return {window_shape(context.params<PlanConv>().window, context.x(0), context.y()),
          static_cast<int32_t>(context.y().dims[3])};
}

Division division_of(const ConvF32Shape& shape, const ConvF32Row& row) {
  const int32_t group_blocks =
      (shape.out_channels / shape.groups + row.block_channels - 1) / row.block_channels;
  return {int64_t{shape.window.batch} * shape.window.out_h * shape.window.out_w, std::max(row.tile_pixels, 1),
          group_blocks * shape.groups};
}

Division division_of(const DwconvF32Shape& shape, const DwconvF32Row&) {
  return {int64_t{shape.window.batch} * shape.window.out_h};
}

/// Dense and depthwise convolution differ only in their shapes and rows.
template <typename Row, typename Shape, typename Weights, typename Args>
class ConvF32Step final : public Step {
 public:
  Status prepare(const StepContext& context, const Row* rows, int row_count) {
    const PlanConv& conv = context.params<PlanConv>();
    x_ = &context.x(0);
    y_ = &context.y();
    row_ = &choose_row(rows, row_count, context.mask);
    row_name_ = row_->name;
    shape_ = shape_of(context, row_);
    const Weights weights = {context.plan.constant<float>(context.x(1)),
                             context.plan.constant<float>(context.x(2))};
    packed_ = context.store->find_or_pack(context.node_index, row_->name, row_->packed_bytes(shape_),
                                          [&](void* packed) { row_->pack(shape_, weights, packed); });
    if (packed_ == nullptr) return Status("E_MEMORY", "packed weights");
    scratch_bytes_ = row_->scratch_bytes(shape_);
    args_.packed = packed_->data();
    args_.x_stride = static_cast<ptrdiff_t>(x_->dims[3]);
    args_.y_stride = static_cast<ptrdiff_t>(y_->dims[3]);
    args_.lo = conv.clamp.lo;
    args_.hi = conv.clamp.hi;
    Division division = division_of(shape_, *row_);
    const double pixels = static_cast<double>(y_->dims[0]) * y_->dims[1] * y_->dims[2];
    division.work_ns =
        estimate_mac_ns(pixels * static_cast<double>(count_elements(context.x(1))), row_->needs, false);
    tiles_ = divide(division, context);
    return Status();
  }

  void bind(const Memory& memory) override {
    args_.y = memory.at<float>(*y_);
    args_.x = memory.at<float>(*x_);
  }

  void run(const Tile& tile, void* scratch) const override {
    Args args = args_;
    args.scratch = scratch;
    row_->run(shape_, args, tile);
  }

 private:
  const Row* row_ = nullptr;
  const PlanTensor *x_ = nullptr, *y_ = nullptr;
  Shape shape_{};
  Args args_{};
};

using DenseStep = ConvF32Step<ConvF32Row, ConvF32Shape, ConvF32Weights, ConvF32Args>;
using DepthwiseStep = ConvF32Step<DwconvF32Row, DwconvF32Shape, DwconvF32Weights, DwconvF32Args>;

}  // namespace

Status make_conv_f32_step(const StepContext& context, std::unique_ptr<Step>* step) {
  if (context.node().op == PlanOp::kConvF32)
    return prepare_step<DenseStep>(context, step, kConvF32Rows, kConvF32RowCount);
  return prepare_step<DepthwiseStep>(context, step, kDwconvF32Rows, kDwconvF32RowCount);
}

}  // namespace hone
