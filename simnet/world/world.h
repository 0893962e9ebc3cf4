#ifndef SIMNET_WORLD_WORLD_H_
#define SIMNET_WORLD_WORLD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/core/message.h"
#include "simnet/choice/choice_source.h"
#include "simnet/memory/arena.h"
#include "simnet/network/network.h"
#include "simnet/scenario/run.h"
#include "simnet/storage/tree_storage.h"
#include "simnet/time/event_queue.h"
#include "simnet/trace/recorder.h"

struct lua_State;

namespace skysim {

class ChunkCache;

// One node of a world, as it is declared.
struct NodeSpec {
  std::string name;  // host name, and name in logs and traces
  std::string ip;    // literal; unique
  // Entries of its skynet config ("start", "thread", ...).
  std::map<std::string, std::string> config;
  std::map<std::string, std::string> files;   // put into its file tree before each start
  int64_t dispatch_ns = 10'000;               // virtual CPU time of one dispatch
};

// World is one simulated run: the network, virtual time, and nodes that come and go. It owns the
// nodes' platforms; the choices, arena, files and recorder are borrowed. One thread.
class World final {
 public:
  struct Options {
    std::string home;           // skysim's own lualib/ and service/
    std::string project;        // folder of the scenario: relative paths of the nodes start here
    int workers = 0;            // overrides every node's `thread` if > 0
    int64_t virtual_ns_max = 0;
    uint64_t dispatches_max = 0;
    int dispatch_cpu_s_max = 5;  // real CPU seconds of one dispatch
    int64_t cpu_second_ns = 1'000'000'000;  // how long such a second is; shorter in tests
    bool wake_unordered = false;  // legacy: woken tasks drain in table order
    std::string legacy;           // the other legacy switches, as env `sim_legacy`
    std::function<void(int64_t, absl::string_view, absl::string_view)> log;
    // Compiles Lua files once for all worlds of the process. Borrowed; null: the world has its own.
    ChunkCache* chunks = nullptr;
    // For benchmarks: what skynet.hpc() answers, e.g. the machine's clock. Breaks determinism;
    // empty otherwise.
    std::function<int64_t()> measure_ns;
    // Called for every VM of a service right after the standard modules were preloaded: adds the
    // modules of a simulation (sim.core). May be empty.
    std::function<void(lua_State*)> open_modules;
  };
  World(ChoiceSource& choices, EventQueue& events, Arena& arena, HostFiles& files,
        Recorder& recorder, Options options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // -- Nodes. Unknown names are InvalidArgument "no node is called x; there are: a, b". -----------

  absl::Status AddNode(NodeSpec spec);
  // Boots a node that is not running (FailedPrecondition otherwise).
  absl::Status StartNode(const std::string& name);
  // Kills a running node: its kernel closes its connections; with `is_power_off` it falls silent
  // and files that were not synced are lost. With `loses_files`, all its files are.
  absl::Status CrashNode(const std::string& name, bool is_power_off, bool loses_files);
  absl::StatusOr<bool> IsRunning(const std::string& name) const;
  // Replaces the spec that the next start uses.
  absl::Status ChangeNode(NodeSpec spec);
  absl::StatusOr<NodeSpec> GetNode(const std::string& name) const;

  Network& network();
  EventQueue& events();
  Recorder& recorder();

  // -- Messages from the story. `address` as skynet.call takes it: ".name", ":hex", handle text. --

  // Sends a request of type lua with packed arguments to a service of a running node, as a service
  // of that node would; `done` gets the packed reply, or an error text ("call failed", "call to
  // invalid address .x", "node a crashed"), once, between two dispatches.
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::string> reply)>;
  absl::Status Call(const std::string& node, const std::string& address, absl::string_view packed,
                    Done done);
  absl::Status Send(const std::string& node, const std::string& address, absl::string_view packed);

  // -- Running --------------------------------------------------------------------------------

  enum class Progress {
    kEvent,      // something happened
    kIdle,       // nothing is left that could ever happen
    kTimeLimit,  // virtual_ns_max passed
    kDispatchLimit,
    kEndlessLoop,  // a dispatch did not end; see stop_reason()
  };
  // One step: a dispatch, or the next entry of the event queue.
  Progress Step();
  const std::string& stop_reason() const;
  uint64_t dispatches() const;

  // Every task of every running node that waits, in order of node, handle, session. Idle readers of
  // system services (clusterd, gate, launcher, ...) are included; the caller filters.
  std::vector<WaitingTask> WaitingTasks();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_WORLD_H_
