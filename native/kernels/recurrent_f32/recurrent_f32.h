#pragma once
#include <cstddef>
#include <cstdint>

#include "native/core/cpu_features.h"
#include "native/core/tile.h"
#include "native/core/unary_operation.h"
#include "native/kernels/packed_layout.h"

namespace hone {

/// What a step of a recurrent layer computes; the number is that of plan files.
enum class RecurrentCell : int32_t { kRnn = 0, kGru = 1, kLstm = 2 };

/// Rows of weights per hidden unit.
static inline int32_t recurrent_gates(RecurrentCell cell) {
  return cell == RecurrentCell::kLstm ? 4 : cell == RecurrentCell::kGru ? 3 : 1;
}

/// An activation: the function of unary_f32 with its factors and bounds.
struct RecurrentFunction {
  UnaryOperation operation;
  float alpha, beta, lo, hi;
};
inline constexpr int32_t kRecurrentFunctions = 3;  ///< f, g, h of ONNX
inline constexpr int32_t kRecurrentDirections = 2;

/// Recurrent layers RNN, GRU and LSTM (ONNX) over float32, behind the product of all inputs with their
/// weights: x holds W x + bias for every step. Per direction d and sequence n, with h and c of the step
/// before, in float32, every operation rounded once:
///   sums    s = x, then fma(r[k], h[k], s), k ascending; bound(s) = max(min(s, clip), -clip) before
///   functions RNN     h' = f(s) GRU     z, r = f(s_z), f(s_r); linear_before_reset: n = g(x_n + r * s_n)
///   with s_n from state_bias on and
///           over h; else n = g(s_n) with s_n over r * h;   h' = (1 - z) * n + z * h
///   LSTM    i = f(s_i + p_i * c), o, f likewise (o with c'), or f = 1 - i with input_forget;
///           c' = f * c + i * g(s_c);   h' = o * h(c')
/// Gates lie in the order of ONNX: z r n, and i o f c; peepholes p are i o f. Outputs lie on no input.
struct RecurrentF32Shape {
  int32_t directions, hidden;
  RecurrentCell cell;
};

/// What the packed form depends on, and nothing else: pack and packed_bytes are given it.
static inline RecurrentF32Shape pack_shape(const RecurrentF32Shape& shape) { return shape; }

struct RecurrentF32Weights {
  const float* weights;  ///< [directions][gates * hidden][hidden]
};

struct RecurrentF32Args {
  float* y;                            ///< every h
  float *y_h, *y_c;                    ///< the last ones; null: nobody wants them
  const float* x;                      ///< [gates * hidden] of each direction, one behind the other
  const float* state_bias;             ///< [directions][hidden], or null: 0
  const float* peepholes;              ///< [directions][3 * hidden], or null: none
  const float *initial_h, *initial_c;  ///< null: 0
  const void* packed;
  void* scratch;
  int64_t steps, batch;
  ptrdiff_t x_step, x_row;               ///< from one step to the next, from one sequence to the next
  ptrdiff_t y_step, y_direction, y_row;  ///< and from one direction to the next
  ptrdiff_t state_direction, state_row;  ///< of initial and last states
  bool reverse[kRecurrentDirections];    ///< from the last step to the first
  bool linear_before_reset, input_forget;
  RecurrentFunction functions[kRecurrentDirections][kRecurrentFunctions];
  float clip;  ///< infinity: none
};

/// An item is a sequence of a direction, d * batch + n; blocks are not used.
struct RecurrentF32Row {
  const char* name;
  CpuFeatures needs;
  PackedLayout layout;
  size_t (*packed_bytes)(const RecurrentF32Shape& shape);
  void (*pack)(const RecurrentF32Shape& shape, const RecurrentF32Weights& weights, void* packed);
  size_t (*scratch_bytes)(const RecurrentF32Shape& shape);
  void (*run)(const RecurrentF32Shape& shape, const RecurrentF32Args& args, const Tile& tile);
};

/// Rows, best first, ref last.
extern const RecurrentF32Row kRecurrentF32Rows[];
extern const int kRecurrentF32RowCount;

}  // namespace hone
