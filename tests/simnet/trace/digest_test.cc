#include "simnet/trace/digest.h"

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

uint64_t DigestOf(int64_t time_ns, uint32_t node, const Event& event, uint64_t bytes_hash = 0) {
  EventDigest digest;
  digest.Fold(time_ns, node, event, bytes_hash);
  return digest.value();
}

TEST_CASE("hash of bytes is the same on every machine") {
  // Computed by the words of format.md in another language.
  CHECK(HashBytes("") == 0x41110e4e92675db3);
  CHECK(HashBytes("a") == 0x14e169b3bb1585ab);
  CHECK(HashBytes("12345678") == 0xe0927dd44269c1cc);
  CHECK(HashBytes("0123456789abcdef") == 0x9224885c8fabc23c);
  CHECK(HashBytes("0123456789abcdef0") == 0x25b47a9ee6963a02);
  CHECK(HashBytes("a request that is longer than two words of sixteen") == 0x4ecedb84b04e7f63);
}

TEST_CASE("hash of bytes differs for each length of zeros and each flipped bit") {
  std::set<uint64_t> seen;
  std::string zeros(70, '\0');
  for (size_t size = 0; size <= zeros.size(); ++size) seen.insert(HashBytes(zeros.substr(0, size)));
  for (size_t bit = 0; bit < zeros.size() * 8; ++bit) {
    std::string flipped = zeros;
    flipped[bit / 8] = static_cast<char>(1 << bit % 8);
    seen.insert(HashBytes(flipped));
  }

  CHECK(seen.size() == 71 + 70 * 8);
}

TEST_CASE("digest is the same on every machine") {
  EventDigest digest;
  CHECK(digest.value() == 0x5a1d42f5a0cfb787);

  digest.Fold(1'500, 2, Event{EventKind::kSend, 10, 0x0a, 0x0b, -3, 45, 7, "a>b", ""}, 99);
  CHECK(digest.value() == 0x7d351bfcdedecda4);
}

TEST_CASE("digest depends on every field") {
  const Event base{EventKind::kSend, 10, 1, 2, 3, 4, 5, "text", ""};
  std::set<uint64_t> seen = {DigestOf(6, 7, base, 8), DigestOf(7, 7, base, 8),
                             DigestOf(6, 8, base, 8), DigestOf(6, 7, base, 9)};
  const std::function<void(Event&)> changes[] = {
      [](Event& e) { e.kind = EventKind::kDispatch; }, [](Event& e) { e.type = 11; },
      [](Event& e) { e.service = 2; }, [](Event& e) { e.peer = 1; },
      [](Event& e) { e.session = -3; }, [](Event& e) { e.size = 5; },
      [](Event& e) { e.cause = 4; },   [](Event& e) { e.text = "Text"; },
  };
  for (const auto& change : changes) {
    Event changed = base;
    change(changed);
    seen.insert(DigestOf(6, 7, changed, 8));
  }

  CHECK(seen.size() == 4 + 8);
}

TEST_CASE("digest depends on the order of events") {
  const Event first{EventKind::kSend, 0, 1, 0, 0, 0, 0, "", ""};
  const Event second{EventKind::kSend, 0, 2, 0, 0, 0, 0, "", ""};
  EventDigest one, other;

  one.Fold(0, 1, first, 0);
  one.Fold(0, 1, second, 0);
  other.Fold(0, 1, second, 0);
  other.Fold(0, 1, first, 0);

  CHECK(one.value() != other.value());
}

}  // namespace
}  // namespace skysim
