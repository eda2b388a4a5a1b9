#include "native/kernels/skip/skip.h"

namespace hone {

void skip_ref(const SkipArgs& args, const Tile&) {
  *args.y = static_cast<uint8_t>((*args.x != 0) == (args.value != 0));
}

}  // namespace hone
