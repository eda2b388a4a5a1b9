#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "native/kernels/dwconv_s8/dwconv_s8.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/s8_data.h"

namespace hone::check {
namespace {

/// A depthwise convolution to try. Output extents follow from the input, the window and the padding on both
/// sides.
struct Spec {
  int32_t batch, in_h, in_w, channels;
  int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
  int32_t pad_top, pad_left, pad_bottom, pad_right;
  int32_t x_gap, y_gap;
};

constexpr Spec square(int32_t size_h, int32_t size_w, int32_t channels, int32_t kernel, int32_t stride = 1) {
  const int32_t pad = kernel / 2;
  return {1, size_h, size_w, channels, kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad, 0, 0};
}

// Channels around blocks of 8, 16 and 64 and those that share a vector; one to many columns.
constexpr Spec kFixed[] = {
    square(1, 1, 1, 3),
    square(3, 3, 64, 3),
    square(5, 7, 16, 3),
    square(5, 9, 32, 3),
    square(4, 19, 8, 3),
    square(4, 35, 4, 5),
    square(6, 6, 65, 3, 2),
    square(7, 9, 24, 3, 2),
    square(5, 37, 4, 3, 2),
    square(6, 18, 8, 5, 2),
    square(5, 9, 16, 3, 2),
    square(7, 10, 32, 4, 2),
    {2, 6, 23, 8, 3, 3, 1, 2, 1, 2, 1, 2, 1, 2, 5, 0},
    square(8, 8, 63, 5),
    square(9, 10, 80, 5, 2),
    square(5, 5, 144, 3),
    square(4, 6, 15, 7),
    square(6, 8, 17, 1),
    {2, 5, 6, 12, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3, 5},
    {1, 9, 11, 32, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0},
    {1, 8, 12, 16, 4, 4, 2, 1, 1, 1, 1, 2, 1, 1, 0, 4},
    {1, 10, 9, 20, 3, 3, 3, 3, 1, 1, 0, 0, 0, 0, 0, 0},
    {1, 6, 12, 64, 1, 5, 1, 2, 1, 1, 0, 2, 0, 2, 0, 0},
    {3, 6, 3, 128, 6, 3, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1},
    {1, 4, 4, 2, 3, 3, 1, 1, 1, 1, 3, 3, 3, 3, 0, 0},
    // More taps than 16 bits hold the sum of.
    {1, 34, 34, 5, 33, 32, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0},
    {1, 2, 1530, 20, 1, 1520, 1, 2, 1, 1, 0, 3, 0, 3, 0, 0},
    {1, 801, 2, 3, 800, 1, 1, 1, 1, 1, 2, 0, 2, 0, 1, 0},
    {1, 1, 2010, 16, 1, 2009, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0},
};

struct BenchSpec {
  const char* name;
  Spec spec;
};
constexpr BenchSpec kBench[] = {
    {"3x3 144 56x56", square(56, 56, 144, 3)},    {"3x3s2 144 56x56", square(56, 56, 144, 3, 2)},
    {"3x3 32 112x112", square(112, 112, 32, 3)},  {"3x3 512 14x14", square(14, 14, 512, 3)},
    {"3x3 64 25x5", square(25, 5, 64, 3)},        {"3x3 8 48x48", square(48, 48, 8, 3)},
    {"3x3s2 16 48x48", square(48, 48, 16, 3, 2)}, {"5x5 120 28x28", square(28, 28, 120, 5)},
    {"5x5s2 96 28x28", square(28, 28, 96, 5, 2)}, {"7x7 96 28x28", square(28, 28, 96, 7)},
};

class DwconvS8Case : public KernelCase {
 public:
  DwconvS8Case(Workbench& bench, const Spec& s, bool plain, const std::string& name,
               bool with_zero_points = false)
      : bench_(bench), packed_(kDwconvS8RowCount), scratch_(kDwconvS8RowCount) {
    const int32_t reach_h = (s.kernel_h - 1) * s.dilation_h + 1,
                  reach_w = (s.kernel_w - 1) * s.dilation_w + 1;
    const int32_t out_h = (s.in_h + s.pad_top + s.pad_bottom - reach_h) / s.stride_h + 1;
    const int32_t out_w = (s.in_w + s.pad_left + s.pad_right - reach_w) / s.stride_w + 1;
    shape_ = {{s.batch, s.in_h, s.in_w, out_h, out_w, s.kernel_h, s.kernel_w, s.stride_h, s.stride_w,
               s.dilation_h, s.dilation_w, s.pad_top, s.pad_left},
              s.channels};
    const size_t taps = static_cast<size_t>(s.kernel_h) * s.kernel_w;
    S8Weights w = make_s8_weights(bench, taps * s.channels, s.channels, taps, plain);
    if (with_zero_points) add_zero_points(bench, taps * s.channels, s.channels, &w);
    weights_ = {w.weights, w.bias, w.multiplier, w.zero_points, w.x_zero_point};
    args_ = {};
    args_.x_stride = s.channels + s.x_gap;
    args_.y_stride = s.channels + s.y_gap;
    args_.x_zero_point = w.x_zero_point;
    args_.range = make_s8_range(bench, plain);
    const int64_t in_pixels = static_cast<int64_t>(s.batch) * s.in_h * s.in_w;
    const size_t x_bytes = (in_pixels - 1) * args_.x_stride + s.channels;
    int8_t* x = bench.input<int8_t>(in_pixels, s.channels, args_.x_stride);
    bench.fill_bytes(x, x_bytes);
    args_.x = x;
    args_.y = bench.output<int8_t>(static_cast<size_t>(s.batch) * out_h * out_w, s.channels, args_.y_stride);
    char text[200];
    snprintf(text, sizeof(text), "n%d %dx%dx%d -> %dx%d k%dx%d s%dx%d d%dx%d p%d,%d gaps %d,%d", s.batch,
             s.in_h, s.in_w, s.channels, out_h, out_w, s.kernel_h, s.kernel_w, s.stride_h, s.stride_w,
             s.dilation_h, s.dilation_w, s.pad_top, s.pad_left, s.x_gap, s.y_gap);
    description_ = !name.empty() ? name : text;
  }

  std::string describe() const override { return description_; }
  bool fits(int row) const override { return kDwconvS8Rows[row].fits(shape_); }
  void prepare(int row) override {
    const DwconvS8Row& r = kDwconvS8Rows[row];
    packed_[row] = bench_.aligned_input(r.packed_bytes(pack_shape(shape_)));
    r.pack(pack_shape(shape_), weights_, packed_[row]);
    scratch_[row] = bench_.scratch(r.scratch_bytes(shape_));
  }
  Tile whole(int /*row*/) const override {
    return {0, static_cast<int64_t>(shape_.window.batch) * shape_.window.out_h, 0, 1};
  }
  void run(int row, const Tile& tile) override {
    args_.packed = packed_[row];
    args_.scratch = scratch_[row];
    kDwconvS8Rows[row].run(shape_, args_, tile);
  }
  double operations() const override {
    const WindowShape& w = shape_.window;
    return 2.0 * w.batch * w.out_h * w.out_w * shape_.channels * w.kernel_h * w.kernel_w;
  }

 private:
  Workbench& bench_;
  DwconvS8Shape shape_;
  DwconvS8Weights weights_;
  DwconvS8Args args_;
  std::string description_;
  std::vector<uint8_t*> packed_, scratch_;
};

Spec random_spec(Rng& rng) {
  static constexpr int32_t kChannels[] = {1,  2,  3,  4,  7,  8,  9,  12, 15, 16, 17,
                                          24, 31, 32, 33, 40, 48, 63, 64, 65, 96, 130};
  static constexpr int32_t kKernels[] = {1, 2, 3, 3, 3, 3, 4, 5, 5, 7, 9};
  static constexpr int32_t kGaps[] = {0, 0, 0, 1, 13};
  Spec s = {};
  s.batch = rng.chance(0.2) ? 2 : 1;
  s.channels = rng.pick(kChannels);
  s.kernel_h = rng.pick(kKernels);
  s.kernel_w = rng.chance(0.8) ? s.kernel_h : rng.pick(kKernels);
  s.stride_h = rng.chance(0.6) ? 1 : static_cast<int32_t>(rng.between(1, 3));
  s.stride_w = rng.chance(0.8) ? s.stride_h : static_cast<int32_t>(rng.between(1, 3));
  s.dilation_h = rng.chance(0.8) ? 1 : 2;
  s.dilation_w = rng.chance(0.8) ? 1 : static_cast<int32_t>(rng.between(1, 3));
  if (rng.chance(0.8)) {
    s.pad_top = static_cast<int32_t>(rng.between(0, s.kernel_h));
    s.pad_left = static_cast<int32_t>(rng.between(0, s.kernel_w));
    s.pad_bottom = static_cast<int32_t>(rng.between(0, s.kernel_h));
    s.pad_right = static_cast<int32_t>(rng.between(0, s.kernel_w));
  }
  const int32_t reach_h = (s.kernel_h - 1) * s.dilation_h + 1, reach_w = (s.kernel_w - 1) * s.dilation_w + 1;
  s.in_h = std::max<int32_t>(1, reach_h - s.pad_top - s.pad_bottom + static_cast<int32_t>(rng.between(0, 6)));
  s.in_w =
      std::max<int32_t>(1, reach_w - s.pad_left - s.pad_right + static_cast<int32_t>(rng.between(0, 20)));
  s.x_gap = rng.pick(kGaps);
  s.y_gap = rng.pick(kGaps);
  return s;
}

const KernelCheck kCheck = {
    "dwconv_s8",
    [] { return list_rows(kDwconvS8Rows, kDwconvS8RowCount); },
    static_cast<int>(std::size(kFixed)) * 4,
    [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
      const int fixed = static_cast<int>(std::size(kFixed));
      const Spec spec = index < 4 * fixed ? kFixed[index % fixed] : random_spec(bench.rng());
      return std::make_unique<DwconvS8Case>(bench, spec, index < fixed, "");
    },
    2 * static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
      const S8Bench which = s8_bench(index, static_cast<int>(std::size(kBench)));
      const auto& [name, shape] = kBench[which.shape];
      return std::make_unique<DwconvS8Case>(bench, shape, true, which.name(name), which.with_zero_points);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
