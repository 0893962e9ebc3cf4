#include "tools/seed_result.h"

#include <utility>

#include "absl/status/status.h"
#include "simnet/trace/bytes.h"

namespace skysim {
namespace {

SeedResult::Outcome OutcomeOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPassed:
      return SeedResult::Outcome::kPassed;
    case Verdict::kLimit:
      return SeedResult::Outcome::kLimit;
    case Verdict::kFailed:
    case Verdict::kDiverged:  // a sweep replays nothing
      break;
  }
  return SeedResult::Outcome::kFailed;
}

void WriteProperty(ByteWriter& out, const PropertyResult& property) {
  out.U8(static_cast<uint8_t>(property.kind));
  out.U8(static_cast<uint8_t>(property.claim));
  out.Text(property.name);
  out.Varint(property.passed);
  out.Varint(property.failed);
  out.Text(property.detail);
  out.Signed(property.failed_ns);
}

PropertyResult ReadProperty(ByteReader& in) {
  PropertyResult property;
  property.kind = static_cast<PropertyKind>(in.U8());
  property.claim = static_cast<ClaimKind>(in.U8());
  property.name = std::string(in.Text());
  property.passed = in.Varint();
  property.failed = in.Varint();
  property.detail = std::string(in.Text());
  property.failed_ns = in.Signed();
  return property;
}

}  // namespace

std::string OutcomeName(SeedResult::Outcome outcome) {
  switch (outcome) {
    case SeedResult::Outcome::kPassed:
      return "passed";
    case SeedResult::Outcome::kFailed:
      return "failed";
    case SeedResult::Outcome::kLimit:
      return "limit";
    case SeedResult::Outcome::kError:
      return "error";
    case SeedResult::Outcome::kCrashed:
      return "crashed";
  }
  return "unknown";
}

SeedResult MakeSeedResult(uint64_t seed, const absl::StatusOr<RunResult>& run, int64_t wall_ns) {
  SeedResult result;
  result.seed = seed;
  result.wall_ns = wall_ns;
  if (!run.ok()) {
    result.outcome = SeedResult::Outcome::kError;
    result.reason = std::string(run.status().message());
    return result;
  }
  result.outcome = OutcomeOf(run->verdict);
  result.reason = run->reason;
  result.scenario = run->scenario;
  bool is_shown = run->is_configured && run->verdict != Verdict::kPassed;
  if (is_shown) result.configuration = run->configuration;
  result.digest = run->digest;
  result.events = run->events;
  result.virtual_ns = run->virtual_ns;
  result.properties = run->properties;
  return result;
}

std::string SerializeSeedResult(const SeedResult& result) {
  ByteWriter out;
  out.U64(result.seed);
  out.U8(static_cast<uint8_t>(result.outcome));
  out.Text(result.reason);
  out.Text(result.scenario);
  out.Text(result.configuration);
  out.U64(result.digest);
  out.Varint(result.events);
  out.Signed(result.virtual_ns);
  out.Signed(result.wall_ns);
  out.Varint(result.properties.size());
  for (const PropertyResult& property : result.properties) WriteProperty(out, property);
  return out.Take();
}

absl::StatusOr<SeedResult> ParseSeedResult(absl::string_view bytes) {
  ByteReader in(bytes);
  SeedResult result;
  result.seed = in.U64();
  result.outcome = static_cast<SeedResult::Outcome>(in.U8());
  result.reason = std::string(in.Text());
  result.scenario = std::string(in.Text());
  result.configuration = std::string(in.Text());
  result.digest = in.U64();
  result.events = in.Varint();
  result.virtual_ns = in.Signed();
  result.wall_ns = in.Signed();
  for (uint64_t left = in.Varint(); left > 0 && in.ok(); --left) {
    result.properties.push_back(ReadProperty(in));
  }
  if (!in.IsAtEnd()) return absl::DataLossError("the report of a worker is not whole");
  return result;
}

}  // namespace skysim
