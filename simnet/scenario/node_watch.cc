#include "simnet/scenario/node_watch.h"

#include <utility>

namespace skysim {

void NodeWatch::Watch(uint32_t node, std::string bootstrap) {
  boots_.insert_or_assign(node, Boot{bootstrap, BootWatch(bootstrap)});
}

void NodeWatch::Forget(uint32_t node) {
  auto boot = boots_.find(node);
  if (boot != boots_.end()) boot->second.watch = BootWatch(boot->second.bootstrap);
}

bool NodeWatch::IsBooted(uint32_t node) const {
  auto boot = boots_.find(node);
  return boot != boots_.end() && boot->second.watch.is_over();
}

const std::string& NodeWatch::BootFailure(uint32_t node) const {
  auto boot = boots_.find(node);
  return boot == boots_.end() ? no_failure_ : boot->second.watch.failure();
}

void NodeWatch::OnEvent(uint32_t node, const Event& event) {
  if (!BootWatch::Wants(event.kind)) return;
  auto boot = boots_.find(node);
  if (boot != boots_.end()) boot->second.watch.OnEvent(event);
  if (event.kind == EventKind::kLog) WatchLog(node, event.text);
}

// The watchdog's error has no place; the log of the service that it stopped has the stack, one
// frame a line: "\n\t/project/main.lua:12: in function ...".
void NodeWatch::WatchLog(uint32_t node, absl::string_view text) {
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

}  // namespace skysim
