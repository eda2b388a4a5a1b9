#include "native/capi/bound_port.h"

#include <algorithm>
#include <cstdint>

namespace hone {
namespace {

std::uintptr_t begin_of(const BoundPort& port) { return reinterpret_cast<std::uintptr_t>(port.data); }

}  // namespace

hone_port describe(const BoundPort& port) {
  hone_port filled = HONE_PORT_INIT;
  filled.name = port.name.c_str();
  filled.type = static_cast<int32_t>(port.port->type);
  filled.rank = port.port->rank;
  std::copy_n(port.port->dims, port.port->rank, filled.dims);
  filled.bytes = port.bytes;
  return filled;
}

int refuse_length(const BoundPort& port, size_t bytes, hone_error* error) {
  const auto each = static_cast<size_t>(element_bytes(port.port->type));
  const std::string expected = std::to_string(port.bytes / each);
  const std::string found =
      bytes % each == 0 ? std::to_string(bytes / each) : std::to_string(bytes) + " bytes";
  return fail(error, port.side == Side::kInput ? "E_INPUT_LENGTH" : "E_OUTPUT_LENGTH",
              {{"name", port.name}, {"expected", expected}, {"found", found}});
}

int bind(BoundPort* port, const void* data, size_t bytes, hone_error* error) {
  if (data == nullptr)
    return fail(error, "E_OPTION_VALUE", {{"option", "data"}, {"expected", "memory"}, {"found", "NULL"}});
  if (bytes != port->bytes) return refuse_length(*port, bytes, error);
  const auto each = static_cast<size_t>(element_bytes(port->port->type));
  if (const size_t beyond = reinterpret_cast<std::uintptr_t>(data) % each; beyond != 0) {
    const std::string expected =
        std::string(describe_type(port->port->type)) + " at a multiple of " + std::to_string(each) + " bytes";
    const std::string found = "an address " + std::to_string(beyond) + " beyond one";
    return fail(error, port->side == Side::kInput ? "E_INPUT_TYPE" : "E_OUTPUT_TYPE",
                {{"name", port->name}, {"expected", expected}, {"found", found}});
  }
  port->data = data;
  return 0;
}

bool overlap(const BoundPort& a, const BoundPort& b) {
  return begin_of(a) < begin_of(b) + b.bytes && begin_of(b) < begin_of(a) + a.bytes;
}

}  // namespace hone
