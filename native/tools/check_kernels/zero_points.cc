// What zero points of the weights cost: every representative int8 shape with weights that have none, and with
// zero points that no packer can subtract (add_zero_points), in turns.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "native/tools/check_kernels/checker.h"

namespace hone::check {
namespace {

using Clock = std::chrono::steady_clock;

/// One shape, packed for one row.
struct Subject {
  Workbench bench;
  std::unique_ptr<KernelCase> kernel_case;
  int row;

  Subject(const Options& options, const KernelCheck& check, int index, int row)
      : bench(options.seed, Fill::kRandom, Placement::kRoomy),
        kernel_case(check.make_bench_case(bench, index)),
        row(row) {}
  bool prepare() {
    if (!kernel_case->fits(row)) return false;
    kernel_case->prepare(row);
    bench.seal();
    bench.restore();
    return true;
  }
  void run() { kernel_case->run(row, kernel_case->whole(row)); }
  double time(int64_t repeats) {
    const Clock::time_point start = Clock::now();
    for (int64_t i = 0; i < repeats; i++) run();
    return std::chrono::duration<double>(Clock::now() - start).count() * 1e9 / static_cast<double>(repeats);
  }
};

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// Nanoseconds of both by turns, and the median of the ratios of neighbours.
void print_times(Subject& without, Subject& with) {
  int64_t repeats = 1;
  while (without.time(repeats) * static_cast<double>(repeats) < 100e3) repeats *= 2;
  with.time(repeats);
  std::vector<double> ns, ns_with, ratios;
  const Clock::time_point begin = Clock::now();
  while (ns.size() < 400 && (ns.size() < 20 || Clock::now() - begin < std::chrono::milliseconds(400))) {
    const bool first = ns.size() % 2 == 0;
    const double a = first ? without.time(repeats) : 0, b = with.time(repeats);
    ns.push_back(first ? a : without.time(repeats));
    ns_with.push_back(b);
    ratios.push_back(ns_with.back() / ns.back());
  }
  // A busy machine interrupts the longer of two more often: there the least times are fair.
  const double of_least =
      *std::min_element(ns_with.begin(), ns_with.end()) / *std::min_element(ns.begin(), ns.end());
  printf(",\"ns\":%.1f,\"ns_zero_points\":%.1f,\"ratio\":%.3f,\"ratio_of_least\":%.3f}\n", median(ns),
         median(ns_with), median(ratios), of_least);
}

/// One run between marks, which do nothing by themselves: a counter of instructions watches for them.
void run_marked(Subject& subject) {
  subject.run();  // whatever a first run does alone
#if defined(__aarch64__)
  __asm__ volatile("hint #0x70" ::: "memory");
  subject.run();
  __asm__ volatile("hint #0x71" ::: "memory");
#endif
}

}  // namespace

int compare_zero_points(const Options& options, CpuFeatures cpu) {
  int lines = 0;
  for (const KernelCheck* check : registered_checks()) {
    const bool wanted = options.ops.empty()
                            ? matches("*_s8", check->op)
                            : std::any_of(options.ops.begin(), options.ops.end(),
                                          [&](const std::string& op) { return matches(op, check->op); });
    if (!wanted) continue;
    const std::vector<RowInfo> rows = check->rows();
    for (size_t row = 0; row + 1 < rows.size(); row++) {  // ref is last
      if ((rows[row].needs & ~cpu) != 0 || !selected(options, rows[row].name)) continue;
      for (int index = 0; 2 * index < check->bench_cases; index++) {
        Subject without(options, *check, index, static_cast<int>(row));
        Subject with(options, *check, check->bench_cases / 2 + index, static_cast<int>(row));
        const std::string shape = without.kernel_case->describe();
        if (with.kernel_case->describe() != shape + kWithZeroPoints) continue;
        if (!without.prepare() || !with.prepare()) continue;
        printf("{\"name\":\"%s\",\"shape\":\"%s\"", rows[row].name, shape.c_str());
        if (options.marked) {
          run_marked(without);
          run_marked(with);
          printf("}\n");
        } else {
          print_times(without, with);
        }
        fflush(stdout);
        lines++;
      }
    }
  }
  return lines;
}

}  // namespace hone::check
