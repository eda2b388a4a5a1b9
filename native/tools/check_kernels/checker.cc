#include "native/tools/check_kernels/checker.h"

#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace hone::check {
namespace {

std::vector<const KernelCheck*>& registry() {
  static std::vector<const KernelCheck*> checks;
  return checks;
}

sigjmp_buf g_recovery;

void on_signal(int signal) { siglongjmp(g_recovery, signal); }

/// First byte at which an output differs from what ref left; floats that are both NaN are equal.
std::string compare(const std::vector<Workbench::Output>& outputs,
                    const std::vector<std::vector<uint8_t>>& expected) {
  for (size_t o = 0; o < outputs.size(); o++) {
    const Workbench::Output& output = outputs[o];
    if (memcmp(output.data, expected[o].data(), expected[o].size()) == 0) continue;
    const size_t width = output.is_float ? 4 : 1;
    for (size_t row = 0; row < output.rows; row++) {
      for (size_t i = 0; i < output.row_bytes; i += width) {
        const uint8_t* got = output.data + row * output.stride + i;
        const uint8_t* want = expected[o].data() + row * output.stride + i;
        if (memcmp(got, want, width) == 0) continue;
        char text[160];
        if (output.is_float) {
          float a, b;
          memcpy(&a, got, 4);
          memcpy(&b, want, 4);
          if (a != a && b != b) continue;
          snprintf(text, sizeof(text), "output %zu row %zu element %zu is %a, ref %a", o, row, i / 4, a, b);
        } else {
          snprintf(text, sizeof(text), "output %zu row %zu byte %zu is %d, ref %d", o, row, i,
                   static_cast<int8_t>(*got), static_cast<int8_t>(*want));
        }
        return text;
      }
    }
  }
  return {};
}

/// Runs a row over the whole output, or over a random partition of it in random order.
void run_tiles(KernelCase& kernel_case, int row, bool split, Rng& rng) {
  const Tile whole = kernel_case.whole(row);
  if (!split) {
    kernel_case.run(row, whole);
    return;
  }
  std::vector<Tile> tiles;
  const int64_t step = kernel_case.split_step();
  const int64_t items = whole.end - whole.begin;
  for (int64_t begin = whole.begin; begin < whole.end;) {
    const int64_t wanted = (rng.between(1, items / 2 + 1) + step - 1) / step * step;
    const int64_t end = begin + wanted < whole.end ? begin + wanted : whole.end;
    for (int32_t block = whole.block_begin; block < whole.block_end;) {
      const int32_t next = block + static_cast<int32_t>(rng.between(1, whole.block_end - block));
      tiles.push_back({begin, end, block, next});
      block = next;
    }
    begin = end;
  }
  for (size_t i = tiles.size(); i > 1; i--)
    std::swap(tiles[i - 1], tiles[rng.between(0, static_cast<int64_t>(i) - 1)]);
  for (const Tile& tile : tiles) kernel_case.run(row, tile);
}

struct Call {
  KernelCase* kernel_case;
  int row;
  bool split;
  Rng* rng;
};

std::string run_guarded(Workbench& bench, Call call) {
  bench.restore();
  const std::string signal = catch_signals(
      {SIGSEGV, SIGBUS, SIGILL, SIGFPE},
      [](void* context) {
        const Call& c = *static_cast<Call*>(context);
        run_tiles(*c.kernel_case, c.row, c.split, *c.rng);
      },
      &call);
  return signal.empty() ? bench.find_stray_write() : signal;
}

/// One case of one kernel over all its rows. Returns what failed, as "row: what".
class CaseRun {
 public:
  CaseRun(const KernelCheck& check, const Options& options, CpuFeatures cpu, int index)
      : check_(check), options_(options), cpu_(cpu), index_(index) {}

  /// Adds to ran[row] and to failures.
  void run(std::vector<int64_t>* ran, std::vector<std::string>* failures) {
    const uint64_t seed = options_.seed * 0x100000001B3u + static_cast<uint64_t>(index_);
    static constexpr Fill kFills[] = {Fill::kRandom, Fill::kRandom, Fill::kExtreme, Fill::kConstant};
    Workbench bench(seed, kFills[(index_ + options_.seed) % 4],
                    (index_ / 2 + options_.seed) % 3 == 0 ? Placement::kMisaligned : Placement::kEdges);
    Rng split_rng(seed ^ 0x5EED);
    const std::unique_ptr<KernelCase> kernel_case = check_.make_case(bench, index_);
    const std::vector<RowInfo> rows = check_.rows();
    const int ref = static_cast<int>(rows.size()) - 1;
    std::vector<std::vector<uint8_t>> expected;
    for (int row = ref; row >= 0; row--) {
      const bool runs = (rows[row].needs & ~cpu_) == 0 && (row == ref || selected(options_, rows[row].name));
      if (!runs || !kernel_case->fits(row)) continue;
      bench.unseal();
      kernel_case->prepare(row);
      bench.seal();
      std::string error = run_guarded(bench, {kernel_case.get(), row, false, &split_rng});
      if (error.empty() && row == ref) {
        for (const auto& output : bench.outputs())
          expected.emplace_back(output.data, output.data + Workbench::span(output));
        error = kernel_case->verify_reference();
      } else if (error.empty()) {
        error = compare(bench.outputs(), expected);
      }
      if (error.empty()) {
        error = run_guarded(bench, {kernel_case.get(), row, true, &split_rng});
        if (error.empty()) error = compare(bench.outputs(), expected);
        if (!error.empty()) error = std::string("in tiles: ").append(error);
      }
      (*ran)[row]++;
      if (error.empty()) continue;
      failures->push_back(std::string(rows[row].name) + ": " + error + "\n    case " +
                          std::to_string(index_) + ": " + kernel_case->describe());
      if (row == ref) return;  // nothing to compare with
    }
  }

 private:
  const KernelCheck& check_;
  const Options& options_;
  CpuFeatures cpu_;
  int index_;
};

}  // namespace

Registration::Registration(const KernelCheck& check) {
  auto& checks = registry();
  size_t at = 0;
  while (at < checks.size() && strcmp(checks[at]->op, check.op) < 0) at++;
  checks.insert(checks.begin() + static_cast<ptrdiff_t>(at), &check);
}

std::vector<const KernelCheck*> registered_checks() { return registry(); }

std::string isa_of(const std::string& row) {
  std::string best;
  for (const char* word : {"ref", "avx2", "avx512vnni", "neon", "neon_dotprod", "neon_i8mm", "cuda"}) {
    const std::string suffix = std::string("_") + word;
    const bool ends =
        row.size() > suffix.size() && row.compare(row.size() - suffix.size(), suffix.size(), suffix) == 0;
    if (ends && suffix.size() > best.size() + 1) best = word;
  }
  return best;
}

bool matches(const std::string& pattern, const std::string& text) {
  size_t p = 0, t = 0, star = std::string::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
      p++, t++;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') p++;
  return p == pattern.size();
}

bool selected(const Options& options, const std::string& row) {
  if (options.isas.empty()) return true;
  for (const std::string& isa : options.isas) {
    if (isa_of(row) == isa) return true;
  }
  return false;
}

std::string catch_signals(const std::vector<int>& signals, void (*body)(void*), void* context) {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  std::vector<struct sigaction> previous(signals.size());
  for (size_t i = 0; i < signals.size(); i++) sigaction(signals[i], &action, &previous[i]);
  const int caught = sigsetjmp(g_recovery, 1);
  if (caught == 0) body(context);
  for (size_t i = 0; i < signals.size(); i++) sigaction(signals[i], &previous[i], nullptr);
  return caught == 0 ? std::string() : std::string("signal ") + strsignal(caught);
}

Totals check_all(const Options& options, CpuFeatures cpu) {
  constexpr int kDefaultRandomCases = 200;
  constexpr size_t kShownFailures = 5;
  Totals totals;
  for (const KernelCheck* check : registered_checks()) {
    bool wanted = options.ops.empty();
    for (const std::string& op : options.ops) wanted = wanted || matches(op, check->op);
    if (!wanted) continue;
    const std::vector<RowInfo> rows = check->rows();
    const int cases = check->fixed_cases + (options.cases > 0 ? options.cases : kDefaultRandomCases);
    std::vector<int64_t> ran(rows.size());
    std::vector<std::string> failures;
    for (int index = 0; index < cases; index++) CaseRun(*check, options, cpu, index).run(&ran, &failures);
    for (size_t row = 0; row < rows.size(); row++) {
      const std::string name = rows[row].name;
      if (!selected(options, name) && row + 1 < rows.size()) continue;
      std::vector<const std::string*> own;
      for (const std::string& failure : failures) {
        if (failure.compare(0, name.size() + 1, name + ":") == 0) own.push_back(&failure);
      }
      if (ran[row] == 0) {
        const bool cannot = (rows[row].needs & ~cpu) != 0;
        printf("skip %s: %s\n", name.c_str(), cannot ? "not on this CPU" : "no case fits");
        totals.skipped++;
        continue;
      }
      printf("%s %s: %lld cases\n", own.empty() ? "ok  " : "FAIL", name.c_str(),
             static_cast<long long>(ran[row]));
      for (size_t i = 0; i < own.size() && i < kShownFailures; i++) printf("  %s\n", own[i]->c_str());
      if (own.size() > kShownFailures) printf("  and %zu more\n", own.size() - kShownFailures);
      (own.empty() ? totals.passed : totals.failed)++;
    }
    fflush(stdout);
  }
  return totals;
}

}  // namespace hone::check
