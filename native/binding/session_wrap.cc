#include "native/binding/session_wrap.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace hone {
namespace {

napi_typedarray_type array_type(PlanType type) {
  switch (type) {
    case PlanType::kFloat32:
      return napi_float32_array;
    case PlanType::kInt8:
      return napi_int8_array;
    case PlanType::kUint8:
      return napi_uint8_array;
    case PlanType::kInt32:
      return napi_int32_array;
    case PlanType::kInt64:
      return napi_bigint64_array;
    case PlanType::kBool:
      return napi_uint8_array;
    case PlanType::kFloat16:
      return napi_uint16_array;
  }
  return napi_uint8_array;
}

Napi::String text(Napi::Env env, std::string_view view) {
  return Napi::String::New(env, view.data(), view.size());
}

template <typename Shaped>
Napi::Array dims_of(Napi::Env env, const Shaped& shaped) {
  Napi::Array dims = Napi::Array::New(env, shaped.rank);
  for (uint32_t i = 0; i < shaped.rank; ++i) dims.Set(i, Napi::Number::New(env, shaped.dims[i]));
  return dims;
}

Napi::Array ports_of(Napi::Env env, const Plan& plan, std::span<const PlanPort> ports) {
  Napi::Array list = Napi::Array::New(env, ports.size());
  for (uint32_t i = 0; i < ports.size(); ++i) {
    Napi::Object port = Napi::Object::New(env);
    port.Set("name", text(env, plan.string(ports[i].name)));
    port.Set("type", describe_type(ports[i].type));
    port.Set("dims", dims_of(env, ports[i]));
    for (const PlanCount& count : plan.counts())
      if (&plan.ports()[count.port] == &ports[i]) port.Set("counted", count.axis);
    list.Set(i, port);
  }
  return list;
}

/// The items of a list, read once: reading may run code of the user.
Napi::Array copy_list(Napi::Env env, const Napi::Value& value, size_t count) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() != count)
    throw Napi::TypeError::New(env, "bind: expected one array per port");
  const Napi::Array list = value.As<Napi::Array>();
  Napi::Array copy = Napi::Array::New(env, count);
  for (uint32_t i = 0; i < count; ++i) copy.Set(i, list.Get(i));
  return copy;
}

/// Memory of one bound array.
struct Range {
  uint8_t* begin;
  uint64_t bytes;
  bool written;
  PlanString port;
};

/// The memory of one side of a binding; every array must be of the type and the size of its port. `list` is
/// our own, so that no code of the user runs here.
void take_ranges(Napi::Env env, const Plan& plan, std::span<const PlanPort> ports, const Napi::Array& list,
                 bool written, std::vector<Range>* ranges) {
  const auto refuse = [&](const char* what) {
    throw Napi::TypeError::New(env, std::string("bind: ") + what);
  };
  for (uint32_t i = 0; i < ports.size(); ++i) {
    const Napi::Value item = list.Get(i);
    if (!item.IsTypedArray()) refuse("expected typed arrays");
    const Napi::TypedArray array = item.As<Napi::TypedArray>();
    const uint64_t bytes = plan.tensors()[ports[i].tensor].bytes;
    if (array.TypedArrayType() != array_type(ports[i].type)) refuse("wrong type of array");
    if (array.ByteLength() != bytes) refuse("wrong length of array");
    uint8_t* begin = static_cast<uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
    ranges->push_back({begin, bytes, written, ports[i].name});
  }
}

/// Kernels take for granted that an output overlaps nothing else.
void refuse_overlap(Napi::Env env, const Plan& plan, const std::vector<Range>& ranges) {
  for (size_t i = 0; i < ranges.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const bool touch = ranges[i].begin < ranges[j].begin + ranges[j].bytes &&
                         ranges[j].begin < ranges[i].begin + ranges[i].bytes;
      if (touch && (ranges[i].written || ranges[j].written))
        throw_status(env, Status("E_OUTPUT_OVERLAP", std::string(plan.string(ranges[i].port))));
    }
}

/// Copies what the nodes write; JavaScript values are made afterwards, so that nothing is thrown through the
/// engine.
class DumpObserver final : public NodeObserver {
 public:
  struct Entry {
    uint32_t node;
    const PlanTensor* output;
    std::vector<uint8_t> bytes;
  };

  void on_node(uint32_t node, const PlanTensor& output, const uint8_t* bytes) override {
    entries_.push_back({node, &output, {bytes, bytes + dense_bytes(output)}});
  }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace

void refuse_fault(Napi::Env env, const Session& session) {
  if (const Status status = session.fault(); !status.ok()) throw_status(env, status);
}

void throw_status(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.reason());
  error.Set("code", status.code());
  throw error;
}

Napi::Function SessionWrap::define(Napi::Env env, std::shared_ptr<MemoryLedger>* ledger) {
  return DefineClass(
      env, "Session",
      {InstanceMethod<&SessionWrap::bind>("bind"), InstanceMethod<&SessionWrap::run>("run"),
       InstanceMethod<&SessionWrap::run_async>("runAsync"), InstanceMethod<&SessionWrap::cancel>("cancel"),
       InstanceMethod<&SessionWrap::limit_threads>("limitThreads"),
       InstanceMethod<&SessionWrap::dump>("dump"), InstanceMethod<&SessionWrap::output_dims>("outputDims"),
       InstanceMethod<&SessionWrap::reset>("reset"), InstanceMethod<&SessionWrap::describe>("describe"),
       InstanceMethod<&SessionWrap::profile>("profile"), InstanceMethod<&SessionWrap::close>("close")},
      ledger);
}

SessionWrap::SessionWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SessionWrap>(info) {
  const Napi::Env env = info.Env();
  if (!info[1].IsObject()) throw Napi::TypeError::New(env, "Session: expected plan and options");
  const Napi::Object given = info[1].As<Napi::Object>();
  SessionOptions options;
  options.threads = given.Get("threads").ToNumber().Int32Value();
  options.profile_every = given.Get("profileEvery").ToNumber().Uint32Value();
  options.variant = given.Get("variant").ToNumber().Uint32Value();
  if (const Napi::Value limit = given.Get("memoryLimit"); limit.IsNumber())
    options.memory_limit = static_cast<uint64_t>(std::max<int64_t>(limit.ToNumber().Int64Value(), 0));
  const std::string words = given.Get("cpu").ToString().Utf8Value();
  if (Status status = parse_cpu_mask(words, detect_cpu(), &options.cpu_mask); !status.ok())
    throw_status(env, status);

  const Napi::Value folder = given.Get("cache");
  const std::string cache = folder.IsString() ? folder.As<Napi::String>().Utf8Value() : "";
  const uint64_t begun_ns = read_monotonic_ns();
  std::shared_ptr<Model> model;
  Status status;
  if (info[0].IsString()) {
    status = Model::open_file(info[0].As<Napi::String>().Utf8Value(), cache, &model);
  } else if (info[0].IsTypedArray()) {
    const Napi::TypedArray bytes = info[0].As<Napi::TypedArray>();
    const auto* data = static_cast<const uint8_t*>(bytes.ArrayBuffer().Data());
    status = Model::open_bytes(data + bytes.ByteOffset(), bytes.ByteLength(), cache, &model);
  } else {
    throw Napi::TypeError::New(env, "Session: expected the plan as bytes or path");
  }
  auto shared = std::make_shared<SharedSession>();
  if (status.ok()) status = Session::open(std::move(model), options, &shared->session);
  if (!status.ok()) throw_status(env, status);
  load_us_ = static_cast<double>(read_monotonic_ns() - begun_ns) * 1e-3;
  shared_session_ = std::move(shared);

  const MemoryFigures memory = session(env).memory();
  own_bytes_ = static_cast<int64_t>(memory.arena_bytes + memory.state_bytes);
  Napi::MemoryManagement::AdjustExternalMemory(env, own_bytes_);
  ledger_ = *static_cast<std::shared_ptr<MemoryLedger>*>(info.Data());
  shared_ = session(env).shared_memory();
  for (const auto& [block, bytes] : shared_) ledger_->hold(env, block, bytes);
}

SessionWrap::~SessionWrap() {
  try {
    release(Env());
  } catch (...) {  // NOLINT(bugprone-empty-catch): a finalizer has nobody to tell
  }
}

void SessionWrap::release(Napi::Env env) {
  if (shared_session_ == nullptr) return;
  if (shared_session_->is_busy) shared_session_->session->cancel();
  for (const auto& [block, bytes] : shared_) ledger_->drop(env, block, bytes);
  shared_session_.reset();
  inputs_.clear();
  outputs_.clear();
  bound_.Reset();
  Napi::MemoryManagement::AdjustExternalMemory(env, -own_bytes_);
}

Session& SessionWrap::session(Napi::Env env) const {
  if (shared_session_ == nullptr) throw_status(env, Status("E_SESSION_CLOSED", "the session is closed"));
  return *shared_session_->session;
}

Session& SessionWrap::idle_session(Napi::Env env) const {
  Session& session = this->session(env);
  if (shared_session_->is_busy) throw_status(env, Status("E_SESSION_BUSY", "an inference is under way"));
  return session;
}

void SessionWrap::require_bound(Napi::Env env) const {
  if (bound_.IsEmpty()) throw Napi::TypeError::New(env, "run: bind arrays first");
}

void SessionWrap::bind(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  // Counts first, the session only after the last code of the user: a getter might close it.
  const size_t input_count = session(env).inputs().size();
  const size_t output_count = session(env).outputs().size();
  const Napi::Array given_inputs = copy_list(env, info[0], input_count);
  const Napi::Array given_outputs = copy_list(env, info[1], output_count);
  const Session& session = this->session(env);
  std::vector<Range> ranges;
  take_ranges(env, session.plan(), session.inputs(), given_inputs, false, &ranges);
  take_ranges(env, session.plan(), session.outputs(), given_outputs, true, &ranges);
  refuse_overlap(env, session.plan(), ranges);

  Napi::Array kept = Napi::Array::New(env, 2);
  kept.Set(uint32_t{0}, given_inputs);
  kept.Set(uint32_t{1}, given_outputs);
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (const Range& range : ranges)
    if (range.written)
      outputs.push_back(range.begin);
    else
      inputs.push_back(range.begin);
  bound_ = Napi::Reference<Napi::Array>::New(kept, 1);
  inputs_ = std::move(inputs);
  outputs_ = std::move(outputs);
}

Napi::Value SessionWrap::run_async(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Array given = copy_list(env, info[0], session(env).inputs().size());
  Session& session = idle_session(env);
  std::vector<Range> ranges;
  take_ranges(env, session.plan(), session.inputs(), given, false, &ranges);
  std::vector<const void*> inputs;
  inputs.reserve(ranges.size());
  for (const Range& range : ranges) inputs.push_back(range.begin);
  auto worker = std::make_unique<RunWorker>(env, shared_session_, inputs);
  Napi::Promise promise = worker->promise();
  session.rearm();
  shared_session_->is_busy = true;
  worker.release()->Queue();  // it deletes itself when it is done
  return promise;             // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)
}

void SessionWrap::cancel(const Napi::CallbackInfo& info) {
  Session& session = this->session(info.Env());
  if (shared_session_->is_busy) session.cancel();
}

void SessionWrap::limit_threads(const Napi::CallbackInfo& info) {
  Session& session = idle_session(info.Env());
  const int threads = info[0].ToNumber().Int32Value();
  if (threads < 1) throw Napi::TypeError::New(info.Env(), "limitThreads: expected 1 or more");
  session.limit_threads(threads);
}

void SessionWrap::run(const Napi::CallbackInfo& info) {
  Session& session = idle_session(info.Env());
  require_bound(info.Env());
  session.run(inputs_.data(), outputs_.data());
  refuse_fault(info.Env(), session);
}

Napi::Value SessionWrap::dump(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Session& session = idle_session(env);
  require_bound(env);
  DumpObserver observer;
  session.run_observed(inputs_.data(), outputs_.data(), &observer);
  refuse_fault(env, session);

  const Plan& plan = session.plan();
  Napi::Array list = Napi::Array::New(env, observer.entries().size());
  for (uint32_t i = 0; i < observer.entries().size(); ++i) {
    const auto& [index, output, bytes] = observer.entries()[i];
    const PlanNode& node = plan.nodes()[index];
    Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(env, bytes.size());
    std::memcpy(copy.Data(), bytes.data(), bytes.size());
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("node", text(env, plan.string(node.name)));
    entry.Set("op", describe_op(node.op));
    entry.Set("tensor", text(env, plan.string(output->name)));
    entry.Set("type", describe_type(output->type));
    entry.Set("dims", dims_of(env, *output));
    entry.Set("data", copy);
    list.Set(i, entry);
  }
  return list;
}

Napi::Value SessionWrap::output_dims(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Session& session = idle_session(env);
  Napi::Array list = Napi::Array::New(env, session.outputs().size());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const auto extents = session.output_dims(i);
    Napi::Array dims = Napi::Array::New(env, extents.size());
    for (uint32_t d = 0; d < extents.size(); ++d) dims.Set(d, Napi::Number::New(env, extents[d]));
    list.Set(i, dims);
  }
  return list;
}

void SessionWrap::reset(const Napi::CallbackInfo& info) { idle_session(info.Env()).reset(); }

Napi::Value SessionWrap::describe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Session& session = this->session(env);
  const Plan& plan = session.plan();
  const MemoryFigures figures = session.memory();
  Napi::Object memory = Napi::Object::New(env);
  memory.Set("planBytes", static_cast<double>(figures.plan_bytes));
  memory.Set("packedBytes", static_cast<double>(figures.packed_bytes));
  memory.Set("cachedBytes", static_cast<double>(figures.cached_bytes));
  memory.Set("arenaBytes", static_cast<double>(figures.arena_bytes));
  memory.Set("stateBytes", static_cast<double>(figures.state_bytes));
  memory.Set("scratchBytes", static_cast<double>(figures.scratch_bytes));
  Napi::Object result = Napi::Object::New(env);
  result.Set("inputs", ports_of(env, plan, session.inputs()));
  result.Set("outputs", ports_of(env, plan, session.outputs()));
  result.Set("variant", text(env, plan.string(session.variant().name)));
  Napi::Array variants = Napi::Array::New(env, plan.variants().size());
  for (uint32_t i = 0; i < plan.variants().size(); ++i)
    variants.Set(i, text(env, plan.string(plan.variants()[i].name)));
  result.Set("variants", variants);
  result.Set("cpu", describe_cpu(session.options().cpu_mask));
  result.Set("threads", session.options().threads);
  result.Set("memory", memory);
  Napi::Object load = Napi::Object::New(env);
  load.Set("us", load_us_);
  load.Set("cache", describe_cache(session.cache().state));
  if (!session.cache().reason.empty()) load.Set("reason", session.cache().reason);
  result.Set("load", load);
  return result;
}

Napi::Value SessionWrap::profile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Session& session = idle_session(env);
  const std::vector<NodeProfile> nodes = session.profile();
  Napi::Array list = Napi::Array::New(env, nodes.size());
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    Napi::Object node = Napi::Object::New(env);
    node.Set("name", text(env, nodes[i].name));
    node.Set("op", text(env, nodes[i].op));
    node.Set("kernel", text(env, nodes[i].kernel));
    node.Set("threads", nodes[i].threads);
    node.Set("meanNs", nodes[i].mean_ns);
    node.Set("leastNs", nodes[i].least_ns);
    node.Set("runs", static_cast<double>(nodes[i].runs));
    node.Set("p50Ns", nodes[i].p50_ns);
    node.Set("p90Ns", nodes[i].p90_ns);
    node.Set("p99Ns", nodes[i].p99_ns);
    list.Set(i, node);
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("runs", static_cast<double>(session.timed_runs()));
  result.Set("nodes", list);
  return result;
}

void SessionWrap::close(const Napi::CallbackInfo& info) { release(info.Env()); }

}  // namespace hone
