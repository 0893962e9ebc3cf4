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
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/core/legacy.h"
#include "simnet/choice/choice_source.h"
#include "simnet/memory/arena.h"
#include "simnet/network/network.h"
#include "simnet/storage/tree_storage.h"
#include "simnet/time/event_queue.h"
#include "simnet/trace/recorder.h"
#include "simnet/world/stage.h"

struct lua_State;

namespace skysim {

class ChunkCache;

// World is one simulated run: the network, virtual time, and nodes that come and go. It owns the
// nodes' platforms; the choices, arena, files and recorder are borrowed. One thread.
class World final : public Stage {
 public:
  struct Options {
    std::string home;           // skysim's own lualib/ and service/
    std::string project;        // folder of the scenario: relative paths of the nodes start here
    int workers = 0;            // overrides every node's `thread` if > 0
    int64_t virtual_ns_max = 0;
    uint64_t dispatches_max = 0;
    int dispatch_cpu_s_max = 5;  // real CPU seconds of one dispatch
    int64_t cpu_second_ns = 1'000'000'000;  // how long such a second is; shorter in tests
    bool any_order = false;  // what Lua leaves open is drawn (engine/lua/any_order.h)
    Legacy legacy;           // faults of the past, in every node
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
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

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
  Network* simulated_network() override { return &network(); }
  Machines* simulated_machines() override;
  absl::Status Call(const std::string& node, const std::string& address, absl::string_view packed,
                    Done done) override;
  absl::Status Send(const std::string& node, const std::string& address,
                    absl::string_view packed) override;
  void Post(absl::AnyInvocable<void()> work) override { work(); }
  // One step: a dispatch, or the next entry of the event queue.
  Progress Step() override;
  const std::string& stop_reason() const override;
  uint64_t dispatches() const override;
  std::vector<WaitingTask> WaitingTasks() override;
  std::vector<WaitingTask> BriefTasks() override;

  Network& network();
  EventQueue& events();
  Recorder& recorder();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_WORLD_H_
