#ifndef ENGINE_CORE_HARBOR_SERVICE_H_
#define ENGINE_CORE_HARBOR_SERVICE_H_

#include <deque>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/service.h"
#include "engine/core/service_context.h"

namespace skysim {

// Module "harbor", arguments "<harbor id> <handle of .cslave>": knows the harbor-wide names of a
// node without a harbor network (harbor = 0) and keeps what is sent to a name that nobody
// registered yet, in order. Text commands of type kHarbor: "N name", where the message's source is
// the handle. Asks .cslave with the text "Q name", once for each message as skynet does.
class HarborService final : public Service {
 public:
  absl::Status Init(ServiceContext& context, const std::string& args) override;
  void OnMessage(Message message) override;
  void OnSignal(int) override {}

  // Sends to whoever has the name, now or later. True: it is sent or kept. Any thread.
  bool SendToName(const std::string& name, Message message);

 private:
  void Bind(const std::string& name, Handle handle);

  ServiceContext* context_ = nullptr;
  Handle slave_ = 0;
  absl::Mutex mutex_;
  std::map<std::string, Handle> names_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::deque<Message>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skysim

#endif  // ENGINE_CORE_HARBOR_SERVICE_H_
