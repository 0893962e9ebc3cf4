-- skynet.profile, skynet.memory, skynet.codecache, and the services dbg and cmemory (runtime_api.md 5.12 - 5.14, 6.10).
-- What skynet.memory logs is in logged_lines.lua.
local skynet = require "skynet"
local co = require "skynet.coroutine"
local memory = require "skynet.memory"
local profile = require "skynet.profile"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function burn(rounds)
  local sum = 0
  for index = 1, rounds do
    sum = sum + index % 7
  end
  return sum
end

local function profiled_coroutine()
  for _, library in ipairs { co, { create = coroutine.create, resume = profile.resume, yield = coroutine.yield } } do
    local inner
    local thread = library.create(function()
      burn(1000)
      library.yield()
      profile.start()
      burn(1000)
      library.yield()
      burn(1000)
      inner = profile.stop()
    end)
    profile.start(thread)
    claims.raises("start profile more than once", profile.start, thread)
    library.resume(thread)
    local seconds = profile.stop(thread)
    claims.equal({ math.type(seconds), seconds >= 0 }, { "float", true })
    claims.raises("Call profile.start() before profile.stop()", profile.stop, thread)
    library.resume(thread)
    local before = inner
    library.resume(thread)
    claims.equal({ before, math.type(inner) }, { nil, "float" })
  end
end

local function suspended_time()
  -- What others do between two resumes, and what the task does, is not the coroutine's.
  local thread = co.create(function()
    co.yield()
    skynet.sleep(1)
    burn(10)
  end)
  profile.start()
  profile.start(thread)
  co.resume(thread)
  burn(3000000)
  co.resume(thread)
  local own, all = profile.stop(thread), profile.stop()
  claims.equal({ own <= all, own >= 0 }, { true, true })
  claims.equal(all == 0 or own < all / 2, true, "a part of the task's time")
end

local function wrapped()
  local thread
  local f = profile.wrap(function(a)
    thread = coroutine.running()
    profile.start()
    local b = coroutine.yield(a + 1)
    return b, math.type(profile.stop())
  end)
  claims.equal({ f(1) }, { 2 })
  claims.equal({ f "b" }, { "b", "float" })
  claims.equal(coroutine.status(thread), "dead")
  claims.raises("coroutine expected", profile.start, 1)
  claims.raises("cannot resume dead coroutine", f)
end

local function figures()
  collectgarbage()
  collectgarbage()
  local before = memory.current()
  local kept = string.rep("x", 1 << 20)
  claims.equal({ memory.current() - before >= #kept, math.type(before) }, { true, "integer" })
  local bytes_of = memory.info()
  claims.equal(bytes_of[skynet.self()] > 1 << 20, true)
  local other = skynet.newservice "idle_service"
  claims.equal({ memory.info()[other] > 1000, memory.info()[other] < 1 << 20 }, { true, true })
  claims.equal(memory.total() > memory.current(), true)
  claims.equal(memory.block(), 0)
  skynet.send(other, "debug", "EXIT")
end

local function without_jemalloc()
  claims.equal({ memory.mallctl "stats.allocated", memory.profactive(true), memory.profactive() }, { 0, false, false })
  local stats = memory.jestat()
  claims.equal({ stats["stats.allocated"], stats["stats.resident"] }, { 0, 0 })
  claims.equal({ memory.dumpinfo "a", memory.dumpheap(), memory.dump() }, {})
  claims.raises("string expected", memory.mallctl)
end

local function tools()
  claims.equal(skynet.newservice("dbg", "list"), nil, "it exits in its start function")
  claims.equal(skynet.newservice("dbg", "no such command"), nil)
  claims.equal(skynet.newservice "cmemory", nil)
end

local function cache()
  local codecache = require "skynet.codecache"
  claims.equal({ skynet.cache == codecache, codecache.mode() }, { true, "ON" })
  codecache.mode "OFF"
  claims.equal(codecache.mode(), "OFF")
  codecache.mode "ON"
  claims.equal({ codecache.clear() }, {})
  claims.equal(type(codecache.loadfile(SERVICE_PATH .. "claims.lua")), "function")
  local chunk, reason = codecache.loadfile "./no such file"
  claims.equal({ chunk == nil, string.sub(reason, 1, 26) }, { true, "cannot open ./no such file" })
end

claims.run("node tools", {
  { "profile measures coroutines that are no tasks", profiled_coroutine },
  { "the time in which a coroutine is suspended does not count", suspended_time },
  { "profile.wrap makes functions as coroutine.wrap does", wrapped },
  { "memory tells what services took", figures },
  { "what only jemalloc knows is nothing", without_jemalloc },
  { "dbg and cmemory print and exit", tools },
  { "codecache keeps a mode and loads files", cache },
})
