-- When the writes of a batch (skynet.cluster.batch) leave: told by the counters of the connection.
local skynet = require "skynet"
local socket = require "skynet.socket"
local batches = require "skynet.cluster.batch"
local claims = assert(loadfile(SERVICE_PATH .. "claims.lua"))()

local WRITES_MAX = 64  -- of skynet.cluster.batch

local connection, received

-- Bytes that have left, or stand in the queue of the connection.
local function written()
  for _, info in ipairs(socket.netstat()) do
    if info.id == connection then
      return info.write + info.wbuffer
    end
  end
end

-- Reads at the other end until `count` bytes are there in all.
local function received_so_far(count)
  while #received.text < count do
    skynet.sleep(1)
  end
  return received.text
end

local function start()
  local listener, _, port = socket.listen("127.0.0.1", 0)
  socket.start(listener, function(id)
    socket.start(id)
    received = { text = "" }
    local data = socket.read(id)
    while data do
      received.text = received.text .. data
      data = socket.read(id)
    end
    received.has_ended = true
    socket.close(id)
  end)
  connection = socket.open("127.0.0.1", port)
  while not received do
    skynet.sleep(1)
  end
end

-- When this returns, a message of our own is in the mailbox: it was sent after the one that wakes us.
local function let_a_message_wait()
  repeat
    skynet.fork(skynet.send, skynet.self(), "lua")
    skynet.yield()
  until skynet.mqlen() > 0
end

-- Nothing is in the mailbox after it.
local function let_all_be_handled()
  repeat
    skynet.sleep(1)
  until skynet.mqlen() == 0
end

local function at_once()
  let_all_be_handled()
  local batch, before = batches.new(connection), written()
  claims.equal(batch:write "now", true)
  claims.equal(written() - before, 3)
end

local function together()
  let_all_be_handled()
  local batch, before, text = batches.new(connection), written(), received.text
  let_a_message_wait()
  claims.equal({ batch:write "a", batch:write "b", batch:write "c" }, { true, true, true })
  claims.equal(written() - before, 0)
  let_all_be_handled()
  claims.equal(written() - before, 3)
  claims.equal(received_so_far(#text + 3), text .. "abc")
end

local function not_too_many()
  let_all_be_handled()
  local batch, before = batches.new(connection), written()
  let_a_message_wait()
  for _ = 1, WRITES_MAX - 1 do
    batch:write "x"
  end
  claims.equal(written() - before, 0)
  batch:write "x"
  claims.equal(written() - before, WRITES_MAX)
  batch:write "y"
  let_all_be_handled()
  claims.equal(written() - before, WRITES_MAX + 1)
end

local function flush()
  let_all_be_handled()
  local batch, before = batches.new(connection), written()
  claims.equal(batch:flush(), true)
  let_a_message_wait()
  batch:write "f"
  claims.equal(batch:flush(), true)
  claims.equal(written() - before, 1)
  let_all_be_handled()
  claims.equal(written() - before, 1)
end

local function a_dead_connection()
  let_all_be_handled()
  local batch = batches.new(connection)
  socket.close(connection)
  let_all_be_handled()
  claims.equal(batch:write "late", false)
  let_a_message_wait()
  claims.equal(batch:write "later", true)
  claims.equal(batch:flush(), false)
end

skynet.dispatch("lua", function() end)

claims.run("cluster batch", {
  { "a connection", start },
  { "with an empty mailbox a write leaves at once", at_once },
  { "while messages wait, writes wait for one another and leave in their order", together },
  { "after 64 writes it waits no longer", not_too_many },
  { "a flush writes what waits, once", flush },
  { "a connection that has ended is told by false", a_dead_connection },
})
