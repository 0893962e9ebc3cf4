-- The callee of bench_cluster_client.lua: node "db", an echo service registered as @echo.
local skynet = require "skynet"
local cluster = require "skynet.cluster"

skynet.start(function()
  cluster.reload { db = (skynet.getenv "bench_host" or "127.0.0.1") .. ":" .. (skynet.getenv "bench_port" or "12528") }
  cluster.register("echo", skynet.newservice("bench_local", "echo"))
  cluster.open "db"
  print "ready"
end)
