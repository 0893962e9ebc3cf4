-- Claim:  bytes of a stranger that are nearly right end in an answer, a refusal or a closed connection: no parser of
--         ours raises an error of Lua, none waits for ever, and the next one is served.
-- Kind:   guarantee.
-- Source: ours. A fuzzer whose mutations the seed draws: HTTP requests and responses, websocket handshakes and frames
--         of both sides, lines of the debug console. Sweep many seeds to fuzz for long.

local sim = require "sim"

local ROUNDS = sim.setting("rounds", 40)
local HTTP, WEBSOCKET, CONSOLE, HTTP_ANSWERS, WEBSOCKET_ANSWERS = 8001, 8002, 8003, 8004, 8005
local PATIENCE = "30s"

-- What Lua says of a mistake in a program, and no parser should say of bytes.
local MISTAKES = { "attempt to ", "bad argument #", "stack overflow", "not enough memory", "invalid value %(" }

local function server()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"
  local httpc = require "http.httpc"
  local httpd = require "http.httpd"
  local sockethelper = require "http.sockethelper"
  local websocket = require "http.websocket"

  local function judge(what, reason)
    local text = tostring(reason)
    local is_mistake = false
    for _, mistake in ipairs(MISTAKES) do
      is_mistake = is_mistake or string.find(text, mistake) ~= nil
    end
    sim.guarantee("a parser raises no error of Lua", not is_mistake, "%s: %s", what, text)
  end

  local function listen(port, serve)
    socket.start(socket.listen("10.0.0.2", port), function(id, address)
      local ok, reason = pcall(serve, id, address)
      if not ok then
        judge("a server", reason)
      end
    end)
  end

  local function serve_http(id)
    socket.start(id)
    local code, url = httpd.read_request(sockethelper.readfunc(id), 8192)
    if code then
      httpd.write_response(sockethelper.writefunc(id), code, "hello")
    else
      judge("read_request", url)
    end
    socket.close(id)
  end

  local handler = {
    message = function(id, data, kind) websocket.write(id, data, kind) end,
    error = function(_, reason) judge("a websocket", reason) end,
  }

  local function serve_websocket(id, address)
    local ok, reason = websocket.accept(id, handler, "ws", address)
    if not ok then
      judge("accept", reason)
    end
  end

  local command = {}

  -- Asks a server that answers nearly right.
  function command.ask()
    local ok, reason = pcall(httpc.get, "10.0.0.3:" .. HTTP_ANSWERS, "/")
    if not ok then
      judge("httpc.get", reason)
    end
  end

  function command.talk()
    local ok, reason = pcall(function()
      local id = websocket.connect("ws://10.0.0.3:" .. WEBSOCKET_ANSWERS .. "/", nil, 300)
      websocket.write(id, "hello")
      while websocket.read(id) do end
    end)
    if not ok then
      judge("a websocket's client", reason)
    end
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      httpc.timeout = 300
      command[name]()
      skynet.retpack()
    end)
    listen(HTTP, serve_http)
    listen(WEBSOCKET, serve_websocket)
    skynet.newservice("debug_console", "10.0.0.2", CONSOLE)
    skynet.register ".server"
  end)
end

local function stranger()
  local skynet = require "skynet"
  require "skynet.manager"
  local socket = require "skynet.socket"
  local random = math.random

  -- A frame of a websocket, masked with zeros if it is a client's.
  local function frame(first, data, is_client)
    local mask_bit, key = is_client and 0x80 or 0, is_client and "\0\0\0\0" or ""
    if #data < 126 then
      return string.pack("BB", first, mask_bit | #data) .. key .. data
    end
    return string.pack(">BBI2", first, mask_bit | 126, #data) .. key .. data
  end

  local UPGRADE = "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" ..
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
  local corpus = {
    [HTTP] = {
      "GET /a/b?c=d%20e HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nCookie: a=b\r\nCookie: c=d\r\n\r\n",
      "POST /form HTTP/1.1\r\nhost: h\r\ncontent-length: 11\r\n\r\nhello world",
      "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nx: y\r\n\r\n",
      "HEAD / HTTP/1.0\r\n\r\n",
    },
    [WEBSOCKET] = {
      UPGRADE,
      UPGRADE .. frame(0x81, "hello", true) .. frame(0x88, "\x03\xe8bye", true),
      UPGRADE .. frame(0x01, "hel", true) .. frame(0x89, "ping", true) .. frame(0x80, "lo", true),
      UPGRADE .. frame(0x82, string.rep("x", 300), true) .. frame(0x8a, "", true),
    },
    [CONSOLE] = {
      "help\nlist\nstat\nmem\nservice\nnetstat\n",
      "info :8\ntask :8\nping :8\nuniqtask :8\n",
      "call :8 'nobody', 1, { x = 'y', 2 }\n",
      "GET /info/:8 HTTP/1.1\r\nhost: h\r\n\r\n",
      "POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nlist",
    },
    [HTTP_ANSWERS] = {
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nset-cookie: a=b\r\nset-cookie: c=d\r\n\r\nhello",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
      "HTTP/1.0 404 Not Found\r\n\r\nuntil the end",
    },
    [WEBSOCKET_ANSWERS] = {
      frame(0x81, "hello") .. frame(0x89, "ping") .. frame(0x88, "\x03\xe8"),
      frame(0x01, "hel") .. frame(0x80, "lo") .. frame(0x82, string.rep("x", 300)),
    },
  }
  local words = {
    "", "\0", "\r\n", "\n", "\r\n\r\n", ":", ";", " ", "-1", "0", "0x10", "4294967296", "99999999999999999999", "1e9",
    "\xff\xff", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\xc0\x80", "%", "%zz", "chunked", "content-length: 3\r\n",
    "transfer-encoding: chunked\r\n", "HTTP/1.1", "{", "}", "'", "\"", "\x88\x82\0\0\0\0\x03\xe9",
    string.rep("x", 9000),
  }

  local function mutate(text, others)
    for _ = 1, random(0, 5) do
      local at = random(1, #text + 1)
      local kind, rest = random(6), string.sub(text, at)
      if kind == 1 then     -- another byte
        rest = string.char(random(0, 255)) .. string.sub(rest, 2)
      elseif kind == 2 then -- a bit less
        rest = string.sub(rest, random(2, 20))
      elseif kind == 3 then -- a word more
        rest = words[random(#words)] .. rest
      elseif kind == 4 then -- a part twice
        rest = string.sub(rest, 1, random(1, 40)) .. rest
      elseif kind == 5 then -- goes on as another
        local other = others[random(#others)]
        rest = string.sub(other, random(1, #other))
      elseif random(4) == 1 then
        rest = ""
      end
      text = string.sub(text, 1, at - 1) .. rest
    end
    return text
  end

  local function nearly(port)
    return mutate(corpus[port][random(#corpus[port])], corpus[port])
  end

  -- In pieces, and then an end of some kind.
  local function send(id, text)
    local at = 1
    repeat
      local bytes = random(3) == 1 and random(1, 60) or #text
      socket.write(id, string.sub(text, at, at + bytes - 1))
      at = at + bytes
      if at <= #text and random(8) == 1 then
        skynet.sleep(0)
      end
    until at > #text
  end

  local function attack(port)
    local id = socket.open("10.0.0.2", port)
    if not id then
      return
    end
    send(id, nearly(port))
    if random(3) == 1 then
      skynet.sleep(random(1, 5))
    end
    socket.close(id)
  end

  -- What a good client gets.
  local function ask(port, request, finds)
    local id = assert(socket.open("10.0.0.2", port))
    socket.write(id, request)
    local seen = ""
    while not string.find(seen, finds, 1, true) do
      local bytes = socket.read(id)
      if not bytes then
        break
      end
      seen = seen .. bytes
    end
    socket.close(id)
    return string.find(seen, finds, 1, true) ~= nil
  end

  local function listen(port, greet)
    socket.start(socket.listen("10.0.0.3", port), function(id)
      socket.start(id)
      local request = socket.readline(id, "\r\n\r\n")
      if request then
        send(id, greet(request) .. nearly(port))
      end
      socket.close(id)
    end)
  end

  -- The answer to a handshake, mostly a right one.
  local function upgrade(request)
    local crypt = require "skynet.crypt"
    local key = string.match(request, "[Kk]ey: *(%S+)") or ""
    local answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" ..
      "Sec-WebSocket-Accept: " .. crypt.base64encode(crypt.sha1(key .. "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) ..
      "\r\n\r\n"
    return random(4) == 1 and mutate(answer, { answer }) or answer
  end

  local command = { attack = attack, ask = ask }

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    listen(HTTP_ANSWERS, function() return "" end)
    listen(WEBSOCKET_ANSWERS, upgrade)
    skynet.register ".stranger"
  end)
end

sim.scenario "bytes that are nearly right harm nobody" {
  kind = "guarantee",
  nodes = {
    server = { start = "server", ip = "10.0.0.2" },
    stranger = { start = "stranger", ip = "10.0.0.3" },
  },
  network = { delay = sim.uniform("50us", "1ms"), split = "10%" },
  services = { server = server, stranger = stranger },

  story = function(world)
    for _ = 1, ROUNDS do
      local done = 0
      for _, port in ipairs { HTTP, WEBSOCKET, CONSOLE } do
        world:spawn(function()
          world:call("stranger", ".stranger", "attack", port)
          done = done + 1
        end)
      end
      for _, verb in ipairs { "ask", "talk" } do
        world:spawn(function()
          world:call("server", ".server", verb)
          done = done + 1
        end)
      end
      sim.guarantee("nobody waits for ever", world:wait_until(function() return done == 5 end, PATIENCE))
    end

    local function serves(port, request, finds)
      local is_served = nil
      world:spawn(function() is_served = world:call("stranger", ".stranger", "ask", port, request, finds) end)
      world:wait_until(function() return is_served ~= nil end, PATIENCE)
      return is_served == true
    end
    sim.guarantee("HTTP is served", serves(HTTP, "GET / HTTP/1.1\r\n\r\n", "hello"))
    sim.guarantee("the console is served", serves(CONSOLE, "list\n", "<CMD OK>"))
    sim.guarantee("websockets are served", serves(WEBSOCKET, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n" ..
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
  end,
}
