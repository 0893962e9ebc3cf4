-- Cluster workloads over one connection, between two processes or two nodes of one process. COST as in bench_local.lua.
local skynet = require "skynet"
local cluster = require "skynet.cluster"
require "skynet.manager"

-- Time of one call of a small Lua function (inside fib), the unit in which costs are given.
local function lua_call_cost_ns()
  local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
  local best = math.huge
  for _ = 1, 5 do
    local t0 = skynet.hpc()
    fib(24)                                     -- 75 025 * 2 - 1 calls
    best = math.min(best, (skynet.hpc() - t0) / 150049)
  end
  return best
end

local function main()
  cluster.reload { db = (skynet.getenv "bench_host" or "127.0.0.1") .. ":" .. (skynet.getenv "bench_port" or "12528") }
  local unit_ns = lua_call_cost_ns()
  print(string.format("calibration %.1f ns per Lua call", unit_ns))
  cluster.call("db", "@echo", "warm")

  local function measure(name, operations, run)
    local best = math.huge
    for _ = 1, 3 do
      local t0 = skynet.hpc()
      run()
      best = math.min(best, (skynet.hpc() - t0) / operations)
    end
    print(string.format("%-26s %10.0f call/s %8.1f calls-of-Lua", name, 1e9 / best, best / unit_ns))
  end

  measure("cluster.call, 1 task", 5000, function()
    for i = 1, 5000 do cluster.call("db", "@echo", "ping", i) end
  end)
  measure("cluster.call, 100 tasks", 30000, function()
    local left, done = 100, {}
    for _ = 1, 100 do
      skynet.fork(function()
        for i = 1, 300 do cluster.call("db", "@echo", "ping", i) end
        left = left - 1
        if left == 0 then skynet.wakeup(done) end
      end)
    end
    skynet.wait(done)
  end)
  local sent = 0
  measure("cluster.send, flood", 50000, function()
    for i = 1, 50000 do cluster.send("db", "@echo", "push", i) end
    cluster.call("db", "@echo", "fence")
    sent = sent + 50000
  end)
  local blob = string.rep("x", 100 * 1024)
  measure("cluster.call, 100 KiB", 200, function()
    for _ = 1, 200 do cluster.call("db", "@echo", blob) end
  end)
  skynet.abort()
end

skynet.start(function()
  local ok, err = xpcall(main, debug.traceback)
  if not ok then print(err) skynet.abort() end
end)
