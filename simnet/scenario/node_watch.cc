#include "simnet/scenario/node_watch.h"

namespace skysim {

void NodeWatch::Forget(uint32_t node) {
  auto boot = boots_.find(node);
  if (boot != boots_.end()) boot->second = Boot{boot->second.bootstrap};
}

bool NodeWatch::IsBooted(uint32_t node) const {
  auto boot = boots_.find(node);
  return boot != boots_.end() && boot->second.is_over;
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

// The log line reads "... error : \x1b[31m/project/main.lua:12: endless loop ...".
void NodeWatch::WatchLog(uint32_t node, absl::string_view text) {
  size_t end = text.find(": endless loop");
  if (end == absl::string_view::npos || !endless_place_.empty()) return;
  absl::string_view place = text.substr(0, end);
  size_t begin = place.find_last_of(" \t\n");
  if (begin != absl::string_view::npos) place.remove_prefix(begin + 1);
  if (size_t colour = place.find("\x1b[31m"); colour != absl::string_view::npos) {
    place.remove_prefix(colour + 5);
  }
  endless_place_ = std::string(place);
  endless_node_ = node;
}

}  // namespace skysim
