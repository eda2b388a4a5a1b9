#include <iterator>

#include "native/kernels/dequantize_s8/dequantize_s8.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/pixel_layout.h"

namespace hone::check {
namespace {

std::unique_ptr<KernelCase> make(Workbench& bench, const BorderSpec& s) {
  const PixelLayout from = s.x(), to = s.y();
  int8_t* x = bench.input<int8_t>(from.runs(), from.run(), from.run() + from.gap);
  bench.fill_bytes(x, from.span());
  DequantizeS8Args args = {};
  args.x = x;
  args.y = bench.output<float>(to.runs(), to.run(), to.run() + to.gap);
  args.pixels = s.pixels;
  args.channels = s.channels;
  args.x_outer_stride = from.outer_stride();
  args.x_pixel_stride = from.pixel_stride();
  args.x_channel_stride = from.channel_stride();
  args.y_outer_stride = to.outer_stride();
  args.y_pixel_stride = to.pixel_stride();
  args.y_channel_stride = to.channel_stride();
  static constexpr float kScales[] = {1.0f / 64, 1.0f / 255, 0.037f, 0.5f, 1e-39f, 1e38f};
  args.scale = bench.rng().pick(kScales);
  args.zero_point = static_cast<int32_t>(bench.rng().between(-128, 127));
  return std::make_unique<PlainCase<DequantizeS8Row, DequantizeS8Args>>(
      kDequantizeS8Rows, args, s.outer * s.pixels, static_cast<double>(s.outer * s.pixels * s.channels),
      s.text());
}

const KernelCheck kCheck = {
    "dequantize_s8",
    [] { return list_rows(kDequantizeS8Rows, kDequantizeS8RowCount); },
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
