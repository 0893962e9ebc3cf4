#ifndef SIMNET_SCENARIO_RUN_H_
#define SIMNET_SCENARIO_RUN_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/memory/arena.h"
#include "simnet/storage/tree_storage.h"
#include "simnet/trace/recorder.h"
#include "simnet/trace/trace.h"

namespace skysim {

class ChunkCache;

// What a scenario's nodes run on.
enum class RunTransport {
  kSimulated,  // one seed decides everything
  kTcp,        // worker threads and loopback sockets of this machine: nothing repeats
};

// What to run. Plain data; the command line fills it in.
struct RunOptions {
  std::string scenario_path;
  std::string home;     // folder that holds lualib/ and service/ of skysim itself
  RunTransport transport = RunTransport::kSimulated;
  uint64_t seed = 1;     // with kTcp, of what the story draws itself
  std::vector<std::string> legacy;                            // names of --legacy; kSimulated only
  std::vector<std::pair<std::string, std::string>> settings;  // --set key=value, for sim.setting
  // What Lua leaves open is drawn (engine/lua/any_order.h). So it is if the scenario says so.
  bool any_order = false;
  int workers = 0;               // worker threads per node; 0 = as the scenario says
  // kSimulated: the configuration is drawn by the seed, as a scenario with `swarm = true` asks for.
  bool is_swarm = false;
  // kSimulated: JSON that says how the run is configured instead of what is declared and drawn
  // (simnet/scenario/configuration.h); empty: nothing. The path is for messages.
  std::string configuration, configuration_path;
  bool only_configures = false;  // end before the nodes are made: only `configuration` is wanted
  bool keeps_events = false;     // fill RunResult::trace
  // kSimulated: run under its choices and compare event by event; borrowed.
  const Trace* replay = nullptr;
  int64_t virtual_ns_max = 3600 * int64_t{1'000'000'000};  // kTcp: of the machine's time
  uint64_t dispatches_max = 50'000'000;
  int dispatch_cpu_s_max = 5;    // real CPU seconds of one dispatch: beyond it is an endless loop
  // Receives each log line of each node ("a [:00000008] text"). Empty: none wanted.
  std::function<void(int64_t time_ns, absl::string_view node, absl::string_view line)> log;
  // Receives the whole configuration before the nodes start, if it is not simply what is declared
  // (RunResult::is_configured). Empty: nobody wants it.
  std::function<void(absl::string_view configuration)> configured;
};

enum class PropertyKind { kAlways, kSometimes, kEventually, kReachable };
// kUsual: nobody promised it; when it is false that is counted and shown, and fails nothing.
enum class ClaimKind { kGuarantee, kAllowed, kLiveness, kUsual };

// How one property fared in one run. A kSometimes that was never true here is no failure of the
// run, but of a sweep in which no run saw it. One that was declared and never judged has counted
// nothing.
struct PropertyResult {
  PropertyKind kind;
  ClaimKind claim;
  std::string name;
  uint64_t passed = 0, failed = 0;  // how often it was judged so
  std::string detail;               // of the first failure: expected and seen
  int64_t failed_ns = 0;            // when it first failed
};

// A task that waits.
struct WaitingTask {
  std::string node;
  uint32_t service = 0;
  std::string script;      // "clustersender db"
  std::string waits_for;   // "reply of :0000000a, session 12", "wakeup", "sleep until 3.2s"
  int64_t since_ns = 0;
  std::string stack;       // Lua traceback
  int32_t session = 0;     // of what it waits for
  bool is_call = false;    // it waits for a reply
  std::string callee;      // of a call to a service of its node: that one's script; or its name
};

enum class Verdict { kPassed, kFailed, kDiverged, kLimit };

struct RunResult {
  Verdict verdict = Verdict::kPassed;
  std::string reason;      // one line: which property, which limit; empty if passed
  std::string scenario;    // its name (the claim)
  std::vector<PropertyResult> properties;
  std::vector<WaitingTask> waiting;   // story tasks and service tasks that a user would care about
  std::string configuration;  // how it was configured, JSON; empty with kTcp
  bool is_configured = false;  // it was drawn or given, or there is a nemesis
  uint64_t digest = 0, events = 0, dispatches = 0;  // mean nothing with kTcp
  int64_t virtual_ns = 0;
  std::optional<Divergence> divergence;
  Trace trace;             // if keeps_events
};

// Long-lived parts that runs of one process share, one after another.
struct RunShared {
  Arena& arena;            // reset at the start of each run
  HostFiles& files;
  ChunkCache* chunks = nullptr;  // null: each run compiles its Lua files
};

// Runs a scenario once, from boot to verdict, in this thread. An error is wrong input (exit status
// 2), one sentence with its place: no such file, a Lua syntax error, a node whose start service
// does not exist, an unknown node in a verb, a verb that kTcp has not, ... With kTcp the nodes have
// threads of their own; all have ended when it returns.
absl::StatusOr<RunResult> RunScenario(const RunOptions& options, RunShared shared);

// What a scenario's file says of it, for its reader.
struct ScenarioFacts {
  std::string claim, kind, source;
  std::string legacy;  // the switch under which it must fail; empty: none
};

// Loads the file of a scenario, without running it. Errors as RunScenario(), of those that loading
// shows.
absl::StatusOr<ScenarioFacts> ReadScenario(const RunOptions& options, RunShared shared);

// Names and one-line descriptions of the historical bugs that --legacy puts back.
std::vector<std::pair<std::string, std::string>> LegacySwitches();

}  // namespace skysim

#endif  // SIMNET_SCENARIO_RUN_H_
