#include "engine/core/message_log.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "engine/core/socket_message.h"

namespace skysim {

namespace {

std::string SocketLine(const SocketMessage& event, absl::string_view text) {
  std::string line = absl::StrFormat("[socket] %d %d %d ", event.type, event.id, event.ud);
  if (event.buffer == nullptr) return absl::StrCat(line, "[", text, "]\n");
  absl::string_view bytes(event.buffer, static_cast<size_t>(event.ud));
  return absl::StrCat(line, absl::BytesToHexString(bytes), "\n");
}

}  // namespace

absl::StatusOr<std::unique_ptr<MessageLog>> MessageLog::Open(Storage& storage,
                                                             const std::string& path,
                                                             int64_t wall_ns, int64_t now_cs) {
  auto file = storage.Open(path, Storage::OpenMode::kAppend);
  if (!file.ok()) {
    return absl::Status(file.status().code(), absl::StrCat(path, ": ", file.status().message()));
  }
  absl::StatusOr<uint64_t> size = (*file)->Size();
  if (!size.ok()) return size.status();
  auto log = std::unique_ptr<MessageLog>(new MessageLog(*std::move(file), *size));
  log->Write(absl::StrFormat("open time: %d %s\n", now_cs,
                             absl::FormatTime("%a %b %e %H:%M:%S %Y", absl::FromUnixNanos(wall_ns),
                                              absl::UTCTimeZone())));
  return log;
}

void MessageLog::Add(const Message& message, int64_t now_cs) {
  if (message.type == MessageType::kSocket && message.payload.size() >= sizeof(SocketMessage)) {
    SocketMessage event;
    std::memcpy(&event, message.payload.data(), sizeof(event));
    return Write(SocketLine(event, message.payload.bytes().substr(sizeof(event))));
  }
  Write(absl::StrFormat(":%08x %d %d %d %s\n", message.source, static_cast<int>(message.type),
                        message.session, now_cs,
                        absl::BytesToHexString(message.payload.bytes())));
}

void MessageLog::Close(int64_t now_cs) { Write(absl::StrFormat("close time: %d\n", now_cs)); }

void MessageLog::Write(absl::string_view line) {
  if (file_->WriteAt(end_, line).ok()) end_ += line.size();
}

}  // namespace skysim
