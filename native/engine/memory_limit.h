#pragma once
#include <cstdint>
#include <string>

#include "native/core/status.h"

namespace hone {

/// Most bytes that the control group (version 2) of this process, or one above it, may have, as a container
/// is given them; UINT64_MAX where there is no bound. `membership` names the group, below `root`.
uint64_t find_group_limit(const std::string& membership = "/proc/self/cgroup",
                          const std::string& root = "/sys/fs/cgroup");

/// Whether `bytes` can be had at all: within `limit`, or for 0 within what this machine and the container of
/// this process have. Asked before memory is touched, because systems promise more than they have and end the
/// process that believes them. E_MEMORY.
Status check_memory(uint64_t bytes, uint64_t limit);

}  // namespace hone
