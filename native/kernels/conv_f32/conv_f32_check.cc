#include <iterator>

#include "native/kernels/conv_f32/conv_f32.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/packed_f32_case.h"
#include "native/tools/check_kernels/window_spec.h"

namespace hone::check {
namespace {

struct Spec {
  WindowSpec window;
  int32_t out_channels, groups;
};

// Strips of 6 and 8 pixels, blocks of 16 channels and the vectors in them; windows read in place, copied at
// an edge, or position by position (gaps, dilation, groups).
constexpr Spec kFixed[] = {
    {square_window(1, 1, 1, 1, 1, 0), 1, 1},
    {square_window(5, 7, 1, 5, 1, 2), 6, 1},
    {square_window(6, 6, 3, 3, 1, 1), 8, 1},
    {square_window(7, 5, 3, 3, 2, 1), 9, 1},
    {square_window(4, 6, 16, 1, 1, 0), 16, 1},
    {square_window(3, 4, 8, 3, 1, 0), 33, 1},
    {square_window(2, 2, 5, 3, 1, 2), 47, 1},
    {square_window(3, 3, 12, 3, 1, 1), 12, 3},
    {square_window(4, 4, 4, 3, 1, 1), 68, 2},
    {{2, 5, 6, 6, 2, 3, 1, 2, 2, 1, 2, 3, 2, 3, 4, 5}, 20, 1},
    {{1, 5, 9, 7, 3, 3, 1, 1, 1, 3, 1, 3, 1, 3, 0, 0}, 16, 1},
    {{1, 9, 4, 2, 5, 1, 2, 1, 2, 1, 0, 0, 0, 0, 3, 0}, 3, 1},
};

struct BenchSpec {
  const char* name;
  Spec spec;
};
constexpr BenchSpec kBench[] = {
    {"5x5 1-6 28x28", {square_window(28, 28, 1, 5, 1, 2), 6, 1}},
    {"5x5 6-16 14x14", {square_window(14, 14, 6, 5, 1, 0), 16, 1}},
    {"3x3 3-16 32x32", {square_window(32, 32, 3, 3, 1, 1), 16, 1}},
    {"3x3 16-16 32x32", {square_window(32, 32, 16, 3, 1, 1), 16, 1}},
    {"3x3 64-64 56x56", {square_window(56, 56, 64, 3, 1, 1), 64, 1}},
    {"1x1 64-256 56x56", {square_window(56, 56, 64, 1, 1, 0), 256, 1}},
};

Spec random_spec(Rng& rng) {
  static constexpr int32_t kChannels[] = {1, 1, 2, 3, 4, 5, 8, 9, 16, 24};
  static constexpr int32_t kOutputs[] = {1, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 24, 31, 32, 33, 50};
  static constexpr int32_t kGroups[] = {1, 1, 1, 1, 2, 3};
  const int32_t groups = rng.pick(kGroups);
  return {random_window(rng, rng.pick(kChannels) * groups), rng.pick(kOutputs) * groups, groups};
}

class ConvF32Case : public PackedF32Case<ConvF32Row, ConvF32Shape, ConvF32Weights, ConvF32Args> {
 public:
  ConvF32Case(Workbench& bench, const Spec& s, const char* name)
      : PackedF32Case(bench, kConvF32Rows, kConvF32RowCount) {
    shape_ = {shape_of(s.window), s.window.channels, s.out_channels, s.groups};
    const WindowShape& w = shape_.window;
    const size_t depth = static_cast<size_t>(w.kernel_h) * w.kernel_w * (shape_.in_channels / s.groups);
    pixels_ = static_cast<int64_t>(w.batch) * w.out_h * w.out_w;
    fill_parameters(s.out_channels * depth, s.out_channels);
    args_.x_stride = shape_.in_channels + s.window.x_gap;
    args_.x = make_input(input_pixels(s.window), shape_.in_channels, args_.x_stride);
    args_.y_stride = s.out_channels + s.window.y_gap;
    args_.y = bench.output<float>(pixels_, s.out_channels, args_.y_stride);
    operations_ = 2.0 * static_cast<double>(pixels_) * s.out_channels * static_cast<double>(depth);
    description_ = name != nullptr ? name
                                   : text_of(s.window) + " outputs " + std::to_string(s.out_channels) +
                                         " groups " + std::to_string(s.groups);
  }

  Tile whole(int row) const override {
    const int32_t block = kConvF32Rows[row].block_channels, channels = shape_.out_channels / shape_.groups;
    return {0, pixels_, 0, (channels + block - 1) / block * shape_.groups};
  }

 private:
  int64_t pixels_;
};

const KernelCheck kCheck = {
    "conv_f32",
    [] { return list_rows(kConvF32Rows, kConvF32RowCount); },
    static_cast<int>(std::size(kFixed)) * 4,
    [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
      const int fixed = static_cast<int>(std::size(kFixed));
      const Spec spec = index < 4 * fixed ? kFixed[index % fixed] : random_spec(bench.rng());
      return std::make_unique<ConvF32Case>(bench, spec, nullptr);
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
      return std::make_unique<ConvF32Case>(bench, kBench[index].spec, kBench[index].name);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
