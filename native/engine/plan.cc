#include "native/engine/plan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include "native/engine/crc32.h"
#include "native/engine/plan_check.h"

namespace hone {

static_assert(std::endian::native == std::endian::little, "plans are mapped as they are");

namespace {

Status bad(const std::string& reason) { return Status("E_PLAN_FORMAT", reason); }

Status unreadable(int error) { return Status("E_FILE_NOT_FOUND", std::strerror(error)); }

/// Of the weights that are read from the file at a time: they stay in a cache of the processor.
constexpr size_t kChunkBytes = 1 << 16;

/// Reads bytes of a file from a place on. 0, or the error of the system; EIO when the file has fewer.
int read_at(int file, uint8_t* bytes, size_t size, size_t at) {
  for (size_t done = 0; done < size;) {
    const ssize_t count = ::pread(file, bytes + done, size - done, static_cast<off_t>(at + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 ? errno : EIO;
    done += static_cast<size_t>(count);
  }
  return 0;
}

Status check_head(const PlanHeader& head, size_t size) {
  if (std::memcmp(head.magic, kPlanMagic, sizeof(kPlanMagic)) != 0)
    return bad("it does not begin with the plan magic");
  if (head.version < 1 || head.version > kPlanVersion)
    return Status("E_PLAN_VERSION", std::to_string(head.version));
  if (head.header_bytes != sizeof(PlanHeader)) return bad("the header has another size");
  if (head.file_bytes != size)
    return bad(std::to_string(head.file_bytes) + " bytes are announced, " + std::to_string(size) +
               " are there");
  const PlanSection weights = head.weights;
  if (weights.offset < sizeof(PlanHeader) || weights.offset % 64 != 0 || weights.offset > size ||
      weights.count > size - weights.offset)
    return bad("a section is out of bounds");
  return Status();
}

Status too_few(size_t size) { return bad(std::to_string(size) + " bytes are too few for a header"); }

}  // namespace

Status Plan::read_file(const std::string& path, std::shared_ptr<Plan>* plan) {
  std::shared_ptr<Plan> made(new Plan);
  // Without waiting for a writer when the path is a pipe; on files the flag does nothing.
  made->file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (made->file_ < 0) return unreadable(errno);
  Status status = made->map_file();
  if (status.ok()) status = made->check_frame();
  if (status.ok()) *plan = std::move(made);
  return status;
}

Status Plan::map_file() {
  // Before anything is read: what is written meanwhile has another stamp.
  FileFacts facts;
  if (look_at(file_, &facts)) stamp_ = facts.stamp;
  // lseek, which also says what is no file.
  const off_t end = ::lseek(file_, 0, SEEK_END);
  if (end < 0) return unreadable(errno);
  size_ = static_cast<size_t>(end);
  if (size_ < sizeof(PlanHeader)) return too_few(size_);
  PlanHeader head;
  if (const int error = read_at(file_, reinterpret_cast<uint8_t*>(&head), sizeof(head), 0); error != 0)
    return unreadable(error);
  if (Status status = check_head(head, size_); !status.ok()) return status;

  front_ = head.weights.offset;
  if (!copy_.allocate(front_)) return Status("E_MEMORY", "the records of the plan");
  if (const int error = read_at(file_, copy_.data(), front_, 0); error != 0) return unreadable(error);
  data_ = copy_.data();
  if (size_ == front_) return Status();
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t begin = front_ / page * page;
  void* mapping = ::mmap(nullptr, size_ - begin, PROT_READ, MAP_PRIVATE, file_, static_cast<off_t>(begin));
  if (mapping == MAP_FAILED) return unreadable(errno);
  mapping_ = mapping;
  mapping_bytes_ = size_ - begin;
  weights_ = static_cast<const uint8_t*>(mapping_) + (front_ - begin);
  return Status();
}

Status Plan::read_bytes(const void* bytes, size_t size, std::shared_ptr<Plan>* plan) {
  if (size < sizeof(PlanHeader)) return too_few(size);
  PlanHeader head;
  std::memcpy(&head, bytes, sizeof(head));
  if (Status status = check_head(head, size); !status.ok()) return status;
  std::shared_ptr<Plan> made(new Plan);
  if (!made->copy_.allocate(size)) return Status("E_MEMORY", "a copy of the plan");
  std::memcpy(made->copy_.data(), bytes, size);
  made->data_ = made->copy_.data();
  made->size_ = size;
  made->front_ = head.weights.offset;
  made->weights_ = made->data_ + made->front_;
  if (Status status = made->check_frame(); !status.ok()) return status;
  *plan = std::move(made);
  return Status();
}

Plan::~Plan() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_bytes_);
  if (file_ >= 0) ::close(file_);
}

bool Plan::same_bytes(const Plan& other) const {
  if (size_ != other.size_ || front_ != other.front_ || std::memcmp(data_, other.data_, front_) != 0)
    return false;
  return read_weights([&](const uint8_t* bytes, size_t at, size_t count) {
    return std::memcmp(bytes, other.weights_ + at, count) == 0;
  });
}

template <typename Take>
bool Plan::read_weights(const Take& take) const {
  std::vector<uint8_t> chunk(mapping_ == nullptr ? 0 : kChunkBytes);
  for (size_t at = 0, count = 0; at < size_ - front_; at += count) {
    count = std::min(kChunkBytes, size_ - front_ - at);
    const uint8_t* bytes = mapping_ == nullptr ? weights_ + at : chunk.data();
    if (mapping_ != nullptr && read_at(file_, chunk.data(), count, front_ + at) != 0) return false;
    if (!take(bytes, at, count)) return false;
  }
  return true;
}

void Plan::give_back_pages(const PlanTensor& constant) const {
  if (mapping_ == nullptr) return;  // a copy on the heap would come back as zeros
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const bool is_coded = constant.place == PlanPlace::kEncoded;
  const uint64_t offset = is_coded ? encoded()[constant.offset].offset : constant.offset;
  const uint64_t bytes = is_coded ? encoded()[constant.offset].bytes : constant.bytes;
  const size_t from = static_cast<size_t>(weights_ - static_cast<const uint8_t*>(mapping_)) + offset;
  const size_t first = (from + page - 1) / page * page;
  const size_t last = (from + bytes) / page * page;
  if (first < last) ::madvise(static_cast<uint8_t*>(mapping_) + first, last - first, MADV_DONTNEED);
}

Status Plan::check(bool is_proven) {
  is_proven_ = is_proven;
  Status status = check_plan(*this, &state_bytes_);
  if (!status.ok()) return status;
  decoded_bytes_ = size_ - front_;
  for (const PlanWeights& weights : encoded())
    decoded_bytes_ +=
        static_cast<uint64_t>(count_code_rows(weights) * weights.row * element_bytes(weights.type));
  return status;
}

Status Plan::check_frame() const {
  // Again, on the bytes that stay: a file may have changed between two reads.
  const PlanHeader& head = header();
  if (Status status = check_head(head, size_); !status.ok()) return status;
  const auto fits = [&](PlanSection section, size_t record) {
    return section.offset % 64 == 0 && section.offset <= front_ &&
           section.count <= (front_ - section.offset) / record;
  };
  const bool inside = fits(head.variants, sizeof(PlanVariant)) && fits(head.tensors, sizeof(PlanTensor)) &&
                      fits(head.nodes, sizeof(PlanNode)) && fits(head.ports, sizeof(PlanPort)) &&
                      fits(head.states, sizeof(PlanState)) && fits(head.encoded, sizeof(PlanWeights)) &&
                      fits(head.counts, sizeof(PlanCount)) && fits(head.operands, 1) &&
                      fits(head.params, 1) && fits(head.strings, 1) && fits(head.metadata, 1) &&
                      head.weights.offset == front_;
  if (!inside) return bad("a section is out of bounds");
  return Status();
}

Status Plan::check_checksum() const {
  constexpr size_t kAt = offsetof(PlanHeader, crc32);
  constexpr uint8_t kZero[4] = {};
  const uint32_t before = crc32(kZero, 4, crc32(data_, kAt));
  const uint32_t front = crc32(data_ + kAt + 4, front_ - kAt - 4, before);
  if (crc32(weights_, size_ - front_, front) != header().crc32) return bad("the checksum does not match");
  return Status();
}

FileStamp Plan::kept_stamp() const { return stamp_.is_known() && ::fsync(file_) == 0 ? stamp_ : FileStamp{}; }

bool Plan::fingerprint(FingerprintSeed seed, uint64_t* result) const {
  Fingerprint print(seed);
  print.add(data_, front_);
  const bool is_read = read_weights([&](const uint8_t* bytes, size_t, size_t count) {
    print.add(bytes, count);
    return true;
  });
  *result = print.finish();
  return is_read;
}

const char* describe_type(PlanType type) {
  constexpr const char* kWords[] = {"float32", "int8", "uint8", "int32", "int64", "bool", "float16"};
  return kWords[static_cast<int>(type)];
}

}  // namespace hone
