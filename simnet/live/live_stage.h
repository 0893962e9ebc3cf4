#ifndef SIMNET_LIVE_LIVE_STAGE_H_
#define SIMNET_LIVE_LIVE_STAGE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "simnet/storage/tree_storage.h"
#include "simnet/time/event_queue.h"
#include "simnet/trace/recorder.h"
#include "simnet/world/stage.h"

struct lua_State;

namespace skysim {

class ChunkCache;

// LiveStage is the stage whose nodes run on worker threads and talk over loopback sockets: the same
// scenario, the same node code, the operating system's world. Time is the machine's, counted from
// the construction; nothing repeats.
//
// The story keeps its own thread, and so does all that it touches: what the nodes' threads have to
// tell (replies, log lines, probes, events) is posted to it. Of the events only those that a reader
// of logs would miss are recorded: no single message, read or write; none has a cause.
//
// Several processes may have one at a time, each with addresses of its own.
//
// Left out: power-off, the network's faults (simulated_network() is null), and those of machines
// (simulated_machines()): a node whose clock is set is InvalidArgument. A crash closes the
// node's connections as the end of its process would. A node has its own file tree
// over the project's folder, as in a simulation, and its own loopback address.
class LiveStage final : public Stage {
 public:
  struct Options {
    std::string home;      // skysim's own lualib/ and service/
    std::string project;   // folder of the scenario: relative paths of the nodes start here
    int workers = 0;       // overrides every node's `thread` if > 0
    int64_t run_ns_max = 0;
    std::function<void(int64_t, absl::string_view, absl::string_view)> log;
    bool any_order = false;  // what Lua leaves open is drawn (engine/lua/any_order.h)
    ChunkCache* chunks = nullptr;  // borrowed; null: each service compiles
    // As World::Options::open_modules, from any worker thread.
    std::function<void(lua_State*)> open_modules;
  };
  // `events` holds what the story waits for. All borrowed. Errors: ResourceExhausted, the system
  // gave no descriptors.
  static absl::StatusOr<std::unique_ptr<LiveStage>> Make(EventQueue& events, HostFiles& files,
                                                         Recorder& recorder, Options options);
  ~LiveStage() override;

  absl::Status AddNode(NodeSpec spec) override;
  absl::Status StartNode(const std::string& name) override;
  absl::Status CrashNode(const std::string& name, bool is_power_off, bool loses_files) override;
  absl::StatusOr<bool> IsRunning(const std::string& name) const override;
  absl::Status ChangeNode(NodeSpec spec) override;
  absl::StatusOr<NodeSpec> GetNode(const std::string& name) const override;
  absl::Status PutFiles(const std::string& name,
                        const std::map<std::string, std::string>& files) override;
  absl::StatusOr<uint32_t> FindService(const std::string& node,
                                       const std::string& address) const override;
  Network* simulated_network() override { return nullptr; }
  Machines* simulated_machines() override { return nullptr; }
  absl::Status Call(const std::string& node, const std::string& address, absl::string_view packed,
                    Done done) override;
  absl::Status Send(const std::string& node, const std::string& address,
                    absl::string_view packed) override;
  void Post(absl::AnyInvocable<void()> work) override;
  Progress Step() override;
  const std::string& stop_reason() const override;
  uint64_t dispatches() const override { return 0; }
  std::vector<WaitingTask> WaitingTasks() override;
  std::vector<WaitingTask> BriefTasks() override;  // dies: threads run, and nobody may ask

 private:
  class Impl;
  explicit LiveStage(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skysim

#endif  // SIMNET_LIVE_LIVE_STAGE_H_
