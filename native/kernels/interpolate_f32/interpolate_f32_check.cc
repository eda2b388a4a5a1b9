#include <iterator>

#include "native/kernels/interpolate_f32/interpolate_f32.h"
#include "native/tools/check_kernels/kernel_check.h"
#include "native/tools/check_kernels/row_layout.h"

namespace hone::check {
namespace {

struct Spec {
  int64_t outer, length, outputs, taps, inner;
};

// Around every register and four of them, and single columns.
constexpr Spec kFixed[] = {{1, 1, 1, 1, 1},   {2, 3, 5, 2, 1},  {1, 9, 4, 7, 1},  {3, 2, 3, 4, 1},
                           {1, 4, 8, 2, 2},   {2, 3, 2, 1, 3},  {1, 5, 3, 2, 4},  {1, 2, 5, 3, 5},
                           {2, 4, 4, 2, 7},   {1, 6, 2, 4, 8},  {1, 3, 6, 2, 9},  {2, 2, 3, 6, 15},
                           {1, 7, 3, 2, 16},  {1, 4, 4, 4, 17}, {1, 3, 2, 2, 31}, {2, 5, 3, 2, 32},
                           {1, 2, 4, 5, 33},  {1, 3, 3, 2, 40}, {1, 2, 2, 2, 63}, {1, 4, 3, 3, 64},
                           {1, 2, 3, 4, 100}, {1, 3, 2, 2, 129}};
constexpr Spec kBench[] = {
    {14, 14, 28, 2, 64}, {1, 80, 160, 2, 320}, {1, 64, 128, 4, 128}, {64, 80, 160, 2, 1}};

std::unique_ptr<KernelCase> make(Workbench& bench, const Spec& s) {
  Rng& rng = bench.rng();
  InterpolateF32Args args = {};
  args.outputs = s.outputs;
  args.taps = s.taps;
  args.inner = s.inner;
  const RowLayout x_rows = {s.outer * s.length, s.inner}, y_rows = {s.outer * s.outputs, s.inner};
  args.x_stride = pick_stride(rng, x_rows);
  args.x_outer_stride = s.length * args.x_stride;
  args.y_stride = pick_stride(rng, y_rows);
  args.y = bench.output<float>(y_rows.rows, y_rows.length, args.y_stride);
  float* x = bench.input<float>(x_rows.rows, x_rows.length, args.x_stride);
  bench.fill_floats(x, x_rows.span(args.x_stride), 10.0f, rng.chance(0.3));
  args.x = x;
  const auto count = static_cast<size_t>(s.outputs * s.taps);
  float* weights = bench.input<float>(count);
  bench.fill_floats(weights, count, 1.0f, false);
  args.weights = weights;
  auto* index = bench.input<int32_t>(count);
  for (size_t i = 0; i < count; i++) index[i] = static_cast<int32_t>(rng.between(0, s.length - 1));
  args.index = index;
  const int64_t items = y_rows.count();
  const std::string text = std::to_string(s.outer) + "x" + std::to_string(s.length) + ">" +
                           std::to_string(s.outputs) + "x" + std::to_string(s.inner) + " taps " +
                           std::to_string(s.taps);
  return std::make_unique<PlainCase<InterpolateF32Row, InterpolateF32Args>>(
      kInterpolateF32Rows, args, items, 2.0 * static_cast<double>(items * s.taps), text);
}

constexpr int kFixedCount = static_cast<int>(std::size(kFixed));

std::unique_ptr<KernelCase> make_case(Workbench& bench, int index) {
  Rng& rng = bench.rng();
  if (index < 4 * kFixedCount) return make(bench, kFixed[index % kFixedCount]);
  return make(bench, {rng.between(1, 4), rng.between(1, 12), rng.between(1, 12), rng.between(1, 8),
                      rng.chance(0.2) ? 1 : rng.between(2, 150)});
}

std::unique_ptr<KernelCase> make_bench_case(Workbench& bench, int index) {
  return make(bench, kBench[index]);
}

const KernelCheck kCheck = {"interpolate_f32",
                            [] { return list_rows(kInterpolateF32Rows, kInterpolateF32RowCount); },
                            kFixedCount * 4,
                            make_case,
                            static_cast<int>(std::size(kBench)),
                            make_bench_case};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
