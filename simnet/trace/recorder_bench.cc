#include <cstdint>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "simnet/trace/recorder.h"

namespace skysim {
namespace {

constexpr uint64_t kEvents = 20'000'000;

// Nanoseconds per event of a run whose events look like those of a busy cluster.
double Measure(Recorder::Options options, absl::string_view text, absl::string_view bytes) {
  EventQueue clock;
  Recorder recorder(clock, options);
  Observer& node = recorder.AddNode("a");
  int64_t start_ns = absl::GetCurrentTimeNanos();
  for (uint64_t i = 0; i < kEvents; ++i) {
    node.Record(Event{i & 1 ? EventKind::kSend : EventKind::kDispatch, 10,
                      static_cast<uint32_t>(i % 100 + 1), static_cast<uint32_t>(i % 77 + 1),
                      static_cast<int32_t>(i), 45, i, text, bytes});
  }
  int64_t end_ns = absl::GetCurrentTimeNanos();
  return static_cast<double>(end_ns - start_ns) / kEvents;
}

}  // namespace
}  // namespace skysim

int main() {
  using skysim::Measure;
  constexpr absl::string_view kPayload = "a packed request of forty-five bytes, or less";
  absl::PrintF("counted                       %5.1f ns\n", Measure({}, "", ""));
  absl::PrintF("counted, payload of 45 bytes  %5.1f ns\n", Measure({}, "", kPayload));
  skysim::Recorder::Options keeping;
  keeping.keeps_events = true;
  absl::PrintF("kept, payload of 45 bytes     %5.1f ns\n", Measure(keeping, "", kPayload));
  absl::PrintF("kept, payload and text        %5.1f ns\n", Measure(keeping, "a>b", kPayload));
}
