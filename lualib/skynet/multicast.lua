-- Channels: what is published to one reaches every service that has subscribed, on this node and, in a harbor network,
-- on others. A channel is a number; its low byte is the harbor id of the node that opened it.
--
-- What one service publishes arrives in its order. The publisher gets its own messages if it has subscribed. The order
-- in which subscribers get one message is nobody's to rely on. A service may have several objects of one channel: each
-- that has subscribed gets the message, in a task of its own.
--
-- An object that is collected unsubscribes, and so does a service that ends, however it ends.

local skynet = require "skynet"

local CHANNEL_MAX = 0x7fffffff

local multicastd
skynet.init(function()
  multicastd = skynet.uniqueservice "multicastd"
end)

-- Channel -> its subscribed objects in order of subscription. Held weakly: what nobody else holds unsubscribes.
local subscribed = {}
local weak_list = { __mode = "v" }

---@class skynet.multicast.channel
---@field channel integer  what others need to make an object of the channel
local Channel = {}
Channel.__index = Channel

function Channel:__tostring()
  return string.format("[Multicast:%x]", self.channel)
end

-- The objects of a list that are still there, but `left`; nil: none is.
local function remaining(list, left)
  local rest = setmetatable({ count = 0 }, weak_list)
  for index = 1, list and list.count or 0 do
    local object = list[index]
    if object and object ~= left then
      rest.count = rest.count + 1
      rest[rest.count] = object
    end
  end
  return rest.count > 0 and rest or nil
end

local function stop_listening(object)
  object.is_subscribed = false
  local id = object.channel
  local rest = remaining(subscribed[id], object)
  subscribed[id] = rest
  return rest == nil
end

local function check_not_deleted(object)
  if object.is_deleted then
    error(tostring(object) .. " has been deleted", 3)
  end
end

--- Sends a message to every subscriber; returns when the messages are under way. On another node's channel: when the
--- message is under way to that node.
function Channel:publish(...)
  check_not_deleted(self)
  skynet.call(multicastd, "lua", "PUB", self.channel, self.pack(...))
end

--- From now on `dispatch(channel, source, ...)` gets what is published. Raises if there is no such channel.
function Channel:subscribe()
  check_not_deleted(self)
  if self.is_subscribed then
    return
  end
  skynet.call(multicastd, "lua", "SUB", self.channel)
  if self.is_subscribed then
    return  -- another task was faster
  end
  self.is_subscribed = true
  local list = remaining(subscribed[self.channel]) or setmetatable({ count = 0 }, weak_list)
  list.count = list.count + 1
  list[list.count] = self
  subscribed[self.channel] = list
end

--- Takes no further messages.
function Channel:unsubscribe()
  if self.is_subscribed and stop_listening(self) then
    skynet.send(multicastd, "lua", "USUB", self.channel)
  end
end

Channel.__gc = Channel.unsubscribe

--- Ends the channel, for everybody.
function Channel:delete()
  check_not_deleted(self)
  self.is_deleted = true
  if self.is_subscribed then
    stop_listening(self)
  end
  skynet.send(multicastd, "lua", "DEL", self.channel)
end

-- The session of such a message is its channel: it asks for no reply.
local function on_message(id, source, msg, sz)
  skynet.ignoreret()
  local list = remaining(subscribed[id])
  if not list then
    return  -- it was under way when the last one unsubscribed
  end
  if list.count == 1 then
    return list[1]:dispatch(source, list[1].unpack(msg, sz))
  end
  for _, object in ipairs(list) do
    skynet.fork(object.dispatch, object, source, object.unpack(msg, sz))
  end
end

skynet.register_protocol {
  name = "multicast",
  id = skynet.PTYPE_MULTICAST,
  unpack = function(msg, sz) return msg, sz end,
  dispatch = on_message,
}

local function check_function(config, name)
  local f = config[name]
  if f ~= nil and type(f) ~= "function" then
    error(string.format("multicast.new: %s must be a function, not a %s", name, type(f)), 3)
  end
  return f
end

local function check_channel(id)
  if math.type(id) ~= "integer" or id < 0 or id > CHANNEL_MAX then
    error("multicast.new: not a channel: " .. tostring(id), 3)
  end
  return id
end

local function ignore() end

---@class skynet.multicast
local multicast = {}

--- An object of a channel, a new one if `config.channel` is nil. pack and unpack are skynet's by default.
---@param config { channel?: integer, pack?: function, unpack?: function, dispatch?: fun(channel, source, ...) }
---@return skynet.multicast.channel
function multicast.new(config)
  if type(config) ~= "table" then
    error("multicast.new needs a table", 2)
  end
  local object = {
    pack = check_function(config, "pack") or skynet.pack,
    unpack = check_function(config, "unpack") or skynet.unpack,
    dispatch = check_function(config, "dispatch") or ignore,
  }
  object.channel = config.channel and check_channel(config.channel) or skynet.call(multicastd, "lua", "NEW")
  return setmetatable(object, Channel)
end

return multicast
