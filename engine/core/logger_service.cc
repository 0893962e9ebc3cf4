#include "engine/core/logger_service.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/core/node.h"

namespace skysim {

absl::Status LoggerService::Init(ServiceContext& context, const std::string& args) {
  context_ = &context;
  path_ = args;
  return path_.empty() ? absl::OkStatus() : OpenFile();
}

absl::Status LoggerService::OpenFile() {
  auto file = context_->node().platform().storage.Open(path_, Storage::OpenMode::kAppend);
  if (!file.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": ", file.status().message()));
  }
  auto size = (*file)->Size();
  if (!size.ok()) return size.status();
  file_ = *std::move(file);
  end_ = *size;
  return absl::OkStatus();
}

void LoggerService::OnMessage(Message message) {
  if (message.type == MessageType::kSystem && !path_.empty()) {
    OpenFile().IgnoreError();  // the old file goes on
    return;
  }
  if (message.type != MessageType::kText) return;
  std::string line = absl::StrCat("[", FormatHandle(message.source), "] ", message.payload.bytes());
  if (file_ == nullptr) return out_(line);
  std::string stamped = absl::StrCat(Stamp(), line, "\n");
  if (file_->WriteAt(end_, stamped).ok()) end_ += stamped.size();
}

std::string LoggerService::Stamp() const {
  absl::Time now = absl::FromUnixNanos(context_->node().platform().clock.WallNs());
  return absl::FormatTime("%d/%m/%y %H:%M:%E2S ", now, zone_);
}

}  // namespace skysim
