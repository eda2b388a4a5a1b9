#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "native/core/status.h"
#include "native/engine/aligned_buffer.h"
#include "native/engine/file_stamp.h"
#include "native/engine/fingerprint.h"
#include "native/engine/plan_format.h"

namespace hone {

/// Most bytes that a plan may ask for as arena or as state memory.
inline constexpr uint64_t kPlanMaxMemory = uint64_t{1} << 34;
/// Largest element count and window extent that kernels see: indices and sums of them stay inside int32.
inline constexpr int64_t kPlanMaxWindowReach = int64_t{1} << 30;
/// Most elements of a pooling window, and of the windows of all average pools: an int32 sum of 8-bit
/// differences cannot overflow, and their tables stay small.
inline constexpr int64_t kPlanMaxPoolArea = int64_t{1} << 23;

/// A plan. Once it passed every check (offsets, sizes, alignments, shapes and parameters of every node, and
/// the proof that no accumulator overflows), whoever holds it may follow its offsets without looking.
/// Immutable from then on, shared between threads.
class Plan {
 public:
  /// Reads the records into memory and maps the weights read-only: whoever changes the file afterwards
  /// changes numbers, never an address or a size. Whoever cuts it short takes the pages away, and the next
  /// read of a weight ends the process (SIGBUS): replace plans by rename. Sections lie inside; nothing else
  /// is checked. E_FILE_NOT_FOUND, E_PLAN_FORMAT, E_PLAN_VERSION (reason: the
  /// version found), E_MEMORY.
  static Status read_file(const std::string& path, std::shared_ptr<Plan>* plan);
  /// The same with a copy of the bytes, so that the caller may change his afterwards.
  static Status read_bytes(const void* bytes, size_t size, std::shared_ptr<Plan>* plan);
  /// Whether the file is as it was written. E_PLAN_FORMAT.
  Status check_checksum() const;
  /// Everything else. E_PLAN_FORMAT. `is_proven`: a process of this user has opened these very bytes, so that
  /// weights need not be summed again.
  Status check(bool is_proven = false);
  /// Whether checks may leave out what only the contents of constants could break.
  bool is_proven() const { return is_proven_; }

  /// Whether another plan, just read, has the same bytes. Reads our own weights from the file again, not
  /// through the mapping: the file may have been cut short.
  bool same_bytes(const Plan& other) const;
  /// Hash of all bytes under `seed`; those of a file are read again. False when they cannot be read.
  [[nodiscard]] bool fingerprint(FingerprintSeed seed, uint64_t* result) const;
  /// Of the file when it was opened; unknown for bytes, and for a file that was changed just now.
  const FileStamp& stamp() const { return stamp_; }
  /// The same, to be remembered: unknown unless the bytes of the file are where no loss of power takes them.
  FileStamp kept_stamp() const;
  /// Lets the system take back the pages of a mapped constant, or of its codes, that is not read any more, or
  /// seldom: the next read fetches them again.
  void give_back_pages(const PlanTensor& constant) const;

  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan();

  // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn): whoever holds a plan holds its header
  const PlanHeader& header() const { return *reinterpret_cast<const PlanHeader*>(data_); }
  std::span<const PlanVariant> variants() const { return table<PlanVariant>(header().variants); }
  std::span<const PlanTensor> tensors() const { return table<PlanTensor>(header().tensors); }
  std::span<const PlanNode> nodes() const { return table<PlanNode>(header().nodes); }
  std::span<const PlanPort> ports() const { return table<PlanPort>(header().ports); }
  std::span<const PlanState> states() const { return table<PlanState>(header().states); }
  std::span<const PlanWeights> encoded() const { return table<PlanWeights>(header().encoded); }
  std::span<const PlanCount> counts() const { return table<PlanCount>(header().counts); }

  std::string_view string(PlanString text) const {
    return {reinterpret_cast<const char*>(data_ + header().strings.offset + text.offset), text.bytes};
  }
  /// Outputs, then inputs.
  std::span<const uint32_t> operands(const PlanNode& node) const {
    const auto* all = reinterpret_cast<const uint32_t*>(data_ + header().operands.offset);
    return {all + node.first_operand, static_cast<size_t>(node.output_count) + node.input_count};
  }
  /// Input `index` of a node, or null when it is not there.
  const PlanTensor* input(const PlanNode& node, uint32_t index) const {
    if (index >= node.input_count) return nullptr;
    const uint32_t tensor = operands(node)[node.output_count + index];
    return tensor == kPlanNone ? nullptr : &tensors()[tensor];
  }
  const PlanTensor& output(const PlanNode& node, uint32_t index = 0) const {
    return tensors()[operands(node)[index]];
  }
  template <typename Params>
  const Params& params(const PlanNode& node) const {
    return *reinterpret_cast<const Params*>(data_ + header().params.offset + node.params_offset);
  }
  /// Start of the weights section.
  const uint8_t* weights() const { return weights_; }
  /// Bytes of a constant, as they are in the file.
  template <typename T = uint8_t>
  const T* constant(const PlanTensor& tensor) const {
    return reinterpret_cast<const T*>(weights() + tensor.offset);
  }

  /// Bytes of the memory that is kept between runs, over all variants.
  uint64_t state_bytes() const { return state_bytes_; }
  /// Bytes of all constants, and of those that are codes once more when they are decoded.
  uint64_t decoded_bytes() const { return decoded_bytes_; }
  /// Bytes of the file.
  size_t size() const { return size_; }

 private:
  Plan() = default;
  Status map_file();
  Status check_frame() const;
  /// Calls take(bytes, place, count) for the weights, piece by piece, as long as it says true; those of a
  /// file are read, not touched: the file may have been cut short, and pages of a mapping cost more.
  template <typename Take>
  bool read_weights(const Take& take) const;
  template <typename Record>
  std::span<const Record> table(PlanSection section) const {
    return {reinterpret_cast<const Record*>(data_ + section.offset), static_cast<size_t>(section.count)};
  }

  const uint8_t* data_ = nullptr;     ///< the file up to the weights, or all of it
  const uint8_t* weights_ = nullptr;  ///< the rest of the file
  size_t front_ = 0;                  ///< bytes at data_ that come before the weights
  size_t size_ = 0;
  AlignedBuffer copy_;
  int file_ = -1;
  FileStamp stamp_{};
  void* mapping_ = nullptr;
  size_t mapping_bytes_ = 0;
  uint64_t state_bytes_ = 0;
  bool is_proven_ = false;
  uint64_t decoded_bytes_ = 0;
};

/// Elements of a tensor or port; the dims of a checked plan do not overflow.
template <typename Shaped>
int64_t count_elements(const Shaped& shaped) {
  int64_t count = 1;
  for (int i = 0; i < shaped.rank; ++i) count *= shaped.dims[i];
  return count;
}

/// Rows of codes.
inline int64_t count_code_rows(const PlanWeights& weights) {
  const uint64_t row_bytes = weights.bits == 4 ? (uint64_t{weights.row} + 1) / 2 : weights.row;
  return static_cast<int64_t>(weights.bytes / row_bytes);
}

/// Elements of the last dimension: what a row of a tensor holds.
inline int64_t row_length(const PlanTensor& tensor) {
  return tensor.rank == 0 ? 1 : tensor.dims[tensor.rank - 1];
}

/// Elements from one row to the next.
inline int64_t row_pitch(const PlanTensor& tensor) {
  return tensor.pitch == 0 ? row_length(tensor) : tensor.pitch;
}

/// Bytes of the elements of a tensor, without gaps.
inline size_t dense_bytes(const PlanTensor& tensor) {
  return static_cast<size_t>(count_elements(tensor) * element_bytes(tensor.type));
}

/// Word of a type as in lib/plan/format.ts.
const char* describe_type(PlanType type);
}  // namespace hone
