#ifndef TOOLS_REPORT_H_
#define TOOLS_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simnet/scenario/run.h"
#include "simnet/trace/trace.h"
#include "tools/command.h"

namespace skysim {

// What the commands say about runs, sweeps aside, for people and for programs.

// The exit status of a verdict.
ExitStatus ExitStatusOf(Verdict verdict);

// "passed", "failed", "diverged", "limit".
std::string VerdictName(Verdict verdict);

// 16 hexadecimal digits.
std::string FormatDigest(uint64_t digest);

// The whole report of one run, many lines: verdict, claim, properties, numbers; for one that did
// not pass also what still waits and how to repeat it.
std::string RunReport(const RunOptions& options, const RunResult& result, int64_t wall_ns,
                      const Paint& paint);

// The same as one JSON object, on one line.
std::string RunReportJson(const RunOptions& options, const RunResult& result, int64_t wall_ns);

// Where two executions part: the event on each side, how they differ, and what led there.
// `expected` and `actual` are the two executions, `names` what to call them ("recorded", "here").
struct Execution {
  std::string name;
  const EventLog& events;
  const std::vector<std::string>& nodes;
};
std::string DivergenceReport(const Divergence& divergence, const Execution& expected,
                             const Execution& actual, const Paint& paint);
std::string DivergenceReportJson(const Divergence& divergence, const Execution& expected,
                                 const Execution& actual);

// One event as a JSON object on one line.
std::string EventJson(const RecordedEvent& event, const std::vector<std::string>& nodes);

// The first event in which two logs differ, or nothing. A log of which not all was kept ends where
// it was kept.
std::optional<Divergence> FindDivergence(const EventLog& expected, const EventLog& actual);

}  // namespace skysim

#endif  // TOOLS_REPORT_H_
