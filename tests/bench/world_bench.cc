// Speed of simulated nodes in CPU time: the workloads of bench_local.lua and of the cluster pair,
// run in one thread. `world_bench FOLDER local|cluster [workers]`, FOLDER = the workspace.
//
// skynet.hpc() answers the thread's CPU time here, so that the workloads measure what a run costs us.

#include <time.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "absl/log/check.h"
#include "absl/strings/match.h"
#include "simnet/choice/choice_source.h"
#include "simnet/memory/arena.h"
#include "simnet/storage/tree_storage.h"
#include "simnet/time/event_queue.h"
#include "simnet/trace/recorder.h"
#include "simnet/world/world.h"

namespace skysim {
namespace {

// CPU time of the one thread: other work on the machine does not count.
int64_t MachineNs() {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

int64_t ResidentKib() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (absl::StartsWith(line, "VmRSS:")) return std::stoll(line.substr(6));
  }
  return 0;
}

// Prints what the workload says, and the memory of its 900 services, which it cannot see.
class Printer {
 public:
  void Line(absl::string_view line) {
    if (absl::StartsWith(line, "[") && !absl::StrContains(line, "error")) return;  // the log
    if (line == "ready") is_ready_ = true;
    if (absl::StartsWith(line, "calibration")) began_kib_ = ResidentKib();
    if (absl::StartsWith(line, "memory per service")) {
      std::printf("%-22s %10.1f KiB resident\n", "memory per service",
                  static_cast<double>(ResidentKib() - began_kib_) / 900);
    } else {
      std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    }
    std::fflush(stdout);
  }
  // The cluster workload's server listens.
  bool is_ready() const { return is_ready_; }

 private:
  bool is_ready_ = false;
  int64_t began_kib_ = 0;
};

NodeSpec Spec(const std::string& name, const std::string& ip, const std::string& start,
              const std::string& workers) {
  NodeSpec spec;
  spec.name = name;
  spec.ip = ip;
  spec.config["start"] = start;
  spec.config["thread"] = workers;
  spec.config["bench_host"] = "10.0.0.1";  // where the cluster workload's server is
  spec.files["/proc/self/status"] = "VmRSS:\t0 kB\n";
  return spec;
}

int Run(const std::string& folder, const std::string& workload, const std::string& workers) {
  EventQueue events;
  SeededChoices choices(1, /*records=*/false);
  Recorder recorder(events, {});
  HostFiles files;
  auto arena = Arena::Create();
  CHECK(arena.ok()) << arena.status();
  Printer printer;
  World::Options options;
  options.home = folder;
  options.project = folder + "/tests/bench";
  options.virtual_ns_max = INT64_MAX / 2;
  options.dispatches_max = UINT64_MAX;
  options.dispatch_cpu_s_max = 60;
  options.measure_ns = MachineNs;
  options.log = [&printer](int64_t, absl::string_view, absl::string_view line) {
    printer.Line(line);
  };
  World world(choices, events, **arena, files, recorder, options);
  if (workload == "local") {
    CHECK(world.AddNode(Spec("local", "10.0.0.1", "bench_local", workers)).ok());
    CHECK(world.StartNode("local").ok());
  } else {
    NodeSpec server = Spec("db", "10.0.0.1", "bench_cluster_server", workers);
    CHECK(world.AddNode(server).ok());
    NodeSpec client = Spec("client", "10.0.0.2", "bench_cluster_client", workers);
    CHECK(world.AddNode(client).ok());
    CHECK(world.StartNode("db").ok());
    while (!printer.is_ready() && world.Step() == World::Progress::kEvent) {
    }
    CHECK(world.StartNode("client").ok());
  }
  int64_t began_ns = MachineNs();
  const std::string last = workload == "local" ? "local" : "client";
  while (*world.IsRunning(last) && world.Step() == World::Progress::kEvent) {
  }
  double seconds = static_cast<double>(MachineNs() - began_ns) / 1e9;
  std::printf("%llu dispatches, %llu events, %.3f s virtual, %.2f s of CPU, %.2f million dispatches/s\n",
              static_cast<unsigned long long>(world.dispatches()),
              static_cast<unsigned long long>(recorder.count()),
              static_cast<double>(events.NowNs()) / 1e9, seconds,
              static_cast<double>(world.dispatches()) / seconds / 1e6);
  return 0;
}

}  // namespace
}  // namespace skysim

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: world_bench FOLDER local|cluster [workers]\n");
    return 2;
  }
  return skysim::Run(argv[1], argv[2], argc > 3 ? argv[3] : "1");
}
