-- What a service asks about itself and its node (runtime_api.md 4.3): addresses, time, environment, statistics.
local skynet = require "skynet"
local core = require "skynet.core"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function addresses()
  claims.equal(skynet.self(), core.addresscommand "REG")
  claims.equal(skynet.address(skynet.self()), string.format(":%08x", skynet.self()))
  claims.equal({ skynet.address(0xdead), skynet.address(16.0), skynet.address ".name", skynet.address "16" },
    { ":0000dead", ":00000010", ".name", "16" })
  claims.equal({ skynet.address(nil), skynet.address(true) }, { "nil", "true" })
  claims.raises("number has no integer representation", skynet.address, 0.5)
end

local function names()
  claims.equal(skynet.localname ".facts", nil)
  skynet.register ".facts"
  claims.equal(skynet.localname ".facts", skynet.self())
  claims.equal(select("#", skynet.localname ".nobody"), 0)
  claims.equal(select("#", skynet.localname "facts"), 0)
  claims.equal(select("#", skynet.localname()), 0)
  claims.raises("string expected, got table", skynet.localname, {})
end

local function times()
  claims.equal(math.type(skynet.starttime()), "integer")
  claims.equal(skynet.starttime(), core.intcommand "STARTTIME")
  local before, now, after = skynet.now(), skynet.time(), skynet.now()
  claims.equal(math.type(now), "float")
  claims.equal(before / 100 + skynet.starttime() <= now and now <= after / 100 + skynet.starttime(), true)
  skynet.sleep(2)
  claims.equal(skynet.time() >= now + 0.015, true)  -- 2 ticks, less what a float of this size rounds
end

local function environment()
  claims.equal(skynet.getenv "facts_key", nil)
  skynet.setenv("facts_key", "two words ")
  skynet.setenv("facts_flag", false)
  skynet.setenv("facts_number", 1.5)
  claims.equal({ skynet.getenv "facts_key", skynet.getenv "facts_flag", skynet.getenv "facts_number" },
    { "two words ", "false", "1.5" })
  claims.equal(core.command("GETENV", "facts_key"), "two words ")
  local ok, reason = pcall(skynet.setenv, "facts_key", "again")
  claims.equal({ ok, reason }, { false, "Can't setenv exist key : facts_key" })
  claims.equal(skynet.getenv "facts_key", "two words ")
  local raising = setmetatable({}, { __tostring = function() error "from tostring" end })
  claims.raises("from tostring", skynet.setenv, "facts_raising", raising)
  claims.equal(skynet.getenv "facts_raising", nil)
end

local function statistics()
  claims.equal(skynet.mqlen(), 0)
  for _ = 1, 3 do
    skynet.send(skynet.self(), "lua")
  end
  claims.equal({ skynet.mqlen(), skynet.stat "mqlen" }, { 3, 3 })
  claims.equal({ skynet.endless(), skynet.stat "endless" }, { false, 0 })
end

local function waiting_tasks()
  local found, sessions = nil, {}
  for _ = 1, 11 do
    skynet.fork(function() skynet.wait {} end)
  end
  skynet.sleep(1)
  for heading, stack in pairs(skynet.uniqtask()) do
    if string.find(stack, "service_facts.lua", 1, true) and string.find(heading, "^11\tsessions:%[") then
      found = heading
    end
  end
  for session in string.gmatch(found, "[%[,](%d+)") do
    sessions[#sessions + 1] = session
  end
  claims.equal({ #sessions, string.sub(found, -6) }, { 9, ",...]\n" })
end

skynet.dispatch("lua", function() end)

claims.run("service facts", {
  { "self is the handle, address its text, and the text of anything else", addresses },
  { "localname answers the handle of a local name, and nothing for any other", names },
  { "time is the wall time at the start and the centiseconds since", times },
  { "setenv writes a key once, as text", environment },
  { "mqlen counts the messages that wait, endless is false of a service that ends its dispatches", statistics },
  { "uniqtask counts the tasks that wait at one place and lists nine sessions", waiting_tasks },
})
