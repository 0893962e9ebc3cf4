#ifndef SIMNET_WORLD_GUEST_H_
#define SIMNET_WORLD_GUEST_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/service.h"
#include "engine/core/service_context.h"

namespace skysim {

// The story's foot in a node: a service that calls and sends on the story's behalf, as any service
// of the node would, and takes the replies. Its handle is outside the node's count
// (Registry::AddGuest), so that the services get the handles that they get in reality. Any thread.
class Guest final : public Service {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::string> reply)>;
  // Replies are handed to `later`, which runs them when no dispatch is under way: what the story
  // then does may end this very node.
  using Later = std::function<void(absl::AnyInvocable<void()> finish)>;

  explicit Guest(Later later) : later_(std::move(later)) {}

  absl::Status Init(ServiceContext& context, const std::string& args) override;
  void OnMessage(Message message) override;
  void OnSignal(int) override {}

  // See Stage::Call. `cause`: index of the event of the story's step.
  void Call(const std::string& address, absl::string_view packed, uint64_t cause, Done done);
  void Send(const std::string& address, absl::string_view packed, uint64_t cause);
  // The handle of a living service of the node, of ".name" or ":hex"; not the guest. Null: none.
  std::optional<uint32_t> FindService(const std::string& address) const;
  // Fails every call under way.
  void FailAll(absl::string_view text);

 private:
  bool Deliver(const std::string& address, absl::string_view packed, int32_t session,
               uint64_t cause);

  void Finish(Done done, absl::StatusOr<std::string> reply);

  Done TakeCall(int32_t session);  // null: nobody waits for it

  const Later later_;
  ServiceContext* context_ = nullptr;
  absl::Mutex mutex_;
  std::map<int32_t, Done> calls_ ABSL_GUARDED_BY(mutex_);  // by session
  int32_t session_ ABSL_GUARDED_BY(mutex_) = 0;            // of the last call
};

}  // namespace skysim

#endif  // SIMNET_WORLD_GUEST_H_
