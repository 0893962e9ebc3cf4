#include "simnet/world/world.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/core/gate_service.h"
#include "engine/core/harbor_service.h"
#include "engine/core/logger_service.h"
#include "engine/core/node.h"
#include "engine/lua/chunk_cache.h"
#include "engine/lua/home_paths.h"
#include "engine/lua/lua_service.h"
#include "engine/native/module_library.h"
#include "simnet/world/guest.h"
#include "simnet/world/machine_clock.h"
#include "simnet/world/machines.h"
#include "simnet/world/node_config.h"
#include "simnet/world/node_tree.h"
#include "simnet/world/sim_clock.h"
#include "simnet/world/sim_executor.h"
#include "simnet/world/waiting_tasks.h"
#include "simnet/world/watchdog.h"

namespace skysim {

namespace {

// Seeds of a node's hashes and math.random: choices, so that a recorded run has the same ones.
class SimEntropy final : public Entropy {
 public:
  SimEntropy(ChoiceSource& choices, std::string node) : choices_(choices), node_(std::move(node)) {}
  uint64_t Draw(absl::string_view stream) override {
    return choices_.Choose(choices_.Stream(absl::StrCat("node/", node_, "/entropy/", stream)),
                           UINT64_MAX);
  }

 private:
  ChoiceSource& choices_;
  const std::string node_;
};

constexpr int64_t kDispatchNsMax = 3600 * int64_t{1'000'000'000};

// What the story wants of a process that is stopped.
struct Request {
  std::string address, packed;
  Stage::Done done;  // null: a message that nobody answers
};

// One life of a node: everything that dies with the process. Destroyed in reverse order: the node
// with its services before what they stand on.
struct Life {
  Life(EventQueue& events, ChoiceSource& choices, const MachineClock& machine,
       SimExecutor::Sink& sink, SimExecutor::Options options,
       const std::function<int64_t()>& measure_ns)
      : executor(events, choices, sink, std::move(options)),
        clock(events, machine, executor.cpu_ns(), measure_ns) {}

  SimExecutor executor;
  SimClock clock;
  ModuleLibrary libraries;
  LuaService::Options lua;
  std::unique_ptr<Node> node;
  Guest* guest = nullptr;  // owned by the node
  bool is_paused = false;
  std::vector<Request> requests;  // of the story, in a pause
};

struct Member {
  Member(EventQueue& events, ChoiceSource& choices, HostFiles& files, NodeSpec node_spec,
         TreeStorageOptions tree, Observer& node_observer)
      : spec(std::move(node_spec)),
        observer(node_observer),
        clock(events),
        entropy(choices, spec.name),
        storage(files, std::move(tree)) {}

  // Sets its machine's clocks as its spec says.
  absl::Status SetClock() {
    if (!spec.clock.has_value()) return absl::OkStatus();
    absl::Status status = clock.SetDrift(spec.clock->drift_ppb);
    return status.ok() ? clock.SetWallOffset(spec.clock->offset_ns) : status;
  }

  NodeSpec spec;
  Observer& observer;
  MachineClock clock;
  int64_t slowdown = 1;
  SimEntropy entropy;
  TreeStorage storage;
  std::unique_ptr<Life> life;  // null: not running
  int lives = 0;               // how often it was started: its process id
  std::string out_line;        // of print(), not yet ended
};

}  // namespace

class World::Impl final : public Machines, public SimExecutor::Sink {
 public:
  Impl(ChoiceSource& choices, EventQueue& events, Arena& arena, HostFiles& files,
       Recorder& recorder, Options options)
      : choices_(choices),
        events_(events),
        arena_(arena),
        files_(files),
        recorder_(recorder),
        options_(std::move(options)),
        network_(choices, events),
        watchdog_(options_.dispatch_cpu_s_max, options_.cpu_second_ns) {}

  ~Impl() override {
    for (auto& member : members_) {
      if (member->life != nullptr) Kill(*member, /*is_power_off=*/true);
    }
  }

  absl::Status AddNode(NodeSpec spec) {
    for (const auto& member : members_) {
      if (member->spec.name == spec.name) {
        return absl::InvalidArgumentError(absl::StrCat("two nodes are called ", spec.name));
      }
    }
    absl::Status status = MakeNodeConfig(spec, options_.workers).status();
    if (!status.ok()) return status;
    status = network_.AddHost(spec.name, spec.ip);
    if (!status.ok()) return status;
    Observer& observer = recorder_.AddNode(spec.name);
    TreeStorageOptions tree = NodeTree(options_.project, options_.home);
    tree.time = &events_;
    members_.push_back(std::make_unique<Member>(events_, choices_, files_, std::move(spec),
                                                std::move(tree), observer));
    return OfNode(*members_.back(), members_.back()->SetClock());
  }

  absl::Status ChangeNode(NodeSpec spec) {
    auto found = Find(spec.name);
    if (!found.ok()) return found.status();
    Member& member = **found;
    if (member.spec.ip != spec.ip) {
      return absl::InvalidArgumentError(
          absl::StrCat("node ", spec.name, ": the ip of a node cannot change"));
    }
    member.spec = std::move(spec);
    absl::Status status = OfNode(member, member.SetClock());
    if (status.ok() && member.life != nullptr) member.life->clock.OnDriftChanged();
    return status;
  }

  absl::StatusOr<Member*> Find(const std::string& name) {
    for (auto& member : members_) {
      if (member->spec.name == name) return member.get();
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "no node is called ", name, "; there are: ",
        absl::StrJoin(members_, ", ", [](std::string* out, const std::unique_ptr<Member>& member) {
          absl::StrAppend(out, member->spec.name);
        })));
  }

  absl::StatusOr<Member*> FindRunning(const std::string& name) {
    auto member = Find(name);
    if (member.ok() && (*member)->life == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("node ", name, " is not running"));
    }
    return member;
  }

  absl::Status StartNode(const std::string& name) {
    auto found = Find(name);
    if (!found.ok()) return found.status();
    Member& member = **found;
    if (member.life != nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("node ", name, " is running already"));
    }
    for (const auto& [path, bytes] : member.spec.files) member.storage.Put(path, bytes);
    Record(member.observer, EventKind::kNodeStart, name);
    absl::StatusOr<Config> config = MakeNodeConfig(member.spec, options_.workers);
    if (!config.ok()) return config.status();
    AddHomePaths(member.storage, kHomeMount, *config);
    SimExecutor::Options executor;
    executor.node = name;
    executor.workers = std::stoi(config->Get("thread"));
    executor.dispatch_ns = member.spec.dispatch_ns;
    member.life = std::make_unique<Life>(events_, choices_, member.clock, *this, executor,
                                         options_.measure_ns);
    member.life->executor.SetSlowdown(member.slowdown);
    MakeNode(member, *std::move(config));
    return member.life->node->Boot();
  }

  absl::Status CrashNode(const std::string& name, bool is_power_off, bool loses_files) {
    auto member = FindRunning(name);
    if (!member.ok()) return member.status();
    Record((*member)->observer, EventKind::kNodeStop, is_power_off ? "power-off" : "crash");
    (*member)->storage.AbandonOpenFiles();  // what is in its buffers is lost
    Kill(**member, is_power_off);
    if (is_power_off) {
      (*member)->storage.DropUnsynced(choices_,
                                      choices_.Stream(absl::StrCat("node/", name, "/power_off")));
    }
    if (loses_files) (*member)->storage.Clear();
    return absl::OkStatus();
  }

  // -- Machines ----------------------------------------------------------------------------------

  absl::Status StepClock(const std::string& name, int64_t by_ns) override {
    auto member = FindRunning(name);
    if (!member.ok()) return member.status();
    return OfNode(**member, (*member)->clock.StepWall(by_ns));
  }

  absl::Status SetClockDrift(const std::string& name, int64_t ppb) override {
    auto member = FindRunning(name);
    if (!member.ok()) return member.status();
    absl::Status status = OfNode(**member, (*member)->clock.SetDrift(ppb));
    (*member)->life->clock.OnDriftChanged();
    return status;
  }

  absl::Status PauseNode(const std::string& name) override {
    auto member = FindRunning(name);
    if (!member.ok()) return member.status();
    Life& life = *(*member)->life;
    if (life.is_paused) {
      return absl::FailedPreconditionError(absl::StrCat("node ", name, " is paused already"));
    }
    life.is_paused = true;
    life.executor.Pause();
    life.clock.Pause();
    network_.PauseHost(name);
    return absl::OkStatus();
  }

  absl::Status ResumeNode(const std::string& name) override {
    auto member = FindRunning(name);
    if (!member.ok()) return member.status();
    Life& life = *(*member)->life;
    if (!life.is_paused) {
      return absl::FailedPreconditionError(absl::StrCat("node ", name, " is not paused"));
    }
    life.is_paused = false;
    life.executor.Resume();
    life.clock.Resume();
    network_.ResumeHost(name);
    for (Request& request : std::exchange(life.requests, {})) Ask(life, std::move(request));
    return absl::OkStatus();
  }

  absl::Status SlowNode(const std::string& name, int64_t factor) override {
    auto found = FindRunning(name);
    if (!found.ok()) return found.status();
    Member& member = **found;
    if (factor < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("node ", name, ": a dispatch takes 1 times as long or more, not ", factor));
    }
    if (member.spec.dispatch_ns > kDispatchNsMax / factor) {
      return absl::InvalidArgumentError(
          absl::StrCat("node ", name, ": one dispatch would take more than an hour"));
    }
    member.slowdown = factor;
    member.life->executor.SetSlowdown(factor);
    return absl::OkStatus();
  }

  // -- Messages ----------------------------------------------------------------------------------

  absl::Status Ask(const std::string& node, Request request) {
    auto member = FindRunning(node);
    if (!member.ok()) return member.status();
    if (request.address.empty()) {
      return absl::InvalidArgumentError("an address must not be empty");
    }
    Life& life = *(*member)->life;
    if (life.is_paused) {
      life.requests.push_back(std::move(request));
    } else {
      Ask(life, std::move(request));
    }
    return absl::OkStatus();
  }

  // -- Running -----------------------------------------------------------------------------------

  Progress Step() {
    if (dispatches_ >= options_.dispatches_max) {
      stop_reason_ = absl::StrCat("more than ", options_.dispatches_max, " dispatches");
      return Progress::kDispatchLimit;
    }
    if (!finished_.empty()) {
      RunFinished();
      return Progress::kEvent;
    }
    if (events_.IsEmpty()) return Progress::kIdle;
    if (events_.NextNs() > options_.virtual_ns_max) {
      stop_reason_ = absl::StrFormat("more than %.3f s of virtual time",
                                     static_cast<double>(options_.virtual_ns_max) / 1e9);
      return Progress::kTimeLimit;
    }
    events_.RunNext();
    if (watchdog_.has_fired()) {
      stop_reason_ = "an endless loop in Lua; the log of its service has the place";
      return Progress::kEndlessLoop;
    }
    if (!ended_.empty()) EndNodes();
    RunFinished();
    return Progress::kEvent;
  }

  void OnDispatched() override {
    ++dispatches_;
    watchdog_.Beat();
  }

  std::vector<WaitingTask> WaitingTasks() {
    std::vector<WaitingTask> tasks;
    for (auto& member : members_) {
      if (member->life == nullptr) continue;
      AddWaitingTasks(member->spec.name, *member->life->node, tasks);
    }
    return tasks;
  }

  std::vector<WaitingTask> BriefTasks() {
    std::vector<WaitingTask> tasks;
    for (auto& member : members_) {
      if (member->life != nullptr) AddBriefTasks(member->spec.name, *member->life->node, tasks);
    }
    return tasks;
  }

  Options& options() { return options_; }
  Network& network() { return network_; }
  EventQueue& events() { return events_; }
  Recorder& recorder() { return recorder_; }
  const std::string& stop_reason() const { return stop_reason_; }
  uint64_t dispatches() const { return dispatches_; }

 private:
  static absl::Status OfNode(const Member& member, const absl::Status& status) {
    if (status.ok()) return status;
    return absl::Status(status.code(),
                        absl::StrCat("node ", member.spec.name, ": ", status.message()));
  }

  static void Ask(Life& life, Request request) {
    if (request.done) {
      life.guest->Call(request.address, request.packed, 0, std::move(request.done));
    } else {
      life.guest->Send(request.address, request.packed, 0);
    }
  }

  void MakeNode(Member& member, Config config) {
    Life& life = *member.life;
    life.lua.tasks.running = &watchdog_.running();
    life.lua.any_order = options_.any_order;
    life.lua.chunks = options_.chunks != nullptr ? options_.chunks : &own_chunks_;
    life.lua.libraries = &life.libraries;
    life.lua.open_modules = options_.open_modules;
    life.lua.write_out = [this, &member](absl::string_view text) { WriteOut(member, text); };
    Transport& transport = network_.StartHost(member.spec.name, member.observer);
    Platform platform{life.clock,      life.executor,   transport, member.entropy,
                      member.storage,  member.observer, arena_,    ++member.lives,
                      /*is_simulated=*/true};
    Node::Options options;
    options.name = member.spec.name;
    options.config = std::move(config);
    options.legacy = options_.legacy;
    options.modules["snlua"] = [&life] { return std::make_unique<LuaService>(life.lua); };
    options.modules["gate"] = [] { return std::make_unique<GateService>(); };
    options.modules["harbor"] = [] { return std::make_unique<HarborService>(); };
    options.modules["logger"] = [this, &member] {
      return std::make_unique<LoggerService>(
          [this, &member](absl::string_view line) { LogLine(member, line); });
    };
    options.load_module = [&life](Node& node, const std::string& module) {
      return life.libraries.MakeService(node, module);
    };
    options.on_over = [this, &member] { ended_.push_back(&member); };
    life.node = std::make_unique<Node>(platform, std::move(options));
    auto guest = std::make_unique<Guest>(
        [this](absl::AnyInvocable<void()> finish) { finished_.push_back(std::move(finish)); });
    life.guest = guest.get();
    auto* context = new ServiceContext(*life.node, std::move(guest), "story");
    life.node->registry().AddGuest(context);
    CHECK(context->Start("", 0).ok());
  }

  // The process is gone: its kernel first, so that what its services do while they are torn down
  // reaches nobody.
  void Kill(Member& member, bool is_power_off) {
    member.life->node->sockets().Abandon();
    network_.StopHost(member.spec.name, is_power_off);
    member.life->executor.Stop();
    Guest* guest = member.life->guest;
    std::string text = absl::StrCat("node ", member.spec.name, " is gone");
    guest->FailAll(text);
    for (Request& request : member.life->requests) {
      if (!request.done) continue;
      finished_.push_back([done = std::move(request.done), text]() mutable {
        done(absl::AbortedError(text));
      });
    }
    member.life.reset();
    member.out_line.clear();
  }

  // Calls of the story that ended: the story goes on.
  void RunFinished() {
    std::vector<absl::AnyInvocable<void()>> finished = std::move(finished_);
    finished_.clear();
    for (absl::AnyInvocable<void()>& finish : finished) finish();
  }

  // Nodes whose last service exited: the process ends by itself.
  void EndNodes() {
    std::vector<Member*> ended = std::move(ended_);
    ended_.clear();
    for (Member* member : ended) {
      if (member->life == nullptr) continue;
      Record(member->observer, EventKind::kNodeStop, "no service is left");
      Kill(*member, /*is_power_off=*/false);
    }
  }

  void LogLine(Member& member, absl::string_view line) {
    if (options_.log) options_.log(events_.NowNs(), member.spec.name, line);
  }

  void WriteOut(Member& member, absl::string_view text) {
    absl::StrAppend(&member.out_line, text);
    size_t end;
    while ((end = member.out_line.find('\n')) != std::string::npos) {
      if (options_.log) {
        options_.log(events_.NowNs(), member.spec.name, member.out_line.substr(0, end));
      }
      member.out_line.erase(0, end + 1);
    }
  }

  static void Record(Observer& observer, EventKind kind, absl::string_view text) {
    Event event{kind};
    event.text = text;
    observer.Record(event);
  }

  ChoiceSource& choices_;
  EventQueue& events_;
  Arena& arena_;
  HostFiles& files_;
  Recorder& recorder_;
  Options options_;
  ChunkCache own_chunks_;  // unused if the options give one
  Network network_;
  Watchdog watchdog_;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<Member*> ended_;
  std::vector<absl::AnyInvocable<void()>> finished_;
  std::string stop_reason_;
  uint64_t dispatches_ = 0;
};

World::World(ChoiceSource& choices, EventQueue& events, Arena& arena, HostFiles& files,
             Recorder& recorder, Options options)
    : impl_(std::make_unique<Impl>(choices, events, arena, files, recorder, std::move(options))) {}

World::~World() = default;

absl::Status World::AddNode(NodeSpec spec) { return impl_->AddNode(std::move(spec)); }

absl::Status World::StartNode(const std::string& name) { return impl_->StartNode(name); }

absl::Status World::CrashNode(const std::string& name, bool is_power_off, bool loses_files) {
  return impl_->CrashNode(name, is_power_off, loses_files);
}

absl::StatusOr<bool> World::IsRunning(const std::string& name) const {
  auto member = impl_->Find(name);
  if (!member.ok()) return member.status();
  return (*member)->life != nullptr;
}

absl::Status World::ChangeNode(NodeSpec spec) { return impl_->ChangeNode(std::move(spec)); }

absl::Status World::PutFiles(const std::string& name,
                             const std::map<std::string, std::string>& files) {
  auto member = impl_->Find(name);
  if (!member.ok()) return member.status();
  for (const auto& [path, bytes] : files) (*member)->storage.Put(path, bytes);
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> World::FindService(const std::string& node,
                                            const std::string& address) const {
  auto member = impl_->FindRunning(node);
  if (!member.ok()) return member.status();
  if (auto handle = (*member)->life->guest->FindService(address)) return *handle;
  return absl::NotFoundError(absl::StrCat("node ", node, " has no service ", address));
}

Machines* World::simulated_machines() { return impl_.get(); }

absl::StatusOr<NodeSpec> World::GetNode(const std::string& name) const {
  auto member = impl_->Find(name);
  if (!member.ok()) return member.status();
  return (*member)->spec;
}

Network& World::network() { return impl_->network(); }
EventQueue& World::events() { return impl_->events(); }
Recorder& World::recorder() { return impl_->recorder(); }

absl::Status World::Call(const std::string& node, const std::string& address,
                         absl::string_view packed, Done done) {
  return impl_->Ask(node, {address, std::string(packed), std::move(done)});
}

absl::Status World::Send(const std::string& node, const std::string& address,
                         absl::string_view packed) {
  return impl_->Ask(node, {address, std::string(packed), nullptr});
}

World::Progress World::Step() { return impl_->Step(); }
const std::string& World::stop_reason() const { return impl_->stop_reason(); }
uint64_t World::dispatches() const { return impl_->dispatches(); }
std::vector<WaitingTask> World::WaitingTasks() { return impl_->WaitingTasks(); }
std::vector<WaitingTask> World::BriefTasks() { return impl_->BriefTasks(); }

}  // namespace skysim
