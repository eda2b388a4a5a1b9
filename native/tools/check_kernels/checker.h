#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {

struct Options {
  std::vector<std::string> ops;      ///< globs; empty: all
  std::vector<std::string> isas;     ///< words; empty: all
  std::vector<std::string> require;  ///< words whose rows must run
  std::string bench;                 ///< glob on "row/case"; empty: no bench
  uint64_t seed = 1;
  int cases = 0;  ///< random cases per kernel besides the fixed ones; 0: a default
  bool list = false;
  bool zero_points = false;  ///< compare what zero points of the weights cost
  bool marked = false;       ///< between marks for a counter of instructions, not by time
};

struct Totals {
  int64_t passed = 0;
  int64_t failed = 0;
  int64_t skipped = 0;
};

/// Instruction-set word of a row name: the longest that ends it. "conv_s8_neon_dotprod" is "neon_dotprod".
std::string isa_of(const std::string& row);

/// Whether `text` matches `pattern`, where * is any text and ? any character.
bool matches(const std::string& pattern, const std::string& text);

/// Whether the options ask for this row.
bool selected(const Options& options, const std::string& row);

/// Runs `body` and turns a fatal signal in it into a failure; returns its name, or empty.
std::string catch_signals(const std::vector<int>& signals, void (*body)(void*), void* context);

/// Checks every selected row of every selected kernel that this CPU can run against ref.
Totals check_all(const Options& options, CpuFeatures cpu);

/// Checks that packing writes the bytes that its formats say, and that layouts are named by their bytes.
bool check_packing(uint64_t seed);

/// Checks that every legal int8 layer finds a row other than ref on every instruction set of this
/// architecture.
bool check_choices();

/// Prints one JSON line per row and representative shape; returns how many.
int bench_all(const Options& options, CpuFeatures cpu);

/// Behind the name of a bench case whose weights have zero points.
inline constexpr const char* kWithZeroPoints = ", zero points";

/// Prints one JSON line per int8 row and representative shape, with and without zero points of the weights;
/// returns how many.
int compare_zero_points(const Options& options, CpuFeatures cpu);

}  // namespace hone::check
