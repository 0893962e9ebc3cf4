-- Defects of skynet (network.md, appendix B) that services here do not meet. Each has a claim:
--
--   B1    a send on an id right after connect()   here; and tests/contract/socket_contract.cc, "... has begun ... (B1)"
--   B2    readall of more than 128 KiB            here; and socket_streams.lua
--   B5    a trace tag on the wrong request        here, callee and caller
--   B6    a large reply of the wrong size         here; and cluster_caller.lua
--   B9    malformed cluster requests              here; that they leak nothing: tests/robustness/robustness_test.py
--   B11   a reply to a push                       here
--   B12   id 0 after the counter wraps            tests/contract/socket_contract.cc, "ids count from 1, wrap to 1 ..."
--
-- Runs simulated and over real sockets.
local skynet = require "skynet"
local socket = require "skynet.socket"
local driver = require "skynet.socketdriver"
local cluster = require "skynet.cluster"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local echo, port
-- Connections that our clustersender made to the peer that is played by hand; the last one at the end.
local accepted = {}

local function start()
  echo = skynet.newservice "cluster_echo"
  port = select(2, cluster.open(0))
  local listener, _, peer_port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id)
    socket.start(id)
    accepted[#accepted + 1] = id
  end)
  cluster.reload { peer = "127.0.0.1:" .. peer_port, own = "127.0.0.1:" .. port }
end

local function wait_until(condition)
  while not condition() do
    skynet.sleep(1)
  end
end

local function read_frame(id)
  return socket.read(id, socket.header(socket.read(id, 2)))
end

-- Frames of a caller, and of its peer.
local function frame(bytes)
  return string.pack(">s2", bytes)
end
local function request(session, ...)
  return frame(string.pack("<BI4I4", 0, echo, session) .. skynet.packstring(...))
end
local function query(session, name)
  return frame(string.pack("<BI4I4", 0, 0, session) .. skynet.packstring(name))
end
local function to_name(name, session, ...)
  return frame(string.pack("<Bs1I4", 0x80, name, session) .. skynet.packstring(...))
end
local function trace(tag)
  return frame("\4" .. tag)
end
local function ok_reply(session, ...)
  return frame(string.pack("<I4B", session, 1) .. skynet.packstring(...))
end

-- Sends the frames to our agent and reads the reply to the last of them, which has session 99. Returns what it says.
local function ask_agent(...)
  local id = socket.open("127.0.0.1", port)
  socket.write(id, table.concat({ ... }))
  local session, kind, reply
  repeat
    local bytes = read_frame(id)
    session, kind = string.unpack("<I4B", bytes)
    reply = string.sub(bytes, 6)
  until session == 99
  socket.close(id)
  claims.equal(kind, 1, reply)
  return skynet.unpack(reply)
end

local function begin(...)
  local outcome, token = nil, {}
  local arguments = table.pack(...)
  skynet.fork(function()
    outcome = table.pack(pcall(cluster.call, table.unpack(arguments, 1, arguments.n)))
    skynet.wakeup(token)
  end)
  return function()
    if not outcome then
      skynet.wait(token)
    end
    return outcome[1], outcome[2]
  end
end

local function send_after_connect()
  local got = {}
  local listener, _, listener_port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id)
    socket.start(id)
    local bytes = socket.readall(id)
    got[#got + 1] = bytes
    socket.close(id)
  end)
  for _ = 1, 50 do
    local id = driver.connect("127.0.0.1", listener_port)
    for part = 1, 20 do
      claims.equal(driver.send(id, part .. " "), true)
    end
    driver.close(id)
  end
  wait_until(function() return #got == 50 end)
  socket.close(listener)
  for index = 1, 50 do
    claims.equal(got[index], "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 ")
  end
end

local function large_readall()
  local bytes, read = string.rep("0123456789abcdef", 64 * 1024), nil  -- 1 MiB
  local listener, _, listener_port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id)
    socket.start(id)
    skynet.sleep(5)  -- much is pending when it begins
    read = socket.readall(id)
    socket.close(id)
  end)
  local id = socket.open("127.0.0.1", listener_port)
  socket.write(id, bytes)
  socket.close(id)
  wait_until(function() return read end)
  socket.close(listener)
  claims.equal(#read, #bytes)
  claims.equal(read == bytes, true, "the bytes")
end

local function tag_is_taken()
  claims.equal(ask_agent(trace "(a-b-1):1-1", request(99, "TAG")), "(a-b-1):1-1")
end

local function tag_and_query()
  claims.equal(ask_agent(trace "stale", query(1, "nobody"), request(99, "TAG")), nil)
end

local function tag_and_invalid_name()
  claims.equal(ask_agent(trace "stale", to_name("@nobody", 1, "X"), request(99, "TAG")), nil)
end

-- The peer does not read at first, so that large requests wait in the low queue and a small one overtakes them.
local function tag_of_waiting_request()
  local first = begin("peer", 10, string.rep("z", 16 << 20))
  wait_until(function() return accepted[1] end)
  local large
  skynet.fork(function()
    skynet.trace "claims"
    large = begin("peer", 10, string.rep("t", 40000))
    cluster.call("peer", 10, string.rep("t", 40000))
  end)
  skynet.sleep(5)
  local small = begin("peer", 10, "small")

  local id = accepted[#accepted]
  local tags, begun = 0, 0
  local is_behind_tag = false
  while begun < 4 do
    local bytes = read_frame(id)
    local kind = string.byte(bytes)
    if kind == 4 then
      tags, is_behind_tag = tags + 1, true
    elseif kind == 2 or kind == 3 then
      claims.equal(is_behind_tag, false, "a part between a tag and its request")
    else
      local session, size = string.unpack("<I4I4", bytes, 6)
      begun = begun + 1
      if is_behind_tag then
        claims.equal(kind, 1, "the tag is of a large request")
        claims.equal(size < 41000, true, "the traced one")
        is_behind_tag = false
      end
      socket.write(id, ok_reply(session, kind == 1 and "large" or "small"))
    end
  end
  claims.equal(tags, 1)
  claims.equal({ select(2, first()), select(2, small()), select(2, large()) }, { "large", "small", "large" })
end

local function wrong_size()
  local call = begin("peer", 10, "X")
  local id = accepted[#accepted]
  local bytes
  repeat bytes = read_frame(id) until string.byte(bytes) == 0  -- what is left of the large ones
  local session = string.unpack("<I4", bytes, 6)
  socket.write(id, frame(string.pack("<I4BI4", session, 2, 9)) .. frame(string.pack("<I4B", session, 4) .. "\x0c"))
  claims.equal(call(), false)
  call = begin("peer", 10, "Y")
  session = string.unpack("<I4", read_frame(id), 6)
  socket.write(id, ok_reply(session, "alive"))
  claims.equal(select(2, call()), "alive")
  claims.equal(#accepted, 1, "connections")
end

local function malformed()
  local bad = { "", "\5abc", "\0abc", "\0\1\0\0\0\1\0\0", "\1", "\1\1\0\0\0\1\0\0\0", "\x80", "\x80\5@a", "\x81\2@a\1", "\2", "\3ab" }
  local frames = {}
  for index, bytes in ipairs(bad) do
    frames[index] = frame(bytes)
  end
  frames[#frames + 1] = request(99, "ECHO", "alive")
  claims.equal(ask_agent(table.unpack(frames)), "alive")
end

-- The agent answers it, with session 0; the sender logs and ignores that.
local function answered_push()
  cluster.send("own", "@nobody", "X")
  claims.equal(cluster.call("own", echo, "ECHO", 1), 1)
  cluster.send("own", "@nobody", string.rep("z", 40000))
  claims.equal(cluster.call("own", echo, "ECHO", 2), 2)
end

claims.run("upstream defects", {
  { "services, and a remote node that is played by hand", start },
  { "B1: what is sent right after connect arrives", send_after_connect },
  { "B2: readall takes 1 MiB that is pending", large_readall },
  { "B5: a traced request carries its tag", tag_is_taken },
  { "B5: a name query clears the tag before it", tag_and_query },
  { "B5: a request to an invalid name clears the tag before it", tag_and_invalid_name },
  { "B5: the tag of a large request that waits stays with it", tag_of_waiting_request },
  { "B6: a large reply of the wrong size is an error, and the connection lives", wrong_size },
  { "B9: malformed requests are answered by nothing, and the connection lives", malformed },
  { "B11: the reply to a push to an unknown name harms nobody", answered_push },
})
