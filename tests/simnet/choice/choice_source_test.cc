#include "simnet/choice/choice_source.h"

#include <cstdint>
#include <string>
#include <vector>

#include "catch2/catch_test_macros.hpp"

namespace skysim {
namespace {

std::vector<uint64_t> Take(ChoiceSource& source, absl::string_view stream, int count,
                           uint64_t bound) {
  const StreamId id = source.Stream(stream);
  std::vector<uint64_t> values;
  for (int i = 0; i < count; ++i) values.push_back(source.Choose(id, bound));
  return values;
}

TEST_CASE("seeded choices repeat for the same seed and differ for another") {
  SeededChoices a(7, false), b(7, false), c(8, false);

  const auto first = Take(a, "link/a>b/delay", 100, 1'000'000);

  CHECK(first == Take(b, "link/a>b/delay", 100, 1'000'000));
  CHECK(first != Take(c, "link/a>b/delay", 100, 1'000'000));
}

TEST_CASE("a question in one stream moves no answer in another") {
  SeededChoices alone(1, false), busy(1, false);
  const auto expected = Take(alone, "a", 100, 1000);

  const StreamId other = busy.Stream("b");
  const StreamId stream = busy.Stream("a");
  std::vector<uint64_t> values;
  for (int i = 0; i < 100; ++i) {
    for (int j = 0; j < i % 3; ++j) busy.Choose(other, 10);
    values.push_back(busy.Choose(stream, 1000));
  }

  CHECK(values == expected);
}

TEST_CASE("stream ids count up in order of first use") {
  SeededChoices seeded(1, false);
  RecordedChoices recorded({{"z", 0, 2, 1}, {"a", 0, 2, 1}});

  for (ChoiceSource* source : {static_cast<ChoiceSource*>(&seeded),
                               static_cast<ChoiceSource*>(&recorded)}) {
    CHECK(source->Stream("a") == 0);
    CHECK(source->Stream("z") == 1);
    CHECK(source->Stream("a") == 0);
  }
}

TEST_CASE("seeded choices are uniform over a bound that is no power of two") {
  SeededChoices source(3, false);
  std::vector<int> counts(7);

  for (uint64_t value : Take(source, "s", 70'000, 7)) ++counts[value];

  // 10 000 expected, standard deviation 93: six of them on each side.
  for (int count : counts) {
    CHECK(count > 9'440);
    CHECK(count < 10'560);
  }
}

TEST_CASE("seeded choices stay even where the bound nearly fills 64 bits") {
  SeededChoices source(3, false);
  const uint64_t bound = uint64_t{3} << 62;  // a plain modulus would give the lowest third twice
  int low = 0;

  for (uint64_t value : Take(source, "s", 30'000, bound)) low += value < bound / 3;

  CHECK(low > 9'500);  // 10 000 expected, standard deviation 82
  CHECK(low < 10'500);
}

TEST_CASE("neighbouring streams, seeds and ordinals share no pattern") {
  SeededChoices source(1, false), next(2, false);
  const auto a = Take(source, "conn/1", 10'000, 2), b = Take(source, "conn/2", 10'000, 2),
             c = Take(next, "conn/1", 10'000, 2);
  int same_stream = 0, same_seed = 0, repeats = 0;

  for (size_t i = 0; i < a.size(); ++i) {
    same_stream += a[i] == b[i];
    same_seed += a[i] == c[i];
    repeats += i > 0 && a[i] == a[i - 1];
  }

  for (int count : {same_stream, same_seed, repeats}) {  // half of them, standard deviation 50
    CHECK(count > 4'700);
    CHECK(count < 5'300);
  }
}

TEST_CASE("a bound of one gives 0 and still counts") {
  SeededChoices plain(5, false), counted(5, false);
  const auto expected = Take(plain, "s", 3, 1000);

  const StreamId stream = counted.Stream("s");

  CHECK(counted.Choose(stream, 1) == 0);
  CHECK(counted.Choose(stream, 1000) == expected[1]);
}

TEST_CASE("one in has its probability, and leaves a record only where it happened") {
  SeededChoices source(1, true);
  const StreamId stream = source.Stream("loss");

  CHECK_FALSE(source.ChooseOneIn(stream, 0, 10));
  CHECK(source.Recorded().empty());
  CHECK(source.ChooseOneIn(stream, 10, 10));
  REQUIRE(source.Recorded().size() == 1);
  CHECK(source.Recorded()[0].ordinal == 1);

  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += source.ChooseOneIn(stream, 3, 10);
  CHECK(hits > 29'000);  // 30 000 expected, standard deviation 145
  CHECK(hits < 31'000);
}

TEST_CASE("choice 0 means nothing unusual: with no recorded choices nothing is drawn") {
  RecordedChoices none({});
  const StreamId stream = none.Stream("loss");

  for (int i = 0; i < 100; ++i) {
    CHECK(none.Choose(stream, 10) == 0);
    CHECK_FALSE(none.ChooseOneIn(stream, 9, 10));
  }
}

TEST_CASE("recorded choices give a seeded run back") {
  SeededChoices seeded(11, true);
  const auto a = Take(seeded, "a", 50, 3);
  const auto b = Take(seeded, "b", 50, 1000);

  const StreamId loss = seeded.Stream("loss");
  std::vector<bool> losses;
  for (int i = 0; i < 100; ++i) losses.push_back(seeded.ChooseOneIn(loss, 1, 3));

  RecordedChoices recorded(seeded.Recorded());
  const StreamId loss_again = recorded.Stream("loss");

  for (bool is_lost : losses) CHECK(recorded.ChooseOneIn(loss_again, 1, 3) == is_lost);
  CHECK(Take(recorded, "b", 50, 1000) == b);
  CHECK(Take(recorded, "a", 50, 3) == a);
  CHECK(Take(recorded, "a", 50, 3) == std::vector<uint64_t>(50, 0));  // past the recorded end
}

TEST_CASE("recording keeps what was not 0, in the order of asking") {
  SeededChoices seeded(11, true);
  Take(seeded, "a", 20, 2);
  Take(seeded, "b", 20, 2);

  const std::vector<Choice> choices = seeded.Recorded();

  REQUIRE(choices.size() > 10);
  CHECK(choices.front().stream == "a");
  CHECK(choices.back().stream == "b");
  for (const Choice& choice : choices) CHECK(choice.value == 1);
}

TEST_CASE("a recorded value is taken modulo the bound asked for") {
  RecordedChoices recorded({{"s", 2, 100, 57}});
  const StreamId stream = recorded.Stream("s");

  CHECK(recorded.Choose(stream, 10) == 0);
  CHECK(recorded.Choose(stream, 10) == 0);
  CHECK(recorded.Choose(stream, 10) == 7);
}

TEST_CASE("of two recorded choices for one place the first counts, and the next is not lost") {
  RecordedChoices recorded({{"s", 1, 10, 4}, {"s", 0, 10, 2}, {"s", 0, 10, 3}});
  const StreamId stream = recorded.Stream("s");

  CHECK(recorded.Choose(stream, 10) == 2);
  CHECK(recorded.Choose(stream, 10) == 4);
}

}  // namespace
}  // namespace skysim
