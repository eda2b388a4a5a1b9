#include "native/engine/plan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>

#include "native/engine/crc32.h"
#include "native/engine/plan_check.h"

namespace hone {

static_assert(std::endian::native == std::endian::little, "plans are mapped as they are");

Status Plan::open_file(const std::string& path, std::shared_ptr<const Plan>* plan) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return Status("E_FILE_NOT_FOUND", std::strerror(errno));
  // lseek, not stat: glibc before 2.33 has no symbol for the latter.
  const off_t size = ::lseek(file, 0, SEEK_END);
  void* data = MAP_FAILED;
  if (size > 0) data = ::mmap(nullptr, static_cast<size_t>(size), PROT_READ, MAP_PRIVATE, file, 0);
  const int error = errno;
  ::close(file);
  if (size == 0) return Status("E_PLAN_FORMAT", "the file is empty");
  if (data == MAP_FAILED) return Status("E_FILE_NOT_FOUND", std::strerror(error));

  std::shared_ptr<Plan> made(new Plan);
  made->data_ = static_cast<const uint8_t*>(data);
  made->size_ = static_cast<size_t>(size);
  made->mapped_ = true;
  if (Status status = made->check(PlanChecksum::kVerify); !status.ok()) return status;
  *plan = std::move(made);
  return Status();
}

Status Plan::open_bytes(const void* bytes, size_t size, std::shared_ptr<const Plan>* plan,
                        PlanChecksum checksum) {
  std::shared_ptr<Plan> made(new Plan);
  if (!made->copy_.allocate(size)) return Status("E_PLAN_FORMAT", "no memory for a copy");
  if (size > 0) std::memcpy(made->copy_.data(), bytes, size);
  made->data_ = made->copy_.data();
  made->size_ = size;
  if (Status status = made->check(checksum); !status.ok()) return status;
  *plan = std::move(made);
  return Status();
}

Plan::~Plan() {
  if (mapped_) ::munmap(const_cast<uint8_t*>(data_), size_);
}

Status Plan::check(PlanChecksum checksum) {
  const auto bad = [](const std::string& reason) { return Status("E_PLAN_FORMAT", reason); };
  if (size_ < sizeof(PlanHeader)) return bad(std::to_string(size_) + " bytes are too few for a header");
  const PlanHeader& head = header();
  if (std::memcmp(head.magic, kPlanMagic, sizeof(kPlanMagic)) != 0)
    return bad("it does not begin with the plan magic");
  if (head.version != kPlanVersion) return Status("E_PLAN_VERSION", std::to_string(head.version));
  if (head.header_bytes != sizeof(PlanHeader)) return bad("the header has another size");
  if (head.file_bytes != size_)
    return bad(std::to_string(head.file_bytes) + " bytes are announced, " + std::to_string(size_) +
               " are there");

  const auto fits = [&](PlanSection section, size_t record) {
    return section.offset % 64 == 0 && section.offset <= size_ &&
           section.count <= (size_ - section.offset) / record;
  };
  const bool inside = fits(head.variants, sizeof(PlanVariant)) && fits(head.tensors, sizeof(PlanTensor)) &&
                      fits(head.nodes, sizeof(PlanNode)) && fits(head.ports, sizeof(PlanPort)) &&
                      fits(head.states, sizeof(PlanState)) && fits(head.operands, 1) &&
                      fits(head.params, 1) && fits(head.strings, 1) && fits(head.metadata, 1) &&
                      fits(head.weights, 1);
  if (!inside) return bad("a section is out of bounds");

  if (checksum == PlanChecksum::kVerify) {
    constexpr size_t at = offsetof(PlanHeader, crc32);
    constexpr uint8_t zero[4] = {};
    const uint32_t before = crc32(zero, 4, crc32(data_, at));
    if (crc32(data_ + at + 4, size_ - at - 4, before) != head.crc32)
      return bad("the checksum does not match");
  }
  return check_plan(*this, &state_bytes_);
}

const char* describe_type(PlanType type) {
  constexpr const char* kWords[] = {"float32", "int8", "uint8", "int32"};
  return kWords[static_cast<int>(type)];
}

const char* describe_op(PlanOp op) {
  constexpr const char* kWords[kPlanOpCount] = {
      "quantize_s8", "dequantize_s8", "conv_s8",      "dwconv_s8",       "fc_s8",
      "binary_s8",   "lut_s8",        "max_pool_s8",  "average_pool_s8", "copy_nd",
      "fill",        "softmax_f32",   "conv_f32",     "dwconv_f32",      "fc_f32",
      "binary_f32",  "clamp_f32",     "max_pool_f32", "average_pool_f32"};
  return kWords[static_cast<int>(op)];
}

}  // namespace hone
