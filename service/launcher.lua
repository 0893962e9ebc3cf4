-- Starts services for others and knows those it started. Named .launcher.
--
-- Messages (lua; the command in any case):
--   LAUNCH(module, args...)     -> handle when its start function has returned; nil if it exited in there; an error if
--                               it failed
--   LOGLAUNCH(module, args...)  the same, with its message log on
--   LAUNCHOK(), ERROR()         from a service: its start is over. No reply; likewise text "" and "ERROR"
--   REMOVE(handle, is_killed)   a service has gone. No reply
--   LIST()       -> { ":address" = "module args" }
--   STAT(limit)  -> { ":address" = statistics | "TIMEOUT" | "ERROR" };  limit in cs, none if nil or <= 0
--   MEM(limit)   -> { ":address" = "12.34 Kb (module args)" | ... };  GC(limit) collects first
--   KILL(handle) -> { ":address" = "module args" }
--   QUERY(session)  -> handle of what the request with that session launches, or nil
-- Anything else -> { "Unknown command" }

local skynet = require "skynet"
local core = require "skynet.core"
require "skynet.manager"

-- Handle -> "module args".
local command_lines = {}
-- Handle -> { answer, session } of the LAUNCH that waits for it.
local starting = {}

local NO_REPLY = {}
local command = {}

---------------------------------------------------------------------------------------------------------------------
-- Launching

local function launch(...)
  local command_line = table.concat({ ... }, " ")
  local session = skynet.context()
  local answer = skynet.response()
  local handle = skynet.launch(...)
  if not handle then
    answer(false)
    return nil
  end
  command_lines[handle] = command_line
  starting[handle] = { answer = answer, session = session }
  return handle
end

-- Answers the LAUNCH that waits for `handle`, if one does.
local function end_start(handle, ok, result)
  local start = starting[handle]
  if start then
    starting[handle] = nil
    start.answer(ok, result)
  end
end

function command.LAUNCH(_, ...)
  launch(...)
  return NO_REPLY
end

function command.LOGLAUNCH(_, ...)
  local handle = launch(...)
  if handle then
    core.command("LOGON", skynet.address(handle))
  end
  return NO_REPLY
end

function command.LAUNCHOK(source)
  end_start(source, true, source)
  return NO_REPLY
end

function command.ERROR(source)
  command_lines[source] = nil
  end_start(source, false)
  return NO_REPLY
end

function command.REMOVE(_, handle, is_killed)
  command_lines[handle] = nil
  end_start(handle, not is_killed, nil)
  return NO_REPLY
end

function command.QUERY(_, session)
  for handle, start in next, starting do
    if start.session == session then
      return handle
    end
  end
end

function command.KILL(_, handle)
  local killed = { [skynet.address(handle)] = tostring(command_lines[handle]) }
  command_lines[handle] = nil
  skynet.kill(handle)
  return killed
end

---------------------------------------------------------------------------------------------------------------------
-- Asking all services

local function sorted_handles()
  local handles = {}
  for handle in next, command_lines do
    handles[#handles + 1] = handle
  end
  table.sort(handles)
  return handles
end

function command.LIST()
  local list = {}
  for handle, command_line in next, command_lines do
    list[skynet.address(handle)] = command_line
  end
  return list
end

-- Sends a debug command to everybody; `describe(reply, handle)` makes the entry of one that answers in time.
local function ask_all(limit_cs, question, describe)
  local answers, requests = {}, skynet.request()
  for _, handle in ipairs(sorted_handles()) do
    requests:add { handle, "debug", question }
    answers[skynet.address(handle)] = "TIMEOUT"
  end
  limit_cs = limit_cs and limit_cs > 0 and limit_cs or nil
  for request, reply in requests:select(limit_cs) do
    local handle = request[1]
    answers[skynet.address(handle)] = reply and describe(reply[1], handle) or "ERROR"
  end
  return answers
end

function command.STAT(_, limit_cs)
  return ask_all(limit_cs, "STAT", function(statistics) return statistics end)
end

function command.MEM(_, limit_cs)
  return ask_all(limit_cs, "MEM", function(kib, handle)
    return string.format("%.2f Kb (%s)", kib, command_lines[handle])
  end)
end

function command.GC(source, limit_cs)
  for _, handle in ipairs(sorted_handles()) do
    skynet.send(handle, "debug", "GC")
  end
  return command.MEM(source, limit_cs)
end

---------------------------------------------------------------------------------------------------------------------

local text_command = { [""] = command.LAUNCHOK, ERROR = command.ERROR }

skynet.register_protocol {
  name = "text",
  id = skynet.PTYPE_TEXT,
  unpack = skynet.tostring,
  dispatch = function(_, source, text)
    local f = text_command[text or ""]
    if not f then
      error("launcher: unknown text command " .. text)
    end
    f(source)
  end,
}

skynet.dispatch("lua", function(_, source, name, ...)
  local f = command[string.upper(name)]
  if not f then
    skynet.retpack { "Unknown command" }
    return
  end
  local result = f(source, ...)
  if result ~= NO_REPLY then
    skynet.retpack(result)
  end
end)

skynet.start(function() end)
