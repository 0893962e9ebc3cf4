#include "tests/tools/fake_runner.h"

#include <stdlib.h>
#include <unistd.h>

#include <climits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "simnet/trace/recorder.h"
#include "tools/files.h"

namespace skysim {
namespace {

class Nothing final : public Happening {
 public:
  void Happen(uint64_t argument) override {}
};

uint64_t Number(absl::string_view text) {
  uint64_t number = 1;
  return absl::SimpleAtoi(text, &number) && number > 0 ? number : 1;
}

std::string WorkingFolder() {
  char folder[PATH_MAX];
  return getcwd(folder, sizeof folder) == nullptr ? "" : folder;
}

PropertyResult Judged(PropertyKind kind, ClaimKind claim, std::string name, bool is_true) {
  PropertyResult property;
  property.kind = kind;
  property.claim = claim;
  property.name = std::move(name);
  property.passed = is_true ? 1 : 0;
  property.failed = is_true ? 0 : 1;
  return property;
}

// One run: the lines in order, a millisecond each.
class FakeRun final {
 public:
  explicit FakeRun(const RunOptions& options)
      : options_(options), recorder_(clock_, RecorderOptions(options)) {
    recorder_.AddNode("a");
    result_.scenario = "a fake";
  }

  absl::Status Line(int number, absl::string_view line) {
    std::pair<absl::string_view, absl::string_view> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    clock_.Schedule(clock_.NowNs() + 1'000'000, &nothing_, 0);
    clock_.RunNext();
    if (options_.log) options_.log(clock_.NowNs(), "a", line);
    if (words.first == "error") {
      return absl::InvalidArgumentError(
          absl::StrCat(options_.scenario_path, ":", number, ": this line is wrong",
                       words.second == "module" ? ":\n\tno file 'a'\n\tno file 'b'" : ""));
    }
    Do(words.first, words.second);
    Record(line);
    return absl::OkStatus();
  }

  RunResult Finish(const std::string& text) {
    recorder_.Finish();
    result_.digest = recorder_.digest();
    result_.events = recorder_.count();
    result_.virtual_ns = clock_.NowNs();
    result_.divergence = recorder_.divergence();
    if (result_.divergence.has_value()) result_.verdict = Verdict::kDiverged;
    result_.trace.scenario_text = text;
    result_.trace.nodes = recorder_.node_names();
    result_.trace.events = recorder_.events();
    return std::move(result_);
  }

 private:
  static Recorder::Options RecorderOptions(const RunOptions& options) {
    Recorder::Options recorder;
    recorder.keeps_events = options.keeps_events;
    if (options.replay != nullptr) recorder.expected = &options.replay->events;
    return recorder;
  }

  void Do(absl::string_view word, absl::string_view rest) {
    bool is_divided = options_.seed % Number(rest) == 0;
    if (word == "claim") result_.scenario = std::string(rest);
    if (word == "sleep") usleep(static_cast<useconds_t>(Number(rest) * 1000));
    if (word == "crash" && Number(rest) == options_.seed) abort();
    if (word == "limit") {
      result_.verdict = Verdict::kLimit;
      result_.reason = "the virtual time limit was reached";
    }
    if (word == "configuration") {
      result_.configuration = absl::StrCat("{\n  \"workers\": ", rest, "\n}\n");
      result_.is_configured = true;
      if (options_.configured) options_.configured(result_.configuration);
    }
    if (word == "sometimes") {
      result_.properties.push_back(
          Judged(PropertyKind::kSometimes, ClaimKind::kGuarantee, "seldom", is_divided));
    }
    if (word == "allowed") {
      result_.properties.push_back(
          Judged(PropertyKind::kSometimes, ClaimKind::kAllowed, "either way", is_divided));
    }
    if (word == "catalogue") {
      result_.properties.push_back(
          Judged(PropertyKind::kSometimes, ClaimKind::kGuarantee, "corner", is_divided));
      result_.properties.back().failed = 0;
    }
    if (word == "usual") {
      result_.properties.push_back(
          Judged(PropertyKind::kAlways, ClaimKind::kUsual, "in order", !is_divided));
      if (is_divided) result_.properties.back().detail = "expected 1 2, seen 2 1";
    }
    if (word == "fail") Fail(is_divided);
    if (word == "with") Fail(!options_.legacy.empty() && (is_divided || IsScripted()));
    if (word == "leak-environment") {
      const char* padding = getenv("SKYSIM_PADDING");
      Record(absl::StrCat("environment ", padding == nullptr ? "bare" : padding));
    }
    if (word == "leak-folder") Record(absl::StrCat("folder ", WorkingFolder()));
  }

  bool IsScripted() const {
    for (const auto& [key, value] : options_.settings) {
      if (key == "schedule" && value == "scripted") return true;
    }
    return false;
  }

  void Fail(bool is_broken) {
    PropertyResult property =
        Judged(PropertyKind::kAlways, ClaimKind::kGuarantee, "holds", !is_broken);
    if (is_broken) {
      property.detail = "expected <1> & \"2\"\nseen 2, 1";
      property.failed_ns = clock_.NowNs();
      result_.verdict = Verdict::kFailed;
      result_.reason = "\"holds\" was broken";
      result_.waiting.push_back({"a", 10, "agent 1", "reply of :0000000b, session 3", 1'500'000,
                                 "stack traceback:\n\tagent.lua:7", 3, true, "bank 1"});
      result_.waiting.push_back({"story", 0, "x.lua", "sleep", 0, "", 1, false, ""});
    }
    result_.properties.push_back(std::move(property));
  }

  void Record(absl::string_view text) {
    std::string with_seed = absl::StrCat(text, " under ", options_.seed);
    last_ = recorder_.world().Record(
        Event{EventKind::kStory, 0, 0, 0, 0, 0, last_, with_seed, absl::string_view()});
  }

  const RunOptions& options_;
  EventQueue clock_;
  Nothing nothing_;
  Recorder recorder_;
  RunResult result_;
  uint64_t last_ = 0;
};

}  // namespace

absl::StatusOr<ScenarioFacts> FakeRunner::Read(const RunOptions& options) {
  absl::StatusOr<std::string> text = ReadFile(options.scenario_path);
  if (!text.ok()) return text.status();
  ScenarioFacts facts{"a fake", "guarantee", "a fake", ""};
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    std::pair<absl::string_view, absl::string_view> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 1));
    if (words.first == "claim") facts.claim = std::string(words.second);
    if (words.first == "switch") facts.legacy = std::string(words.second);
    if (words.first == "error") return absl::InvalidArgumentError("this file is wrong");
  }
  return facts;
}

absl::StatusOr<RunResult> FakeRunner::Run(const RunOptions& options) {
  absl::StatusOr<std::string> text = ReadFile(options.scenario_path);
  if (!text.ok()) return text.status();
  FakeRun run(options);
  int number = 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    number += 1;
    if (line.empty()) continue;
    absl::Status status = run.Line(number, line);
    if (!status.ok()) return status;
  }
  return run.Finish(*text);
}

}  // namespace skysim
