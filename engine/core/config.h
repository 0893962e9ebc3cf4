#ifndef ENGINE_CORE_CONFIG_H_
#define ENGINE_CORE_CONFIG_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace skysim {

// The configuration of one node: what a skynet config file sets, as strings (true -> "true").
// Every entry becomes an environment variable of the node.
struct Config {
  std::map<std::string, std::string> entries;

  // Puts skynet's default under each key that is not there: thread 8, cpath, harbor 1, bootstrap
  // "snlua bootstrap", logservice "logger", profile true; and checks thread and harbor. Errors name
  // key, value and range.
  absl::Status Complete();

  // The value of `key`, or `otherwise`.
  std::string Get(const std::string& key, const std::string& otherwise = "") const;
};

}  // namespace skysim

#endif  // ENGINE_CORE_CONFIG_H_
