-- In which order the tasks of a service run (runtime_api.md 4.2), and the old bugs of that order.
local skynet = require "skynet"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

-- Runs f in a task of its own, waits `cs` and returns what was put into the list that f gets.
local function observe(cs, f)
  local order = {}
  skynet.fork(f, order, function(name) order[#order + 1] = name end)
  skynet.sleep(cs)
  return order
end

local function reference_order()
  local seen = observe(10, function(_, put)
    local w1, w2 = {}, {}
    for name, token in pairs { w1 = w1, w2 = w2 } do
      skynet.fork(function()
        skynet.wait(token)
        put(name)
      end)
    end
    skynet.sleep(1)
    skynet.fork(function()
      put "f1"
      skynet.fork(put, "f3")
    end)
    skynet.wakeup(w2)
    skynet.wakeup(w1)
    skynet.fork(put, "f2")
    skynet.timeout(0, function() put "t0" end)
    put "main"
  end)
  claims.equal(seen, { "main", "w2", "w1", "f1", "f2", "f3", "t0" })
end

local PERMUTATION = { 5, 2, 8, 1, 7, 3, 6, 4 }

-- The same eight coroutines park on fresh tokens, are woken in the order of `wakes`, and note when they run.
local function parked_tasks()
  local tokens, order = {}, {}
  for index = 1, 8 do
    skynet.fork(function()
      for _ = 1, 4 do
        tokens[index] = {}
        skynet.wait(tokens[index])
        order[#order + 1] = index
      end
    end)
  end
  skynet.sleep(1)
  return function(wakes)
    order = {}
    for _, index in ipairs(wakes) do
      skynet.wakeup(tokens[index])
    end
    skynet.yield()
    return order
  end
end

local function reversed(list)
  local result = {}
  for index = #list, 1, -1 do
    result[#result + 1] = list[index]
  end
  return result
end

local function wakes()
  local wake = parked_tasks()
  for _, order in ipairs { PERMUTATION, PERMUTATION, reversed(PERMUTATION), reversed(PERMUTATION) } do
    claims.equal(wake(order), order)
  end
end

local function wakes_with_raise()
  local tokens, order = {}, {}
  for index = 1, 10 do
    tokens[index] = {}
    skynet.fork(function()
      skynet.wait(tokens[index])
      if index == 5 then
        error "the fifth sleeper raises, on purpose"
      end
      order[#order + 1] = index
    end)
  end
  skynet.sleep(1)
  local began = skynet.now()
  for index = 1, 10 do
    skynet.wakeup(tokens[index])
  end
  skynet.yield()
  claims.equal(order, { 1, 2, 3, 4, 6, 7, 8, 9, 10 })
  claims.equal(skynet.now() - began < 100, true, "no timer was waited for")
end

local function forks()
  for _ = 1, 50 do
    local seen = observe(1, function(_, put)
      for index = 1, 12 do
        skynet.fork(function()
          put(index)
          if index % 3 == 0 then
            skynet.fork(put, "c" .. index)
          end
        end)
      end
    end)
    claims.equal(seen, { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "c3", "c6", "c9", "c12" })
  end
end

local function failing_fork()
  local seen = observe(1, function(_, put)
    skynet.fork(put, "first")
    skynet.fork(error, "a fork raises, on purpose")
    skynet.fork(put, "third")
    error "the task raises, on purpose"
  end)
  claims.equal(seen, { "first", "third" })
end

local function fork_arguments()
  local seen = observe(1, function(order)
    skynet.fork(function(...) order[1] = select("#", ...) end, 1, nil, nil)
  end)
  claims.equal(seen, { 3 })
end

local function woken_wakes()
  local seen = observe(2, function(_, put)
    local a, b = {}, {}
    skynet.fork(function()
      skynet.wait(a)
      put "a"
      skynet.wakeup(b)
      skynet.fork(put, "fork of a")
    end)
    skynet.fork(function()
      skynet.wait(b)
      put "b"
    end)
    skynet.yield()
    skynet.fork(put, "fork")
    skynet.wakeup(a)
  end)
  claims.equal(seen, { "a", "b", "fork", "fork of a" })
end

-- Requests that this service sends to itself, one after another.
skynet.dispatch("lua", function(_, _, put_name)
  local order = claims.order
  order[#order + 1] = put_name
end)

local function zero_timers()
  claims.order = {}
  skynet.send(skynet.self(), "lua", "before")
  skynet.timeout(0, function() claims.order[#claims.order + 1] = "timeout" end)
  skynet.send(skynet.self(), "lua", "after")
  skynet.sleep(0)
  claims.equal(claims.order, { "before", "timeout", "after" })
end

local function timers()
  local seen = observe(10, function(_, put)
    skynet.timeout(3, function() put "3" end)
    skynet.timeout(1, function() put "1a" end)
    skynet.timeout(-5, function() put "-5" end)
    skynet.timeout(1, function() put "1b" end)
    skynet.timeout(2, function() put "2" end)
    skynet.timeout(1, function() put "1c" end)
  end)
  claims.equal(seen, { "-5", "1a", "1b", "1c", "2", "3" })
end

local function tick_rule()
  for ticks = 1, 5 do
    local began_cs, began_ns = skynet.now(), skynet.hpc()
    claims.equal(skynet.sleep(ticks), nil)
    local waited = skynet.now() - began_cs
    claims.equal(waited >= ticks and waited < ticks + 200, true, waited)  -- a busy machine is late
    claims.equal(skynet.hpc() - began_ns > (ticks - 1) * 10000000, true)
  end
end

local function huge_timers()
  claims.raises("2147483647", skynet.timeout, 4294967285, function() end)
  claims.raises("2147483647", skynet.sleep, math.maxinteger)
  local before = skynet.task()
  local sleeper = skynet.fork(skynet.sleep, 0x7fffffff)
  skynet.yield()
  claims.equal(skynet.task(), before + 1)
  skynet.killthread(sleeper)
end

local function sleep_and_wakeup()
  local token, result = {}, nil
  skynet.fork(function() result = skynet.sleep(1000, token) end)
  skynet.yield()
  claims.equal(skynet.wakeup(token), true)
  claims.equal(skynet.wakeup(token), nil, "a second wakeup")
  claims.equal(skynet.wakeup {}, nil, "nobody waits")
  skynet.yield()
  claims.equal(result, "BREAK")
end

local function stale_wakeup()
  local token, rounds = {}, 0
  skynet.fork(function()
    skynet.wait(token)
    rounds = rounds + 1
    skynet.wait(token)
    rounds = rounds + 1
  end)
  skynet.yield()
  skynet.wakeup(token)
  skynet.wakeup(token)
  skynet.sleep(1)
  claims.equal(rounds, 1)
  skynet.wakeup(token)
  skynet.yield()
  claims.equal(rounds, 2)
end

local function default_token()
  local woken
  local task = skynet.fork(function()
    skynet.wait()
    woken = true
  end)
  skynet.yield()
  claims.equal(skynet.wakeup(task), true)
  skynet.yield()
  claims.equal(woken, true)
end

local function duplicative_token()
  local token = {}
  skynet.fork(skynet.wait, token)
  skynet.yield()
  claims.raises("token duplicative", skynet.wait, token)
  claims.raises("token duplicative", skynet.sleep, 10, token)
  skynet.wakeup(token)
end

-- #1413: a poll for "no task is left" must not see what was cancelled.
local function cancelled_sleep()
  local before = skynet.task()
  local token = {}
  skynet.fork(skynet.sleep, 6000, token)
  skynet.yield()
  claims.equal(skynet.task(), before + 1)
  skynet.wakeup(token)
  skynet.yield()
  claims.equal(skynet.task(), before)
end

local function c_boundary()
  local before = skynet.task()
  local function refused(f)
    claims.raises("attempt to yield across a C-call boundary", string.gsub, "x", "x", f)
  end
  refused(function() skynet.call(skynet.self(), "lua", "never sent") end)
  refused(function() skynet.sleep(1) end)
  refused(function() skynet.wait {} end)
  claims.equal(skynet.task(), before, "tasks that wait")
  -- Nothing that arrives later resumes this task.
  claims.order = {}
  claims.equal(skynet.sleep(5), nil)
  claims.equal(claims.order, {})
end

local function plain_coroutine()
  local _, reason = coroutine.resume(coroutine.create(function() skynet.sleep(1) end))
  claims.equal(string.find(reason, "skynet.coroutine", 1, true) ~= nil, true, tostring(reason))
end

local function plain_yield()
  local seen = observe(1, function(order)
    order[1] = "began"
    coroutine.yield "anything"
    order[2] = "went on"
  end)
  claims.equal(seen, { "began" })
end

local function kills()
  local closed, ran = 0, false
  local sleeper = skynet.fork(function()
    local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
    skynet.sleep(1000)
  end)
  skynet.yield()
  claims.equal(skynet.killthread(sleeper) == sleeper, true)
  claims.equal(closed, 1)
  local unborn = skynet.fork(function() ran = true end)
  claims.equal(skynet.killthread(unborn) == unborn, true)
  skynet.yield()
  claims.equal(ran, false)
  local named = skynet.fork(skynet.sleep, 1000)
  skynet.yield()
  local pattern = string.gsub(tostring(named), "%p", "%%%0")
  claims.equal(skynet.killthread(pattern) == named, true)
  claims.equal(skynet.killthread "no such task", nil)
  claims.equal(skynet.killthread(coroutine.create(print)), nil)
end

claims.run("task order", {
  { "main, woken tasks by wakeup, forks, then timeout(0): main w2 w1 f1 f2 f3 t0", reference_order },
  { "eight woken tasks run in the order of wakeup, and in its reverse (#587)", wakes },
  { "a woken task that raises does not stop the others (#873)", wakes_with_raise },
  { "forks run in the order of fork, forks of forks behind them (#1000)", forks },
  { "a fork or a task that raises does not stop the forks", failing_fork },
  { "fork keeps trailing nils", fork_arguments },
  { "what a woken task wakes runs before any fork", woken_wakes },
  { "timeout(0) goes through the mailbox: after what is queued, before what comes", zero_timers },
  { "timers fire by tick, equal ticks in the order they were set", timers },
  { "sleep(n) ends at the n-th tick", tick_rule },
  { "a timer beyond 2^31-1 ticks is an error (#193)", huge_timers },
  { "wakeup ends a sleep with BREAK, and answers true only if somebody waits", sleep_and_wakeup },
  { "a second wakeup leaves no stale entry", stale_wakeup },
  { "the default token is the task's coroutine", default_token },
  { "two tasks cannot wait on one token", duplicative_token },
  { "a cancelled sleep is not counted as a task (#1413)", cancelled_sleep },
  { "blocking across a C boundary raises and leaves no session (#1732)", c_boundary },
  { "blocking in a coroutine.create raises and names skynet.coroutine", plain_coroutine },
  { "a task that calls coroutine.yield fails", plain_yield },
  { "killthread closes a waiting task, by coroutine or pattern, and removes forks that have not begun", kills },
})
