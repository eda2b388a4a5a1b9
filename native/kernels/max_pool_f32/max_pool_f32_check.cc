#include "native/kernels/max_pool_f32/max_pool_f32.h"

#include <iterator>

#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/window_spec.h"

namespace hone::check {
namespace {

// Channels around every vector width and its multiples; one window larger than 256 pixels.
constexpr WindowSpec kFixed[] = {
    square_window(1, 1, 1, 1, 1, 0),     square_window(4, 5, 3, 2, 2, 0),
    square_window(6, 7, 6, 3, 2, 1),     square_window(5, 5, 16, 3, 1, 1),
    square_window(4, 4, 17, 2, 2, 0),    square_window(7, 7, 33, 7, 7, 0),
    square_window(5, 4, 64, 3, 2, 1),    square_window(3, 3, 131, 3, 1, 1),
    square_window(18, 19, 20, 18, 1, 0), {2, 5, 6, 12, 2, 3, 1, 2, 2, 1, 2, 3, 2, 3, 4, 5},
};
constexpr int32_t kChannels[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  12,  15,  16,  17, 24,
                                 31, 32, 33, 40, 48, 63, 64, 65, 96, 127, 128, 130, 144};

struct BenchSpec {
  const char* name;
  WindowSpec spec;
};
constexpr BenchSpec kBench[] = {
    {"2x2s2 16 24x24", square_window(24, 24, 16, 2, 2, 0)},
    {"2x2s2 6 28x28", square_window(28, 28, 6, 2, 2, 0)},
    {"3x3s2 64 112x112", square_window(112, 112, 64, 3, 2, 1)},
};

std::unique_ptr<KernelCase> make(Workbench& bench, const WindowSpec& s, const char* name) {
  const WindowShape w = shape_of(s);
  float* x = make_window_input<float>(bench, s);
  bench.fill_floats(x, input_count(s));
  MaxPoolF32Args args = {};
  args.x = x;
  args.window = w;
  args.channels = s.channels;
  args.x_stride = s.channels + s.x_gap;
  args.y_stride = s.channels + s.y_gap;
  const size_t pixels = static_cast<size_t>(w.batch) * w.out_h * w.out_w;
  args.y = bench.output<float>(pixels, s.channels, args.y_stride);
  const double operations = static_cast<double>(pixels) * s.channels * s.kernel_h * s.kernel_w;
  return std::make_unique<PlainCase<MaxPoolF32Row, MaxPoolF32Args>>(
      kMaxPoolF32Rows, args, static_cast<int64_t>(w.batch) * w.out_h, operations,
      name != nullptr ? name : text_of(s));
}

const KernelCheck kCheck = {
    "max_pool_f32",
    [] { return list_rows(kMaxPoolF32Rows, kMaxPoolF32RowCount); },
    static_cast<int>(std::size(kFixed)) * 4,
    [](Workbench& bench, int index) {
      const int fixed = static_cast<int>(std::size(kFixed));
      const WindowSpec spec =
          index < 4 * fixed ? kFixed[index % fixed] : random_window(bench.rng(), bench.rng().pick(kChannels));
      return make(bench, spec, nullptr);
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) { return make(bench, kBench[index].spec, kBench[index].name); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
