#include "engine/lua/task_scheduler.h"

#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"
#include "engine/lua/lua_text.h"
#include "engine/lua/seri_lua.h"
#include "engine/lua/vm.h"

// How a task blocks: a C function (engine/lua/skynet_module.cc) calls WaitFor...(), which notes in
// the Task what is waited for, and yields nothing. Resume() returns then. When the thing comes, the
// scheduler sets reply_ or was_woken and resumes; the function's continuation picks the result up
// and returns it to Lua. So bytes are unpacked straight onto the stack of the coroutine that wants
// them.
//
// Dispatch() runs as one protected call on the main thread: an error that nobody catches (out of
// memory while a coroutine is made) ends the dispatch, not the process.

namespace skysim {

namespace {

// Coroutines kept for reuse. Enough for the tasks of a busy service between two dispatches; what is
// beyond it is left to the collector.
constexpr size_t kIdleMax = 256;

// A new table in the registry.
int NewTable(lua_State* L) {
  lua_newtable(L);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

}  // namespace

TaskScheduler::TaskScheduler(ServiceContext& context, lua_State* L, Options options)
    : context_(context), L_(L), options_(options), protocols_(L) {
  tokens_ref_ = NewTable(L);
  tokens_of_ref_ = NewTable(L);
  const Legacy& legacy = context.node().legacy();
  if (legacy.wakes_unordered) woken_ref_ = NewTable(L);
  if (legacy.forks_unordered) forks_ref_ = NewTable(L);
}

TaskScheduler::~TaskScheduler() = default;

// -- Dispatch ---------------------------------------------------------------------------------

void TaskScheduler::Dispatch(Message message, bool keeps_payload) {
  RunProtected(&TaskScheduler::DispatchProtected, message);
  if (keeps_payload) message.payload.Release();
}

void TaskScheduler::BeginForks(Message& booted_by) {
  RunProtected(&TaskScheduler::TailsProtected, booted_by);
}

void TaskScheduler::RunProtected(lua_CFunction body, Message& message) {
  Message* outer = std::exchange(message_, &message);
  lua_pushcfunction(L_, body);
  lua_pushlightuserdata(L_, this);
  if (lua_pcall(L_, 1, 0, 0) != LUA_OK) {
    AddError(ToText(L_, -1));
    lua_pop(L_, 1);
    current_ = nullptr;
  }
  if (!errors_.empty()) LogErrors(message);
  message_ = outer;
}

int TaskScheduler::TailsProtected(lua_State* L) {
  auto* self = static_cast<TaskScheduler*>(lua_touserdata(L, 1));
  lua_settop(L, 0);
  self->RunTails();
  return 0;
}

int TaskScheduler::DispatchProtected(lua_State* L) {
  auto* self = static_cast<TaskScheduler*>(lua_touserdata(L, 1));
  lua_settop(L, 0);
  self->HandleMessage();
  self->RunTails();
  return 0;
}

void TaskScheduler::HandleMessage() {
  if (is_exiting_) {
    if (ExpectsReply(message_->type, message_->session)) {
      SendError(message_->source, message_->session);
    }
    return;
  }
  switch (message_->type) {
    case MessageType::kResponse: return HandleResponse();
    case MessageType::kError: return HandleError();
    case MessageType::kTrace:
      trace_of_next_[message_->source] = std::string(message_->payload.bytes());
      return;
    default: return HandleRequest();
  }
}

void TaskScheduler::HandleRequest() {
  int type = static_cast<int>(message_->type);
  Protocol* protocol = protocols_.Find(type);
  const bool expects_reply = ExpectsReply(message_->type, message_->session);
  if (protocol == nullptr || protocol->dispatch == LUA_NOREF || protocol->unpack == LUA_NOREF) {
    if (expects_reply) {
      SendError(message_->source, message_->session);
    } else {
      CallUnknown(unknown_request_ref, /*is_response=*/false);
    }
    return;
  }
  Task& task = NewTask();
  task.requester = message_->source;
  task.request_session = message_->session;
  task.has_request = true;
  task.owes_reply = expects_reply;
  task.protocol = protocol;
  task.trace_is_off = protocol->trace == Protocol::Trace::kOff;
  if (!trace_of_next_.empty()) {
    auto tag = trace_of_next_.find(message_->source);
    if (tag != trace_of_next_.end()) {
      if (!task.trace_is_off) task.trace_tag = std::move(tag->second);
      trace_of_next_.erase(tag);
    }
  }
  if (task.trace_tag.empty() && protocol->trace == Protocol::Trace::kOn) {
    task.trace_tag = NewTraceTag();
  }
  if (!task.trace_tag.empty()) TraceLog(task.trace_tag, "request", nullptr);
  lua_pushcfunction(task.co, &TaskScheduler::RequestEntry);
  Resume(task, 0);
}

// The body of a request's task: unpacks within the task, so that malformed bytes fail the request.
int TaskScheduler::RequestEntry(lua_State* L) {
  TaskScheduler& self = *VmOf(L).tasks;
  const Message& message = *self.message_;
  const Protocol& protocol = *self.current_->protocol;
  lua_rawgeti(L, LUA_REGISTRYINDEX, protocol.dispatch);
  lua_pushinteger(L, message.session);
  lua_pushinteger(L, message.source);
  int first = lua_gettop(L);
  if (protocol.unpacks_seri) {
    UnpackValues(L, message.payload.data(), message.payload.size());
  } else {
    lua_rawgeti(L, LUA_REGISTRYINDEX, protocol.unpack);
    if (message.payload.data() == nullptr) {
      lua_pushnil(L);
    } else {
      lua_pushlightuserdata(L, message.payload.data());
    }
    lua_pushinteger(L, static_cast<lua_Integer>(message.payload.size()));
    lua_call(L, 2, LUA_MULTRET);
  }
  int arguments = 2 + lua_gettop(L) - first;
  lua_callk(L, arguments, 0, 0, [](lua_State*, int, lua_KContext) { return 0; });
  return 0;
}

void TaskScheduler::HandleResponse() {
  int32_t session = message_->session;
  auto it = sessions_.find(session);
  if (it == sessions_.end()) {
    if (discarded_.erase(session) == 0) {
      CallUnknown(unknown_response_ref, /*is_response=*/true);
    }
    return;
  }
  Task& task = tasks_[it->second];
  if (task.co == nullptr) GiveCoroutine(task);
  sessions_.erase(it);
  int arguments = 0;
  if (task.wait == Task::Wait::kTimeout) {
    arguments = lua_gettop(task.co) - 1;  // the function is below them
  } else if (task.wait == Task::Wait::kReply) {
    reply_ = message_;
    if (!task.trace_tag.empty()) TraceLog(task.trace_tag, "resume", nullptr);
  } else {
    ForgetToken(task);
    if (!task.trace_tag.empty()) TraceLog(task.trace_tag, "resume", nullptr);
  }
  Resume(task, arguments);
  reply_ = nullptr;
}

void TaskScheduler::HandleError() {
  if (message_->session != 0) {
    Task* task = FindSession(message_->session);
    if (task != nullptr && task->wait == Task::Wait::kReply) {
      FailWait(*task);
    } else {
      discarded_.erase(message_->session);
    }
    return;
  }
  for (auto it = deferred_.begin(); it != deferred_.end();) {
    it = it->second.requester == message_->source ? deferred_.erase(it) : std::next(it);
  }
  FailCallsTo(message_->source, "");
}

void TaskScheduler::CallUnknown(int ref, bool is_response) {
  std::string bytes(message_->payload.bytes());
  if (ref == LUA_NOREF) {
    Protocol* protocol = protocols_.Find(static_cast<int>(message_->type));
    std::string type = protocol == nullptr ? absl::StrCat(static_cast<int>(message_->type))
                                           : protocol->name;
    context_.node().Log(context_.handle(),
                        is_response ? absl::StrCat("Response message : ", bytes)
                                    : absl::StrCat("Unknown request (", type, "): ", bytes));
    AddError(absl::StrFormat("Unknown session : %d from %x", message_->session, message_->source));
    return;
  }
  Task& task = NewTask();
  lua_State* co = task.co;
  lua_rawgeti(co, LUA_REGISTRYINDEX, ref);
  lua_pushinteger(co, message_->session);
  lua_pushinteger(co, message_->source);
  lua_pushlightuserdata(co, message_->payload.data());
  lua_pushinteger(co, static_cast<lua_Integer>(message_->payload.size()));
  if (is_response) return Resume(task, 4);
  Protocol* protocol = protocols_.Find(static_cast<int>(message_->type));
  if (protocol != nullptr) {
    lua_pushstring(co, protocol->name.c_str());
  } else {
    lua_pushinteger(co, static_cast<int>(message_->type));
  }
  Resume(task, 5);
}

// -- The tails of a dispatch ------------------------------------------------------------------

void TaskScheduler::RunTails() {
  DrainWakes();
  while (!is_exiting_) {
    Task* task = TakeNext(forks_, Task::Wait::kFork, forks_ref_);
    if (task == nullptr) return;
    Resume(*task, lua_gettop(task->co) - 1);
    DrainWakes();
  }
}

void TaskScheduler::DrainWakes() {
  while (!is_exiting_) {
    Task* task = TakeNext(woken_, Task::Wait::kWoken, woken_ref_);
    if (task != nullptr) {
      Resume(*task, 0);
      continue;
    }
    do {
      if (failed_.empty()) return;
      task = TaskOf(failed_.front(), Task::Wait::kFailed);
      failed_.Pop();
    } while (task == nullptr);
    Resume(*task, 0);
  }
}

// The first task of `notes` that still waits as `wait` says. Null: none.
Task* TaskScheduler::TakeNext(Fifo<Note>& notes, Task::Wait wait, int table_ref) {
  if (table_ref != LUA_NOREF) return TakeUnordered(notes, wait, table_ref);
  while (!notes.empty()) {
    Task* task = TaskOf(notes.front(), wait);
    notes.Pop();
    if (task != nullptr) return task;
  }
  return nullptr;
}

// The same as they come in the table `table_ref`, keyed by coroutine, into which all go first.
Task* TaskScheduler::TakeUnordered(Fifo<Note>& notes, Task::Wait wait, int table_ref) {
  lua_rawgeti(L_, LUA_REGISTRYINDEX, table_ref);
  for (; !notes.empty(); notes.Pop()) {
    Task* task = TaskOf(notes.front(), wait);
    if (task == nullptr) continue;
    lua_rawgeti(L_, LUA_REGISTRYINDEX, task->co_ref);
    lua_pushinteger(L_, task->index);
    lua_rawset(L_, -3);
  }
  Task* found = nullptr;
  for (lua_pushnil(L_); found == nullptr && lua_next(L_, -2) != 0;) {
    Task& task = tasks_[static_cast<size_t>(lua_tointeger(L_, -1))];
    if (task.wait == wait) found = &task;  // else it was killed meanwhile
    lua_pop(L_, 1);
    lua_pushvalue(L_, -1);
    lua_pushnil(L_);
    lua_rawset(L_, -4);
  }
  if (found != nullptr) lua_pop(L_, 1);
  lua_pop(L_, 1);
  return found;
}

Task* TaskScheduler::TaskOf(Note note, Task::Wait wait) {
  Task& task = tasks_[note.index];
  return task.use == note.use && task.wait == wait ? &task : nullptr;
}

// -- One task ---------------------------------------------------------------------------------

void TaskScheduler::Resume(Task& task, int arguments) {
  Task* outer = std::exchange(current_, &task);
  task.wait = Task::Wait::kRunning;
  Clock& clock = context_.node().platform().clock;
  if (task.profile_began_ns >= 0) task.profile_began_ns = clock.CpuNs();
  lua_State* outer_running = SetRunning(task.co);
  int results = 0;
  int status = lua_resume(task.co, L_, arguments, &results);
  SetRunning(outer_running);
  if (task.profile_began_ns >= 0) task.profile_total_ns += clock.CpuNs() - task.profile_began_ns;
  if (status == LUA_YIELD && task.wait == Task::Wait::kRunning) {
    if (is_exiting_) {
      lua_closethread(task.co, L_);
      Release(task, /*is_reusable=*/false);
    } else {
      lua_pushstring(task.co, "attempt to yield a task: only skynet's own calls may suspend it "
                              "(use skynet.coroutine for coroutines of your own)");
      FailTask(task);
    }
  } else if (status == LUA_YIELD) {
    lua_pop(task.co, results);
  } else if (status == LUA_OK) {
    lua_settop(task.co, 0);
    FinishTask(task);
  } else {
    FailTask(task);
  }
  current_ = outer;
}

void TaskScheduler::FinishTask(Task& task) {
  if (task.owes_reply) ReportForgotten(task);
  if (!task.trace_tag.empty()) TraceLog(task.trace_tag, "end", nullptr);
  Release(task, /*is_reusable=*/true);
}

void TaskScheduler::ReportForgotten(Task& task) {
  lua_Debug where = {};
  if (task.protocol != nullptr && task.protocol->dispatch != LUA_NOREF) {
    lua_rawgeti(L_, LUA_REGISTRYINDEX, task.protocol->dispatch);
    lua_getinfo(L_, ">S", &where);
  }
  context_.node().Log(context_.handle(),
                      absl::StrFormat("Maybe forgot response session %d from %s : %s:%d",
                                      task.request_session, FormatHandle(task.requester),
                                      where.source == nullptr ? "?" : where.source,
                                      where.linedefined));
}

// The error object is on top of the task's stack, and the stack still shows where it came from.
void TaskScheduler::FailTask(Task& task) {
  std::string message = ToText(task.co, -1);
  AddError(TracebackOf(L_, task.co, message.c_str()));
  if (!task.trace_tag.empty()) TraceLog(task.trace_tag, "error", nullptr);
  if (lua_closethread(task.co, L_) != LUA_OK) {
    std::string closing = ToText(task.co, -1);
    if (closing != message) AddError(closing);
  }
  if (task.owes_reply) {
    SendError(task.requester, task.request_session);
  } else if (task.has_request && context_.node().legacy().answers_pushes) {
    context_.Send(task.requester, MessageType::kError, 0, Payload());
  }
  Release(task, /*is_reusable=*/false);
}

Task& TaskScheduler::NewTask() {
  if (!idle_.empty()) {
    Task& task = tasks_[idle_.back()];
    idle_.pop_back();
    task.wait = Task::Wait::kRunning;
    return task;
  }
  lua_State* co = lua_newthread(L_);
  int ref = luaL_ref(L_, LUA_REGISTRYINDEX);
  Task& task = NewRecord();
  task.co = co;
  task.co_ref = ref;
  return task;
}

// A task without a coroutine.
Task& TaskScheduler::NewRecord() {
  Task* task;
  if (free_.empty()) {
    task = &tasks_.emplace_back();
    task->index = static_cast<uint32_t>(tasks_.size() - 1);
  } else {
    task = &tasks_[free_.back()];
    free_.pop_back();
  }
  task->wait = Task::Wait::kRunning;
  return *task;
}

// The coroutine of an idle task, or a new one, for a timeout that has only its function.
void TaskScheduler::GiveCoroutine(Task& task) {
  if (idle_.empty()) {
    task.co = lua_newthread(L_);
    task.co_ref = luaL_ref(L_, LUA_REGISTRYINDEX);
  } else {
    Task& idle = tasks_[idle_.back()];
    idle_.pop_back();
    task.co = std::exchange(idle.co, nullptr);
    task.co_ref = std::exchange(idle.co_ref, LUA_NOREF);
    free_.push_back(idle.index);
  }
  lua_rawgeti(L_, LUA_REGISTRYINDEX, task.function_ref);
  lua_xmove(L_, task.co, 1);
  luaL_unref(L_, LUA_REGISTRYINDEX, std::exchange(task.function_ref, LUA_NOREF));
}

void TaskScheduler::PushCoroutine(lua_State* L, Task& task) {
  if (task.co == nullptr) GiveCoroutine(task);
  lua_rawgeti(L, LUA_REGISTRYINDEX, task.co_ref);
}

void TaskScheduler::Release(Task& task, bool is_reusable) {
  ++task.use;
  task.requester = 0;
  task.request_session = 0;
  task.has_request = false;
  task.owes_reply = false;
  task.protocol = nullptr;
  if (!task.trace_tag.empty()) task.trace_tag.clear();
  task.trace_is_off = false;
  task.wait = Task::Wait::kIdle;
  task.was_woken = false;
  task.profile_began_ns = -1;
  task.profile_total_ns = 0;
  if (is_reusable && idle_.size() < kIdleMax) {
    idle_.push_back(task.index);
    return;
  }
  luaL_unref(L_, LUA_REGISTRYINDEX, std::exchange(task.co_ref, LUA_NOREF));
  luaL_unref(L_, LUA_REGISTRYINDEX, std::exchange(task.function_ref, LUA_NOREF));
  task.co = nullptr;
  free_.push_back(task.index);
}

}  // namespace skysim
