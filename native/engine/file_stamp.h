#pragma once
#include <cstdint>

namespace hone {

/// What tells that a file is the one that was read before, and has not been written since: another file, or
/// other bytes in it, have another stamp.
struct FileStamp {
  uint64_t device, inode, bytes, modified_ns, changed_ns;

  bool is_known() const { return changed_ns != 0; }
  bool operator==(const FileStamp&) const = default;
};

/// What the system says of an open file.
struct FileFacts {
  uint32_t owner, mode;
  uint64_t bytes;
  /// Unknown (zeros) for a file that was changed just now: systems count time in steps, so that the next
  /// change might bear the same.
  FileStamp stamp;
};

/// False when the system does not say.
[[nodiscard]] bool look_at(int file, FileFacts* facts);

}  // namespace hone
