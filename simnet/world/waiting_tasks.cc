#include "simnet/world/waiting_tasks.h"

#include <utility>

#include "engine/lua/lua_service.h"

namespace skysim {

void AddWaitingTasks(const std::string& name, Node& node, std::vector<WaitingTask>& tasks) {
  Registry& registry = node.registry();
  for (Handle handle : registry.Handles()) {
    ServiceRef context = registry.Find(handle);
    if (!context) continue;
    auto* service = dynamic_cast<LuaService*>(&context->service());
    if (service == nullptr || service->tasks() == nullptr) continue;
    for (Task* task : service->tasks()->WaitingTasks()) {
      TaskReport report = service->tasks()->Report(*task);
      tasks.push_back({name, context->handle(), context->script(), std::move(report.waits_for),
                       report.since_ns, std::move(report.stack)});
    }
  }
}

}  // namespace skysim
