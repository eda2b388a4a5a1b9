#include <cmath>
#include <iterator>
#include <limits>

#include "native/kernels/matmul_f32/matmul_f32.h"
#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {
namespace {

struct Spec {
  const char* name;
  int64_t batch, rows, inputs, outputs;
};

/// Around the edges of row groups, panels, blocks and depths.
constexpr Spec kFixed[] = {
    {nullptr, 1, 1, 1, 1},   {nullptr, 1, 1, 5, 64},  {nullptr, 2, 1, 7, 65},    {nullptr, 1, 2, 3, 15},
    {nullptr, 3, 3, 4, 16},  {nullptr, 1, 4, 9, 17},  {nullptr, 1, 5, 4, 33},    {nullptr, 2, 6, 8, 31},
    {nullptr, 1, 7, 12, 48}, {nullptr, 1, 13, 5, 63}, {nullptr, 1, 17, 6, 100},  {nullptr, 1, 2, 257, 18},
    {nullptr, 2, 9, 33, 1},  {nullptr, 1, 1, 600, 3}, {nullptr, 1, 19, 256, 32}, {nullptr, 4, 1, 2, 130},
};
constexpr Spec kBench[] = {
    {"16x16x16", 1, 16, 16, 16},
    {"4 heads 64x32x64", 4, 64, 32, 64},
    {"128x512x512", 1, 128, 512, 512},
    {"4 heads 1x64x128 transposed", 4, 1, 64, 128},
    {"4 heads 128x64x128 transposed", 4, 128, 64, 128},
};

/// An operand [batch][outer][inner] with gaps, its matrices turned or not, repeated or not.
struct Factor {
  ptrdiff_t batch, outer, inner;
  size_t count;  ///< elements from the first to the last
};

Factor lay_out(Rng& rng, const Spec& s, int64_t outer, int64_t inner, bool turned) {
  const bool plain = s.name != nullptr;
  const int64_t step = !plain && rng.chance(0.1) ? 2 : 1;
  const int64_t gap = !plain && rng.chance(0.5) ? rng.between(1, 9) : 0;
  Factor f = {};
  (turned ? f.outer : f.inner) = step;
  (turned ? f.inner : f.outer) = step * (turned ? outer : inner) + gap;
  const int64_t reach = (outer - 1) * f.outer + (inner - 1) * f.inner + 1;
  f.batch = !plain && rng.chance(0.3) ? 0 : reach + gap;
  f.count = static_cast<size_t>((s.batch - 1) * f.batch + reach);
  return f;
}

class MatmulF32Case : public KernelCase {
 public:
  MatmulF32Case(Workbench& bench, const Spec& s) : bench_(bench) {
    Rng& rng = bench.rng();
    const bool plain = s.name != nullptr;
    const bool a_turned = !plain && rng.chance(0.2);
    const bool b_turned =
        plain ? std::string(s.name).find("transposed") != std::string::npos : rng.chance(0.4);
    const Factor a = lay_out(rng, s, s.rows, s.inputs, a_turned);
    const Factor b = lay_out(rng, s, s.inputs, s.outputs, b_turned);
    args_.layout.rows = s.rows;
    args_.layout.inputs = s.inputs;
    args_.layout.outputs = s.outputs;
    args_.layout.a_row = a.outer;
    args_.layout.a_inner = a.inner;
    args_.layout.b_inner = b.outer;
    args_.layout.b_column = b.inner;
    // A batch of one axis, or of two.
    args_.layout.batch_rank = 1;
    args_.layout.batch[0] = s.batch;
    args_.layout.a_batch[0] = a.batch;
    args_.layout.b_batch[0] = b.batch;
    if (s.batch % 2 == 0) {
      args_.layout.batch_rank = 2;
      args_.layout.batch[0] = 2;
      args_.layout.batch[1] = s.batch / 2;
      args_.layout.a_batch[1] = a.batch;
      args_.layout.b_batch[1] = b.batch;
      args_.layout.a_batch[0] = a.batch * args_.layout.batch[1];
      args_.layout.b_batch[0] = b.batch * args_.layout.batch[1];
    }
    float* a_data = bench.input<float>(a.count);
    bench.fill_floats(a_data, a.count);
    float* b_data = bench.input<float>(b.count);
    bench.fill_floats(b_data, b.count, 0.5f);
    args_.a = a_data;
    args_.b = b_data;
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    args_.alpha = rng.chance(0.5) ? 1.0f : -0.3f;
    args_.lo = rng.chance(0.5) ? -kInfinity : 0.0f;
    args_.hi = rng.chance(0.6) ? kInfinity : 6.0f;
    items_ = s.batch * s.rows;
    args_.layout.y_stride = s.outputs + (!plain && rng.chance(0.5) ? rng.between(1, 5) : 0);
    args_.y = bench.output<float>(static_cast<size_t>(items_), static_cast<size_t>(s.outputs),
                                  static_cast<size_t>(args_.layout.y_stride));
    operations_ = 2.0 * static_cast<double>(items_ * s.inputs * s.outputs);
    description_ = plain ? s.name
                         : std::to_string(s.batch) + " of " + std::to_string(s.rows) + "x" +
                               std::to_string(s.inputs) + (a_turned ? "'" : "") + "x" +
                               std::to_string(s.outputs) + (b_turned ? "'" : "");
  }

  std::string describe() const override { return description_; }
  void prepare(int row) override {
    if (kMatmulF32Rows[row].scratch_bytes > 0)
      args_.scratch = bench_.scratch(kMatmulF32Rows[row].scratch_bytes);
  }
  Tile whole(int row) const override {
    const int64_t block = kMatmulF32Rows[row].block_outputs;
    return {0, items_, 0, static_cast<int32_t>((args_.layout.outputs + block - 1) / block)};
  }
  void run(int row, const Tile& tile) override { kMatmulF32Rows[row].run(args_, tile); }
  double operations() const override { return operations_; }

  /// Products in double, where all is finite.
  std::string verify_reference() override {
    for (int64_t row = 0; row < items_; row++) {
      int64_t product = row / args_.layout.rows;
      ptrdiff_t a = row % args_.layout.rows * args_.layout.a_row, b = 0;
      for (int32_t d = args_.layout.batch_rank - 1; d >= 0; d--) {
        a += product % args_.layout.batch[d] * args_.layout.a_batch[d];
        b += product % args_.layout.batch[d] * args_.layout.b_batch[d];
        product /= args_.layout.batch[d];
      }
      for (int64_t n = 0; n < args_.layout.outputs; n++) {
        double sum = 0, size = 0;
        for (int64_t k = 0; k < args_.layout.inputs; k++) {
          const double term = static_cast<double>(args_.a[a + k * args_.layout.a_inner]) *
                              args_.b[b + k * args_.layout.b_inner + n * args_.layout.b_column];
          sum += term;
          size += std::fabs(term);
        }
        if (!(size < 1e30)) continue;
        const double exact = std::fmax(std::fmin(sum * args_.alpha, args_.hi), args_.lo);
        const double found = args_.y[row * args_.layout.y_stride + n];
        if (!(std::fabs(found - exact) <= 1e-7 * static_cast<double>(args_.layout.inputs + 2) * size + 1e-37))
          return "row " + std::to_string(row) + " column " + std::to_string(n) + " is " +
                 std::to_string(found) + ", exactly " + std::to_string(exact);
      }
    }
    return {};
  }

 private:
  Workbench& bench_;
  MatmulF32Args args_ = {};
  int64_t items_ = 0;
  double operations_ = 0;
  std::string description_;
};

Spec random_spec(Rng& rng) {
  const bool deep = rng.chance(0.1);
  return {nullptr, rng.between(1, 4), rng.between(1, 20), deep ? rng.between(250, 600) : rng.between(1, 40),
          rng.chance(0.2) ? 1 : rng.between(1, 150)};
}

const KernelCheck kCheck = {"matmul_f32",
                            [] { return list_rows(kMatmulF32Rows, kMatmulF32RowCount); },
                            static_cast<int>(std::size(kFixed)) * 6,
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              const int fixed = static_cast<int>(std::size(kFixed));
                              return std::make_unique<MatmulF32Case>(bench, index < 6 * fixed
                                                                                ? kFixed[index % fixed]
                                                                                : random_spec(bench.rng()));
                            },
                            static_cast<int>(std::size(kBench)),
                            [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
                              return std::make_unique<MatmulF32Case>(bench, kBench[index]);
                            }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
