-- Carries the requests of this process to one other node, over one connection, and the replies back.
-- Arguments: name of the node, name of this process (for trace tags), address ("host:port").
--
-- Messages (lua); `msg, sz` is a packed payload (a block that is taken over, or a string and nothing):
--   req(address, msg, sz)   -> the raw reply of the remote service; an error if anything fails (the reason is logged)
--   push(address, msg, sz)  no reply
--   changenode(address)     drops the connection and makes a new one; an error if that fails
--   changenode(false)       closes; requests fail until the next changenode
--
-- Requests leave in the order in which they come, also before and while the connection is made. Large ones (from 32
-- KiB) may be overtaken by small ones.

local skynet = require "skynet"
local socket = require "skynet.socket"
local socketchannel = require "skynet.socketchannel"
local batches = require "skynet.cluster.batch"
local core = require "skynet.cluster.core"

local node, own_name, address = ...

local packrequest, packpush, packtrace = core.packrequest, core.packpush, core.packtrace
local unpackresponse = core.unpackresponse
local header = socket.header
local ret, tracetag = skynet.ret, skynet.tracetag
local pcall, type = pcall, type

-- The number of the next request; never reset.
local session = 1

local channel = socketchannel.channel {
  host = address,
  nodelay = true,
  new_batch = batches.new,
  response = function(stream)
    return unpackresponse(stream:read(header(stream:read(2))))
  end,
}

-- The tag under which the remote side goes on, and its frame. `next_session` is the number after the request's.
local function trace_frame(tag, next_session)
  local remote = tag
  if string.byte(tag) ~= 40 then  -- "(": another node has decorated it
    remote = string.format("(%s-%s-%d)%s", own_name, node, next_session, tag)
  end
  skynet.tracelog(tag, "session " .. remote)
  skynet.tracelog(remote, "cluster " .. node)
  return packtrace(remote)
end

-- The tag has to stand directly before its request: in the same write, or, with a large one, in the same low priority.
local function traced(tag, next_session, frame, parts)
  local trace = trace_frame(tag, next_session)
  if not parts then
    return trace .. frame
  end
  table.insert(parts, 1, frame)
  return trace, parts
end

local function request(to, msg, sz)
  local current = session
  local frame, next_session, parts = packrequest(to, current, msg, sz)
  session = next_session
  local tag = tracetag()
  if tag then
    frame, parts = traced(tag, next_session, frame, parts)
  end
  local reply = channel:request(frame, current, parts)
  if type(reply) ~= "table" then
    return reply
  end
  local block, size = core.concat(reply)
  if not block then
    error(size, 0)
  end
  return block, size
end

-- Logs the reason, which the caller does not get.
local function fail(reason)
  skynet.error(reason)
  skynet.response()(false)
end

local command = {}

function command.req(to, msg, sz)
  local ok, reply, size = pcall(request, to, msg, sz)
  if ok then
    ret(reply, size)
  else
    fail(reply)
  end
end

function command.push(to, msg, sz)
  local frame, next_session, parts = packpush(to, session, msg, sz)
  session = next_session
  channel:request(frame, nil, parts)
end

function command.changenode(to)
  if not to then
    skynet.error(string.format("Close cluster node [%s]", node))
    channel:close()
    skynet.retpack()
    return
  end
  channel:changehost(to)
  local ok, reason = pcall(channel.connect, channel, true)
  if ok then
    skynet.retpack()
  else
    fail(reason)
  end
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    local f = command[name]
    if not f then
      error(string.format("clustersender: unknown command %s", tostring(name)))
    end
    f(...)
  end)
end)
