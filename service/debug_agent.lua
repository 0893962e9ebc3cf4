-- Stands between a user's terminal (skynet.debugterminal) and a service that is debugged (skynet.remotedebug).
--
-- Messages (lua):
--   start(handle, fd)  -> true when the service is in debug mode; false, reason
--   line(text)         -> true when the service has carried it out; false when the debugging has ended, with a reason
--                         if the user did not end it
--   quit()             the user has gone
--   ack(alive)         from the service
-- It exits when the debugging has ended and the user knows.

local skynet = require "skynet"
local debugchannel = require "skynet.debugchannel"

local channel
-- Answers of start and line that wait, oldest first.
local waiting = {}
local has_ended, end_reason, is_known = false, nil, false

-- Answers the oldest; false if nobody waits.
local function answer_next(alive)
  local answer = table.remove(waiting, 1)
  if answer then
    answer(true, alive, not alive and end_reason or nil)
  end
  return answer ~= nil
end

local function finish(reason)
  if not has_ended then
    has_ended, end_reason = true, reason
    while answer_next(false) do
      is_known = true
    end
  end
  if is_known then
    skynet.exit()
  end
end

local command = {}

function command.start(handle, fd)
  local pointer
  channel, pointer = debugchannel.create()
  waiting[1] = skynet.response()
  skynet.fork(function()
    local ok, reason = pcall(skynet.call, handle, "debug", "REMOTEDEBUG", fd, pointer)
    finish(not ok and "the service cannot be debugged: " .. tostring(reason) or nil)
  end)
end

function command.line(text)
  if has_ended then
    is_known = true
    skynet.retpack(false, end_reason)
    skynet.exit()
  end
  waiting[#waiting + 1] = skynet.response()
  channel:write(text)
end

function command.quit()
  is_known = true
  if has_ended then
    skynet.exit()
  end
  channel:write "cont"
end

function command.ack(alive)
  if alive then
    answer_next(true)
  else
    finish()
  end
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error("debug_agent: unknown command " .. tostring(name))
    end
    f(...)
  end)
end)
