#include <cmath>
#include <limits>

#include "native/kernels/matmul_f32/matmul_f32.h"
#include "native/tools/check_kernels/matmul_case.h"

namespace hone::check {
namespace {

class MatmulF32Case : public MatmulCase<MatmulF32Row, MatmulF32Args> {
 public:
  MatmulF32Case(Workbench& bench, const MatmulSpec& s) : MatmulCase(bench, kMatmulF32Rows, s) {
    Rng& rng = bench.rng();
    float* a = bench.input<float>(a_count_);
    bench.fill_floats(a, a_count_);
    float* b = bench.input<float>(b_count_);
    bench.fill_floats(b, b_count_, 0.5f);
    args_.a = a;
    args_.b = b;
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    args_.alpha = rng.chance(0.5) ? 1.0f : -0.3f;
    args_.lo = rng.chance(0.5) ? -kInfinity : 0.0f;
    args_.hi = rng.chance(0.6) ? kInfinity : 6.0f;
  }

  /// Products in double, where all is finite.
  std::string verify_reference() override {
    const MatmulLayout& in = args_.layout;
    for (int64_t row = 0; row < items_; row++) {
      const auto [a, b] = factors_of(row);
      for (int64_t n = 0; n < in.outputs; n++) {
        double sum = 0, size = 0;
        for (int64_t k = 0; k < in.inputs; k++) {
          const double term = static_cast<double>(args_.a[a + k * in.a_inner]) *
                              args_.b[b + k * in.b_inner + n * in.b_column];
          sum += term;
          size += std::fabs(term);
        }
        if (!(size < 1e30)) continue;
        const double exact = std::fmax(std::fmin(sum * args_.alpha, args_.hi), args_.lo);
        const double found = args_.y[row * in.y_stride + n];
        if (!(std::fabs(found - exact) <= 1e-7 * static_cast<double>(in.inputs + 2) * size + 1e-37))
          return "row " + std::to_string(row) + " column " + std::to_string(n) + " is " +
                 std::to_string(found) + ", exactly " + std::to_string(exact);
      }
    }
    return {};
  }
};

const KernelCheck kCheck =
    matmul_check<MatmulF32Case>("matmul_f32", [] { return list_rows(kMatmulF32Rows, kMatmulF32RowCount); });
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
