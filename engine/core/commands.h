#ifndef ENGINE_CORE_COMMANDS_H_
#define ENGINE_CORE_COMMANDS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "engine/core/service_context.h"

namespace skysim {

// The text commands of skynet (runtime_api.md 2): what skynet.core.command runs for Lua, and
// skynet_command for services written in C. Within a dispatch of `context`, or before its first.
// An unknown command, and one whose answer is "nothing", give nullopt.
std::optional<std::string> RunCommand(ServiceContext& context, const std::string& name,
                                      const std::string& parameter);

// Command TIMEOUT for a session that is there: a kResponse comes after `ticks` cs, at once if <= 0.
void StartTimer(ServiceContext& context, int32_t session, int64_t ticks);

}  // namespace skysim

#endif  // ENGINE_CORE_COMMANDS_H_
