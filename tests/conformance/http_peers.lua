-- What the claims about HTTP and websockets share: servers and clients that send any bytes. Load it with
-- assert(loadfile(SERVICE_PATH .. "http_peers.lua"))().

local skynet = require "skynet"
local socket = require "skynet.socket"

local peers = {}

--- Listens; each connection is a task that runs f(id, address) and is closed after that. Returns the port and the
--- listener's id.
function peers.listen(f)
  local listener, _, port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id, address)
    if f(id, address) ~= "keep" then
      socket.close(id)
    end
  end)
  return port, listener
end

--- A server that reads one request head, sends `bytes`, and closes.
function peers.canned(bytes)
  local port, listener
  port, listener = peers.listen(function(id)
    socket.close(listener)
    socket.start(id)
    socket.readline(id, "\r\n\r\n")
    socket.write(id, bytes)
  end)
  return "127.0.0.1:" .. port
end

--- A read function over a text that comes in pieces, and then raises `peers.ended`.
peers.ended = setmetatable({}, { __tostring = function() return "the text has ended" end })

function peers.reader(text, piece_bytes)
  local at = 1
  return function(size)
    local left = #text - at + 1
    if left < (size or 1) then
      error(peers.ended)
    end
    local from = at
    at = at + (size or math.min(piece_bytes or left, left))
    return string.sub(text, from, at - 1)
  end
end

--- A read function that gives `start` and then `again` for ever; the second result tells how many bytes were taken.
--- A read of a counted size gives so many bytes of "again".
function peers.endless_reader(start, again)
  local bytes, data = 0, start
  return function(size)
    local piece = data
    data = again
    if size then
      piece = string.rep(again, size // #again + 1):sub(1, size)
    end
    bytes = bytes + #piece
    return piece
  end, function() return bytes end
end

--- Waits until condition() is true; raises after 10 s.
function peers.await(condition)
  for _ = 1, 1000 do
    if condition() then
      return
    end
    skynet.sleep(1)
  end
  error("waited 10 s in vain", 2)
end

--- Sockets of the node that are not listeners. Those that are closed may take a step to go.
function peers.open_sockets()
  local count = 0
  for _, info in ipairs(socket.netstat()) do
    if info.type ~= "LISTEN" then
      count = count + 1
    end
  end
  return count
end

--- Waits until the node has no more than `count` sockets but listeners; raises after 10 s.
function peers.await_sockets(count)
  peers.await(function() return peers.open_sockets() <= count end)
end

return peers
