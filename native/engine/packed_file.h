#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "native/core/status.h"
#include "native/engine/fingerprint.h"
#include "native/engine/packed_block.h"
#include "native/engine/plan.h"

namespace hone {

/// A cache file of packed weights, mapped read-only: blocks by their keys (packed_store.h). It belongs to the
/// bytes of one plan, not to a machine. Nothing in it is believed before its fingerprint and that of the plan
/// are right, under a seed that the file's writer drew: neither a damaged file nor a plan made to look like
/// another gives other numbers than packing. A plan in the very file that the writer read, unchanged since by
/// its stamp, is not looked through again. Whoever changes a file in place under a running session changes
/// its numbers; replace by rename.
class PackedFile {
 public:
  /// Path of the file of a plan in `folder`.
  static std::string path_of(const std::string& folder, const Plan& plan);
  /// The file of these bytes of `plan`; null when there is none, or none that this process wrote or would
  /// believe: of another user, writable for others, damaged, of another version or plan.
  static std::shared_ptr<const PackedFile> open(const std::string& path, const Plan& plan);
  /// Writes a file of `blocks`, whole or not at all; makes the folder. E_FILE_WRITE (reason: what failed).
  static Status write(const std::string& folder, const Plan& plan,
                      const std::map<std::string, std::shared_ptr<const PackedBlock>>& blocks);

  PackedFile(const PackedFile&) = delete;
  PackedFile& operator=(const PackedFile&) = delete;
  ~PackedFile();

  /// The blocks by key; their memory is that of the file.
  const std::map<std::string_view, std::string_view>& blocks() const { return blocks_; }
  /// Whether the next process would look through the plan again, and would not had this one written the file.
  bool is_outdated() const { return is_outdated_; }

 private:
  PackedFile() = default;
  bool map(int file);
  bool read(const Plan& plan);

  void* mapping_ = nullptr;
  size_t size_ = 0;
  bool is_outdated_ = false;
  std::map<std::string_view, std::string_view> blocks_;
};

}  // namespace hone
