#include "simnet/world/waiting_tasks.h"

#include <utility>

#include "engine/lua/lua_service.h"

namespace skysim {
namespace {

// All but the texts that take time to make.
WaitingTask Brief(const std::string& name, const ServiceContext& context, const Task& task,
                  Registry& registry) {
  WaitingTask waiting;
  waiting.node = name;
  waiting.service = context.handle();
  waiting.script = context.script();
  waiting.since_ns = task.since_ns;
  waiting.session = task.wait_session;
  waiting.is_call = task.wait == Task::Wait::kReply;
  if (!waiting.is_call) return waiting;
  waiting.callee = task.callee_name;
  if (ServiceRef callee = registry.Find(task.callee)) waiting.callee = callee->script();
  return waiting;
}

// Calls visit(context, scheduler, task) for each task that waits.
template <typename Visit>
void ForEachWaiting(Node& node, Visit visit) {
  Registry& registry = node.registry();
  for (Handle handle : registry.Handles()) {
    ServiceRef context = registry.Find(handle);
    if (!context) continue;
    auto* service = dynamic_cast<LuaService*>(&context->service());
    if (service == nullptr || service->tasks() == nullptr) continue;
    for (Task* task : service->tasks()->WaitingTasks()) visit(*context, *service->tasks(), *task);
  }
}

}  // namespace

void AddWaitingTasks(const std::string& name, Node& node, std::vector<WaitingTask>& tasks) {
  ForEachWaiting(node, [&](ServiceContext& context, TaskScheduler& scheduler, Task& task) {
    TaskReport report = scheduler.Report(task);
    WaitingTask waiting = Brief(name, context, task, node.registry());
    waiting.waits_for = std::move(report.waits_for);
    waiting.stack = std::move(report.stack);
    tasks.push_back(std::move(waiting));
  });
}

void AddBriefTasks(const std::string& name, Node& node, std::vector<WaitingTask>& tasks) {
  ForEachWaiting(node, [&](ServiceContext& context, TaskScheduler&, Task& task) {
    tasks.push_back(Brief(name, context, task, node.registry()));
  });
}

}  // namespace skysim
