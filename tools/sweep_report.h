#ifndef TOOLS_SWEEP_REPORT_H_
#define TOOLS_SWEEP_REPORT_H_

#include <cstdint>
#include <string>

#include "tools/command.h"
#include "tools/sweep.h"

namespace skysim {

// The exit status of a sweep. A property that only a whole sweep can judge fails it only if the
// whole range was run.
int SweepExitStatus(const SweepResult& result);

// The report of a sweep, many lines, or one JSON object on one line.
std::string SweepReport(const SweepOptions& options, const SweepResult& result, int64_t wall_ns,
                        const Paint& paint);
std::string SweepReportJson(const SweepOptions& options, const SweepResult& result,
                            int64_t wall_ns);

// "1234 of 10000 seeds, 456 per second, 2 failed".
std::string SweepProgress(const SweepOptions& options, const SweepSummary& summary,
                          int64_t wall_ns);

// The command that repeats one seed of it.
std::string RepeatSeed(const SweepOptions& options, uint64_t seed);

}  // namespace skysim

#endif  // TOOLS_SWEEP_REPORT_H_
