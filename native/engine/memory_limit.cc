#include "native/engine/memory_limit.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

namespace hone {
namespace {

/// Less is not worth asking for: files would be read at every opening.
constexpr uint64_t kAlwaysThere = 16 << 20;

/// The start of a small file of the system; empty when it cannot be read.
std::string read_start(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return {};
  std::string text(4096, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(file, text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    size += static_cast<size_t>(count);
  }
  ::close(file);
  text.resize(size);
  return text;
}

/// Path of the group of version 2: the line that begins with "0::".
std::string find_group(const std::string& membership) {
  const std::string text = "\n" + read_start(membership);
  const size_t at = text.find("\n0::/");
  if (at == std::string::npos) return {};
  const size_t begin = at + 4;
  return text.substr(begin, text.find('\n', begin) - begin);
}

uint64_t all_memory() {
  const auto pages = ::sysconf(_SC_PHYS_PAGES);
  const auto page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return UINT64_MAX;
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
}

}  // namespace

uint64_t find_group_limit(const std::string& membership, const std::string& root) {
  uint64_t least = UINT64_MAX;
  for (std::string group = find_group(membership); !group.empty(); group.resize(group.rfind('/'))) {
    const std::string text = read_start(root + group + "/memory.max");  // "max": no bound
    uint64_t limit = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), limit).ec == std::errc())
      least = std::min(least, limit);
  }
  return least;
}

Status check_memory(uint64_t bytes, uint64_t limit) {
  if (limit == 0 && bytes <= kAlwaysThere) return Status();
  const char* whose = "the limit of the session is ";
  if (limit == 0) {
    const uint64_t group = find_group_limit(), machine = all_memory();
    limit = std::min(group, machine);
    whose = group < machine ? "the container of this process may have " : "this machine has ";
  }
  if (bytes <= limit) return Status();
  return Status("E_MEMORY",
                std::to_string(bytes) + " bytes for weights and tensors, " + whose + std::to_string(limit));
}

}  // namespace hone
