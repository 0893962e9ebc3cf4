-- The caller side of the cluster protocol, byte for byte: this service plays the remote node by hand.
local skynet = require "skynet"
local socket = require "skynet.socket"
local cluster = require "skynet.cluster"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

-- The connections that the clustersender made, the last one at the end.
local accepted = {}

local function bytes(hex)
  return (string.gsub(string.gsub(hex, "%s", ""), "..", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function hex(text)
  return (string.gsub(text, ".", function(char) return string.format("%02x", string.byte(char)) end))
end

local function start()
  local listener, _, port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id)
    socket.start(id)
    accepted[#accepted + 1] = id
  end)
  cluster.reload { peer = "127.0.0.1:" .. port }
end

local function peer()
  while not accepted[1] do
    skynet.sleep(1)
  end
  return accepted[#accepted]
end

local function read_frame(id)
  local size = socket.header(socket.read(id, 2))
  return socket.read(id, size)
end

local function expect(expected)
  claims.equal(hex(read_frame(peer())), hex(bytes(expected)))
end

local function answer(frame)
  socket.write(peer(), bytes(frame))
end

-- Starts a call; the result is a function that waits for its outcome: the reply, or "failed".
local function begin(...)
  local done, outcome = {}, nil
  local arguments = table.pack(...)
  skynet.fork(function()
    local ok, reply = pcall(cluster.call, "peer", table.unpack(arguments, 1, arguments.n))
    outcome = ok and { reply } or { "failed" }
    skynet.wakeup(done)
  end)
  return function()
    if not outcome then
      skynet.wait(done)
    end
    return outcome[1]
  end
end

local function small()
  local numeric = begin(10, "ECHO", "hello", 42, true)
  expect "00 0a000000 01000000 24 4543484f 2c 68656c6c6f 0a 2a 09"
  answer "000e 01000000 01 2c 68656c6c6f 0a 2a 09"
  claims.equal(numeric(), "hello")
  local named = begin("@echo", "ECHO", "hello")
  expect "80 05 406563686f 02000000 24 4543484f 2c 68656c6c6f"
  answer "0005 02000000 01"
  claims.equal(named(), nil)
  local query = begin(0, "echo")
  expect "00 00000000 03000000 24 6563686f"
  answer "0013 03000000 00 6e616d65206e6f7420666f756e64"
  claims.equal(query(), "failed")
end

local function pushes()
  cluster.send("peer", 10, "LEN", "abc")
  expect "00 0a000000 00000000 1c 4c454e 1c 616263"
  cluster.send("peer", "@echo", "LEN", "abc")
  expect "80 05 406563686f 00000000 1c 4c454e 1c 616263"
  cluster.send("peer", 10, "LEN", string.rep("z", 40000))
  expect "41 0a000000 04000000 479c0000"
  claims.equal(#read_frame(peer()), 32773)
  claims.equal(#read_frame(peer()), 0x1c4c)
end

local function large_request()
  local big = begin("@echo", string.rep("z", 32765))  -- packed: 3 bytes more
  expect "81 05 406563686f 05000000 00800000"
  local part = read_frame(peer())
  claims.equal({ #part, string.byte(part) }, { 32773, 3 })
  answer "0007 05000000 01 0c 75"
  claims.equal(big(), "u")
end

local function out_of_order()
  local order = {}
  local calls = {}
  for index = 1, 3 do
    calls[index] = function()
      local reply = cluster.call("peer", 10, "X")
      order[#order + 1] = reply
    end
  end
  skynet.fork(function()
    for _ = 1, 3 do
      read_frame(peer())
    end
    -- 7 begins in parts, an unknown session, 8, the end of 7, 6: all in one write
    answer("0009 07000000 02 02000000 0006 07000000 03 0c 0007 63000000 01 0c 7a 0007 08000000 01 0c 63"
      .. "0006 07000000 04 62 0007 06000000 01 0c 61")
  end)
  claims.all(calls)
  claims.equal(order, { "c", "b", "a" })
end

local function mismatch()
  local call = begin(10, "X")
  read_frame(peer())
  answer "0009 09000000 02 09000000 0006 09000000 04 0c"
  claims.equal(call(), "failed")
  claims.equal(#accepted, 1)
end

local function malformed()
  local first, second = begin(10, "X"), begin(10, "Y")
  read_frame(peer())
  read_frame(peer())
  answer "0003 616263"
  claims.equal({ first(), second() }, { "failed", "failed" })
  local third = begin(10, "ECHO")
  while #accepted == 1 do
    skynet.sleep(1)
  end
  expect "00 0a000000 0c000000 24 4543484f"
  answer "0007 0c000000 01 0c 75"
  claims.equal(third(), "u")
end

local function closed_in_flight()
  local first, second = begin(10, "X"), begin(10, "Y")
  read_frame(peer())
  socket.close(peer())
  claims.equal({ first(), second() }, { "failed", "failed" })
  local third = begin(10, "Z")
  while #accepted == 2 do
    skynet.sleep(1)
  end
  expect "00 0a000000 0f000000 0c 5a"
  answer "0007 0f000000 01 0c 75"
  claims.equal(third(), "u")
end

local function traced()
  skynet.trace "claims"
  local call = begin(10, "X")  -- a task of its own: not traced
  expect "00 0a000000 10000000 0c 58"
  answer "0005 10000000 01"
  call()
  skynet.fork(function()
    local tag = read_frame(peer())
    claims.equal(string.match(tag, "^\4%(.+%-peer%-18%):%x+%-%d+$") ~= nil, true, tag)
    expect "00 0a000000 11000000 0c 59"
    answer "0005 11000000 01"
  end)
  cluster.call("peer", 10, "Y")
end

claims.run("cluster caller", {
  { "the remote node is played by hand", start },
  { "small requests and their replies", small },
  { "pushes carry no session unless they are large", pushes },
  { "a request of 32768 bytes goes as header and last part", large_request },
  { "replies in any order and in parts wake their callers as their last frames come", out_of_order },
  { "a large reply of the wrong size is an error, the connection lives", mismatch },
  { "a malformed reply drops the connection and fails what is under way; the next call reconnects", malformed },
  { "calls under way fail when the peer closes; the next call reconnects", closed_in_flight },
  { "the trace tag stands directly before its request", traced },
})
