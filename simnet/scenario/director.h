#ifndef SIMNET_SCENARIO_DIRECTOR_H_
#define SIMNET_SCENARIO_DIRECTOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/config.h"
#include "engine/lua/vm.h"
#include "engine/platform/clock.h"
#include "engine/platform/entropy.h"
#include "nlohmann/json_fwd.hpp"
#include "simnet/check/order.h"
#include "simnet/check/properties.h"
#include "simnet/choice/choice_source.h"
#include "simnet/scenario/node_declaration.h"
#include "simnet/scenario/node_watch.h"
#include "simnet/scenario/run.h"
#include "simnet/scenario/script_finder.h"
#include "simnet/scenario/story_tasks.h"
#include "simnet/storage/tree_storage.h"
#include "simnet/time/event_queue.h"
#include "simnet/trace/recorder.h"
#include "simnet/world/stage.h"

namespace skysim {

// One sim.probe of a service.
struct Probe {
  std::string name;
  std::string node;
  uint32_t service = 0;
  uint64_t start = 0;  // Director::StartsOf(node) when it was made; 0: the story's
  int64_t time_ns = 0;
  std::string packed;
};

// Director is one run of a scenario: it owns the choices, the virtual time, the recorder, the VM of
// the story and the stage, lets the story's tasks and the stage take turns, and judges. The C
// functions of the scenario language (story_module.h, service_module.h) act on it.
//
// Turns: the story's tasks run until all wait; then the stage makes one step (simulated: a
// dispatch, or an entry of the event queue); then probes and conditions are looked at; and so on.
//
// One thread, the story's, but for the functions that say "any thread": services call those.
class Director final {
 public:
  // `options` must outlive the director. Resets the arena.
  Director(const RunOptions& options, RunShared shared);
  ~Director();
  Director(const Director&) = delete;
  Director& operator=(const Director&) = delete;

  // The whole run; once. Errors as RunScenario().
  absl::StatusOr<RunResult> Run();
  // Instead of Run(): loads the file only. Once.
  absl::StatusOr<ScenarioFacts> ReadFacts();

  // -- For the C functions of the language -------------------------------------------------------

  // What the file says of itself while it is loaded.
  void SetFacts(ScenarioFacts facts) { facts_ = std::move(facts); }

  // The declaration that the story's VM has read.
  struct Declaration {
    std::string claim;
    std::string project;                // relative to the scenario's folder
    std::set<std::string> services;     // inlined
    std::vector<std::string> reachable;
    bool any_order = false;
  };
  // Makes the world; before anything else here. An error names what is wrong.
  absl::Status OpenWorld(Declaration declaration);
  Stage& stage() { return *stage_; }

  const RunOptions& options() const { return options_; }
  // Makes the configuration of this run out of the declared one: drawn if `is_swarm` or the options
  // say so, or given by the options; options().workers win. InvalidArgument: what is given makes no
  // sense; one sentence.
  absl::Status Configure(nlohmann::json& configuration, bool is_swarm);

  // Completes the node's config, from its file if it has one, checks that its start service exists,
  // and adds or (`is_known`) changes the node.
  absl::Status PutNode(NodeDeclaration node, bool is_known);
  absl::Status StartNode(const std::string& name);
  // How often it was started so far: tells the services of one start from those of another. Any
  // thread.
  uint64_t StartsOf(const std::string& name) const;
  bool IsBooted(const std::string& name) const;
  // Empty, or why the start service of the node failed; counts as a failed call then, so that a
  // story that ends by it is a failed run.
  std::string BootFailure(const std::string& name);
  // In the order in which they were added.
  std::vector<std::string> NodeNames() const;
  // "no node is called x; there are: a, b".
  std::string NoNode(absl::string_view name) const;
  // InvalidArgument NoNode(); FailedPrecondition "node a is not running".
  absl::Status CheckRuns(const std::string& name) const;

  absl::Status Partition(const std::string& from, const std::string& to);
  absl::Status Heal(const std::string& from, const std::string& to);
  void HealAll();

  StoryTasks& tasks() { return *tasks_; }
  ChoiceSource& choices() { return *choices_; }
  EventQueue& events() { return events_; }
  Memory& memory() { return shared_.arena; }

  // Records a step of the story or a fault.
  void Note(EventKind kind, absl::string_view text);

  // Enters a property into the catalogue, so that reports name it also if nobody judges it. Errors
  // as PropertyStore::Declare().
  absl::Status Declare(PropertyKind kind, ClaimKind claim, const std::string& name);
  // The same in a service; as PostJudgement().
  void PostDeclaration(PropertyKind kind, ClaimKind claim, std::string name, std::string place);

  // One judgement of a property.
  struct Judgement {
    PropertyKind kind;
    ClaimKind claim;
    std::string name;
    bool is_true = false;
    std::string detail;
  };
  // Judges in the story. Errors as PropertyStore::Judge().
  absl::Status Judge(const Judgement& judgement);
  // Judges in a service and records it there, when the story's thread comes to it: at once in a
  // simulation. An error ends the run; `place` is put in front of it. Any thread.
  void PostJudgement(Observer& where, uint32_t service, Judgement judgement, std::string place);
  // The running task waits for a liveness property; at the end of the story it is judged.
  void OpenLiveness(const std::string& name) { open_liveness_[tasks_->current()] = name; }
  void CloseLiveness() { open_liveness_.erase(tasks_->current()); }

  // Contracts are declared before the first mark of a service.
  OrderContracts& order() { return order_; }
  // What services do with the messages of a flow; a flow without a contract is nobody's business.
  // Errors and threads as PostJudgement().
  void PostSent(OrderMark mark, std::string place);
  void PostHandled(Observer& where, OrderMark mark, std::string place);

  // At the time when the story's thread comes to it: at once in a simulation. Any thread.
  void PostProbe(Probe probe);
  const std::vector<Probe>& probes() const { return probes_; }
  // `function_ref`: in the story's registry; called with each probe of that name from now on.
  void AddProbeHandler(std::string name, int function_ref);

  // The value of --set, or null; remembers that somebody asked. Any thread.
  const std::string* FindSetting(const std::string& key);

  // Whether the run has this switch of --legacy; InvalidArgument if there is none of that name. Any
  // thread.
  absl::StatusOr<bool> HasLegacy(const std::string& name) const;
  // The tasks that wait and that a user would care about: of the story, and of services that are
  // not skysim's own. Not for a LiveStage, but at the end.
  std::vector<WaitingTask> WaitingTasks();
  // The same without waits_for and stack, quickly.
  std::vector<WaitingTask> BriefTasks();

  // A call of the story failed with this text: if nobody catches it, the run has failed.
  void AddCallFailure(std::string text) { call_failures_.insert(std::move(text)); }

 private:
  class StoryClock;
  class StoryEntropy;
  struct End {
    Verdict verdict = Verdict::kPassed;
    std::string reason;
  };
  struct ProbeHandler {
    std::string name;
    int function_ref;
    size_t from;  // index of the first probe that it is told of
  };

  // Where the services of a node are found.
  struct NodeScripts {
    std::string patterns;  // its luaservice, with skysim's own folder
    std::unique_ptr<TreeStorage> files;  // as at the start of the node
    std::map<std::string, bool> is_users;  // by the name of a service, as far as somebody asked
  };

  // An error of what a service did ends the run; the first counts.
  void NoteMistake(const absl::Status& status, absl::string_view place);
  absl::Status JudgeAt(Observer& where, uint32_t service, const Judgement& judgement);
  absl::StatusOr<std::unique_ptr<Stage>> MakeStage();
  absl::Status CheckCanBoot(const NodeSpec& spec, const Config& config,
                            const NodeScripts& scripts) const;
  void OpenVm();
  absl::StatusOr<RunResult> LoadAndPlay();
  absl::Status Load();
  std::string ScenarioFile() const;
  std::string Spelled(absl::string_view text) const;
  absl::Status LoadError(int status);
  absl::StatusOr<End> Play();
  absl::StatusOr<End> EndStory();
  absl::StatusOr<End> EndByError(const std::string& text);
  absl::StatusOr<End> EndByLimit(Stage::Progress progress);
  bool TellProbes();
  absl::Status JudgeOpenLiveness();
  absl::Status CheckSettings() const;
  RunResult MakeResult(End end);
  bool IsOfUsersService(const WaitingTask& task);
  WaitingTask StoryWait(const StoryTask& task) const;
  Trace MakeTrace(absl::string_view verdict) const;
  uint32_t NodeIndex(absl::string_view name) const;

  const RunOptions& options_;
  RunShared shared_;
  std::string scenario_text_;
  std::unique_ptr<ChoiceSource> choices_;
  SeededChoices* seeded_ = nullptr;  // choices_, if it records
  EventQueue events_;
  NodeWatch node_watch_;
  Recorder recorder_;
  PropertyStore properties_;
  OrderContracts order_;

  std::optional<ScenarioFacts> facts_;
  Declaration declaration_;
  std::unique_ptr<ScriptFinder> scripts_;
  std::string project_;  // absolute folder of the machine
  std::map<std::string, NodeScripts> node_scripts_;
  std::string configuration_;                    // of the run, as JSON
  bool is_configured_ = false;
  std::string node_texts_;                       // what the trace says of the nodes

  std::unique_ptr<StoryClock> clock_;
  std::unique_ptr<StoryEntropy> entropy_;
  std::unique_ptr<TreeStorage> storage_;
  std::unique_ptr<LuaVm> vm_;
  std::unique_ptr<StoryTasks> tasks_;
  uint64_t main_task_ = 0;

  std::vector<Probe> probes_;
  std::vector<ProbeHandler> probe_handlers_;
  size_t probes_told_ = 0;
  std::map<uint64_t, std::string> open_liveness_;  // task -> property
  std::set<std::pair<std::string, std::string>> partitions_;
  std::set<std::string> call_failures_;
  absl::Status mistake_;  // the first judgement of a service that makes no sense
  mutable absl::Mutex starts_mutex_;
  std::map<std::string, uint64_t> starts_ ABSL_GUARDED_BY(starts_mutex_);  // of each node
  mutable absl::Mutex settings_mutex_;
  std::set<std::string> settings_read_ ABSL_GUARDED_BY(settings_mutex_);

  bool any_order_ = false;
  std::unique_ptr<Stage> stage_;  // the first to go
};

}  // namespace skysim

#endif  // SIMNET_SCENARIO_DIRECTOR_H_
