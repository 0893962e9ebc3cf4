-- send, call, ret, response and their failures (runtime_api.md 1.9, 4.3, 4.6). With an argument it is a callee:
--   (the argument "idle": it never calls skynet.start)
--   ECHO(...) -> ...      FAIL raises       FORGET never answers     TWICE -> what the second ret says
--   LATE(cs) -> true      CONTEXT -> session, source, then what context() says after ret
--   PUSHED -> results of ret for the last one-way request     HANG waits for ever     EXIT ends the service
--   RESPOND(n): see the claims about skynet.response          CALL(address, ...) -> the reply
local skynet = require "skynet"
require "skynet.manager"

local command = {}

function command.ECHO(...)
  skynet.retpack(...)
end

function command.FAIL()
  error "FAIL, on purpose"
end

function command.FORGET() end

function command.HANG()
  skynet.wait {}
end

function command.EXIT()
  skynet.exit()
end

function command.LATE(ticks)
  skynet.sleep(ticks)
  skynet.retpack(true)
end

function command.TWICE(address)
  skynet.retpack "first"
  local ok, reason = pcall(skynet.ret)
  skynet.send(address, "lua", "NOTE", ok, reason)
end

function command.CONTEXT(address)
  local session, source = skynet.context()
  skynet.retpack(session > 0, source)
  session, source = skynet.context()
  skynet.send(address, "lua", "NOTE", session, source)
end

local pushed
function command.PUSH()
  pushed = table.pack(skynet.retpack "nobody wants it")
  pushed[2] = pcall(skynet.ret)
end

function command.PUSHED()
  skynet.retpack(table.unpack(pushed, 1, 2))
end

function command.RESPOND(how)
  if how == "none" then
    skynet.retpack "done"
    skynet.send(skynet.self(), "lua", "NOTHING")
    return
  end
  local answer = skynet.response()
  skynet.fork(function()
    if how == "later" then
      skynet.sleep(2)
      answer(true, answer "TEST", "later")
    elseif how == "false" then
      answer(false)
    elseif how == "twice" then
      answer(true, select(2, pcall(skynet.response)))
      local ok, reason = pcall(answer, true)
      command.noted = { ok, reason, answer "TEST" }
    end
  end)
end

function command.NOTED()
  local noted = command.noted or {}
  command.noted = nil
  skynet.retpack(table.unpack(noted, 1, 3))
end

function command.NOTE(...)
  command.noted = table.pack(...)
end

function command.CALL(address, ...)
  skynet.retpack(skynet.call(address, "lua", ...))
end

-- Keeps a response and says later whether its requester is still thought alive.
local kept
function command.KEEP()
  kept = skynet.response()
end

function command.KEPT()
  local test = kept "TEST"
  skynet.retpack(test, kept(true, "too late"))
end

skynet.dispatch("lua", function(_, _, name, ...)
  command[name](...)
end)

if ... == "idle" then
  return
elseif ... then
  skynet.start(function() end)
  return
end

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local self = skynet.self()
local callee

local function fresh()
  return skynet.newservice("calls", "callee")
end

local function values()
  claims.equal({ skynet.call(callee, "lua", "ECHO", 1, nil, "three", { n = 1, 2 }) }, { 1, nil, "three", { n = 1, 2 } })
  claims.equal(select("#", skynet.call(callee, "lua", "ECHO")), 0)
  claims.equal(select("#", skynet.call(callee, "lua", "ECHO", nil, nil)), 2)
  claims.equal(#skynet.call(callee, "lua", "ECHO", string.rep("x", 100000)), 100000)
end

local function order()
  local seen, list = {}, {}
  for index = 1, 20 do
    list[index] = function()
      local reply = skynet.call(callee, "lua", "ECHO", index)
      seen[#seen + 1] = reply
    end
  end
  claims.all(list)
  for index = 1, 20 do
    claims.equal(seen[index], index)
  end
end

local function raw()
  local function text(msg, size) return skynet.unpack(msg, size) end
  claims.equal(text(skynet.rawcall(callee, "lua", skynet.pack("ECHO", "raw"))), "raw")
  claims.equal(text(skynet.rawcall(callee, "lua", skynet.packstring("ECHO", "string"))), "string")
  claims.equal(skynet.rawsend(callee, "lua", skynet.pack "FORGET"), 0)
  claims.raises("call to invalid address :0000dead", skynet.rawcall, 0xdead, "lua", "x")
end

-- #190
local function invalid_addresses()
  claims.equal(skynet.send(0xdead, "lua", "ECHO"), nil)
  claims.equal(skynet.send(".nobody", "lua", "ECHO"), nil)
  claims.equal(skynet.send(callee, "lua", "FORGET"), 0)
  local waiting = skynet.task()
  claims.raises("call to invalid address :0000dead", skynet.call, 0xdead, "lua")
  claims.raises("call to invalid address .nobody", skynet.call, ".nobody", "lua")
  claims.equal(skynet.task(), waiting)
  claims.raises("Invalid service address 0", skynet.call, 0, "lua")
  claims.raises("nosuchtype", skynet.send, callee, "nosuchtype", "x")
  claims.raises("nosuchtype", skynet.call, callee, "nosuchtype", "x")
end

local function failing_handler()
  claims.raises("call failed", skynet.call, callee, "lua", "FAIL")
  claims.raises("call failed", skynet.call, callee, "lua", "no such command")
  claims.equal(skynet.call(callee, "lua", "ECHO", "still there"), "still there")
end

-- #578: an error with session 0 would mean "I am gone" and fail every call to this service.
local function failing_push()
  local seen = claims.all {
    function() return skynet.call(callee, "lua", "LATE", 3) end,
    function() skynet.send(callee, "lua", "FAIL") end,
    function() return skynet.call(callee, "lua", "LATE", 2) end,
  }
  claims.equal({ seen[1], seen[3] }, { true, true })
end

-- What the callee has sent behind its answer, which may take longer than the answer.
local function await_note()
  while not command.noted do
    skynet.sleep(1)
  end
  local noted = command.noted
  command.noted = nil
  return noted
end

local function second_ret()
  claims.equal(skynet.call(callee, "lua", "TWICE", self), "first")
  local noted = await_note()
  claims.equal(noted[1], false)
  claims.equal(string.find(noted[2], "No session", 1, true) ~= nil, true)
  claims.raises("No session", skynet.ret)
  claims.raises("No session", skynet.retpack, 1)
end

local function one_way_ret()
  skynet.send(callee, "lua", "PUSH")
  claims.equal({ skynet.call(callee, "lua", "PUSHED") }, { false, false })
end

local function context()
  claims.equal({ skynet.call(callee, "lua", "CONTEXT", self) }, { true, self })
  local noted = await_note()
  claims.equal({ noted[1], noted[2] }, { nil, self })
end

local function responses()
  claims.equal({ skynet.call(callee, "lua", "RESPOND", "later") }, { true, "later" })
  claims.raises("call failed", skynet.call, callee, "lua", "RESPOND", "false")
  local inner = skynet.call(callee, "lua", "RESPOND", "twice")
  claims.equal(string.find(inner, "no session", 1, true) ~= nil, true, inner)
  local ok, reason, test = skynet.call(callee, "lua", "NOTED")
  claims.equal({ ok, test }, { false, false })
  claims.equal(string.find(reason, "Can't response more than once", 1, true) ~= nil, true, reason)
  claims.raises("no session", skynet.response)
end

local function response_to_push()
  local answer
  local previous = skynet.dispatch("lua")
  skynet.dispatch("lua", function() answer = skynet.response() end)
  skynet.send(self, "lua")
  skynet.yield()
  skynet.dispatch("lua", previous)
  claims.equal({ select("#", answer(true, 1)), select("#", answer "TEST") }, { 0, 0 })
end

local function dead_requester()
  local caller = fresh()
  skynet.send(caller, "lua", "CALL", callee, "KEEP")
  skynet.sleep(1)
  skynet.send(caller, "lua", "EXIT")
  skynet.sleep(1)
  claims.equal({ skynet.call(callee, "lua", "KEPT") }, { false, false })
end

-- The callee exits while it works on a request, and while others are queued (#1220, #1846).
local function exiting_callee()
  local dying = fresh()
  local seen = claims.all {
    function() return skynet.call(dying, "lua", "HANG") end,
    function() return skynet.call(dying, "lua", "RESPOND", "never") end,
    function() skynet.send(dying, "lua", "EXIT") end,
    function() return skynet.call(dying, "lua", "ECHO", "queued behind exit") end,
  }
  for _, index in ipairs { 1, 2, 4 } do
    claims.equal(string.find(seen[index], "call failed", 1, true) ~= nil, true, tostring(index))
  end
  claims.raises("call to invalid address", skynet.call, dying, "lua")
end

local function killed_callee()
  local dying = fresh()
  local seen = claims.all {
    function()
      skynet.kill(dying)
      return true
    end,
    function() return skynet.call(dying, "lua", "ECHO") end,
  }
  claims.equal(string.find(seen[2], "call to invalid address", 1, true) ~= nil, true)
  dying = fresh()
  seen = claims.all {
    function() return skynet.call(dying, "lua", "ECHO") end,
    function() skynet.kill(skynet.address(dying)) end,
  }
  claims.equal(seen[1] == nil or string.find(seen[1], "call failed", 1, true) ~= nil, true, "queued when killed")
end

local function idle_callee()
  local idle = skynet.launch("snlua", "calls", "idle")
  claims.raises("call failed", skynet.call, idle, "lua", "ECHO")
  skynet.kill(idle)
end

local function forgotten_reply()
  local returned
  local task = skynet.fork(function()
    skynet.call(callee, "lua", "FORGET")
    returned = true
  end)
  skynet.sleep(10)
  claims.equal(returned, nil, "the caller waits")
  claims.equal(skynet.killthread(task) == task, true)
end

local function terminated()
  skynet.register ".calls_claims"
  local silent = fresh()
  skynet.name(".silent", silent)
  local seen
  skynet.fork(function()
    seen = claims.all {
      function() return skynet.call(silent, "lua", "HANG") end,
      function() return skynet.call(".silent", "lua", "HANG") end,
    }
  end)
  skynet.sleep(1)
  local waiting = skynet.task()
  skynet.term(silent)
  skynet.yield()
  claims.equal(skynet.task(), waiting - 1, "the call by name still waits")
  skynet.term ".silent"
  skynet.yield()
  claims.equal(string.find(seen[1], "call failed", 1, true) ~= nil, true)
  claims.equal(string.find(seen[2], "call failed", 1, true) ~= nil, true)
  skynet.kill(silent)
end

local function failure_order()
  local silent, seen = fresh(), {}
  for index = 1, 5 do
    skynet.fork(function()
      pcall(skynet.call, silent, "lua", "HANG")
      seen[#seen + 1] = index
      if index == 1 then
        skynet.wakeup(seen)
      end
    end)
  end
  skynet.fork(function()
    skynet.wait(seen)
    seen[#seen + 1] = "woken"
  end)
  skynet.sleep(1)
  skynet.term(silent)
  skynet.yield()
  claims.equal(seen, { 1, "woken", 2, 3, 4, 5 })
  skynet.kill(silent)
end

local function killed_request()
  local seen
  local task
  local previous = skynet.dispatch("lua")
  skynet.dispatch("lua", function()
    task = coroutine.running()
    skynet.wait {}
  end)
  skynet.fork(function() seen = { pcall(skynet.call, self, "lua") } end)
  skynet.sleep(1)
  skynet.dispatch("lua", previous)
  claims.equal(skynet.killthread(task) == task, true)
  skynet.yield()
  claims.equal(seen[1], false)
end

local function global_name()
  local seen = claims.within(100, function()
    return claims.all {
      function() return skynet.call("CALLS", "lua", "ECHO", "waited for the name") end,
      function()
        skynet.sleep(5)
        skynet.name("CALLS", callee)
      end,
    }
  end)
  claims.equal(seen[1], "waited for the name")
  claims.equal(skynet.call("CALLS", "lua", "ECHO", 1), 1)
end

skynet.init(function() callee = fresh() end)

claims.run("calls", {
  { "call returns what retpack got, nils and long strings included", values },
  { "twenty calls to one service return in order", order },
  { "rawcall and rawsend neither pack nor unpack", raw },
  { "send to nobody gives nil, call raises at once (#190); an unknown type raises", invalid_addresses },
  { "a handler that raises fails its caller and nobody else", failing_handler },
  { "a push whose handler raises fails no call (#578)", failing_push },
  { "a second ret, or one without a request, raises No session", second_ret },
  { "ret of a one-way request gives false", one_way_ret },
  { "context keeps the source and drops the session once answered", context },
  { "response answers later, once, with a value or an error", responses },
  { "response to a one-way request does nothing", response_to_push },
  { "TEST of a response tells that the requester exited", dead_requester },
  { "an exit fails requests under way, deferred and queued (#1220, #1846)", exiting_callee },
  { "a kill fails what is queued", killed_callee },
  { "a service that never starts fails its callers", idle_callee },
  { "a forgotten reply leaves the caller waiting", forgotten_reply },
  { "term fails the calls to exactly that address", terminated },
  { "failed calls resume in order, what they wake first", failure_order },
  { "killthread fails the request of the task", killed_request },
  { "a call to a global name waits until somebody registers it", global_name },
})
