-- The callee side of the cluster protocol, byte for byte: what skynet answers to hand-made frames. The frames are those
-- of tests/golden/probe_*, where the echo service has handle 10, as it has here.
local skynet = require "skynet"
local socket = require "skynet.socket"
local cluster = require "skynet.cluster"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local port

local function bytes(hex)
  return (string.gsub(string.gsub(hex, "%s", ""), "..", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function hex(text)
  return (string.gsub(text, ".", function(char) return string.format("%02x", string.byte(char)) end))
end

-- Everything that comes back within half a second.
local function probe(frames)
  local id = socket.open("127.0.0.1", port)
  socket.write(id, frames)
  skynet.sleep(50)
  local reply = ""
  skynet.fork(function()
    skynet.sleep(1)
    socket.shutdown(id)
  end)
  local data = socket.read(id)
  while data do
    reply = reply .. data
    data = socket.read(id)
  end
  socket.close(id)
  return reply
end

local function answers(frames, expected)
  return function()
    claims.equal(hex(probe(bytes(frames))), hex(bytes(expected)))
  end
end

-- A large request in frames: header and parts of 32768 bytes.
local function large(kind, session, payload, announced)
  local frames = { string.pack(">s2", string.pack("<BI4I4I4", kind, 10, session, announced or #payload)) }
  local at = 1
  while #payload - at + 1 > 32768 do
    frames[#frames + 1] = string.pack(">s2", string.pack("<BI4", 2, session) .. string.sub(payload, at, at + 32767))
    at = at + 32768
  end
  frames[#frames + 1] = string.pack(">s2", string.pack("<BI4", 3, session) .. string.sub(payload, at))
  return frames
end

local function payload_of(size)
  return skynet.packstring("LEN", string.rep("z", size))
end

local function start()
  local echo = skynet.newservice "cluster_echo"
  claims.equal(echo, 10)
  cluster.register("echo", echo)
  port = select(2, cluster.open(0))
end

local function interleaved()
  local a, b = large(1, 100, payload_of(70000)), large(1, 101, payload_of(80000))
  local frames = {}
  for index = 1, #a do
    frames[#frames + 1], frames[#frames + 2] = a[index], b[index]
  end
  claims.equal(hex(probe(table.concat(frames))), "000a64000000012270110100" .. "000a65000000012280380100")
end

local function large_reply()
  local reply = probe(bytes "0014000a000000580200001c5245500c5222a0860100 0013000a00000059020000244543484f2474696e79")
  local big = bytes "00095802000002a5860100"
  claims.equal(string.find(reply, big, 1, true) ~= nil, true, "begin")
  claims.equal(string.find(reply, bytes "000a59020000012474696e79", 1, true) ~= nil, true, "small reply")
  claims.equal(#reply, 11 + 3 * (32768 + 7) + 0x6aa + 2 + 12)
end

local function mismatch()
  local frames = large(1, 202, payload_of(40000), 40000 + 7 - 200)
  claims.equal(hex(probe(table.concat(frames))), "0016ca00000000496e76616c6964206c6172676520726571")
end

local function second_header()
  local frames = large(1, 410, payload_of(40000))
  local twice = frames[1] .. frames[2] .. table.concat(frames)
  claims.equal(hex(probe(twice)), "00169a01000000496e76616c6964206c6172676520726571")
end

-- The config of this node allows 300 000 bytes.
local function too_much_unfinished()
  local frames = {}
  for session = 501, 510 do
    local request = large(1, session, payload_of(40000))
    frames[#frames + 1] = request[1] .. request[2]
  end
  local id = socket.open("127.0.0.1", port)
  socket.write(id, table.concat(frames))
  claims.equal(socket.read(id), false, "the connection ends")
  socket.close(id)
  claims.equal(#probe(bytes "0014000a00000007000000244543484f2c616c697665"), 13, "others are served")
end

local function finished_is_free()
  local frames = {}
  for session = 601, 620 do
    frames[#frames + 1] = table.concat(large(1, session, payload_of(40000)))
  end
  claims.equal(#probe(table.concat(frames)), 20 * 10)
end

local function large_push()
  claims.equal(probe(table.concat(large(0x41, 206, payload_of(40000)))), "")
end

claims.run("cluster wire", {
  { "a node with the echo service at handle 10", start },
  { "pipelined requests are answered in order", answers(
    "0011000a0000002c010000244543484f147030 0011000a0000002d010000244543484f147031",
    "00082c01000001147030 00082d01000001147031") },
  { "malformed frames are ignored, the connection lives", answers(
    "000405616263 0008000a000000010000 0000 0014000a00000007000000244543484f2c616c697665",
    "000b07000000012c616c697665") },
  { "a name of digits is a handle", answers(
    "001180023130cc000000244543484f1c6e756d", "0009cc000000011c6e756d") },
  { "a name :hex is a handle", answers(
    "001880093a3030303030303061cd000000244543484f1c686578", "0009cd000000011c686578") },
  { "a last part without a header: Invalid name", answers(
    "000c03c8000000244543484f0c78", "0011c800000000496e76616c6964206e616d65") },
  { "parts without a header: Invalid large req", answers(
    "000802c9000000616263 000803c9000000646566", "0016c900000000496e76616c6964206c6172676520726571") },
  { "a push to an unknown name is answered with session 0", answers(
    "00108004407a7a7a000000001c4c454e0c78", "00110000000000496e76616c6964206e616d65") },
  { "a name query with session 0 is answered", answers(
    "000e000000000000000000246563686f", "000700000000010a0a") },
  { "a name query in the large form is answered", answers(
    "000d0100000000cb00000005000000 000a03cb000000246563686f", "0007cb000000010a0a") },
  { "a session of 32 bits comes back whole", answers(
    "0013000a000000ffffffff244543484f2473657373", "000affffffff012473657373") },
  { "large requests may interleave", interleaved },
  { "a large reply is cut into parts", large_reply },
  { "a wrong total: Invalid large req", mismatch },
  { "a second header: Invalid large req", second_header },
  { "a large push is not answered", large_push },
  { "a connection with too much unfinished is closed, others are served", too_much_unfinished },
  { "what is finished does not count", finished_is_free },
})
