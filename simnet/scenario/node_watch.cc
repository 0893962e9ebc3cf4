#include "simnet/scenario/node_watch.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace skysim {
namespace {

constexpr absl::string_view kInitFailed = "init service failed: ";
constexpr absl::string_view kLoaderError = "lua loader error : ";
constexpr absl::string_view kStartFailed = "bootstrap: start service ";

std::string FirstLine(absl::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

}  // namespace

void NodeWatch::Forget(uint32_t node) {
  auto boot = boots_.find(node);
  if (boot != boots_.end()) boot->second = Boot{boot->second.bootstrap};
}

bool NodeWatch::IsBooted(uint32_t node) const {
  auto boot = boots_.find(node);
  return boot != boots_.end() && boot->second.is_over;
}

const std::string& NodeWatch::BootFailure(uint32_t node) const {
  auto boot = boots_.find(node);
  return boot == boots_.end() ? no_failure_ : boot->second.failure;
}

void NodeWatch::OnEvent(uint32_t node, const Event& event) {
  if (event.kind == EventKind::kLog) return WatchLog(node, event.text);
  if (event.kind != EventKind::kLaunch && event.kind != EventKind::kExit) return;
  auto found = boots_.find(node);
  if (found == boots_.end()) return;
  Boot& boot = found->second;
  if (event.kind == EventKind::kLaunch && boot.service == 0 && event.text == boot.bootstrap) {
    boot.service = event.service;
  } else if (event.kind == EventKind::kExit && event.service == boot.service) {
    boot.is_over = true;
  }
}

// The watchdog's error has no place; the log of the service that it stopped has the stack, one
// frame a line: "\n\t/project/main.lua:12: in function ...".
void NodeWatch::WatchLog(uint32_t node, absl::string_view text) {
  auto boot = boots_.find(node);
  if (boot != boots_.end() && !boot->second.is_over) WatchBootLog(boot->second, text);
  size_t error = text.find("endless loop");
  if (error == absl::string_view::npos || !endless_place_.empty()) return;
  for (size_t frame = text.find("\n\t", error); frame != absl::string_view::npos;
       frame = text.find("\n\t", frame + 2)) {
    absl::string_view place = text.substr(frame + 2);
    if (place[0] == '[') continue;  // a C function
    endless_place_ = std::string(place.substr(0, place.find(": in ")));
    endless_node_ = node;
    return;
  }
}

void NodeWatch::WatchBootLog(Boot& boot, absl::string_view text) {
  if (absl::ConsumePrefix(&text, kInitFailed) || absl::ConsumePrefix(&text, kLoaderError)) {
    boot.last_error = FirstLine(text);
  } else if (absl::ConsumePrefix(&text, kStartFailed)) {
    std::string reason = boot.last_error.empty() ? FirstLine(text.substr(text.find(": ") + 2))
                                                 : boot.last_error;
    boot.failure = absl::StrCat("its start service ", text.substr(0, text.find(' ')),
                                " failed: ", reason);
  }
}

}  // namespace skysim
