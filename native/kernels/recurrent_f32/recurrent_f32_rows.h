#pragma once
#include "native/kernels/panel_blocks.h"
#include "native/kernels/recurrent_f32/recurrent_f32.h"

/// What the table and the instruction-set files of recurrent_f32 share. Symbol = file = table row; packing is
/// the table's.
namespace hone {

void recurrent_f32_ref(const RecurrentF32Shape& shape, const RecurrentF32Args& args, const Tile& tile);
void recurrent_f32_avx2(const RecurrentF32Shape& shape, const RecurrentF32Args& args, const Tile& tile);
void recurrent_f32_neon(const RecurrentF32Shape& shape, const RecurrentF32Args& args, const Tile& tile);

/// Sequences that go through the weights together.
inline constexpr int32_t kRecurrentRows = 6;

/// Columns that are multiplied at once: all gates, but for the candidate of a GRU, which may wait for its
/// reset gate.
static inline int32_t recurrent_first_columns(const RecurrentF32Shape& shape) {
  return shape.hidden * (shape.cell == RecurrentCell::kGru ? 2 : recurrent_gates(shape.cell));
}

static inline int32_t recurrent_columns(const RecurrentF32Shape& shape) {
  return shape.hidden * recurrent_gates(shape.cell);
}

static inline int32_t panels_of(int32_t columns) { return (columns + kPanelColumns - 1) / kPanelColumns; }

/// Panels of a direction: [panel][hidden][16], first the columns that are multiplied at once, then the
/// others.
static inline int32_t recurrent_panels(const RecurrentF32Shape& shape) {
  const int32_t first = recurrent_first_columns(shape);
  return panels_of(first) + panels_of(recurrent_columns(shape) - first);
}

/// Floats of scratch: per sequence its gates, its cell state and a product of the state; zeros.
static inline size_t recurrent_scratch_floats(const RecurrentF32Shape& shape) {
  const size_t hidden = static_cast<size_t>(shape.hidden);
  return kRecurrentRows * (recurrent_columns(shape) + 2 * hidden) + hidden;
}

}  // namespace hone
