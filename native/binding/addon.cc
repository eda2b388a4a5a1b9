#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "native/binding/napi_setup.h"
#include "native/binding/session_wrap.h"
#include "native/core/cpu.h"

namespace hone {
namespace {

/// One per JavaScript environment: every worker thread that loads the addon has its own.
class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
    DefineAddon(exports, {
                             InstanceValue("Session", SessionWrap::define(env)),
                             InstanceMethod("describeCpu", &Addon::describe),
#ifdef __GLIBC__
                             InstanceMethod("trimMemory", &Addon::trim),
#endif
                         });
  }

 private:
  /// describeCpu(words = ''): the instruction sets that a mask leaves, as words. E_CPU_MASK.
  Napi::Value describe(const Napi::CallbackInfo& info) {
    CpuFeatures mask = 0;
    const std::string words = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "";
    if (Status status = parse_cpu_mask(words, detect_cpu(), &mask); !status.ok())
      throw_status(info.Env(), status);
    return Napi::String::New(info.Env(), describe_cpu(mask));
  }

#ifdef __GLIBC__
  /// trimMemory(): hands pages of freed blocks back, those between living blocks too.
  void trim(const Napi::CallbackInfo&) { malloc_trim(0); }
#endif
};

}  // namespace
}  // namespace hone

using HoneAddon = hone::Addon;
NODE_API_ADDON(HoneAddon)
