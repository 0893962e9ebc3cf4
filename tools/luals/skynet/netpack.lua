---@meta skynet.netpack

-- Frames with a 16-bit big-endian length, cut out of the events of sockets. snax.gateserver is made of it.

---@class skynet.netpack
local netpack = {}

--- Takes one event of type socket. Behind the queue, which goes into the next call, it returns nothing or
--- "data", fd, msg, sz (exactly one frame); "more" (pop until nothing comes); "open", fd, address; "close", fd;
--- "error", fd, text; "warning", fd, KiB; "init", id, address, port.
---@param queue userdata? nil at first
---@param msg lightuserdata the event; freed here
---@param sz integer
---@return userdata? queue
---@return "data"|"more"|"open"|"close"|"error"|"warning"|"init"|nil what
---@return any ...
function netpack.filter(queue, msg, sz) end

--- The next whole frame.
---@param queue userdata?
---@return skynet.socket.id? fd nil: there is none
---@return lightuserdata? msg the caller's
---@return integer? sz
function netpack.pop(queue) end

--- A frame with its length in front, as a block for socketdriver.send. Raises from 65536 bytes on.
---@param msg string|lightuserdata stays the caller's
---@param sz? integer
---@return lightuserdata msg
---@return integer sz
function netpack.pack(msg, sz) end

--- A block as a string; the block is freed.
---@param msg lightuserdata
---@param sz integer
---@return string
function netpack.tostring(msg, sz) end

--- Frees all frames of a queue.
---@param queue userdata?
function netpack.clear(queue) end

return netpack
