#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "native/tools/check_kernels/checker.h"

namespace hone::check {
namespace {

constexpr char kUsage[] =
    "usage: check_kernels [--list] [--op=GLOB,..] [--isa=WORD,..] [--require=WORD,..] [--seed=N] "
    "[--cases=N]\n"
    "                     [--bench[=GLOB]] [--zero-points[=marked]]\n"
    "Runs every row of every kernel table that this CPU has against its ref row: guard pages, canaries, "
    "read-only inputs,\n"
    "random, extreme and constant data, sizes around every tile edge, misaligned pointers, outputs computed "
    "in pieces.\n"
    "  --list       print the kernels, their rows and whether this CPU has them\n"
    "  --op         only these kernels, for example --op=conv_s8,*_f32\n"
    "  --isa        only rows of these instruction sets (ref avx2 avx512vnni neon neon_dotprod neon_i8mm)\n"
    "  --require    fail when no row of this instruction set was checked\n"
    "  --seed       changes data and random shapes; a failure names the seed\n"
    "  --cases      random cases per kernel, besides the fixed ones (200)\n"
    "  --bench      time the representative shapes instead; the glob is on ROW/SHAPE; one JSON line each\n"
    "  --zero-points  int8 shapes with and without zero points of the weights, by turns; `marked`: one run "
    "of each\n"
    "               between marks for a counter of instructions (ARM)\n";

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    if (comma > begin) words.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return words;
}

/// The value of "--name=value" when `argument` is that option.
bool option(const std::string& argument, const char* name, std::string* value) {
  const std::string prefix = std::string("--") + name + "=";
  if (argument.compare(0, prefix.size(), prefix) != 0) return false;
  *value = argument.substr(prefix.size());
  return true;
}

bool number(const std::string& text, uint64_t* value) {
  char* end = nullptr;
  *value = strtoull(text.c_str(), &end, 0);
  return !text.empty() && *end == '\0';
}

bool parse(int count, char** arguments, Options* options) {
  for (int i = 1; i < count; i++) {
    const std::string argument = arguments[i];
    std::string value;
    uint64_t parsed = 0;
    if (argument == "--list") {
      options->list = true;
    } else if (argument == "--bench") {
      options->bench.assign(1, '*');
    } else if (argument == "--zero-points" || argument == "--zero-points=marked") {
      options->zero_points = true;
      options->marked = argument.size() > strlen("--zero-points");
    } else if (option(argument, "bench", &value)) {
      options->bench = value;
    } else if (option(argument, "op", &value)) {
      options->ops = split(value);
    } else if (option(argument, "isa", &value)) {
      options->isas = split(value);
    } else if (option(argument, "require", &value)) {
      options->require = split(value);
    } else if (option(argument, "seed", &value) && number(value, &parsed)) {
      options->seed = parsed;
    } else if (option(argument, "cases", &value) && number(value, &parsed)) {
      options->cases = static_cast<int>(parsed);
    } else {
      fprintf(stderr, "check_kernels: cannot read '%s'\n%s", argument.c_str(), kUsage);
      return false;
    }
  }
  return true;
}

void list(CpuFeatures cpu) {
  for (const KernelCheck* check : registered_checks()) {
    printf("%s\n", check->op);
    for (const RowInfo& row : check->rows()) {
      printf("  %s%s\n", row.name, (row.needs & ~cpu) == 0 ? "" : " (not on this CPU)");
    }
  }
}

/// A word of --require counts as met when a selected kernel has a row of it and this CPU runs it.
bool requirements_met(const Options& options, CpuFeatures cpu) {
  bool met = true;
  for (const std::string& word : options.require) {
    bool found = false;
    for (const KernelCheck* check : registered_checks()) {
      bool wanted = options.ops.empty();
      for (const std::string& op : options.ops) wanted = wanted || matches(op, check->op);
      for (const RowInfo& row : check->rows()) {
        found = found || (wanted && selected(options, row.name) && isa_of(row.name) == word &&
                          (row.needs & ~cpu) == 0);
      }
    }
    if (!found) printf("FAIL --require=%s: no row of it can run here\n", word.c_str());
    met = met && found;
  }
  return met;
}

int run(int count, char** arguments) {
  Options options;
  if (!parse(count, arguments, &options)) return 2;
  const CpuFeatures cpu = detect_cpu();
  if (options.list) {
    list(cpu);
    return 0;
  }
  if (!options.bench.empty() || options.zero_points) {
    if ((options.zero_points ? compare_zero_points : bench_all)(options, cpu) > 0) return 0;
    fprintf(stderr, "check_kernels: nothing matches\n");
    return 1;
  }
  const char* mask_text = getenv("HONE_CPU");
  CpuFeatures mask = cpu;
  const Status status = parse_cpu_mask(mask_text == nullptr ? "" : mask_text, cpu, &mask);
  printf("cpu %s; HONE_CPU selects %s; seed %llu\n", describe_cpu(cpu).c_str(),
         status.ok() ? describe_cpu(mask).c_str() : status.reason().c_str(),
         static_cast<unsigned long long>(options.seed));
  Totals totals = check_all(options, cpu);
  if (options.ops.empty() && options.isas.empty()) {
    for (const bool passed : {check_packing(options.seed), check_choices()})
      (passed ? totals.passed : totals.failed)++;
  }
  if (!requirements_met(options, cpu)) totals.failed++;
  if (totals.passed + totals.failed == 0) {
    printf("FAIL nothing was checked\n");
    totals.failed++;
  }
  if (totals.failed > 0) printf("repeat with --seed=%llu\n", static_cast<unsigned long long>(options.seed));
  printf("%lld passed, %lld failed, %lld skipped\n", static_cast<long long>(totals.passed),
         static_cast<long long>(totals.failed), static_cast<long long>(totals.skipped));
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace hone::check

int main(int count, char** arguments) { return hone::check::run(count, arguments); }
