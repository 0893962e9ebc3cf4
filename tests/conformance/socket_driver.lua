-- skynet.socketdriver and skynet.netpack used directly (network.md 1.3, 1.8, 3.1): this service takes the socket events
-- itself, as a program with a protocol of its own does.
local skynet = require "skynet"
local driver = require "skynet.socketdriver"
local netpack = require "skynet.netpack"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local DATA, CONNECT, CLOSE, ACCEPT, ERROR, UDP = 1, 2, 3, 4, 5, 6

-- Events in order: { type, id, ud, text or bytes [, packed address] }; blocks have been made strings.
local events = {}
-- Socket -> true: its events go through netpack.
local framed = {}
-- What netpack.filter told of those.
local frames, queue = {}, nil

local function take_frames(msg, sz)
  local result = table.pack(netpack.filter(queue, msg, sz))
  queue = result[1]
  if result[2] == "data" then
    frames[#frames + 1] = { result[3], netpack.tostring(result[4], result[5]) }
  elseif result[2] == "more" then
    for fd, ptr, size in netpack.pop, queue do
      frames[#frames + 1] = { fd, netpack.tostring(ptr, size) }
    end
  end
end

local is_framing = false

skynet.register_protocol {
  name = "socket",
  id = skynet.PTYPE_SOCKET,
  unpack = function(msg, sz) return msg, sz end,
  dispatch = function(_, _, msg, sz)
    if is_framing then
      return take_frames(msg, sz)
    end
    local kind, id, ud, data, address = driver.unpack(msg, sz)
    if type(data) == "userdata" then
      local text = skynet.tostring(data, ud)
      driver.drop(data, ud)
      data = text
    end
    events[#events + 1] = { kind, id, ud, data, address }
  end,
}

-- Waits for the next event of this type and socket, takes it out and returns it.
local function await(kind, id)
  for _ = 1, 3000 do
    for index, event in ipairs(events) do
      if event[1] == kind and event[2] == id then
        return table.remove(events, index)
      end
    end
    skynet.sleep(1)
  end
  error(string.format("no event %d of socket %d", kind, id))
end

-- Bytes of a stream until there are as many as expected.
local function await_bytes(id, count)
  local bytes = ""
  while #bytes < count do
    bytes = bytes .. await(DATA, id)[4]
  end
  return bytes
end

local function is_shown(id)
  for _, entry in ipairs(driver.info()) do
    if entry.id == id then
      return true
    end
  end
  return false
end

-- Both ends of a new connection, started.
local function pair()
  local listener = driver.listen("127.0.0.1", 0)
  local port = await(CONNECT, listener)[3]
  driver.start(listener)
  claims.equal(await(CONNECT, listener)[4], "start")
  local client = driver.connect("127.0.0.1:" .. port)
  claims.equal(await(CONNECT, client)[4], "127.0.0.1")
  local accept = await(ACCEPT, listener)
  claims.equal(string.match(accept[4], "^127%.0%.0%.1:%d+$"), accept[4])
  driver.start(accept[3])
  claims.equal(await(CONNECT, accept[3])[4], "start")
  driver.close(listener)
  await(CLOSE, listener)
  return client, accept[3]
end

local function streams()
  local a, b = pair()
  driver.nodelay(a)
  claims.equal(driver.send(a, "one"), true)
  claims.equal(driver.lsend(a, { " ", "two", "" }), true)
  claims.equal(driver.send(a, driver.str2p " three"), true)
  claims.equal(await_bytes(b, 13), "one two three")
  claims.equal(driver.lsend(b, "back"), true)
  claims.equal(await_bytes(a, 4), "back")
  driver.close(a)
  await(CLOSE, a)
  await(CLOSE, b)
  driver.close(b)
  claims.equal(driver.send(a, "too late"), false)
  claims.equal(driver.lsend(a, "too late"), false)
end

local function pauses()
  local a, b = pair()
  driver.pause(b)
  skynet.sleep(2)
  driver.send(a, "kept")
  skynet.sleep(5)
  claims.equal(#events, 0)
  driver.start(b)
  claims.equal(await_bytes(b, 4), "kept")
  driver.shutdown(a)
  await(CLOSE, a)
  await(CLOSE, b)
  driver.close(b)
  events = {}
end

local function failures()
  claims.raises("Invalid address nowhere.", driver.connect, "nowhere")
  claims.raises("Invalid port in address nowhere:65536.", driver.connect, "nowhere:65536")
  claims.raises("Invalid port", driver.connect, "127.0.0.1", 0)
  claims.raises("Listen error", driver.listen, "203.0.113.9", 1)
  local ok, reason = pcall(driver.bind, -1)
  claims.equal({ ok, reason == "Bad file descriptor" or reason == "bind is not available here" }, { false, true }, reason)
  driver.start(0x7ffffff)
  claims.equal(await(ERROR, 0x7ffffff)[4], "invalid socket")
  local listener = driver.listen("127.0.0.1", 0)
  local port = await(CONNECT, listener)[3]
  driver.close(listener)
  await(CLOSE, listener)
  local id = driver.connect("127.0.0.1", port)
  await(ERROR, id)
  claims.equal(is_shown(id), false)
end

local function facts()
  local a, b = pair()
  claims.equal({ is_shown(a), is_shown(b) }, { true, true })
  for _, entry in ipairs(driver.info()) do
    if entry.id == a then
      claims.equal({ entry.type, entry.address }, { "TCP", skynet.self() })
      claims.equal(string.match(entry.peer, "^127%.0%.0%.1:%d+$"), entry.peer)
    end
  end
  driver.close(a)
  await(CLOSE, b)
  driver.close(b)
  claims.equal(driver.resolve("127.0.0.1")[1], "127.0.0.1")
  events = {}
end

-- A port that nobody has just now: UDP sockets cannot ask for one.
local function free_port()
  local listener = driver.listen("127.0.0.1", 0)
  local port = await(CONNECT, listener)[3]
  driver.close(listener)
  await(CLOSE, listener)
  return port
end

local function datagrams()
  local server_port = free_port()
  local server = driver.udp_listen("127.0.0.1", server_port)
  local client = driver.udp_dial("127.0.0.1", server_port)
  claims.equal(driver.send(client, "to the default"), true)
  local first = await(UDP, server)
  claims.equal({ first[3], first[4] }, { 14, "to the default" })
  local ip, port = driver.udp_address(first[5])
  claims.equal(ip, "127.0.0.1")
  claims.equal(first[5], string.pack(">BI2", 1, port) .. "\127\0\0\1")
  claims.equal(driver.udp_send(server, first[5], "an answer"), true)
  claims.equal(await(UDP, client)[4], "an answer")
  local other = driver.udp("127.0.0.1", 0)
  driver.udp_connect(other, "127.0.0.1", server_port)
  claims.equal(driver.send(other, "connected"), true)
  claims.equal(await(UDP, server)[4], "connected")
  claims.raises("Invalid port", driver.udp_listen, "127.0.0.1", 0)
  claims.raises("not a packed udp address", driver.udp_address, "short")
  for _, id in ipairs { server, client, other } do
    driver.close(id)
    await(CLOSE, id)
  end
end

local function buffers()
  local buffer, pool = driver.buffer(), {}
  claims.equal(driver.push(buffer, pool, driver.str2p "line one\r\nli"), 12)
  claims.equal(driver.push(buffer, pool, driver.str2p "ne two\r\nrest of it"), 30)
  claims.equal(driver.readline(buffer, nil, "\r\n"), true)
  claims.equal(driver.readline(buffer, pool, "\r\n"), "line one")
  claims.equal(driver.readline(buffer, pool, "\r\n"), "line two")
  claims.equal(select("#", driver.readline(buffer, pool, "\r\n")), 0)
  claims.equal(table.pack(driver.pop(buffer, pool, 4)), { n = 2, "rest", 6 })
  claims.equal(table.pack(driver.pop(buffer, pool, 7)), { n = 2, nil, 6 })
  claims.equal(table.pack(driver.pop(buffer, pool, 0)), { n = 2, nil, 6 })
  claims.equal(driver.readall(buffer, pool), " of it")
  claims.equal(driver.readall(buffer, pool), "")
  driver.push(buffer, pool, driver.str2p "cleared")
  driver.clear(buffer, pool)
  claims.equal(driver.readall(buffer, pool), "")
  claims.equal({ driver.header "\1", driver.header "\1\2", driver.header "\1\2\3\4" }, { 1, 258, 16909060 })
  claims.raises("Invalid header size 0: 1 to 4 bytes are allowed", driver.header, "")
  claims.raises("Invalid header size 5", driver.header, "12345")
end

local function packets()
  local a, b = pair()
  is_framing, frames, queue = true, {}, nil
  driver.send(a, netpack.pack "whole")
  driver.send(a, string.pack(">s2s2", "two", "") .. "\0")
  driver.send(a, "\4in ")
  driver.send(a, "")
  driver.send(a, "2")
  claims.within(300, function()
    while #frames < 4 do
      skynet.sleep(1)
    end
  end)
  claims.equal(frames, { { b, "whole" }, { b, "two" }, { b, "" }, { b, "in 2" } })
  claims.equal(select("#", netpack.pop(queue)), 0)
  driver.send(a, "\0\9never whole")
  driver.send(a, "\0\9never")
  skynet.sleep(5)
  netpack.clear(queue)
  driver.close(a)
  skynet.sleep(5)
  driver.close(b)
  skynet.sleep(5)
  is_framing, events = false, {}
  claims.raises("Invalid size of frame : 65536 bytes", netpack.pack, string.rep("x", 65536))
end

claims.run("socket driver", {
  { "a stream carries strings, tables and blocks; a socket that is closed takes nothing", streams },
  { "a paused socket keeps its bytes for start; shutdown ends both sides", pauses },
  { "bad addresses raise, failed connects and unknown sockets are events", failures },
  { "info shows the sockets, resolve an address", facts },
  { "datagrams carry the packed address of their sender", datagrams },
  { "a buffer gives lines, counted bytes and all", buffers },
  { "netpack cuts frames out of what comes", packets },
})
