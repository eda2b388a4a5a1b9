#include <cmath>
#include <iterator>

#include "native/kernels/quantize_s8/quantize_s8.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/pixel_layout.h"
#include "native/tools/check_kernels/s8_data.h"

namespace hone::check {
namespace {

/// Quotients at the ties of rounding and up to two units in the last place beside them.
void fill_near_ties(Workbench& bench, float* x, size_t count, float scale) {
  for (size_t i = 0; i < count; i++) {
    x[i] = (static_cast<float>(bench.rng().between(-140, 140)) + 0.5f) * scale;
    for (int64_t steps = bench.rng().between(-2, 2); steps != 0; steps += steps < 0 ? 1 : -1)
      x[i] = std::nextafter(x[i], steps < 0 ? -INFINITY : INFINITY);
  }
}

std::unique_ptr<KernelCase> make(Workbench& bench, const BorderSpec& s) {
  const PixelLayout from = s.x(), to = s.y();
  float* x = bench.input<float>(from.runs(), from.run(), from.run() + from.gap);
  bench.fill_floats(x, from.span());
  QuantizeS8Args args = {};
  args.x = x;
  args.y = bench.output<int8_t>(to.runs(), to.run(), to.run() + to.gap);
  args.pixels = s.pixels;
  args.channels = s.channels;
  args.x_outer_stride = from.outer_stride();
  args.x_pixel_stride = from.pixel_stride();
  args.x_channel_stride = from.channel_stride();
  args.y_outer_stride = to.outer_stride();
  args.y_pixel_stride = to.pixel_stride();
  args.y_channel_stride = to.channel_stride();
  static constexpr float kScales[] = {1.0f / 64, 1.0f / 255, 0.037f, 0.5f, 2.0f, 1.9999999f, 1e-38f, 1e30f};
  args.scale = s.name != nullptr ? 0.037f : bench.rng().pick(kScales);
  if (s.name == nullptr && bench.rng().chance(0.3))
    args.scale = std::ldexp(1.0f + static_cast<float>(bench.rng().unit()), -7);
  if (s.name == nullptr && bench.rng().chance(0.5)) fill_near_ties(bench, x, from.span(), args.scale);
  args.range = make_s8_range(bench, s.name != nullptr);
  return std::make_unique<PlainCase<QuantizeS8Row, QuantizeS8Args>>(
      kQuantizeS8Rows, args, s.outer * s.pixels, static_cast<double>(s.outer * s.pixels * s.channels),
      s.text());
}

const KernelCheck kCheck = {
    "quantize_s8",
    [] { return list_rows(kQuantizeS8Rows, kQuantizeS8RowCount); },
    static_cast<int>(std::size(kBorderFixed)) * 4,
    [](Workbench& bench, int index) {
      const int fixed = static_cast<int>(std::size(kBorderFixed));
      return make(bench, index < 4 * fixed ? kBorderFixed[index % fixed] : random_border(bench.rng()));
    },
    static_cast<int>(std::size(kBorderBench)),
    [](Workbench& bench, int index) { return make(bench, kBorderBench[index]); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
