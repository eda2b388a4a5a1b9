#include <iterator>

#include "native/kernels/quantize_s8/quantize_s8.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/pixel_layout.h"
#include "native/tools/check_kernels/s8_data.h"

namespace hone::check {
namespace {

std::unique_ptr<KernelCase> make(Workbench& bench, const BorderSpec& s) {
  const PixelLayout from = s.x(), to = s.y();
  float* x = bench.input<float>(from.span());
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
  static constexpr float kScales[] = {1.0f / 64, 1.0f / 255, 0.037f, 0.5f, 2.0f, 1e-38f, 1e30f};
  args.scale = s.name != nullptr ? 0.037f : bench.rng().pick(kScales);
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
