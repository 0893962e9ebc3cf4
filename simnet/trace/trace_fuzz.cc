#include <cstddef>
#include <cstdint>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"
#include "simnet/trace/trace.h"

// Whatever the bytes are, parsing ends in a trace or in one sentence; and a trace that was read is
// written in one form only.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto trace = skysim::ParseTrace(bytes);
  if (!trace.ok()) {
    CHECK(!trace.status().message().empty());
    return 0;
  }
  std::string once = skysim::SerializeTrace(*trace);
  auto again = skysim::ParseTrace(once);
  CHECK(again.ok()) << again.status();
  CHECK(skysim::SerializeTrace(*again) == once);
  for (const skysim::RecordedEvent& event : trace->events) CHECK_GT(event.index, 0u);
  return 0;
}
