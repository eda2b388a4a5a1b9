#include "native/capi/hone.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "native/capi/bound_port.h"
#include "native/capi/failure.h"
#include "native/capi/records.h"
#include "native/core/cpu.h"
#include "native/engine/session.h"
#include "native/engine/thread_pool.h"

/// What a handle stands for.
struct hone_session {
  std::unique_ptr<hone::Session> engine;
  std::string variant, cpu;
  double load_ns = 0;
  std::vector<hone::BoundPort> inputs, outputs;
  /// The addresses of their memory, as the engine takes them.
  std::vector<const void*> input_data;
  std::vector<void*> output_data;
  /// Whether everything is bound and no output overlaps, since the last call of hone_bind_*.
  bool checked = false;

  /// Texts and figures of the nodes, filled by the first hone_get_node after a timed run.
  struct Node {
    std::string name, op, kernel;
    hone::NodeProfile cost;
  };
  std::vector<Node> nodes;
  uint64_t nodes_of_run = 0;
};

namespace hone {
namespace {

static_assert(HONE_FLOAT16 == static_cast<int>(ElementType::kFloat16) &&
              HONE_FLOAT16 + 1 == kElementTypeCount);
static_assert(HONE_MAX_RANK == kPlanMaxRank);

/// The doors of the library: no exception passes.
template <typename Work>
int guard(hone_error* error, Work work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(error, "E_MEMORY", {{"reason", "the heap"}});
  } catch (const std::exception& fault) {
    return fail(error, "E_INTERNAL", {{"message", fault.what()}});
  } catch (...) {
    return fail(error, "E_INTERNAL", {{"message", "an unknown exception"}});
  }
}

/// The same for functions of an open session.
template <typename Handle, typename Work>
int guard_open(Handle* session, hone_error* error, Work work) noexcept {
  if (session == nullptr) return fail(error, "E_SESSION_CLOSED", {});
  return guard(error, work);
}

int refuse(hone_error* error, const char* option, std::string_view expected, std::string_view found) {
  return fail(error, "E_OPTION_VALUE", {{"option", option}, {"expected", expected}, {"found", found}});
}

/// Refuses a number of argument `option` outside of [low, high].
int check_range(hone_error* error, const char* option, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return 0;
  const std::string range = high < low
                                ? std::string("nothing: there is none")
                                : "integer from " + std::to_string(low) + " to " + std::to_string(high);
  return refuse(error, option, range, std::to_string(value));
}

int check_index(hone_error* error, size_t index, size_t count) {
  return index < count ? 0
                       : check_range(error, "index", static_cast<int64_t>(std::min<size_t>(index, INT64_MAX)),
                                     0, static_cast<int64_t>(count) - 1);
}

/// Fails with what the engine says of the plan at `path` or the instruction sets `cpu`.
int fail_engine(hone_error* error, const Status& status, std::string_view path, std::string_view cpu) {
  const std::string_view reason = status.reason();
  const size_t offers = reason.find(": ");
  const std::string_view behind = offers == std::string_view::npos ? reason : reason.substr(offers + 2);
  const std::string version = std::to_string(kPlanVersion);
  const bool of_cpu = std::string_view(status.code()) == "E_CPU_MASK";
  return fail(error, status.code(),
              {{"reason", reason},
               {"message", reason},
               {"path", path},
               {"word", cpu},
               {"found", reason},
               {"expected", of_cpu ? behind : version}});
}

std::vector<BoundPort> describe_ports(const Plan& plan, std::span<const PlanPort> ports, Side side) {
  std::vector<BoundPort> list;
  for (const PlanPort& port : ports)
    list.push_back({std::string(plan.string(port.name)), side, &port,
                    static_cast<size_t>(plan.tensors()[port.tensor].bytes)});
  return list;
}

/// Opens what `read` makes a model of.
template <typename Read>
int open(const char* path, const hone_options* given, hone_session** session, hone_error* error, Read read) {
  hone_options options = HONE_OPTIONS_INIT;
  if (given != nullptr) {
    if (check_size(given, "options", error) != 0) return 1;
    if (!take_in(*given, &options))
      return refuse(error, "options", "fields that this library knows", "a larger struct with others set");
  }
  if (check_range(error, "threads", options.threads, 1, ThreadPool::kMaxThreads) != 0) return 1;
  const uint64_t begun_ns = read_monotonic_ns();
  const char* cache = options.cache != nullptr ? options.cache : std::getenv("HONE_CACHE");
  if (cache == nullptr) cache = "";
  const char* cpu = options.cpu != nullptr ? options.cpu : std::getenv("HONE_CPU");
  if (cpu == nullptr) cpu = "";
  SessionOptions engine;
  engine.threads = options.threads;
  engine.variant = options.variant;
  engine.profile_every = options.profile_every;
  std::shared_ptr<Model> model;
  Status status = parse_cpu_mask(cpu, detect_cpu(), &engine.cpu_mask);
  if (status.ok()) status = read(cache, &model);
  if (!status.ok()) return fail_engine(error, status, path, cpu);
  const auto variants = static_cast<int64_t>(model->plan().variants().size());
  if (check_range(error, "variant", options.variant, 0, variants - 1) != 0) return 1;

  auto made = std::make_unique<hone_session>();
  status = Session::open(std::move(model), engine, &made->engine);
  if (!status.ok()) return fail_engine(error, status, path, cpu);
  const Plan& plan = made->engine->plan();
  made->variant = plan.string(made->engine->variant().name);
  made->cpu = describe_cpu(made->engine->options().cpu_mask);
  made->inputs = describe_ports(plan, made->engine->inputs(), Side::kInput);
  made->outputs = describe_ports(plan, made->engine->outputs(), Side::kOutput);
  made->input_data.resize(made->inputs.size());
  made->output_data.resize(made->outputs.size());
  made->load_ns = static_cast<double>(read_monotonic_ns() - begun_ns);
  *session = made.release();
  return succeed(error);
}

int get_port(const std::vector<BoundPort>& ports, size_t index, hone_port* port, hone_error* error) {
  if (check_size(port, "port", error) != 0 || check_index(error, index, ports.size()) != 0) return 1;
  hand_out(describe(ports[index]), port);
  return succeed(error);
}

/// Everything bound, no output on other memory.
int check_binding(const hone_session& session, hone_error* error) {
  for (const auto* side : {&session.inputs, &session.outputs})
    for (const BoundPort& port : *side)
      if (port.data == nullptr) return refuse_length(port, 0, error);
  for (const BoundPort& output : session.outputs)
    for (const auto* side : {&session.inputs, &session.outputs})
      for (const BoundPort& other : *side)
        if (&other != &output && overlap(output, other))
          return fail(error, "E_OUTPUT_OVERLAP", {{"name", output.name}});
  return 0;
}

void refresh_nodes(hone_session* session) {
  const uint64_t runs = session->engine->timed_runs();
  if (!session->nodes.empty() && session->nodes_of_run == runs) return;
  const std::vector<NodeProfile> profile = session->engine->profile();
  // Texts stay where they are: the caller holds their addresses.
  if (session->nodes.empty())
    for (const NodeProfile& node : profile)
      session->nodes.push_back(
          {std::string(node.name), std::string(node.op), std::string(node.kernel), node});
  for (size_t i = 0; i < profile.size(); ++i) session->nodes[i].cost = profile[i];
  session->nodes_of_run = runs;
}

}  // namespace
}  // namespace hone

using hone::guard;
using hone::guard_open;

uint32_t hone_abi_version(void) { return HONE_ABI_VERSION; }

const char* hone_version(void) { return HONE_VERSION; }

int hone_open_file(const char* path, const hone_options* options, hone_session** session, hone_error* error) {
  return guard(error, [=] {
    if (session == nullptr) return hone::refuse(error, "session", "an address", "NULL");
    *session = nullptr;
    if (path == nullptr) return hone::refuse(error, "path", "the path of a plan", "NULL");
    return hone::open(path, options, session, error,
                      [path](const char* cache, std::shared_ptr<hone::Model>* model) {
                        return hone::Model::open_file(path, cache, model);
                      });
  });
}

int hone_open_bytes(const void* bytes, size_t size, const hone_options* options, hone_session** session,
                    hone_error* error) {
  return guard(error, [=] {
    if (session == nullptr) return hone::refuse(error, "session", "an address", "NULL");
    *session = nullptr;
    if (bytes == nullptr) return hone::refuse(error, "bytes", "the bytes of a plan", "NULL");
    return hone::open("bytes", options, session, error,
                      [=](const char* cache, std::shared_ptr<hone::Model>* model) {
                        return hone::Model::open_bytes(bytes, size, cache, model);
                      });
  });
}

void hone_close(hone_session** session) {
  if (session == nullptr) return;
  delete *session;
  *session = nullptr;
}

int hone_get_info(const hone_session* session, hone_info* info, hone_error* error) {
  return guard_open(session, error, [=] {
    if (hone::check_size(info, "info", error) != 0) return 1;
    const hone::Session& engine = *session->engine;
    const hone::MemoryFigures memory = engine.memory();
    const hone_info filled = {sizeof(hone_info),
                              session->inputs.size(),
                              session->outputs.size(),
                              engine.variant().node_count,
                              engine.plan().variants().size(),
                              session->variant.c_str(),
                              session->cpu.c_str(),
                              engine.options().threads,
                              memory.plan_bytes,
                              memory.packed_bytes,
                              memory.arena_bytes,
                              memory.state_bytes,
                              memory.scratch_bytes,
                              memory.cached_bytes,
                              session->load_ns};
    hone::hand_out(filled, info);
    return hone::succeed(error);
  });
}

int hone_get_input(const hone_session* session, size_t index, hone_port* port, hone_error* error) {
  return guard_open(session, error, [=] { return hone::get_port(session->inputs, index, port, error); });
}

int hone_get_output(const hone_session* session, size_t index, hone_port* port, hone_error* error) {
  return guard_open(session, error, [=] { return hone::get_port(session->outputs, index, port, error); });
}

int hone_bind_input(hone_session* session, size_t index, const void* data, size_t bytes, hone_error* error) {
  return guard_open(session, error, [=] {
    if (hone::check_index(error, index, session->inputs.size()) != 0) return 1;
    if (hone::bind(&session->inputs[index], data, bytes, error) != 0) return 1;
    session->input_data[index] = data;
    session->checked = false;
    return hone::succeed(error);
  });
}

int hone_bind_output(hone_session* session, size_t index, void* data, size_t bytes, hone_error* error) {
  return guard_open(session, error, [=] {
    if (hone::check_index(error, index, session->outputs.size()) != 0) return 1;
    if (hone::bind(&session->outputs[index], data, bytes, error) != 0) return 1;
    session->output_data[index] = data;
    session->checked = false;
    return hone::succeed(error);
  });
}

int hone_run(hone_session* session, hone_error* error) {
  return guard_open(session, error, [=] {
    if (!session->checked && hone::check_binding(*session, error) != 0) return 1;
    session->checked = true;
    session->engine->run(session->input_data.data(), session->output_data.data());
    if (const hone::Status status = session->engine->fault(); !status.ok())
      return hone::fail(error, status.code(), {{"node", status.reason()}});
    return hone::succeed(error);
  });
}

int hone_get_output_dims(const hone_session* session, size_t index, int64_t dims[HONE_MAX_RANK],
                         hone_error* error) {
  return guard_open(session, error, [=] {
    if (hone::check_index(error, index, session->outputs.size()) != 0) return 1;
    if (dims == nullptr) return hone::refuse(error, "dims", "memory", "NULL");
    std::fill_n(dims, HONE_MAX_RANK, 0);
    const auto found = session->engine->output_dims(index);
    std::copy(found.begin(), found.end(), dims);
    return hone::succeed(error);
  });
}

int hone_reset(hone_session* session, hone_error* error) {
  return guard_open(session, error, [=] {
    session->engine->reset();
    return hone::succeed(error);
  });
}

int hone_get_node(hone_session* session, size_t index, hone_node* node, hone_error* error) {
  return guard_open(session, error, [=] {
    if (hone::check_size(node, "node", error) != 0) return 1;
    if (hone::check_index(error, index, session->engine->variant().node_count) != 0) return 1;
    hone::refresh_nodes(session);
    const hone_session::Node& found = session->nodes[index];
    const hone_node filled = {sizeof(hone_node),    found.name.c_str(), found.op.c_str(),
                              found.kernel.c_str(), found.cost.threads, session->nodes_of_run,
                              found.cost.mean_ns,   found.cost.least_ns};
    hone::hand_out(filled, node);
    return hone::succeed(error);
  });
}
