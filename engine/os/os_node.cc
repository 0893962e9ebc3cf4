#include "engine/os/os_node.h"

#include <thread>
#include <utility>

#include "absl/log/check.h"
#include "absl/memory/memory.h"
#include "absl/strings/numbers.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "engine/core/boot_watch.h"
#include "engine/core/gate_service.h"
#include "engine/core/harbor_service.h"
#include "engine/core/logger_service.h"

// Ends: first the sockets, so that nobody is told anything any more and no thread holds their lock;
// then the threads that bring messages; then the workers, on whose queues the last of them stand;
// then the services.

namespace skysim {
namespace {

size_t WorkersOf(const Config& config) {
  int workers = 0;
  CHECK(absl::SimpleAtoi(config.Get("thread"), &workers)) << "the config is not complete";
  return static_cast<size_t>(workers);
}

}  // namespace

// Reads the boot from the events, and keeps none.
class OsNode::BootObserver final : public Observer {
 public:
  // `next` is told as well; may be null.
  BootObserver(const std::string& bootstrap, std::function<void(const std::string&)> on_booted,
               Observer* next)
      : on_booted_(std::move(on_booted)), next_(next), watch_(bootstrap) {}

  uint64_t Record(const Event& event) override {
    if (next_ != nullptr) next_->Record(event);
    if (!is_over_.load(std::memory_order_relaxed) && BootWatch::Wants(event.kind)) Watch(event);
    return 0;
  }

 private:
  void Watch(const Event& event) {
    std::string failure;
    {
      absl::MutexLock lock(&mutex_);
      watch_.OnEvent(event);
      failure = watch_.failure();
      if (is_over_ || (!watch_.is_over() && failure.empty())) return;
      is_over_ = true;
    }
    if (on_booted_) on_booted_(failure);
  }

  const std::function<void(const std::string&)> on_booted_;
  Observer* const next_;
  std::atomic<bool> is_over_{false};
  absl::Mutex mutex_;
  BootWatch watch_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<OsNode>> OsNode::Make(Options options) {
  EpollTransport::Options transport;
  transport.connect_from = options.connect_from;
  absl::StatusOr<std::unique_ptr<EpollTransport>> sockets =
      EpollTransport::Make(std::move(transport));
  if (!sockets.ok()) return sockets.status();
  return absl::WrapUnique(new OsNode(std::move(options), *std::move(sockets)));
}

OsNode::OsNode(Options options, std::unique_ptr<EpollTransport> sockets)
    : options_(std::move(options)),
      observer_(std::make_unique<BootObserver>(options_.config.Get("bootstrap"),
                                               options_.on_booted, options_.observer)),
      workers_(WorkersOf(options_.config)),
      sockets_(std::move(sockets)) {
  lua_.chunks = options_.chunks;
  lua_.any_order = options_.any_order;
  if (options_.wrap_transport) wrapped_sockets_ = options_.wrap_transport(*sockets_);
  lua_.libraries = &libraries_;
  lua_.fixed_utc = false;
  lua_.open_modules = options_.open_modules;
  if (options_.write_out) {
    lua_.write_out = [this](absl::string_view text) {
      absl::MutexLock lock(&out_mutex_);
      options_.write_out(text);
    };
  }
  node_ = std::make_unique<Node>(MakePlatform(), MakeNodeOptions());
  monitor_ = std::make_unique<Monitor>(workers_, *node_, clock_);
}

OsNode::~OsNode() {
  Stop();
  node_.reset();
}

Platform OsNode::MakePlatform() {
  Transport* sockets = wrapped_sockets_.get();
  if (sockets == nullptr) sockets = sockets_.get();
  Storage& storage = options_.storage != nullptr ? *options_.storage : storage_;
  return Platform{clock_,     workers_, *sockets, entropy_, storage,
                  *observer_, heap_,    options_.process_id,
                  /*is_simulated=*/false};
}

Node::Options OsNode::MakeNodeOptions() {
  Node::Options node;
  node.name = options_.name;
  node.config = options_.config;
  node.modules["snlua"] = [this] { return std::make_unique<LuaService>(lua_); };
  node.modules["gate"] = [] { return std::make_unique<GateService>(); };
  node.modules["harbor"] = [] { return std::make_unique<HarborService>(); };
  node.modules["logger"] = [this] {
    return std::make_unique<LoggerService>(
        [this](absl::string_view line) {
          absl::MutexLock lock(&out_mutex_);
          if (options_.log_line) options_.log_line(line);
        },
        absl::LocalTimeZone());
  };
  node.load_module = [this](Node& on, const std::string& module) {
    return libraries_.MakeService(on, module);
  };
  node.on_over = options_.on_over;
  return node;
}

absl::Status OsNode::Start() {
  CHECK(!is_running_) << "a node starts once";
  if (absl::Status status = node_->Boot(); !status.ok()) return status;
  is_running_ = true;
  workers_.Start(monitor_.get(), sockets_.get());
  return absl::OkStatus();
}

void OsNode::Stop() {
  node_->sockets().Abandon();
  clock_.Stop();
  absl::Notification stopped;
  std::thread impatient([this, &stopped] {
    absl::Duration patience = absl::Seconds(1);
    while (!stopped.WaitForNotificationWithTimeout(patience)) {
      InterruptServices();
      patience = absl::Milliseconds(20);
    }
  });
  workers_.Stop();
  stopped.Notify();
  impatient.join();
  is_running_ = false;
}

void OsNode::InterruptServices() {
  for (Handle handle : node_->registry().Handles()) {
    ServiceRef service = node_->registry().Find(handle);
    if (!service) continue;
    if (auto* lua = dynamic_cast<LuaService*>(&service->service())) lua->Interrupt();
  }
}

void OsNode::ReopenLog() {
  std::optional<Handle> logger = node_->FindAddress(".logger");
  if (!logger) return;
  Message message;
  message.type = MessageType::kSystem;
  node_->Send(*logger, std::move(message));
}

}  // namespace skysim
