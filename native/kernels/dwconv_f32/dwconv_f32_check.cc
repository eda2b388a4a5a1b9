#include <iterator>

#include "native/kernels/dwconv_f32/dwconv_f32.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/packed_f32_case.h"
#include "native/tools/check_kernels/window_spec.h"

namespace hone::check {
namespace {

constexpr WindowSpec kFixed[] = {
    square_window(1, 1, 1, 1, 1, 0),
    square_window(5, 6, 3, 3, 1, 1),
    square_window(6, 5, 8, 3, 2, 1),
    square_window(4, 7, 15, 3, 1, 0),
    square_window(3, 4, 32, 5, 1, 2),
    square_window(3, 3, 37, 3, 1, 2),
    {2, 5, 6, 12, 2, 3, 1, 2, 2, 1, 2, 3, 2, 3, 4, 5},
};
constexpr int32_t kChannels[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 40, 48, 65};

struct BenchSpec {
  const char* name;
  WindowSpec spec;
};
constexpr BenchSpec kBench[] = {
    {"3x3 64 25x5", square_window(25, 5, 64, 3, 1, 1)},
    {"3x3 144 56x56", square_window(56, 56, 144, 3, 1, 1)},
    {"3x3s2 8 48x48", square_window(48, 48, 8, 3, 2, 1)},
};

class DwconvF32Case : public PackedF32Case<DwconvF32Row, DwconvF32Shape, DwconvF32Weights, DwconvF32Args> {
 public:
  DwconvF32Case(Workbench& bench, const WindowSpec& s, const char* name)
      : PackedF32Case(bench, kDwconvF32Rows, kDwconvF32RowCount) {
    shape_ = {shape_of(s), s.channels};
    const WindowShape& w = shape_.window;
    const size_t taps = static_cast<size_t>(w.kernel_h) * w.kernel_w;
    const size_t pixels = static_cast<size_t>(w.batch) * w.out_h * w.out_w;
    fill_parameters(taps * s.channels, s.channels);
    args_.x_stride = s.channels + s.x_gap;
    args_.x = make_input(input_pixels(s), s.channels, args_.x_stride);
    args_.y_stride = s.channels + s.y_gap;
    args_.y = bench.output<float>(pixels, s.channels, args_.y_stride);
    operations_ = 2.0 * static_cast<double>(pixels * s.channels * taps);
    description_ = name != nullptr ? name : text_of(s);
  }

  Tile whole(int /*row*/) const override {
    return {0, static_cast<int64_t>(shape_.window.batch) * shape_.window.out_h, 0, 1};
  }
};

const KernelCheck kCheck = {
    "dwconv_f32",
    [] { return list_rows(kDwconvF32Rows, kDwconvF32RowCount); },
    static_cast<int>(std::size(kFixed)) * 4,
    [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
      const int fixed = static_cast<int>(std::size(kFixed));
      const WindowSpec spec =
          index < 4 * fixed ? kFixed[index % fixed] : random_window(bench.rng(), bench.rng().pick(kChannels));
      return std::make_unique<DwconvF32Case>(bench, spec, nullptr);
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
      return std::make_unique<DwconvF32Case>(bench, kBench[index].spec, kBench[index].name);
    }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
