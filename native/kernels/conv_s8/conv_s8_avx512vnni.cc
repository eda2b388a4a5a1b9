#include "native/kernels/conv_s8/conv_s8_avx512vnni_paired.h"
#include "native/kernels/conv_s8/conv_s8_avx512vnni_sums.h"
#include "native/kernels/conv_s8/conv_s8_rows.h"
#include "native/kernels/gemm_s8_avx512vnni.h"
#include "native/kernels/window_band.h"

namespace hone {

void conv_s8_avx512vnni(const ConvS8Shape& shape, const ConvS8Args& args, const Tile& tile) {
  const WindowShape w = band_flattened(shape.window);
  const GemmDepth depth = conv_s8_direct_depth(shape);
  const int32_t in_channels = shape.in_channels, group_inputs = in_channels / shape.groups;
  const int32_t group_outputs = shape.out_channels / shape.groups;
  const int32_t group_blocks = gemm_blocks(kConvS8Avx512VnniFormat, group_outputs);
  uint8_t* band = static_cast<uint8_t*>(args.scratch);
  const ToU8 convert = {static_cast<uint8_t>(args.x_zero_point + 128)};
  const bool adds = args.residual != nullptr;
  ResidualAdd residual = {args.add, args.conv_range, nullptr, args.residual_stride};
  Panel panel = {nullptr,
                 gemm_block_bytes(kConvS8Avx512VnniFormat, depth),
                 w.kernel_h,
                 depth.runs / w.kernel_h,
                 0,
                 static_cast<ptrdiff_t>(w.dilation_w) * in_channels,
                 gemm_run_groups(kConvS8Avx512VnniFormat, depth.run_length),
                 static_cast<ptrdiff_t>(band_step_w(w)) * in_channels,
                 args.y_stride,
                 0,
                 Requantizer(adds ? args.add_range : args.conv_range),
                 adds ? &residual : nullptr,
                 nullptr,
                 0,
                 conv_s8_depth(shape) <= kMostSmallDepth};
  const uint8_t* packed = static_cast<const uint8_t*>(args.packed);
  const bool shifted = is_shifted(packed + tile.block_begin * panel.block_bytes, panel.block_bytes,
                                  tile.block_end - tile.block_begin);
  const WindowSums window_sums(w, shape);
  const bool direct = window_sums.mode == SumMode::kDirect;
  panel.sum_step = window_sums.step();
  panel.word_sums = window_sums.mode == SumMode::kWords;
  alignas(64) int32_t sums[kMostSums + kReadBehind];
  // Part of a rectangle whose first row and column lie at `part_band`.
  const auto run_part = [&](const Rectangle& r, const uint8_t* part_band, int64_t row_bytes) {
    const int32_t columns = r.x_end - r.x_begin;
    // Without a window, whole rows follow one another in the band as in y: one long row.
    const bool one_row = w.kernel_h == 1 && w.kernel_w == 1 && columns == w.out_w;
    const int32_t rows_at_once = one_row ? r.y_end - r.y_begin : 1;
    const int64_t pixels = int64_t{rows_at_once} * columns;
    const int64_t line_length = direct ? pixels : window_sums.line_length(pixels);
    int32_t summed_group = -1;
    if (shifted && !direct)
      window_sums.fill(part_band, panel.row_step, row_bytes * band_step_h(w), pixels,
                       one_row ? 1 : r.y_end - r.y_begin, sums);
    for (int32_t block = tile.block_begin; block < tile.block_end;) {
      const int32_t group = block / group_blocks, in_group = block % group_blocks;
      const int32_t left = tile.block_end - block, left_in_group = group_blocks - in_group;
      const int32_t blocks = next_blocks(left < left_in_group ? left : left_in_group);
      const int32_t channel = in_group * 16;
      panel.block = packed + block * panel.block_bytes;
      panel.channels = group_outputs - channel < blocks * 16 ? group_outputs - channel : blocks * 16;
      const bool needs_sums = shifted && is_shifted(panel.block, panel.block_bytes, blocks);
      const bool sums_now = direct && needs_sums && summed_group != group;
      if (sums_now) summed_group = group;
      const uint8_t* a = part_band + static_cast<ptrdiff_t>(group) * group_inputs;
      const int64_t first_channel = static_cast<int64_t>(group) * group_outputs + channel;
      const uint8_t* row_sums = reinterpret_cast<const uint8_t*>(sums);
      int32_t* direct_sums = sums;
      for (int32_t y = r.y_begin; y < r.y_end; y += rows_at_once, a += row_bytes * band_step_h(w)) {
        const int64_t pixel = (r.image * w.out_h + y) * w.out_w + r.x_begin;
        if (adds) residual.data = args.residual + pixel * args.residual_stride + first_channel;
        if (sums_now) sum_windows(panel, depth.run_length, a, pixels, direct_sums);
        panel.sums = needs_sums ? row_sums + group * window_sums.group_step() : nullptr;
        if (needs_sums) row_sums += line_length * window_sums.element_bytes();
        direct_sums += line_length;
        int8_t* to = args.y + pixel * args.y_stride + first_channel;
        if (conv_s8_doubles_channels(shape) && !adds) {
          run_paired_pixels(panel, a, pixels, to);
        } else {
          run_pixels(blocks, panel, a, pixels, to);
        }
      }
      block += blocks;
    }
  };
  for_each_rectangle(w, in_channels, tile.begin, tile.end, [&](const Rectangle& r) {
    fill_band(w, in_channels, r, args.x, args.x_stride, band, convert);
    const int32_t columns = r.x_end - r.x_begin, rows = r.y_end - r.y_begin;
    const int64_t row_bytes = band_columns(w, columns) * in_channels;
    panel.row_step = row_bytes * w.dilation_h;
    // Sums serve all blocks, for so many pixels at a time as there is room for.
    const int32_t part_columns = shifted ? window_sums.most_pixels(columns) : columns;
    const int32_t part_rows =
        shifted ? static_cast<int32_t>(kMostSums / window_sums.line_length(part_columns)) : rows;
    for (int32_t y = 0; y < rows; y += part_rows)
      for (int32_t x = 0; x < columns; x += part_columns) {
        const Rectangle part = {r.image, r.y_begin + y,
                                r.y_begin + (rows - y < part_rows ? rows : y + part_rows), r.x_begin + x,
                                r.x_begin + (columns - x < part_columns ? columns : x + part_columns)};
        run_part(part, band + y * band_step_h(w) * row_bytes + x * panel.pixel_step, row_bytes);
      }
  });
}

}  // namespace hone
