#include "tools/command_line.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "tests/tools/fake_runner.h"
#include "tools/files.h"

namespace skysim {
namespace {

// Gives back what it was told to.
class FakeProcess final : public RunningProcess {
 public:
  explicit FakeProcess(std::string output) : output_(std::move(output)) {}
  absl::StatusOr<std::string> Wait() override { return output_; }

 private:
  std::string output_;
};

class FakeSecondProcess final : public SecondProcess {
 public:
  absl::StatusOr<std::unique_ptr<RunningProcess>> Start(const std::vector<std::string>& arguments,
                                                        const std::string& home) override {
    started.push_back(arguments);
    return std::make_unique<FakeProcess>(output);
  }
  std::vector<std::vector<std::string>> started;
  std::string output;
};

// A folder with scenarios, and the command run in this process.
class Command final {
 public:
  Command() {
    const char* parent = getenv("TEST_TMPDIR");
    std::string pattern = absl::StrCat(parent == nullptr ? "/tmp" : parent, "/commandXXXXXX");
    folder = mkdtemp(&pattern[0]);
  }

  std::string Path(const std::string& name) const { return folder + "/" + name; }
  std::string Scenario(const std::string& text) {
    std::string path = Path(absl::StrCat("s", ++scenarios_, ".lua"));
    std::ofstream(path) << text;
    return path;
  }

  // Returns the exit status; `out` and `err` hold what was printed.
  int Execute(std::vector<std::string> words) {
    words.insert(words.begin(), "skysim");
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    std::ostringstream out_stream, err_stream;
    CommandContext context{
        out_stream, err_stream, false, false,
        [] {
          return absl::StatusOr<std::unique_ptr<ScenarioRunner>>(std::make_unique<FakeRunner>());
        },
        second_process, folder, {{"wakeup-unordered", "woken tasks drain in table order"}}};
    int status = RunCommandLine(static_cast<int>(argv.size()), argv.data(), context);
    out = out_stream.str();
    err = err_stream.str();
    return status;
  }

  std::string folder, out, err;
  FakeSecondProcess second_process;

 private:
  int scenarios_ = 0;
};

TEST_CASE("run that passes says verdict, claim, seed, digest, events and times") {
  Command command;

  int status = command.Execute({"run", command.Scenario("claim all is well\nfail 1000\n")});

  CHECK(status == 0);
  CHECK(absl::StartsWith(command.out, "passed  all is well\n"));
  CHECK(absl::StrContains(command.out, "  guarantee  always      holds: held 1 of 1\n"));
  CHECK(absl::StrContains(command.out, "  seed 1, digest "));
  CHECK(absl::StrContains(command.out, ", 2 events, 2ms virtual, "));
  CHECK(command.err.empty());
}

TEST_CASE("run that fails says what, what waits, and the command that repeats it") {
  Command command;
  std::string path = command.Scenario("fail 7\n");

  int status = command.Execute({"run", path, "--seed", "0x7", "--legacy", "wakeup-unordered",
                                "--set", "a=b c", "--any-order", "--workers", "4", "--max-time",
                                "2m"});

  CHECK(status == 1);
  CHECK(absl::StartsWith(command.out, "FAILED  a fake\n  \"holds\" was broken\n"));
  CHECK(absl::StrContains(command.out, "holds: FAILED 1 of 1, first at 1ms\n"
                                       "      expected <1> & \"2\"\n      seen 2, 1\n"));
  CHECK(absl::StrContains(command.out,
                          "still waiting:\n  a :0000000a agent 1: waits for reply of :0000000b, "
                          "session 3 (bank 1), since 0.0015s\n      stack traceback:\n"));
  CHECK(absl::StrContains(command.out, "\n  the story x.lua: waits for sleep, since 0s\n"));
  CHECK(absl::EndsWith(command.out,
                       absl::StrCat("repeat: tools/skysim run ", path,
                                    " --seed 7 --legacy wakeup-unordered --set 'a=b c'"
                                    " --any-order --workers 4 --max-time 120s\n")));
}

TEST_CASE("run that reaches a limit has status 4") {
  Command command;

  CHECK(command.Execute({"run", command.Scenario("limit\n")}) == 4);
  CHECK(absl::StartsWith(command.out, "STOPPED  a fake\n  the virtual time limit was reached\n"));
}

TEST_CASE("run over tcp has no digest, a minute of time, and a command of its own") {
  Command command;
  std::string good = command.Scenario("claim all is well\n"), limit = command.Scenario("limit\n");

  CHECK(command.Execute({"run", good, "--transport", "tcp"}) == 0);
  CHECK(absl::StrContains(command.out, "  over real sockets, "));
  CHECK(!absl::StrContains(command.out, "digest"));
  CHECK(command.Execute({"run", good, "--transport", "tcp", "--json"}) == 0);
  CHECK(absl::StrContains(command.out, "\"transport\":\"tcp\""));
  CHECK(!absl::StrContains(command.out, "digest"));

  CHECK(command.Execute({"run", limit, "--transport", "tcp"}) == 4);
  CHECK(absl::EndsWith(command.out, absl::StrCat("repeat: tools/skysim run ", limit,
                                                 " --seed 1 --transport tcp\n")));
  CHECK(command.Execute({"run", limit, "--transport", "tcp", "--max-time", "1h"}) == 4);
  CHECK(absl::EndsWith(command.out, " --seed 1 --transport tcp --max-time 3600s\n"));
}

TEST_CASE("wrong input is one sentence on stderr, and status 2") {
  Command command;
  std::string good = command.Scenario("claim x\n"), bad = command.Scenario("claim x\nerror\n");
  std::string module = command.Scenario("error module\n");
  std::string text = command.Path("text");
  std::ofstream(text) << "no trace";
  struct {
    std::vector<std::string> words;
    std::string sentence;
  } const kCases[] = {
      {{}, "a subcommand is missing; there are: run, sweep, replay, show, node, zoo"},
      {{"fly"}, "there is no subcommand \"fly\"; there are: run, sweep, replay, show, node, zoo"},
      {{"--fly"}, "a subcommand is missing; there are: run, sweep, replay, show, node, zoo"},
      {{"run"}, "scenario is required"},
      {{"run", "none.lua"}, "there is no scenario file \"none.lua\""},
      {{"run", command.folder}, absl::StrCat("\"", command.folder, "\" is a folder; a scenario is "
                                             "a Lua file")},
      {{"run", bad}, absl::StrCat(bad, ":2: this line is wrong")},
      {{"run", module}, absl::StrCat(module, ":1: this line is wrong: no file 'a'; no file 'b'")},
      {{"run", good, "--seed", "x"}, "--seed: \"x\" is no value for it; it takes a whole number of "
                                     "64 bits, decimal or 0x hexadecimal"},
      {{"run", good, "--workers", "0"},
       "--workers: \"0\" is no value for it; it takes a whole number from 1 to 1024"},
      {{"run", good, "--max-time", "5"}, "--max-time: \"5\" is no value for it; it takes a number "
                                         "and its unit: h, m, s, ms, us or ns, as 1.5s"},
      {{"run", good, "--legacy", "x"},
       "--legacy: there is no switch \"x\"; there are: wakeup-unordered"},
      {{"run", good, "--seeds", "1:2"}, "--seeds: run takes a range with --check-determinism only; "
                                        "use sweep to run many seeds"},
      {{"run", good, "--trace", "/none/t"},
       "cannot write \"/none/t\": No such file or directory"},
      {{"run", good, "--transport", "udp"}, "--transport: udp not in {simulated,tcp}"},
      {{"run", good, "--transport", "tcp", "--trace", "t"},
       "--trace: only a simulated run has that, not one with --transport tcp"},
      {{"run", good, "--transport", "tcp", "--legacy", "wakeup-unordered"},
       "--legacy: only a simulated run has that, not one with --transport tcp"},
      {{"run", good, "--transport", "tcp", "--check-determinism", "--seeds", "1:2"},
       "--check-determinism: only a simulated run has that, not one with --transport tcp"},
      {{"run", good, "--transport", "tcp", "--max-dispatches", "5"},
       "--max-dispatches: only a simulated run has that, not one with --transport tcp"},
      {{"sweep", good}, "which seeds? say --seeds 1:200 or --count 200"},
      {{"sweep", good, "--seeds", "2:1"}, "--seeds: \"2:1\" is no value for it; it takes "
                                          "FIRST:LAST, the last one not below the first"},
      {{"sweep", bad, "--count", "5"}, absl::StrCat(bad, ":2: this line is wrong")},
      {{"sweep", good, "--count", "5", "--junit", "/none/r.xml"},
       "cannot write \"/none/r.xml\": No such file or directory"},
      {{"replay", "none"}, "cannot read \"none\": No such file or directory"},
      {{"replay", text},
       absl::StrCat(text, ": this is not a trace of skysim: it does not begin as one")},
      {{"show", text},
       absl::StrCat(text, ": this is not a trace of skysim: it does not begin as one")},
  };
  for (const auto& c : kCases) {
    INFO(c.sentence);
    CHECK(command.Execute(c.words) == 2);
    CHECK(command.out.empty());
    CHECK(command.err == "skysim: " + c.sentence + "\n");
  }
}

TEST_CASE("legacy switches are listed without a scenario") {
  Command command;

  CHECK(command.Execute({"run", "--legacy", "help"}) == 0);
  CHECK(command.out == "wakeup-unordered       woken tasks drain in table order\n");
}

TEST_CASE("help has examples, for each subcommand") {
  for (const char* name : {"run", "sweep", "replay", "show"}) {
    Command command;
    CHECK(command.Execute({name, "--help"}) == 0);
    CHECK(absl::StrContains(command.out, absl::StrCat("Examples:\n  tools/skysim ",
                                                      absl::StartsWith(name, "re") ? "run" : name)));
  }
}

TEST_CASE("trace replays with the same digest, also under other arguments than the usual") {
  Command command;
  std::string path = command.Scenario("claim x\nfail 7\n"), trace = command.Path("t.skytrace");
  CHECK(command.Execute({"run", path, "--seed", "7", "--trace", trace}) == 1);

  CHECK(command.Execute({"replay", trace}) == 0);
  CHECK(absl::StartsWith(command.out, absl::StrCat("replayed  ", trace,
                                                   ": every event is as recorded\nFAILED  x\n")));
  CHECK(command.Execute({"replay", trace, "--json"}) == 0);
  CHECK(absl::StrContains(command.out, "\"seed\":7"));
}

TEST_CASE("replay of a scenario that changed shows the first different event and its causes") {
  Command command;
  std::string path = command.Scenario("one\ntwo\nthree\n"), trace = command.Path("t.skytrace");
  CHECK(command.Execute({"run", path, "--trace", trace}) == 0);
  std::ofstream(path) << "one\ntwo\nthree changed\n";

  CHECK(command.Execute({"replay", trace}) == 3);
  CHECK(absl::StartsWith(command.out, absl::StrCat("DIVERGED  ", trace, ": the first different "
                                                   "event is 3, in its text\nrecorded:\n")));
  CHECK(absl::StrContains(command.out, "three under 1  <- 2\n  led to by\n"));
  CHECK(absl::StrContains(command.out, "two under 1  <- 1\n"));
  CHECK(absl::StrContains(command.out, "now:\n"));
  CHECK(absl::StrContains(command.out, "three changed under 1  <- 2\n"));
  CHECK(absl::EndsWith(command.out, " is not as it was when the trace was made\n"));
  CHECK(command.Execute({"replay", trace, "--json"}) == 3);
  CHECK(absl::StrContains(command.out, "\"verdict\":\"diverged\",\"index\":3"));
}

TEST_CASE("replay of a run that now ends early says so") {
  Command command;
  std::string path = command.Scenario("one\ntwo\n"), trace = command.Path("t.skytrace");
  CHECK(command.Execute({"run", path, "--trace", trace}) == 0);
  std::ofstream(path) << "one\n";

  CHECK(command.Execute({"replay", trace}) == 3);
  CHECK(absl::StrContains(command.out, "now: ended here, after 1 events\n"));
}

TEST_CASE("show filters by time, kind, node and cause, and counts what it leaves out") {
  Command command;
  std::string trace = command.Path("t.skytrace");
  CHECK(command.Execute({"run", command.Scenario("one\ntwo\nthree\n"), "--trace", trace}) == 0);
  auto lines = [&] { return std::count(command.out.begin(), command.out.end(), '\n'); };

  CHECK(command.Execute({"show", trace}) == 0);
  CHECK(lines() == 1 + 3);
  CHECK(absl::StrContains(command.out, "      2    0.002000000 world      -         story          "
                                       "two under 1  <- 1\n"));
  CHECK(command.Execute({"show", trace, "--from", "2ms", "--to", "2ms"}) == 0);
  CHECK(lines() == 1 + 1);
  CHECK(command.Execute({"show", trace, "--kind", "story,fault", "--node", "world"}) == 0);
  CHECK(lines() == 1 + 3);
  CHECK(command.Execute({"show", trace, "--kind", "send"}) == 0);
  CHECK(lines() == 1);
  CHECK(command.Execute({"show", trace, "--limit", "1"}) == 0);
  CHECK(absl::EndsWith(command.out, "# 2 more\n"));
  CHECK(command.Execute({"show", trace, "--cause", "2", "--json"}) == 0);
  CHECK(lines() == 2);
  CHECK(absl::StartsWith(command.out, "{\"index\":2,\"time_ns\":2000000,\"node\":\"world\","));

  CHECK(command.Execute({"show", trace, "--node", "b"}) == 2);
  CHECK(command.err == "skysim: --node: no node is called \"b\"; there are: world, a\n");
  CHECK(command.Execute({"show", trace, "--cause", "4"}) == 2);
}

TEST_CASE("double run compares the events of both processes") {
  Command command;
  std::string path = command.Scenario("one\n"), trace = command.Path("t.skytrace");
  CHECK(command.Execute({"run", path, "--trace", trace}) == 0);
  command.second_process.output = *ReadFile(trace);

  CHECK(command.Execute({"run", path, "--check-determinism"}) == 0);
  CHECK(absl::StrContains(command.out, "the second process: the same 1 events\n"));
  CHECK(command.second_process.started[0] ==
        std::vector<std::string>{"run", "--trace", "-", "--seed", "1", path});

  std::ofstream(path) << "two\n";
  CHECK(command.Execute({"run", path, "--check-determinism"}) == 3);
  CHECK(absl::StrContains(command.out, "NOT DETERMINISTIC: an event is different\n"));
  CHECK(absl::StrContains(command.out, "in the second process:\n"));

  command.second_process.output = "";
  CHECK(command.Execute({"run", path, "--check-determinism"}) == 3);
}

TEST_CASE("sweep stops at the first failure unless it keeps going") {
  Command command;
  std::string path = command.Scenario("fail 10\n");

  CHECK(command.Execute({"sweep", path, "--count", "100", "--jobs", "1"}) == 1);
  CHECK(absl::StrContains(command.out, "stopped at the first failure"));
  CHECK(absl::StrContains(command.out, absl::StrCat("  seed 10 failed, 1 events: \"holds\" was "
                                                    "broken\n    tools/skysim run ", path,
                                                    " --seed 10\n")));
  CHECK(command.Execute({"sweep", path, "--count", "100", "--keep-going"}) == 1);
  CHECK(absl::StrContains(command.out, "FAILED in 10 of 100 runs, first by seed 10\n"));
  CHECK(command.Execute({"sweep", path, "--seeds", "1:9"}) == 0);
}

TEST_CASE("run prints the configuration before everything else") {
  Command command;
  std::string path = command.Scenario("configuration 3\nfail 2\n");

  CHECK(command.Execute({"run", path}) == 0);
  CHECK(absl::StartsWith(command.out, "configuration {\n  \"workers\": 3\n}\npassed  "));

  CHECK(command.Execute({"run", path, "--json"}) == 0);
  CHECK(absl::StartsWith(command.out, "{\"verdict\""));
  CHECK(absl::StrContains(command.out, "\"configuration\":{\"workers\":3}"));

  CHECK(command.Execute({"run", path, "--print-config"}) == 0);
  CHECK(command.out == "{\n  \"workers\": 3\n}\n");
}

TEST_CASE("sweep prints the configuration of the failure that one looks at first") {
  Command command;
  std::string path = command.Scenario("configuration 3\nfail 2\n");

  CHECK(command.Execute({"sweep", path, "--count", "4", "--keep-going"}) == 1);
  CHECK(absl::StrContains(command.out,
                          "    configuration {\n      \"workers\": 3\n    }\n"));

  CHECK(command.Execute({"sweep", path, "--count", "4", "--keep-going", "--json"}) == 1);
  CHECK(absl::StrContains(command.out, "\"configuration\":{\"workers\":3}"));
}

TEST_CASE("the command that repeats a run names the swarm or the configuration's file") {
  Command command;
  std::string path = command.Scenario("fail 1\n");
  std::string config = command.Path("c.json");
  std::ofstream(config) << "{}";

  CHECK(command.Execute({"run", path, "--swarm"}) == 1);
  CHECK(absl::EndsWith(command.out, absl::StrCat(path, " --seed 1 --swarm\n")));
  CHECK(command.Execute({"run", path, "--config", config}) == 1);
  CHECK(absl::EndsWith(command.out, absl::StrCat(path, " --seed 1 --config ", config, "\n")));
}

TEST_CASE("a second process is told where the configuration is") {
  Command command;
  std::string path = command.Scenario("one\n");
  std::string config = command.Path("c.json");
  std::ofstream(config) << "{}";
  command.Execute({"run", path, "--config", config, "--check-determinism"});

  REQUIRE(command.second_process.started.size() == 1);
  const std::vector<std::string>& words = command.second_process.started[0];
  auto option = std::find(words.begin(), words.end(), "--config");
  REQUIRE(option != words.end());
  CHECK(*(option + 1) == config);
}

TEST_CASE("a configuration that cannot be had is refused") {
  Command command;
  std::string path = command.Scenario("one\n");
  std::string config = command.Path("c.json");
  std::ofstream(config) << "{}";
  std::ofstream(command.Path("empty.json")).flush();

  CHECK(command.Execute({"run", path, "--config", command.Path("none.json")}) == 2);
  CHECK(absl::StrContains(command.err, "none.json"));
  CHECK(command.Execute({"run", path, "--config", command.Path("empty.json")}) == 2);
  CHECK(absl::StrContains(command.err, "empty.json: the file is empty"));
  CHECK(command.Execute({"run", path, "--config", config, "--swarm"}) == 2);
  CHECK(command.err ==
        "skysim: --config: with --swarm the configuration is drawn; give one of them\n");
  for (std::vector<std::string> option :
       {std::vector<std::string>{"--swarm"}, {"--config", config}, {"--print-config"}}) {
    std::string name = option[0];
    option.insert(option.begin(), {"run", path, "--transport", "tcp"});
    CHECK(command.Execute(option) == 2);
    CHECK(command.err == absl::StrCat("skysim: ", name, ": only a simulated run has that, not one "
                                      "with --transport tcp\n"));
  }
  CHECK(command.Execute({"run", path, "--print-config", "--trace", command.Path("t")}) == 2);
  CHECK(command.err == "skysim: --print-config: nothing is run, so there is no --trace\n");
}

TEST_CASE("sweep fails if what must be seen was not, over the whole range") {
  Command command;
  std::string sometimes = command.Scenario("sometimes 50\n");
  std::string allowed = command.Scenario("allowed 2\n");

  CHECK(command.Execute({"sweep", sometimes, "--seeds", "1:49"}) == 1);
  CHECK(absl::StrContains(command.out, "seldom: FAILED: never true in 49 runs\n"));
  CHECK(command.Execute({"sweep", sometimes, "--seeds", "1:50"}) == 0);
  CHECK(command.Execute({"sweep", allowed, "--seeds", "2"}) == 1);
  CHECK(command.Execute({"sweep", allowed, "--seeds", "1:2"}) == 0);
}

TEST_CASE("sweep fails if what is in the catalogue was never judged, and a run only shows it") {
  Command command;
  std::string path = command.Scenario("catalogue 50\n");

  CHECK(command.Execute({"run", path, "--seed", "1"}) == 0);
  CHECK(absl::StrContains(command.out, "corner: never judged\n"));
  CHECK(command.Execute({"sweep", path, "--seeds", "1:49"}) == 1);
  CHECK(absl::StrContains(command.out, "corner: FAILED: never judged in 49 runs\n"));
  CHECK(command.Execute({"sweep", path, "--seeds", "1:50"}) == 0);
  CHECK(absl::StrContains(command.out, "corner: true 1 times, not true 0\n"));
}

TEST_CASE("what is merely usual is shown where it is broken, and fails nothing") {
  Command command;
  std::string path = command.Scenario("usual 5\n");

  CHECK(command.Execute({"run", path, "--seed", "5"}) == 0);
  CHECK(absl::StrContains(command.out, "in order: broken 1 of 1, first at "));
  CHECK(absl::StrContains(command.out, "      expected 1 2, seen 2 1\n"));
  CHECK(command.Execute({"sweep", path, "--seeds", "1:14"}) == 0);
  CHECK(absl::StrContains(command.out, "in order: broken in 2 of 14 runs, first by seed 5\n"
                                       "      expected 1 2, seen 2 1\n"));
}

TEST_CASE("sweep reports a crash as that seed's failure and runs the others") {
  Command command;

  CHECK(command.Execute({"sweep", command.Scenario("crash 5\n"), "--count", "20", "--keep-going",
                         "--json"}) == 1);
  CHECK(absl::StrContains(command.out, "\"end\":\"done\""));
  CHECK(absl::StrContains(command.out, "\"runs\":20"));
  CHECK(absl::StrContains(command.out, "\"seed\":5,\"outcome\":\"crashed\",\"reason\":\"the process "
                                       "that ran it ended with signal 6 (Aborted)\""));
}

TEST_CASE("sweep in which only limits were reached has status 4") {
  Command command;

  CHECK(command.Execute({"sweep", command.Scenario("limit\n"), "--count", "2"}) == 4);
}

TEST_CASE("sweep compares the digests of both processes") {
  Command command;
  std::string path = command.Scenario("one\n");
  CHECK(command.Execute({"sweep", path, "--seeds", "1:5", "--digests"}) == 0);
  command.second_process.output = command.out;

  CHECK(command.Execute({"run", path, "--seeds", "1:5", "--check-determinism"}) == 0);
  CHECK(absl::StrContains(command.out, "the second process: the same events in all 5 runs\n"));

  command.second_process.output = "1 passed 0000000000000000 1\n";
  CHECK(command.Execute({"sweep", path, "--seeds", "1:5", "--check-determinism"}) == 3);
  CHECK(absl::StrContains(command.out, "NOT DETERMINISTIC: 5 of 5 runs differ, the first by seed 1\n"));
}

TEST_CASE("home is what the variable says, or what lies above the program") {
  Command command;
  std::string home = command.Path("home");
  mkdir(home.c_str(), 0755);
  CHECK(FindHome(home.c_str(), "").status().message() ==
        absl::StrCat("SKYSIM_HOME: \"", home, "\" holds no folder lualib"));

  mkdir((home + "/lualib").c_str(), 0755);

  CHECK(*FindHome(home.c_str(), "") == home);
  CHECK(*FindHome(nullptr, home + "/bin/x/skysim") == home);
}

}  // namespace
}  // namespace skysim
