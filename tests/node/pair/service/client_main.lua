-- Asks the simpledb of node db in both ways, through a proxy and directly, then ends its process.
local skynet = require "skynet"
local cluster = require "skynet.cluster"
require "skynet.manager"

skynet.start(function()
  local proxy = cluster.proxy("db", ".simpledb")
  print(skynet.call(proxy, "lua", "GET", "a"))
  print(cluster.call("db", ".simpledb", "GET", "a"))
  skynet.abort()
end)
