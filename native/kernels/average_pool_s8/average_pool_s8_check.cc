#include "native/kernels/average_pool_s8/average_pool_s8.h"

#include <iterator>

#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/s8_data.h"
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
    {"3x3 64 28x28", square_window(28, 28, 64, 3, 1, 1)},
    {"7x7 1024 7x7", square_window(7, 7, 1024, 7, 7, 0)},
    {"25x5 64 25x5", {1, 25, 5, 64, 25, 5, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}},
};

std::unique_ptr<KernelCase> make(Workbench& bench, const WindowSpec& s, const char* name) {
  const WindowShape w = shape_of(s);
  int8_t* x = make_window_input<int8_t>(bench, s);
  bench.fill_bytes(x, input_count(s));
  AveragePoolS8Args args = {};
  args.x = x;
  args.window = w;
  args.channels = s.channels;
  args.x_stride = s.channels + s.x_gap;
  args.y_stride = s.channels + s.y_gap;
  args.count_include_pad = bench.rng().chance(0.5);
  args.x_zero_point = static_cast<int32_t>(bench.rng().between(-128, 127));
  args.range = make_s8_range(bench, name != nullptr);
  const int32_t window_pixels = s.kernel_h * s.kernel_w;
  static constexpr float kRatios[] = {1.0f, 0.5f, 1.7f, 0.037f, 1000.0f, 1e-6f};
  const float ratio = bench.rng().pick(kRatios);
  float* multiplier = bench.input<float>(window_pixels + 1);
  multiplier[0] = 0.0f;
  for (int32_t c = 1; c <= window_pixels; c++) multiplier[c] = ratio / static_cast<float>(c);
  args.multiplier = multiplier;
  const size_t pixels = static_cast<size_t>(w.batch) * w.out_h * w.out_w;
  args.y = bench.output<int8_t>(pixels, s.channels, args.y_stride);
  const double operations = static_cast<double>(pixels) * s.channels * s.kernel_h * s.kernel_w;
  return std::make_unique<PlainCase<AveragePoolS8Row, AveragePoolS8Args>>(
      kAveragePoolS8Rows, args, static_cast<int64_t>(w.batch) * w.out_h, operations,
      name != nullptr ? name : text_of(s));
}

const KernelCheck kCheck = {
    "average_pool_s8",
    [] { return list_rows(kAveragePoolS8Rows, kAveragePoolS8RowCount); },
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
