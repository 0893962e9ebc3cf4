#ifndef SIMNET_WORLD_STAGE_H_
#define SIMNET_WORLD_STAGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/scenario/run.h"

namespace skysim {

class Machines;
class Network;

// Where the clocks of a node's machine are set: see MachineClock.
struct ClockSpec {
  int64_t offset_ns = 0;  // of its wall clock before the true time; < 0: behind
  int64_t drift_ppb = 0;  // how fast both its clocks are; < 0: slow
};

// One node of a stage, as it is declared.
struct NodeSpec {
  std::string name;  // host name, and name in logs and traces
  std::string ip;    // literal; unique
  // Entries of its skynet config ("start", "thread", ...).
  std::map<std::string, std::string> config;
  std::map<std::string, std::string> files;   // put into its file tree before each start
  int64_t dispatch_ns = 10'000;               // virtual CPU time of one dispatch, if simulated
  // Set when the node is added or changed. Null: exact at first; with ChangeNode(), as they are.
  std::optional<ClockSpec> clock;
};

// Stage is what a story acts on: nodes that come and go, messages to their services, and time that
// passes. Implementations: World (simulated), LiveStage (real threads and sockets). One thread: the
// story's.
class Stage {
 public:
  virtual ~Stage() = default;

  // -- Nodes. Unknown names are InvalidArgument "no node is called x; there are: a, b". -----------

  virtual absl::Status AddNode(NodeSpec spec) = 0;
  // Boots a node that is not running (FailedPrecondition otherwise).
  virtual absl::Status StartNode(const std::string& name) = 0;
  // Kills a running node: its kernel closes its connections; with `is_power_off` it falls silent
  // and files that were not synced are lost. With `loses_files`, all its files are. Unimplemented:
  // this stage has no power-off.
  virtual absl::Status CrashNode(const std::string& name, bool is_power_off, bool loses_files) = 0;
  virtual absl::StatusOr<bool> IsRunning(const std::string& name) const = 0;
  // Replaces the spec that the next start uses.
  virtual absl::Status ChangeNode(NodeSpec spec) = 0;
  virtual absl::StatusOr<NodeSpec> GetNode(const std::string& name) const = 0;

  // Puts files into the tree of a node, running or not, as a deployment does: who has an old one
  // open keeps that.
  virtual absl::Status PutFiles(const std::string& name,
                                const std::map<std::string, std::string>& files) = 0;
  // The handle of a living service of a running node, of ".name" or ":hex". NotFound "node a has no
  // service .x".
  virtual absl::StatusOr<uint32_t> FindService(const std::string& node,
                                               const std::string& address) const = 0;

  // The network between the nodes, for those who want to disturb it. Null: it is a real one.
  virtual Network* simulated_network() = 0;
  // The machines that the nodes run on, likewise. Null: they are the one that we run on.
  virtual Machines* simulated_machines() = 0;

  // -- Messages from the story. `address` as skynet.call takes it: ".name", ":hex", handle text. --

  // Sends a request of type lua with packed arguments to a service of a running node, as a service
  // of that node would; `done` gets the packed reply, or an error text ("call failed", "call to
  // invalid address .x", "node a crashed"), once, between two steps.
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::string> reply)>;
  virtual absl::Status Call(const std::string& node, const std::string& address,
                            absl::string_view packed, Done done) = 0;
  virtual absl::Status Send(const std::string& node, const std::string& address,
                            absl::string_view packed) = 0;

  // Runs `work` on the story's thread, between two steps: at once where there is only that thread.
  // Any thread.
  virtual void Post(absl::AnyInvocable<void()> work) = 0;

  // -- Running --------------------------------------------------------------------------------

  enum class Progress {
    kEvent,      // something happened
    kIdle,       // nothing is left that could ever happen
    kTimeLimit,  // the time of the run is up
    kDispatchLimit,
    kEndlessLoop,  // a dispatch did not end; see stop_reason()
  };
  virtual Progress Step() = 0;
  virtual const std::string& stop_reason() const = 0;
  virtual uint64_t dispatches() const = 0;

  // Every task of every running node that waits, in order of node, handle, session. Idle readers of
  // system services (clusterd, gate, launcher, ...) are included; the caller filters. For the end
  // of a run: a stage may stop its nodes for it.
  virtual std::vector<WaitingTask> WaitingTasks() = 0;
  // The same in the midst of a run, again and again: without waits_for and stack. Only on a stage
  // with a simulated network; WaitingTasks() may be asked in the midst of a run there, too.
  virtual std::vector<WaitingTask> BriefTasks() = 0;
};

}  // namespace skysim

#endif  // SIMNET_WORLD_STAGE_H_
