-- The commands of the services of a node, asked as messages (runtime_api.md 6.1 to 6.7), and what hosts services in ways
-- of its own (4.3). With a role it is one of the services that the claims launch.
local skynet = require "skynet"
require "skynet.manager"
local core = require "skynet.core"

local roles = {}

-- Does by hand what skynet.start does.
function roles.waits(how)
  core.callback(skynet.dispatch_message)
  skynet.timeout(0, function()
    skynet.init_service(function()
      assert(how ~= "fails")
      skynet.dispatch("lua", function() skynet.retpack "hosted" end)
    end)
  end)
end

-- Does not tell the launcher how it went: the claims do. It may be asked before its start function has begun.
function roles.silent()
  skynet.dispatch("lua", function() skynet.retpack "silent" end)
  skynet.start(skynet.wait)
end

if (...) then
  local role, how = ...
  return roles[role](how)
end

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local harbor = require "skynet.harbor"

-- Starts `silent`, and returns its handle and what newservice will have said, in a table.
local function silent_launch()
  local result = {}
  local session = skynet.genid() + 1
  skynet.fork(function()
    result.ok, result.handle = pcall(skynet.newservice, "node_services", "silent")
    result.is_done = true
  end)
  for _ = 1, 1000 do
    skynet.sleep(1)
    for number = session, session + 20 do
      local handle = skynet.call(".launcher", "lua", "QUERY", number)
      if handle then
        return handle, result
      end
    end
  end
  error "the launcher knows of no launch"
end

local function await_end(result)
  claims.within(1000, function()
    while not result.is_done do
      skynet.sleep(1)
    end
  end)
end

local function launches()
  local handle, result = silent_launch()
  skynet.redirect(".launcher", handle, "lua", 0, skynet.pack "LAUNCHOK")
  await_end(result)
  claims.equal({ result.ok, result.handle }, { true, handle })
  claims.equal(skynet.call(handle, "lua"), "silent")
  skynet.kill(handle)
  handle, result = silent_launch()
  skynet.redirect(".launcher", handle, "lua", 0, skynet.pack "ERROR")
  await_end(result)
  claims.equal(result.ok, false)
  skynet.kill(handle)
  for _, is_killed in ipairs { false, true } do
    handle, result = silent_launch()
    skynet.send(".launcher", "lua", "REMOVE", handle, is_killed)
    await_end(result)
    claims.equal({ result.ok, is_killed or result.handle == nil }, { not is_killed, true })
    claims.equal(skynet.call(".launcher", "lua", "LIST")[skynet.address(handle)], nil)
    skynet.kill(handle)
  end
end

local function logged()
  local handle = skynet.call(".launcher", "lua", "LOGLAUNCH", "snlua", "node_services", "waits")
  claims.equal(skynet.call(handle, "lua"), "hosted")
  claims.equal(core.command("LOGOFF", skynet.address(handle)), nil)
  claims.equal(core.command("LOGON", skynet.address(handle)), nil)
  claims.equal(skynet.call(handle, "lua"), "hosted")
  local memory = skynet.call(".launcher", "lua", "GC", 100)
  claims.equal(string.match(memory[skynet.address(handle)], "Kb %(snlua node_services waits%)$") ~= nil, true)
  skynet.kill(handle)
end

local function hosting()
  local handle = skynet.newservice("node_services", "waits")
  claims.equal(skynet.call(handle, "lua"), "hosted")
  claims.raises("call failed", skynet.newservice, "node_services", "waits", "fails")
end

local function managed()
  local manager = skynet.localname ".service"
  local handle = skynet.call(manager, "lua", "LAUNCH", "node_services", "waits")
  claims.equal(skynet.call(manager, "lua", "QUERY", "node_services"), handle)
  local global = skynet.call(manager, "lua", "GLAUNCH", "node_services", "waits")
  claims.equal(skynet.call(manager, "lua", "GQUERY", "node_services"), global)
  claims.equal(handle == global, false)
  local list = skynet.call(manager, "lua", "LIST")
  claims.equal({ list.node_services, list["@node_services"] }, { skynet.address(handle), skynet.address(global) })
  claims.equal(skynet.call(manager, "lua", "REPORT", manager), nil)
end

local function names()
  local slave = skynet.localname ".cslave"
  skynet.send(slave, "lua", "REGISTER", "COMMANDED", 7)
  claims.equal(skynet.call(slave, "lua", "QUERYNAME", "COMMANDED"), 7)
  harbor.globalname("BY_MODULE")
  claims.equal(skynet.call(slave, "lua", "QUERYNAME", "BY_MODULE"), skynet.self())
  harbor.globalname("OF_ANOTHER", 7)
  claims.equal(harbor.queryname "OF_ANOTHER", 7)
  claims.raises("call failed", skynet.call, slave, "lua", "REGISTER", "OF_ANOTHER", 8)
  claims.equal(harbor.queryname "OF_ANOTHER", 7)
  claims.equal(select("#", skynet.call(slave, "lua", "LINK", 2)), 0)
  claims.raises("call failed", skynet.call, slave, "lua", "LINKMASTER")
  local is_connected = false
  local waiting = skynet.fork(function()
    harbor.connect(2)
    is_connected = true
  end)
  skynet.send(slave, "lua", "CONNECT", 2)
  skynet.sleep(5)
  claims.equal(is_connected, false)
  skynet.killthread(waiting)
end

local function stores()
  local center = harbor.queryname "DATACENTER" or skynet.localname "DATACENTER"
  claims.equal(skynet.call(center, "lua", "UPDATE", "asked", "as message", 1), nil)
  claims.equal(skynet.call(center, "lua", "UPDATE", "asked", "as message", 2), 1)
  claims.equal(skynet.call(center, "lua", "QUERY", "asked", "as message"), 2)
  claims.equal(skynet.call(center, "lua", "WAIT", "asked", "as message"), 2)
end

local function channels()
  local manager = skynet.uniqueservice "multicastd"
  local channel = skynet.call(manager, "lua", "NEW")
  claims.equal(channel & 0xff, 0)
  claims.equal(select("#", skynet.call(manager, "lua", "SUB", channel)), 0)
  claims.equal(skynet.call(manager, "debug", "INFO")[string.format("[Multicast:%x]", channel)], 1)
  skynet.send(manager, "lua", "USUB", channel)
  skynet.send(manager, "lua", "USUBR", channel)  -- no other node has subscribed: nothing happens
  claims.equal(skynet.call(manager, "debug", "INFO")[string.format("[Multicast:%x]", channel)], 0)
  skynet.send(manager, "lua", "DEL", channel)
  claims.equal(skynet.call(manager, "debug", "INFO")[string.format("[Multicast:%x]", channel)], nil)
end

local function dispatching()
  local seen = {}
  skynet.dispatch("lua", function(session, source, ...)
    seen[#seen + 1] = { session, source, ... }
    seen.tag = skynet.tracetag()
  end)
  local msg, size = skynet.pack("by hand", 2)
  skynet.dispatch_message(skynet.PTYPE_LUA, msg, size, 0, 7)
  skynet.trash(msg, size)
  claims.within(100, function()
    while #seen == 0 do
      skynet.sleep(1)
    end
  end)
  claims.equal(seen, { { 0, 7, "by hand", 2 } })
end

local function automatic_traces()
  local tags = {}
  skynet.dispatch("lua", function()
    skynet.ignoreret()
    tags[#tags + 1] = skynet.tracetag() or "none"
  end)
  local function tag_of_next(flag)
    skynet.traceproto("lua", flag)
    local count = #tags
    skynet.send(skynet.self(), "lua")
    claims.within(100, function()
      while #tags == count do
        skynet.sleep(1)
      end
    end)
    return tags[#tags]
  end
  claims.equal(tag_of_next(nil), "none")
  local own = string.format(":%08x-", skynet.self())
  claims.equal(string.sub(tag_of_next(true), 1, #own), own)
  claims.equal(tag_of_next(false), "none")
  claims.equal(tag_of_next(nil), "none")
end

local function small_things()
  claims.equal(table.pack(skynet.pcall(error, "as Lua's", 0)), { n = 2, false, "as Lua's" })
  claims.equal(select("#", skynet.trace_timeout(true)), 0)
  claims.equal(type(skynet.task(skynet.timeout(1, function() end))), "number")
  claims.equal(select("#", skynet.trace_timeout(false)), 0)
end

claims.run("services of a node", {
  { "LAUNCHOK, ERROR and REMOVE end a launch that QUERY finds", launches },
  { "LOGLAUNCH starts a service whose log LOGOFF and LOGON switch; GC asks everybody", logged },
  { "init_service tells the launcher how it went", hosting },
  { "service_mgr launches, finds and lists services of the node and of the network", managed },
  { "cslave binds names, and on a single node waits for nobody", names },
  { "the data center answers UPDATE, QUERY and WAIT", stores },
  { "multicastd answers NEW, SUB, USUB and DEL", channels },
  { "dispatch_message handles a message as if it had come", dispatching },
  { "traceproto traces every request of a protocol, or none", automatic_traces },
  { "pcall is Lua's; trace_timeout changes nothing that a service sees", small_things },
})
