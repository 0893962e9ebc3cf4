-- The user's side of debugging a service, for who reads his lines from a socket: a debug_agent of its own for each.

local skynet = require "skynet"

local debugterminal = {}

--- Hands the lines of a user to a service until the debugging ends. Raises if it cannot begin, and what next_line
--- raises.
---@param handle integer the service to debug
---@param fd integer socket that the answers go to
---@param next_line fun(): string
function debugterminal.run(handle, fd, next_line)
  local agent = skynet.newservice "debug_agent"
  local alive, reason = skynet.call(agent, "lua", "start", handle, fd)
  if not alive then
    error(reason, 0)
  end
  while alive do
    local ok, line = pcall(next_line)
    if not ok then
      skynet.send(agent, "lua", "quit")
      error(line, 0)
    end
    ok, alive, reason = pcall(skynet.call, agent, "lua", "line", line)
    if not ok or reason then
      error(ok and reason or "the debugger has gone", 0)
    end
  end
end

return debugterminal
