#ifndef TESTS_CONFORMANCE_CLAIM_LOG_H_
#define TESTS_CONFORMANCE_CLAIM_LOG_H_

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace skysim {

// What a conformance service (claims.lua) has said in its node's log. One thread at a time.
class ClaimLog final {
 public:
  // The next line: one of claims.lua behind "[:00000008] ", or any other. The reason of a broken
  // claim may come in lines of its own.
  void Hear(absl::string_view line) {
    absl::StrAppend(&text_, line, "\n");
    std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits("] ", 1));
    if (parts.size() != 2 || !absl::StartsWith(line, "[:")) {
      if (is_in_broken_) absl::StrAppend(&broken_.back(), "\n", line);
      return;
    }
    is_in_broken_ = absl::StartsWith(parts[1], "BROKEN: ");
    if (absl::StartsWith(parts[1], "holds: ")) held_.push_back(parts[1].substr(7));
    if (is_in_broken_) broken_.push_back(parts[1].substr(8));
    if (absl::StrContains(parts[1], " claims, ")) summary_ = parts[1];
  }

  const std::vector<std::string>& held() const { return held_; }
  const std::vector<std::string>& broken() const { return broken_; }
  const std::string& summary() const { return summary_; }
  // Everything that was logged.
  const std::string& text() const { return text_; }

 private:
  std::vector<std::string> held_, broken_;
  std::string summary_, text_;
  bool is_in_broken_ = false;
};

}  // namespace skysim

#endif  // TESTS_CONFORMANCE_CLAIM_LOG_H_
