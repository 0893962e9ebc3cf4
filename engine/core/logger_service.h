#ifndef ENGINE_CORE_LOGGER_SERVICE_H_
#define ENGINE_CORE_LOGGER_SERVICE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "engine/core/service.h"
#include "engine/core/service_context.h"
#include "engine/platform/storage.h"

namespace skysim {

// Module "logger": writes each text message as "[:%08x] text" (source, line). With an argument it
// appends to that file, each line led by the time "dd/mm/yy HH:MM:SS.cc "; a kSystem message opens
// the file again (log rotation).
class LoggerService final : public Service {
 public:
  // `out` receives lines without "\n" if there is no file. `zone` is that of the lines in a file.
  explicit LoggerService(std::function<void(absl::string_view)> out,
                         absl::TimeZone zone = absl::UTCTimeZone())
      : out_(std::move(out)), zone_(zone) {}

  absl::Status Init(ServiceContext& context, const std::string& args) override;
  void OnMessage(Message message) override;
  void OnSignal(int) override {}

 private:
  absl::Status OpenFile();
  std::string Stamp() const;

  std::function<void(absl::string_view)> out_;
  absl::TimeZone zone_;
  ServiceContext* context_ = nullptr;
  std::string path_;
  std::unique_ptr<File> file_;
  uint64_t end_ = 0;  // of the file, bytes
};

}  // namespace skysim

#endif  // ENGINE_CORE_LOGGER_SERVICE_H_
