#ifndef SIMNET_CHOICE_CHOICE_SOURCE_H_
#define SIMNET_CHOICE_CHOICE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/node_hash_map.h"
#include "absl/strings/string_view.h"

namespace skysim {

// Names one series of decisions within a run: an index into the run's table of stream names.
using StreamId = uint32_t;

// ChoiceSource makes every decision that the simulated world leaves open. It is the only source of
// chance. Seeded, recorded, shrunk and exhaustive runs differ only in which one they use.
//
// A stream has a stable name ("link/a>b/delay", "node/a/schedule") and its own counter (ordinal). A
// choice of 0 always means: nothing unusual. One thread.
class ChoiceSource {
 public:
  virtual ~ChoiceSource() = default;

  // The id of the stream called `name`, the same for the whole run. Ids count up in order of first
  // use. Look the id up once and keep it: this call hashes a string.
  virtual StreamId Stream(absl::string_view name) = 0;

  // The next decision of `stream`: 0 .. bound-1, uniform if seeded. `bound` >= 1; bound 1 gives 0
  // and still counts.
  virtual uint64_t Choose(StreamId stream, uint64_t bound) = 0;

  // True with probability numerator/denominator if seeded; false is choice 0. Counts as one
  // decision of bound 2, so that what did not happen leaves no record.
  virtual bool ChooseOneIn(StreamId stream, uint64_t numerator, uint64_t denominator) = 0;
};

// One decision that was not 0.
struct Choice {
  std::string stream;
  uint64_t ordinal = 0;  // from 0, counted per stream
  uint64_t bound = 0;
  uint64_t value = 0;
};

// value = f(seed, stream name, ordinal): a counter-based generator, so that a new question in one
// place moves no answer in another. Remembers every choice that was not 0 if asked to.
//
// f: the stream's key mixes the seed with a hash of the name; a decision takes key + (ordinal + 1)
// x an odd constant through two rounds of a 64-bit finalizer (xor-shift-multiply, full avalanche),
// the key added again between them. The result is scaled to the bound by multiply-and-shift; the
// few values that would make it uneven are drawn again under the same ordinal (Lemire 2019, "Fast
// random integer generation in an interval").
class SeededChoices final : public ChoiceSource {
 public:
  SeededChoices(uint64_t seed, bool records);
  StreamId Stream(absl::string_view name) override;
  uint64_t Choose(StreamId stream, uint64_t bound) override;
  bool ChooseOneIn(StreamId stream, uint64_t numerator, uint64_t denominator) override;

  // In the order in which they were made. Empty unless recording.
  std::vector<Choice> Recorded() const;

 private:
  // No more than a choice needs: there are thousands of streams, each used rarely.
  struct StreamState {
    uint64_t key;  // f(seed, name)
    uint64_t ordinal = 0;
  };
  struct Record {
    StreamId stream;
    uint64_t ordinal, bound, value;
  };
  uint64_t seed_;
  bool records_;
  std::vector<StreamState> streams_;
  absl::node_hash_map<std::string, StreamId> ids_;
  std::vector<const std::string*> names_;  // by id; they lie in ids_
  std::vector<Record> recorded_;
};

// Gives recorded choices back, by stream and ordinal, and 0 everywhere else. A recorded value that
// does not fit the bound asked for is taken modulo the bound (the execution has diverged then, and
// the comparison of events says where). Of two choices for one place the first counts.
class RecordedChoices final : public ChoiceSource {
 public:
  explicit RecordedChoices(const std::vector<Choice>& choices);
  StreamId Stream(absl::string_view name) override;
  uint64_t Choose(StreamId stream, uint64_t bound) override;
  bool ChooseOneIn(StreamId stream, uint64_t numerator, uint64_t denominator) override;

 private:
  struct Answer {
    uint64_t ordinal, value;
  };
  struct StreamState {
    std::vector<Answer> answers;  // by ordinal
    size_t next = 0;              // the first answer whose ordinal is still to come
    uint64_t ordinal = 0;
  };
  absl::flat_hash_map<std::string, std::vector<Answer>> unused_;  // of streams not asked for yet
  std::vector<StreamState> streams_;
  absl::flat_hash_map<std::string, StreamId> ids_;
};

}  // namespace skysim

#endif  // SIMNET_CHOICE_CHOICE_SOURCE_H_
