-- The services of a node without a harbor: launcher, service manager, data center, names.
-- Started with a role it is one of the services that the claims launch.
local skynet = require "skynet"
local role = ...

local roles = {}

function roles.quits()
  skynet.exit()
end

function roles.fails()
  error "this start function fails"
end

function roles.slow()
  skynet.sleep(20)
end

function roles.plain()
  skynet.dispatch("lua", function(_, _, ...) skynet.retpack(...) end)
end

if role then
  skynet.start(roles[role])
  return
end

local datacenter = require "skynet.datacenter"
local harbor = require "skynet.harbor"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local function handles()
  claims.equal(skynet.self(), 8)
  claims.equal({ skynet.localname ".launcher", skynet.localname ".cslave", skynet.localname ".service" }, { 3, 4, 7 })
  claims.equal(skynet.getenv "standalone", "true")
end

local function launching()
  local plain = skynet.newservice("boot_services", "plain")
  claims.equal(skynet.call(plain, "lua", 1, 2), 1)
  claims.equal(skynet.newservice("boot_services", "quits"), nil)
  claims.raises("call failed", skynet.newservice, "boot_services", "fails")
  claims.raises("call failed", skynet.newservice, "no_such_service")
  local list = skynet.call(".launcher", "lua", "LIST")
  claims.equal(list[skynet.address(plain)], "snlua boot_services plain")
  claims.equal(list[":00000006"], "snlua datacenterd")
  local killed = skynet.call(".launcher", "lua", "KILL", plain)
  claims.equal(killed[skynet.address(plain)], "snlua boot_services plain")
  claims.raises("call to invalid address", skynet.call, plain, "lua")
  claims.equal(skynet.call(".launcher", "lua", "whatever"), { "Unknown command" })
end

local function statistics()
  local answers = skynet.call(".launcher", "lua", "STAT", 100)
  claims.equal(type(answers[":00000006"]), "table")
  local memory = skynet.call(".launcher", "lua", "MEM", 100)
  claims.equal(string.match(memory[":00000006"], "Kb %(snlua datacenterd%)$") ~= nil, true)
end

local function unique()
  local seen = claims.all {
    function() return skynet.queryservice("boot_services", "slow") end,
    function() return skynet.uniqueservice("boot_services", "slow") end,
    function() return skynet.uniqueservice("boot_services", "slow") end,
  }
  claims.equal(seen[1] == seen[2] and seen[2] == seen[3], true)
  claims.equal(skynet.call(".service", "lua", "LIST").boot_services, skynet.address(seen[1]))
  claims.raises("", skynet.uniqueservice, "no_such_service")
  claims.raises("", skynet.uniqueservice, "no_such_service")
  claims.equal(type(skynet.uniqueservice(true, "boot_services", "plain")), "number")
  claims.equal(skynet.queryservice(true, "boot_services"), skynet.uniqueservice(true, "boot_services"))
end

local function tree()
  claims.equal(datacenter.get("a", "b"), nil)
  claims.equal(datacenter.set("a", "b", 1), nil)
  claims.equal(datacenter.set("a", "b", 2), 1)
  claims.equal(datacenter.get("a").b, 2)
  claims.raises("call failed", datacenter.get, "a", "b", "c")
  local seen = claims.within(100, function()
    return claims.all {
      function() return datacenter.wait("w", "x") end,
      function() return datacenter.set("w", "x", false) end,
      function() return datacenter.wait("w", "x") end,
    }
  end)
  claims.equal({ seen[1], seen[3] }, { false, false })
  local late = claims.all {
    function() return datacenter.wait "branch" end,
    function() return datacenter.set("branch", "leaf", 1) end,
  }
  claims.equal(string.find(late[1], "call failed", 1, true) ~= nil, true)
end

local function global_names()
  local seen = claims.within(100, function()
    return claims.all {
      function() return harbor.queryname "CLAIMS" end,
      function() skynet.register "CLAIMS" end,
    }
  end)
  claims.equal(seen[1], skynet.self())
  claims.equal(harbor.queryname "CLAIMS", skynet.self())
  claims.equal(harbor.queryname ".service", 7)
  claims.equal(harbor.queryname ".nobody", nil)
  harbor.link(2)
  claims.raises("call failed", harbor.linkmaster)
end

require "skynet.manager"
claims.run("boot services", {
  { "handles follow the boot order", handles },
  { "newservice: handle, nil after exit, error after failure; LIST and KILL", launching },
  { "STAT and MEM ask every service", statistics },
  { "unique services are launched once; a failure is remembered", unique },
  { "the data center keeps values and wakes those who wait (#156, #1368)", tree },
  { "global names work on a single node", global_names },
})
