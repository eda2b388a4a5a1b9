#pragma once
#include <memory>
#include <vector>

#include "native/binding/memory_ledger.h"
#include "native/binding/napi_setup.h"
#include "native/binding/run_worker.h"
#include "native/engine/session.h"

namespace hone {

/// The JavaScript class `Session`: a thin shell of hone::Session. lib/engine/session.ts validates what users
/// give; here only memory safety is checked. Methods need no type tag: Node-API refuses receivers of another
/// class.
class SessionWrap : public Napi::ObjectWrap<SessionWrap> {
 public:
  /// `ledger` is read while objects are made; each keeps its own reference.
  static Napi::Function define(Napi::Env env, std::shared_ptr<MemoryLedger>* ledger);
  /// new Session(plan: Uint8Array | path, {threads, cpu, profileEvery, variant, cache})
  explicit SessionWrap(const Napi::CallbackInfo& info);
  ~SessionWrap() override;

 private:
  /// bind(inputs: TypedArray[], outputs: TypedArray[]): keeps the arrays; run() reads and writes them.
  /// Whoever calls looks before every run that their memory was not moved away: lib/engine/session.ts.
  /// E_OUTPUT_OVERLAP.
  void bind(const Napi::CallbackInfo& info);
  /// run(): one inference over the bound arrays.
  void run(const Napi::CallbackInfo& info);
  /// runAsync(inputs: TypedArray[]): one inference over copies, beside this thread; a promise of the outputs
  /// as ArrayBuffers. Until it settles run, dump, reset and profile throw E_SESSION_BUSY.
  Napi::Value run_async(const Napi::CallbackInfo& info);
  /// cancel(): ends an inference that is under way between two nodes; its promise fails with E_INTERRUPTED.
  void cancel(const Napi::CallbackInfo& info);
  /// limitThreads(threads): at most so many take part in runs from now on.
  void limit_threads(const Napi::CallbackInfo& info);
  /// dump(): one inference that returns the output of every node.
  Napi::Value dump(const Napi::CallbackInfo& info);
  /// outputDims(): extents of every output in the last run.
  Napi::Value output_dims(const Napi::CallbackInfo& info);
  void reset(const Napi::CallbackInfo& info);
  Napi::Value describe(const Napi::CallbackInfo& info);
  Napi::Value profile(const Napi::CallbackInfo& info);
  /// close(): frees everything; later calls throw E_SESSION_CLOSED, a second close does nothing.
  void close(const Napi::CallbackInfo& info);

  Session& session(Napi::Env env) const;
  /// The same, when no inference is under way. E_SESSION_BUSY.
  Session& idle_session(Napi::Env env) const;
  void require_bound(Napi::Env env) const;
  void release(Napi::Env env);

  std::shared_ptr<SharedSession> shared_session_;  ///< null once closed
  std::vector<const void*> inputs_;
  std::vector<void*> outputs_;
  Napi::Reference<Napi::Array> bound_;  ///< keeps the arrays alive
  std::shared_ptr<MemoryLedger> ledger_;
  std::vector<SharedBlock> shared_;  ///< told to the ledger
  double load_us_ = 0;               ///< from the plan's first byte to a session that can run
  int64_t own_bytes_ = 0;            ///< told to the garbage collector besides
};

/// Throws what the last run met: Session::fault.
void refuse_fault(Napi::Env env, const Session& session);

/// Throws a JavaScript Error with the code of `status` as property `code`.
[[noreturn]] void throw_status(Napi::Env env, const Status& status);

}  // namespace hone
