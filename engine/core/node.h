#ifndef ENGINE_CORE_NODE_H_
#define ENGINE_CORE_NODE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/config.h"
#include "engine/core/debug_channels.h"
#include "engine/core/legacy.h"
#include "engine/core/message.h"
#include "engine/core/registry.h"
#include "engine/core/service.h"
#include "engine/core/service_context.h"
#include "engine/core/shared_objects.h"
#include "engine/core/socket_server.h"
#include "engine/core/timers.h"
#include "engine/platform/platform.h"

namespace skysim {

class Node;

// Makes the services of one module ("snlua", "logger", ...).
using ServiceFactory = std::function<std::unique_ptr<Service>()>;

// Makes a service of a module that the user brought along; an error says why there is none.
using ModuleLoader =
    std::function<absl::StatusOr<std::unique_ptr<Service>>(Node& node, const std::string& module)>;

// Node is one runtime: what a skynet process is. It owns its services, names, timers, sockets and
// environment, and takes everything else from its Platform. Fifty of them fit in one process.
//
// Life: construct, Boot(), then messages flow; Abort() (or the last service's exit) retires every
// service, and is_over() turns true. The destructor frees what is left without telling anybody:
// that is a crash. By then no thread of the platform may run.
//
// Threads: any, but construction, Boot() and destruction.
class Node final : private SocketEventSink, private TimerSink {
 public:
  struct Options {
    std::string name;                               // for logs and traces
    Config config;                                  // becomes the environment
    std::map<std::string, ServiceFactory> modules;  // by module name
    ModuleLoader load_module;                       // for other names; empty: there are no others
    std::function<void()> on_over;  // called once when no service is left; by the last one's thread
    std::optional<Legacy> legacy;   // faults of the past; simulated platforms only
  };
  Node(Platform platform, Options options);
  ~Node() override;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Starts the log service, then the bootstrap command line (spec 1.12). Errors: "Can't launch %s
  // service", "Bootstrap error : %s".
  absl::Status Boot();

  // Launches `module` with `args`; 0 if it failed (the reason is in the log). `creator` is the
  // service that asked, null for the system.
  Handle Launch(const std::string& module, const std::string& args, const ServiceContext* creator);

  // Puts `message` into the mailbox of `destination`, or of the harbor service if `destination` is
  // of another node. False: no such service; the message is gone.
  bool Send(Handle destination, Message message);

  // Sends to a harbor-wide name, now or when somebody registers it, through the harbor service.
  // False: this node has none.
  bool SendGlobal(const std::string& name, Message message);
  // By the harbor service, when it begins.
  void SetHarborService(Handle harbor) { harbor_service_ = harbor; }

  // Retires a service: sends to it fail from now on; what waits in its mailbox is answered with
  // kError; the object dies when nothing runs it any more.
  void Retire(Handle handle, Handle by, uint64_t cause);

  // Retires every service, the logger when it has written everything. Nothing can be launched any
  // more.
  void Abort();
  bool is_over() const { return over_; }

  // Logs as `source` (0: the runtime). Never fails; without a logger the line is dropped.
  void Log(Handle source, absl::string_view text);

  // Environment: write once. SetEnv returns AlreadyExists for a key that is there. What GetEnv
  // points to lives as long as the node; null: not set.
  const std::string* GetEnv(const std::string& key) const;
  absl::Status SetEnv(const std::string& key, std::string value);

  // ".name" or ":hex" or a name without a dot (harbor-wide).
  std::optional<Handle> FindAddress(absl::string_view text) const;

  // Exit monitor (spec: MONITOR), 0 = none.
  Handle monitor() const { return monitor_; }
  void set_monitor(Handle monitor) { monitor_ = monitor; }

  const std::string& name() const { return options_.name; }
  const Platform& platform() const { return platform_; }
  Platform& platform() { return platform_; }
  Registry& registry() { return registry_; }
  Timers& timers() { return timers_; }
  SharedObjects& shared_objects() { return shared_objects_; }
  SocketServer& sockets() { return *sockets_; }
  DebugChannels& debug_channels() { return debug_channels_; }
  uint32_t harbor() const { return harbor_; }
  bool profiles() const { return profiles_; }
  const Legacy& legacy() const { return legacy_; }

  // Tells the sender of a message that `dead` will never take it: kError with its session.
  void AnswerDeadLetter(Handle dead, const Message& message);

 private:
  void OnSocketEvent(Handle owner, SocketMessage message, absl::string_view text,
                     uint64_t cause) override;
  void OnSocketLog(Handle owner, absl::string_view text) override;
  void OnTimer(Handle handle, int32_t session, uint64_t cause) override;
  bool IsRemote(Handle handle) const {
    return HarborOf(handle) != 0 && HarborOf(handle) != harbor_;
  }
  bool SendThroughHarbor(Handle destination, absl::string_view name, Message message);
  void Put(ServiceRef target, Message message);
  absl::StatusOr<std::unique_ptr<Service>> MakeService(const std::string& module);
  void CheckOver();

  Platform platform_;
  Options options_;
  const Legacy legacy_;
  mutable absl::Mutex env_mutex_;
  std::map<std::string, std::string> env_ ABSL_GUARDED_BY(env_mutex_);
  uint32_t harbor_ = 0;
  bool profiles_ = true;
  SharedObjects shared_objects_;  // outlives the services
  Registry registry_;
  Timers timers_;
  DebugChannels debug_channels_;
  std::unique_ptr<SocketServer> sockets_;
  std::atomic<Handle> harbor_service_{0};
  std::atomic<Handle> logger_{0};
  std::atomic<Handle> monitor_{0};
  std::atomic<bool> is_aborting_{false};
  std::atomic<bool> over_{false};
};

}  // namespace skysim

#endif  // ENGINE_CORE_NODE_H_
