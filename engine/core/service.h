#ifndef ENGINE_CORE_SERVICE_H_
#define ENGINE_CORE_SERVICE_H_

#include <string>

#include "absl/status/status.h"
#include "engine/core/message.h"

namespace skysim {

class ServiceContext;

// What a service does; its mailbox, handle and sessions are in its ServiceContext. Implementations:
// the Lua service (module "snlua"), the logger, the harbor. Called by one worker at a time.
class Service {
 public:
  virtual ~Service() = default;

  // Before the first message. Messages that it sends, also to itself, take effect. On an error the
  // service is retired and the launch fails with the text in the log.
  virtual absl::Status Init(ServiceContext& context, const std::string& args) = 0;

  virtual void OnMessage(Message message) = 0;

  // Command SIGNAL, from the caller's thread. 0: stop what runs in an endless loop; 1: report
  // memory.
  virtual void OnSignal(int signal) = 0;
};

}  // namespace skysim

#endif  // ENGINE_CORE_SERVICE_H_
