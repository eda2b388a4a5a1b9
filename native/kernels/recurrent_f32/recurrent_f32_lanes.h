#pragma once
#include "native/kernels/recurrent_f32/recurrent_f32_rows.h"
#include "native/kernels/unary_f32/unary_f32.h"

// The body of every row, but for its products; include simd.h or simd_scalar.h first.
namespace hone {
namespace {

/// The elements of a run, a vector at a time: each(at, load, store), where load(p) and store(p, v) touch
/// those of p[at], p[at + 1], ... that the run has.
template <typename Each>
inline void for_each_vector(int32_t count, const Each& each) {
  int32_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    each([i](const float* p) { return load(p + i); }, [i](float* p, VecF v) { store(p + i, v); });
  }
  if (i < count) {
    const int left = count - i;
    each([i, left](const float* p) { return load_first(p + i, left); },
         [i, left](float* p, VecF v) { store_first(p + i, v, left); });
  }
}

/// A function of unary_f32 over whole runs, as the row of the same instruction set computes it.
using ApplyUnary = void (*)(const UnaryF32Args& args, const Tile& tile);

/// One sequence at one step.
struct Moment {
  float* gates;         ///< sums, then what functions make of them
  float* c;             ///< cell state of an LSTM
  float* h;             ///< becomes the state
  const float* before;  ///< the state of the step before
  const float* x;       ///< of this step and direction
};

/// A direction of a layer.
struct Direction {
  const RecurrentF32Args& args;
  ApplyUnary apply;
  int32_t index, hidden;

  const RecurrentFunction& function(int which) const { return args.functions[index][which]; }
  const float* peepholes(int gate) const {
    return args.peepholes + static_cast<ptrdiff_t>(index * 3 + gate) * hidden;
  }
  bool clips() const { return args.clip < __builtin_inff(); }
};

inline void apply_function(const Direction& d, int which, float* x, int32_t count, bool bounded = true) {
  if (bounded && d.clips()) {
    const VecF lo = splat(-d.args.clip), hi = splat(d.args.clip);
    for_each_vector(count,
                    [&](const auto& load, const auto& store) { store(x, clamp_keep_nan(load(x), lo, hi)); });
  }
  const RecurrentFunction& f = d.function(which);
  d.apply({x, x, count, count, count, f.operation, f.alpha, f.beta, f.lo, f.hi}, {0, count, 0, 1});
}

/// x + p * c
inline void add_peephole(const Direction& d, int gate, float* x, const float* c) {
  const float* p = d.peepholes(gate);
  for_each_vector(d.hidden, [&](const auto& load, const auto& store) {
    store(x, add(load(x), multiply(load(p), load(c))));
  });
}

inline void advance_rnn(const Direction& d, const Moment& at) {
  apply_function(d, 0, at.gates, d.hidden);
  __builtin_memcpy(at.h, at.gates, sizeof(float) * d.hidden);
}

/// h' = (1 - z) * n + z * h, where the candidate has its sum.
inline void end_gru(const Direction& d, const Moment& at) {
  float* n = at.gates + 2 * d.hidden;
  apply_function(d, 1, n, d.hidden);
  for_each_vector(d.hidden, [&](const auto& load, const auto& store) {
    const VecF z = load(at.gates);
    store(at.h, add(multiply(subtract(splat(1.0f), z), load(n)), multiply(z, load(at.before))));
  });
}

/// The candidate's sum when the reset gate scales a finished product of the state.
inline void reset_product(const Direction& d, const Moment& at) {
  const float* r = at.gates + d.hidden;
  float* n = at.gates + 2 * d.hidden;
  const float* x = at.x + 2 * d.hidden;
  for_each_vector(d.hidden, [&](const auto& load, const auto& store) {
    store(n, add(load(x), multiply(load(r), load(n))));
  });
}

/// r * h
inline void reset_state(const Direction& d, const Moment& at, float* product) {
  const float* r = at.gates + d.hidden;
  for_each_vector(d.hidden, [&](const auto& load, const auto& store) {
    store(product, multiply(load(r), load(at.before)));
  });
}

inline void advance_lstm(const Direction& d, const Moment& at) {
  const int32_t hidden = d.hidden;
  float *i = at.gates, *o = i + hidden, *f = o + hidden, *g = f + hidden, *c = at.c;
  const bool coupled = d.args.input_forget, peeps = d.args.peepholes != nullptr;
  if (!peeps) {
    apply_function(d, 0, i, coupled ? 2 * hidden : 3 * hidden);
  } else {
    add_peephole(d, 0, i, c);
    apply_function(d, 0, i, hidden);
    if (!coupled) {
      add_peephole(d, 2, f, c);
      apply_function(d, 0, f, hidden);
    }
  }
  apply_function(d, 1, g, hidden);
  for_each_vector(hidden, [&](const auto& load, const auto& store) {
    const VecF input = load(i);
    const VecF forget = coupled ? subtract(splat(1.0f), input) : load(f);
    const VecF next = add(multiply(forget, load(c)), multiply(input, load(g)));
    store(c, next);
    store(i, next);
  });
  if (peeps) {
    add_peephole(d, 1, o, c);
    apply_function(d, 0, o, hidden);
  }
  apply_function(d, 2, i, hidden, false);
  for_each_vector(hidden,
                  [&](const auto& load, const auto& store) { store(at.h, multiply(load(o), load(i))); });
}

/// Up to kRecurrentRows sequences of one direction, `first` and those behind it, through all steps.
/// multiply(y, y_stride, h, h_stride, rows, direction, part) adds to y the products of states with the
/// columns of a part of the weights: those multiplied at once, or the others.
template <typename Multiply>
inline void run_sequences(const RecurrentF32Shape& shape, const Direction& d, int64_t first, int rows,
                          const Multiply& multiply) {
  const RecurrentF32Args& args = d.args;
  const int32_t hidden = d.hidden, columns = recurrent_columns(shape),
                at_once = recurrent_first_columns(shape);
  float* gates = static_cast<float*>(args.scratch);
  float* cells = gates + static_cast<ptrdiff_t>(kRecurrentRows) * columns;
  float* products = cells + static_cast<ptrdiff_t>(kRecurrentRows) * hidden;
  float* zeros = products + static_cast<ptrdiff_t>(kRecurrentRows) * hidden;
  __builtin_memset(zeros, 0, sizeof(float) * hidden);
  const ptrdiff_t state = d.index * args.state_direction + first * args.state_row;
  const auto copy = [](float* to, const float* from, int32_t count) {
    __builtin_memcpy(to, from, sizeof(float) * count);
  };
  if (shape.cell == RecurrentCell::kLstm) {
    for (int row = 0; row < rows; row++)
      copy(cells + row * hidden,
           args.initial_c == nullptr ? zeros : args.initial_c + state + row * args.state_row, hidden);
  }
  const float* before = args.initial_h == nullptr ? zeros : args.initial_h + state;
  ptrdiff_t before_stride = args.initial_h == nullptr ? 0 : args.state_row;
  for (int64_t step = 0; step < args.steps; step++) {
    const int64_t t = args.reverse[d.index] ? args.steps - 1 - step : step;
    const float* x =
        args.x + t * args.x_step + first * args.x_row + static_cast<ptrdiff_t>(d.index) * columns;
    float* y = args.y + t * args.y_step + d.index * args.y_direction + first * args.y_row;
    const auto moment = [&](int row) {
      return Moment{gates + row * columns, cells + row * hidden, y + row * args.y_row,
                    before + row * before_stride, x + row * args.x_row};
    };
    const bool waits = at_once < columns && args.linear_before_reset;
    for (int row = 0; row < rows; row++) {
      copy(gates + row * columns, x + row * args.x_row, columns);
      if (waits)
        copy(gates + row * columns + at_once,
             args.state_bias == nullptr ? zeros : args.state_bias + d.index * hidden, hidden);
    }
    multiply(gates, columns, before, before_stride, rows, d.index, 0);
    switch (shape.cell) {
      case RecurrentCell::kRnn:
        for (int row = 0; row < rows; row++) advance_rnn(d, moment(row));
        break;
      case RecurrentCell::kLstm:
        for (int row = 0; row < rows; row++) advance_lstm(d, moment(row));
        break;
      case RecurrentCell::kGru:
        for (int row = 0; row < rows; row++) {
          apply_function(d, 0, gates + row * columns, at_once);
          if (!waits) reset_state(d, moment(row), products + row * hidden);
        }
        if (waits) {
          multiply(gates + at_once, columns, before, before_stride, rows, d.index, 1);
          for (int row = 0; row < rows; row++) reset_product(d, moment(row));
        } else {
          multiply(gates + at_once, columns, products, hidden, rows, d.index, 1);
        }
        for (int row = 0; row < rows; row++) end_gru(d, moment(row));
    }
    before = y;
    before_stride = args.y_row;
  }
  for (int row = 0; row < rows; row++) {
    const ptrdiff_t at = state + row * args.state_row;
    if (args.y_h != nullptr) copy(args.y_h + at, before + row * before_stride, hidden);
    if (args.y_c != nullptr) copy(args.y_c + at, cells + row * hidden, hidden);
  }
}

template <typename Multiply>
inline void run_recurrent(const RecurrentF32Shape& shape, const RecurrentF32Args& args, const Tile& tile,
                          ApplyUnary apply, const Multiply& multiply) {
  for (int64_t item = tile.begin; item < tile.end;) {
    const int64_t direction = item / args.batch, first = item - direction * args.batch;
    int64_t rows = args.batch - first < tile.end - item ? args.batch - first : tile.end - item;
    if (rows > kRecurrentRows) rows = kRecurrentRows;
    run_sequences(shape, {args, apply, static_cast<int32_t>(direction), shape.hidden}, first,
                  static_cast<int>(rows), multiply);
    item += rows;
  }
}

}  // namespace
}  // namespace hone
