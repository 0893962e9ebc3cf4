-- Messages between the master of a harbor network and its slaves (network.md 5.2): one byte with the length, then that
-- many bytes of packed values, of which the first is a letter.

local skynet = require "skynet"
local socket = require "skynet.socket"

local wire = {}

---@return string
function wire.pack(...)
  local body = skynet.packstring(...)
  return string.char(#body) .. body
end

--- Reads the next message. Without one: nil and the reason, "closed" if the stream ended between two messages.
---@param fd integer
---@return table|nil values
---@return string? reason
function wire.read(fd)
  local head = socket.read(fd, 1)
  if not head then
    return nil, "closed"
  end
  local size = string.byte(head)
  local body = socket.read(fd, size)
  if not body then
    return nil, "closed in the middle of a message"
  end
  local values = table.pack(pcall(skynet.unpack, body))
  if not values[1] or type(values[2]) ~= "string" then
    return nil, string.format("%d bytes that are no message", size)
  end
  return table.pack(table.unpack(values, 2, values.n))
end

--- Whether a value of a message is a harbor id.
function wire.is_id(value)
  return math.type(value) == "integer" and value >= 1 and value <= 255
end

--- A reason without the place in the source where it was raised.
---@param reason any
---@return string
function wire.plain(reason)
  return (string.gsub(tostring(reason), "^%S+:%d+: ", ""))
end

return wire
