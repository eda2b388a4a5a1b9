#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "native/kernels/conv_s8/conv_s8.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/s8_data.h"

namespace hone::check {
namespace {

/// A convolution to try. Output extents follow from the input, the window and the padding on both sides.
struct Spec {
  int32_t batch, in_h, in_w, in_channels, out_channels, groups;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t pad_top, pad_left, pad_bottom, pad_right;
  bool residual, aliased;
  int32_t x_gap, y_gap, residual_gap;
};

constexpr Spec dense(int32_t size_h, int32_t size_w, int32_t in, int32_t out, int32_t kernel,
                     int32_t stride = 1, bool residual = false) {
  const int32_t pad = kernel / 2;
  return {1, size_h, size_w, in,  out, 1,        kernel, kernel, stride, stride, 1,
          1, pad,    pad,    pad, pad, residual, false,  0,      0,      0};
}

// Widths around the micro-kernels' 6, 8, 12 and 16 pixels; channels around blocks of 8 and 16 and sets of 1
// to 4 blocks; depths around groups of 2, 4, 8 and 16.
constexpr Spec kFixed[] = {
    dense(1, 1, 1, 1, 1),
    dense(1, 1, 4, 16, 1),
    dense(3, 5, 3, 16, 3),
    dense(4, 6, 16, 64, 1),
    dense(4, 7, 64, 64, 1, 1, true),
    dense(2, 13, 8, 65, 3),
    dense(1, 12, 5, 33, 3, 1, true),
    dense(2, 17, 16, 15, 3, 1, true),
    dense(5, 16, 7, 17, 3),
    dense(3, 33, 4, 12, 5),
    dense(9, 9, 12, 80, 3, 2),
    dense(7, 7, 3, 24, 7, 2),
    dense(6, 6, 16, 96, 1, 2),
    dense(2, 25, 15, 63, 1, 1, true),
    {2, 5, 6, 6, 9, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, false, false, 2, 3, 0},
    {1, 9, 8, 8, 8, 1, 3, 2, 2, 1, 2, 3, 2, 3, 1, 4, true, true, 0, 0, 0},
    {1, 1, 64, 1, 8, 1, 1, 10, 1, 2, 1, 1, 0, 4, 0, 4, false, false, 0, 0, 0},
    {1, 6, 5, 4, 20, 1, 3, 3, 1, 1, 1, 1, 5, 5, 5, 5, true, false, 1, 0, 7},
    {3, 2, 2, 32, 48, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, true, true, 0, 5, 0},
    {1, 4, 4, 130, 66, 1, 1, 1, 3, 2, 1, 1, 0, 0, 0, 0, false, false, 9, 0, 0},
    dense(1, 6, 9000, 5, 1),  // 16 bits do not hold sums of so many elements
    dense(2, 3, 8192, 17, 1),
};

struct BenchSpec {
  const char* name;
  Spec spec;
};
constexpr BenchSpec kBench[] = {
    {"3x3 64-64 56x56", dense(56, 56, 64, 64, 3)},
    {"3x3 64-64 56x56 residual", dense(56, 56, 64, 64, 3, 1, true)},
    {"3x3 512-512 7x7", dense(7, 7, 512, 512, 3)},
    {"1x1 256-64 56x56", dense(56, 56, 256, 64, 1)},
    {"1x1 64-256 56x56", dense(56, 56, 64, 256, 1)},
    {"1x1 24-144 56x56", dense(56, 56, 24, 144, 1)},
    {"1x1 144-24 56x56", dense(56, 56, 144, 24, 1)},
    {"7x7s2 3-64 224x224", dense(224, 224, 3, 64, 7, 2)},
    {"3x3s2 3-32 224x224", dense(224, 224, 3, 32, 3, 2)},
    {"3x3 3-16 32x32", dense(32, 32, 3, 16, 3)},
    {"3x3 16-16 32x32", dense(32, 32, 16, 16, 3)},
    {"3x3 16-16 32x32 residual", dense(32, 32, 16, 16, 3, 1, true)},
    {"3x3s2 16-32 32x32", dense(32, 32, 16, 32, 3, 2)},
    {"3x3 32-32 16x16", dense(16, 16, 32, 32, 3)},
    {"1x1s2 16-32 32x32", dense(32, 32, 16, 32, 1, 2)},
    {"1x1s2 32-64 16x16", dense(16, 16, 32, 64, 1, 2)},
    {"5x5 1-8 28x28", dense(28, 28, 1, 8, 5)},
    {"3x3s2 32-64 16x16", dense(16, 16, 32, 64, 3, 2)},
    {"3x3 64-64 8x8", dense(8, 8, 64, 64, 3)},
    {"10x4s2 1-64 49x10", {1, 49, 10, 1, 64, 1, 10, 4, 2, 2, 1, 1, 4, 1, 5, 1, false, false, 0, 0, 0}},
    {"1x1 64-64 25x5", dense(25, 5, 64, 64, 1)},
    {"1x1 16-8 48x48", dense(48, 48, 16, 8, 1)},
    {"3x3 64-64 28x28 8 groups", {1, 28, 28, 64, 64, 8, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, false, false, 0, 0, 0}},
    {"3x3 128-128 28x28 32 groups",
     {1, 28, 28, 128, 128, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, false, false, 0, 0, 0}},
};

Spec random_spec(Rng& rng) {
  static constexpr int32_t kChannels[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 33, 40, 64};
  static constexpr int32_t kOutputs[] = {1,  2,  7,  8,  9,  12, 15, 16, 17, 24, 31,
                                         32, 33, 47, 48, 49, 63, 64, 65, 80, 100};
  static constexpr int32_t kKernels[] = {1, 1, 2, 3, 3, 3, 5, 7};
  static constexpr int32_t kGroups[] = {1, 1, 1, 1, 2, 3};
  static constexpr int32_t kGaps[] = {0, 0, 1, 13};
  Spec s = {};
  s.batch = rng.chance(0.2) ? 2 : 1;
  s.groups = rng.pick(kGroups);
  s.in_channels = rng.pick(kChannels) * s.groups;
  s.out_channels = rng.pick(kOutputs) * s.groups;
  s.kernel_h = rng.pick(kKernels);
  s.kernel_w = rng.chance(0.8) ? s.kernel_h : rng.pick(kKernels);
  s.stride_h = rng.chance(0.6) ? 1 : static_cast<int32_t>(rng.between(1, 3));
  s.stride_w = rng.chance(0.8) ? s.stride_h : static_cast<int32_t>(rng.between(1, 3));
  s.dilation_h = rng.chance(0.8) ? 1 : 2;
  s.dilation_w = rng.chance(0.8) ? 1 : static_cast<int32_t>(rng.between(1, 3));
  if (rng.chance(0.7)) {
    s.pad_top = static_cast<int32_t>(rng.between(0, s.kernel_h));
    s.pad_left = static_cast<int32_t>(rng.between(0, s.kernel_w));
    s.pad_bottom = static_cast<int32_t>(rng.between(0, s.kernel_h));
    s.pad_right = static_cast<int32_t>(rng.between(0, s.kernel_w));
  }
  const int32_t reach_h = (s.kernel_h - 1) * s.dilation_h + 1, reach_w = (s.kernel_w - 1) * s.dilation_w + 1;
  s.in_h = std::max<int32_t>(1, reach_h - s.pad_top - s.pad_bottom + static_cast<int32_t>(rng.between(0, 5)));
  s.in_w =
      std::max<int32_t>(1, reach_w - s.pad_left - s.pad_right + static_cast<int32_t>(rng.between(0, 20)));
  s.residual = rng.chance(0.4);
  s.aliased = s.residual && rng.chance(0.5);
  s.x_gap = rng.pick(kGaps);
  s.y_gap = rng.pick(kGaps);
  s.residual_gap = rng.pick(kGaps);
  return s;
}

std::string text_of(const Spec& s, const ConvS8Shape& shape) {
  char text[256];
  snprintf(text, sizeof(text), "n%d %dx%dx%d -> %dx%dx%d k%dx%d s%dx%d d%dx%d p%d,%d g%d gaps %d,%d,%d%s%s",
           s.batch, s.in_h, s.in_w, s.in_channels, shape.window.out_h, shape.window.out_w, s.out_channels,
           s.kernel_h, s.kernel_w, s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.pad_top, s.pad_left,
           s.groups, s.x_gap, s.y_gap, s.residual_gap, s.residual ? " residual" : "",
           s.aliased ? " in y" : "");
  return text;
}

class ConvS8Case : public KernelCase {
 public:
  ConvS8Case(Workbench& bench, const Spec& s, bool plain, const std::string& name,
             bool with_zero_points = false)
      : bench_(bench) {
    const int32_t reach_h = (s.kernel_h - 1) * s.dilation_h + 1,
                  reach_w = (s.kernel_w - 1) * s.dilation_w + 1;
    const int32_t out_h = (s.in_h + s.pad_top + s.pad_bottom - reach_h) / s.stride_h + 1;
    const int32_t out_w = (s.in_w + s.pad_left + s.pad_right - reach_w) / s.stride_w + 1;
    shape_ = {{s.batch, s.in_h, s.in_w, out_h, out_w, s.kernel_h, s.kernel_w, s.stride_h, s.stride_w,
               s.dilation_h, s.dilation_w, s.pad_top, s.pad_left},
              s.in_channels,
              s.out_channels,
              s.groups};
    pixels_ = static_cast<int64_t>(s.batch) * out_h * out_w;
    depth_ = static_cast<size_t>(s.kernel_h) * s.kernel_w * (s.in_channels / s.groups);
    S8Weights w = make_s8_weights(bench, s.out_channels * depth_, s.out_channels, depth_, plain);
    if (with_zero_points) add_zero_points(bench, s.out_channels * depth_, s.out_channels, &w);
    weights_ = {w.weights, w.bias, w.multiplier, w.zero_points, w.x_zero_point};
    args_ = {};
    args_.x_stride = s.in_channels + s.x_gap;
    args_.y_stride = s.out_channels + s.y_gap;
    args_.x_zero_point = w.x_zero_point;
    args_.conv_range = make_s8_range(bench, plain);
    const int64_t in_pixels = static_cast<int64_t>(s.batch) * s.in_h * s.in_w;
    const size_t x_bytes = (in_pixels - 1) * args_.x_stride + s.in_channels;
    int8_t* x = bench.input<int8_t>(in_pixels, s.in_channels, args_.x_stride);
    bench.fill_bytes(x, x_bytes);
    args_.x = x;
    args_.y = bench.output<int8_t>(pixels_, s.out_channels, args_.y_stride);
    if (s.residual) add_residual(s, plain);
    description_ = !name.empty() ? name : text_of(s, shape_);
    packed_.resize(kConvS8RowCount);
    scratch_.resize(kConvS8RowCount);
  }

  std::string describe() const override { return description_; }
  bool fits(int row) const override { return kConvS8Rows[row].fits(shape_); }
  void prepare(int row) override {
    const ConvS8Row& r = kConvS8Rows[row];
    packed_[row] = bench_.aligned_input(r.packed_bytes(pack_shape(shape_)));
    r.pack(pack_shape(shape_), weights_, packed_[row]);
    scratch_[row] = bench_.scratch(r.scratch_bytes(shape_));
  }
  Tile whole(int row) const override {
    const int32_t block = kConvS8Rows[row].block_channels, channels = shape_.out_channels / shape_.groups;
    return {0, pixels_, 0, (channels + block - 1) / block * shape_.groups};
  }
  void run(int row, const Tile& tile) override {
    args_.packed = packed_[row];
    args_.scratch = scratch_[row];
    kConvS8Rows[row].run(shape_, args_, tile);
  }
  double operations() const override {
    return 2.0 * static_cast<double>(pixels_) * shape_.out_channels * static_cast<double>(depth_);
  }

 private:
  void add_residual(const Spec& s, bool plain) {
    Rng& rng = bench_.rng();
    args_.residual_stride = s.out_channels + (s.aliased ? s.y_gap : s.residual_gap);
    if (s.aliased) {
      bench_.fill_bytes(args_.y, (pixels_ - 1) * args_.y_stride + s.out_channels);
      args_.residual = args_.y;
    } else {
      const size_t bytes = (pixels_ - 1) * args_.residual_stride + s.out_channels;
      int8_t* residual = bench_.input<int8_t>(pixels_, s.out_channels, args_.residual_stride);
      bench_.fill_bytes(residual, bytes);
      args_.residual = residual;
    }
    static constexpr float kScales[] = {0.5f, 0.25f, 0.125f, 0.1f, 0.037f, 1.7f};
    args_.add.a_scale = rng.pick(kScales);
    args_.add.b_scale = rng.pick(kScales);
    args_.add.out_scale = rng.pick(kScales);
    args_.add.a_zero_point = args_.conv_range.zero_point;
    args_.add.b_zero_point = static_cast<int32_t>(rng.between(-128, 127));
    args_.add_range = make_s8_range(bench_, plain);
  }

  Workbench& bench_;
  ConvS8Shape shape_;
  ConvS8Weights weights_;
  ConvS8Args args_;
  int64_t pixels_;
  size_t depth_;
  std::string description_;
  std::vector<uint8_t*> packed_, scratch_;
};

const KernelCheck kCheck = {
    "conv_s8",
    [] { return list_rows(kConvS8Rows, kConvS8RowCount); },
    static_cast<int>(std::size(kFixed)) * 4,
    [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
      // Fixed shapes four times over: the fill and the placement of buffers differ.
      const int fixed = static_cast<int>(std::size(kFixed));
      const Spec spec = index < 4 * fixed ? kFixed[index % fixed] : random_spec(bench.rng());
      return std::make_unique<ConvS8Case>(bench, spec, index < fixed, "");
    },
    2 * static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
      const S8Bench which = s8_bench(index, static_cast<int>(std::size(kBench)));
      const auto& [name, shape] = kBench[which.shape];
      return std::make_unique<ConvS8Case>(bench, shape, true, which.name(name), which.with_zero_points);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
