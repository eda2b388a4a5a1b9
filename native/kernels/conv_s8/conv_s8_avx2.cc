#include "native/kernels/conv_s8/conv_s8_rows.h"
#include "native/kernels/gemm_s8_avx2.h"
#include "native/kernels/window_band.h"

namespace hone {
namespace {

/// Fills a band with s16 elements.
struct ToS16 {
  int16_t zero_point;

  void fill(int16_t* to, int64_t count) const { fill_s16(to, zero_point, count); }
  void copy(int16_t* to, const int8_t* from, int64_t count) const { copy_as_s16(to, from, count); }
};

}  // namespace

void conv_s8_avx2(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile) {
  const WindowShape w = band_flattened(shape.window);
  const GemmDepth depth = conv_s8_direct_depth(shape);
  const size_t block_bytes = gemm_block_bytes(kConvS8Avx2Format, depth);
  const int32_t in_channels = shape.in_channels, group_inputs = in_channels / shape.groups;
  const int32_t group_outputs = shape.out_channels / shape.groups;
  const int32_t group_blocks = gemm_blocks(kConvS8Avx2Format, group_outputs);
  int16_t* band = static_cast<int16_t*>(args.scratch);
  const ToS16 convert = {static_cast<int16_t>(args.x_zero_point)};
  const bool adds = args.residual != nullptr;
  ResidualAdd residual = {args.add, args.conv_range, nullptr, args.residual_stride};
  Panel panel = {nullptr,
                 w.kernel_h,
                 depth.runs / w.kernel_h,
                 0,
                 static_cast<ptrdiff_t>(w.dilation_w) * in_channels,
                 gemm_run_groups(kConvS8Avx2Format, depth.run_length),
                 static_cast<ptrdiff_t>(band_step_w(w)) * in_channels,
                 args.y_stride,
                 0,
                 Requantizer(adds ? args.add_range : args.conv_range),
                 adds ? &residual : nullptr};
  for_each_rectangle(w, in_channels * sizeof(int16_t), tile.begin, tile.end, [&](const Rectangle& r) {
    fill_band(w, in_channels, r, args.x, args.x_stride, band, convert);
    const int64_t row_elements = band_columns(w, r.x_end - r.x_begin) * in_channels;
    panel.row_step = row_elements * w.dilation_h;
    for (int32_t block = tile.block_begin; block < tile.block_end; block++) {
      const int32_t group = block / group_blocks, channel = block % group_blocks * 16;
      panel.block = static_cast<const uint8_t*>(args.packed) + block * block_bytes;
      panel.channels = group_outputs - channel < 16 ? group_outputs - channel : 16;
      const int16_t* a = band + static_cast<ptrdiff_t>(group) * group_inputs;
      const int64_t first_channel = static_cast<int64_t>(group) * group_outputs + channel;
      for (int32_t y = r.y_begin; y < r.y_end; y++, a += row_elements * band_step_h(w)) {
        const int64_t pixel = (r.image * w.out_h + y) * w.out_w + r.x_begin;
        if (adds) residual.data = args.residual + pixel * args.residual_stride + first_channel;
        run_pixels(panel, a, r.x_end - r.x_begin, args.y + pixel * args.y_stride + first_channel);
      }
    }
  });
}

}  // namespace hone
