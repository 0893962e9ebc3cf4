#include "engine/core/config.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace skysim {

namespace {

absl::Status CheckInteger(const Config& config, const std::string& key, int min, int max) {
  int value = 0;
  std::string text = config.Get(key);
  if (absl::SimpleAtoi(text, &value) && value >= min && value <= max) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("config: ", key, " is \"", text,
                                                 "\", but must be a number in [", min, ",", max, "]"));
}

}  // namespace

absl::Status Config::Complete() {
  entries.emplace("thread", "8");
  entries.emplace("cpath", "./cservice/?.so");
  entries.emplace("harbor", "1");
  entries.emplace("bootstrap", "snlua bootstrap");
  entries.emplace("logservice", "logger");
  entries.emplace("profile", "true");
  absl::Status thread = CheckInteger(*this, "thread", 1, 1024);
  if (!thread.ok()) return thread;
  return CheckInteger(*this, "harbor", 0, 255);
}

std::string Config::Get(const std::string& key, const std::string& otherwise) const {
  auto it = entries.find(key);
  return it == entries.end() ? otherwise : it->second;
}

}  // namespace skysim
