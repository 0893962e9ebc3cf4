-- The debug commands that every service answers: skynet.call(handle, "debug", COMMAND, ...).
--
--   MEM -> KiB of Lua memory           GC                  logs what a collection freed; no reply
--   STAT -> { task, mqlen, cpu, message }   TASK(session) -> text;  TASK() -> { task = stack }
--   UNIQTASK -> { tasks = stack }       KILLTASK(pattern) -> nothing, or "Not found"
--   INFO(...) -> results of the function given to skynet.info_func
--   EXIT                                ends the service, as skynet.exit
--   RUN(source, filename, ...) -> ok, output (skynet.inject)
--   TERM(address)                       fails the calls to that address, as if it had died
--   SUPPORT(protocol) -> boolean        PING -> nothing
--   LINK                                never answered: the caller gets an error when this service exits
--   TRACELOG([protocol,] flag)          traces every request of a protocol, by default "lua"
--   REMOTEDEBUG(fd, channel)            lets a user at a socket debug the service (skynet.remotedebug)
-- An unknown command is an error that names it. Modules add commands with reg_debugcmd.
--
-- What skynet.lua does with this module: it registers the protocol "debug" (9) with a dispatch function that calls
-- `M.dispatch(session, source, ...)`; requiring this module there, at the first debug message, saves every service its
-- memory. skynet.info_func is `M.info_func`, skynet.uniqtask `M.uniqtask`.

local skynet = require "skynet"
local tasks = require "skynet.tasks"

local M = {}
local commands = {}
local info_function

--- Sets the function that answers INFO.
---@param f fun(...): ...
function M.info_func(f)
  info_function = f
end

--- Adds, or replaces, a debug command; it replies by itself.
---@param name string
---@param f fun(...)
function M.reg_debugcmd(name, f)
  commands[name] = f
end

-- How many sessions uniqtask lists for one stack.
local SESSIONS_LISTED = 9

--- Tasks that wait at the same place, counted: "<count>\tsessions:[a,b]\n" -> stack.
function M.uniqtask()
  local by_stack, order = {}, {}
  for _, wait in ipairs(tasks.waits()) do
    local same = by_stack[wait.stack]
    if not same then
      same = { count = 0, sessions = {}, stack = wait.stack }
      by_stack[wait.stack] = same
      order[#order + 1] = same
    end
    same.count = same.count + 1
    if same.count <= SESSIONS_LISTED then
      same.sessions[same.count] = wait.session
    elseif same.count == SESSIONS_LISTED + 1 then
      same.sessions[same.count] = "..."
    end
  end
  local result = {}
  for _, same in ipairs(order) do
    result[string.format("%d\tsessions:[%s]\n", same.count, table.concat(same.sessions, ","))] = same.stack
  end
  return result
end

function commands.MEM()
  skynet.retpack((collectgarbage "count"))
end

function commands.GC()
  local before_kib, began = collectgarbage "count", skynet.now()
  collectgarbage "collect"
  skynet.error(string.format("GC %.2f Kb -> %.2f Kb, cost %.2f sec", before_kib, collectgarbage "count",
    (skynet.now() - began) / 100))
end

function commands.STAT()
  skynet.retpack {
    task = skynet.task(),
    mqlen = skynet.stat "mqlen",
    cpu = skynet.stat "cpu",
    message = skynet.stat "message",
  }
end

function commands.TASK(session)
  if session then
    skynet.retpack(skynet.task(session))
    return
  end
  local tasks = {}
  skynet.task(tasks)
  skynet.retpack(tasks)
end

function commands.UNIQTASK()
  skynet.retpack(M.uniqtask())
end

function commands.KILLTASK(pattern)
  if skynet.killthread(pattern) then
    skynet.error(string.format("debug: killed task %s", pattern))
    skynet.ret()
  else
    skynet.retpack "Not found"
  end
end

function commands.INFO(...)
  if info_function then
    skynet.retpack(info_function(...))
  else
    skynet.retpack()
  end
end

function commands.EXIT()
  skynet.exit()
end

function commands.RUN(source, filename, ...)
  skynet.retpack(require "skynet.inject"(source, filename, ...))
end

function commands.TERM(address)
  skynet.term(address)
end

function commands.SUPPORT(protocol)
  local ok, handler = pcall(skynet.dispatch, protocol)
  skynet.retpack(ok and handler ~= nil)
end

function commands.REMOTEDEBUG(fd, channel)
  require("skynet.remotedebug").start(fd, channel)
end

function commands.PING()
  skynet.ret()
end

function commands.LINK()
  skynet.response()  -- kept open until this service exits
end

function commands.TRACELOG(protocol, flag)
  if type(protocol) ~= "string" then
    protocol, flag = "lua", protocol
  end
  skynet.error(string.format("Turn trace log %s for %s", tostring(flag), protocol))
  skynet.traceproto(protocol, flag)
  skynet.ret()
end

--- Handles one debug message.
---@param _ integer session
---@param _ integer source
---@param name string
function M.dispatch(_, _, name, ...)
  local f = commands[name]
  if not f then
    error("Invalid debug command " .. tostring(name))
  end
  f(...)
end

return M
