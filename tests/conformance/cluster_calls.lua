-- skynet.cluster, between a node and itself: one process plays both ends of the connection.
local skynet = require "skynet"
local cluster = require "skynet.cluster"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local echo, port

local function open()
  echo = skynet.newservice "cluster_echo"
  cluster.register("echo", echo)
  local _, real_port = cluster.open(0)
  port = real_port
  cluster.reload { first = "127.0.0.1:" .. port, values = "127.0.0.1:" .. port, db = "127.0.0.1:" .. port }
  claims.equal(math.type(port), "integer")
end

local function first_use()
  local tasks = {}
  for index = 1, 4 do
    cluster.send("first", echo, "PUSH", "s" .. index)
    tasks[index] = function() return cluster.call("first", echo, "CALL", "c" .. index) end
  end
  claims.equal(claims.all(tasks), { "c1", "c2", "c3", "c4" })
  claims.equal(cluster.call("first", echo, "NOTED"), { "s1", "s2", "s3", "s4", "c1", "c2", "c3", "c4" })
end

local function values_of_call_time()
  local item = { "before" }
  cluster.send("values", "@echo", "PUSH", item)
  item[1] = "after"
  claims.equal(cluster.call("values", "@echo", "NOTED"), { { "before" } })
end

local function addresses()
  for _, address in ipairs { echo, "@echo", skynet.address(echo), tostring(echo) } do
    claims.equal(table.pack(cluster.call("db", address, "ECHO", "hello", nil, 42)), { n = 3, "hello", nil, 42 })
  end
  claims.equal(select("#", cluster.call("db", "@echo", "EMPTY")), 0)
end

local function sizes()
  for _, size in ipairs { 32755, 32756, 32760, 32768, 65536, 102400, 400000 } do
    claims.equal(cluster.call("db", "@echo", "LEN", string.rep("x", size)), size)
    local reply = cluster.call("db", "@echo", "REP", "y", size)
    claims.equal(reply == string.rep("y", size), true, "reply of " .. size)
  end
end

local function large_push()
  cluster.call("db", "@echo", "NOTED")  -- the name is known from here on
  cluster.send("db", "@echo", "PUSH", string.rep("x", 40000))
  cluster.send("db", echo, "PUSH", string.rep("x", 40001))
  skynet.sleep(50)
  claims.equal(cluster.call("db", "@echo", "NOTED"), { 40000, 40001 })
end

local function many_large()
  local tasks = {}
  for index = 1, 8 do
    tasks[index] = function()
      return #cluster.call("db", "@echo", "ECHO", string.rep(string.char(64 + index), 30000 + 7000 * index))
    end
  end
  claims.equal(claims.all(tasks), { 37000, 44000, 51000, 58000, 65000, 72000, 79000, 86000 })
end

local function failures()
  for _, address in ipairs { "@nobody", ".nobody", 0xfffff0, "" } do
    claims.raises("call failed", cluster.call, "db", address, "ECHO")
  end
  claims.raises("call failed", cluster.call, "db", "@echo", "ERR")
  cluster.send("db", "@nobody", "PUSH", 1)
  cluster.send("db", 0xfffff0, "PUSH", 1)
  claims.equal(cluster.call("db", "@echo", "ECHO", "alive"), "alive")
end

local function queries()
  claims.equal(cluster.query("db", "echo"), echo)
  claims.raises("call failed", cluster.query, "db", "nobody")
end

local function asked_of_clusterd()
  local clusterd = skynet.uniqueservice "clusterd"
  local sender = skynet.call(clusterd, "lua", "sender", "db")
  claims.equal({ cluster.get_sender "db", skynet.call(clusterd, "lua", "senders").db }, { sender, sender })
  claims.equal(cluster.get_sender "never used", nil)
  claims.equal(skynet.call(clusterd, "lua", "queryname", "echo"), echo)
  skynet.call(clusterd, "lua", "register", "by message", echo)
  claims.equal(skynet.call(clusterd, "lua", "queryname", "echo"), nil, "a service has one name")
  skynet.call(clusterd, "lua", "unregister", "by message")
  claims.equal(skynet.call(clusterd, "lua", "queryname", "by message"), nil)
  skynet.call(clusterd, "lua", "register", "echo", echo)
  claims.equal(skynet.call(clusterd, "lua", "proxy", "db", "@echo"), cluster.proxy "db@echo")
  skynet.call(clusterd, "lua", "reload", { second_name = "127.0.0.1:" .. port })
  claims.equal(cluster.call("second_name", "@echo", "ECHO", 1), 1)
  local address, real_port = skynet.call(clusterd, "lua", "listen", "127.0.0.1", 0)
  claims.equal({ address, math.type(real_port) }, { "127.0.0.1", "integer" })
end

local function rebinding()
  local second = skynet.newservice "cluster_echo"
  cluster.send("db", "@echo", "PUSH", "to the first")
  claims.equal(#cluster.call("db", "@echo", "NOTED"), 1)
  cluster.register("renamed", echo)
  claims.raises("call failed", cluster.call, "db", "@echo", "ECHO")
  cluster.register("echo", second)
  cluster.send("db", "@echo", "PUSH", "to the second")
  claims.equal(cluster.call("db", "@echo", "NOTED"), { "to the second" })
  claims.raises("", cluster.register, "echo", echo)
  cluster.unregister "echo"
  cluster.unregister "never registered"
  cluster.register("echo", echo)
  claims.equal(cluster.call("db", "@echo", "NOTED"), {})
end

local function proxies()
  local results = claims.all {
    function() return cluster.proxy "db@echo" end,
    function() return cluster.proxy("db", "@echo") end,
  }
  claims.equal(results[1], results[2])
  local proxy = results[1]
  claims.equal(table.pack(skynet.call(proxy, "lua", "ECHO", 1, nil)), { n = 2, 1, nil })
  skynet.send(proxy, "lua", "PUSH", "by proxy")
  claims.equal(skynet.call(proxy, "lua", "NOTED"), { "by proxy" })
  claims.raises("call failed", skynet.call, proxy, "lua", "ERR")
end

local function unknown_node()
  local began = skynet.now()
  local tasks = {}
  for index = 1, 3 do
    tasks[index] = function() return cluster.call("later", "@echo", "CALL", index) end
  end
  skynet.fork(function()
    skynet.sleep(300)
    cluster.reload { later = "127.0.0.1:" .. port }
  end)
  claims.equal(claims.all(tasks), { 1, 2, 3 })
  claims.equal(cluster.call("db", "@echo", "NOTED"), { 1, 2, 3 })
  local waited = skynet.now() - began
  claims.equal(waited >= 300 and waited < 1000, true, "waited " .. waited)  -- a busy machine is late
end

local function down_and_up()
  claims.equal(cluster.call("db", "@echo", "ECHO", 1), 1)
  cluster.reload { db = false }
  claims.within(50, function() claims.raises("", cluster.call, "db", "@echo", "ECHO") end)
  cluster.reload { db = "127.0.0.1:" .. port }
  claims.equal(cluster.call("db", "@echo", "ECHO", 2), 2)
  cluster.reload { never = false }
  claims.within(50, function() claims.raises("", cluster.call, "never", "@echo", "ECHO") end)
  cluster.send("never", "@echo", "PUSH", 1)
end

local function new_address()
  local _, second_port = cluster.open(0)
  cluster.reload { db = "127.0.0.1:1" }
  claims.raises("call failed", cluster.call, "db", "@echo", "ECHO")
  claims.raises("call failed", cluster.call, "db", "@echo", "ECHO")
  cluster.reload { db = "127.0.0.1:" .. second_port }
  claims.equal(cluster.call("db", "@echo", "ECHO", 3), 3)
end

local function nowaiting()
  skynet.fork(function()
    skynet.sleep(20)
    cluster.reload { __nowaiting = true }
  end)
  claims.within(100, function() claims.raises("", cluster.call, "absent", "@echo", "ECHO") end)
  claims.within(10, function() claims.raises("", cluster.call, "absent too", "@echo", "ECHO") end)
  cluster.reload { __nowaiting = false }
end

claims.run("skynet.cluster", {
  { "a node listens on a port of its own choice", open },
  { "sends and calls made before the connection exists leave in call order (#757)", first_use },
  { "a send carries the values of the time of the call (#1420)", values_of_call_time },
  { "addresses: handle, @name, :hex, digits", addresses },
  { "payloads of all sizes, around 32 KiB and far above", sizes },
  { "large pushes arrive", large_push },
  { "large requests at the same time do not mix", many_large },
  { "calls to nobody and failing calls raise, sends are silent", failures },
  { "query finds registered names", queries },
  { "clusterd answers sender, senders, queryname, register, unregister, proxy, reload and listen", asked_of_clusterd },
  { "a name that is bound anew means the new service (#1948)", rebinding },
  { "one proxy per name, as good as the service (#979)", proxies },
  { "calls to an unknown node wait for a reload, in call order (#803)", unknown_node },
  { "a node that is declared down fails at once, and revives (#1434)", down_and_up },
  { "a new address is used at once; a refused one is tried again by each call (#1080, #1130)", new_address },
  { "__nowaiting: calls to absent nodes fail, also those that wait (#819)", nowaiting },
})
