#include <algorithm>
#include <iterator>
#include <numeric>

#include "native/kernels/copy_nd/copy_nd.h"
#include "native/tools/check_kernels/kernel_check.h"

namespace hone::check {
namespace {

/// One dimension, outermost first: how many, where it stands in src (outermost 0), and what surrounds it
/// there.
struct Dimension {
  int64_t extent;
  int src_place;
  int64_t dst_extra, src_extra;  ///< elements of this dimension that are not copied: concat, pad; slice
  int64_t src_step;              ///< 1; more for a slice with steps; negative for a flip
};

struct Spec {
  const char* name;
  int32_t element_bytes;
  std::vector<Dimension> dims;
};

/// Elements from one index to the next, in an array of the dimensions' storage in order of place.
std::vector<int64_t> strides_of(const std::vector<int>& place, const std::vector<int64_t>& storage,
                                int64_t* total) {
  std::vector<int64_t> strides(place.size());
  *total = 1;
  for (size_t position = place.size(); position-- > 0;) {
    const size_t d = std::find(place.begin(), place.end(), static_cast<int>(position)) - place.begin();
    strides[d] = *total;
    *total *= storage[d];
  }
  return strides;
}

std::unique_ptr<KernelCase> make(Workbench& bench, const Spec& s) {
  std::vector<int> dst_place, src_place;
  std::vector<int64_t> dst_storage, src_storage;
  std::string text = "bytes " + std::to_string(s.element_bytes);
  double elements = 1;
  for (const Dimension& d : s.dims) {
    dst_place.push_back(static_cast<int>(dst_place.size()));
    src_place.push_back(d.src_place);
    dst_storage.push_back(d.extent + d.dst_extra);
    src_storage.push_back((d.extent - 1) * std::abs(d.src_step) + 1 + d.src_extra);
    elements *= static_cast<double>(d.extent);
    text += " [" + std::to_string(d.extent) + " src " + std::to_string(d.src_place) + " extra " +
            std::to_string(d.dst_extra) + "," + std::to_string(d.src_extra) + " step " +
            std::to_string(d.src_step) + "]";
  }
  int64_t dst_total, src_total;
  const std::vector<int64_t> dst_strides = strides_of(dst_place, dst_storage, &dst_total);
  const std::vector<int64_t> src_strides = strides_of(src_place, src_storage, &src_total);
  CopyNdArgs args = {};
  args.rank = static_cast<int32_t>(s.dims.size());
  args.element_bytes = s.element_bytes;
  uint8_t* src = bench.input<uint8_t>(src_total * s.element_bytes);
  bench.fill_bytes(src, src_total * s.element_bytes);
  args.dst = bench.output<uint8_t>(dst_total * s.element_bytes);
  for (size_t d = 0; d < s.dims.size(); d++) {
    args.extents[d] = s.dims[d].extent;
    args.dst_strides[d] = dst_strides[d] * s.element_bytes;
    args.src_strides[d] = src_strides[d] * s.dims[d].src_step * s.element_bytes;
    if (s.dims[d].src_step < 0) src -= args.src_strides[d] * (s.dims[d].extent - 1);
  }
  args.src = src;
  return std::make_unique<PlainCase<CopyNdRow, CopyNdArgs>>(kCopyNdRows, args, s.dims[0].extent, elements,
                                                            s.name != nullptr ? s.name : text);
}

Spec transpose(const char* name, int32_t element_bytes, int64_t rows, int64_t columns) {
  return {name, element_bytes, {{1, 0, 0, 0, 1}, {columns, 2, 0, 0, 1}, {rows, 1, 0, 0, 1}}};
}

// Transposes around 3, 4 and 16; runs around 16 and 32 bytes; slices, flips, concatenations; rank 8.
const Spec kFixed[] = {
    {nullptr, 1, {{1, 0, 0, 0, 1}}},
    {nullptr, 4, {{7, 0, 0, 0, 1}}},
    {nullptr, 1, {{5, 0, 3, 0, 1}, {16, 1, 7, 0, 1}}},
    {nullptr, 1, {{5, 0, 0, 0, 1}, {17, 1, 7, 2, 1}}},
    {nullptr, 1, {{4, 0, 0, 0, 1}, {33, 1, 1, 0, 1}}},
    {nullptr, 1, {{3, 0, 0, 0, 1}, {5, 1, 0, 0, 1}, {3, 2, 5, 0, 1}}},
    {nullptr, 2, {{3, 0, 0, 0, 1}, {5, 1, 0, 1, 2}, {9, 2, 0, 0, -1}}},
    {nullptr, 8, {{3, 1, 0, 0, 1}, {5, 0, 0, 0, 1}}},
    {nullptr, 1, {{2, 0, 0, 0, 1}, {4, 1, 0, 0, -1}, {6, 2, 0, 0, 1}}},
    {nullptr,
     1,
     {{2, 7, 0, 0, 1},
      {1, 6, 0, 1, 1},
      {2, 5, 1, 0, 1},
      {1, 4, 0, 0, 1},
      {2, 3, 0, 0, 1},
      {3, 2, 0, 0, 1},
      {1, 1, 2, 0, 1},
      {2, 0, 0, 0, 1}}},
    transpose(nullptr, 1, 3, 50),
    transpose(nullptr, 1, 50, 3),
    transpose(nullptr, 1, 16, 16),
    transpose(nullptr, 1, 33, 21),
    transpose(nullptr, 1, 2, 35),
    transpose(nullptr, 4, 4, 4),
    transpose(nullptr, 4, 9, 14),
    transpose(nullptr, 4, 3, 17),
    transpose(nullptr, 2, 5, 6),
};

const Spec kBench[] = {
    {"concat 56x56 16 of 32 channels", 1, {{56 * 56, 0, 0, 0, 1}, {16, 1, 16, 0, 1}}},
    {"slice 56x56 24 of 64 channels", 1, {{56 * 56, 0, 0, 0, 1}, {24, 1, 0, 40, 1}}},
    {"pad 24x24x16 to 26x26x16", 1, {{1, 0, 0, 0, 1}, {24, 1, 2, 0, 1}, {24, 2, 2, 0, 1}, {16, 3, 0, 0, 1}}},
    transpose("first to last 3 224x224", 1, 3, 224 * 224),
    transpose("last to first 3 224x224", 1, 224 * 224, 3),
    transpose("last to first 64 28x28", 1, 28 * 28, 64),
    transpose("float first to last 16 28x28", 4, 16, 28 * 28),
};

Spec random_spec(Rng& rng) {
  static constexpr int32_t kElementBytes[] = {1, 1, 1, 2, 4, 4, 8};
  Spec s = {nullptr, rng.pick(kElementBytes), {}};
  const int rank = static_cast<int>(rng.between(1, 5));
  std::vector<int> places(rank);
  std::iota(places.begin(), places.end(), 0);
  if (rng.chance(0.6)) {
    for (int d = rank - 1; d > 0; d--) std::swap(places[d], places[rng.between(0, d)]);
  }
  static constexpr int64_t kSteps[] = {1, 1, 1, 1, 1, 2, -1, -2};
  for (int d = 0; d < rank; d++) {
    const int64_t extent = rng.between(1, d + 2 >= rank ? 40 : 4);
    s.dims.push_back({extent, places[d], rng.chance(0.7) ? 0 : rng.between(1, 4),
                      rng.chance(0.7) ? 0 : rng.between(1, 4), rng.pick(kSteps)});
  }
  return s;
}

const KernelCheck kCheck = {
    "copy_nd",
    [] { return list_rows(kCopyNdRows, kCopyNdRowCount); },
    static_cast<int>(std::size(kFixed)) * 4,
    [](Workbench& bench, int index) {
      const int fixed = static_cast<int>(std::size(kFixed));
      return make(bench, index < 4 * fixed ? kFixed[index % fixed] : random_spec(bench.rng()));
    },
    static_cast<int>(std::size(kBench)),
    [](Workbench& bench, int index) { return make(bench, kBench[index]); }};
const Registration kRegistration(kCheck);

}  // namespace
}  // namespace hone::check
