-- skynet.multicast and the service multicastd (runtime_api.md 5.4) on one node. Between nodes: scenarios/
-- harbor_multicast.lua. With arguments it is one of its own subscribers.
local skynet = require "skynet"
local multicast = require "skynet.multicast"
local core = require "skynet.multicast.core"

-- Commands: listen(channel), leave(), drop() the channel's object, got() -> what came, stop().
local function subscriber()
  local got, object = {}, nil
  local command = {}

  function command.listen(id)
    object = multicast.new {
      channel = id,
      dispatch = function(channel, source, ...)
        got[#got + 1] = { channel == object, source, ... }
      end,
    }
    object:subscribe()
  end

  function command.leave()
    object:unsubscribe()
  end

  function command.drop()
    object = nil
    collectgarbage()
    collectgarbage()
  end

  function command.got()
    return got
  end

  function command.stop()
    skynet.exit()
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
  end)
end

if (...) == "subscriber" then
  return subscriber()
elseif (...) == "stranger" then
  return skynet.start(function()
    skynet.dispatch("lua", function()
      skynet.retpack "here"
    end)
    skynet.dispatch_unknown_request(function() end)
  end)
end

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
require "skynet.manager"
local self = skynet.self()

local function new_subscriber(id)
  local handle = skynet.newservice("multicast", "subscriber")
  if id then
    skynet.call(handle, "lua", "listen", id)
  end
  return handle
end

local function got(handle)
  return skynet.call(handle, "lua", "got")
end

-- How many subscribers multicastd knows.
local function count(channel)
  local info = skynet.call(skynet.queryservice "multicastd", "debug", "INFO")
  return info[tostring(channel)]
end

-- USUB is a send, as DEL is: they have been handled when the next call is answered.
local function settle()
  skynet.call(skynet.queryservice "multicastd", "debug", "PING")
end

local function ids()
  local first = multicast.new {}
  claims.equal({ first.channel, tostring(first) }, { 0, "[Multicast:0]" })
  local second = multicast.new { channel = nil }
  claims.equal({ second.channel, tostring(second) }, { 256, "[Multicast:100]" })
  claims.equal(tostring(multicast.new { channel = 0x100 }), "[Multicast:100]")
  local handle = new_subscriber(0)
  first:publish "channel 0 is one as any other"
  claims.equal(got(handle), { { true, self, "channel 0 is one as any other" } })
  local manager = skynet.queryservice "multicastd"
  claims.equal(require "skynet.datacenter".get("multicast", 0), manager)
end

local function everybody()
  local channel = multicast.new {}
  local subscribers = {}
  for index = 1, 10 do
    subscribers[index] = new_subscriber(channel.channel)
  end
  channel:publish("Hello World", nil, 2)
  for _, handle in ipairs(subscribers) do
    claims.equal(got(handle), { { true, self, "Hello World", nil, 2 } })
    skynet.kill(handle)
  end
end

local function own_messages()
  local seen = {}
  local channel
  channel = multicast.new {
    dispatch = function(object, source, ...)
      seen[#seen + 1] = { object == channel, source, ... }
    end,
  }
  channel:publish "before"
  channel:subscribe()
  channel:subscribe()  -- a second time changes nothing
  channel:publish "one"
  channel:publish()
  skynet.yield()
  claims.equal(seen, { { true, self, "one" }, { true, self } })
  channel:unsubscribe()
  channel:unsubscribe()
  channel:publish "after"
  skynet.yield()
  claims.equal(#seen, 2)
  claims.equal(count(channel), 0)
end

local function in_order()
  local channel = multicast.new {}
  local first = new_subscriber(channel.channel)
  channel:publish(1)
  local second = new_subscriber(channel.channel)
  for number = 2, 20 do
    channel:publish(number)
  end
  skynet.call(first, "lua", "leave")
  channel:publish(21)
  local all, late = got(first), got(second)
  claims.equal({ #all, #late }, { 20, 20 })
  for index = 1, 20 do
    claims.equal({ all[index][3], late[index][3] }, { index, index + 1 })
  end
end

local function packing()
  local seen
  local channel = multicast.new {
    pack = function(text) return "<" .. text .. ">" end,
    unpack = function(msg, sz) return skynet.tostring(msg, sz), sz end,
    dispatch = function(_, _, ...) seen = { ... } end,
  }
  channel:subscribe()
  channel:publish "bytes"
  skynet.yield()
  claims.equal(seen, { "<bytes>", 7 })
  local large = string.rep("x", 1 << 20)
  channel:publish(large)
  skynet.yield()
  claims.equal(seen, { "<" .. large .. ">", #large + 2 })
  channel:unsubscribe()
end

local function several_objects()
  local seen = {}
  local channel = multicast.new {
    dispatch = function(_, _, word)
      skynet.sleep(2)
      seen[#seen + 1] = "first " .. word
    end,
  }
  local other = multicast.new {
    channel = channel.channel,
    dispatch = function(_, _, word) seen[#seen + 1] = "second " .. word end,
  }
  channel:subscribe()
  other:subscribe()
  channel:publish "a"
  skynet.sleep(10)
  claims.equal(seen, { "second a", "first a" })
  other:unsubscribe()
  claims.equal(count(channel), 1)
  channel:publish "b"
  skynet.sleep(10)
  claims.equal(seen[3], "first b")
  channel:unsubscribe()
  claims.equal(count(channel), 0)
end

local function deleted()
  local channel = multicast.new {}
  local subscriber_of_it = new_subscriber(channel.channel)
  local other = multicast.new { channel = channel.channel }
  channel:subscribe()
  channel:delete()
  claims.raises("has been deleted", channel.publish, channel, 1)
  claims.raises("has been deleted", channel.subscribe, channel)
  claims.raises("has been deleted", channel.delete, channel)
  other:publish "nobody gets it"
  claims.raises("call failed", other.subscribe, other)
  claims.equal(got(subscriber_of_it), {})
  claims.equal(count(channel), nil)
  claims.equal(multicast.new({}).channel ~= channel.channel, true)
end

local function collected()
  local channel = multicast.new {}
  local handle = new_subscriber(channel.channel)
  claims.equal(count(channel), 1)
  skynet.call(handle, "lua", "drop")
  claims.equal(count(channel), 0)
end

local function died()
  local channel = multicast.new {}
  local exiting, killed = new_subscriber(channel.channel), new_subscriber(channel.channel)
  local staying = new_subscriber(channel.channel)
  claims.raises("call failed", skynet.call, exiting, "lua", "stop")
  skynet.kill(killed)
  claims.within(200, function()
    while count(channel) > 1 do
      skynet.sleep(1)
    end
  end)
  channel:publish "still here"
  claims.equal(got(staying), { { true, self, "still here" } })
end

-- Payloads that nobody handles any more are freed: leak checkers see it.
local function killed_with_mail()
  local channel = multicast.new {}
  local killed, staying = new_subscriber(channel.channel), new_subscriber(channel.channel)
  local large = string.rep("x", 10000)
  for _ = 1, 50 do
    channel:publish(large)
  end
  skynet.kill(killed)
  for _ = 1, 50 do
    channel:publish(large)
  end
  claims.equal(#got(staying), 100)
end

-- Whoever is gone without a word: multicastd is told in the name of a service that never was.
local function gone()
  local channel = multicast.new {}
  local manager = skynet.queryservice "multicastd"
  skynet.redirect(manager, 0xdead, "lua", 0, skynet.pack("SUB", channel.channel))
  settle()
  claims.equal(count(channel), 1)
  channel:publish "anybody?"
  claims.equal(count(channel), 0)
end

local function no_reply()
  local channel
  local seen = 0
  channel = multicast.new {
    dispatch = function()
      seen = seen + 1
      error "on purpose: nobody waits for a reply"
    end,
  }
  channel:subscribe()
  channel:publish "x"
  skynet.yield()
  claims.equal(seen, 1)
  channel:unsubscribe()
  -- The session of a multicast message is a channel, which may be the number of a call of its sender.
  local stranger = skynet.newservice("multicast", "stranger")
  local call_session = skynet.genid() + 1
  local answered
  skynet.fork(function()
    answered = skynet.call(new_subscriber(), "lua", "got")
  end)
  skynet.fork(function()
    local waiting = {}
    for session = call_session, call_session + 9 do
      core.deliver({ [stranger] = true }, self, session, "not a request")
    end
    skynet.sleep(1, waiting)
  end)
  claims.within(200, function()
    while not answered do
      skynet.sleep(1)
    end
  end)
  claims.equal(skynet.call(stranger, "lua"), "here")
end

local function many_publishers()
  local channel = multicast.new {}
  local handle = new_subscriber(channel.channel)
  local tasks = {}
  for task = 1, 5 do
    tasks[task] = function()
      for number = 1, 5 do
        channel:publish(task, number)
      end
    end
  end
  claims.all(tasks)
  local next_of = { 1, 1, 1, 1, 1 }
  for _, message in ipairs(got(handle)) do
    local task, number = message[3], message[4]
    claims.equal(number, next_of[task])
    next_of[task] = number + 1
  end
  claims.equal(next_of, { 6, 6, 6, 6, 6 })
end

local function malformed()
  local manager = skynet.queryservice "multicastd"
  claims.raises("needs a table", multicast.new)
  claims.raises("not a channel: -1", multicast.new, { channel = -1 })
  claims.raises("not a channel: one", multicast.new, { channel = "one" })
  claims.raises("not a channel: 2147483648", multicast.new, { channel = 1 << 31 })
  claims.raises("dispatch must be a function, not a table", multicast.new, { dispatch = {} })
  claims.raises("pack must be a function, not a boolean", multicast.new, { pack = false })
  for _, request in ipairs {
    { "SUB", 0xffff00 }, { "SUB", 5 }, { "SUB", "x" }, { "SUB" }, { "SUB", 1.5 }, { "SUBR", 0xffff00 },
    { "PUB", 5, "bytes" }, { "PUB", "x", "bytes" }, { "PUB", 5, skynet.pack "freed" }, { "NOTHING" }, { 1 }, {},
  } do
    claims.raises("call failed", skynet.call, manager, "lua", table.unpack(request))
  end
  for _, request in ipairs { { "DEL", 0xffff00 }, { "DEL", 5 }, { "USUB", 5 }, { "USUB", 0 }, { "DELR", "x" } } do
    skynet.send(manager, "lua", table.unpack(request))
  end
  settle()
  claims.equal(type(multicast.new({}).channel), "number")
end

local function core_functions()
  claims.equal({ core.nextid(0), core.nextid(1), core.nextid(0x7fffff05) }, { 256, 257, 5 })
  claims.raises("not a channel of 31 bits", core.nextid, -1)
  claims.raises("number expected", core.nextid, "x")
  local channel = multicast.new {}
  local handle = new_subscriber(channel.channel)
  claims.equal(core.deliver({ [handle] = true }, 7, channel.channel, skynet.pack("block")), nil)
  claims.equal(core.deliver({ [handle] = true }, 7, channel.channel, skynet.packstring("string")), nil)
  claims.equal(core.deliver({ [handle] = true }, 7, channel.channel), nil)
  claims.equal(got(handle), { { true, 7, "block" }, { true, 7, "string" }, { true, 7 } })
  claims.equal(core.deliver({}, self, 0, skynet.pack("to nobody")), nil)
  claims.equal(core.deliver({ [0xdead] = true }, self, 0, skynet.pack("to one that is gone")), { 0xdead })
  claims.raises("which is not a handle", core.deliver, { x = true }, self, 0, skynet.pack "x")
  claims.raises("which is not a handle", core.deliver, { [0] = true }, self, 0, "x")
  claims.raises("table expected", core.deliver, 7, self, 0, skynet.pack "x")
  claims.raises("not a handle", core.deliver, {}, 0, 0, "x")
  claims.raises("not a channel of 31 bits", core.deliver, {}, self, 1 << 31, "x")
  claims.raises("invalid param boolean", core.deliver, {}, self, 0, true)
end

-- One package for three services, counted by hand as skynet's own service does.
local function packages()
  local seen = {}
  skynet.dispatch("lua", function(_, source, channel, bytes)
    seen[#seen + 1] = { source, channel, bytes }
  end)
  local box, size = core.pack(skynet.packstring("one", 2))
  claims.equal(size, 8)
  local name = skynet.tostring(box, size)
  core.bind(box, 4)
  local package = core.unpack(name)
  for index = 1, 3 do
    skynet.redirect(skynet.newservice "package_reader", self, "multicast", index, name)
  end
  claims.within(200, function()
    while #seen < 3 do
      skynet.sleep(1)
    end
  end)
  table.sort(seen, function(a, b) return a[2] < b[2] end)
  for index, entry in ipairs(seen) do
    claims.equal({ entry[2], skynet.unpack(entry[3]) }, { index, "one", 2 })
  end
  local again, bytes, length = core.unpack(name)
  claims.equal({ again, skynet.unpack(bytes, length) }, { package, "one", 2 })
  core.close(package)
  claims.raises("no such multicast package", core.close, package)
  claims.raises("no such multicast package", core.unpack, name)
end

local function packages_between_nodes()
  local msg, size = core.remote((core.pack(skynet.pack("for another node"))))
  claims.equal({ skynet.unpack(msg, size) }, { "for another node" })
  local box, box_size = core.packremote(msg, size)
  skynet.trash(msg, size)
  local name = skynet.tostring(box, box_size)
  core.bind(box, 1)
  local package, bytes, length = core.unpack(name)
  claims.equal({ skynet.unpack(bytes, length) }, { "for another node" })
  core.close(package)
  local empty, nothing = core.remote((core.pack()))
  claims.equal({ skynet.tostring(empty, nothing), nothing }, { "", 0 })
end

local function package_errors()
  local box, size = core.pack "text"
  local name = skynet.tostring(box, size)
  claims.raises("is not bound", core.close, (core.unpack(name)))
  claims.raises("less than 0 times", core.bind, box, -1)
  claims.raises("number expected", core.bind, box)
  core.bind(box, 0)  -- nobody wants it
  claims.raises("no such multicast package", core.unpack, name)
  box, size = core.pack "text"
  name = skynet.tostring(box, size)
  core.bind(box, 1)
  local copy, copy_size = core.packremote(core.unpack(name), 0)
  claims.equal(copy_size, 8)
  core.bind(copy, 0)
  core.close((core.unpack(name)))
  for _, bytes in ipairs { "", "1234567", "123456789" } do
    claims.raises(string.format("Invalid multicast package (%d bytes)", #bytes), core.unpack, bytes)
  end
  claims.raises("no such multicast package", core.unpack, string.rep("\255", 8))
  claims.raises("no such multicast package", core.unpack, string.rep("\0", 8))
  claims.raises("userdata expected", core.unpack, 7, 8)
  claims.raises("userdata expected", core.close, "12345678")
  claims.raises("invalid param boolean", core.pack, true)
end

claims.run("multicast", {
  { "channels of harbor 0 count from 0 in steps of 256, and the data center knows who has them", ids },
  { "every subscriber gets a message, with its source (testmulticast)", everybody },
  { "who publishes gets its own messages while it has subscribed", own_messages },
  { "messages of one publisher come in order; a late subscriber gets later ones only", in_order },
  { "an object's own pack and unpack make and read the bytes", packing },
  { "every object of a service that has subscribed gets a message, in a task of its own", several_objects },
  { "a deleted channel reaches nobody and has no new subscribers", deleted },
  { "an object that is collected unsubscribes", collected },
  { "a service that exits or is killed unsubscribes", died },
  { "what waits for a killed subscriber keeps nobody else from it", killed_with_mail },
  { "a subscriber that is gone is forgotten with the next message", gone },
  { "a message that fails or that nobody wanted fails no call of its sender", no_reply },
  { "publishers do not disturb each other", many_publishers },
  { "malformed requests are errors", malformed },
  { "skynet.multicast.core delivers one payload and counts channels", core_functions },
  { "a package stays until it has been closed as often as it was bound", packages },
  { "remote gives the bytes of a package, packremote makes one of them", packages_between_nodes },
  { "a package that is gone, or never was, is an error", package_errors },
})
