-- The callee of the cluster claims: the service of the golden vectors (tests/golden/README.md), and a record of pushes.
--   ECHO(...) -> ...   LEN(s) -> #s   REP(c, n) -> n times c   EMPTY -> nothing   ERR raises
--   TAG() -> the trace tag under which it runs, or nothing
--   PUSH(x) is noted; NOTED -> array of what was noted since
local skynet = require "skynet"

local noted = {}
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

function command.TAG()
  return skynet.tracetag()
end

function command.NOTED()
  local all = noted
  noted = {}
  return all
end

function command.PUSH(item)
  noted[#noted + 1] = type(item) == "string" and #item > 100 and #item or item
end

function command.CALL(item)
  command.PUSH(item)
  return item
end

skynet.start(function()
  skynet.dispatch("lua", function(session, _, name, ...)
    if session == 0 then
      command[name](...)
    else
      skynet.retpack(command[name](...))
    end
  end)
end)
