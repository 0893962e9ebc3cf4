#ifndef SIMNET_SCENARIO_BOOT_WATCH_H_
#define SIMNET_SCENARIO_BOOT_WATCH_H_

#include <cstdint>
#include <map>
#include <string>

#include "simnet/trace/recorder.h"

namespace skysim {

// BootWatch knows which nodes have finished their boot: the service that the config entry
// `bootstrap` names has been launched and has exited. It reads that from the events; a node that is
// started again boots again. One thread.
class BootWatch final : public EventListener {
 public:
  // `bootstrap`: the command line of the bootstrap of `node` (an index of the recorder).
  void Watch(uint32_t node, std::string bootstrap) { boots_[node] = Boot{std::move(bootstrap)}; }
  // A new life begins.
  void Forget(uint32_t node);
  bool IsBooted(uint32_t node) const;

  void OnEvent(uint32_t node, const Event& event) override;

 private:
  struct Boot {
    std::string bootstrap;
    uint32_t service = 0;  // of the bootstrap, once launched
    bool is_over = false;
  };
  std::map<uint32_t, Boot> boots_;
};

}  // namespace skysim

#endif  // SIMNET_SCENARIO_BOOT_WATCH_H_
