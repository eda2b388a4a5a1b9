#pragma once
#include <string>
#include <string_view>

#include "native/core/cpu_features.h"
#include "native/core/status.h"

namespace hone {

/// Features of this CPU that the operating system lets programs use.
CpuFeatures detect_cpu();

/// Parses `ref` or a comma-separated list of words, as in HONE_CPU; empty means all of `available`.
/// Unknown and unavailable words are errors that name the words offered. A word implies the words below it
/// (`avx512vnni` implies `avx2`; `neon_i8mm` implies `neon_dotprod` implies `neon`).
[[nodiscard]] Status parse_cpu_mask(std::string_view text, CpuFeatures available, CpuFeatures* mask);

/// Words of a set, best last, comma-separated; `ref` for the empty set.
std::string describe_cpu(CpuFeatures features);

}  // namespace hone
