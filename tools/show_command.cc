#include "tools/show_command.h"

#include <algorithm>
#include <limits>
#include <ostream>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "simnet/trace/describe.h"
#include "simnet/trace/event_names.h"
#include "tools/arguments.h"
#include "tools/files.h"
#include "tools/report.h"

namespace skysim {
namespace {

constexpr const char* kExamples = R"(Examples:
  tools/skysim show t.skytrace
  tools/skysim show t.skytrace --node gate --service :0000000a --from 1.5s --to 1.52s
  tools/skysim show t.skytrace --kind fault,node-stop,property
  tools/skysim show t.skytrace --cause 4123
  tools/skysim show t.skytrace --kind send --limit 20 --json

Each line is an event: its number, virtual time in seconds, node, service, kind, what happened, and
after <- the number of the event that led to it.)";

// What a trace's events are asked for.
struct Filter {
  std::vector<uint32_t> nodes, services;  // empty: all
  std::vector<EventKind> kinds;
  int64_t from_ns = std::numeric_limits<int64_t>::min();
  int64_t to_ns = std::numeric_limits<int64_t>::max();

  bool Matches(const RecordedEvent& event) const {
    auto has = [](const auto& list, auto value) {
      return std::find(list.begin(), list.end(), value) != list.end();
    };
    return (nodes.empty() || has(nodes, event.node)) &&
           (services.empty() || has(services, event.service) || has(services, event.peer)) &&
           (kinds.empty() || has(kinds, event.kind)) && event.time_ns >= from_ns &&
           event.time_ns <= to_ns;
  }
};

absl::StatusOr<uint32_t> FindNode(const std::string& name, const Trace& trace) {
  auto at = std::find(trace.nodes.begin(), trace.nodes.end(), name);
  if (at != trace.nodes.end()) return static_cast<uint32_t>(at - trace.nodes.begin());
  return absl::InvalidArgumentError(absl::StrCat("--node: no node is called \"", name,
                                                 "\"; there are: ",
                                                 absl::StrJoin(trace.nodes, ", ")));
}

absl::StatusOr<EventKind> FindKind(absl::string_view name) {
  std::string known;
  for (const EventName& entry : kEventNames) {
    if (entry.name == name) return entry.kind;
    absl::StrAppend(&known, known.empty() ? "" : ", ", entry.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--kind: there is no kind \"", name, "\"; there are: ", known));
}

absl::StatusOr<Filter> MakeFilter(const ShowCommand& command, const Trace& trace) {
  Filter filter;
  for (const std::string& name : command.nodes) {
    absl::StatusOr<uint32_t> node = FindNode(name, trace);
    if (!node.ok()) return node.status();
    filter.nodes.push_back(*node);
  }
  for (const std::string& text : command.services) {
    absl::StatusOr<uint32_t> handle = ParseHandle("--service", text);
    if (!handle.ok()) return handle.status();
    filter.services.push_back(*handle);
  }
  for (const std::string& list : command.kinds) {
    for (absl::string_view name : absl::StrSplit(list, ',')) {
      absl::StatusOr<EventKind> kind = FindKind(name);
      if (!kind.ok()) return kind.status();
      filter.kinds.push_back(*kind);
    }
  }
  if (!command.from.empty()) {
    absl::StatusOr<int64_t> from = ParseDuration("--from", command.from);
    if (!from.ok()) return from.status();
    filter.from_ns = *from;
  }
  if (!command.to.empty()) {
    absl::StatusOr<int64_t> to = ParseDuration("--to", command.to);
    if (!to.ok()) return to.status();
    filter.to_ns = *to;
  }
  return filter;
}

// Prints events until the limit; counts those behind it.
class Printer final {
 public:
  Printer(const ShowCommand& command, const Trace& trace, uint64_t limit,
          const CommandContext& context)
      : command_(command), trace_(trace), limit_(limit), context_(context) {}

  void Print(const RecordedEvent& event) {
    if (++count_ > limit_) return;
    context_.out << (command_.prints_json ? EventJson(event, trace_.nodes)
                                          : DescribeEvent(event, trace_.nodes))
                 << "\n";
  }
  void PrintHead() const {
    if (command_.prints_json) return;
    context_.out << "# " << trace_.scenario_path << ", seed " << trace_.seed << ", "
                 << trace_.events.size() << " events, digest " << FormatDigest(trace_.digest)
                 << ", " << trace_.verdict << "\n";
  }
  void PrintTail() const {
    if (command_.prints_json) return;
    if (count_ > limit_) context_.out << "# " << count_ - limit_ << " more\n";
    if (trace_.events.dropped() > 0) {
      context_.out << "# the run went on for " << trace_.events.dropped()
                   << " events that were not kept\n";
    }
  }

 private:
  const ShowCommand& command_;
  const Trace& trace_;
  const uint64_t limit_;
  const CommandContext& context_;
  uint64_t count_ = 0;
};

absl::Status PrintEvents(const ShowCommand& command, const Trace& trace, Printer& printer) {
  absl::StatusOr<Filter> filter = MakeFilter(command, trace);
  if (!filter.ok()) return filter.status();
  printer.PrintHead();
  for (const RecordedEvent& event : trace.events) {
    if (filter->Matches(event)) printer.Print(event);
  }
  printer.PrintTail();
  return absl::OkStatus();
}

// The event that was asked for, then what led to it, back to the beginning.
absl::Status PrintCauses(const ShowCommand& command, const Trace& trace, Printer& printer) {
  if (trace.events.empty()) return absl::InvalidArgumentError("--cause: the trace has no events");
  absl::StatusOr<uint64_t> index =
      ParseCount("--cause", command.cause, 1, trace.events.size());
  absl::StatusOr<Filter> filter = MakeFilter(command, trace);
  if (!index.ok()) return index.status();
  if (!filter.ok()) return filter.status();
  RecordedEvent event = trace.events[*index - 1];
  printer.PrintHead();
  printer.Print(event);
  for (const RecordedEvent& cause : CauseChain(event, trace.events, trace.events.size())) {
    if (filter->Matches(cause)) printer.Print(cause);
  }
  printer.PrintTail();
  return absl::OkStatus();
}

void AddList(CLI::App& command, const char* name, std::vector<std::string>& list,
             const char* words, const char* type) {
  command.add_option(name, list, words)
      ->type_name(type)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

void AddShowCommand(CLI::App& app, ShowCommand& command) {
  CLI::App* show = app.add_subcommand("show", "print the events of a trace");
  show->add_option("trace", command.trace_path, "a file that run --trace wrote")
      ->required()
      ->type_name("FILE");
  AddList(*show, "--node", command.nodes, "only events of this node", "NAME");
  AddList(*show, "--service", command.services, "only events of, or with, this service", "HANDLE");
  AddList(*show, "--kind", command.kinds, "only events of these kinds", "KIND[,KIND]");
  show->add_option("--from", command.from, "only from this virtual time on")->type_name("TIME");
  show->add_option("--to", command.to, "only up to this virtual time")->type_name("TIME");
  show->add_option("--cause", command.cause, "only this event and what led to it, back")
      ->type_name("INDEX");
  show->add_option("--limit", command.limit, "at most so many (0: all)")->type_name("N");
  show->add_flag("--json", command.prints_json, "one JSON object per line");
  show->footer(kExamples);
}

int ExecuteShow(const ShowCommand& command, const CommandContext& context) {
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  absl::StatusOr<Trace> trace = ReadTraceFile(command.trace_path);
  if (!trace.ok()) return FailUsage(context, trace.status());
  absl::StatusOr<uint64_t> limit =
      command.limit.empty() ? 0 : ParseCount("--limit", command.limit, 0, kMax);
  if (!limit.ok()) return FailUsage(context, limit.status());
  Printer printer(command, *trace, *limit == 0 ? kMax : *limit, context);
  absl::Status status = command.cause.empty() ? PrintEvents(command, *trace, printer)
                                              : PrintCauses(command, *trace, printer);
  return status.ok() ? static_cast<int>(kExitPassed) : FailUsage(context, status);
}

}  // namespace skysim
