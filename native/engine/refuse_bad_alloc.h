#pragma once
#include <new>

#include "native/core/status.h"

namespace hone {

/// The doors of the engine: what the standard library throws for want of memory leaves as a Status.
template <typename Work>
Status refuse_bad_alloc(Work work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Status("E_MEMORY", "the heap");  // short: a longer reason would need memory itself
  }
}

}  // namespace hone
