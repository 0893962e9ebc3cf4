#include "engine/core/harbor_service.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/core/node.h"

namespace skysim {

namespace {
constexpr size_t kNameBytesMax = 15;   // a registered name
constexpr size_t kSentBytesMax = 16;   // what a send looks at (network.md 6.1)
}  // namespace

absl::Status HarborService::Init(ServiceContext& context, const std::string& args) {
  context_ = &context;
  std::vector<std::string> words = absl::StrSplit(args, ' ', absl::SkipEmpty());
  uint32_t harbor = 0, slave = 0;
  if (words.size() != 2 || !absl::SimpleAtoi(words[0], &harbor) ||
      !absl::SimpleAtoi(words[1], &slave)) {
    return absl::InvalidArgumentError(
        absl::StrCat("harbor needs \"<harbor id> <handle of .cslave>\", not \"", args, "\""));
  }
  if (harbor != 0) {
    return absl::UnimplementedError(absl::StrCat(
        "harbor id ", harbor, ": master/slave networks are not supported yet; use harbor = 0"));
  }
  slave_ = slave;
  context.node().SetHarborService(context.handle());
  return absl::OkStatus();
}

void HarborService::OnMessage(Message message) {
  if (message.type != MessageType::kHarbor) return;
  absl::string_view text = message.payload.bytes();
  if (text.size() < 3 || text[0] != 'N' || text[1] != ' ') {
    context_->node().Log(context_->handle(), absl::StrCat("Unknown command ", text));
    return;
  }
  std::string name(text.substr(2));
  if (name.size() > kNameBytesMax) {
    context_->node().Log(context_->handle(), absl::StrCat("Invalid name ", name));
    return;
  }
  Bind(name, message.source);
}

// Under the lock to the end: nothing sent to the name meanwhile may overtake what waited.
void HarborService::Bind(const std::string& name, Handle handle) {
  absl::MutexLock lock(&mutex_);
  names_[name] = handle;
  auto waiting = waiting_.find(name);
  if (waiting == waiting_.end()) return;
  std::deque<Message> messages = std::move(waiting->second);
  waiting_.erase(waiting);
  for (Message& message : messages) context_->node().Send(handle, std::move(message));
}

bool HarborService::SendToName(const std::string& full_name, Message message) {
  std::string name = full_name.substr(0, kSentBytesMax);
  Node& node = context_->node();
  Message question;
  question.source = context_->handle();
  question.payload = Payload::Copy(node.platform().memory, absl::StrCat("Q ", name));
  question.cause = message.cause;
  absl::MutexLock lock(&mutex_);
  auto known = names_.find(name);
  if (known != names_.end()) return node.Send(known->second, std::move(message));
  waiting_[name].push_back(std::move(message));
  node.Send(slave_, std::move(question));
  return true;
}

}  // namespace skysim
