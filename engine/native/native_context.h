#ifndef ENGINE_NATIVE_NATIVE_CONTEXT_H_
#define ENGINE_NATIVE_NATIVE_CONTEXT_H_

#include <string>

#include "engine/platform/memory.h"
#include "include/skynet.h"

namespace skysim {
class ServiceContext;
}  // namespace skysim

// What a module in C knows of its service (include/skynet.h). Owned by the service; one thread at a
// time.
struct skynet_context {
  skysim::ServiceContext& service;
  const bool may_receive;  // a service in C, not a Lua module of a Lua service
  skynet_cb callback = nullptr;
  void* user_data = nullptr;
  std::string result = {};  // of the last skynet_command
};

namespace skysim {

// skynet_malloc has no context to tell it where blocks come from, so a process has one answer: the
// memory of the node that loaded a module last. In a process all nodes that run at a time have the
// same kind of memory: the heap, or the arena of the run. `memory` is borrowed until the next call
// or the end of whoever uses such blocks.
void UseModuleMemory(Memory& memory);

}  // namespace skysim

#endif  // ENGINE_NATIVE_NATIVE_CONTEXT_H_
