-- The service that the recorded calls went to (../README.md), at the handle that it had there.
--
-- Messages (lua):
--   ECHO(...) -> ...   LEN(text) -> its length   REP(text, count) -> text count times   EMPTY() -> nothing
--   ERR() raises       U() -> "u", once R comes  R() -> "r"
--   CALLBACK(handle) -> what ECHO("cb") of that handle answers          HANG() is never answered
--   PUSHED() -> the sends since the last PUSHED, each "name(bytes of its first argument)", with a comma between
local skynet = require "skynet"

local pushed = {}
local answer_u

local command = {}

function command.ECHO(...)
  return ...
end

function command.LEN(text)
  return #text
end

function command.REP(text, count)
  return string.rep(text, count)
end

function command.EMPTY()
end

function command.ERR()
  error "an error of the callee"
end

function command.CALLBACK(handle)
  return skynet.call(handle, "lua", "ECHO", "cb")
end

function command.R()
  answer_u(true, "u")
  return "r"
end

function command.PUSHED()
  local text = table.concat(pushed, ",")
  pushed = {}
  return text
end

skynet.start(function()
  skynet.dispatch("lua", function(session, _, name, ...)
    if session == 0 then
      pushed[#pushed + 1] = string.format("%s(%d)", name, #(...))
    elseif name == "U" then
      answer_u = skynet.response()
    elseif name == "HANG" then
      skynet.response()
    else
      skynet.retpack(command[name](...))
    end
  end)
end)
