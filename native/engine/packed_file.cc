#include "native/engine/packed_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

namespace hone {
namespace {

/// The file: this head, a record per block, the keys one behind the other, then the blocks in that order,
/// each at a multiple of kBufferAlignment. Little-endian; docs/formats.md describes it.
struct Head {
  char magic[8];
  uint32_t version;
  uint32_t count;        ///< blocks
  FingerprintSeed seed;  ///< drawn by the writer
  uint64_t body;  ///< fingerprint of what stands behind it: the rest up to the blocks, then every block
  uint64_t plan;  ///< fingerprint of the plan
  uint64_t file_bytes;
  uint64_t front_bytes;  ///< up to the first block
  FileStamp stamp;       ///< of the file of the plan, zeros for none
};
static_assert(sizeof(Head) == 104);
constexpr size_t kBodyBegins = 40;  ///< behind Head::body

struct Record {
  uint64_t key_bytes;
  uint64_t bytes;
};

constexpr char kMagic[8] = {'H', 'O', 'N', 'E', 'P', 'A', 'C', 'K'};
constexpr uint32_t kVersion = 2;

uint64_t padded(uint64_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

Status cannot(const char* what) {
  return Status("E_FILE_WRITE", std::string(what) + ": " + std::strerror(errno));
}

bool write_all(int file, const void* bytes, size_t size) {
  const auto* from = static_cast<const uint8_t*>(bytes);
  while (size > 0) {
    const ssize_t count = ::write(file, from, size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    from += count;
    size -= static_cast<size_t>(count);
  }
  return true;
}

bool write_padded(int file, const void* bytes, size_t size) {
  constexpr uint8_t kZeros[kBufferAlignment] = {};
  return write_all(file, bytes, size) && write_all(file, kZeros, padded(size) - size);
}

/// Makes a folder and those above it, for this user alone.
bool make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return true;
  const size_t slash = path.find_last_not_of('/', path.find_last_of('/'));
  if (errno != ENOENT || slash == std::string::npos || !make_folder(path.substr(0, slash + 1))) return false;
  return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
}

}  // namespace

std::string PackedFile::path_of(const std::string& folder, const Plan& plan) {
  char name[40];
  std::snprintf(name, sizeof(name), "%08x-%llx.packed", plan.header().crc32,
                static_cast<unsigned long long>(plan.size()));
  return folder + "/" + name;
}

std::shared_ptr<const PackedFile> PackedFile::open(const std::string& path, const Plan& plan) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (file < 0) return nullptr;
  std::shared_ptr<PackedFile> made(new PackedFile);
  const bool mapped = made->map(file);
  ::close(file);
  if (!mapped || !made->read(plan)) return nullptr;
  return made;
}

bool PackedFile::map(int file) {
  FileFacts facts;
  if (!look_at(file, &facts)) return false;
  if (!S_ISREG(facts.mode) || facts.owner != ::geteuid() || (facts.mode & (S_IWGRP | S_IWOTH)) != 0)
    return false;
  const uint64_t size = facts.bytes;
  if (size < sizeof(Head) || size > SIZE_MAX) return false;
  int flags = MAP_PRIVATE;
#ifdef MAP_POPULATE
  flags |= MAP_POPULATE;  // all of it is read at once
#endif
  void* mapping = ::mmap(nullptr, size, PROT_READ, flags, file, 0);
  if (mapping == MAP_FAILED) return false;
  mapping_ = mapping;
  size_ = size;
  return true;
}

bool PackedFile::read(const Plan& plan) {
  const auto* bytes = static_cast<const uint8_t*>(mapping_);
  Head head;
  std::memcpy(&head, bytes, sizeof(head));
  if (std::memcmp(head.magic, kMagic, sizeof(kMagic)) != 0 || head.version != kVersion ||
      head.file_bytes != size_ || head.front_bytes > size_ || head.front_bytes % kBufferAlignment != 0 ||
      head.front_bytes < sizeof(Head) || head.count > (head.front_bytes - sizeof(Head)) / sizeof(Record))
    return false;
  Fingerprint print(head.seed);
  print.add(bytes + kBodyBegins, head.front_bytes - kBodyBegins);
  uint64_t key_at = sizeof(Head) + head.count * sizeof(Record), at = head.front_bytes;
  for (uint32_t i = 0; i < head.count; ++i) {
    Record record;
    std::memcpy(&record, bytes + sizeof(Head) + i * sizeof(Record), sizeof(record));
    if (record.key_bytes > head.front_bytes - key_at || record.bytes > size_ - at ||
        padded(record.bytes) > size_ - at)
      return false;
    print.add(bytes + at, record.bytes);
    blocks_.emplace(std::string_view(reinterpret_cast<const char*>(bytes + key_at), record.key_bytes),
                    std::string_view(reinterpret_cast<const char*>(bytes + at), record.bytes));
    key_at += record.key_bytes;
    at += padded(record.bytes);
  }
  if (at != size_ || print.finish() != head.body) return false;
  const FileStamp& stamp = plan.stamp();
  if (stamp.is_known() && head.stamp == stamp) return true;
  // Not of another file: two copies of a plan would have it written over and over.
  const bool is_ours = head.stamp.device == stamp.device && head.stamp.inode == stamp.inode;
  is_outdated_ = (is_ours || !head.stamp.is_known()) && plan.kept_stamp().is_known();
  uint64_t of_plan = 0;
  return plan.fingerprint(head.seed, &of_plan) && of_plan == head.plan;
}

PackedFile::~PackedFile() {
  if (mapping_ != nullptr) ::munmap(mapping_, size_);
}

Status PackedFile::write(const std::string& folder, const Plan& plan,
                         const std::map<std::string, std::shared_ptr<const PackedBlock>>& blocks) {
  if (!make_folder(folder)) return cannot("the folder");
  Head head = {{}, kVersion, static_cast<uint32_t>(blocks.size()), {}, 0, 0, 0, 0, plan.kept_stamp()};
  std::memcpy(head.magic, kMagic, sizeof(kMagic));
  uint64_t random = 0;
  if (::getentropy(&head.seed, sizeof(head.seed)) != 0 || ::getentropy(&random, sizeof(random)) != 0)
    return cannot("random numbers");
  if (!plan.fingerprint(head.seed, &head.plan)) return cannot("reading the plan");
  std::string front(sizeof(head), '\0');
  for (const auto& [key, block] : blocks) {
    const Record record = {key.size(), block->size()};
    front.append(reinterpret_cast<const char*>(&record), sizeof(record));
    head.file_bytes += padded(block->size());
  }
  for (const auto& [key, block] : blocks) front += key;
  front.resize(padded(front.size()));
  head.front_bytes = front.size();
  head.file_bytes += head.front_bytes;
  std::memcpy(front.data(), &head, sizeof(head));
  Fingerprint print(head.seed);
  print.add(reinterpret_cast<const uint8_t*>(front.data()) + kBodyBegins, front.size() - kBodyBegins);
  for (const auto& [key, block] : blocks) print.add(block->data(), block->size());
  head.body = print.finish();
  std::memcpy(front.data(), &head, sizeof(head));

  const std::string path = path_of(folder, plan);
  char suffix[24];
  std::snprintf(suffix, sizeof(suffix), ".%016llx", static_cast<unsigned long long>(random));
  const std::string made = path + suffix;
  const int file = ::open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return cannot("a new file");
  bool written = write_all(file, front.data(), front.size());
  for (auto block = blocks.begin(); written && block != blocks.end(); ++block)
    written = write_padded(file, block->second->data(), block->second->size());
  // Not synchronised: after a loss of power a file that is not whole is not believed.
  Status status = written ? Status() : cannot("writing");
  if (::close(file) != 0 && status.ok()) status = cannot("closing");
  if (status.ok() && ::rename(made.c_str(), path.c_str()) != 0) status = cannot("renaming");
  if (!status.ok()) ::unlink(made.c_str());
  return status;
}

}  // namespace hone
