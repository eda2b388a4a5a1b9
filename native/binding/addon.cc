#include <unistd.h>

#include <limits>
#include <memory>
#include <string>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "native/binding/memory_ledger.h"
#include "native/binding/napi_setup.h"
#include "native/binding/session_wrap.h"
#include "native/core/cpu.h"
#include "native/engine/memory_limit.h"

namespace hone {
namespace {

/// One per JavaScript environment: every worker thread that loads the addon has its own.
class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports) {
    DefineAddon(exports, {
                             InstanceValue("Session", SessionWrap::define(env, &ledger_)),
                             InstanceMethod("describeCpu", &Addon::describe),
                             InstanceMethod("groupLimit", &Addon::group_limit),
                             InstanceMethod("endIfSilent", &Addon::end_if_silent),
                             InstanceMethod("externalBytes", &Addon::external_bytes),
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

  /// groupLimit(membership, root): find_group_limit of these files, Infinity where there is no bound.
  Napi::Value group_limit(const Napi::CallbackInfo& info) {
    const auto text = [&](size_t i) { return info[i].ToString().Utf8Value(); };
    const uint64_t limit = find_group_limit(text(0), text(1));
    const double bytes =
        limit == UINT64_MAX ? std::numeric_limits<double>::infinity() : static_cast<double>(limit);
    return Napi::Number::New(info.Env(), bytes);
  }

  /// endIfSilent(seconds): SIGALRM ends this process unless called again in time; 0 takes it back.
  void end_if_silent(const Napi::CallbackInfo& info) { alarm(info[0].ToNumber().Uint32Value()); }

  /// externalBytes(): what the garbage collector knows of memory outside its heap, as `process.memoryUsage()`
  /// does not tell it.
  Napi::Value external_bytes(const Napi::CallbackInfo& info) {
    const int64_t bytes = Napi::MemoryManagement::AdjustExternalMemory(info.Env(), 0);
    return Napi::Number::New(info.Env(), static_cast<double>(bytes));
  }

#ifdef __GLIBC__
  /// trimMemory(): hands pages of freed blocks back, those between living blocks too.
  void trim(const Napi::CallbackInfo&) { malloc_trim(0); }
#endif

  std::shared_ptr<MemoryLedger> ledger_ = std::make_shared<MemoryLedger>();
};

}  // namespace
}  // namespace hone

using HoneAddon = hone::Addon;
NODE_API_ADDON(HoneAddon)
