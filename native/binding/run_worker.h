#pragma once
#include <memory>
#include <vector>

#include "native/binding/napi_setup.h"
#include "native/engine/aligned_buffer.h"
#include "native/engine/session.h"

namespace hone {

/// A session of which one inference at a time may be under way.
struct SharedSession {
  std::unique_ptr<Session> session;
  bool is_busy = false;  ///< read and written on the JavaScript thread alone
};

/// One inference beside the JavaScript thread, over copies: what its caller does with his arrays meanwhile
/// does not matter. Settles its promise with the outputs as ArrayBuffers in the order of the ports. Deletes
/// itself.
class RunWorker final : public Napi::AsyncWorker {
 public:
  /// Copies `inputs`, one address per input port. Throws E_MEMORY.
  RunWorker(Napi::Env env, std::shared_ptr<SharedSession> shared, const std::vector<const void*>& inputs);
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override;
  void OnOK() override;
  void OnError(const Napi::Error& error) override;

 private:
  std::shared_ptr<SharedSession> shared_;
  std::vector<AlignedBuffer> inputs_, outputs_;
  std::vector<const void*> input_addresses_;
  std::vector<void*> output_addresses_;
  Napi::Promise::Deferred deferred_;
};

}  // namespace hone
