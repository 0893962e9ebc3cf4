-- Serves one connection that another node has made: takes request frames, calls services of this node, and writes their
-- replies. Arguments: clusterd, gate, connection.
--
-- Messages:
--   client   a request frame without its length, from the gate; the session is the connection
--   lua      "namechange": names may mean other services now;  "exit": the connection has ended. No replies
--
-- Frames are taken in the order of arrival, each in a task of its own. Requests to "@name" wait behind one another
-- while the name is looked up; others pass. Malformed frames are logged and answered by nothing. A connection whose
-- unfinished large requests hold more than config `cluster_request_max` bytes is closed.

local skynet = require "skynet"
local core = require "skynet.cluster.core"
local batches = require "skynet.cluster.batch"
local driver = require "skynet.socketdriver"

local clusterd, gate, connection = ...
clusterd, gate, connection = tonumber(clusterd), tonumber(gate), tonumber(connection)

local append, concat, isname, packresponse = core.append, core.concat, core.isname, core.packresponse
local send_low = driver.lsend
local rawcall, rawsend, tracecall, ignoreret = skynet.rawcall, skynet.rawsend, skynet.tracecall, skynet.ignoreret
local ipairs, pcall, tostring, type = ipairs, pcall, tostring, type

-- The tag of the last trace frame. The next request that is no push takes it, a query clears it. Parts and pushes leave
-- it alone: a sender may let them slip between a tag and its large request.
local pending_tag
-- Session -> large request under assembly { address, is_push, tag, bytes, [1] = total, [2...] = parts }.
local assembling = {}
-- Bytes in there; nil once the connection is given up.
local unfinished = 0
local unfinished_max = tonumber(skynet.getenv "cluster_request_max") or 0
-- "@name" -> handle. Replaced by a new table when names change.
local handles = {}
-- "@name" -> { handle, line = tokens of the tasks behind the one that asks }.
local lookups = {}

---------------------------------------------------------------------------------------------------------------------
-- Replies

local batch = batches.new(connection)

local function reply(session, ok, msg, sz)
  local frames = packresponse(session, ok, msg, sz)
  if type(frames) == "string" then
    batch:write(frames)
    return
  end
  batch:flush()
  for _, frame in ipairs(frames) do
    send_low(connection, frame)
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Names

-- Asks until the answer is not older than the last change of names.
local function ask(name)
  local asked, ok, handle
  repeat
    asked = handles
    ok, handle = pcall(skynet.call, clusterd, "lua", "queryname", string.sub(name, 2))
  until asked == handles
  return ok and handle or nil
end

local function resolve(name)
  local handle = handles[name]
  if handle then
    return handle
  end
  local lookup = lookups[name]
  if lookup then
    local ticket = {}
    lookup.line[#lookup.line + 1] = ticket
    skynet.wait(ticket)
    return lookup.handle
  end
  lookup = { line = {} }
  lookups[name] = lookup
  lookup.handle = ask(name)
  lookups[name] = nil
  handles[name] = lookup.handle
  for _, ticket in ipairs(lookup.line) do
    skynet.wakeup(ticket)
  end
  return lookup.handle
end

-- A request to address 0: which handle has the name in the payload?
local function answer_query(session, payload, size)
  local ok, name = pcall(skynet.unpack, payload, size)
  skynet.trash(payload, size)
  local handle = ok and type(name) == "string" and resolve("@" .. name)
  if handle then
    reply(session, true, skynet.packstring(handle))
  else
    reply(session, false, "name not found")
  end
end

---------------------------------------------------------------------------------------------------------------------
-- Requests

-- The rest of a request after its payload is complete.
local function execute(address, session, payload, size, is_push, tag)
  if address == 0 then
    return answer_query(session, payload, size)
  end
  if isname(address) then
    local handle = handles[address]
    if not handle then
      -- It is asked for, and this service may end meanwhile: then nobody would free the block.
      local text = skynet.tostring(payload, size)
      skynet.trash(payload, size)
      payload, size = text, nil
      handle = resolve(address)
      if not handle then
        return reply(session, false, "Invalid name")
      end
    end
    address = handle
  end
  if is_push then
    rawsend(address, "lua", payload, size)
    return
  end
  local ok, msg, sz
  if tag then
    ok, msg, sz = pcall(tracecall, tag, address, "lua", payload, size)
  else
    ok, msg, sz = pcall(rawcall, address, "lua", payload, size)
  end
  if ok then
    reply(session, true, msg, sz)
  else
    reply(session, false, tostring(msg))
  end
end

-- Ends the connection: the gate tells clusterd, and that us.
local function give_up()
  skynet.error(string.format("cluster connection %d is closed: its unfinished requests hold %d bytes "
    .. "(config: cluster_request_max)", connection, unfinished))
  unfinished = nil
  assembling = {}
  skynet.send(gate, "lua", "kick", connection)
end

-- Header (address, total) or part of a large request.
local function assemble(address, session, payload, size, is_push, tag)
  local request = assembling[session]
  if not request then
    request = { tag = tag, bytes = 0 }
    assembling[session] = request
  end
  -- A header has no bytes of its own, but costs some.
  local cost = address and 64 or size
  request.bytes, unfinished = request.bytes + cost, unfinished + cost
  if address then
    request.address = request.address or address
    request.is_push = request.is_push or is_push
  end
  append(request, payload, size)
  if unfinished_max > 0 and unfinished > unfinished_max then
    give_up()
  end
end

-- The last part of a large request.
local function complete(session, payload, size)
  local request = assembling[session]
  if not request then
    return reply(session, false, "Invalid name")
  end
  assembling[session] = nil
  unfinished = unfinished - request.bytes
  append(request, payload, size)
  local block, total = concat(request)
  if not block then
    skynet.error(string.format("cluster connection %d: %s", connection, total))
    return reply(session, false, "Invalid large req")
  end
  return execute(request.address, session, block, total, request.is_push, request.tag)
end

-- One frame; the arguments after the source are those of cluster.core.unpackrequest.
local function on_frame(_, _, address, session, payload, size, is_partial, is_push)
  ignoreret()  -- the session of the message is the connection
  if not unfinished then  -- it is being closed
    if address ~= nil and address ~= true then
      skynet.trash(payload, size)
    end
    return
  end
  if address == true then
    pending_tag = session
    return
  elseif address == nil then
    skynet.error(string.format("cluster connection %d: malformed request: %s", connection, session))
    return
  end
  local tag
  if address and (not is_push or address == 0) then
    tag, pending_tag = pending_tag, nil
  end
  if is_partial then
    return assemble(address, session, payload, size, is_push, tag)
  elseif address == false then
    return complete(session, payload, size)
  end
  return execute(address, session, payload, size, is_push, tag)
end

local command = {}

function command.namechange()
  handles = {}
end

function command.exit()
  batch:flush()
  skynet.send(gate, "lua", "kick", connection)
  skynet.exit()
end

skynet.register_protocol {
  name = "client",
  id = skynet.PTYPE_CLIENT,
  unpack = core.unpackrequest,
  dispatch = on_frame,
}

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name)
    local f = command[name]
    if not f then
      error(string.format("clusteragent: unknown command %s", tostring(name)))
    end
    f()
  end)
  -- Fails if the connection has ended meanwhile; then "exit" is on its way.
  pcall(skynet.call, gate, "lua", "forward", connection)
end)
