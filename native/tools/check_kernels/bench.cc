#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "native/tools/check_kernels/checker.h"

namespace hone::check {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Core frequency right now, in GHz: dependent additions take one cycle each.
double measure_ghz() {
  constexpr int64_t kSteps = 400'000, kAdditions = 16;
  double best = 0;
  for (int attempt = 0; attempt < 10; attempt++) {
    const Clock::time_point start = Clock::now();
    uint64_t x = 1;
    for (int64_t i = 0; i < kSteps; i++) {
#if defined(__x86_64__)
      __asm__ volatile(".rept 16\n\tadd $1, %0\n\t.endr" : "+r"(x));
#elif defined(__aarch64__)
      __asm__ volatile(".rept 16\n\tadd %0, %0, #1\n\t.endr" : "+r"(x));
#endif
    }
    best = std::max(best, static_cast<double>(kSteps * kAdditions) / seconds_since(start) / 1e9);
  }
  return best;
}

/// Stated peak of one core: int8 multiply-accumulates per cycle by instruction set (exact forms only), two
/// operations each. 0: no peak stated.
double peak_operations_per_cycle(const std::string& row) {
  const std::string isa = isa_of(row);
  if (row.find("_s8_") == std::string::npos) return 0;
  if (row.compare(0, 4, "conv") != 0 && row.compare(0, 3, "fc_") != 0 && row.compare(0, 6, "dwconv") != 0)
    return 0;
  if (isa == "avx512vnni") return 2 * 64;    // one 512-bit vpdpbusd (twice that on cores with two)
  if (isa == "avx2") return 2 * 32;          // two 256-bit vpmaddwd
  if (isa == "neon_dotprod") return 2 * 32;  // two sdot
  if (isa == "neon_i8mm") return 2 * 64;     // two smmla
  if (isa == "neon") return 2 * 8;           // smull, smull2, two sadalp
  return 0;
}

/// Best time of one run in ns: the smallest of many short series.
double time_run(KernelCase& kernel_case, int row) {
  const Tile whole = kernel_case.whole(row);
  kernel_case.run(row, whole);
  int64_t repeats = 1;
  double elapsed = 0;
  while (true) {
    const Clock::time_point start = Clock::now();
    for (int64_t i = 0; i < repeats; i++) kernel_case.run(row, whole);
    elapsed = seconds_since(start);
    if (elapsed > 200e-6) break;
    repeats *= 2;
  }
  double best = elapsed / static_cast<double>(repeats);
  const Clock::time_point begin = Clock::now();
  for (int series = 0; series < 400 && seconds_since(begin) < 0.25; series++) {
    const Clock::time_point start = Clock::now();
    for (int64_t i = 0; i < repeats; i++) kernel_case.run(row, whole);
    best = std::min(best, seconds_since(start) / static_cast<double>(repeats));
  }
  return best * 1e9;
}

}  // namespace

int bench_all(const Options& options, CpuFeatures cpu) {
  int lines = 0;
  const double ghz = measure_ghz();
  for (const KernelCheck* check : registered_checks()) {
    bool wanted = options.ops.empty();
    for (const std::string& op : options.ops) wanted = wanted || matches(op, check->op);
    if (!wanted) continue;
    const std::vector<RowInfo> rows = check->rows();
    for (int index = 0; index < check->bench_cases; index++) {
      for (size_t row = 0; row < rows.size(); row++) {
        if ((rows[row].needs & ~cpu) != 0 || !selected(options, rows[row].name)) continue;
        Workbench bench(options.seed, Fill::kRandom, Placement::kRoomy);
        const std::unique_ptr<KernelCase> kernel_case = check->make_bench_case(bench, index);
        const std::string shape = kernel_case->describe();
        if (!matches(options.bench, std::string(rows[row].name) + "/" + shape)) continue;
        if (!kernel_case->fits(static_cast<int>(row))) continue;
        kernel_case->prepare(static_cast<int>(row));
        bench.seal();
        bench.restore();
        const double ns = time_run(*kernel_case, static_cast<int>(row));
        const double peak = peak_operations_per_cycle(rows[row].name) * ghz;
        const double gops = kernel_case->operations() / ns;
        printf("{\"name\":\"%s\",\"shape\":\"%s\",\"ns\":%.1f,\"gops\":%.2f", rows[row].name, shape.c_str(),
               ns, gops);
        if (peak > 0) printf(",\"peak_gops\":%.0f,\"percent_of_peak\":%.1f", peak, 100 * gops / peak);
        printf("}\n");
        fflush(stdout);
        lines++;
      }
    }
  }
  return lines;
}

}  // namespace hone::check
