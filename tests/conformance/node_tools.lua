-- skynet.profile (runtime_api.md 5.12).
local skynet = require "skynet"
local co = require "skynet.coroutine"
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

claims.run("node tools", {
  { "profile measures coroutines that are no tasks", profiled_coroutine },
  { "the time in which a coroutine is suspended does not count", suspended_time },
  { "profile.wrap makes functions as coroutine.wrap does", wrapped },
})
