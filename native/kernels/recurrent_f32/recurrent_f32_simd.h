#pragma once
#include "native/kernels/panels_f32.h"

#include "native/kernels/recurrent_f32/recurrent_f32_lanes.h"

namespace hone {
namespace {

inline void recurrent_f32_simd(const RecurrentF32Shape& shape, const RecurrentF32Args& args, const Tile& tile,
                               ApplyUnary apply) {
  const int32_t hidden = shape.hidden, at_once = recurrent_first_columns(shape);
  const ptrdiff_t panel = static_cast<ptrdiff_t>(kPanelColumns) * hidden;
  const Ending open = {false, false, splat(1.0f), splat(0.0f), splat(0.0f)};
  run_recurrent(shape, args, tile, apply,
                [&](float* y, ptrdiff_t y_stride, const float* h, ptrdiff_t h_stride, int rows,
                    int32_t direction, int part) {
                  const int32_t columns = part == 0 ? at_once : recurrent_columns(shape) - at_once;
                  const float* weights =
                      static_cast<const float*>(args.packed) +
                      (direction * recurrent_panels(shape) + (part == 0 ? 0 : panels_of(at_once))) * panel;
                  for (int32_t c = 0; c < columns; c += kPanelBlock, weights += kBlockPanels * panel) {
                    const int count = columns - c < kPanelBlock ? columns - c : kPanelBlock;
                    multiply_block(y + c, y_stride, h, h_stride, 1, rows, {weights, kPanelColumns, panel},
                                   hidden, count, open);
                  }
                });
}

}  // namespace
}  // namespace hone
