#ifndef ENGINE_CORE_BOOT_WATCH_H_
#define ENGINE_CORE_BOOT_WATCH_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "engine/platform/observer.h"

namespace skysim {

// BootWatch reads from the events of a node how its boot goes: skynet's bootstrap logs that a
// service failed and goes on or ends, and nothing but its log says so. One thread at a time.
class BootWatch final {
 public:
  // `bootstrap`: the config entry, the command line of the service that boots the node.
  explicit BootWatch(std::string bootstrap) : bootstrap_(std::move(bootstrap)) {}

  // Events of other kinds are ignored, and the text of the events is not kept.
  static bool Wants(EventKind kind) {
    return kind == EventKind::kLog || kind == EventKind::kLaunch || kind == EventKind::kExit;
  }
  void OnEvent(const Event& event);

  // The bootstrap has ended, well or not.
  bool is_over() const { return is_over_; }

  // Empty, or why the node is not what its config says: "its start service main failed:
  // ./main.lua:3: ...", "its bootstrap failed: ...". The reason is what the service, or the loader
  // of its script, logged before.
  const std::string& failure() const { return failure_; }

 private:
  void OnLog(uint32_t service, absl::string_view text);

  std::string bootstrap_;
  uint32_t service_ = 0;         // of the bootstrap, once launched
  bool is_over_ = false;
  std::string last_error_;       // what a service logged that could not start
  uint32_t failed_service_ = 0;  // which one
  std::string failure_;
};

}  // namespace skysim

#endif  // ENGINE_CORE_BOOT_WATCH_H_
