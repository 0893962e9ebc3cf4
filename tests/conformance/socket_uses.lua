-- skynet.socket beside plain reading and writing (network.md 2.1): descriptors, waiting without reading, handing over,
-- limits, datagrams.
local skynet = require "skynet"
local socket = require "skynet.socket"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

-- The other service of handing_over: reads a line of the socket it is given.
if (...) == "taker" then
  return skynet.start(function()
    skynet.dispatch("lua", function(_, _, id, unread)
      socket.start(id)
      local line = unread .. socket.readline(id)
      socket.close(id)
      skynet.retpack(line)
    end)
  end)
end

-- Both ends of a new connection; the second is started unless `leave` is given.
local function pair(leave)
  local accepted, token = nil, {}
  local listener, _, port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id)
    if not leave then
      socket.start(id)
    end
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

local function until_true(what, f)
  for _ = 1, 3000 do
    if f() then
      return
    end
    skynet.sleep(1)
  end
  error(what .. " has not come true")
end

local function blocks()
  local a, b = pair()
  skynet.fork(function()
    skynet.sleep(2)
    socket.lwrite(a, "data")
  end)
  claims.equal(socket.block(b), true)
  claims.equal(socket.read(b), "data")
  socket.close(a)
  claims.equal(socket.block(b), false)
  socket.close(b)
end

local function unheld()
  local a, id = pair(true)
  claims.raises("Use socket.close instead", socket.close_fd, a)
  socket.close_fd(id)
  claims.equal(socket.read(a), false)
  socket.close(a)
  socket.close(a)  -- unknown by now
  claims.equal({ socket.invalid(a), socket.disconnected(a) }, { true })
end

local function handing_over()
  local a, b = pair()
  socket.write(a, "first half, ")
  socket.block(b)
  local unread = socket.abandon(b)
  claims.equal(socket.invalid(b), true)
  local taker = skynet.newservice("socket_uses", "taker")
  skynet.fork(function()
    skynet.sleep(2)
    socket.write(a, "second half\n")
  end)
  claims.equal(skynet.call(taker, "lua", b, unread), "first half, second half")
  claims.equal(socket.read(a), false)
  socket.close(a)
  skynet.send(taker, "debug", "EXIT")
end

local function abandoned_reader()
  local a, b = pair()
  local result
  skynet.fork(function() result = table.pack(socket.read(b, 10)) end)
  skynet.sleep(1)
  socket.abandon(b)
  until_true("the reader's end", function() return result end)
  claims.equal(result[1], false)
  socket.close_fd(b)
  socket.close(a)
end

local function limits()
  local a, b = pair()
  socket.limit(b, 1000)
  socket.write(a, string.rep("x", 2000))
  until_true("the end of what nobody reads", function() return socket.disconnected(b) ~= false end)
  socket.close(b)
  socket.close(a)
  claims.raises("assertion failed!", socket.limit, a, 1000)
  claims.raises("assertion failed!", socket.warning, a, print)
end

local function backlog()
  local a, b = pair()
  local told = {}
  socket.warning(a, function(id, kib) told[#told + 1] = { id, kib } end)
  local chunk = string.rep("x", 1 << 20)
  local sent = 0
  repeat
    socket.write(a, chunk)
    sent = sent + #chunk
    skynet.sleep(1)
    assert(sent < 1 << 28, "nobody reads, and all is sent")
  until told[1]
  claims.equal({ told[1][1], told[1][2] > 0 }, { a, true })
  claims.equal(#socket.read(b, sent), sent)
  until_true("the all-clear", function() return told[#told][2] == 0 end)
  socket.close(a)
  socket.close(b)
end

local function ends()
  local a, b = pair()
  local closed
  socket.onclose(b, function(id) closed = id end)
  socket.shutdown(a)
  until_true("the end", function() return closed end)
  claims.equal(closed, b)
  claims.equal(socket.disconnected(b), true)
  socket.close(a)
  socket.close(b)
end

local function datagrams()
  local listener, _, port = socket.listen("127.0.0.1", 0)
  socket.close(listener)  -- a port that nobody has just now: UDP sockets cannot ask for one
  local seen = {}
  local function note(name)
    return function(data, from) seen[#seen + 1] = { name, data, from } end
  end
  local server = socket.udp_listen("127.0.0.1", port, note "server")
  local client = socket.udp_dial("127.0.0.1", port, note "client")
  socket.write(client, "dialled")
  until_true("a datagram", function() return seen[1] end)
  local ip = socket.udp_address(seen[1][3])
  claims.equal({ seen[1][1], seen[1][2], ip }, { "server", "dialled", "127.0.0.1" })
  socket.sendto(server, seen[1][3], "answered")
  until_true("the answer", function() return seen[2] end)
  claims.equal({ seen[2][1], seen[2][2] }, { "client", "answered" })
  local plain = socket.udp(note "plain", "127.0.0.1", 0)
  socket.udp_connect(plain, "127.0.0.1", port)
  socket.write(plain, "connected")
  until_true("the third", function() return seen[3] end)
  claims.equal({ seen[3][1], seen[3][2] }, { "server", "connected" })
  for _, id in ipairs { server, client, plain } do
    socket.close(id)
    claims.equal(socket.invalid(id), true)
  end
end

local function facts()
  local a, b = pair()
  local shown = {}
  for _, entry in ipairs(socket.netstat()) do
    shown[entry.id] = entry.type
  end
  claims.equal({ shown[a], shown[b] }, { "TCP", "TCP" })
  socket.close(a)
  socket.close(b)
  claims.equal(socket.resolve "127.0.0.1"[1], "127.0.0.1")
  claims.equal(socket.header "\1\2", 258)
end

-- What bind and stdin say of a descriptor that cannot be had: the platform is real, or has none.
local REFUSALS = { "Bad file descriptor", "bind is not available here" }

local function refusal(f, ...)
  local ok, reason = pcall(f, ...)
  for _, text in ipairs(REFUSALS) do
    if not ok and string.find(reason, text, 1, true) then
      return text
    end
  end
  return ok and "none" or reason
end

local function descriptors()
  local said = refusal(socket.bind, -1)
  claims.equal(said == REFUSALS[1] or said == REFUSALS[2], true, said)
  if said == REFUSALS[2] then
    claims.equal(refusal(socket.stdin), said)
  else
    -- It may be at its end already. What comes over it: the claims on service console.
    local ok, id = pcall(socket.stdin)
    claims.equal(ok, true, id)
    socket.close(id)
  end
end

claims.run("uses of sockets", {
  { "block waits for data, or says that the stream has ended", blocks },
  { "close_fd closes what this service does not hold", unheld },
  { "an abandoned socket can be started by another service", handing_over },
  { "abandon wakes a reader", abandoned_reader },
  { "limit closes a socket that fills up unread", limits },
  { "warning tells of what cannot be sent, and when it has been", backlog },
  { "onclose tells of the end once", ends },
  { "udp, udp_listen and udp_dial exchange datagrams", datagrams },
  { "netstat shows sockets, resolve an address, header a number", facts },
  { "bind refuses what is no descriptor, stdin is one where there are any", descriptors },
})
