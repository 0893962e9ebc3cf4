// The verbs of the simulated network: what they do in a story, and the one sentence that says what
// is wrong with one. The story's first line is line 22.

#include <string>
#include <vector>

#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

struct Mistake {
  std::string text, sentence;
};

class NetworkVerbs : public ScenarioFixture {
 protected:
  void ExpectMistakes(const std::vector<Mistake>& mistakes) {
    for (const Mistake& mistake : mistakes) {
      CHECK(ErrorOf(Story(mistake.text)) == "x.lua:22: " + mistake.sentence);
    }
  }
};

TEST_CASE_METHOD(NetworkVerbs, "a field of a link that makes no sense is named with its line") {
  const std::string link = "world:link('a', 'b')";
  ExpectMistakes({
      {link + ":jitter('-1ms')", "a duration cannot be negative: \"-1ms\""},
      {link + ":jitter(5)", "a duration needs a unit, like \"5ms\" or \"5s\", not the number 5"},
      {link + ":loss('much')", "a probability looks like \"1%\" or \"1/200\", not \"much\""},
      {link + ":loss {}", "loss is a share like \"1%\", or sim.bursts { ... }"},
      {link + ":loss(sim.bursts { leave = '1/10' })",
       "sim.bursts needs a table like { enter = \"1/1000\", leave = \"1/10\", loss = 1, "
       "calm_loss = 0 }; enter is required"},
      {link + ":loss(sim.bursts { enter = '1/10', often = 1 })",
       "sim.bursts has no \"often\"; it has calm_loss, enter, leave, loss"},
      {link + ":loss(sim.bursts { enter = 2 })",
       "a probability looks like \"1%\" or \"1/200\", not 2"},
      {link + ":queue('some')", "queue is a number of bytes, like 4096 or \"64KB\", not \"some\""},
      {link + ":queue(-1)", "queue is a number of bytes from 0 to 1073741824, not -1"},
      {link + ":mss(0)", "mss is a number of bytes from 1 to 65536, not 0"},
      {link + ":mtu(67)", "mtu is a number of bytes from 68 to 65536, not 67"},
      {link + ":window(0)", "window is a number of bytes from 1 to 1073741824, not 0"},
      {link + ":send_buffer('2GiB')",
       "send_buffer is a number of bytes from 1 to 1073741824, not \"2GiB\""},
  });
}

}  // namespace
}  // namespace skysim
