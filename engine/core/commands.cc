#include "engine/core/commands.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/core/node.h"

namespace skysim {

namespace {

using Result = std::optional<std::string>;

std::string CommandHandle(Handle handle) { return absl::StrFormat(":%x", handle); }

// The handle that a command's parameter names; logs what it cannot read.
std::optional<Handle> CommandTarget(ServiceContext& context, const std::string& parameter) {
  std::optional<Handle> handle = context.node().FindAddress(parameter);
  if (!handle) {
    context.node().Log(context.handle(),
                       absl::StrCat("error: Can't convert ", parameter, " to handle"));
  }
  return handle;
}

Result Timeout(ServiceContext& context, const std::string& parameter) {
  int32_t ticks = 0;
  if (!absl::SimpleAtoi(parameter, &ticks)) ticks = 0;
  int32_t session = context.NewSession();
  StartTimer(context, session, ticks);
  return absl::StrCat(session);
}

Result Register(ServiceContext& context, const std::string& name, Handle handle) {
  if (name.size() < 2 || name[0] != '.') {
    context.node().Log(context.handle(),
                       absl::StrCat("error: Can't register global name ", name, " in C"));
    return std::nullopt;
  }
  context.node().platform().executor.Flush();
  if (!context.node().registry().AddName(name.substr(1), handle)) return std::nullopt;
  return name.substr(1);
}

Result Reg(ServiceContext& context, const std::string& parameter) {
  if (parameter.empty()) return CommandHandle(context.handle());
  return Register(context, parameter, context.handle());
}

Result Name(ServiceContext& context, const std::string& parameter) {
  size_t blank = parameter.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  std::optional<Handle> handle = ParseHandle(parameter.substr(blank + 1));
  if (!handle || *handle == 0) return std::nullopt;
  return Register(context, parameter.substr(0, blank), *handle);
}

Result Query(ServiceContext& context, const std::string& parameter) {
  if (!absl::StartsWith(parameter, ".")) return std::nullopt;
  std::optional<Handle> handle = context.node().FindAddress(parameter);
  if (!handle) return std::nullopt;
  return CommandHandle(*handle);
}

Result Exit(ServiceContext& context, const std::string&) {
  context.node().Log(context.handle(), "KILL self");
  context.node().Retire(context.handle(), context.handle(), context.cause());
  return std::nullopt;
}

Result Kill(ServiceContext& context, const std::string& parameter) {
  std::optional<Handle> handle = CommandTarget(context, parameter);
  if (!handle) return std::nullopt;
  if (*handle == context.handle()) return Exit(context, parameter);
  context.node().Log(context.handle(), absl::StrFormat("KILL :%0x", *handle));
  context.node().Retire(*handle, context.handle(), context.cause());
  return std::nullopt;
}

Result Launch(ServiceContext& context, const std::string& parameter) {
  std::string line = parameter.substr(0, parameter.find_first_of("\r\n"));
  size_t blank = line.find_first_of(" \t");
  std::string module = line.substr(0, blank);
  std::string args = blank == std::string::npos ? "" : line.substr(blank + 1);
  Handle handle = context.node().Launch(module, args, &context);
  if (handle == 0) return std::nullopt;
  return absl::StrFormat(":%08X", handle);
}

Result GetEnv(ServiceContext& context, const std::string& parameter) {
  const std::string* value = context.node().GetEnv(parameter);
  if (value == nullptr) return std::nullopt;
  return *value;
}

Result SetEnv(ServiceContext& context, const std::string& parameter) {
  size_t blank = parameter.find(' ');
  if (blank == std::string::npos) return std::nullopt;
  absl::Status status =
      context.node().SetEnv(parameter.substr(0, blank), parameter.substr(blank + 1));
  if (!status.ok()) {
    context.node().Log(context.handle(), absl::StrCat("error: ", status.message()));
  }
  return std::nullopt;
}

Result StartTime(ServiceContext& context, const std::string&) {
  return absl::StrCat(context.node().timers().StartTime());
}

Result Abort(ServiceContext& context, const std::string&) {
  context.node().Abort();
  return std::nullopt;
}

Result Monitor(ServiceContext& context, const std::string& parameter) {
  if (parameter.empty()) {
    if (context.node().monitor() == 0) return std::nullopt;
    return CommandHandle(context.node().monitor());
  }
  if (std::optional<Handle> handle = CommandTarget(context, parameter)) {
    context.node().set_monitor(*handle);
  }
  return std::nullopt;
}

Result Stat(ServiceContext& context, const std::string& what) {
  if (what == "mqlen") return absl::StrCat(context.mailbox_size());
  if (what == "endless") return context.TakeEndless() ? "1" : "0";
  if (what == "cpu") return absl::StrFormat("%f", static_cast<double>(context.cpu_ns()) / 1e9);
  if (what == "time") {
    if (!context.node().profiles()) return "0";
    return absl::StrFormat("%f", static_cast<double>(context.dispatch_cpu_ns()) / 1e9);
  }
  if (what == "message") return absl::StrCat(context.message_count());
  return "";
}

Result LogOn(ServiceContext& context, const std::string& parameter) {
  std::optional<Handle> handle = CommandTarget(context, parameter);
  if (!handle) return std::nullopt;
  if (ServiceRef target = context.node().registry().Find(*handle)) target->StartLog();
  return std::nullopt;
}

Result LogOff(ServiceContext& context, const std::string& parameter) {
  std::optional<Handle> handle = CommandTarget(context, parameter);
  if (!handle) return std::nullopt;
  if (ServiceRef target = context.node().registry().Find(*handle)) target->StopLog();
  return std::nullopt;
}

Result Signal(ServiceContext& context, const std::string& parameter) {
  size_t blank = parameter.find(' ');
  std::optional<Handle> handle = CommandTarget(context, parameter.substr(0, blank));
  if (!handle) return std::nullopt;
  int number = 0;
  if (blank != std::string::npos && !absl::SimpleAtoi(parameter.substr(blank + 1), &number)) {
    number = 0;
  }
  if (ServiceRef target = context.node().registry().Find(*handle)) {
    target->service().OnSignal(number);
  }
  return std::nullopt;
}

struct Command {
  const char* name;
  Result (*run)(ServiceContext& context, const std::string& parameter);
};

constexpr Command kCommands[] = {
    {"TIMEOUT", Timeout}, {"REG", Reg},         {"QUERY", Query},         {"NAME", Name},
    {"EXIT", Exit},       {"KILL", Kill},       {"LAUNCH", Launch},       {"GETENV", GetEnv},
    {"SETENV", SetEnv},   {"STARTTIME", StartTime}, {"ABORT", Abort},     {"MONITOR", Monitor},
    {"STAT", Stat},       {"SIGNAL", Signal},   {"LOGON", LogOn},       {"LOGOFF", LogOff},
};

}  // namespace

void StartTimer(ServiceContext& context, int32_t session, int64_t ticks) {
  if (ticks > 0) {
    context.node().timers().Add(context.handle(), session, ticks, context.cause());
    return;
  }
  Message expiry;
  expiry.session = session;
  expiry.type = MessageType::kResponse;
  expiry.cause = context.cause();
  context.node().Send(context.handle(), std::move(expiry));
}

Result RunCommand(ServiceContext& context, const std::string& name, const std::string& parameter) {
  for (const Command& command : kCommands) {
    if (name == command.name) return command.run(context, parameter);
  }
  return std::nullopt;
}

}  // namespace skysim
