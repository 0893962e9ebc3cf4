#include "simnet/choice/choice_source.h"

#include <algorithm>
#include <utility>

#include "absl/log/check.h"

namespace skysim {
namespace {

// 2^64 / golden ratio: odd, so that counting by it visits every 64-bit value.
constexpr uint64_t kIncrement = 0x9e3779b97f4a7c15;

// The 64-bit finalizer of splitmix64 (Stafford's variant 13): a bijection in which each input bit
// changes each output bit with a probability near one half.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Own hash of a name: absl::Hash differs from process to process.
uint64_t HashName(absl::string_view name) {
  uint64_t hash = Mix(name.size() + kIncrement);
  for (unsigned char byte : name) hash = Mix(hash ^ byte) + kIncrement;
  return hash;
}

uint64_t Draw(uint64_t key, uint64_t ordinal) {
  return Mix(Mix(key + (ordinal + 1) * kIncrement) + key);
}

// 0 .. bound-1 from a uniform draw.
uint64_t ScaleToBound(uint64_t key, uint64_t ordinal, uint64_t bound) {
  uint64_t draw = Draw(key, ordinal);
  unsigned __int128 product = static_cast<unsigned __int128>(draw) * bound;
  if (static_cast<uint64_t>(product) < bound) {
    const uint64_t uneven = (0 - bound) % bound;  // 2^64 mod bound
    while (static_cast<uint64_t>(product) < uneven) {
      draw = Mix(draw + key + kIncrement);
      product = static_cast<unsigned __int128>(draw) * bound;
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

}  // namespace

SeededChoices::SeededChoices(uint64_t seed, bool records) : seed_(seed), records_(records) {}

StreamId SeededChoices::Stream(absl::string_view name) {
  const auto [it, is_new] = ids_.try_emplace(name, static_cast<StreamId>(streams_.size()));
  if (is_new) {
    const uint64_t key = Mix(Mix(seed_ + kIncrement) ^ HashName(name));
    streams_.push_back({key, 0});
    names_.push_back(&it->first);
  }
  return it->second;
}

uint64_t SeededChoices::Choose(StreamId stream, uint64_t bound) {
  CHECK_LT(stream, streams_.size());
  CHECK_GE(bound, 1u);
  StreamState& state = streams_[stream];
  const uint64_t ordinal = state.ordinal++;
  if (bound == 1) return 0;
  const uint64_t value = ScaleToBound(state.key, ordinal, bound);
  if (records_ && value != 0) recorded_.push_back({stream, ordinal, bound, value});
  return value;
}

bool SeededChoices::ChooseOneIn(StreamId stream, uint64_t numerator, uint64_t denominator) {
  CHECK_LT(stream, streams_.size());
  CHECK_LE(numerator, denominator);
  CHECK_GE(denominator, 1u);
  StreamState& state = streams_[stream];
  const uint64_t ordinal = state.ordinal++;
  const bool value = ScaleToBound(state.key, ordinal, denominator) < numerator;
  if (records_ && value) recorded_.push_back({stream, ordinal, 2, 1});
  return value;
}

std::vector<Choice> SeededChoices::Recorded() const {
  std::vector<Choice> choices;
  choices.reserve(recorded_.size());
  for (const Record& record : recorded_) {
    choices.push_back({*names_[record.stream], record.ordinal, record.bound, record.value});
  }
  return choices;
}

RecordedChoices::RecordedChoices(const std::vector<Choice>& choices) {
  for (const Choice& choice : choices) {
    unused_[choice.stream].push_back({choice.ordinal, choice.value});
  }
  // Each list is sorted by itself: the order in which the map is walked cannot be seen.
  for (auto& [name, answers] : unused_) {
    std::stable_sort(answers.begin(), answers.end(),
                     [](const Answer& a, const Answer& b) { return a.ordinal < b.ordinal; });
  }
}

StreamId RecordedChoices::Stream(absl::string_view name) {
  const auto [it, is_new] = ids_.try_emplace(name, static_cast<StreamId>(streams_.size()));
  if (is_new) {
    StreamState& state = streams_.emplace_back();
    const auto answers = unused_.find(name);
    if (answers != unused_.end()) state.answers = std::move(answers->second);
  }
  return it->second;
}

uint64_t RecordedChoices::Choose(StreamId stream, uint64_t bound) {
  CHECK_LT(stream, streams_.size());
  CHECK_GE(bound, 1u);
  StreamState& state = streams_[stream];
  const uint64_t ordinal = state.ordinal++;
  const std::vector<Answer>& answers = state.answers;
  if (state.next == answers.size() || answers[state.next].ordinal != ordinal) return 0;
  const uint64_t value = answers[state.next].value;
  while (state.next < answers.size() && answers[state.next].ordinal == ordinal) ++state.next;
  return value % bound;
}

bool RecordedChoices::ChooseOneIn(StreamId stream, uint64_t, uint64_t) {
  return Choose(stream, 2) == 1;
}

}  // namespace skysim
