#include "native/engine/step.h"

#include <algorithm>

namespace hone {
namespace {

/// Below this much work per thread, waking and joining costs more than it brings.
constexpr double kLeastNsPerThread = 5000;
/// The same behind a node that is divided: workers are awake, and an undivided node would fetch their share
/// of the data from their caches and send it back (a depthwise convolution of 3 us between divided ones took
/// 11).
constexpr double kLeastNsPerThreadBehind = 1250;

}  // namespace

Status make_step(const StepContext& context, std::unique_ptr<Step>* step) {
  switch (context.node().op) {
    case PlanOp::kQuantizeS8:
    case PlanOp::kDequantizeS8:
      return make_border_step(context, step);
    case PlanOp::kConvS8:
    case PlanOp::kDwconvS8:
      return make_conv_step(context, step);
    case PlanOp::kConvF32:
    case PlanOp::kDwconvF32:
      return make_conv_f32_step(context, step);
    case PlanOp::kFcS8:
    case PlanOp::kFcF32:
      return make_fc_step(context, step);
    case PlanOp::kBinaryS8:
    case PlanOp::kBinaryF32:
    case PlanOp::kLutS8:
    case PlanOp::kClampF32:
    case PlanOp::kSoftmaxF32:
      return make_element_step(context, step);
    case PlanOp::kMaxPoolS8:
    case PlanOp::kAveragePoolS8:
    case PlanOp::kMaxPoolF32:
    case PlanOp::kAveragePoolF32:
      return make_pool_step(context, step);
    case PlanOp::kCopyNd:
    case PlanOp::kFill:
      return make_copy_step(context, step);
  }
  return Status("E_INTERNAL", "an operation has no step");
}

std::vector<Tile> divide(const Division& division, const StepContext& context) {
  const double least = context.after_divided ? kLeastNsPerThreadBehind : kLeastNsPerThread;
  const int64_t useful = static_cast<int64_t>(division.work_ns / least);
  const int64_t parties = std::clamp<int64_t>(useful, 1, context.threads);
  const int64_t units = (division.items + division.item_multiple - 1) / division.item_multiple;
  // Share of the busiest thread, by either division.
  const auto share = [&](int64_t count) {
    const int64_t busiest = (count + parties - 1) / parties;
    return static_cast<double>(busiest) / static_cast<double>(std::max<int64_t>(count, 1));
  };
  const bool by_items = share(units) <= share(division.blocks);
  const int64_t count = by_items ? units : division.blocks;
  const int64_t used = std::max<int64_t>(1, std::min(parties, count));
  std::vector<Tile> tiles;
  for (int64_t i = 0; i < used; ++i) {
    const int64_t begin = count * i / used;
    const int64_t end = count * (i + 1) / used;
    Tile tile = {0, division.items, 0, division.blocks};
    if (by_items) {
      tile.begin = begin * division.item_multiple;
      tile.end = std::min(end * division.item_multiple, division.items);
    } else {
      tile.block_begin = static_cast<int32_t>(begin);
      tile.block_end = static_cast<int32_t>(end);
    }
    tiles.push_back(tile);
  }
  return tiles;
}

double estimate_mac_ns(double macs, CpuFeatures needs, bool integer) {
  double per_ns = 0.5;
  if (integer) {
    if ((needs & kCpuAvx512Vnni) != 0)
      per_ns = 200;
    else if ((needs & (kCpuAvx2 | kCpuNeonI8mm)) != 0)
      per_ns = 60;
    else if ((needs & kCpuNeonDotprod) != 0)
      per_ns = 40;
    else if ((needs & kCpuNeon) != 0)
      per_ns = 10;
  } else if (needs != kCpuRef) {
    per_ns = (needs & (kCpuAvx2 | kCpuFma)) != 0 ? 20 : 8;
  }
  return macs / per_ns;
}

double estimate_element_ns(double elements, CpuFeatures needs) {
  return elements / (needs == kCpuRef ? 0.3 : 4.0);
}

WindowShape window_shape(const PlanWindow& window, const PlanTensor& x, const PlanTensor& y) {
  const auto dim = [](const PlanTensor& tensor, int i) { return static_cast<int32_t>(tensor.dims[i]); };
  return {dim(x, 0),         dim(x, 1),       dim(x, 2),       dim(y, 1),       dim(y, 2),
          window.kernel_h,   window.kernel_w, window.stride_h, window.stride_w, window.dilation_h,
          window.dilation_w, window.pad_top,  window.pad_left};
}

OutputRange output_range(const PlanClamp& clamp, int32_t zero_point) {
  return {static_cast<float>(clamp.qmin - zero_point), static_cast<float>(clamp.qmax - zero_point),
          zero_point};
}

const int8_t* find_zero_points(const StepContext& context) {
  const PlanTensor* tensor = context.optional(4);
  if (tensor == nullptr) return nullptr;
  const int8_t* points = context.plan.constant<int8_t>(*tensor);
  const bool zero = std::all_of(points, points + tensor->bytes, [](int8_t point) { return point == 0; });
  return zero ? nullptr : points;
}

bool has_minus_128(const int8_t* weights, int64_t count) {
  return std::find(weights, weights + count, int8_t{-128}) != weights + count;
}

}  // namespace hone
