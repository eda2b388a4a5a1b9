#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "native/capi/failure.h"

namespace hone {

/// Bytes of a struct in version 1 of the interface: what a program gives at least.
template <typename Record>
inline constexpr size_t kLeastBytes = 0;
template <>
inline constexpr size_t kLeastBytes<hone_options> = offsetof(hone_options, cpu) + sizeof(hone_options::cpu);
template <>
inline constexpr size_t kLeastBytes<hone_info> =
    offsetof(hone_info, scratch_bytes) + sizeof(hone_info::scratch_bytes);
template <>
inline constexpr size_t kLeastBytes<hone_port> = offsetof(hone_port, bytes) + sizeof(hone_port::bytes);
template <>
inline constexpr size_t kLeastBytes<hone_node> = offsetof(hone_node, least_ns) + sizeof(hone_node::least_ns);

/// Whether the caller set the size of his struct; refuses it as argument `name`.
template <typename Record>
int check_size(const Record* record, const char* name, hone_error* error) {
  constexpr size_t kLeast = kLeastBytes<Record>;
  static_assert(kLeast > 0 && kLeast <= sizeof(Record));
  if (record == nullptr)
    return fail(error, "E_OPTION_VALUE", {{"option", name}, {"expected", "an address"}, {"found", "NULL"}});
  if (record->size >= kLeast) return 0;
  const std::string least = "size set to sizeof, at least " + std::to_string(kLeast);
  const std::string found = std::to_string(record->size);
  return fail(error, "E_OPTION_VALUE", {{"option", name}, {"expected", least}, {"found", found}});
}

/// Gives `filled` to a caller who knows fewer fields of the struct, or more: those are 0.
template <typename Record>
void hand_out(const Record& filled, Record* record) {
  const size_t size = record->size;
  const size_t known = std::min(size, sizeof(Record));
  std::memcpy(static_cast<void*>(record), &filled, known);
  std::memset(reinterpret_cast<char*>(record) + known, 0, size - known);
  record->size = size;
}

/// Takes what the caller knows of a struct over its defaults in `taken`. False when he has set fields that
/// came after this library.
template <typename Record>
bool take_in(const Record& given, Record* taken) {
  const size_t known = std::min(given.size, sizeof(Record));
  const auto* const bytes = reinterpret_cast<const char*>(&given);
  std::memcpy(static_cast<void*>(taken), &given, known);
  return std::all_of(bytes + known, bytes + given.size, [](char byte) { return byte == 0; });
}

}  // namespace hone
