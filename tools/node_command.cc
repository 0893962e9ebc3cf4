#include "tools/node_command.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "engine/lua/chunk_cache.h"
#include "engine/lua/config_file.h"
#include "engine/lua/home_paths.h"
#include "engine/os/daemon.h"
#include "engine/os/heap.h"
#include "engine/os/os_node.h"
#include "engine/os/signal_waiter.h"

namespace skysim {
namespace {

constexpr const char* kExamples = R"(Examples:
  tools/skysim node config
  tools/skysim node etc/gate.config --set thread=4 --set daemon=./gate.pid

SIGINT and SIGTERM abort the node, a second one ends the process at once; SIGHUP opens the log file
again. Exit status: 0 the node was aborted or ended by a signal, 2 it could not start.)";

std::optional<std::string> Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

absl::StatusOr<Config> MakeConfig(const NodeCommand& command, const std::string& home) {
  OsStorage storage;
  Heap heap;
  absl::StatusOr<Config> config =
      ReadConfigFile(storage, heap, command.config_path, Environment);
  if (!config.ok()) return config.status();
  for (const std::string& setting : command.settings) {
    size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("--set: \"", setting, "\" is not KEY=VALUE"));
    }
    config->entries[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  if (absl::Status status = config->Complete(); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(command.config_path, ": ", status.message()));
  }
  AddHomePaths(storage, home, *config);
  return config;
}

// What the node's threads tell the one that waits in main.
class Outcome final {
 public:
  explicit Outcome(SignalWaiter& waiter) : waiter_(waiter) {}

  void SetBooted(const std::string& failure) {
    {
      absl::MutexLock lock(&mutex_);
      is_booted_ = true;
      failure_ = failure;
    }
    waiter_.Wake();
  }
  void SetOver() {
    {
      absl::MutexLock lock(&mutex_);
      is_over_ = true;
    }
    waiter_.Wake();
  }
  bool is_booted() const {
    absl::MutexLock lock(&mutex_);
    return is_booted_;
  }
  bool is_over() const {
    absl::MutexLock lock(&mutex_);
    return is_over_;
  }
  std::string failure() const {
    absl::MutexLock lock(&mutex_);
    return failure_;
  }

 private:
  SignalWaiter& waiter_;
  mutable absl::Mutex mutex_;
  bool is_booted_ = false, is_over_ = false;
  std::string failure_;
};

// Waits until the node is over, or cannot be what its config says. OK: it ended as it should.
absl::Status Watch(OsNode& node, const Outcome& outcome, SignalWaiter& waiter,
                   std::optional<DaemonStart>& daemon) {
  bool is_ending = false;
  while (!outcome.is_over()) {
    int signal = waiter.Wait();
    if (signal == SIGHUP) {
      node.ReopenLog();
    } else if (signal != 0 && !is_ending) {
      is_ending = true;
      waiter.LetGo();  // the next one does not wait for anybody
      node.node().Abort();
    }
    if (std::string failure = outcome.failure(); !failure.empty() && !is_ending) {
      return absl::InvalidArgumentError(failure);
    }
    if (outcome.is_booted() && daemon.has_value()) daemon->TellParent();
  }
  std::string failure = outcome.failure();
  return failure.empty() || is_ending ? absl::OkStatus() : absl::InvalidArgumentError(failure);
}

absl::Status RunNode(Config config, const CommandContext& context,
                     std::optional<DaemonStart>& daemon) {
  KeepFreedPages();
  SignalWaiter waiter;
  Outcome outcome(waiter);
  ChunkCache chunks;
  OsNode::Options options;
  options.name = "node";
  options.config = std::move(config);
  options.chunks = &chunks;
  options.process_id = getpid();
  options.log_line = [&context](absl::string_view line) {
    context.out << line << "\n" << std::flush;
  };
  options.write_out = [&context](absl::string_view text) { context.out << text << std::flush; };
  options.on_booted = [&outcome](const std::string& failure) { outcome.SetBooted(failure); };
  options.on_over = [&outcome] { outcome.SetOver(); };
  absl::StatusOr<std::unique_ptr<OsNode>> node = OsNode::Make(std::move(options));
  if (!node.ok()) return node.status();
  if (absl::Status status = (*node)->Start(); !status.ok()) return status;
  absl::Status status = Watch(**node, outcome, waiter, daemon);
  (*node)->Stop();
  return status;
}

}  // namespace

void AddNodeCommand(CLI::App& app, NodeCommand& command) {
  CLI::App* node = app.add_subcommand("node", "run one node on real sockets and threads");
  node->add_option("config", command.config_path, "a skynet config file")
      ->type_name("CONFIG")
      ->required();
  node->add_option("--set", command.settings, "an entry that overrides the file's; repeatable")
      ->type_name("KEY=VALUE");
  node->footer(kExamples);
}

int ExecuteNode(const NodeCommand& command, const CommandContext& context) {
  if (!context.home.ok()) return FailUsage(context, context.home.status());
  absl::StatusOr<Config> config = MakeConfig(command, *context.home);
  if (!config.ok()) return FailUsage(context, config.status());
  std::optional<PidFile> pid_file;
  std::optional<DaemonStart> daemon;
  if (std::string path = config->Get("daemon"); !path.empty()) {
    absl::StatusOr<PidFile> locked = PidFile::Lock(path);
    if (!locked.ok()) return FailUsage(context, locked.status());
    pid_file.emplace(*std::move(locked));
    absl::StatusOr<DaemonStart> start = DaemonStart::Fork();
    if (!start.ok()) return FailUsage(context, start.status());
    daemon.emplace(*std::move(start));
    if (absl::Status written = pid_file->Write(); !written.ok()) return FailUsage(context, written);
  }
  absl::Status status = RunNode(*std::move(config), context, daemon);
  if (status.ok()) return kExitPassed;
  return FailUsage(context, absl::InvalidArgumentError(
                                absl::StrCat(command.config_path, ": ", status.message())));
}

}  // namespace skysim
