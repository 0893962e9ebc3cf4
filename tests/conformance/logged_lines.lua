-- What services log, as a log service in Lua sees it (runtime_api.md 1.14, 2, 4.8): errors, traces, the native texts.
-- Needs config logservice = "snlua", logger = "logger_with_memory". With an argument it is a callee: FAIL raises,
-- FORGET never answers, OBJECT raises a table, anything else is answered.
local skynet = require "skynet"
require "skynet.manager"

if ... then
  skynet.dispatch("lua", function(_, _, name)
    if name == "FAIL" then
      error "FAIL, on purpose"
    elseif name == "OBJECT" then
      error(setmetatable({}, { __tostring = function() return "an error object" end }))
    elseif name ~= "FORGET" then
      skynet.retpack()
    end
  end)
  skynet.start(function() end)
  return
end

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local callee

-- Lines logged since the last take that match all patterns.
local function take(...)
  skynet.yield()
  return skynet.call(".logger", "lua", "TAKE", ...)
end

local function own_lines()
  while not take("^:00000002 KILL self")[1] do  -- the bootstrap ends at a moment of its own
    skynet.sleep(1)
  end
  skynet.error("one", 2, nil, true, "with\0zero")
  claims.equal(take "one", { skynet.address(skynet.self()) .. " one 2 nil true with\0zero" })
end

local function launches()
  take()
  local handle = skynet.newservice("logged_lines", "callee")
  skynet.kill(handle)
  claims.equal(take "^:%x+ [LK][AI][UL][NL]", {
    skynet.address(handle) .. " LAUNCH snlua logged_lines callee",
    skynet.address(skynet.self()) .. string.format(" KILL :%x", handle),
  })
end

local function exits()
  local handle = skynet.newservice("logged_lines", "callee")
  take()
  skynet.send(handle, "debug", "EXIT")
  skynet.sleep(1)
  claims.equal(take "KILL", { skynet.address(handle) .. " KILL self" })
end

local function failed_launch()
  take()
  claims.equal(skynet.launch("harbor", "nonsense"), nil)
  claims.equal(#take "error: launch harbor FAILED", 1)
end

local function handler_errors()
  take()
  pcall(skynet.call, callee, "lua", "FAIL")
  local lines = take "FAIL, on purpose"
  claims.equal(#lines, 1)
  local pattern = "^" .. skynet.address(callee) .. " lua call %[8 to " .. skynet.address(callee)
    .. " : %d+ msgsz = 5%] error : \27%[31m.*logged_lines.lua:%d+: FAIL, on purpose\nstack traceback:.*\27%[0m$"
  claims.equal(string.find(lines[1], pattern) ~= nil, true, lines[1])
  pcall(skynet.call, callee, "lua", "OBJECT")
  claims.equal(#take "error : \27%[31man error object", 1)
end

local function callback_errors()
  local core = require "skynet.core"
  local raw = core.addresscommand("LAUNCH", "snlua core_module callback")
  take()
  skynet.send(raw, "lua", "FAIL")
  skynet.sleep(1)
  local pattern = "^" .. skynet.address(raw) .. " lua call %[8 to " .. skynet.address(raw)
    .. " : 0 msgsz = 5%] error : \27%[31m.*the callback raises, on purpose\nstack traceback:.*\27%[0m$"
  claims.equal(#take(pattern), 1)
  claims.equal((skynet.call(raw, "lua")), "raw", "the service goes on")
  skynet.kill(raw)
end

local function joined_errors()
  take()
  skynet.fork(error, "first, on purpose")
  skynet.fork(error, "second, on purpose")
  skynet.yield()
  claims.equal(#take("lua call", "first, on purpose.*\n.*second, on purpose"), 1)
end

local function forgotten()
  take()
  local task = skynet.fork(pcall, skynet.call, callee, "lua", "FORGET")
  skynet.sleep(1)
  claims.equal(#take "Maybe forgot response session %d+ from :00000008 : @.*logged_lines.lua:%d+$", 1)
  skynet.killthread(task)
end

local function unknown()
  local core = require "skynet.core"
  take()
  core.redirect(skynet.self(), 0x42, 199, 0, "bytes")
  core.redirect(skynet.self(), 0x42, skynet.PTYPE_RESPONSE, 4711, "late bytes")
  skynet.yield()
  local lines = take()
  local text = table.concat(lines, "\n")
  claims.equal(string.find(text, "Unknown request (199): bytes", 1, true) ~= nil, true, text)
  claims.equal(string.find(text, "Response message : late bytes", 1, true) ~= nil, true, text)
  claims.equal(string.find(text, "Unknown session : 4711 from 42", 1, true) ~= nil, true, text)
end

local function trace_of_call()
  take()
  skynet.fork(function()
    skynet.trace "here"
    local tag = skynet.tracetag()
    claims.equal(string.match(tag, "^:%x%x%x%x%x%x%x%x%-%d+$"), tag)
    skynet.call(callee, "lua", "x")
    skynet.sleep(1)
  end)
  skynet.sleep(5)
  local events = {}
  for _, line in ipairs(take "TRACE") do
    local source, event = string.match(line, "^(:%x+) <TRACE :00000008%-%d+> %d+ (.*)$")
    events[#events + 1] = source and source .. " " .. string.match(event, "^%S+ ?[^:]*") or line
  end
  local self, other = ":00000008", skynet.address(callee)
  claims.equal(events, {
    self .. " TRACE nil",
    self .. " trace here",
    self .. " call ",
    other .. " request",
    other .. " response",
    other .. " end",
    self .. " resume",
    self .. " sleep ",
    self .. " resume",
    self .. " end",
  })
  claims.equal(skynet.tracetag(), nil)
end

local function trace_of_error()
  take()
  skynet.fork(function()
    skynet.trace()
    pcall(skynet.call, callee, "lua", "FAIL")
  end)
  skynet.sleep(1)
  claims.equal(#take("^" .. skynet.address(callee), "<TRACE .*> %d+ error"), 1)
end

local function traced_protocol()
  take()
  skynet.call(callee, "debug", "TRACELOG", true)
  skynet.call(callee, "lua", "x")
  claims.equal(#take("^" .. skynet.address(callee), "<TRACE " .. skynet.address(callee) .. "%-%d+> %d+ request"), 1)
  skynet.call(callee, "debug", "TRACELOG", false)
  skynet.fork(function()
    skynet.trace()
    skynet.call(callee, "lua", "x")
  end)
  skynet.sleep(1)
  claims.equal(#take("^" .. skynet.address(callee), "<TRACE"), 0)
  skynet.call(callee, "debug", "TRACELOG", nil)
end

local function explicit_trace()
  take()
  local msg, size = skynet.tracecall("mine-1", callee, "lua", skynet.pack "x")
  claims.equal({ type(msg), size }, { "userdata", 0 })
  local lines = take "<TRACE mine%-1>"
  local text = table.concat(lines, "\n")
  local expected = "tracecall begin\n.* request\n.* response\n.* end\n.* tracecall end"
  claims.equal(string.find(text, expected) ~= nil, true, text)
  skynet.tracelog("mine-2", "text")
  claims.equal(#take ":00000008 <TRACE mine%-2> %d+ text$", 1)
end

local function wrong_names()
  claims.raises("", skynet.register, "0123456789abcdef")
  claims.raises("", skynet.register, ":name")
  claims.raises("", skynet.register, "1234")
  skynet.register "LOGGED_LINES"
  skynet.yield()
  take()
  skynet.name("LOGGED_LINES", callee)
  skynet.sleep(1)
  local cslave = skynet.address(skynet.localname ".cslave")
  claims.equal(#take("^" .. cslave .. " lua call .*the name is registered already"), 1)
end

local function syntax_error()
  local file = assert(io.open("./broken_service.lua", "w"))
  file:write "this is no Lua"
  file:close()
  take()
  claims.raises("call failed", skynet.newservice, "broken_service")
  claims.equal(#take "lua loader error : ./broken_service.lua:1: syntax error near 'is'", 1)
end

local function rotation()
  skynet.register_protocol { name = "system", id = skynet.PTYPE_SYSTEM, pack = function() return "" end }
  claims.equal(skynet.send(".logger", "system"), 0)
end

local function memory_lines()
  local memory = require "skynet.memory"
  local self = skynet.address(skynet.self())
  take()
  memory.mallctl "stats.allocated"
  memory.profactive(true)
  memory.jestat()
  memory.dumpinfo()
  memory.dumpheap()
  local lines = {}
  for index, name in ipairs { "stats.allocated", "profactive", "jestat", "dumpinfo", "dumpheap" } do
    lines[index] = string.format("%s No jemalloc: %s.", self, name)
  end
  claims.equal(take "No jemalloc", lines)
  memory.dump()
  claims.equal(#take(string.format("^%s %s %%-> %%d+%%.%%d%%d Kb$", self, self)), 1)
end

skynet.init(function() callee = skynet.newservice("logged_lines", "callee") end)

claims.run("logged lines", {
  { "skynet.error joins its arguments and keeps every byte", own_lines },
  { "a launch is logged by the new service, a kill by the killer", launches },
  { "an exit is logged by the service", exits },
  { "a failed launch of a native service is logged", failed_launch },
  { "an error of a handler is logged with session, size and traceback; objects by tostring", handler_errors },
  { "an error of a callback of skynet.core is logged alike", callback_errors },
  { "errors of several tasks of one dispatch are one line", joined_errors },
  { "a forgotten response is logged with the place of the handler", forgotten },
  { "unknown requests and responses are logged", unknown },
  { "trace follows a call through both services", trace_of_call },
  { "trace tells of the callee's error", trace_of_error },
  { "TRACELOG traces every request, or none", traced_protocol },
  { "tracecall and tracelog take the tag they are given", explicit_trace },
  { "global names are checked, and a second registration fails in .cslave", wrong_names },
  { "a syntax error of a script is told as such", syntax_error },
  { "skynet.memory logs what only jemalloc knows, and dumps what services took", memory_lines },
  { "a log service in Lua takes the call for rotation", rotation },
})
