#include <cmath>
#include <iterator>
#include <limits>

#include "native/kernels/recurrent_f32/recurrent_f32.h"
#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Spec {
  const char* name;
  RecurrentCell cell;
  int32_t directions, hidden;
  int64_t steps, batch;
};

constexpr RecurrentCell kCells[] = {RecurrentCell::kRnn, RecurrentCell::kGru, RecurrentCell::kLstm};
/// Around the edges of vectors, panels, blocks and groups of sequences.
constexpr int32_t kHidden[] = {1, 2, 3, 5, 8, 11, 15, 16, 17, 21, 32, 33, 43};
constexpr int kFixedCount = static_cast<int>(std::size(kCells) * std::size(kHidden));
constexpr Spec kBench[] = {
    {"lstm 128, 1 step", RecurrentCell::kLstm, 1, 128, 1, 1},
    {"lstm 64, 64 steps both ways", RecurrentCell::kLstm, 2, 64, 64, 1},
    {"lstm 512, 8 steps", RecurrentCell::kLstm, 1, 512, 8, 1},
    {"lstm 256, 8 steps of 6", RecurrentCell::kLstm, 1, 256, 8, 6},
    {"gru 128, 16 steps", RecurrentCell::kGru, 1, 128, 16, 1},
};

double apply(const RecurrentFunction& f, double x) {
  switch (f.operation) {
    case UnaryOperation::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case UnaryOperation::kTanh:
      return std::tanh(x);
    default:  // leaky_relu with a factor of 1 and bounds: Relu
      return std::fmax(x, f.lo);
  }
}

class RecurrentCase : public KernelCase {
 public:
  RecurrentCase(Workbench& bench, const Spec& s)
      : bench_(bench), shape_{s.directions, s.hidden, s.cell}, packed_(kRecurrentF32RowCount) {
    Rng& rng = bench.rng();
    const bool plain = s.name != nullptr;
    const auto coin = [&] { return !plain && rng.chance(0.5); };
    const int64_t columns = int64_t{recurrent_gates(s.cell)} * s.hidden;
    weights_ = make(s.directions * columns * s.hidden, 0.4f);
    args_.steps = s.steps;
    args_.batch = s.batch;
    const int64_t x_stride = s.directions * columns + (coin() ? 3 : 0);
    const int64_t y_stride = s.hidden + (coin() ? 5 : 0);
    const bool batch_first = coin();
    args_.x_step = batch_first ? x_stride : s.batch * x_stride;
    args_.x_row = batch_first ? s.steps * x_stride : x_stride;
    args_.y_direction = batch_first ? y_stride : s.batch * y_stride;
    args_.y_step = s.directions * args_.y_direction;
    args_.y_row = batch_first ? s.steps * args_.y_step : y_stride;
    args_.state_direction = batch_first ? s.hidden : s.batch * s.hidden;
    args_.state_row = batch_first ? s.directions * s.hidden : s.hidden;
    const auto rows = static_cast<size_t>(s.steps * s.batch);
    float* x = bench.input<float>(rows, static_cast<size_t>(s.directions * columns), x_stride);
    bench.fill_floats(x, (rows - 1) * x_stride + s.directions * columns, 1.0f, rng.chance(0.3));
    args_.x = x;
    args_.y = bench.output<float>(rows * s.directions, s.hidden, y_stride);
    const int64_t states = s.directions * s.batch * s.hidden;
    const bool is_lstm = s.cell == RecurrentCell::kLstm;
    if (coin()) args_.initial_h = make(states);
    if (is_lstm && coin()) args_.initial_c = make(states);
    if (coin()) args_.y_h = bench.output<float>(states);
    if (is_lstm && coin()) args_.y_c = bench.output<float>(states);
    if (is_lstm && coin()) args_.peepholes = make(int64_t{s.directions} * 3 * s.hidden);
    args_.input_forget = coin();
    args_.linear_before_reset = coin();
    if (s.cell == RecurrentCell::kGru && args_.linear_before_reset && coin())
      args_.state_bias = make(int64_t{s.directions} * s.hidden);
    args_.reverse[0] = s.directions == 1 && coin();
    args_.reverse[1] = true;
    args_.clip = !plain && rng.chance(0.3) ? 0.5f : kInfinity;
    static constexpr RecurrentFunction kFunctions[] = {
        {UnaryOperation::kSigmoid, 0, 0, -kInfinity, kInfinity},
        {UnaryOperation::kTanh, 0, 0, -kInfinity, kInfinity},
        {UnaryOperation::kLeakyRelu, 1, 0, 0, kInfinity},
    };
    for (auto& functions : args_.functions)
      for (int i = 0; i < kRecurrentFunctions; i++)
        functions[i] = plain || rng.chance(0.5) ? kFunctions[i == 0 ? 0 : 1] : rng.pick(kFunctions);
    operations_ = 2.0 * static_cast<double>(s.steps * s.batch * s.directions * columns * s.hidden);
    static constexpr const char* kWords[] = {"rnn", "gru", "lstm"};
    description_ = plain ? s.name
                         : std::string(kWords[static_cast<int>(s.cell)]) + " " + std::to_string(s.hidden) +
                               ", " + std::to_string(s.steps) + " steps of " + std::to_string(s.batch) +
                               ", " + std::to_string(s.directions) + " directions";
  }

  std::string describe() const override { return description_; }
  void prepare(int row) override {
    packed_[row] = bench_.aligned_input(kRecurrentF32Rows[row].packed_bytes(shape_));
    kRecurrentF32Rows[row].pack(shape_, {weights_}, packed_[row]);
    if (args_.scratch == nullptr)
      args_.scratch = bench_.scratch(kRecurrentF32Rows[row].scratch_bytes(shape_));
  }
  Tile whole(int /*row*/) const override { return {0, shape_.directions * args_.batch, 0, 1}; }
  void run(int row, const Tile& tile) override {
    args_.packed = packed_[row];
    kRecurrentF32Rows[row].run(shape_, args_, tile);
  }
  double operations() const override { return operations_; }

  /// Layers in double; only numbers that stay small, as functions that jump in slope make others large.
  std::string verify_reference() override {
    if (bench_.fill() != Fill::kRandom) return {};
    for (int32_t d = 0; d < shape_.directions; d++) {
      for (int64_t n = 0; n < args_.batch; n++) {
        if (std::string fault = verify_sequence(d, n); !fault.empty()) return fault;
      }
    }
    return {};
  }

 private:
  float* make(int64_t count, float spread = 1.0f) {
    float* data = bench_.input<float>(static_cast<size_t>(count));
    bench_.fill_floats(data, static_cast<size_t>(count), spread, false);
    return data;
  }

  std::string verify_sequence(int32_t d, int64_t n) const {
    const int32_t hidden = shape_.hidden, columns = recurrent_gates(shape_.cell) * hidden;
    std::vector<double> h(hidden), c(hidden), gates(columns);
    const ptrdiff_t state = d * args_.state_direction + n * args_.state_row;
    for (int32_t i = 0; i < hidden; i++) {
      h[i] = args_.initial_h == nullptr ? 0 : args_.initial_h[state + i];
      c[i] = args_.initial_c == nullptr ? 0 : args_.initial_c[state + i];
    }
    const auto f = [&](int which, double x) { return apply(args_.functions[d][which], x); };
    const auto bound = [&](double x) { return std::fmax(std::fmin(x, args_.clip), -args_.clip); };
    const auto product = [&](int32_t column, const std::vector<double>& by) {
      double sum = 0;
      for (int32_t k = 0; k < hidden; k++)
        sum +=
            static_cast<double>(weights_[(static_cast<int64_t>(d) * columns + column) * hidden + k]) * by[k];
      return sum;
    };
    for (int64_t step = 0; step < args_.steps; step++) {
      const int64_t t = args_.reverse[d] ? args_.steps - 1 - step : step;
      const float* x = args_.x + t * args_.x_step + n * args_.x_row + static_cast<int64_t>(d) * columns;
      for (int32_t i = 0; i < columns; i++) gates[i] = x[i] + product(i, h);
      std::vector<double> next(hidden);
      if (shape_.cell == RecurrentCell::kGru) {
        std::vector<double> scaled(hidden);
        for (int32_t i = 0; i < hidden; i++) scaled[i] = f(0, bound(gates[hidden + i])) * h[i];
        for (int32_t i = 0; i < hidden; i++) {
          const double z = f(0, bound(gates[i])), r = f(0, bound(gates[hidden + i]));
          const int32_t column = 2 * hidden + i;
          const double bias = args_.state_bias == nullptr ? 0 : args_.state_bias[d * hidden + i];
          const double sum =
              args_.linear_before_reset ? r * (product(column, h) + bias) : product(column, scaled);
          next[i] = (1 - z) * f(1, bound(x[column] + sum)) + z * h[i];
        }
      } else if (shape_.cell == RecurrentCell::kLstm) {
        const auto peep = [&](int gate, int32_t i) {
          return args_.peepholes == nullptr ? 0 : args_.peepholes[(d * 3 + gate) * hidden + i] * c[i];
        };
        for (int32_t i = 0; i < hidden; i++) {
          const double input = f(0, bound(gates[i] + peep(0, i)));
          const double forget =
              args_.input_forget ? 1 - input : f(0, bound(gates[2 * hidden + i] + peep(2, i)));
          c[i] = forget * c[i] + input * f(1, bound(gates[3 * hidden + i]));
          next[i] = f(0, bound(gates[hidden + i] + peep(1, i))) * f(2, c[i]);
        }
      } else {
        for (int32_t i = 0; i < hidden; i++) next[i] = f(0, bound(gates[i]));
      }
      h = next;
      const float* y = args_.y + t * args_.y_step + d * args_.y_direction + n * args_.y_row;
      for (int32_t i = 0; i < hidden; i++) {
        if (!(std::fabs(h[i]) < 100)) return {};
        if (!(std::fabs(y[i] - h[i]) <= 1e-4 * (1 + std::fabs(h[i]))))
          return "step " + std::to_string(t) + " unit " + std::to_string(i) + " is " + std::to_string(y[i]) +
                 ", exactly " + std::to_string(h[i]);
      }
    }
    for (int32_t i = 0; i < hidden; i++) {
      if (args_.y_h != nullptr && !(std::fabs(args_.y_h[state + i] - h[i]) <= 1e-4 * (1 + std::fabs(h[i]))))
        return "the last h differs";
      if (args_.y_c != nullptr && !(std::fabs(args_.y_c[state + i] - c[i]) <= 1e-4 * (1 + std::fabs(c[i]))))
        return "the last c differs";
    }
    return {};
  }

  Workbench& bench_;
  RecurrentF32Shape shape_;
  RecurrentF32Args args_ = {};
  const float* weights_ = nullptr;
  std::vector<uint8_t*> packed_;
  double operations_ = 0;
  std::string description_;
};

Spec random_spec(Rng& rng, int index) {
  const bool fixed = index < 6 * kFixedCount;
  const RecurrentCell cell = kCells[index % std::size(kCells)];
  const int32_t hidden = fixed ? kHidden[index / std::size(kCells) % std::size(kHidden)]
                               : static_cast<int32_t>(rng.between(1, 70));
  return {nullptr, cell, rng.chance(0.4) ? 2 : 1, hidden, rng.between(1, 4), rng.between(1, 8)};
}

const KernelCheck kCheck = {"recurrent_f32",
                            [] { return list_rows(kRecurrentF32Rows, kRecurrentF32RowCount); },
                            6 * kFixedCount,
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              return std::make_unique<RecurrentCase>(bench, random_spec(bench.rng(), index));
                            },
                            static_cast<int>(std::size(kBench)),
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              return std::make_unique<RecurrentCase>(bench, kBench[index]);
                            }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
