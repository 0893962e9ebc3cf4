#ifndef SIMNET_SCENARIO_NODE_WATCH_H_
#define SIMNET_SCENARIO_NODE_WATCH_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/core/boot_watch.h"
#include "simnet/trace/recorder.h"

namespace skysim {

// NodeWatch reads from the events what a run must know about its nodes. One thread.
//
// - Which have finished their boot: the service that the config entry `bootstrap` names has been
//   launched and has exited. A node that is started again boots again.
// - Whose start service failed: the bootstrap logs it and goes on, as skynet's does.
// - Where a dispatch that the watchdog stopped was: it is in the log of its service.
class NodeWatch final : public EventListener {
 public:
  // `bootstrap`: the command line of the bootstrap of `node` (an index of the recorder).
  void Watch(uint32_t node, std::string bootstrap);
  // A new life begins.
  void Forget(uint32_t node);
  bool IsBooted(uint32_t node) const;
  // See BootWatch::failure().
  const std::string& BootFailure(uint32_t node) const;

  // "/project/service/main.lua:12", and the node (an index of the recorder); empty: nowhere yet.
  const std::string& endless_place() const { return endless_place_; }
  uint32_t endless_node() const { return endless_node_; }

  void OnEvent(uint32_t node, const Event& event) override;

 private:
  struct Boot {
    std::string bootstrap;
    BootWatch watch;
  };
  void WatchLog(uint32_t node, absl::string_view text);

  const std::string no_failure_;
  std::map<uint32_t, Boot> boots_;
  std::string endless_place_;
  uint32_t endless_node_ = 0;
};

}  // namespace skysim

#endif  // SIMNET_SCENARIO_NODE_WATCH_H_
