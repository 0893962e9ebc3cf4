#ifndef ENGINE_LUA_TASK_SCHEDULER_H_
#define ENGINE_LUA_TASK_SCHEDULER_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "engine/core/fifo.h"
#include "engine/core/message.h"
#include "engine/core/service_context.h"
#include "engine/lua/protocols.h"
#include "engine/lua/running_lua.h"
#include "tools/third_party/lua/lua_api.h"

namespace skysim {

// One coroutine of a service and what it waits for. Reused when its coroutine ended well.
struct Task {
  enum class Wait : uint8_t {
    kIdle,      // in the pool
    kRunning,   // runs, or is resuming somebody
    kFork,      // forked, not begun
    kTimeout,   // begins when a timer fires
    kReply,     // called; waits for session
    kSleep,     // skynet.sleep: a timer or a wakeup
    kToken,     // skynet.wait: a wakeup
    kWoken,     // in the wake list
    kFailed,    // in the list of failed calls
  };

  uint32_t index = 0;          // into the scheduler's tasks
  uint32_t use = 0;            // counts the uses, so that old notes about the task are seen as old
  lua_State* co = nullptr;     // null: a timeout that has not begun and whose coroutine nobody saw
  int co_ref = LUA_NOREF;
  int function_ref = LUA_NOREF;  // while `co` is null: what it will run

  // The request it serves. `owes_reply` until ret, response, or ignoreret.
  Handle requester = 0;
  int32_t request_session = 0;
  bool has_request = false;
  bool owes_reply = false;
  const Protocol* protocol = nullptr;
  std::string trace_tag;       // empty: not traced
  bool trace_is_off = false;

  Wait wait = Wait::kIdle;
  int32_t wait_session = 0;
  Handle callee = 0;           // kReply
  std::string callee_name;     // kReply by name
  bool has_token = false;      // the token is in the registry table `tokens_of`
  bool was_woken = false;      // a sleep that ended by wakeup
  int64_t since_ns = 0;
  int64_t until_ns = 0;        // kSleep, kTimeout
  int64_t profile_began_ns = -1;   // skynet.profile: CPU time at the last resume, -1 = off
  int64_t profile_total_ns = 0;
};

// What one task waits for, in words.
struct TaskReport {
  std::string waits_for;
  int64_t since_ns = 0;
  std::string stack;
  int32_t session = 0;
  bool is_request = false;  // it owes somebody a reply
};

// TaskScheduler runs the tasks of one Lua service: it begins one for each request, fork and
// timeout, suspends them in calls and sleeps, and resumes them in the order that skynet promises
// (runtime_api.md 4.2): after a task suspends, woken tasks in the order of wakeup, then failed
// calls; after the message's own task, forks in order; then the next message. The C functions of
// `skynet` (engine/lua/skynet_module.h) act on it. One thread at a time: the worker that runs the
// service.
class TaskScheduler final {
 public:
  struct Options {
    // Told which Lua thread runs, so that a watchdog can stop it. Borrowed; null: the service has
    // its own.
    RunningLua* running = nullptr;
  };

  // `L` is the main thread of the service's VM; all outlive the scheduler. options.running is set.
  TaskScheduler(ServiceContext& context, lua_State* L, Options options);
  ~TaskScheduler();
  TaskScheduler(const TaskScheduler&) = delete;
  TaskScheduler& operator=(const TaskScheduler&) = delete;

  // Handles one message and everything that follows from it within this dispatch. `keeps_payload`:
  // the handler frees the bytes (skynet.forward_type). Logs the errors of the tasks that ran.
  void Dispatch(Message message, bool keeps_payload);

  // Begins what the script's main chunk forked; `booted_by` is the message that ran it.
  void BeginForks(Message& booted_by);

  ServiceContext& context() { return context_; }
  Protocols& protocols() { return protocols_; }

  // The running task; null outside of tasks (the script's main chunk).
  Task* current() { return current_; }

  // Says which Lua thread runs now, and gives back which ran before (Options::running).
  lua_State* SetRunning(lua_State* L) {
    return options_.running->Set(L);
  }

  // -- Called by C functions of the running task `L` ----------------------------------------------

  // Raises unless `L` may block: it is the running task, or a skynet.coroutine within it.
  void CheckMayBlock(lua_State* L);

  // A session that nobody waits for: they come again after 2^31-1.
  int32_t NewSession();

  // Registers what the running task waits for; the caller then yields.
  void WaitForReply(int32_t session, Handle callee, absl::string_view callee_name);
  // The token is on top of L's stack and is popped. Raises "token duplicative".
  void WaitForToken(lua_State* L, int32_t session, Task::Wait kind, int64_t until_ns);

  // In the continuation of a reply: the message, or null if the call failed.
  const Message* reply() const { return reply_; }

  // Token on top of the stack, popped. False: nobody waits on it.
  bool Wakeup(lua_State* L);

  // Function and `count` arguments on top of L's stack, popped: a task that runs them at the end of
  // this dispatch, or when the timer of `session` fires. Pushes its coroutine.
  void Fork(lua_State* L, int count);
  // A timeout gets its coroutine when it begins, unless the caller wants it (`pushes_coroutine`):
  // a hundred thousand that wait are as many functions, not as many stacks.
  void Timeout(lua_State* L, int32_t session, int64_t until_ns, bool pushes_coroutine);

  // Answers the running task's request. False: nobody waits, or it is gone.
  bool Reply(MessageType type, Payload payload);

  // Moves the running task's debt to a closure. Returns its id.
  uint64_t DeferReply(Task& task);
  bool IsReplyOpen(uint64_t id) const { return deferred_.count(id) > 0; }
  // Takes the debt over. False: the requester is gone.
  bool TakeDeferred(uint64_t id) { return deferred_.erase(id) > 0; }

  // skynet.exit up to the last step; the caller yields then and never comes back.
  void Exit(lua_State* L);

  // skynet.exit ran in this dispatch: whoever sees a yield must pass it on.
  bool is_exiting() const { return is_exiting_; }

  // Set once skynet.profile measured a coroutine that is no task (coroutine_meter.h).
  bool meters_coroutines() const { return meters_coroutines_; }
  void MeterCoroutines() { meters_coroutines_ = true; }

  // Closes a waiting task. Its request fails. False: it does not wait.
  bool Kill(Task& task);
  // The task of a coroutine; null: none that lives.
  Task* FindTask(lua_State* co);
  Task* FindSession(int32_t session);
  // Those that wait, in order of session.
  std::vector<Task*> WaitingTasks();
  TaskReport Report(Task& task);
  // Pushes the coroutine of a task that lives, on the stack of `L`, a thread of this VM.
  void PushCoroutine(lua_State* L, Task& task);

  // Every call to this very address fails (skynet.term).
  void FailCallsTo(Handle handle, absl::string_view name);

  // Discards the reply or timer of a session when it comes.
  void Discard(int32_t session) { discarded_.insert(session); }

  // Lua functions for messages that nobody understands; LUA_NOREF: the default.
  int unknown_request_ref = LUA_NOREF;
  int unknown_response_ref = LUA_NOREF;

  // Next trace tag of this service ":0000000a-7".
  std::string NewTraceTag();
  void TraceLog(const std::string& tag, absl::string_view text, lua_State* stack_of);

 private:
  void RunProtected(lua_CFunction body, Message& message);
  static int DispatchProtected(lua_State* L);
  static int TailsProtected(lua_State* L);
  static int RequestEntry(lua_State* L);

  void HandleMessage();
  void HandleRequest();
  void HandleResponse();
  void HandleError();
  void CallUnknown(int ref, bool is_response);
  void RunTails();
  void DrainWakes();
  void Resume(Task& task, int arguments);
  void FinishTask(Task& task);
  void FailTask(Task& task);
  void ReportForgotten(Task& task);
  Task& NewTask();
  Task& NewRecord();
  void GiveCoroutine(Task& task);
  void Release(Task& task, bool is_reusable);
  void ForgetToken(Task& task);
  bool CloseWaiting(lua_State* L);
  void Close(Task& task, lua_State* L);
  void RemoveWait(Task& task);
  void FailWait(Task& task);
  void SendError(Handle to, int32_t session);
  void AddError(std::string text);
  void LogErrors(const Message& message);

  struct Note {  // in the wake list and the like: which use of which task
    uint32_t index = 0;
    uint32_t use = 0;
  };
  Note NoteOf(const Task& task) const { return {task.index, task.use}; }
  Task* TaskOf(Note note, Task::Wait wait);
  Task* TakeNext(Fifo<Note>& notes, Task::Wait wait, int table_ref);
  Task* TakeUnordered(Fifo<Note>& notes, Task::Wait wait, int table_ref);

  ServiceContext& context_;
  lua_State* L_;
  const Options options_;
  Protocols protocols_;
  std::deque<Task> tasks_;            // never shrinks; references stay good
  std::vector<uint32_t> idle_;        // with a coroutine ready, used last in first out
  std::vector<uint32_t> free_;        // without one
  absl::flat_hash_map<int32_t, uint32_t> sessions_;  // session -> task
  absl::flat_hash_set<int32_t> discarded_;
  Fifo<Note> woken_, failed_, forks_;
  struct Deferred {
    Handle requester;
    int32_t session;
  };
  std::map<uint64_t, Deferred> deferred_;  // by id, which counts up
  uint64_t deferred_next_ = 1;
  int tokens_ref_;     // registry: table token -> task index + 1
  int tokens_of_ref_;  // registry: table task index + 1 -> token
  // Registry: tables coroutine -> task index, if node().legacy() wants the fault.
  int woken_ref_ = LUA_NOREF, forks_ref_ = LUA_NOREF;
  Task* current_ = nullptr;
  Message* message_ = nullptr;        // under dispatch
  const Message* reply_ = nullptr;
  std::map<Handle, std::string> trace_of_next_;  // source -> tag for its next request
  uint64_t trace_count_ = 0;
  std::string errors_;
  bool is_exiting_ = false;
  bool meters_coroutines_ = false;
};

}  // namespace skysim

#endif  // ENGINE_LUA_TASK_SCHEDULER_H_
