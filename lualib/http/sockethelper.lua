-- Sockets as the HTTP modules use them: functions that raise `socket_error` when the stream has ended.

local skynet = require "skynet"
local socket = require "skynet.socket"

---@class http.sockethelper
local sockethelper = {}

--- What the functions here raise when a stream has ended or cannot be opened. Compare by identity.
local SOCKET_ERROR = setmetatable({}, { __tostring = function() return "[Error: socket]" end })
sockethelper.socket_error = SOCKET_ERROR

--- Returns f(size): exactly `size` bytes, or without `size` whatever there is. `before` is given out first.
---@param id integer
---@param before? string
---@return fun(size?: integer): string
function sockethelper.readfunc(id, before)
  local function read(size)
    local data = not socket.invalid(id) and socket.read(id, size)
    return data or error(SOCKET_ERROR)
  end
  if not before or before == "" then
    return read
  end
  return function(size)
    local start = before
    before = ""
    if start == "" then
      return read(size)
    elseif not size then
      return start
    elseif #start >= size then
      before = string.sub(start, size + 1)
      return string.sub(start, 1, size)
    end
    return start .. read(size - #start)
  end
end

--- Returns f(data).
---@param id integer
---@return fun(data: string)
function sockethelper.writefunc(id)
  return function(data)
    if not socket.write(id, data) then
      error(SOCKET_ERROR)
    end
  end
end

--- Everything up to the end of the stream.
---@param id integer
---@return string
function sockethelper.readall(id)
  return not socket.invalid(id) and socket.readall(id) or ""
end

-- Connects in a task of its own; a connection that comes too late is closed.
local function connect_within(host, port, timeout)
  local attempt = {}
  skynet.fork(function()
    local ok, id = pcall(socket.open, host, port)
    attempt.id, attempt.has_ended = ok and id or nil, true
    if attempt.is_over and attempt.id then
      socket.close(attempt.id)
    else
      skynet.wakeup(attempt)
    end
  end)
  skynet.sleep(timeout, attempt)
  attempt.is_over = true
  return attempt.id
end

--- Connects, or raises `socket_error`.
---@param host string
---@param port integer
---@param timeout? integer cs
---@return integer id
function sockethelper.connect(host, port, timeout)
  local id
  if timeout then
    id = connect_within(host, port, timeout)
  else
    id = socket.open(host, port)
  end
  return id or error(SOCKET_ERROR)
end

---@param id integer
function sockethelper.close(id)
  socket.close(id)
end

---@param id integer
function sockethelper.shutdown(id)
  socket.shutdown(id)
end

return sockethelper
