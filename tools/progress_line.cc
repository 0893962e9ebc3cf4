#include "tools/progress_line.h"

#include <ostream>

#include "absl/time/clock.h"

namespace skysim {

ProgressLine::ProgressLine(const CommandContext& context)
    : context_(context), start_ns_(absl::GetCurrentTimeNanos()), shown_ns_(start_ns_) {}

ProgressLine::~ProgressLine() {
  if (is_shown_) context_.err << "\r\x1b[K" << std::flush;
}

void ProgressLine::Show(const std::function<std::string(int64_t wall_ns)>& text) {
  constexpr int64_t kEveryNs = 100'000'000;
  int64_t now_ns = absl::GetCurrentTimeNanos();
  if (!context_.err_is_terminal || now_ns - shown_ns_ < kEveryNs) return;
  context_.err << "\r\x1b[K" << text(now_ns - start_ns_) << std::flush;
  shown_ns_ = now_ns;
  is_shown_ = true;
}

}  // namespace skysim
