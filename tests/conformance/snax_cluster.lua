-- cluster.snax and snax.enablecluster (network.md 4.9, 6.2), between a node and itself.
local skynet = require "skynet"
skynet.setenv("snax", SERVICE_PATH .. "?.lua")
local cluster = require "skynet.cluster"
local snax = require "skynet.snax"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function open()
  local _, port = cluster.open(0)
  cluster.reload { far = "127.0.0.1:" .. port }
end

local function by_name()
  local near = snax.uniqueservice("snax_counter", 3, "cluster")
  local far = cluster.snax("far", "snax_counter")
  claims.equal(far.type, "snax_counter")
  claims.equal(far.handle ~= near.handle, true)
  claims.equal(table.pack(far.req.get()), { n = 3, 3, nil, "snax_counter" })
  far.post.add(4)
  claims.equal((far.req.get()), 7)
  near.post.add(1)
  claims.equal((far.req.get()), 8)
  claims.raises("call failed", far.req.fails)
  claims.raises("request snax_counter:nothing no exist", function() far.req.nothing() end)
end

local function waits()
  local seen = claims.within(500, function()
    return claims.all {
      function() return (cluster.snax("far", "snax_plain")).type end,
      function()
        skynet.sleep(10)
        return snax.uniqueservice("snax_plain").type
      end,
    }
  end)
  claims.equal(seen, { n = 2, "snax_plain", "snax_plain" })
end

local function by_address()
  local near = snax.newservice("snax_counter", 5, "cluster")
  local far = cluster.snax("far", "snax_counter", near.handle)
  claims.equal((far.req.get()), 5)
  claims.equal(tostring(far), string.format("[snax_counter:%x]", far.handle))
end

local function closed()
  local near = snax.newservice("snax_counter", 5)
  claims.raises("call failed", cluster.snax("far", "snax_counter", near.handle).req.get)
  claims.equal((near.req.get()), 5)
  claims.raises("is for snax services", snax.enablecluster)
end

local function patched()
  local near = snax.newservice("snax_counter", 5, "cluster")
  local far = cluster.snax("far", "snax_counter", near.handle)
  claims.equal(snax.hotfix(far, "local i function response.get() return -i end function hotfix(n) return n end", 1), 1)
  claims.equal(far.req.get(), -5)
  claims.equal(snax.profile_info(far).get.count, 1)
end

claims.run("snax over a cluster", {
  { "a node opens to itself", open },
  { "cluster.snax finds a service by its type; its methods work as at home", by_name },
  { "cluster.snax waits until there is such a service", waits },
  { "cluster.snax with an address asks nobody", by_address },
  { "a service that has not called enablecluster takes nothing from the cluster", closed },
  { "hotfix and profile_info reach the other node", patched },
})
