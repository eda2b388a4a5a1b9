#include <cmath>
#include <iterator>

#include "native/kernels/exp_f32.h"
#include "native/kernels/softmax_f32/softmax_f32.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

namespace hone::check {
namespace {

/// Also holds ref against the real functions: exp within 2 ulp at random points, and rows against a softmax
/// in double.
class SoftmaxCase : public PlainCase<SoftmaxF32Row, SoftmaxF32Args> {
 public:
  SoftmaxCase(const SoftmaxF32Args& args, int64_t rows, std::vector<float> input, uint64_t seed,
              std::string text)
      : PlainCase(kSoftmaxF32Rows, args, rows, static_cast<double>(rows * args.length), std::move(text)),
        input_(std::move(input)),
        rng_(seed) {}

  std::string verify_reference() override {
    for (int i = 0; i < 2000; i++) {
      const float x = i == 0 ? 0.0f : i == 1 ? kExpLowest : static_cast<float>(kExpLowest * rng_.unit());
      const double exact = std::exp(static_cast<double>(x));
      const double ulp = std::ldexp(1.0, std::ilogb(exact) - 23);
      const double error = std::fabs(exp_f32(x) - exact) / ulp;
      if (!(error <= 2)) return "exp(" + std::to_string(x) + ") is off by " + std::to_string(error) + " ulp";
    }
    for (int64_t row = 0; row < items_; row++) {
      const float* x = input_.data() + row * args_.x_stride;
      const float* y = args_.y + row * args_.y_stride;
      double sum = 0;
      float m = -INFINITY;
      bool finite = true;
      for (int64_t i = 0; i < args_.length; i++) {
        finite = finite && std::isfinite(x[i]);
        m = std::fmax(m, x[i]);
      }
      for (int64_t i = 0; i < args_.length; i++) sum += std::exp(static_cast<double>(x[i] - m));
      for (int64_t i = 0; finite && i < args_.length; i++) {
        const double exact = std::exp(static_cast<double>(x[i] - m)) / sum;
        if (!(std::fabs(y[i] - exact) <= 1e-6 * exact + 1e-37)) {
          return "row " + std::to_string(row) + " element " + std::to_string(i) + " is " +
                 std::to_string(y[i]) + ", exactly " + std::to_string(exact);
        }
      }
    }
    return {};
  }

 private:
  std::vector<float> input_;
  Rng rng_;
};

std::unique_ptr<KernelCase> make(Workbench& bench, const RowLayout& layout) {
  Rng& rng = bench.rng();
  SoftmaxF32Args args = {};
  float* x = place_rows<float>(bench, layout, 0.3, &args);
  const size_t count = layout.span(args.x_stride);
  static constexpr float kSpreads[] = {1.0f, 10.0f, 100.0f};
  bench.fill_floats(x, count, rng.pick(kSpreads), rng.chance(0.3));
  return std::make_unique<SoftmaxCase>(args, layout.rows, std::vector<float>(x, x + count), rng.next(),
                                       std::to_string(layout.rows) + "x" + std::to_string(layout.length));
}

constexpr int64_t kLengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 31, 32, 33, 48, 100};
constexpr int64_t kBench[] = {10, 12, 1000};

const KernelCheck kCheck = {
    "softmax_f32",
    [] { return list_rows(kSoftmaxF32Rows, kSoftmaxF32RowCount); },
    static_cast<int>(std::size(kLengths)) * 4,
    [](Workbench& bench, int index) {
      const int fixed = static_cast<int>(std::size(kLengths));
      return make(bench, {bench.rng().between(1, 3),
                          index < 4 * fixed ? kLengths[index % fixed] : bench.rng().between(1, 300)});
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) { return make(bench, {1, kBench[index]}); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
