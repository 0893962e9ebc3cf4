---@meta skynet.multicast

-- Channels: what is published to one reaches every service that has subscribed to it, on all nodes of a harbor network.
-- What one service publishes arrives in its order.

---@class skynet.multicast
local multicast = {}

---@class skynet.multicast.config
---@field channel? integer of an object that somebody made; default: a new channel
---@field dispatch? fun(channel: skynet.multicast.channel, source: skynet.handle, ...: any) gets what is published
---@field pack? fun(...: any): string|lightuserdata, integer? default skynet.pack
---@field unpack? fun(msg: lightuserdata, sz: integer): ... default skynet.unpack

--- An object of a channel. Keep it: one that is collected unsubscribes.
---@async
---@param config skynet.multicast.config
---@return skynet.multicast.channel
function multicast.new(config) end

---@class skynet.multicast.channel
---@field channel integer what others need to make an object of this channel
local Channel = {}

--- Sends a message to all subscribers, this service too if it is one. Raises after delete.
---@async
---@param ... any
function Channel:publish(...) end

--- Takes what is published from now on. Raises if there is no such channel.
---@async
function Channel:subscribe() end

--- Takes nothing any more.
function Channel:unsubscribe() end

--- Ends the channel, for everybody.
function Channel:delete() end

return multicast
