#ifndef ENGINE_NATIVE_NATIVE_SERVICE_H_
#define ENGINE_NATIVE_NATIVE_SERVICE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "engine/core/service.h"
#include "engine/native/native_context.h"

namespace skysim {

// A service that a user wrote in C; include/skynet.h is its contract. A request that comes before
// it has a callback is answered with an error (skynet lets the caller wait for ever).
class NativeService final : public Service {
 public:
  // What its library exports; all but init may be null.
  struct Functions {
    void* (*create)() = nullptr;
    int (*init)(void* instance, skynet_context* context, const char* arguments) = nullptr;
    void (*release)(void* instance) = nullptr;
    void (*signal)(void* instance, int signal) = nullptr;
  };
  explicit NativeService(Functions functions);
  ~NativeService() override;

  absl::Status Init(ServiceContext& context, const std::string& args) override;
  void OnMessage(Message message) override;
  void OnSignal(int signal) override;

 private:
  const Functions functions_;
  void* instance_ = nullptr;
  std::optional<skynet_context> context_;
};

}  // namespace skysim

#endif  // ENGINE_NATIVE_NATIVE_SERVICE_H_
