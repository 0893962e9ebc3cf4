#ifndef ENGINE_OS_OS_NODE_H_
#define ENGINE_OS_OS_NODE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/config.h"
#include "engine/core/node.h"
#include "engine/lua/lua_service.h"
#include "engine/native/module_library.h"
#include "engine/os/epoll_transport.h"
#include "engine/os/heap.h"
#include "engine/os/monitor.h"
#include "engine/os/os_clock.h"
#include "engine/os/os_entropy.h"
#include "engine/os/os_storage.h"
#include "engine/os/worker_pool.h"

struct lua_State;

namespace skysim {

class ChunkCache;

// OsNode is one node on the operating system: its platform of worker threads, timer and relief
// threads, and the Node on top. Several fit in one process.
//
// Life: Make(), Start(); the node runs on its own threads until it is over (abort, or the last
// service's exit); Stop(), or the destructor, from a thread that is none of them.
class OsNode final {
 public:
  struct Options {
    std::string name;
    // Complete, with the paths of skysim's own Lua (engine/lua/home_paths.h).
    Config config;
    // Shared by the nodes of a process. Borrowed; null: every service compiles its files.
    ChunkCache* chunks = nullptr;
    bool any_order = false;  // what Lua leaves open is drawn (engine/lua/any_order.h)
    // What getpid() would give; a part of cluster's own node name.
    int process_id = 1;
    // Takes the lines of the log that have no file to go to, and what print() says, in pieces that
    // need not end a line. From any worker, one call at a time.
    std::function<void(absl::string_view line)> log_line;
    std::function<void(absl::string_view text)> write_out;
    // Parts of the platform that are not the operating system's own; for those who watch a node or
    // lend it a world. Borrowed; null: its own.
    Storage* storage = nullptr;
    Observer* observer = nullptr;  // from any of the node's threads, several at once
    // Stands between the node and its sockets. Empty: nothing does.
    std::function<std::unique_ptr<Transport>(Transport& sockets)> wrap_transport;
    std::string connect_from;  // as EpollTransport::Options
    // As LuaService::Options; from any worker.
    std::function<void(lua_State*)> open_modules;
    // Called once, from one of the node's threads, when no service is left. It must not stop the
    // node itself.
    std::function<void()> on_over;
    // Called once, from one of the node's threads, when its boot is over
    // (engine/core/boot_watch.h): with an empty text, or with why it failed. The node goes on in
    // any case.
    std::function<void(const std::string& failure)> on_booted;
  };
  // Errors: the system gave no descriptors for its sockets.
  static absl::StatusOr<std::unique_ptr<OsNode>> Make(Options options);
  // Stop().
  ~OsNode();
  OsNode(const OsNode&) = delete;
  OsNode& operator=(const OsNode&) = delete;

  // Boots and starts the threads. Errors as Node::Boot().
  absl::Status Start();

  // Ends every thread. Dispatches under way end first; one that does not end within a second gets
  // an error where its Lua code is, again and again. Sockets close without a word to anybody. What
  // the services were doing can still be looked at. A second call does nothing.
  void Stop();

  // Between Start() and destruction.
  Node& node() { return *node_; }
  bool is_over() const { return node_->is_over(); }

  // Opens the log file again, after its rotation.
  void ReopenLog();

 private:
  class BootObserver;

  OsNode(Options options, std::unique_ptr<EpollTransport> sockets);
  Platform MakePlatform();
  Node::Options MakeNodeOptions();
  void InterruptServices();

  Options options_;
  absl::Mutex out_mutex_;  // for log_line and write_out
  std::unique_ptr<BootObserver> observer_;
  Heap heap_;
  OsStorage storage_;
  OsEntropy entropy_;
  OsClock clock_;
  WorkerPool workers_;
  std::unique_ptr<EpollTransport> sockets_;
  std::unique_ptr<Transport> wrapped_sockets_;  // null: nothing is between
  ModuleLibrary libraries_;
  LuaService::Options lua_;
  std::unique_ptr<Monitor> monitor_;
  std::unique_ptr<Node> node_;
  bool is_running_ = false;
};

}  // namespace skysim

#endif  // ENGINE_OS_OS_NODE_H_
