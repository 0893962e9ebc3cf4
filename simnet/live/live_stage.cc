#include "simnet/live/live_stage.h"

#include <unistd.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "absl/log/check.h"
#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/core/node.h"
#include "engine/lua/home_paths.h"
#include "engine/os/epoll_transport.h"
#include "engine/os/os_clock.h"
#include "engine/os/os_node.h"
#include "simnet/live/loopback_transport.h"
#include "simnet/storage/locked_storage.h"
#include "simnet/world/guest.h"
#include "simnet/world/node_config.h"
#include "simnet/world/node_tree.h"
#include "simnet/world/waiting_tasks.h"

// Threads: Impl belongs to the story's, but for Inbox, which is the one thing that others touch. A
// node's threads are joined before what they use dies (Member's order of fields).

namespace skysim {
namespace {

// A story's condition may look at the time, or at something that no event tells.
constexpr int64_t kPatienceNs = 10'000'000;

// What other threads want done on the story's.
class Inbox final {
 public:
  void Post(absl::AnyInvocable<void()> work) {
    absl::MutexLock lock(&mutex_);
    work_.push_back(std::move(work));
  }

  // Everything posted so far, in order; waits for the first for as long as `patience`.
  std::deque<absl::AnyInvocable<void()>> Take(absl::Duration patience) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(&HasWork, &work_), patience);
    return std::exchange(work_, {});
  }

 private:
  using Work = std::deque<absl::AnyInvocable<void()>>;
  static bool HasWork(Work* work) { return !work->empty(); }

  absl::Mutex mutex_;
  Work work_ ABSL_GUARDED_BY(mutex_);
};

bool IsRecorded(EventKind kind) {
  switch (kind) {
    case EventKind::kSend:
    case EventKind::kDispatch:
    case EventKind::kTimer:
    case EventKind::kWrite:
    case EventKind::kRead:
    case EventKind::kSegment: return false;
    default: return true;
  }
}

// Brings events to the story's thread, where the recorder is. What a life that has ended left in
// the inbox is dropped when the next one has begun: who reads how a node boots must not take the
// one for the other.
class PostingObserver final : public Observer {
 public:
  // `lives`: counts the node's lives; changes only while none of its threads runs.
  PostingObserver(Inbox& inbox, Observer& recorder, const int& lives)
      : inbox_(inbox), recorder_(recorder), lives_(lives) {}

  uint64_t Record(const Event& event) override {
    if (!IsRecorded(event.kind)) return 0;
    inbox_.Post([this, life = lives_, copy = Event(event), text = std::string(event.text),
                 bytes = std::string(event.bytes)]() mutable {
      if (life != lives_) return;
      copy.text = text;
      copy.bytes = bytes;
      recorder_.Record(copy);
    });
    return 0;
  }

 private:
  Inbox& inbox_;
  Observer& recorder_;
  const int& lives_;
};

// Addresses that no other process of the machine uses, for as long as `claim` lives.
struct ClaimedAddresses {
  std::unique_ptr<Transport> claim;
  LoopbackMap map;
};

// The process id alone would not do: processes in containers may share a network, and have the
// same one.
absl::StatusOr<ClaimedAddresses> ClaimAddresses() {
  absl::StatusOr<std::unique_ptr<EpollTransport>> claim = EpollTransport::Make();
  if (!claim.ok()) return claim.status();
  const auto first = static_cast<uint32_t>(getpid());
  for (uint32_t i = 0; i < LoopbackMap::kRuns; ++i) {
    LoopbackMap map(first + i);
    auto listening = (*claim)->Listen(map.ClaimAddress(), LoopbackMap::kClaimPort, 1);
    if (listening.ok()) return ClaimedAddresses{*std::move(claim), std::move(map)};
    if (listening.status().code() != absl::StatusCode::kAlreadyExists) return listening.status();
  }
  return absl::ResourceExhaustedError("no loopback addresses are left");
}

absl::Status CheckClock(const NodeSpec& spec) {
  if (!spec.clock.has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("node ", spec.name, ": its clock needs a simulated machine; --transport tcp has "
                   "a real one"));
}

struct Member {
  Member(Inbox& inbox, HostFiles& files, NodeSpec node_spec, TreeStorageOptions options,
         Observer& node_observer)
      : spec(std::move(node_spec)),
        recorder(node_observer),
        observer(inbox, node_observer, lives),
        tree(files, std::move(options)),
        storage(tree) {}

  NodeSpec spec;
  Observer& recorder;
  PostingObserver observer;
  TreeStorage tree;
  LockedStorage storage;
  std::unique_ptr<OsNode> node;  // null: not running
  Guest* guest = nullptr;        // owned by the node
  int lives = 0;                 // how often it was started
  std::string out_line;          // of print(), not yet ended
};

}  // namespace

class LiveStage::Impl final {
 public:
  Impl(EventQueue& events, HostFiles& files, Recorder& recorder, Options options,
       ClaimedAddresses addresses)
      : events_(events),
        files_(files),
        recorder_(recorder),
        options_(std::move(options)),
        addresses_(std::move(addresses)),
        begin_ns_(clock_.NowNs()) {}

  ~Impl() {
    for (auto& member : members_) member->node.reset();
  }

  absl::Status AddNode(NodeSpec spec) {
    for (const auto& member : members_) {
      if (member->spec.name == spec.name) {
        return absl::InvalidArgumentError(absl::StrCat("two nodes are called ", spec.name));
      }
      CHECK(member->node == nullptr) << "nodes are added before the first one runs";
    }
    absl::Status status = CheckClock(spec);
    if (status.ok()) status = MakeNodeConfig(spec, options_.workers).status();
    if (status.ok()) status = addresses_.map.Add(spec.name, spec.ip);
    if (!status.ok()) return status;
    Observer& observer = recorder_.AddNode(spec.name);
    members_.push_back(std::make_unique<Member>(
        inbox_, files_, std::move(spec), NodeTree(options_.project, options_.home), observer));
    return absl::OkStatus();
  }

  absl::StatusOr<Member*> Find(const std::string& name) const {
    for (auto& member : members_) {
      if (member->spec.name == name) return member.get();
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "no node is called ", name, "; there are: ",
        absl::StrJoin(members_, ", ", [](std::string* out, const std::unique_ptr<Member>& member) {
          absl::StrAppend(out, member->spec.name);
        })));
  }

  absl::StatusOr<Member*> FindRunning(const std::string& name) const {
    auto member = Find(name);
    if (member.ok() && (*member)->node == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("node ", name, " is not running"));
    }
    return member;
  }

  absl::Status StartNode(const std::string& name) {
    auto found = Find(name);
    if (!found.ok()) return found.status();
    Member& member = **found;
    if (member.node != nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("node ", name, " is running already"));
    }
    for (const auto& [path, bytes] : member.spec.files) member.tree.Put(path, bytes);
    Note(member, EventKind::kNodeStart, name);
    absl::StatusOr<Config> config = MakeNodeConfig(member.spec, options_.workers);
    if (!config.ok()) return config.status();
    AddHomePaths(member.storage, kHomeMount, *config);
    ++member.lives;
    auto node = OsNode::Make(MakeOptions(member, *std::move(config)));
    if (!node.ok()) return node.status();
    member.node = *std::move(node);
    AddGuest(member);
    return member.node->Start();
  }

  absl::Status CrashNode(const std::string& name, bool is_power_off, bool loses_files) {
    if (is_power_off) return absl::UnimplementedError("a power-off needs a simulated world");
    auto member = FindRunning(name);
    if (!member.ok()) return member.status();
    Note(**member, EventKind::kNodeStop, "crash");
    (*member)->storage.Change([&] { (*member)->tree.AbandonOpenFiles(); });
    Kill(**member);
    if (loses_files) (*member)->tree.Clear();
    return absl::OkStatus();
  }

  absl::Status ChangeNode(NodeSpec spec) {
    auto member = Find(spec.name);
    if (!member.ok()) return member.status();
    if ((*member)->spec.ip != spec.ip) {
      return absl::InvalidArgumentError(
          absl::StrCat("node ", spec.name, ": the ip of a node cannot change"));
    }
    if (absl::Status status = CheckClock(spec); !status.ok()) return status;
    (*member)->spec = std::move(spec);
    return absl::OkStatus();
  }

  // Waits for the first of: something posted, an entry of the story's queue, the limit.
  Progress Step() {
    int64_t now_ns = NowNs();
    if (now_ns > options_.run_ns_max) {
      stop_reason_ = absl::StrFormat("more than %.3f s of time",
                                     static_cast<double>(options_.run_ns_max) / 1e9);
      return Progress::kTimeLimit;
    }
    int64_t patience_ns = kPatienceNs;
    if (!events_.IsEmpty()) patience_ns = std::min(patience_ns, events_.NextNs() - now_ns);
    auto work = inbox_.Take(absl::Nanoseconds(patience_ns));
    events_.AdvanceTo(NowNs());
    for (absl::AnyInvocable<void()>& item : work) item();
    if (work.empty() && !events_.IsEmpty() && events_.NextNs() <= NowNs()) events_.RunNext();
    return Progress::kEvent;
  }

  // Stops the nodes: nobody may run while their tasks are looked at.
  std::vector<WaitingTask> WaitingTasks() {
    std::vector<WaitingTask> tasks;
    for (auto& member : members_) {
      if (member->node == nullptr) continue;
      member->node->Stop();
      AddWaitingTasks(member->spec.name, member->node->node(), tasks);
    }
    return tasks;
  }

  Inbox& inbox() { return inbox_; }
  const std::string& stop_reason() const { return stop_reason_; }

 private:
  int64_t NowNs() const { return clock_.NowNs() - begin_ns_; }

  OsNode::Options MakeOptions(Member& member, Config config) {
    const std::string& name = member.spec.name;
    OsNode::Options node;
    node.name = name;
    node.config = std::move(config);
    node.any_order = options_.any_order;
    node.chunks = options_.chunks;
    node.process_id = member.lives;
    node.storage = &member.storage;
    node.observer = &member.observer;
    node.open_modules = options_.open_modules;
    node.connect_from = *addresses_.map.Find(name);
    node.wrap_transport = [this, name](Transport& sockets) {
      return std::make_unique<LoopbackTransport>(sockets, addresses_.map, name);
    };
    node.log_line = [this, &member](absl::string_view line) {
      inbox_.Post([this, &member, line = std::string(line)] { LogLine(member, line); });
    };
    node.write_out = [this, &member](absl::string_view text) {
      inbox_.Post([this, &member, text = std::string(text)] { WriteOut(member, text); });
    };
    int life = member.lives;
    node.on_over = [this, &member, life] {
      inbox_.Post([this, &member, life] { End(member, life); });
    };
    return node;
  }

  void AddGuest(Member& member) {
    auto guest = std::make_unique<Guest>(
        [this](absl::AnyInvocable<void()> finish) { inbox_.Post(std::move(finish)); });
    member.guest = guest.get();
    Node& node = member.node->node();
    auto* context = new ServiceContext(node, std::move(guest), "story");
    node.registry().AddGuest(context);
    CHECK(context->Start("", 0).ok());
  }

  // The calls of the story fail before the node goes, since the guest goes with it; what they do
  // then waits in the inbox.
  void Kill(Member& member) {
    member.node->Stop();
    member.guest->FailAll(absl::StrCat("node ", member.spec.name, " is gone"));
    member.node.reset();
    member.out_line.clear();
  }

  // The last service has exited: the process ends by itself.
  void End(Member& member, int life) {
    if (member.node == nullptr || member.lives != life) return;
    Note(member, EventKind::kNodeStop, "no service is left");
    Kill(member);
  }

  void LogLine(Member& member, absl::string_view line) {
    if (options_.log) options_.log(events_.NowNs(), member.spec.name, line);
  }

  void WriteOut(Member& member, absl::string_view text) {
    absl::StrAppend(&member.out_line, text);
    size_t end;
    while ((end = member.out_line.find('\n')) != std::string::npos) {
      LogLine(member, member.out_line.substr(0, end));
      member.out_line.erase(0, end + 1);
    }
  }

  void Note(Member& member, EventKind kind, absl::string_view text) {
    Event event{kind};
    event.text = text;
    member.recorder.Record(event);
  }

  EventQueue& events_;
  HostFiles& files_;
  Recorder& recorder_;
  const Options options_;
  ClaimedAddresses addresses_;
  OsClock clock_;
  const int64_t begin_ns_;
  Inbox inbox_;
  std::vector<std::unique_ptr<Member>> members_;
  std::string stop_reason_;
};

absl::StatusOr<std::unique_ptr<LiveStage>> LiveStage::Make(EventQueue& events, HostFiles& files,
                                                           Recorder& recorder, Options options) {
  absl::StatusOr<ClaimedAddresses> addresses = ClaimAddresses();
  if (!addresses.ok()) return addresses.status();
  auto impl = std::make_unique<Impl>(events, files, recorder, std::move(options),
                                     *std::move(addresses));
  return absl::WrapUnique(new LiveStage(std::move(impl)));
}

LiveStage::LiveStage(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LiveStage::~LiveStage() = default;

absl::Status LiveStage::AddNode(NodeSpec spec) { return impl_->AddNode(std::move(spec)); }
absl::Status LiveStage::StartNode(const std::string& name) { return impl_->StartNode(name); }
absl::Status LiveStage::CrashNode(const std::string& name, bool is_power_off, bool loses_files) {
  return impl_->CrashNode(name, is_power_off, loses_files);
}
absl::Status LiveStage::ChangeNode(NodeSpec spec) { return impl_->ChangeNode(std::move(spec)); }

absl::StatusOr<bool> LiveStage::IsRunning(const std::string& name) const {
  auto member = impl_->Find(name);
  if (!member.ok()) return member.status();
  return (*member)->node != nullptr;
}

absl::StatusOr<NodeSpec> LiveStage::GetNode(const std::string& name) const {
  auto member = impl_->Find(name);
  if (!member.ok()) return member.status();
  return (*member)->spec;
}

absl::Status LiveStage::PutFiles(const std::string& name,
                                 const std::map<std::string, std::string>& files) {
  auto found = impl_->Find(name);
  if (!found.ok()) return found.status();
  Member& member = **found;
  member.storage.Change([&] {
    for (const auto& [path, bytes] : files) member.tree.Put(path, bytes);
  });
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> LiveStage::FindService(const std::string& node,
                                                const std::string& address) const {
  auto member = impl_->FindRunning(node);
  if (!member.ok()) return member.status();
  if (auto handle = (*member)->guest->FindService(address)) return *handle;
  return absl::NotFoundError(absl::StrCat("node ", node, " has no service ", address));
}

absl::Status LiveStage::Call(const std::string& node, const std::string& address,
                             absl::string_view packed, Done done) {
  auto member = impl_->FindRunning(node);
  if (!member.ok()) return member.status();
  if (address.empty()) return absl::InvalidArgumentError("an address must not be empty");
  (*member)->guest->Call(address, packed, 0, std::move(done));
  return absl::OkStatus();
}

absl::Status LiveStage::Send(const std::string& node, const std::string& address,
                             absl::string_view packed) {
  auto member = impl_->FindRunning(node);
  if (!member.ok()) return member.status();
  if (address.empty()) return absl::InvalidArgumentError("an address must not be empty");
  (*member)->guest->Send(address, packed, 0);
  return absl::OkStatus();
}

void LiveStage::Post(absl::AnyInvocable<void()> work) { impl_->inbox().Post(std::move(work)); }
Stage::Progress LiveStage::Step() { return impl_->Step(); }
const std::string& LiveStage::stop_reason() const { return impl_->stop_reason(); }
std::vector<WaitingTask> LiveStage::WaitingTasks() { return impl_->WaitingTasks(); }

std::vector<WaitingTask> LiveStage::BriefTasks() {
  CHECK(false) << "the tasks of running threads cannot be looked at";
  return {};
}

}  // namespace skysim
