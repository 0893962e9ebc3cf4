-- Message types: register_protocol, dispatch, unknown messages, skynet.forward_type and filter (runtime_api.md 4.3).
-- With an argument it is a service that forwards or filters.
local skynet = require "skynet"
require "skynet.manager"
local role, address = ...

if role == "forward" then
  -- Client messages are dispatched as type 200 and handed on as they are.
  skynet.register_protocol {
    name = "forwarded",
    id = 200,
    unpack = function(msg, size) return msg, size end,
    dispatch = function(session, source, msg, size)
      skynet.ignoreret()
      skynet.redirect(math.tointeger(address), source, "text", session, msg, size)
    end,
  }
  skynet.register_protocol { name = "text", id = skynet.PTYPE_TEXT, pack = function(...) return ... end }
  skynet.forward_type({ [skynet.PTYPE_CLIENT] = 200 }, function()
    skynet.dispatch("lua", function(_, _, ...) skynet.retpack("lua still works", ...) end)
  end)
  return
elseif role == "filter" then
  local dropped = 0
  skynet.filter(function(type, msg, size, session, source)
    if type == skynet.PTYPE_TEXT then
      dropped = dropped + 1
      return skynet.PTYPE_LUA, nil, 0, 0, source  -- an empty push
    end
    return type, msg, size, session, source
  end, function()
    local pushes = 0
    skynet.dispatch("lua", function(session, _, ...)
      if session == 0 then
        pushes = pushes + 1
        return
      end
      skynet.sleep(1)
      skynet.retpack(dropped, pushes, ...)
    end)
  end)
  return
elseif role == "bare" then
  skynet.start(function() end)
  return
end

local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local self = skynet.self()

local seen = {}
skynet.register_protocol {
  name = "text",
  id = skynet.PTYPE_TEXT,
  pack = function(text) return "<" .. text .. ">" end,
  unpack = skynet.tostring,
  dispatch = function(session, source, text)
    skynet.ignoreret()
    seen[#seen + 1] = { session, source, text }
  end,
}

local function registers()
  claims.raises("", skynet.register_protocol, { name = "lua", id = 100 })
  claims.raises("", skynet.register_protocol, { name = "another", id = skynet.PTYPE_LUA })
  claims.raises("", skynet.register_protocol, { name = "another", id = 256 })
  claims.raises("", skynet.register_protocol, { name = "another", id = -1 })
  claims.equal(skynet._proto.another, nil, "nothing is left of a refused protocol")
  claims.equal({ skynet.dispatch "another", skynet.dispatch "lua" }, {})
end

local function packs()
  seen = {}
  claims.equal(skynet.send(self, "text", "hello"), 0)
  skynet.yield()
  claims.equal(seen, { { 0, self, "<hello>" } })
end

local function replaces()
  local function first() end
  local function second() end
  claims.equal(skynet.dispatch("lua", first), nil)
  claims.equal(skynet.dispatch "lua" == first, true)
  claims.equal(skynet.dispatch("lua", second) == first, true)
  claims.raises("nosuchtype", skynet.dispatch, "nosuchtype", first)
  claims.equal(skynet.dispatch "nosuchtype", nil)
end

local function no_handler()
  local bare = skynet.newservice("protocols", "bare")
  claims.raises("call failed", skynet.call, bare, "lua", "x")
  claims.raises("call failed", skynet.call, bare, "text", "x")
  claims.equal(skynet.call(bare, "debug", "PING"), nil)
  skynet.kill(bare)
end

local function unknown_messages()
  local requests, responses = {}, {}
  skynet.dispatch_unknown_request(function(session, source, msg, size, type)
    requests[#requests + 1] = { session, source, skynet.tostring(msg, size), type }
  end)
  skynet.dispatch_unknown_response(function(session, source, msg, size)
    responses[#responses + 1] = { session, source, skynet.tostring(msg, size) }
  end)
  skynet.redirect(self, 0x42, "response", 4711, "late")
  skynet.redirect(self, 0x42, "error", 4712, "")
  local core = require "skynet.core"
  core.redirect(self, 0x42, 199, 0, "nobody knows it")
  skynet.register_protocol { name = "unhandled", id = 198, unpack = skynet.tostring }
  core.redirect(self, 0x42, 198, 0, "nobody handles it")
  skynet.yield()
  claims.equal(requests, { { 0, 0x42, "nobody knows it", 199 }, { 0, 0x42, "nobody handles it", "unhandled" } })
  claims.equal(responses, { { 4711, 0x42, "late" } })
end

-- A RESPONSE with the session of a sleep, and an ERROR with it, are not its timer.
local function foreign_sessions()
  local token, ended = {}, nil
  local sleeper = skynet.fork(function()
    ended = skynet.sleep(100, token) or "timeout"
  end)
  skynet.yield()
  skynet.redirect(self, 0x42, "error", skynet.task(sleeper), "")
  skynet.yield()
  claims.equal(ended, nil)
  skynet.wakeup(token)
end

local function forwards()
  local forwarder = skynet.newservice("protocols", "forward", self)
  skynet.register_protocol { name = "client", id = skynet.PTYPE_CLIENT, pack = function(text) return text end }
  seen = {}
  skynet.send(forwarder, "client", "as it came")
  claims.equal({ skynet.call(forwarder, "lua", 1) }, { "lua still works", 1 })
  claims.equal(seen, { { 0, self, "as it came" } })
  skynet.kill(forwarder)
end

local function filters()
  local filter = skynet.newservice("protocols", "filter")
  skynet.send(filter, "text", "dropped")
  claims.equal({ skynet.call(filter, "lua", "x") }, { 1, 1, "x" })
  skynet.kill(filter)
end

local function malformed()
  skynet.dispatch("lua", function() skynet.retpack "handled" end)
  claims.raises("call failed", skynet.rawcall, self, "lua", "\x07")
  claims.equal(skynet.call(self, "lua"), "handled")
end

claims.run("protocols", {
  { "a duplicate name or id, or an id out of range, is refused and leaves nothing", registers },
  { "send packs and dispatch unpacks with the protocol's functions", packs },
  { "dispatch replaces the handler and returns the old one", replaces },
  { "a request that nobody handles fails its caller", no_handler },
  { "unknown requests and responses go to their functions", unknown_messages },
  { "an error with the session of a sleep does not end it", foreign_sessions },
  { "forward_type dispatches as another type and hands the bytes on", forwards },
  { "filter sees every message first", filters },
  { "malformed bytes fail the request, not the service", malformed },
})
