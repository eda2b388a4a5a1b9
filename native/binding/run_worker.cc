#include "native/binding/run_worker.h"

#include <cstring>
#include <string>
#include <utility>

#include "native/binding/session_wrap.h"

namespace hone {
namespace {

size_t port_bytes(const Session& session, const PlanPort& port) {
  return session.plan().tensors()[port.tensor].bytes;
}

}  // namespace

RunWorker::RunWorker(Napi::Env env, std::shared_ptr<SharedSession> shared,
                     const std::vector<const void*>& inputs)
    : Napi::AsyncWorker(env), shared_(std::move(shared)), deferred_(Napi::Promise::Deferred::New(env)) {
  const Session& session = *shared_->session;
  const auto add = [&](const PlanPort& port, std::vector<AlignedBuffer>* buffers) {
    if (!buffers->emplace_back().allocate(port_bytes(session, port)))
      throw_status(env, Status("E_MEMORY", "a copy of inputs and outputs"));
    return buffers->back().data();
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    uint8_t* copy = add(session.inputs()[i], &inputs_);
    std::memcpy(copy, inputs[i], port_bytes(session, session.inputs()[i]));
    input_addresses_.push_back(copy);
  }
  for (const PlanPort& port : session.outputs()) output_addresses_.push_back(add(port, &outputs_));
}

void RunWorker::Execute() { shared_->session->run(input_addresses_.data(), output_addresses_.data()); }

void RunWorker::OnOK() {
  const Napi::Env env = Env();
  const Session& session = *shared_->session;
  shared_->is_busy = false;
  const bool cancelled = session.is_cancelled();
  shared_->session->rearm();
  try {
    if (cancelled) throw_status(env, Status("E_INTERRUPTED", "the inference"));
    refuse_fault(env, session);
    Napi::Array results = Napi::Array::New(env, outputs_.size());
    for (uint32_t i = 0; i < outputs_.size(); ++i) {
      size_t bytes = static_cast<size_t>(element_bytes(session.outputs()[i].type));
      for (const uint32_t dim : session.output_dims(i)) bytes *= dim;
      Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(env, bytes);
      std::memcpy(copy.Data(), outputs_[i].data(), bytes);
      results.Set(i, copy);
    }
    deferred_.Resolve(results);
  } catch (const Napi::Error& error) {
    deferred_.Reject(error.Value());
  }
}

void RunWorker::OnError(const Napi::Error& error) {
  shared_->is_busy = false;
  shared_->session->rearm();
  deferred_.Reject(error.Value());
}

}  // namespace hone
