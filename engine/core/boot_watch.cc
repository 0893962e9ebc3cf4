#include "engine/core/boot_watch.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace skysim {
namespace {

constexpr absl::string_view kInitFailed = "init service failed: ";
constexpr absl::string_view kLoaderError = "lua loader error : ";
constexpr absl::string_view kLoaderMissing = "Can't load ";
constexpr absl::string_view kStartFailed = "bootstrap: start service ";
constexpr absl::string_view kServiceFailed = "bootstrap: service ";

std::string FirstLine(absl::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

}  // namespace

void BootWatch::OnEvent(const Event& event) {
  if (is_over_) return;
  if (event.kind == EventKind::kLog) {
    OnLog(event.service, event.text);
  } else if (event.kind == EventKind::kLaunch) {
    if (service_ == 0 && event.text == bootstrap_) service_ = event.service;
  } else if (event.kind == EventKind::kExit && event.service == service_ && service_ != 0) {
    is_over_ = true;
    if (failure_.empty() && failed_service_ == service_) {
      failure_ = absl::StrCat("its bootstrap failed: ", last_error_);
    }
  }
}

void BootWatch::OnLog(uint32_t service, absl::string_view text) {
  if (absl::ConsumePrefix(&text, kInitFailed) || absl::ConsumePrefix(&text, kLoaderError) ||
      absl::StartsWith(text, kLoaderMissing)) {
    last_error_ = FirstLine(text);
    failed_service_ = service;
    return;
  }
  bool is_start = absl::ConsumePrefix(&text, kStartFailed);
  if (!is_start && !absl::ConsumePrefix(&text, kServiceFailed)) return;
  size_t colon = text.find(": ");
  std::string reason = last_error_.empty() && colon != absl::string_view::npos
                           ? FirstLine(text.substr(colon + 2))
                           : last_error_;
  failure_ = absl::StrCat(is_start ? "its start service " : "its service ",
                          text.substr(0, text.find(' ')), " failed: ", reason);
}

}  // namespace skysim
