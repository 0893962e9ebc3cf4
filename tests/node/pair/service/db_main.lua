-- Keeps a simpledb under the name .simpledb and opens the port of the cluster node db.
local skynet = require "skynet"
local cluster = require "skynet.cluster"
require "skynet.manager"

skynet.start(function()
  skynet.name(".simpledb", skynet.newservice "simpledb")
  print(skynet.call(".simpledb", "lua", "SET", "a", "foobar"))
  print(skynet.call(".simpledb", "lua", "GET", "a"))
  cluster.open "db"
  print "db is open"
end)
