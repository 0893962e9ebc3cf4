#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/log/check.h"
#include "absl/strings/string_view.h"
#include "simnet/trace/trace.h"
#include "simnet/trace/trace_repair.h"

namespace {

// Whatever the bytes are, parsing ends in a trace or in a sentence; and what was read is written in
// one form only.
void Check(absl::string_view bytes) {
  auto trace = skysim::ParseTrace(bytes);
  if (!trace.ok()) {
    CHECK(!trace.status().message().empty());
    return;
  }
  std::string once = skysim::SerializeTrace(*trace);
  auto again = skysim::ParseTrace(once);
  CHECK(again.ok()) << again.status();
  CHECK(skysim::SerializeTrace(*again) == once);
  for (const skysim::RecordedEvent& event : trace->events) CHECK_GT(event.index, 0u);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  Check(skysim::RepairChecksums(bytes));
  return 0;
}
