-- skynet.socket
local skynet = require "skynet"
local socket = require "skynet.socket"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

-- Both ends of a new connection.
local function pair()
  local accepted, token = nil, {}
  local listener, _, port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id)
    socket.start(id)
    accepted = id
    skynet.wakeup(token)
  end)
  local client = socket.open("127.0.0.1", port)
  if not accepted then
    skynet.wait(token)
  end
  socket.close(listener)
  return client, accepted
end

local function reads()
  local a, b = pair()
  socket.write(a, "one\ntwo\r\n12345678rest")
  claims.equal(socket.readline(b), "one")
  claims.equal(socket.readline(b, "\r\n"), "two")
  claims.equal(socket.read(b, 4), "1234")
  claims.equal(socket.read(b), "5678rest")
  socket.write(a, "tail")
  socket.close(a)
  claims.equal(table.pack(socket.read(b, 10)), { n = 2, false, "tail" })
  claims.equal(table.pack(socket.read(b)), { n = 2, false, "" })
  claims.equal(socket.disconnected(b), true)
  socket.close(b)
  claims.equal(socket.invalid(b), true)
end

local function read_before_end()
  local a, b = pair()
  socket.write(a, "abcdef")
  socket.close(a)
  skynet.sleep(2)
  claims.equal(socket.read(b, 3), "abc")
  claims.equal(socket.read(b, 3), "def")
  claims.equal(socket.read(b, 3), false)
  socket.close(b)
end

local function second_reader()
  local a, b = pair()
  skynet.fork(socket.read, b, 5)
  skynet.sleep(1)
  claims.raises("assertion failed!", socket.read, b, 5)
  socket.close(a)
  socket.close(b)
end

local function close_while_reading()
  local a, b = pair()
  local ended
  skynet.fork(function()
    local data
    repeat data = socket.read(b, 2) until not data
    ended = true
  end)
  skynet.sleep(1)
  socket.write(a, string.rep("x", 33))
  claims.within(100, function() socket.close(b) end)
  claims.equal(ended, true)
  socket.close(a)
end

local function read_all()
  local a, b = pair()
  skynet.fork(function()
    for _ = 1, 40 do socket.write(a, string.rep("y", 10000)) end
    socket.close(a)
  end)
  claims.equal(claims.within(1000, function() return #socket.readall(b) end), 400000)
  socket.close(b)
end

local function flow_control()
  local a, b = pair()
  for _ = 1, 40 do socket.write(a, string.rep("y", 10000)) end
  skynet.sleep(20)
  local bytes = claims.within(1000, function()
    local count = 0
    while count < 400000 do count = count + #socket.read(b, 50000) end
    return count
  end)
  claims.equal(bytes, 400000)
  socket.close(a)
  socket.close(b)
end

local function on_close()
  local a, b = pair()
  local order = {}
  socket.onclose(b, function() order[#order + 1] = "closed" end)
  skynet.fork(function()
    socket.read(b)
    order[#order + 1] = "reader"
  end)
  skynet.sleep(1)
  socket.close(a)
  skynet.sleep(5)
  socket.close(b)
  table.sort(order)
  claims.equal(order, { "closed", "reader" })
end

local function refused()
  local listener, _, port = socket.listen("127.0.0.1", 0)
  socket.close(listener)
  local id, reason = socket.open("127.0.0.1", port)
  claims.equal(id, nil)
  claims.equal(type(reason), "string")
  claims.equal(table.pack(socket.start(99999)), { n = 2, nil, "invalid socket" })
end

claims.run("skynet.socket", {
  { "read and readline cut the stream as asked", reads },
  { "bytes that came before the end stay readable", read_before_end },
  { "a second reader raises", second_reader },
  { "close ends a task that reads in a loop (#1845)", close_while_reading },
  { "readall takes more than 128 KiB", read_all },
  { "a socket nobody reads pauses, and loses nothing", flow_control },
  { "onclose is called once, and the reader ends", on_close },
  { "a refused connect and an unknown id give nil and a reason", refused },
})
