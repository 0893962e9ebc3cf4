#ifndef ENGINE_CORE_CONFIG_H_
#define ENGINE_CORE_CONFIG_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace skysim {

// The configuration of one node: what a skynet config file sets, as strings (true -> "true").
// Every entry becomes an environment variable of the node.
struct Config {
  std::map<std::string, std::string> entries;

  // Puts skynet's default under each key that is not there: thread 8, cpath, harbor 1, bootstrap
  // "snlua bootstrap", logservice "logger", profile true; and checks thread, harbor and the limits
  // below. Errors name key, value and range.
  absl::Status Complete();

  // Limits that skynet does not have (0 = none), so that a peer cannot take all memory:
  // - socket_queue_max: bytes that wait to be written to one connection. A send beyond it closes
  //   the connection. A single message may be larger.
  // - cluster_request_max: bytes of unfinished large requests of one cluster connection
  //   (service/clusteragent.lua). Beyond it the connection is closed.
  // - gate_client_max: connections of a gate whose `open` names no maxclient
  //   (lualib/snax/gateserver.lua).
  static constexpr int64_t kSocketQueueMax = int64_t{256} << 20;
  static constexpr int64_t kClusterRequestMax = int64_t{256} << 20;
  static constexpr int64_t kGateClientMax = 1024;  // skynet's

  // The value of one of these, which Complete() has checked.
  int64_t Limit(const std::string& key) const;

  // The value of `key`, or `otherwise`.
  std::string Get(const std::string& key, const std::string& otherwise = "") const;
};

}  // namespace skysim

#endif  // ENGINE_CORE_CONFIG_H_
