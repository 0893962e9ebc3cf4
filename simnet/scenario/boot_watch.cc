#include "simnet/scenario/boot_watch.h"

namespace skysim {

void BootWatch::Forget(uint32_t node) {
  auto boot = boots_.find(node);
  if (boot != boots_.end()) boot->second = Boot{boot->second.bootstrap};
}

bool BootWatch::IsBooted(uint32_t node) const {
  auto boot = boots_.find(node);
  return boot != boots_.end() && boot->second.is_over;
}

void BootWatch::OnEvent(uint32_t node, const Event& event) {
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

}  // namespace skysim
