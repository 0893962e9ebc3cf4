#ifndef TOOLS_ZOO_REPORT_H_
#define TOOLS_ZOO_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/command.h"
#include "tools/zoo.h"

namespace skysim {

// The cases, a line each, or one JSON object on one line.
std::string ZooList(const std::vector<ZooCase>& cases);
std::string ZooListJson(const std::vector<ZooCase>& cases);

// The exit status of a run of the zoo.
int ZooExitStatus(const ZooOptions& options, const ZooRun& run);

// The table of a run and what is wrong, or one JSON object on one line, or a JUnit report: two
// cases for each of the zoo, with its switch and without.
std::string ZooReport(const ZooOptions& options, const ZooRun& run, int64_t wall_ns,
                      const Paint& paint);
std::string ZooReportJson(const ZooOptions& options, const ZooRun& run, int64_t wall_ns);
std::string ZooReportJunit(const ZooOptions& options, const ZooRun& run, int64_t wall_ns);

// "1234 of 20600 runs, 456 per second, 2 failed".
std::string ZooProgress(const ZooRun& run, int64_t wall_ns);

}  // namespace skysim

#endif  // TOOLS_ZOO_REPORT_H_
