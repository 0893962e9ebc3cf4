-- http.websocket
local skynet = require "skynet"
local socket = require "skynet.socket"
local httpd = require "http.httpd"
local sockethelper = require "http.sockethelper"
local websocket = require "http.websocket"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local peers = assert(loadfile(SERVICE_PATH .. "http_peers.lua"))()

-- A server with a handler. Returns its url, and an array of what accept has returned.
local function serve(handler)
  local results = {}
  local port = peers.listen(function(id, address)
    local result = table.pack(websocket.accept(id, handler, "ws", address))
    results[#results + 1] = result
    return "keep"
  end)
  return "ws://127.0.0.1:" .. port, results
end

-- A handler that notes its calls in `seen`, as texts.
local function noting(seen, more)
  local handler = {}
  for _, name in ipairs { "connect", "handshake", "message", "ping", "pong", "close", "error" } do
    handler[name] = function(id, ...)
      local words = { name }
      for _, value in ipairs { ... } do
        if type(value) ~= "table" then
          words[#words + 1] = tostring(value)
        end
      end
      seen[#seen + 1] = table.concat(words, " ")
      if more and more[name] then
        more[name](id, ...)
      end
    end
  end
  return handler
end

local ECHO = { message = function(id, data, kind) websocket.write(id, data, kind) end }

-- The request of a client that sends its bytes by hand; raw_client adds fields and returns id and answer.
local UPGRADE = "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n" ..
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

local function raw_client(url, fields)
  local id = assert(socket.open("127.0.0.1", tonumber(string.match(url, "%d+$"))))
  socket.write(id, UPGRADE .. (fields or "") .. "\r\n")
  return id, socket.readline(id, "\r\n\r\n")
end

---------------------------------------------------------------------------------------------------------------------

local function echoes()
  local id = websocket.connect(serve(ECHO))
  for _, bytes in ipairs { 0, 1, 2, 125, 126, 127, 65535, 65536, 262144 } do
    local data = string.rep("\xff\0ab", bytes // 4 + 1):sub(1, bytes)
    for _, kind in ipairs { "text", "binary" } do
      websocket.write(id, data, kind)
      local echo, echo_kind = websocket.read(id)
      claims.equal({ echo == data, echo_kind }, { true, kind })
    end
  end
  websocket.write(id, "plain")
  claims.equal(table.pack(websocket.read(id)), { n = 2, "plain", "text" })
  websocket.close(id)
end

local function known_handshake()
  local id, answer = raw_client((serve(ECHO)))
  claims.equal(string.match(answer, "^[^\r]+"), "HTTP/1.1 101 Switching Protocols")
  claims.equal(string.match(answer, "Sec%-WebSocket%-Accept: ([^\r]+)"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  claims.equal(string.find(answer, "Protocol:", 1, true), nil)
  socket.close(id)
end

local function known_frames()
  local id = raw_client((serve(ECHO)))
  -- RFC 6455, 5.7: "Hello", masked, and what a server sends for it
  socket.write(id, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")
  claims.equal(socket.read(id, 7), "\x81\x05Hello")
  -- without a mask, as skynet's own clients send
  socket.write(id, "\x81\x05Hello")
  claims.equal(socket.read(id, 7), "\x81\x05Hello")
  -- in two fragments with an empty one and a ping between them
  socket.write(id, "\x01\x83\0\0\0\0Hel\x00\x80\0\0\0\0\x89\x82\0\0\0\0hi\x80\x82\0\0\0\0lo")
  claims.equal(socket.read(id, 4), "\x8a\x02hi")
  claims.equal(socket.read(id, 7), "\x81\x05Hello")
  socket.write(id, "\x88\x82\0\0\0\0\x03\xe8")
  claims.equal(socket.readall(id), "\x88\x02\x03\xe8")
  socket.close(id)
end

local function byte_by_byte()
  local id = raw_client((serve(ECHO)))
  local bytes = "\x82\xfe\x00\x80\0\0\0\0" .. string.rep("x", 128)
  for index = 1, #bytes do
    socket.write(id, string.sub(bytes, index, index))
    if index % 10 == 0 then
      skynet.sleep(0)
    end
  end
  claims.equal(socket.read(id, 132), "\x82\x7e\x00\x80" .. string.rep("x", 128))
  socket.close(id)
end

local function order_of_calls()
  local seen = {}
  local url, results = serve(noting(seen, ECHO))
  local id = websocket.connect(url .. "/path?q")
  websocket.write(id, "a")
  websocket.ping(id)
  websocket.write(id, "b", "binary")
  claims.equal({ websocket.read(id) }, { "a", "text" })
  claims.equal({ websocket.read(id) }, { "b", "binary" })
  websocket.close(id, 4001, "enough")
  peers.await(function() return results[1] end)
  claims.equal(seen, { "connect", "handshake /path?q", "message a text", "ping", "message b binary",
    "close 4001 enough" })
  claims.equal(results[1], { n = 2, true, nil })
end

local function pings()
  local seen = {}
  local id = websocket.connect(serve(noting(seen, {
    message = function(server)
      websocket.ping(server)
      websocket.write(server, "pinged")
    end,
  })))
  websocket.write(id, "please")
  claims.equal(websocket.read(id), "pinged")
  peers.await(function() return seen[#seen] == "pong" end)
  websocket.ping(id)
  peers.await(function() return seen[#seen] == "ping" end)
  websocket.write(id, "again")
  claims.equal(websocket.read(id), "pinged")  -- the pong did not come between
  websocket.close(id)
end

local function server_closes()
  local seen = {}
  local url, results = serve(noting(seen, {
    message = function(id) websocket.close(id, 4002, "no more") end,
  }))
  local id = websocket.connect(url)
  websocket.write(id, "x")
  claims.equal(table.pack(websocket.read(id)), { n = 2, false, "\x0f\xa2no more" })
  claims.equal(websocket.is_close(id), true)
  peers.await(function() return results[1] end)
  claims.equal(seen[#seen], "close 4002 no more")
end

local function another_task_closes()
  local seen, server_id = {}, nil
  local url, results = serve(noting(seen, { connect = function(id) server_id = id end }))
  local id = websocket.connect(url)
  websocket.close(server_id, 4003, "by another")
  claims.equal(websocket.read(id), false)
  peers.await(function() return results[1] end)
  claims.equal(seen[#seen], "close 4003 by another")
  claims.equal(results[1], { n = 2, true, nil })
end

local function close_codes()
  local seen = {}
  local url, results = serve(noting(seen))
  local id = websocket.connect(url)
  websocket.close(id)
  peers.await(function() return results[1] end)
  claims.equal(seen[#seen], "close 1000 ")
  id = raw_client(url)
  socket.write(id, "\x88\x80\0\0\0\0")
  claims.equal(socket.readall(id), "\x88\x00")
  socket.close(id)
  peers.await(function() return results[2] end)
  claims.equal(seen[#seen], "close 1005 ")
end

local function closes_once()
  local id = websocket.connect(serve(ECHO))
  claims.raises("1005 is no code for a close frame", websocket.close, id, 1005)
  claims.raises("99 is no code for a close frame", websocket.close, id, 99)
  websocket.close(id, 1001, string.rep("long ", 100))
  websocket.close(id)
  websocket.close(12345678)
  claims.raises("is not open", websocket.write, id, "x")
  claims.raises("is not open", websocket.ping, id)
  claims.raises("is not open", websocket.read, id)
end

local function facts()
  local of_server = {}
  local url = serve {
    message = function(id)
      of_server = { websocket.real_ip(id), websocket.is_close(id) }
      local ok, reason = pcall(websocket.read, id)
      of_server[3] = not ok and string.match(reason, "read is for clients")
      websocket.write(id, websocket.addrinfo(id))
    end,
  }
  local id = websocket.connect(url, { ["X-Real-IP"] = "10.9.8.7" })
  websocket.write(id, "x")
  claims.equal(string.match(websocket.read(id), "^127%.0%.0%.1:%d+$") ~= nil, true)
  claims.equal(of_server, { "10.9.8.7", false, "read is for clients" })
  claims.equal(websocket.addrinfo(id), string.sub(url, 6))
  claims.equal({ websocket.real_ip(id) == nil, websocket.is_close(id) }, { true, false })
  websocket.close(id)
  claims.equal({ websocket.addrinfo(id) == nil, websocket.is_close(id) }, { true, true })
end

local function upgrades()
  local seen, results = {}, {}
  local port = peers.listen(function(id, address)
    socket.start(id)
    local _, url, method, header = httpd.read_request(sockethelper.readfunc(id))
    results[1] = table.pack(websocket.accept(id, noting(seen, ECHO), "ws", address,
      { upgrade = { header = header, url = url, method = method } }))
    return "keep"
  end)
  local id = websocket.connect("ws://127.0.0.1:" .. port .. "/up", { host = "ignored" }, 1000)
  websocket.write(id, "x")
  claims.equal(websocket.read(id), "x")
  websocket.close(id)
  peers.await(function() return results[1] end)
  claims.equal(seen, { "connect", "handshake /up", "message x text", "close 1000 " })
end

local function subprotocol()
  local url = serve(ECHO)
  local id, answer = raw_client(url, "Sec-WebSocket-Protocol: superchat, chat\r\n")
  claims.equal(string.match(answer, "Sec%-WebSocket%-Protocol: ([^\r]+)"), "chat")
  socket.close(id)
  id, answer = raw_client(url, "Sec-WebSocket-Protocol: superchat\r\n")
  claims.equal(string.match(answer, "^HTTP/1.1 (%d+)"), "400")
  socket.close(id)
end

local function masks()
  local got
  local port = peers.listen(function(id)
    socket.start(id)
    local request = socket.readline(id, "\r\n\r\n")
    local crypt = require "skynet.crypt"
    local key = string.match(request, "sec%-websocket%-key: ([^\r]+)")
    socket.write(id, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " ..
      crypt.base64encode(crypt.sha1(key .. "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) .. "\r\n\r\n")
    got = { socket.read(id, 11), socket.read(id, 11), socket.read(id, 11) }
    socket.write(id, "\x82\x01!")
  end)
  local id = websocket.connect("ws://127.0.0.1:" .. port)
  websocket.write(id, "Hello", "text", 0x37fa213d)
  websocket.write(id, "Hello")
  websocket.write(id, "Hello")
  claims.equal(websocket.read(id), "!")
  claims.equal(got[1], "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")
  claims.equal(string.sub(got[2], 1, 2), "\x81\x85")
  claims.equal(got[2] ~= got[3], true)  -- another key
  claims.raises("invalid kind of message blob", websocket.write, id, "x", "blob")
  websocket.close(id)
end

local function lost_connections()
  local seen, server_id = {}, nil
  local url, results = serve(noting(seen, { connect = function(id) server_id = id end }))
  local id = raw_client(url)
  socket.close(id)
  peers.await(function() return results[1] end)
  claims.equal({ seen[#seen], results[1][1] }, { "error " .. tostring(sockethelper.socket_error), true })
  id = websocket.connect(url)
  socket.shutdown(server_id)
  local ok, reason = pcall(websocket.read, id)
  claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  claims.equal(websocket.is_close(id), true)
end

local function handler_raises()
  local seen = {}
  local url, results = serve(noting(seen, { message = function() error("a bug") end }))
  local id = websocket.connect(url)
  websocket.write(id, "x")
  claims.equal(table.pack(websocket.read(id)), { n = 2, false, "\x03\xf3" })
  peers.await(function() return results[1] end)
  claims.equal(results[1][1], false)
  claims.equal(string.find(results[1][2], "a bug\nstack traceback", 1, true) ~= nil, true)
  claims.equal(string.match(seen[#seen], "^error .*a bug") ~= nil, true)
  url, results = serve { close = function() error("another bug") end }
  websocket.close(websocket.connect(url))
  peers.await(function() return results[1] end)
  claims.equal(string.find(results[1][2], "another bug", 1, true) ~= nil, true)
end

local function backlog()
  local kib_max, release = 0, {}
  local url = serve {
    warning = function(_, kib) kib_max = math.max(kib_max, kib) end,
    message = function(id)
      for _ = 1, 32 do
        websocket.write(id, string.rep("x", 1 << 20), "binary")
      end
      skynet.wakeup(release)
    end,
  }
  local id = websocket.connect(url)
  socket.pause(id)  -- until the first read
  websocket.write(id, "go")
  skynet.wait(release)
  for _ = 1, 32 do
    claims.equal(#websocket.read(id), 1 << 20)
  end
  claims.equal(kib_max >= 1024, true, kib_max)
  websocket.close(id)
end

local function many_clients()
  local url = serve(ECHO)
  local tasks = {}
  for number = 1, 20 do
    tasks[number] = function()
      local id = websocket.connect(url)
      for round = 1, 10 do
        websocket.write(id, number .. ":" .. round)
        claims.equal(websocket.read(id), number .. ":" .. round)
      end
      websocket.close(id)
      return "done"
    end
  end
  for _, result in ipairs(claims.all(tasks)) do
    claims.equal(result, "done")
  end
end

local function bad_urls()
  local tls = "http.tlshelper needs the module ltls.c"
  claims.raises(tls, websocket.connect, "wss://example")
  claims.raises(tls, websocket.accept, 1, {}, "wss")
  claims.raises("invalid protocol http", websocket.accept, 1, {}, "http")
  claims.raises("does not begin with ws://", websocket.connect, "http://example")
  claims.raises("does not begin with ws://", websocket.connect, "example")
  claims.raises("bare IPv6 address", websocket.connect, "ws://::1/")
  claims.raises("a blank in the url", websocket.connect, "ws://example/a b")
  claims.equal(table.pack(websocket.accept(12345678, {})), { n = 2, false, "invalid socket" })
end

local function refused()
  local port, listener = peers.listen(function() end)
  socket.close(listener)
  local ok, reason = pcall(websocket.connect, "ws://127.0.0.1:" .. port)
  claims.equal({ ok, reason }, { false, sockethelper.socket_error })
  port = peers.listen(function(id)
    socket.start(id)
    socket.readall(id)
  end)
  ok, reason = pcall(websocket.connect, "ws://127.0.0.1:" .. port, nil, 10)
  claims.equal({ ok, reason }, { false, sockethelper.socket_error })
end

claims.run("http.websocket", {
  { "messages of every length and kind come back", echoes },
  { "the handshake is that of RFC 6455", known_handshake },
  { "masked and fragmented frames of RFC 6455 are read", known_frames },
  { "a frame may come byte by byte", byte_by_byte },
  { "a handler's functions are called in order", order_of_calls },
  { "pings are answered by themselves on both sides", pings },
  { "a server closes with a code and a reason", server_closes },
  { "a server's other task may close", another_task_closes },
  { "a close without a code is 1000 from here and 1005 from others", close_codes },
  { "closing twice does nothing, and using what is closed raises", closes_once },
  { "addrinfo, real_ip and is_close tell about both sides", facts },
  { "accept takes over a request that was read already", upgrades },
  { "of the subprotocols offered one must be chat", subprotocol },
  { "a client masks with another key each time, or the given one", masks },
  { "a lost connection is an error on both sides", lost_connections },
  { "a handler that raises ends its connection", handler_raises },
  { "warning tells of unsent bytes", backlog },
  { "many clients are served at once", many_clients },
  { "a url or protocol that is none raises and says why", bad_urls },
  { "a server that refuses or is silent raises socket_error", refused },
})
