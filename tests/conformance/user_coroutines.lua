-- skynet.coroutine, skynet.profile, skynet.codecache (runtime_api.md 5.2, 5.12, 5.14).
local skynet = require "skynet"
local co = require "skynet.coroutine"
local profile = require "skynet.profile"
local codecache = require "skynet.codecache"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function values()
  local thread = co.create(function(a, b)
    local c = co.yield(a + b)
    local d, e = co.yield(c * 2)
    return d, e
  end)
  claims.equal(co.status(thread), "suspended")
  claims.equal({ co.resume(thread, 1, 2) }, { true, 3 })
  claims.equal({ co.resume(thread, 5) }, { true, 10 })
  claims.equal({ co.resume(thread, "d", "e") }, { true, "d", "e" })
  claims.equal(co.status(thread), "dead")
  claims.equal({ co.resume(thread) }, { false, "cannot resume dead coroutine" })
end

local function errors()
  local thread = co.create(function() error "raised inside" end)
  local ok, reason = co.resume(thread)
  claims.equal({ ok, string.find(reason, "raised inside", 1, true) ~= nil }, { false, true })
  claims.raises("raised inside", co.wrap(function() error "raised inside" end))
  local object = {}
  local _, seen = pcall(co.wrap(function() error(object) end))
  claims.equal(seen == object, true)
end

local function blocking()
  local thread = co.create(function()
    claims.equal(skynet.sleep(2), nil)
    co.yield "slept"
    return skynet.call(skynet.self(), "debug", "SUPPORT", "lua")
  end)
  local began = skynet.now()
  claims.equal({ co.resume(thread) }, { true, "slept" })
  local waited = skynet.now() - began
  claims.equal(waited >= 2 and waited < 200, true, waited)  -- a busy machine is late
  claims.equal({ co.resume(thread) }, { true, false })
end

local function blocked()
  local thread, status, resumed, ended
  skynet.fork(function()
    thread = co.create(function()
      skynet.sleep(5)
      return "ended"
    end)
    ended = { co.resume(thread) }
  end)
  skynet.sleep(1)
  status, resumed = co.status(thread), { co.resume(thread) }
  claims.equal(status, "blocked")
  claims.equal(resumed, { false, "cannot resume a skynet coroutine suspend by skynet framework" })
  claims.raises("blocked", co.close, thread)
  skynet.sleep(5)
  claims.equal(ended, { true, "ended" })
end

local function foreign()
  claims.equal({ co.resume(coroutine.create(print)) }, { false, "cannot resume none skynet coroutine" })
  claims.raises("Call skynet.coroutine.yield out of skynet.coroutine.resume", co.yield, 1)
end

local function nesting()
  local inner = co.wrap(function()
    for index = 1, 3 do
      skynet.sleep(1)
      co.yield(index)
    end
  end)
  local outer = co.wrap(function()
    for _ = 1, 3 do
      co.yield(inner() * 10)
    end
  end)
  claims.equal({ outer(), outer(), outer() }, { 10, 20, 30 })
end

local function wrapped_iterator()
  local seen = {}
  for value in co.wrap(function()
    for index = 1, 3 do
      skynet.yield()
      co.yield(index)
    end
  end) do
    seen[#seen + 1] = value
  end
  claims.equal(seen, { 1, 2, 3 })
end

local function threads()
  local task, is_main = co.thread()
  claims.equal({ task == coroutine.running(), is_main }, { true, true })
  local inside
  co.wrap(function() inside = { co.thread() } end)()
  claims.equal({ inside[1] == task, inside[2] }, { true, false })
  claims.equal({ co.running() == coroutine.running(), co.isyieldable() }, { true, true })
end

local function closing()
  local closed
  local thread = co.create(function()
    local _ <close> = setmetatable({}, { __close = function() closed = true end })
    co.yield()
  end)
  co.resume(thread)
  claims.equal({ co.close(thread), closed, co.status(thread) }, { true, true, "dead" })
end

local function exit_inside()
  -- A killed task takes its blocked coroutine along.
  local closed
  local task = skynet.fork(function()
    local wrapped = co.wrap(function() skynet.sleep(1000) end)
    local _ <close> = setmetatable({}, { __close = function() closed = true end })
    wrapped()
  end)
  skynet.yield()
  claims.equal(skynet.killthread(task) == task, true)
  claims.equal(closed, true)
end

local function default_token()
  local inner, woken
  skynet.fork(function()
    co.wrap(function()
      inner = coroutine.running()
      skynet.wait()
      woken = true
    end)()
  end)
  skynet.yield()
  claims.equal(skynet.wakeup(inner), true)
  skynet.yield()
  claims.equal(woken, true)
end

local function profiling()
  profile.start()
  skynet.sleep(10)
  local seconds = profile.stop()
  claims.equal(math.type(seconds), "float")
  claims.equal(seconds >= 0 and seconds < 0.1, true, "waiting does not count: " .. seconds)
  claims.raises("Call profile.start() before profile.stop()", profile.stop)
  profile.start()
  claims.raises("start profile more than once", profile.start)
  profile.stop()
end

local function profiled_thread()
  local task = skynet.fork(skynet.wait, claims)
  skynet.yield()
  profile.start(task)
  claims.equal(math.type(profile.stop(task)), "float")
  skynet.wakeup(claims)
  -- A task that ends while it is measured leaves nothing to its coroutine's next task.
  skynet.fork(function() profile.start() end)
  skynet.yield()
  local ok
  skynet.fork(function() ok = pcall(profile.stop) end)
  skynet.yield()
  claims.equal(ok, false)
end

local function cache()
  claims.equal(codecache.mode(), "ON")
  for _, mode in ipairs { "OFF", "EXIST", "ON" } do
    codecache.mode(mode)
    claims.equal(codecache.mode(), mode)
  end
  claims.raises("unknown mode", codecache.mode, "SOMETIMES")
  codecache.clear()
  claims.equal(type(codecache.loadfile(SERVICE_PATH .. "claims.lua")), "function")
end

local function edited_script()
  local function write(answer)
    local file = assert(io.open("./edited_service.lua", "w"))
    file:write("local skynet = require 'skynet' skynet.dispatch('lua', function() skynet.retpack(", answer,
      ") end) skynet.start(function() end)")
    file:close()
  end
  write(1)
  claims.equal(skynet.call(skynet.newservice "edited_service", "lua"), 1)
  write(2)
  claims.equal(skynet.call(skynet.newservice "edited_service", "lua"), 2)
  assert(os.remove "./edited_service.lua")
end

claims.run("user coroutines", {
  { "resume and yield pass values as in Lua", values },
  { "errors inside come out of resume and wrap", errors },
  { "a coroutine may block: the task waits", blocking },
  { "a blocked coroutine says so, and nobody else resumes or closes it", blocked },
  { "coroutines of others are refused, and a yield outside raises", foreign },
  { "coroutines nest and block at any depth", nesting },
  { "wrap makes iterators that block", wrapped_iterator },
  { "thread gives the task, and whether one is that itself", threads },
  { "close runs to-be-closed variables", closing },
  { "a killed task takes its blocked coroutine along", exit_inside },
  { "the default token of wait is the running coroutine", default_token },
  { "profile counts CPU time, not waiting; start and stop alternate", profiling },
  { "profile measures another task, and ends with the task", profiled_thread },
  { "codecache answers and has nothing to clear", cache },
  { "an edited script counts for the next service", edited_script },
})
