#include "simnet/scenario/story_tasks.h"

#include <cstring>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "engine/lua/seri_lua.h"

namespace skysim {
namespace {

constexpr char kRegistryKey[] = "skysim.story_tasks";
constexpr char kPlaceKey[] = "skysim.place";
constexpr int kHookInterval = 1'000'000;  // instructions; a look costs nothing beside that many

bool IsLanguageItself(const char* source) {
  return std::strstr(source, "lualib/sim.lua") != nullptr ||
         std::strstr(source, "lualib/sim/") != nullptr;
}

std::string PlaceFrom(lua_State* L, int level) {
  lua_Debug debug;
  for (; lua_getstack(L, level, &debug) != 0; ++level) {
    lua_getinfo(L, "Sl", &debug);
    if (debug.currentline <= 0 || IsLanguageItself(debug.source)) continue;
    const char* source = debug.source[0] == '@' ? debug.source + 1 : debug.short_src;
    return absl::StrCat(source, ":", debug.currentline);
  }
  return "";
}

// The error on top as a text; one that is none is described, with its place.
std::string ErrorText(lua_State* L) {
  size_t size = 0;
  const char* text = lua_tolstring(L, -1, &size);
  if (text != nullptr) return std::string(text, size);
  std::string place = PlaceOf(L);
  return absl::StrCat(place, place.empty() ? "" : ": ",
                      "an error was raised that is no text but a ", luaL_typename(L, -1));
}

}  // namespace

std::string PlaceOf(lua_State* L) {
  std::string place = PlaceFrom(L, 0);
  if (!place.empty()) return place;
  if (lua_getfield(L, LUA_REGISTRYINDEX, kPlaceKey) == LUA_TSTRING) place = lua_tostring(L, -1);
  lua_pop(L, 1);
  return place;
}

std::string SetFallbackPlace(lua_State* L, absl::string_view place) {
  std::string before;
  if (lua_getfield(L, LUA_REGISTRYINDEX, kPlaceKey) == LUA_TSTRING) before = lua_tostring(L, -1);
  lua_pop(L, 1);
  lua_pushlstring(L, place.data(), place.size());
  lua_setfield(L, LUA_REGISTRYINDEX, kPlaceKey);
  return before;
}

void Raise(lua_State* L, absl::string_view message) {
  std::string place = PlaceOf(L);
  std::string text = place.empty() ? std::string(message) : absl::StrCat(place, ": ", message);
  lua_pushlstring(L, text.data(), text.size());
  lua_error(L);
  CHECK(false) << "lua_error does not return";
  std::abort();
}

int DescribeError(lua_State* L) {
  std::string text = ErrorText(L);
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

StoryTasks::StoryTasks(lua_State* L, EventQueue& events) : L_(L), events_(events) {
  lua_pushlightuserdata(L, this);
  lua_setfield(L, LUA_REGISTRYINDEX, kRegistryKey);
  lua_sethook(L, &StoryTasks::Hook, LUA_MASKCOUNT, kHookInterval);  // coroutines inherit it
  asker_ = lua_newthread(L);
  asker_ref_ = luaL_ref(L, LUA_REGISTRYINDEX);
}

StoryTasks::~StoryTasks() {
  for (auto& [id, task] : tasks_) events_.Cancel(task.ticket);
  lua_sethook(L_, nullptr, 0, 0);
}

StoryTasks& StoryTasks::Of(lua_State* L) {
  lua_getfield(L, LUA_REGISTRYINDEX, kRegistryKey);
  auto* tasks = static_cast<StoryTasks*>(lua_touserdata(L, -1));
  CHECK(tasks != nullptr);
  lua_pop(L, 1);
  return *tasks;
}

// A pcall of the story may swallow the error; so from the first one on each instruction raises,
// until nobody is left to catch it.
void StoryTasks::Hook(lua_State* L, lua_Debug*) {
  StoryTasks& tasks = Of(L);
  tasks.instructions_ += kHookInterval;
  if (!tasks.is_endless_ && tasks.instructions_ < kInstructionsMax) return;
  if (!tasks.is_endless_) tasks.endless_place_ = PlaceFrom(L, 0);
  tasks.is_endless_ = true;
  lua_sethook(L, &StoryTasks::Hook, LUA_MASKCOUNT, 1);
  luaL_error(L, "endless loop");
}

uint64_t StoryTasks::Spawn(lua_State* from, int count) {
  uint64_t id = next_id_++;
  StoryTask& task = tasks_[id];
  task.id = id;
  task.co = lua_newthread(from);
  task.co_ref = luaL_ref(from, LUA_REGISTRYINDEX);
  task.arguments = count;
  task.since_ns = events_.NowNs();
  luaL_checkstack(task.co, count + 1, "too many arguments");
  lua_xmove(from, task.co, count + 1);
  ready_.push_back(id);
  return id;
}

void StoryTasks::RunReady() {
  while (!ready_.empty() && !is_endless_) {
    StoryTask& task = tasks_.at(ready_.front());
    ready_.pop_front();
    Resume(task);
  }
}

void StoryTasks::Resume(StoryTask& task) {
  current_ = task.id;
  instructions_ = 0;
  int results = 0;
  int status = lua_resume(task.co, L_, std::exchange(task.arguments, 0), &results);
  current_ = 0;
  if (status == LUA_OK) return Finish(task, StoryTask::State::kDone);
  if (status == LUA_YIELD) {
    if (std::exchange(task.is_suspended, false)) return;
    task.failure = "a task of a story cannot yield by itself: nothing would resume it";
    return Finish(task, StoryTask::State::kFailed);
  }
  task.failure = ErrorText(task.co);
  Finish(task, StoryTask::State::kFailed);
}

void StoryTasks::Finish(StoryTask& task, StoryTask::State state) {
  task.state = state;
  for (auto& [id, other] : tasks_) {
    if (other.state == StoryTask::State::kJoin && other.joins == task.id) Wake(other);
  }
}

void StoryTasks::Wake(StoryTask& task) {
  events_.Cancel(std::exchange(task.ticket, 0));
  task.state = StoryTask::State::kReady;
  ready_.push_back(task.id);
}

absl::StatusOr<bool> StoryTasks::AskCondition(int condition_ref) {
  instructions_ = 0;
  uint64_t outer = std::exchange(current_, 0);  // a condition is no task: it cannot wait
  lua_pushcfunction(asker_, &DescribeError);
  lua_rawgeti(asker_, LUA_REGISTRYINDEX, condition_ref);
  int status = lua_pcall(asker_, 0, 1, 1);
  current_ = outer;
  absl::StatusOr<bool> answer = lua_toboolean(asker_, -1) != 0;
  if (status != LUA_OK) answer = absl::UnknownError(ErrorText(asker_));
  lua_settop(asker_, 0);
  return answer;
}

bool StoryTasks::CheckConditions() {
  bool is_any_ready = false;
  for (auto& [id, task] : tasks_) {
    if (task.state != StoryTask::State::kCondition || is_endless_) continue;
    absl::StatusOr<bool> answer = AskCondition(task.condition_ref);
    if (answer.ok() && !*answer) continue;
    if (!answer.ok()) task.failure = std::string(answer.status().message());
    task.is_condition_true = answer.ok();
    Wake(task);
    is_any_ready = true;
  }
  return is_any_ready;
}

bool StoryTasks::IsConditionTrue(int condition_ref) {
  return AskCondition(condition_ref).value_or(false);
}

void StoryTasks::Happen(uint64_t id) {
  StoryTask& task = tasks_.at(id);
  task.ticket = 0;
  task.is_condition_true = false;
  Wake(task);
}

// -- Waiting -------------------------------------------------------------------------------------

void StoryTasks::CheckMayWait(lua_State* L, const char* verb) {
  if (current_ == 0) {
    Raise(L, absl::StrCat(verb, " waits, which only the story and its tasks can do"));
  }
  if (Current().co != L) {
    Raise(L, absl::StrCat(verb, " cannot wait inside a coroutine; world:spawn makes a task"));
  }
}

StoryTask& StoryTasks::Suspend(StoryTask::State state, std::string waits_for) {
  StoryTask& task = Current();
  task.state = state;
  task.waits_for = std::move(waits_for);
  task.since_ns = events_.NowNs();
  return task;
}

int StoryTasks::Sleep(lua_State* L, int64_t duration_ns) {
  CheckMayWait(L, "world:sleep");
  StoryTask& task = Suspend(StoryTask::State::kSleep, "sleep");
  task.ticket = events_.Schedule(task.since_ns + duration_ns, this, task.id);
  task.is_suspended = true;
  return lua_yield(L, 0);
}

void StoryTasks::ExpectReply(std::string waits_for) {
  Suspend(StoryTask::State::kReply, std::move(waits_for));
}

int StoryTasks::WaitForReply(lua_State* L) {
  Current().is_suspended = true;
  return lua_yieldk(L, 0, 0, &StoryTasks::ContinueReply);
}

int StoryTasks::ContinueReply(lua_State* L, int, lua_KContext) {
  StoryTask& task = Of(L).Current();
  if (!task.failure.empty()) {
    std::string failure = std::exchange(task.failure, "");
    lua_pushlstring(L, failure.data(), failure.size());
    return lua_error(L);
  }
  std::string reply = std::exchange(task.reply, "");
  return UnpackValues(L, reply.data(), reply.size());
}

void StoryTasks::Answer(uint64_t id, std::string packed) {
  StoryTask& task = tasks_.at(id);
  if (task.state != StoryTask::State::kReply) return;
  task.reply = std::move(packed);
  Wake(task);
}

void StoryTasks::FailReply(uint64_t id, std::string message) {
  StoryTask& task = tasks_.at(id);
  if (task.state != StoryTask::State::kReply) return;
  task.failure = std::move(message);
  Wake(task);
}

void StoryTasks::ExpectCondition(lua_State* L, int condition, int64_t timeout_ns,
                                 std::string waits_for) {
  lua_pushvalue(L, condition);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  StoryTask& task = Suspend(StoryTask::State::kCondition, std::move(waits_for));
  task.condition_ref = ref;
  absl::StatusOr<bool> answer = AskCondition(ref);
  if (!answer.ok() || *answer) {  // no need to wait
    task.state = StoryTask::State::kReady;
    task.is_condition_true = answer.ok();
    if (!answer.ok()) task.failure = std::string(answer.status().message());
    return;
  }
  if (timeout_ns >= 0) task.ticket = events_.Schedule(task.since_ns + timeout_ns, this, task.id);
}

int StoryTasks::WaitForCondition(lua_State* L, lua_CFunction then) {
  auto context = reinterpret_cast<lua_KContext>(then);
  if (Current().state == StoryTask::State::kReady) return ContinueCondition(L, LUA_OK, context);
  Current().is_suspended = true;
  return lua_yieldk(L, 0, context, &StoryTasks::ContinueCondition);
}

int StoryTasks::ContinueCondition(lua_State* L, int, lua_KContext context) {
  StoryTask& task = Of(L).Current();
  luaL_unref(L, LUA_REGISTRYINDEX, std::exchange(task.condition_ref, LUA_NOREF));
  if (!task.failure.empty()) {
    std::string failure = std::exchange(task.failure, "");
    lua_pushlstring(L, failure.data(), failure.size());
    return lua_error(L);
  }
  lua_pushboolean(L, task.is_condition_true ? 1 : 0);
  return reinterpret_cast<lua_CFunction>(context)(L);
}

int StoryTasks::Join(lua_State* L, uint64_t id) {
  CheckMayWait(L, "task:join");
  StoryTask& joined = tasks_.at(id);
  if (id == current_) Raise(L, "a task cannot wait for its own end");
  joined.was_joined = true;
  if (IsOver(id)) return FinishJoin(L, joined);
  StoryTask& task = Suspend(StoryTask::State::kJoin, absl::StrCat("end of task ", id));
  task.joins = id;
  task.is_suspended = true;
  return lua_yieldk(L, 0, static_cast<lua_KContext>(id), &StoryTasks::ContinueJoin);
}

int StoryTasks::ContinueJoin(lua_State* L, int, lua_KContext context) {
  return FinishJoin(L, Of(L).Get(static_cast<uint64_t>(context)));
}

int StoryTasks::FinishJoin(lua_State* L, const StoryTask& joined) {
  if (joined.state == StoryTask::State::kFailed) {
    lua_pushlstring(L, joined.failure.data(), joined.failure.size());
    return lua_error(L);
  }
  int count = lua_gettop(joined.co);
  luaL_checkstack(L, count, "too many results");
  luaL_checkstack(joined.co, 1, "too many results");
  for (int i = 1; i <= count; ++i) {
    lua_pushvalue(joined.co, i);
    lua_xmove(joined.co, L, 1);
  }
  return count;
}

// -- Seen from outside ---------------------------------------------------------------------------

bool StoryTasks::IsOver(uint64_t id) const {
  StoryTask::State state = Get(id).state;
  return state == StoryTask::State::kDone || state == StoryTask::State::kFailed;
}

uint64_t StoryTasks::FirstLostFailure() const {
  for (const auto& [id, task] : tasks_) {
    if (task.state == StoryTask::State::kFailed && !task.was_joined) return id;
  }
  return 0;
}

std::vector<const StoryTask*> StoryTasks::Waiting() const {
  std::vector<const StoryTask*> waiting;
  for (const auto& [id, task] : tasks_) {
    if (!IsOver(id)) waiting.push_back(&task);
  }
  return waiting;
}

std::string StoryTasks::StackOf(const StoryTask& task) const {
  luaL_traceback(L_, task.co, nullptr, 0);
  std::string stack = lua_tostring(L_, -1);
  lua_pop(L_, 1);
  return stack;
}

}  // namespace skysim
