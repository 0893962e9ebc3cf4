#ifndef SIMNET_SCENARIO_STORY_TASKS_H_
#define SIMNET_SCENARIO_STORY_TASKS_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "simnet/time/event_queue.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// One coroutine of a story and what it waits for.
struct StoryTask {
  enum class State { kReady, kSleep, kReply, kCondition, kJoin, kDone, kFailed };

  uint64_t id = 0;
  lua_State* co = nullptr;  // anchored in the registry by co_ref
  int co_ref = LUA_NOREF;
  State state = State::kReady;
  bool is_suspended = false;  // its yield is ours
  int arguments = 0;        // on co's stack, for the next resume

  std::string waits_for;    // in words, while it waits
  int64_t since_ns = 0;
  uint64_t ticket = 0;      // of its timer; 0: none
  int condition_ref = LUA_NOREF;
  bool is_condition_true = false;  // what a finished kCondition found
  std::string reply;        // packed: the continuation unpacks it
  // Of a reply or condition: raised by the task when it goes on. Of a failed task: its error.
  std::string failure;
  uint64_t joins = 0;       // kJoin: the task that it waits for
  bool was_joined = false;  // somebody takes its outcome
};

// StoryTasks runs the tasks of a story: begins and resumes them in order, and lets them wait for
// virtual time, for replies, for conditions and for each other. Which world they act on it does not
// know. Raises wrong use through `Raise`, with the line of the story. One thread; the Lua state
// outlives it.
class StoryTasks final : private Happening {
 public:
  // A task that runs this many Lua instructions without waiting is an endless loop. The story's own
  // code does little; this is a second or so.
  static constexpr int64_t kInstructionsMax = 100'000'000;

  StoryTasks(lua_State* L, EventQueue& events);
  ~StoryTasks() override;
  StoryTasks(const StoryTasks&) = delete;
  StoryTasks& operator=(const StoryTasks&) = delete;

  // The tasks of a state whose StoryTasks lives.
  static StoryTasks& Of(lua_State* L);

  // Pops a function and `count` arguments from `from` and makes a task that runs with the next
  // RunReady(). Returns its id, 1 for the first.
  uint64_t Spawn(lua_State* from, int count);

  // Runs what is ready until nothing is. What they wait for then may only come from outside.
  void RunReady();

  // Asks the conditions of waiting tasks. True: some task is ready again.
  bool CheckConditions();

  // -- For C functions of the running task: each is the end of the function (`return Sleep(...)`) -

  // Raises if the caller is not a task: conditions and the scenario's main chunk cannot wait.
  void CheckMayWait(lua_State* L, const char* verb);

  int Sleep(lua_State* L, int64_t duration_ns);
  // Call before the request is made, since its reply may come at once; then, if it was made,
  // WaitForReply(): the values of the reply are what the C function returns.
  void ExpectReply(std::string waits_for);
  int WaitForReply(lua_State* L);
  // The condition is the function at stack index `condition`. `timeout_ns` < 0: for ever. Then
  // WaitForCondition(): in the end `then` is called as the rest of the C function, with true or
  // false on top of the stack: whether the condition became true.
  void ExpectCondition(lua_State* L, int condition, int64_t timeout_ns, std::string waits_for);
  int WaitForCondition(lua_State* L, lua_CFunction then);
  int Join(lua_State* L, uint64_t id);

  // The id of the running task.
  uint64_t current() const { return current_; }

  // The packed reply of a task that waits for one, or the error that it gets instead. Ignored if it
  // does not wait.
  void Answer(uint64_t id, std::string packed);
  void FailReply(uint64_t id, std::string message);

  // -- Seen from outside -----------------------------------------------------------------------

  const StoryTask& Get(uint64_t id) const { return tasks_.at(id); }
  bool IsOver(uint64_t id) const;
  // The first task that failed and that nobody has joined; 0: none.
  uint64_t FirstLostFailure() const;
  // Those that wait, in order of their making.
  std::vector<const StoryTask*> Waiting() const;
  std::string StackOf(const StoryTask& task) const;
  // Asks a condition once, now. An error counts as false.
  bool IsConditionTrue(int condition_ref);

  // A task ran too long without waiting; where, "scenarios/x.lua:12".
  bool is_endless() const { return is_endless_; }
  const std::string& endless_place() const { return endless_place_; }

 private:
  void Happen(uint64_t id) override;  // a timer
  static void Hook(lua_State* L, lua_Debug* debug);
  static int ContinueReply(lua_State* L, int status, lua_KContext base);
  static int ContinueCondition(lua_State* L, int status, lua_KContext context);
  static int ContinueJoin(lua_State* L, int status, lua_KContext context);
  static int FinishJoin(lua_State* L, const StoryTask& joined);

  StoryTask& Current() { return tasks_.at(current_); }
  StoryTask& Suspend(StoryTask::State state, std::string waits_for);
  void Resume(StoryTask& task);
  void Wake(StoryTask& task);
  void Finish(StoryTask& task, StoryTask::State state);
  // An error is what the condition raised.
  absl::StatusOr<bool> AskCondition(int condition_ref);

  lua_State* const L_;
  lua_State* asker_;  // a coroutine for conditions
  int asker_ref_;
  EventQueue& events_;
  std::map<uint64_t, StoryTask> tasks_;  // by id, all that ever were: a story has few
  std::deque<uint64_t> ready_;
  uint64_t next_id_ = 1;
  uint64_t current_ = 0;
  int64_t instructions_ = 0;  // since the last resume
  bool is_endless_ = false;
  std::string endless_place_;
};

// The place in user code that is running in `L`, "scenarios/x.lua:12": the innermost Lua function
// outside of the scenario language itself; where there is none, what SetFallbackPlace() noted.
std::string PlaceOf(lua_State* L);
// Returns the one before.
std::string SetFallbackPlace(lua_State* L, absl::string_view place);

// A message handler for lua_pcall: the error as a text. One that is no text is described, with its
// place.
int DescribeError(lua_State* L);

// Raises `message` with the place of user code before it.
[[noreturn]] void Raise(lua_State* L, absl::string_view message);

}  // namespace skysim

#endif  // SIMNET_SCENARIO_STORY_TASKS_H_
