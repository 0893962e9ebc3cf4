// Any bytes as a trace file. With an even first byte they are the file; with an odd one they are
// cut into the payloads of its sections, whose frames and checksums are right: else nothing would
// come past the checksums. What is read can be written and read again, and is the same then.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/crc/crc32c.h"
#include "absl/log/check.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "simnet/trace/bytes.h"
#include "simnet/trace/trace.h"

namespace skysim {
namespace {

constexpr absl::string_view kMagic("\x89SKYTR\r\n", 8);
constexpr const char* kTags[] = {"RUN.", "CHOI", "NODE", "TEXT", "EVNT", "END."};

std::string Checked(absl::string_view bytes) {
  ByteWriter checksum;
  checksum.U32(static_cast<uint32_t>(absl::ComputeCrc32c(bytes)));
  return absl::StrCat(bytes, checksum.bytes());
}

// Each section takes as many bytes as its first two say.
std::string Framed(absl::string_view bytes) {
  ByteWriter version;
  version.U32(kTraceVersion);
  std::string file = Checked(absl::StrCat(kMagic, version.bytes()));
  for (const char* tag : kTags) {
    const size_t low = bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]);
    const size_t high = bytes.size() < 2 ? 0 : static_cast<unsigned char>(bytes[1]);
    bytes = bytes.substr(bytes.size() < 2 ? bytes.size() : 2);
    const absl::string_view payload = bytes.substr(0, high * 256 + low);
    bytes = bytes.substr(payload.size());
    ByteWriter size;
    size.U64(payload.size());
    absl::StrAppend(&file, Checked(absl::StrCat(tag, size.bytes())), Checked(payload));
  }
  return file;
}

void Check(absl::string_view file) {
  const absl::StatusOr<Trace> trace = ParseTrace(file);
  if (!trace.ok()) return;
  const std::string written = SerializeTrace(*trace);
  const absl::StatusOr<Trace> again = ParseTrace(written);
  CHECK(again.ok()) << again.status();
  CHECK(SerializeTrace(*again) == written);
}

}  // namespace
}  // namespace skysim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    skysim::Check(bytes);
  } else {
    skysim::Check(skysim::Framed(bytes));
  }
  return 0;
}
