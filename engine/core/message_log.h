#ifndef ENGINE_CORE_MESSAGE_LOG_H_
#define ENGINE_CORE_MESSAGE_LOG_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/core/message.h"
#include "engine/platform/storage.h"

namespace skysim {

// The file in which a service's incoming messages are written down (commands LOGON and LOGOFF), in
// skynet's format: one line for each message, ":source type session now payload-in-hex", socket
// events as "[socket] type id ud payload". Appends. One thread: the one that runs the service.
class MessageLog final {
 public:
  // `wall_ns` and `now_cs` (centiseconds of the node) go into the first line. Errors name the file.
  static absl::StatusOr<std::unique_ptr<MessageLog>> Open(Storage& storage, const std::string& path,
                                                          int64_t wall_ns, int64_t now_cs);

  // Writing errors are dropped: a full disk must not stop the service.
  void Add(const Message& message, int64_t now_cs);
  // The last line.
  void Close(int64_t now_cs);

 private:
  MessageLog(std::unique_ptr<File> file, uint64_t end) : file_(std::move(file)), end_(end) {}
  void Write(absl::string_view line);

  std::unique_ptr<File> file_;
  uint64_t end_;  // of the file, bytes
};

}  // namespace skysim

#endif  // ENGINE_CORE_MESSAGE_LOG_H_
