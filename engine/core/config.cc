#include "engine/core/config.h"

#include <utility>

#include "absl/log/check.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace skysim {

namespace {

absl::Status CheckInteger(const Config& config, const std::string& key, int64_t min, int64_t max) {
  int64_t value = 0;
  std::string text = config.Get(key);
  if (absl::SimpleAtoi(text, &value) && value >= min && value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "config: ", key, " is \"", text, "\", but must be a number in [", min, ",", max, "]"));
}

}  // namespace

absl::Status Config::Complete() {
  entries.emplace("thread", "8");
  entries.emplace("cpath", "./cservice/?.so");
  entries.emplace("harbor", "1");
  entries.emplace("bootstrap", "snlua bootstrap");
  entries.emplace("logservice", "logger");
  entries.emplace("profile", "true");
  const std::pair<const char*, int64_t> limits[] = {{"socket_queue_max", kSocketQueueMax},
                                                    {"cluster_request_max", kClusterRequestMax},
                                                    {"gate_client_max", kGateClientMax}};
  for (const auto& [key, value] : limits) {
    entries.emplace(key, absl::StrCat(value));
    absl::Status status = CheckInteger(*this, key, 0, int64_t{1} << 50);
    if (!status.ok()) return status;
  }
  absl::Status thread = CheckInteger(*this, "thread", 1, 1024);
  if (!thread.ok()) return thread;
  return CheckInteger(*this, "harbor", 0, 255);
}

int64_t Config::Limit(const std::string& key) const {
  int64_t value = 0;
  CHECK(absl::SimpleAtoi(Get(key), &value)) << key << ": the config is not complete";
  return value;
}

std::string Config::Get(const std::string& key, const std::string& otherwise) const {
  auto it = entries.find(key);
  return it == entries.end() ? otherwise : it->second;
}

}  // namespace skysim
