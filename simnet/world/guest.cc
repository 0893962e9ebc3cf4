#include "simnet/world/guest.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/core/node.h"

namespace skysim {

absl::Status Guest::Init(ServiceContext& context, const std::string&) {
  context_ = &context;
  return absl::OkStatus();
}

bool Guest::Deliver(const std::string& address, absl::string_view packed, int32_t session,
                    uint64_t cause) {
  Node& node = context_->node();
  Message message;
  message.source = context_->handle();
  message.session = session;
  message.type = MessageType::kLua;
  message.payload = Payload::Copy(node.platform().memory, packed);
  message.cause = cause;
  uint32_t number = 0;
  if (absl::SimpleAtoi(address, &number)) return node.Send(number, std::move(message));
  if (address[0] == '.' || address[0] == ':') {
    return node.Send(node.FindAddress(address).value_or(0), std::move(message));
  }
  return node.SendGlobal(address, std::move(message));
}

void Guest::Call(const std::string& address, absl::string_view packed, uint64_t cause, Done done) {
  int32_t session;
  {
    absl::MutexLock lock(&mutex_);
    session = session_ = session_ == INT32_MAX ? 1 : session_ + 1;
    calls_.emplace(session, std::move(done));  // before it is sent: the reply may come at once
  }
  if (Deliver(address, packed, session, cause)) return;
  if (Done lost = TakeCall(session)) {
    lost(absl::NotFoundError(absl::StrCat("call to invalid address ", address)));
  }
}

Guest::Done Guest::TakeCall(int32_t session) {
  absl::MutexLock lock(&mutex_);
  auto call = calls_.find(session);
  if (call == calls_.end()) return nullptr;
  Done done = std::move(call->second);
  calls_.erase(call);
  return done;
}

void Guest::Send(const std::string& address, absl::string_view packed, uint64_t cause) {
  Deliver(address, packed, 0, cause);
}

std::optional<uint32_t> Guest::FindService(const std::string& address) const {
  if (address[0] != '.' && address[0] != ':') return std::nullopt;
  std::optional<Handle> handle = context_->node().FindAddress(address);
  if (!handle.has_value() || *handle == context_->handle()) return std::nullopt;
  return context_->node().registry().Find(*handle) ? handle : std::nullopt;
}

void Guest::OnMessage(Message message) {
  if (message.type != MessageType::kResponse && message.type != MessageType::kError) return;
  Done done = TakeCall(message.session);
  if (!done) return;
  if (message.type == MessageType::kResponse) {
    Finish(std::move(done), std::string(message.payload.bytes()));
  } else {
    Finish(std::move(done), absl::AbortedError("call failed"));
  }
}

void Guest::Finish(Done done, absl::StatusOr<std::string> reply) {
  later_([done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

void Guest::FailAll(absl::string_view text) {
  std::map<int32_t, Done> calls;
  {
    absl::MutexLock lock(&mutex_);
    calls.swap(calls_);
  }
  for (auto& [session, done] : calls) Finish(std::move(done), absl::AbortedError(text));
}

}  // namespace skysim
