-- Peers of http.websocket that break the rules: each gets a close frame or a refusal, and both sides end.
local skynet = require "skynet"
local socket = require "skynet.socket"
local crypt = require "skynet.crypt"
local sockethelper = require "http.sockethelper"
local websocket = require "http.websocket"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()
local peers = assert(loadfile(SERVICE_PATH .. "http_peers.lua"))()

local KEY = "dGhlIHNhbXBsZSBub25jZQ=="
local GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

-- A frame from its first byte and payload, masked with a key of zeros.
local function masked(first, data)
  local bytes = #data
  if bytes < 126 then
    return string.pack("BBI4", first, 0x80 | bytes, 0) .. data
  elseif bytes < 65536 then
    return string.pack(">BBI2I4", first, 0x80 | 126, bytes, 0) .. data
  end
  return string.pack(">BBI8I4", first, 0x80 | 127, bytes, 0) .. data
end

-- The head of a request with these fields in place of good ones; false leaves one out.
local function request(changed, first_line)
  local fields = {
    Host = "h",
    Upgrade = "websocket",
    Connection = "Upgrade",
    ["Sec-WebSocket-Version"] = "13",
    ["Sec-WebSocket-Key"] = KEY,
  }
  for name, value in pairs(changed) do
    fields[name] = value or nil
  end
  local lines = { first_line or "GET / HTTP/1.1" }
  for name, value in pairs(fields) do
    lines[#lines + 1] = name .. ": " .. value
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- The server: notes what accept returned and what the handler was called with.
local accepted, calls = {}, {}
local port = nil

local function note(name)
  return function(_, ...)
    calls[#calls + 1] = table.concat({ name, ... }, " ")
  end
end

local HANDLER = { message = note "message", close = note "close", error = note "error" }

-- Sends bytes to the server, closes if it does not, and returns its answer, what accept returned, and the last call.
local function attack(bytes, closes_first)
  accepted, calls = {}, {}
  port = port or peers.listen(function(id, address)
    accepted[1] = table.pack(websocket.accept(id, HANDLER, "ws", address))
    return "keep"
  end)
  local id = assert(socket.open("127.0.0.1", port))
  socket.write(id, bytes)
  local answer = not closes_first and socket.readall(id) or ""
  socket.close(id)
  peers.await(function() return accepted[1] end)
  return answer, accepted[1], calls[#calls]
end

local requests = {
  { "nonsense\r\n\r\n", 400 },
  { request({}, "POST / HTTP/1.1"), 405 },
  { request({}, "GET / HTTP/3.0"), 505 },
  { request { Upgrade = false }, 426 },
  { request { Upgrade = "h2c" }, 426 },
  { request { Connection = "close" }, 426 },
  { request { ["Sec-WebSocket-Version"] = false }, 426 },
  { request { ["Sec-WebSocket-Version"] = "8" }, 426 },
  { request { ["Sec-WebSocket-Key"] = false }, 400 },
  { request { ["Sec-WebSocket-Key"] = "short" }, 400 },
  { request { ["Sec-WebSocket-Key"] = "====" }, 400 },
  { request { ["Sec-WebSocket-Key"] = KEY .. "\r\nSec-WebSocket-Key: " .. KEY }, 400 },
  { request { ["Sec-WebSocket-Protocol"] = "soap" }, 400 },
  { request { Big = string.rep("x", 9000) }, 413 },
}

local function refused_requests()
  for _, case in ipairs(requests) do
    local answer, result, last = attack(case[1])
    -- What is too big is not read to its end, and closing then may take the answer along.
    local is_cut = case[2] == 413 and answer == ""
    claims.equal(is_cut or string.match(answer, "^HTTP/1.1 (%d+)"), is_cut or tostring(case[2]), case[1])
    claims.equal({ result[1], type(result[2]) }, { false, "string" })
    claims.equal(string.match(last, "^error ") ~= nil, true)
  end
end

-- Frames of a client, the code of the server's close frame, and its reason.
local frames = {
  { masked(0xc1, "x"), 1002, "a reserved bit is set" },
  { masked(0xa1, "x"), 1002, "a reserved bit is set" },
  { masked(0x91, "x"), 1002, "a reserved bit is set" },
  { masked(0x83, "x"), 1002, "opcode 3 is not known" },
  { masked(0x87, "x"), 1002, "opcode 7 is not known" },
  { masked(0x8b, "x"), 1002, "opcode 11 is not known" },
  { masked(0x8f, "x"), 1002, "opcode 15 is not known" },
  { masked(0x80, "x"), 1002, "a continuation of nothing" },
  { masked(0x01, "x") .. masked(0x81, "y"), 1002, "a message within another" },
  { masked(0x09, "x"), 1002, "a ping frame in fragments" },
  { masked(0x0a, "x"), 1002, "a pong frame in fragments" },
  { masked(0x08, ""), 1002, "a close frame in fragments" },
  { masked(0x89, string.rep("x", 126)), 1002, "a ping frame of more than 125 bytes" },
  { masked(0x88, string.rep("x", 126)), 1002, "a close frame of more than 125 bytes" },
  { masked(0x88, "x"), 1002, "a close frame without a valid code" },
  { masked(0x88, "\0\0"), 1002, "a close frame without a valid code" },
  { masked(0x88, "\x03\xed"), 1002, "a close frame without a valid code" },  -- 1005
  { masked(0x88, "\x13\x88"), 1002, "a close frame without a valid code" },  -- 5000
  { "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", 1002, "a length of 64 bits" },
  { "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 1009, "a frame of 9223372036854775807 bytes" },
  { "\x82\xff\0\0\0\0\0\4\0\1", 1009, "a frame of 262145 bytes" },
}

local function refused_frames()
  for _, case in ipairs(frames) do
    local answer, result, last = attack(request {} .. case[1])
    local frame = string.match(answer, "\r\n\r\n(.*)$")
    local code, reason = string.unpack(">I2", frame, 3), string.sub(frame, 5)
    claims.equal({ string.byte(frame), string.byte(frame, 2), code }, { 0x88, #frame - 2, case[2] }, case[3])
    claims.equal(string.sub(reason, 1, #case[3] + 11), "websocket: " .. case[3])
    claims.equal(result, { n = 2, false, reason .. string.sub(result[2], #reason + 1) })
    claims.equal(last, "error " .. result[2])
  end
end

local function too_long_in_fragments()
  local part = string.rep("x", 65536)
  local good = masked(0x01, part) .. masked(0x00, part) .. masked(0x00, part)
  local _, result = attack(request {} .. good .. masked(0x80, part) .. masked(0x88, ""))
  claims.equal(result, { n = 2, true, nil })
  claims.equal(#calls[1], #"message  text" + 262144)
  _, result = attack(request {} .. good .. masked(0x00, part) .. masked(0x00, "x"))
  claims.equal(result, { n = 2, false, "websocket: a message of more than 262144 bytes" })
  claims.equal(#calls, 1)
end

local function empty_fragments()
  local _, result, last = attack(request {} .. masked(0x01, "") .. string.rep(masked(0x00, ""), 5000) ..
    masked(0x80, "end") .. masked(0x88, "\x03\xe8bye"))
  claims.equal({ result[1], calls[1], last }, { true, "message end text", "close 1000 bye" })
end

local function cut_anywhere()
  local bytes = request {} .. masked(0x01, "abc") .. masked(0x89, "p") .. masked(0x80, string.rep("x", 200))
  for size = 0, #bytes - 1 do
    local _, result, last = attack(string.sub(bytes, 1, size), true)
    claims.equal(result[1], true, size)
    claims.equal(last, "error " .. tostring(sockethelper.socket_error), size)
  end
end

---------------------------------------------------------------------------------------------------------------------

-- A server that answers one handshake with `answer` (a text, or made of the hashed key) and then sends `bytes`. Returns
-- its url and a function that waits for what the client has sent.
local function bad_server(answer, bytes)
  local got, token = nil, {}
  local bad_port, listener
  bad_port, listener = peers.listen(function(id)
    socket.close(listener)
    socket.start(id)
    local key = string.match(socket.readline(id, "\r\n\r\n"), "sec%-websocket%-key: ([^\r]+)")
    local hash = crypt.base64encode(crypt.sha1(key .. GUID))
    socket.write(id, (type(answer) == "function" and answer(hash) or answer) .. bytes)
    got = socket.readall(id) or ""
    skynet.wakeup(token)
  end)
  return "ws://127.0.0.1:" .. bad_port, function()
    if not got then
      skynet.wait(token)
    end
    return got
  end
end

local function good_answer(hash)
  return "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " .. hash .. "\r\n\r\n"
end

local answers = {
  { "HTTP/1.1 200 OK\r\n\r\n", "websocket: the server answered 200" },
  { "HTTP/1.1 403 No\r\n\r\n", "websocket: the server answered 403" },
  { "nonsense\r\n\r\n", "websocket: not a status line" },
  { "HTTP/1.1 101 x\r\n" .. string.rep("x: y\r\n", 2000), "websocket: a line or header of more than" },
  { "HTTP/1.1 101 x\r\n\r\n", "websocket: the server does not upgrade" },
  { "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close\r\n\r\n", "websocket: the server does not upgrade" },
  { "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "websocket: the server did not hash our key" },
  { good_answer "AAAA", "websocket: the server did not hash our key" },
}

local function refused_answers()
  for _, case in ipairs(answers) do
    local url = bad_server(case[1], "")
    local ok, reason = pcall(websocket.connect, url, nil, 1000)
    claims.equal({ ok, string.sub(reason, 1, #case[2]) }, { false, case[2] })
  end
  peers.await_sockets(0)
end

-- Frames of a server, and what read raises.
local server_frames = {
  { "\xc1\x01x", "websocket: a reserved bit is set" },
  { "\x83\x01x", "websocket: opcode 3 is not known" },
  { "\x80\x01x", "websocket: a continuation of nothing" },
  { "\x09\x01x", "websocket: a ping frame in fragments" },
  { "\x88\x01x", "websocket: a close frame without a valid code" },
  { "\x82\x7f\x00\x00\x00\x00\x04\x00\x00\x01", "websocket: a frame of 67108865 bytes, allowed are 67108864" },
}

local function refused_server_frames()
  for _, case in ipairs(server_frames) do
    local url, received = bad_server(good_answer, case[1])
    local id = websocket.connect(url)
    local ok, reason = pcall(websocket.read, id)
    claims.equal({ ok, reason, websocket.is_close(id) }, { false, case[2], true })
    claims.equal({ string.byte(received(), 1) }, { 0x88 })
  end
  peers.await_sockets(0)
end

local function cut_server_frames()
  local bytes = "\x01\x03abc\x89\x01p\x80\x7e\x00\xc8" .. string.rep("x", 200)
  for size = 0, #bytes - 1, 3 do
    local bad_port = peers.listen(function(id)
      socket.start(id)
      local key = string.match(socket.readline(id, "\r\n\r\n"), "sec%-websocket%-key: ([^\r]+)")
      socket.write(id, good_answer(crypt.base64encode(crypt.sha1(key .. GUID))) .. string.sub(bytes, 1, size))
    end)
    local id = websocket.connect("ws://127.0.0.1:" .. bad_port)
    local ok, reason = pcall(websocket.read, id)
    claims.equal({ ok, reason, websocket.is_close(id) }, { false, sockethelper.socket_error, true })
  end
  peers.await_sockets(0)
end

claims.run("malformed websockets", {
  { "a request that is none for a websocket is refused with its code", refused_requests },
  { "a frame that breaks the rules is answered with a close frame that says how", refused_frames },
  { "a message in fragments is as limited as a frame", too_long_in_fragments },
  { "empty fragments and no end to them cost nothing", empty_fragments },
  { "a client that goes in the midst of anything is a lost connection", cut_anywhere },
  { "connect raises for an answer that is none", refused_answers },
  { "read raises for a frame that breaks the rules, and closes", refused_server_frames },
  { "a server that goes in the midst of anything is a lost connection", cut_server_frames },
})
