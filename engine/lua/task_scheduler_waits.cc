// What tasks wait for and how that ends: waits, replies, the end of a service, and what can be seen
// of them. How messages become tasks and tasks run is in task_scheduler.cc.

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"
#include "engine/lua/coroutine_module.h"
#include "engine/lua/lua_text.h"
#include "engine/lua/task_scheduler.h"
#include "engine/lua/vm.h"
#include "engine/wire/seri.h"

namespace skysim {

namespace {

// Of a coroutine that has not begun.
constexpr char kEmptyTraceback[] = "stack traceback:";

}  // namespace

// -- Waiting ----------------------------------------------------------------------------------

void TaskScheduler::CheckMayBlock(lua_State* L) {
  if (current_ == nullptr) {
    luaL_error(L, "attempt to yield from outside a coroutine: the main chunk of a service must not "
                  "block; use skynet.start or skynet.init");
  }
  if (L != current_->co && !IsOwnCoroutine(L, L)) {
    luaL_error(L, "attempt to block in a coroutine of coroutine.create; use skynet.coroutine");
  }
  if (!lua_isyieldable(L)) luaL_error(L, "attempt to yield across a C-call boundary");
}

int32_t TaskScheduler::NewSession() {
  int32_t session;
  do {
    session = context_.NewSession();
  } while (sessions_.contains(session) || discarded_.contains(session));
  return session;
}

void TaskScheduler::WaitForReply(int32_t session, Handle callee, absl::string_view callee_name) {
  Task& task = *current_;
  task.wait = Task::Wait::kReply;
  task.wait_session = session;
  task.callee = callee;
  task.callee_name.assign(callee_name.data(), callee_name.size());
  task.since_ns = context_.node().platform().clock.NowNs();
  sessions_[session] = task.index;
}

void TaskScheduler::WaitForToken(lua_State* L, int32_t session, Task::Wait kind, int64_t until_ns) {
  Task& task = *current_;
  lua_rawgeti(L, LUA_REGISTRYINDEX, tokens_ref_);
  lua_pushvalue(L, -2);
  if (lua_rawget(L, -2) != LUA_TNIL) luaL_error(L, "token duplicative");
  lua_pop(L, 1);
  lua_pushvalue(L, -2);
  lua_pushinteger(L, task.index + lua_Integer{1});
  lua_rawset(L, -3);
  lua_pop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, tokens_of_ref_);
  lua_insert(L, -2);
  lua_rawseti(L, -2, task.index + lua_Integer{1});
  lua_pop(L, 1);
  task.has_token = true;
  task.was_woken = false;
  task.wait = kind;
  task.wait_session = session;
  task.since_ns = context_.node().platform().clock.NowNs();
  task.until_ns = until_ns;
  sessions_[session] = task.index;
}

void TaskScheduler::ForgetToken(Task& task) {
  if (!task.has_token) return;
  task.has_token = false;
  lua_rawgeti(L_, LUA_REGISTRYINDEX, tokens_of_ref_);
  lua_rawgeti(L_, LUA_REGISTRYINDEX, tokens_ref_);
  lua_rawgeti(L_, -2, task.index + lua_Integer{1});
  lua_pushnil(L_);
  lua_rawset(L_, -3);  // tokens[token] = nil
  lua_pop(L_, 1);
  lua_pushnil(L_);
  lua_rawseti(L_, -2, task.index + lua_Integer{1});
  lua_pop(L_, 1);
}

bool TaskScheduler::Wakeup(lua_State* L) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, tokens_ref_);
  lua_insert(L, -2);
  lua_rawget(L, -2);
  lua_Integer found = lua_tointeger(L, -1);
  lua_pop(L, 2);
  if (found == 0) return false;
  Task& task = tasks_[static_cast<size_t>(found - 1)];
  ForgetToken(task);
  sessions_.erase(task.wait_session);
  if (task.wait == Task::Wait::kSleep) discarded_.insert(task.wait_session);  // its timer
  task.wait = Task::Wait::kWoken;
  task.was_woken = true;
  woken_.Push(NoteOf(task));
  return true;
}

void TaskScheduler::FailWait(Task& task) {
  sessions_.erase(task.wait_session);
  task.wait = Task::Wait::kFailed;
  failed_.Push(NoteOf(task));
}

void TaskScheduler::FailCallsTo(Handle handle, absl::string_view name) {
  for (Task* task : WaitingTasks()) {
    if (task->wait != Task::Wait::kReply) continue;
    bool is_match = name.empty() ? task->callee == handle && task->callee_name.empty()
                                 : task->callee_name == name;
    if (is_match) FailWait(*task);
  }
}

void TaskScheduler::Fork(lua_State* L, int count) {
  Task& task = NewTask();
  task.wait = Task::Wait::kFork;
  task.since_ns = context_.node().platform().clock.NowNs();
  CHECK(lua_checkstack(task.co, count + 1)) << count;
  lua_xmove(L, task.co, count + 1);
  forks_.Push(NoteOf(task));
  lua_rawgeti(L, LUA_REGISTRYINDEX, task.co_ref);
}

void TaskScheduler::Timeout(lua_State* L, int32_t session, int64_t until_ns,
                            bool pushes_coroutine) {
  // What may raise comes first: nobody waits yet.
  int function_ref = pushes_coroutine ? LUA_NOREF : luaL_ref(L, LUA_REGISTRYINDEX);
  Task& task = pushes_coroutine ? NewTask() : NewRecord();
  task.function_ref = function_ref;
  if (pushes_coroutine) lua_xmove(L, task.co, 1);
  task.wait = Task::Wait::kTimeout;
  task.wait_session = session;
  task.since_ns = context_.node().platform().clock.NowNs();
  task.until_ns = until_ns;
  sessions_[session] = task.index;
  if (pushes_coroutine) lua_rawgeti(L, LUA_REGISTRYINDEX, task.co_ref);
}

// -- Replies ----------------------------------------------------------------------------------

bool TaskScheduler::Reply(MessageType type, Payload payload) {
  Task& task = *current_;
  task.owes_reply = false;
  task.has_request = false;
  if (!task.trace_tag.empty()) TraceLog(task.trace_tag, "response", nullptr);
  return context_.Send(task.requester, type, task.request_session, std::move(payload));
}

uint64_t TaskScheduler::DeferReply(Task& task) {
  task.owes_reply = false;
  task.has_request = false;
  uint64_t id = deferred_next_++;
  deferred_[id] = {task.requester, task.request_session};
  return id;
}

void TaskScheduler::SendError(Handle to, int32_t session) {
  if (session == 0 || to == 0) return;  // nobody waits
  context_.Send(to, MessageType::kError, session, Payload());
}

// -- The end ----------------------------------------------------------------------------------

void TaskScheduler::Exit(lua_State* L) {
  is_exiting_ = true;
  Node& node = context_.node();
  SeriBuffer notice(node.platform().memory);
  PutSeriString("REMOVE", notice);
  PutSeriInteger(context_.handle(), notice);
  PutSeriBoolean(false, notice);
  SeriBuffer::Block block = notice.Detach();
  Payload payload(node.platform().memory, block.data, block.size);
  if (std::optional<Handle> launcher = node.FindAddress(".launcher")) {
    context_.Send(*launcher, MessageType::kLua, 0, std::move(payload));
  }
  std::vector<Handle> callees;
  for (Task& task : tasks_) {
    if (task.wait == Task::Wait::kIdle) continue;
    if (task.owes_reply) SendError(task.requester, task.request_session);
    task.owes_reply = false;
    if (task.wait != Task::Wait::kReply || task.callee == 0) continue;
    if (std::find(callees.begin(), callees.end(), task.callee) == callees.end()) {
      callees.push_back(task.callee);
    }
  }
  while (CloseWaiting(L)) {
  }
  for (const auto& [id, debt] : deferred_) SendError(debt.requester, debt.session);
  deferred_.clear();
  for (Handle callee : callees) context_.Send(callee, MessageType::kError, 0, Payload());
  node.Log(context_.handle(), "KILL self");
  node.Retire(context_.handle(), context_.handle(), context_.cause());
}

// Closes every task that waits. True: there was one. What runs while a task closes may begin
// others, even in the places of those closed before; these have nothing to close themselves.
bool TaskScheduler::CloseWaiting(lua_State* L) {
  bool is_any = false;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    Task& task = tasks_[i];
    if (task.wait == Task::Wait::kIdle || task.wait == Task::Wait::kRunning) continue;
    Close(task, L);
    is_any = true;
  }
  return is_any;
}

// Ends a task that waits. It counts as running meanwhile, so that nothing it does can end it again.
void TaskScheduler::Close(Task& task, lua_State* L) {
  RemoveWait(task);
  task.wait = Task::Wait::kRunning;
  if (task.co != nullptr && lua_closethread(task.co, L) != LUA_OK) AddError(ToText(task.co, -1));
  Release(task, /*is_reusable=*/false);
}

void TaskScheduler::RemoveWait(Task& task) {
  ForgetToken(task);
  auto it = sessions_.find(task.wait_session);
  if (it != sessions_.end() && it->second == task.index) {
    sessions_.erase(it);
    if (task.wait != Task::Wait::kToken) discarded_.insert(task.wait_session);  // it will come
  }
}

bool TaskScheduler::Kill(Task& task) {
  if (task.wait == Task::Wait::kIdle || task.wait == Task::Wait::kRunning) return false;
  if (task.owes_reply) SendError(task.requester, task.request_session);
  task.owes_reply = false;
  Close(task, L_);
  return true;
}

// -- Looking ----------------------------------------------------------------------------------

Task* TaskScheduler::FindTask(lua_State* co) {
  for (Task& task : tasks_) {
    if (task.co == co && task.wait != Task::Wait::kIdle) return &task;
  }
  return nullptr;
}

Task* TaskScheduler::FindSession(int32_t session) {
  auto it = sessions_.find(session);
  return it == sessions_.end() ? nullptr : &tasks_[it->second];
}

std::vector<Task*> TaskScheduler::WaitingTasks() {
  std::vector<Task*> waiting;
  for (Task& task : tasks_) {
    switch (task.wait) {
      case Task::Wait::kTimeout:
      case Task::Wait::kReply:
      case Task::Wait::kSleep:
      case Task::Wait::kToken: waiting.push_back(&task); break;
      default: break;
    }
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const Task* a, const Task* b) { return a->wait_session < b->wait_session; });
  return waiting;
}

TaskReport TaskScheduler::Report(Task& task) {
  TaskReport report;
  report.since_ns = task.since_ns;
  report.session = task.wait_session;
  report.is_request = task.owes_reply;
  double until_s = static_cast<double>(task.until_ns) / 1e9;
  switch (task.wait) {
    case Task::Wait::kReply:
      report.waits_for = absl::StrFormat(
          "reply of %s, session %d",
          task.callee_name.empty() ? FormatHandle(task.callee) : task.callee_name,
          task.wait_session);
      break;
    case Task::Wait::kSleep:
      report.waits_for = absl::StrFormat("sleep until %.2f s", until_s);
      break;
    case Task::Wait::kTimeout:
      report.waits_for = absl::StrFormat("timeout at %.2f s", until_s);
      break;
    case Task::Wait::kToken: report.waits_for = "wakeup"; break;
    case Task::Wait::kFork: report.waits_for = "the end of the dispatch (fork)"; break;
    case Task::Wait::kWoken: report.waits_for = "its turn (woken)"; break;
    case Task::Wait::kFailed: report.waits_for = "its turn (call failed)"; break;
    case Task::Wait::kIdle:
    case Task::Wait::kRunning: report.waits_for = "nothing"; break;
  }
  report.stack = task.co != nullptr ? TracebackOf(L_, task.co, nullptr) : kEmptyTraceback;
  return report;
}

// -- Traces and errors ------------------------------------------------------------------------

std::string TaskScheduler::NewTraceTag() {
  return absl::StrFormat("%s-%d", FormatHandle(context_.handle()), ++trace_count_);
}

void TaskScheduler::TraceLog(const std::string& tag, absl::string_view text, lua_State* stack_of) {
  std::string line = absl::StrFormat("<TRACE %s> %d %s", tag,
                                     context_.node().platform().clock.NowNs(), text);
  if (stack_of != nullptr) {
    absl::StrAppend(&line, " :");
    lua_Debug frame;
    int shown = 0;
    for (int level = 0; shown < 3 && lua_getstack(stack_of, level, &frame); ++level) {
      lua_getinfo(stack_of, "Sl", &frame);
      if (frame.currentline < 0) continue;
      absl::StrAppend(&line, " ", frame.source, ":", frame.currentline);
      ++shown;
    }
  }
  context_.node().Log(context_.handle(), line);
}

void TaskScheduler::AddError(std::string text) {
  absl::StrAppend(&errors_, errors_.empty() ? "" : "\n", text);
}

void TaskScheduler::LogErrors(const Message& message) {
  std::string text =
      absl::StrFormat("lua call [%x to %s : %d msgsz = %d] error : \x1b[31m%s\x1b[0m",
                      message.source, FormatHandle(context_.handle()), message.session,
                      message.payload.size(), errors_);
  context_.node().Log(context_.handle(), text);
  errors_.clear();
}

}  // namespace skysim
