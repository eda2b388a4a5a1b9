#include "native/engine/file_stamp.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

namespace hone {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
/// Above the coarsest step of time that file systems have: 2 s.
constexpr uint64_t kSettledNs = 3 * kSecondNs;

bool is_settled(uint64_t changed_ns) {
  timespec now;
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0) return false;
  const uint64_t now_ns = static_cast<uint64_t>(now.tv_sec) * kSecondNs + static_cast<uint64_t>(now.tv_nsec);
  return now_ns > kSettledNs && changed_ns < now_ns - kSettledNs;
}

template <typename Time>
uint64_t to_ns(const Time& time) {
  return static_cast<uint64_t>(time.tv_sec) * kSecondNs + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

bool look_at(int file, FileFacts* facts) {
#ifdef __GLIBC__
  // Not fstat: glibc before 2.33 has no symbol for it.
  struct statx about;
  if (::statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &about) != 0) return false;
  const uint64_t device = uint64_t{about.stx_dev_major} << 32 | about.stx_dev_minor;
  *facts = {about.stx_uid, about.stx_mode, about.stx_size, {}};
  FileStamp stamp = {device, about.stx_ino, about.stx_size, 0, 0};
  stamp.modified_ns = to_ns(about.stx_mtime);
  stamp.changed_ns = to_ns(about.stx_ctime);
#else
  struct stat about;
  if (::fstat(file, &about) != 0) return false;
  const auto bytes = static_cast<uint64_t>(about.st_size);
  *facts = {about.st_uid, about.st_mode, bytes, {}};
  FileStamp stamp = {static_cast<uint64_t>(about.st_dev), about.st_ino, bytes, 0, 0};
#ifdef __APPLE__
  stamp.modified_ns = to_ns(about.st_mtimespec);
  stamp.changed_ns = to_ns(about.st_ctimespec);
#else
  stamp.modified_ns = to_ns(about.st_mtim);
  stamp.changed_ns = to_ns(about.st_ctim);
#endif
#endif
  if (is_settled(stamp.changed_ns)) facts->stamp = stamp;
  return true;
}

}  // namespace hone
