-- The debug commands that every service answers (runtime_api.md 4.9), skynet.task, uniqtask, stat, info_func. With an
-- argument it is the service that is looked at.
local skynet = require "skynet"
require "skynet.manager"

if ... then
  local state = { answer = 41 }
  skynet.info_func(function(...) return "info", ... end)
  skynet.dispatch("lua", function(_, _, name, ...)
    if name == "HANG" then
      skynet.wait {}
    elseif name == "CALL" then
      skynet.call(..., "lua", "HANG")
    end
    skynet.retpack(state.answer, name)
  end)
  skynet.start(function() end)
  return
end

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local callee

local function debug_call(...)
  return skynet.call(callee, "debug", ...)
end

local function numbers()
  claims.equal(math.type(debug_call "MEM"), "float")
  local stat = debug_call "STAT"
  claims.equal({ stat.task, stat.mqlen, math.type(stat.cpu), math.type(stat.message) }, { 0, 0, "float", "integer" })
  claims.equal(select("#", debug_call "PING"), 0)
end

local function info()
  claims.equal({ debug_call("INFO", 1, "x") }, { "info", 1, "x" })
end

local function support()
  claims.equal({ debug_call("SUPPORT", "lua"), debug_call("SUPPORT", "debug"), debug_call("SUPPORT", "text") },
    { true, true, false })
end

local function unknown()
  claims.raises("call failed", debug_call, "NOSUCHCOMMAND")
end

-- Tasks of callee that wait, by a call each.
local function hang(count)
  local tasks = {}
  for index = 1, count do
    tasks[index] = skynet.fork(function() pcall(skynet.call, callee, "lua", "HANG") end)
  end
  skynet.sleep(1)
  return tasks
end

local function tasks()
  hang(2)
  claims.equal(debug_call("STAT").task, 2)
  local count, session = 0, nil
  for name, stack in pairs(debug_call "TASK") do
    count = count + 1
    session = string.match(name, "^thread: .* session: (%d+)$")
    claims.equal(string.find(stack, "debug_protocol.lua", 1, true) ~= nil, true, stack)
  end
  claims.equal(count, 2)
  claims.equal(string.find(debug_call("TASK", math.tointeger(session)), "debug_protocol.lua", 1, true) ~= nil, true)
  claims.equal(debug_call("TASK", 123456), "No session")
  local unique = debug_call "UNIQTASK"
  claims.equal(string.match(next(unique), "^2\tsessions:%[%d+,%d+%]\n$") ~= nil, true, next(unique))
  hang(9)
  claims.equal(string.match(next(debug_call "UNIQTASK"), "^11\tsessions:%[[%d,]+,%.%.%.%]\n$") ~= nil, true)
end

local function kill_task()
  local before = debug_call("STAT").task
  claims.equal(debug_call("KILLTASK", "no such task"), "Not found")
  claims.equal(select("#", debug_call("KILLTASK", "thread")), 0)
  claims.equal(debug_call("STAT").task, before - 1)
end

local function run()
  local ok, output = debug_call("RUN", "print(_U.state.answer, ...); _U.state.answer = 42", "name", "argument")
  claims.equal({ ok, output }, { true, "41\targument" })
  claims.equal(skynet.call(callee, "lua", "x"), 42)
  ok, output = debug_call("RUN", "print 'before' error 'on purpose'", "name")
  claims.equal({ ok, string.find(output, "^before\n.*on purpose") ~= nil }, { false, true }, output)
  ok = debug_call("RUN", "this is no Lua", "name")
  claims.equal(ok, false)
end

local function term()
  local ended
  skynet.fork(function() ended = { pcall(skynet.call, callee, "lua", "CALL", callee) } end)
  skynet.sleep(1)
  local before = debug_call("STAT").task
  skynet.send(callee, "debug", "TERM", callee)
  skynet.sleep(1)
  claims.equal(ended[1], false)
  claims.equal(debug_call("STAT").task, before - 1)
end

local function own_commands()
  require("skynet.debug").reg_debugcmd("TWICE", function(value) skynet.retpack(value, value) end)
  claims.equal({ skynet.call(skynet.self(), "debug", "TWICE", 3) }, { 3, 3 })
end

local function own_tasks()
  local before = skynet.task()
  local token = {}
  local task = skynet.fork(skynet.wait, token)
  skynet.yield()
  claims.equal(skynet.task(), before + 1)
  claims.equal(math.type(skynet.task(task)), "integer")
  local all = {}
  skynet.task(all)
  claims.equal(type(all[string.format("%s session: %d", task, skynet.task(task))]), "string")
  claims.equal(type(skynet.task(skynet.task(task))), "string")
  claims.equal(skynet.task "init", nil)
  claims.equal(skynet.task(coroutine.create(print)), nil)
  skynet.wakeup(token)
end

local function statistics()
  claims.equal({ skynet.mqlen(), skynet.endless() }, { 0, false })
  skynet.send(skynet.self(), "debug", "PING")
  skynet.send(skynet.self(), "debug", "PING")
  claims.equal(skynet.mqlen(), 2)
  skynet.yield()
  claims.equal(skynet.mqlen(), 0)
  local messages = skynet.stat "message"
  skynet.yield()
  claims.equal(skynet.stat "message" - messages, 1)
  claims.equal({ type(skynet.stat "cpu"), type(skynet.stat "time") }, { "number", "number" })
end

local function clocks()
  claims.equal(math.type(skynet.now()), "integer")
  claims.equal(skynet.time(), skynet.starttime() + skynet.now() / 100)
  claims.equal(os.time() - math.floor(skynet.time()), 0)
end

local function environment()
  claims.equal({ skynet.getenv "start", skynet.getenv "harbor", skynet.getenv "nosuchkey" }, { "debug_protocol", "0" })
  skynet.setenv("debug.claims", 12)
  claims.equal(skynet.getenv "debug.claims", "12")
  claims.equal(select("#", skynet.getenv "nosuchkey"), 1)
  claims.raises("Can't setenv exist key : debug.claims", skynet.setenv, "debug.claims", 13)
end

local function addresses()
  claims.equal({ skynet.address(10), skynet.address ".name", skynet.address(0x0100000a) },
    { ":0000000a", ".name", ":0100000a" })
  claims.equal({ skynet.self(), skynet.localname ".nobody" }, { 8 })
end

skynet.init(function() callee = skynet.newservice("debug_protocol", "callee") end)

claims.run("debug protocol", {
  { "MEM, STAT and PING answer", numbers },
  { "INFO gives what info_func returns", info },
  { "SUPPORT tells whether a protocol is handled", support },
  { "an unknown command is an error", unknown },
  { "TASK and UNIQTASK show what waits, and where; nine sessions at most", tasks },
  { "KILLTASK kills one task that matches", kill_task },
  { "RUN injects code that sees the service's state", run },
  { "TERM fails the calls to an address", term },
  { "modules add commands", own_commands },
  { "skynet.task counts, lists, and finds a session by its coroutine", own_tasks },
  { "mqlen counts what is queued, stat what was handled", statistics },
  { "time is starttime plus now", clocks },
  { "getenv reads the config; setenv writes a key once", environment },
  { "addresses print with eight digits", addresses },
})
