#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "native/kernels/matmul.h"
#include "native/tools/check_kernels/kernel_check.h"

/// What the checks of matrix products share.
namespace hone::check {

struct MatmulSpec {
  const char* name;  ///< of a bench: plain factors, b transposed where the name says so
  int64_t batch, rows, inputs, outputs;
};

/// Around the edges of row groups, panels, blocks and depths.
inline constexpr MatmulSpec kMatmulFixed[] = {
    {nullptr, 1, 1, 1, 1},   {nullptr, 1, 1, 5, 64},  {nullptr, 2, 1, 7, 65},    {nullptr, 1, 2, 3, 15},
    {nullptr, 3, 3, 4, 16},  {nullptr, 1, 4, 9, 17},  {nullptr, 1, 5, 4, 33},    {nullptr, 2, 6, 8, 31},
    {nullptr, 1, 7, 12, 48}, {nullptr, 1, 13, 5, 63}, {nullptr, 1, 17, 6, 100},  {nullptr, 1, 2, 257, 18},
    {nullptr, 2, 9, 33, 1},  {nullptr, 1, 1, 600, 3}, {nullptr, 1, 19, 256, 32}, {nullptr, 4, 1, 2, 130},
};
inline constexpr int kMatmulFixedCount = 6 * static_cast<int>(std::size(kMatmulFixed));
inline constexpr MatmulSpec kMatmulBench[] = {
    {"16x16x16", 1, 16, 16, 16},
    {"4 heads 64x32x64", 4, 64, 32, 64},
    {"128x512x512", 1, 128, 512, 512},
    {"4 heads 1x64x128 transposed", 4, 1, 64, 128},
    {"4 heads 128x64x128 transposed", 4, 128, 64, 128},
};

/// The spec of case `index`: fixed ones first, then random ones.
inline MatmulSpec matmul_spec(Rng& rng, int index) {
  if (index < kMatmulFixedCount) return kMatmulFixed[index % std::size(kMatmulFixed)];
  const bool deep = rng.chance(0.1);
  return {nullptr, rng.between(1, 4), rng.between(1, 20), deep ? rng.between(250, 600) : rng.between(1, 40),
          rng.chance(0.2) ? 1 : rng.between(1, 150)};
}

/// A case of a kernel whose arguments have a MatmulLayout. Its factors have gaps, lie transposed or not, are
/// repeated or not.
template <typename Row, typename Args>
class MatmulCase : public KernelCase {
 public:
  std::string describe() const override { return description_; }
  void prepare(int row) override {
    if (const size_t bytes = rows_[row].scratch_bytes(args_.layout); bytes > 0)
      args_.scratch = bench_.scratch(bytes);
  }
  Tile whole(int row) const override {
    const int64_t block = rows_[row].block_outputs;
    return {0, items_, 0, static_cast<int32_t>((args_.layout.outputs + block - 1) / block)};
  }
  void run(int row, const Tile& tile) override { rows_[row].run(args_, tile); }
  double operations() const override { return operations_; }

 protected:
  MatmulCase(Workbench& bench, const Row* rows, const MatmulSpec& s) : bench_(bench), rows_(rows) {
    Rng& rng = bench.rng();
    const bool plain = s.name != nullptr;
    const bool a_turned = !plain && rng.chance(0.2);
    const bool b_turned =
        plain ? std::string(s.name).find("transposed") != std::string::npos : rng.chance(0.4);
    const Factor a = lay_out(rng, s, s.rows, s.inputs, a_turned);
    const Factor b = lay_out(rng, s, s.inputs, s.outputs, b_turned);
    a_count_ = a.count;
    b_count_ = b.count;
    MatmulLayout& in = args_.layout;
    in.rows = s.rows;
    in.inputs = s.inputs;
    in.outputs = s.outputs;
    in.a_row = a.outer;
    in.a_inner = a.inner;
    in.b_inner = b.outer;
    in.b_column = b.inner;
    // A batch of one axis, or of two.
    in.batch_rank = 1;
    in.batch[0] = s.batch;
    in.a_batch[0] = a.batch;
    in.b_batch[0] = b.batch;
    if (s.batch % 2 == 0) {
      in.batch_rank = 2;
      in.batch[0] = 2;
      in.batch[1] = s.batch / 2;
      in.a_batch[1] = a.batch;
      in.b_batch[1] = b.batch;
      in.a_batch[0] = a.batch * in.batch[1];
      in.b_batch[0] = b.batch * in.batch[1];
    }
    items_ = s.batch * s.rows;
    in.y_stride = s.outputs + (!plain && rng.chance(0.5) ? rng.between(1, 5) : 0);
    args_.y = bench.output<std::remove_reference_t<decltype(*args_.y)>>(
        static_cast<size_t>(items_), static_cast<size_t>(s.outputs), static_cast<size_t>(in.y_stride));
    operations_ = 2.0 * static_cast<double>(items_ * s.inputs * s.outputs);
    description_ = plain ? s.name
                         : std::to_string(s.batch) + " of " + std::to_string(s.rows) + "x" +
                               std::to_string(s.inputs) + (a_turned ? "'" : "") + "x" +
                               std::to_string(s.outputs) + (b_turned ? "'" : "");
  }

  /// Starts of the factors of a row of y.
  std::pair<ptrdiff_t, ptrdiff_t> factors_of(int64_t row) const {
    const MatmulLayout& in = args_.layout;
    int64_t product = row / in.rows;
    ptrdiff_t a = row % in.rows * in.a_row, b = 0;
    for (int32_t d = in.batch_rank - 1; d >= 0; d--) {
      a += product % in.batch[d] * in.a_batch[d];
      b += product % in.batch[d] * in.b_batch[d];
      product /= in.batch[d];
    }
    return {a, b};
  }

  Workbench& bench_;
  const Row* rows_;
  Args args_ = {};
  size_t a_count_ = 0, b_count_ = 0;  ///< elements from the first to the last
  int64_t items_ = 0;

 private:
  struct Factor {
    ptrdiff_t batch, outer, inner;
    size_t count;
  };

  static Factor lay_out(Rng& rng, const MatmulSpec& s, int64_t outer, int64_t inner, bool turned) {
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

  double operations_ = 0;
  std::string description_;
};

/// The check of a table of products; `Case` is made of a workbench and a spec.
template <typename Case>
KernelCheck matmul_check(const char* op, std::vector<RowInfo> (*rows)()) {
  return {op,
          rows,
          kMatmulFixedCount,
          [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
            return std::make_unique<Case>(bench, matmul_spec(bench.rng(), index));
          },
          static_cast<int>(std::size(kMatmulBench)),
          [](Workbench& bench, int index) -> std::unique_ptr<KernelCase> {
            return std::make_unique<Case>(bench, kMatmulBench[index]);
          }};
}

}  // namespace hone::check
