#include <cmath>

#include "native/kernels/matmul_s8/matmul_s8.h"
#include "native/tools/check_kernels/matmul_case.h"

namespace hone::check {
namespace {

class MatmulS8Case : public MatmulCase<MatmulS8Row, MatmulS8Args> {
 public:
  MatmulS8Case(Workbench& bench, const MatmulSpec& s) : MatmulCase(bench, kMatmulS8Rows, s) {
    Rng& rng = bench.rng();
    int8_t* a = bench.input<int8_t>(a_count_);
    bench.fill_bytes(a, a_count_);
    int8_t* b = bench.input<int8_t>(b_count_);
    bench.fill_bytes(b, b_count_);
    args_.a = a;
    args_.b = b;
    static constexpr int32_t kZeroPoints[] = {-128, -3, 0, 0, 17, 127};
    args_.a_zero_point = rng.pick(kZeroPoints);
    args_.b_zero_point = rng.pick(kZeroPoints);
    // Sums of random bytes spread over the whole range of results.
    args_.multiplier =
        static_cast<float>(60 / (5000 * std::sqrt(static_cast<double>(s.inputs))) * (0.5 + rng.unit()));
    const int32_t zero_point = rng.pick(kZeroPoints);
    const int32_t low = rng.chance(0.3) ? zero_point : -128;
    args_.range = {static_cast<float>(low - zero_point), static_cast<float>(127 - zero_point), zero_point};
  }

  /// Integers in 64 bits, rounded in double, where no tie could fall another way.
  std::string verify_reference() override {
    const MatmulLayout& in = args_.layout;
    for (int64_t row = 0; row < items_; row++) {
      const auto [a, b] = factors_of(row);
      for (int64_t n = 0; n < in.outputs; n++) {
        int64_t sum = 0;
        for (int64_t k = 0; k < in.inputs; k++)
          sum += int64_t{args_.a[a + k * in.a_inner] - args_.a_zero_point} *
                 (args_.b[b + k * in.b_inner + n * in.b_column] - args_.b_zero_point);
        const double exact =
            std::fmax(std::fmin(static_cast<double>(sum) * args_.multiplier, args_.range.hi), args_.range.lo);
        const double found = args_.y[row * in.y_stride + n] - args_.range.zero_point;
        if (!(std::fabs(found - exact) <= 0.5001))
          return "row " + std::to_string(row) + " column " + std::to_string(n) + " is " +
                 std::to_string(found) + ", exactly " + std::to_string(exact);
      }
    }
    return {};
  }
};

const KernelCheck kCheck =
    matmul_check<MatmulS8Case>("matmul_s8", [] { return list_rows(kMatmulS8Rows, kMatmulS8RowCount); });
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
