-- The channels that were opened on this node, and who of this node has subscribed to channels of others. Unique service
-- of its node; others find it in the data center under ("multicast", harbor id).
--
-- A channel belongs to the node whose harbor id is its low byte. What is published goes there, and from there once to
-- each node with subscribers, whose own multicastd passes it on.
--
-- Messages (lua):
--   NEW()                    -> channel
--   SUB(channel)             -> nothing; the sender is a subscriber. An error if there is no such channel
--   PUB(channel, msg [, size]) -> nothing, when it is under way. msg is a string, or a block that changes hands
--   USUB(channel), DEL(channel)  no reply
-- From the multicastd of other nodes:
--   SUBR(channel)            -> nothing; that node has subscribers
--   USUBR(channel)           no reply; it has none any more
--   DELR(channel)            no reply; a channel of the sender is gone
-- multicast, session = channel: what was published on another node, or comes from the channel's own.
-- debug INFO -> { ["[Multicast:<channel>]"] = number of subscribers: services, and other nodes }

local skynet = require "skynet"
local core = require "skynet.multicast.core"
local datacenter = require "skynet.datacenter"
local harbor = require "skynet.harbor"
local queue = require "skynet.queue"

local OWN_HARBOR = skynet.harbor(skynet.self())
local CHANNEL_MAX = 0x7fffffff

-- Own channel -> { handle = true }: services of this node and the multicastd of others.
local channels = {}
-- Channel of another node -> { services = { handle = true }, line }: subscribing takes a round trip, so that the
-- requests of one channel stand in line.
local foreign = {}
-- Harbor id -> handle of its multicastd.
local peers = {}
-- Harbor id -> true while the connection to that node is watched.
local watched = {}
local next_channel = OWN_HARBOR

---------------------------------------------------------------------------------------------------------------------

local function is_channel(channel)
  return math.type(channel) == "integer" and channel >= 0 and channel <= CHANNEL_MAX
end

local function is_own(channel)
  return is_channel(channel) and channel & 0xff == OWN_HARBOR
end

-- The multicastd of the node that a channel belongs to; nil and the reason if there is none.
local function find_peer(channel)
  if not is_channel(channel) then
    return nil, "not a channel: " .. tostring(channel)
  end
  local node = channel & 0xff
  peers[node] = peers[node] or datacenter.get("multicast", node)
  return peers[node], string.format("no channel %x: node %d has none", channel, node)
end

local function peer_of(channel)
  local peer, reason = find_peer(channel)
  return peer or error(reason, 0)
end

local function own_channel(channel)
  return channels[channel] or error(string.format("no channel %x", channel), 0)
end

-- `subscribers` of one channel; those that are gone are forgotten.
local function deliver(subscribers, source, channel, msg, sz)
  for _, handle in ipairs(core.deliver(subscribers, source, channel, msg, sz) or {}) do
    subscribers[handle] = nil
  end
end

-- A node that goes away subscribes to nothing any more.
local function watch(node)
  if watched[node] then
    return
  end
  watched[node] = true
  skynet.fork(function()
    harbor.link(node)
    watched[node] = nil
    for _, subscribers in next, channels do
      for handle in next, subscribers do
        if skynet.harbor(handle) == node then
          subscribers[handle] = nil
        end
      end
    end
  end)
end

---------------------------------------------------------------------------------------------------------------------
-- Requests of services of this node

local command = {}

function command.NEW()
  local channel = next_channel
  while channels[channel] do
    channel = core.nextid(channel)
  end
  next_channel = core.nextid(channel)
  channels[channel] = {}
  return channel
end

-- Runs f(entry) when everybody before has had the channel; an entry without subscribers is forgotten after that.
local function with_foreign(channel, f)
  local is_done
  repeat
    local entry = foreign[channel]
    if not entry then
      entry = { services = {}, line = queue() }
      foreign[channel] = entry
    end
    entry.line(function()
      is_done = foreign[channel] == entry
      if not is_done then
        return  -- the one before has forgotten it
      end
      local ok, reason = pcall(f, entry.services)
      if foreign[channel] == entry and next(entry.services) == nil then
        foreign[channel] = nil
      end
      if not ok then
        error(reason, 0)
      end
    end)
  until is_done
end

function command.SUB(source, channel)
  if is_own(channel) then
    own_channel(channel)[source] = true
    return
  end
  local peer = peer_of(channel)
  with_foreign(channel, function(services)
    if next(services) == nil then
      skynet.call(peer, "lua", "SUBR", channel)
    end
    services[source] = true
  end)
end

function command.USUB(source, channel)
  if is_own(channel) then
    if channels[channel] then
      channels[channel][source] = nil
    end
  elseif foreign[channel] then
    with_foreign(channel, function(services)
      if services[source] then
        services[source] = nil
        if next(services) == nil then
          skynet.send(peer_of(channel), "lua", "USUBR", channel)
        end
      end
    end)
  end
end

function command.PUB(source, channel, msg, sz)
  if channels[channel] then
    deliver(channels[channel], source, channel, msg, sz)
  elseif is_own(channel) then
    skynet.trash(msg, sz)  -- somebody else has deleted it
  else
    local peer, reason = find_peer(channel)
    if not peer then
      skynet.trash(msg, sz)
      error(reason, 0)
    end
    skynet.redirect(peer, source, "multicast", channel, msg, sz)
  end
end

function command.DEL(_, channel)
  if not is_own(channel) then
    skynet.send(peer_of(channel), "lua", "DEL", channel)
    return
  end
  local subscribers = own_channel(channel)
  channels[channel] = nil
  local others = {}
  for handle in next, subscribers do
    if skynet.harbor(handle) ~= OWN_HARBOR then
      others[#others + 1] = handle
    end
  end
  table.sort(others)
  for _, handle in ipairs(others) do
    skynet.send(handle, "lua", "DELR", channel)
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Requests of other nodes

function command.SUBR(source, channel)
  own_channel(channel)[source] = true
  watch((skynet.harbor(source)))
end

function command.USUBR(source, channel)
  if channels[channel] then
    channels[channel][source] = nil
  end
end

function command.DELR(_, channel)
  foreign[channel] = nil
end

skynet.register_protocol {
  name = "multicast",
  id = skynet.PTYPE_MULTICAST,
  unpack = skynet.tostring,
  dispatch = function(channel, source, bytes)
    skynet.ignoreret()
    local entry = foreign[channel]
    local subscribers = channels[channel] or entry and entry.services
    if subscribers then
      deliver(subscribers, source, channel, bytes)
    end
  end,
}

---------------------------------------------------------------------------------------------------------------------

local function describe()
  local counts = {}
  local function count(channel, subscribers)
    local n = 0
    for _ in next, subscribers do
      n = n + 1
    end
    counts[string.format("[Multicast:%x]", channel)] = n
  end
  for channel, subscribers in next, channels do
    count(channel, subscribers)
  end
  for channel, entry in next, foreign do
    count(channel, entry.services)
  end
  return counts
end

skynet.info_func(describe)

skynet.start(function()
  skynet.dispatch("lua", function(session, source, name, ...)
    local f = command[name]
    if not f then
      error(string.format("multicastd: unknown command %s", tostring(name)))
    end
    if session == 0 then
      f(source, ...)
    else
      skynet.retpack(f(source, ...))
    end
  end)
  datacenter.set("multicast", OWN_HARBOR, skynet.self())
end)
