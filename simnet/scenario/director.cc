#include "simnet/scenario/director.h"

#include <algorithm>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "engine/lua/any_order.h"
#include "engine/lua/home_paths.h"
#include "engine/lua/sandbox.h"
#include "nlohmann/json.hpp"
#include "simnet/live/live_stage.h"
#include "simnet/scenario/configuration.h"
#include "simnet/scenario/legacy.h"
#include "simnet/scenario/path.h"
#include "simnet/scenario/service_module.h"
#include "simnet/scenario/story_module.h"
#include "simnet/network/network.h"
#include "simnet/world/node_tree.h"
#include "simnet/world/world.h"

namespace skysim {
namespace {

constexpr char kScenarioFolder[] = "/sim/scenario/";  // of the scenario's text in each node's tree

std::unique_ptr<ChoiceSource> MakeChoices(const RunOptions& options) {
  if (options.replay != nullptr) return std::make_unique<RecordedChoices>(options.replay->choices);
  return std::make_unique<SeededChoices>(options.seed, options.keeps_events);
}

Recorder::Options RecorderOptions(const RunOptions& options, EventListener* listener) {
  Recorder::Options recorder;
  recorder.keeps_events = options.keeps_events;
  if (options.replay != nullptr) recorder.expected = &options.replay->events;
  recorder.listener = listener;
  return recorder;
}

std::string FirstWord(absl::string_view text) {
  std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  return words.empty() ? "" : words[0];
}

std::string DescribeSpec(const NodeSpec& spec) {
  std::string text = absl::StrCat("node ", spec.name, " ip ", spec.ip, " cpu ", spec.dispatch_ns,
                                  " ns\n");
  if (spec.clock.has_value()) {
    absl::StrAppend(&text, "  its clock is ahead by ", spec.clock->offset_ns, " ns and fast by ",
                    spec.clock->drift_ppb, " ppb\n");
  }
  for (const auto& [key, value] : spec.config) {
    absl::StrAppend(&text, "  ", key, " = ", value, "\n");
  }
  return text;
}

}  // namespace

// What a story's os.time and os.clock answer: virtual time.
class Director::StoryClock final : public Clock {
 public:
  explicit StoryClock(const EventQueue& events) : events_(events) {}
  int64_t NowNs() const override { return events_.NowNs(); }
  int64_t WallNs() const override { return events_.NowNs(); }
  int64_t CpuNs() const override { return events_.NowNs(); }
  void SetAlarm(int64_t, AlarmSink*) override { CHECK(false) << "a story sets no alarm"; }

 private:
  const EventQueue& events_;
};

class Director::StoryEntropy final : public Entropy {
 public:
  explicit StoryEntropy(ChoiceSource& choices) : choices_(choices) {}
  uint64_t Draw(absl::string_view stream) override {
    return choices_.Choose(choices_.Stream(absl::StrCat("entropy/", stream)), UINT64_MAX);
  }

 private:
  ChoiceSource& choices_;
};

Director::Director(const RunOptions& options, RunShared shared)
    : options_(options),
      shared_(shared),
      choices_(MakeChoices(options)),
      recorder_(events_, RecorderOptions(options, &node_watch_)) {
  shared_.arena.Reset();
  if (options.replay == nullptr) seeded_ = static_cast<SeededChoices*>(choices_.get());
}

Director::~Director() = default;

// -- The story's VM ------------------------------------------------------------------------------

void Director::OpenVm() {
  clock_ = std::make_unique<StoryClock>(events_);
  entropy_ = std::make_unique<StoryEntropy>(*choices_);
  storage_ = std::make_unique<TreeStorage>(
      shared_.files, NodeTree(FolderOf(AbsolutePath(options_.scenario_path)),
                              AbsolutePath(options_.home)));
  vm_ = std::make_unique<LuaVm>(shared_.arena, static_cast<unsigned>(entropy_->Draw("story/lua")),
                                VmContext{});
  lua_State* L = vm_->state();
  lua_pushboolean(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  luaL_openlibs(L);
  SandboxOptions sandbox{*storage_, *clock_, *entropy_};
  sandbox.entropy_prefix = "story";
  sandbox.fixed_utc = true;
  sandbox.write_out = [this](absl::string_view text) {
    if (options_.log) options_.log(events_.NowNs(), "story", absl::StripSuffix(text, "\n"));
  };
  InstallSandbox(L, std::move(sandbox));
  tasks_ = std::make_unique<StoryTasks>(L, events_);
  PreloadStoryModule(L, *this);
  lua_getglobal(L, "package");
  std::string path = absl::StrCat("./?.lua;./lualib/?.lua;", kHomeMount, "/lualib/?.lua");
  lua_pushlstring(L, path.data(), path.size());
  lua_setfield(L, -2, "path");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_getfield(L, -1, "searchers");  // a story loads no C modules: preload and Lua files are left
  for (lua_Integer i = luaL_len(L, -1); i > 2; --i) {
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 2);
}

// How Lua knows the scenario's file, in the story as in services: not as the user spelled its path,
// because the length of a chunk's name would move what is allocated after it.
std::string Director::ScenarioFile() const {
  return absl::StrCat(kScenarioFolder, BaseName(options_.scenario_path));
}

// `text` for the user: with the scenario's path as he spelled it.
std::string Director::Spelled(absl::string_view text) const {
  return absl::StrReplaceAll(text, {{ScenarioFile(), options_.scenario_path}});
}

absl::Status Director::LoadError(int status) {
  lua_State* L = vm_->state();
  if (status == LUA_OK) return absl::OkStatus();
  return absl::InvalidArgumentError(lua_tostring(L, -1));
}

absl::Status Director::Load() {
  auto text = shared_.files.Read(AbsolutePath(options_.scenario_path));
  if (!text.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options_.scenario_path, ": ", text.status().message()));
  }
  scenario_text_ = **text;
  OpenVm();
  lua_State* L = vm_->state();
  SetFallbackPlace(L, ScenarioFile());
  lua_pushcfunction(L, &DescribeError);
  std::string chunk = absl::StrCat("@", ScenarioFile());
  int status =
      luaL_loadbufferx(L, scenario_text_.data(), scenario_text_.size(), chunk.c_str(), "t");
  if (status == LUA_OK) status = lua_pcall(L, 0, 0, 1);
  if (absl::Status loaded = LoadError(status); !loaded.ok()) return loaded;

  lua_getglobal(L, "require");
  lua_pushliteral(L, "sim.world");
  if (absl::Status loaded = LoadError(lua_pcall(L, 1, 1, 1)); !loaded.ok()) return loaded;
  lua_getfield(L, -1, "run");
  main_task_ = tasks_->Spawn(L, 0);
  lua_settop(L, 0);
  return absl::OkStatus();
}

// -- The run -------------------------------------------------------------------------------------

absl::StatusOr<RunResult> Director::Run() {
  absl::StatusOr<RunResult> result = LoadAndPlay();
  if (result.ok()) return result;
  return absl::Status(result.status().code(), Spelled(result.status().message()));
}

absl::StatusOr<ScenarioFacts> Director::ReadFacts() {
  if (absl::Status status = Load(); !status.ok()) {
    return absl::Status(status.code(), Spelled(status.message()));
  }
  if (facts_.has_value()) return *facts_;
  return absl::InvalidArgumentError(
      absl::StrCat(options_.scenario_path, ": no scenario is declared here"));
}

absl::StatusOr<RunResult> Director::LoadAndPlay() {
  if (absl::Status status = Load(); !status.ok() && !(tasks_ != nullptr && tasks_->is_endless())) {
    return status;
  }
  absl::StatusOr<End> end = Play();
  if (!end.ok()) return end.status();
  if (absl::Status status = JudgeOpenLiveness(); !status.ok()) return status;
  bool is_whole = end->verdict == Verdict::kPassed && !options_.only_configures;
  if (absl::Status status = CheckSettings(); is_whole && !status.ok()) return status;
  return MakeResult(*std::move(end));
}

absl::StatusOr<Director::End> Director::Play() {
  for (;;) {
    TellProbes();  // before the end: what a service reported before its last answer counts
    tasks_->RunReady();
    if (tasks_->is_endless()) {
      return End{Verdict::kLimit, absl::StrCat("endless loop in the story, at ",
                                               tasks_->endless_place())};
    }
    if (!mistake_.ok()) return mistake_;
    if (tasks_->IsOver(main_task_)) return EndStory();
    if (TellProbes() || tasks_->CheckConditions()) continue;
    if (recorder_.divergence().has_value()) return End{Verdict::kDiverged, ""};
    Stage::Progress progress = stage_->Step();
    if (progress != Stage::Progress::kEvent) return EndByLimit(progress);
  }
}

absl::StatusOr<Director::End> Director::EndStory() {
  const StoryTask& main = tasks_->Get(main_task_);
  if (main.state == StoryTask::State::kFailed) return EndByError(main.failure);
  if (uint64_t lost = tasks_->FirstLostFailure()) return EndByError(tasks_->Get(lost).failure);
  return End{};
}

// A call that failed and that nobody caught is an outcome of the run, and may depend on the seed.
// Any other error is a mistake of the scenario.
absl::StatusOr<Director::End> Director::EndByError(const std::string& text) {
  if (call_failures_.count(text) > 0) return End{Verdict::kFailed, text};
  return absl::InvalidArgumentError(text);
}

absl::StatusOr<Director::End> Director::EndByLimit(Stage::Progress progress) {
  if (uint64_t lost = tasks_->FirstLostFailure()) return EndByError(tasks_->Get(lost).failure);
  if (progress == Stage::Progress::kIdle) {
    const StoryTask& main = tasks_->Get(main_task_);
    return End{Verdict::kLimit, absl::StrCat("nothing is left that could happen, and the story "
                                             "still waits: ", main.waits_for)};
  }
  if (progress == Stage::Progress::kEndlessLoop && !node_watch_.endless_place().empty()) {
    return End{Verdict::kLimit,
               absl::StrCat("endless loop on node ",
                            recorder_.node_names()[node_watch_.endless_node()], ", at ",
                            node_watch_.endless_place())};
  }
  absl::string_view option;
  if (progress == Stage::Progress::kTimeLimit) option = "; --max-time allows more";
  if (progress == Stage::Progress::kDispatchLimit) option = "; --max-dispatches allows more";
  return End{Verdict::kLimit, absl::StrCat(stage_->stop_reason(), option)};
}

void Director::AddProbeHandler(std::string name, int function_ref) {
  probe_handlers_.push_back({std::move(name), function_ref, probes_.size()});
}

// Begins a task for each new probe that somebody wants. True: there is one.
bool Director::TellProbes() {
  bool is_any_told = false;
  lua_State* L = vm_->state();
  for (; probes_told_ < probes_.size(); ++probes_told_) {
    for (size_t i = 0; i < probe_handlers_.size(); ++i) {
      const ProbeHandler& handler = probe_handlers_[i];
      if (probes_told_ < handler.from || handler.name != probes_[probes_told_].name) continue;
      lua_rawgeti(L, LUA_REGISTRYINDEX, handler.function_ref);
      lua_pushcfunction(L, &PushProbeProtected);
      lua_pushlightuserdata(L, &probes_[probes_told_]);
      CHECK_EQ(lua_pcall(L, 1, 1, 0), LUA_OK) << lua_tostring(L, -1);
      tasks_->Spawn(L, 1);
      is_any_told = true;
    }
  }
  return is_any_told;
}

absl::Status Director::JudgeOpenLiveness() {
  std::map<uint64_t, std::string> open = std::move(open_liveness_);
  open_liveness_.clear();
  for (const auto& [id, name] : open) {
    const StoryTask& task = tasks_->Get(id);
    bool is_true = task.condition_ref != LUA_NOREF && tasks_->IsConditionTrue(task.condition_ref);
    absl::Status status = Judge({PropertyKind::kEventually, ClaimKind::kLiveness, name, is_true,
                                 "not yet true when the run ended"});
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Director::CheckSettings() const {
  absl::MutexLock lock(&settings_mutex_);
  for (const auto& [key, value] : options_.settings) {
    if (settings_read_.count(key) > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        options_.scenario_path, ": no setting is called ", key, "; there are: ",
        settings_read_.empty() ? "none" : absl::StrJoin(settings_read_, ", ")));
  }
  return absl::OkStatus();
}

// -- What the language does ----------------------------------------------------------------------

absl::Status Director::OpenWorld(Declaration declaration) {
  declaration_ = std::move(declaration);
  for (const std::string& name : declaration_.reachable) {
    absl::Status status =
        properties_.Declare(PropertyKind::kReachable, ClaimKind::kGuarantee, name);
    if (!status.ok()) return status;
  }
  project_ = JoinPath(FolderOf(AbsolutePath(options_.scenario_path)), declaration_.project);
  if (!shared_.files.IsFolder(project_)) {
    return absl::InvalidArgumentError(
        absl::StrCat("project = \"", declaration_.project, "\": there is no such folder"));
  }
  scripts_ = std::make_unique<ScriptFinder>(declaration_.services);
  any_order_ = options_.any_order || declaration_.any_order;
  if (any_order_) DrawTableOrder(vm_->state(), *entropy_, "story");
  absl::StatusOr<std::unique_ptr<Stage>> stage = MakeStage();
  if (!stage.ok()) return stage.status();
  stage_ = *std::move(stage);
  return absl::OkStatus();
}

absl::Status Director::Configure(nlohmann::json& configuration, bool is_swarm) {
  if (options_.transport == RunTransport::kTcp) return absl::OkStatus();
  is_swarm = is_swarm || options_.is_swarm;
  bool is_given = !options_.configuration.empty();
  if (is_given) {
    absl::Status status = GiveConfiguration(options_.configuration, configuration);
    if (!status.ok()) return status;
  } else if (is_swarm) {
    DrawSwarm(*choices_, configuration);
  }
  if (options_.workers > 0) configuration["workers"] = options_.workers;
  configuration_ = FormatConfiguration(configuration);
  is_configured_ = is_given || is_swarm || !configuration["nemesis"].empty();
  if (is_configured_ && options_.configured) options_.configured(configuration_);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Stage>> Director::MakeStage() {
  auto open_modules = [this](lua_State* L) { PreloadServiceModule(L, *this); };
  if (options_.transport == RunTransport::kTcp) {
    LiveStage::Options live;
    live.home = AbsolutePath(options_.home);
    live.project = project_;
    live.workers = options_.workers;
    live.run_ns_max = options_.virtual_ns_max;
    live.any_order = any_order_;
    live.chunks = shared_.chunks;
    live.log = options_.log;
    live.open_modules = std::move(open_modules);
    return LiveStage::Make(events_, shared_.files, recorder_, std::move(live));
  }
  World::Options world;
  world.home = AbsolutePath(options_.home);
  world.project = project_;
  world.workers = options_.workers;
  world.virtual_ns_max = options_.virtual_ns_max;
  world.dispatches_max = options_.dispatches_max;
  world.dispatch_cpu_s_max = options_.dispatch_cpu_s_max;
  world.any_order = any_order_;
  world.legacy = MakeLegacy(options_.legacy);
  world.chunks = shared_.chunks;
  world.log = options_.log;
  world.open_modules = std::move(open_modules);
  return std::make_unique<World>(*choices_, events_, shared_.arena, shared_.files, recorder_,
                                 std::move(world));
}

// `config` has skysim's own folders, unlike that of `spec`.
absl::Status Director::CheckCanBoot(const NodeSpec& spec, const Config& config,
                                    const NodeScripts& scripts) const {
  std::string loader = config.Get("lualoader");
  if (absl::Status found = scripts.files->ReadAll(loader).status(); !found.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "node ", spec.name, ": cannot read the lualoader ", loader, ": ", found.message()));
  }
  std::string start = FirstWord(config.Get("start"));
  if (scripts_->Exists(start, scripts.patterns, *scripts.files)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "node ", spec.name, ": there is no service called ", start, " to start; it is neither among "
      "the scenario's services nor found as ", Config{spec.config}.Get("luaservice")));
}

absl::Status Director::PutNode(NodeDeclaration node, bool is_known) {
  NodeSpec& spec = node.spec;
  NodeScripts scripts;
  scripts.files = std::make_unique<TreeStorage>(
      shared_.files, NodeTree(project_, AbsolutePath(options_.home)));
  for (const auto& [path, text] : spec.files) scripts.files->Put(path, text);
  absl::Status status = CompleteConfig(node, *scripts.files, shared_.arena);
  if (!status.ok()) return status;
  Config config{spec.config};
  AddHomePaths(*scripts.files, kHomeMount, config);
  scripts.patterns = config.Get("luaservice");
  status = CheckCanBoot(spec, config, scripts);
  if (!status.ok()) return status;
  if (!declaration_.services.empty()) {
    spec.files[ScenarioFile()] = scenario_text_;
    spec.config["sim_scenario"] = ScenarioFile();
  }
  std::string name = spec.name;
  node_scripts_[name] = std::move(scripts);
  if (!is_known) absl::StrAppend(&node_texts_, DescribeSpec(spec));
  status = is_known ? stage_->ChangeNode(std::move(spec)) : stage_->AddNode(std::move(spec));
  if (!status.ok()) return status;
  node_watch_.Watch(NodeIndex(name), config.Get("bootstrap", "snlua bootstrap"));
  return absl::OkStatus();
}

uint32_t Director::NodeIndex(absl::string_view name) const {
  const std::vector<std::string>& names = recorder_.node_names();
  // From 1: a node may be called "world".
  auto found = std::find(names.begin() + 1, names.end(), name);
  return static_cast<uint32_t>(found - names.begin());
}

absl::Status Director::StartNode(const std::string& name) {
  node_watch_.Forget(NodeIndex(name));
  {
    absl::MutexLock lock(&starts_mutex_);
    ++starts_[name];
  }
  return stage_->StartNode(name);
}

uint64_t Director::StartsOf(const std::string& name) const {
  absl::MutexLock lock(&starts_mutex_);
  auto found = starts_.find(name);
  return found == starts_.end() ? 0 : found->second;
}

std::string Director::BootFailure(const std::string& name) {
  const std::string& failure = node_watch_.BootFailure(NodeIndex(name));
  if (failure.empty()) return "";
  std::string text = absl::StrCat("node ", name, ": ", failure);
  AddCallFailure(text);
  return text;
}

bool Director::IsBooted(const std::string& name) const {
  return node_watch_.IsBooted(NodeIndex(name));
}

std::vector<std::string> Director::NodeNames() const {
  const std::vector<std::string>& names = recorder_.node_names();
  return std::vector<std::string>(names.begin() + 1, names.end());  // 0 is the world
}

std::string Director::NoNode(absl::string_view name) const {
  const std::vector<std::string>& names = recorder_.node_names();
  return absl::StrCat("no node is called ", name, "; there are: ",
                      absl::StrJoin(names.begin() + 1, names.end(), ", "));
}

absl::Status Director::CheckRuns(const std::string& name) const {
  absl::StatusOr<bool> is_running = stage_->IsRunning(name);
  if (!is_running.ok()) return absl::InvalidArgumentError(NoNode(name));
  if (*is_running) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("node ", name, " is not running"));
}

absl::Status Director::Partition(const std::string& from, const std::string& to) {
  absl::Status status = stage_->simulated_network()->Partition(from, to);
  if (status.ok()) partitions_.insert({from, to});
  return status;
}

absl::Status Director::Heal(const std::string& from, const std::string& to) {
  partitions_.erase({from, to});
  return stage_->simulated_network()->Heal(from, to);
}

void Director::HealAll() {
  for (const auto& [from, to] : partitions_) {
    CHECK(stage_->simulated_network()->Heal(from, to).ok());
  }
  partitions_.clear();
}

void Director::Note(EventKind kind, absl::string_view text) {
  Event event{kind};
  event.text = text;
  recorder_.world().Record(event);
}

absl::Status Director::Declare(PropertyKind kind, ClaimKind claim, const std::string& name) {
  return properties_.Declare(kind, claim, name);
}

void Director::PostDeclaration(PropertyKind kind, ClaimKind claim, std::string name,
                               std::string place) {
  stage_->Post([this, kind, claim, name = std::move(name), place = std::move(place)] {
    NoteMistake(Declare(kind, claim, name), place);
  });
}

absl::Status Director::Judge(const Judgement& judgement) {
  return JudgeAt(recorder_.world(), 0, judgement);
}

void Director::PostJudgement(Observer& where, uint32_t service, Judgement judgement,
                             std::string place) {
  stage_->Post([this, &where, service, judgement = std::move(judgement),
                place = std::move(place)] {
    NoteMistake(JudgeAt(where, service, judgement), place);
  });
}

void Director::NoteMistake(const absl::Status& status, absl::string_view place) {
  if (status.ok() || !mistake_.ok()) return;
  mistake_ = absl::InvalidArgumentError(absl::StrCat(place, ": ", status.message()));
}

absl::Status Director::JudgeAt(Observer& where, uint32_t service, const Judgement& judgement) {
  Event event{EventKind::kProperty};
  event.service = service;
  std::string text = absl::StrCat(ToString(judgement.kind), " \"", judgement.name, "\" ",
                                  judgement.is_true ? "true" : "false");
  if (!judgement.is_true && !judgement.detail.empty()) {
    absl::StrAppend(&text, ": ", judgement.detail);
  }
  event.text = text;
  where.Record(event);
  return properties_.Judge(judgement.kind, judgement.claim, judgement.name, judgement.is_true,
                           judgement.detail, events_.NowNs());
}

void Director::PostSent(OrderMark mark, std::string place) {
  stage_->Post([this, mark = std::move(mark), place = std::move(place)]() mutable {
    if (!order_.Has(mark.flow)) return;
    mark.start = StartsOf(mark.node);
    NoteMistake(order_.Sent(mark), place);
  });
}

void Director::PostHandled(Observer& where, OrderMark mark, std::string place) {
  stage_->Post([this, &where, mark = std::move(mark), place = std::move(place)]() mutable {
    if (!order_.Has(mark.flow)) return;
    mark.start = StartsOf(mark.node);
    auto judgements = order_.Handled(mark);
    NoteMistake(judgements.status(), place);
    if (!judgements.ok()) return;
    for (OrderContracts::Judgement& judgement : *judgements) {
      NoteMistake(JudgeAt(where, mark.service,
                          {PropertyKind::kAlways, judgement.rule->claim, judgement.rule->name,
                           judgement.is_kept, std::move(judgement.detail)}),
                  place);
    }
  });
}

void Director::PostProbe(Probe probe) {
  stage_->Post([this, probe = std::move(probe)]() mutable {
    probe.time_ns = events_.NowNs();
    probes_.push_back(std::move(probe));
  });
}

const std::string* Director::FindSetting(const std::string& key) {
  {
    absl::MutexLock lock(&settings_mutex_);
    settings_read_.insert(key);
  }
  const std::string* value = nullptr;
  for (const auto& [name, text] : options_.settings) {
    if (name == key) value = &text;  // the last one counts
  }
  return value;
}

absl::StatusOr<bool> Director::HasLegacy(const std::string& name) const {
  if (absl::Status known = CheckLegacy("legacy", {name}); !known.ok()) return known;
  return std::find(options_.legacy.begin(), options_.legacy.end(), name) != options_.legacy.end();
}

// -- The result ----------------------------------------------------------------------------------

RunResult Director::MakeResult(End end) {
  recorder_.Finish();
  RunResult result;
  result.verdict = end.verdict;
  result.reason = Spelled(end.reason);
  if (recorder_.divergence().has_value()) {
    result.divergence = recorder_.divergence();
    result.verdict = Verdict::kDiverged;
    result.reason = "the run is not as it was recorded";
  } else if (const PropertyResult* failure = properties_.FirstFailure()) {
    result.verdict = Verdict::kFailed;
    result.reason = Spelled(PropertyStore::Describe(*failure));
  }
  result.scenario = declaration_.claim;
  result.properties = properties_.results();
  for (PropertyResult& property : result.properties) property.detail = Spelled(property.detail);
  result.digest = recorder_.digest();
  result.events = recorder_.count();
  result.virtual_ns = events_.NowNs();
  result.dispatches = stage_ == nullptr ? 0 : stage_->dispatches();
  result.configuration = configuration_;
  result.is_configured = is_configured_;
  result.waiting = WaitingTasks();
  for (WaitingTask& task : result.waiting) {
    task.waits_for = Spelled(task.waits_for);
    task.stack = Spelled(task.stack);
  }
  if (options_.keeps_events) {
    result.trace = MakeTrace(result.verdict == Verdict::kPassed ? "passed" : result.reason);
  }
  return result;
}

// What waits in skysim's own services is their business: readers of sockets, senders without work.
// A call that is stuck in one of them shows as the user's task that made it.
bool Director::IsOfUsersService(const WaitingTask& task) {
  NodeScripts& scripts = node_scripts_[task.node];
  std::string name = FirstWord(task.script);
  auto [known, is_new] = scripts.is_users.try_emplace(name, false);
  if (is_new) known->second = scripts_->IsUsers(name, scripts.patterns, *scripts.files);
  return known->second;
}

std::vector<WaitingTask> Director::WaitingTasks() {
  std::vector<WaitingTask> waiting;
  for (const StoryTask* task : tasks_->Waiting()) {
    waiting.push_back(StoryWait(*task));
    waiting.back().waits_for = task->waits_for;
    waiting.back().stack = tasks_->StackOf(*task);
  }
  if (stage_ == nullptr) return waiting;
  for (WaitingTask& task : stage_->WaitingTasks()) {
    if (IsOfUsersService(task)) waiting.push_back(std::move(task));
  }
  return waiting;
}

std::vector<WaitingTask> Director::BriefTasks() {
  std::vector<WaitingTask> waiting;
  for (const StoryTask* task : tasks_->Waiting()) waiting.push_back(StoryWait(*task));
  for (WaitingTask& task : stage_->BriefTasks()) {
    if (IsOfUsersService(task)) waiting.push_back(std::move(task));
  }
  return waiting;
}

WaitingTask Director::StoryWait(const StoryTask& task) const {
  WaitingTask waiting;
  waiting.node = "story";
  waiting.script = BaseName(options_.scenario_path);
  waiting.since_ns = task.since_ns;
  waiting.session = static_cast<int32_t>(task.id);
  waiting.is_call = task.state == StoryTask::State::kReply;
  return waiting;
}

Trace Director::MakeTrace(absl::string_view verdict) const {
  Trace trace;
  trace.scenario_path = options_.scenario_path;
  trace.scenario_text = scenario_text_;
  trace.seed = options_.seed;
  trace.legacy = options_.legacy;
  trace.settings = options_.settings;
  trace.any_order = options_.any_order;
  trace.workers = options_.workers;
  trace.virtual_ns_max = options_.virtual_ns_max;
  trace.dispatches_max = options_.dispatches_max;
  trace.configuration = JoinConfiguration(configuration_, node_texts_);
  trace.choices = seeded_ != nullptr ? seeded_->Recorded() : options_.replay->choices;
  trace.nodes = recorder_.node_names();
  trace.events = recorder_.events();
  trace.digest = recorder_.digest();
  trace.verdict = std::string(verdict);
  return trace;
}

}  // namespace skysim
