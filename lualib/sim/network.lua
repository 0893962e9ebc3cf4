-- What a story can do to the simulated network besides what world.lua says: cut streams at exact bytes, act on single
-- messages in flight, hold up a node's sockets, put a middle box between two nodes. Adds verbs to the world and to
-- links.

local core = require "sim.core"
local units = require "sim.units"

local PIECE_MAX = 1 << 30  -- bytes

---@class sim.World
local World = {}

---@class sim.Link
local Link = {}

local function shown(value)
  return type(value) == "string" and '"' .. value .. '"' or tostring(value)
end

-- -- Cuts -------------------------------------------------------------------------------------------------------------

-- A list of numbers of bytes; `is_ascending`: positions in a stream.
local function check_bytes(what, list, is_ascending)
  if type(list) ~= "table" or #list == 0 then
    core.complain(("%s is a list of numbers of bytes, like { 1, 3 }, not %s"):format(what,
      type(list) == "table" and "an empty one" or shown(list)))
  end
  for index, bytes in ipairs(list) do
    local least = is_ascending and index > 1 and list[index - 1] + 1 or 1
    if math.type(bytes) ~= "integer" or bytes < least or bytes > PIECE_MAX then
      core.complain(("%s: number %d is %s, and must be from %d to %d"):format(what, index, shown(bytes), least,
        PIECE_MAX))
    end
  end
end

local RELEASE = { one_chunk = true, bytes = true, at = true }

--- Lets go of what was kept, as it came; or, of each connection: `one_chunk`, its bytes as one piece; `bytes`, in
--- pieces of so many; `at`, cut behind each of these numbers of bytes, counted from the first that was kept.
---@param how? { one_chunk: boolean?, bytes: integer?, at: integer[]? }
function Link:release(how)
  how = how or {}
  if type(how) ~= "table" then
    core.complain("link:release takes a table like { one_chunk = true }, not " .. shown(how))
  end
  for key in pairs(how) do
    if not RELEASE[key] then
      core.complain(("link:release has no %s; it has at, bytes, one_chunk"):format(shown(key)))
    end
  end
  local text = how.one_chunk and " as one chunk" or ""
  if how.bytes ~= nil then
    units.bytes("link:release: bytes", how.bytes, 1, PIECE_MAX)
    text = text .. " in pieces of " .. how.bytes
  end
  if how.at ~= nil then
    check_bytes("link:release: at", how.at, true)
    text = text .. " cut at " .. table.concat(how.at, ", ")
  end
  core.release(self.from, self.to, {
    is_one_chunk = how.one_chunk and true or false, at = how.at,
    bytes = how.bytes and units.bytes("link:release: bytes", how.bytes, 1, PIECE_MAX),
  }, text)
  return self
end

--- Cuts what is written next over the link, by whatever connection writes next: its bytes arrive in pieces of these
--- lengths, and what follows as usual. link:cut { 1, 1, 2 }
---@param lengths integer[]
function Link:cut(lengths)
  check_bytes("link:cut", lengths, false)
  core.cut(self.from, self.to, lengths, table.concat(lengths, "+"))
  return self
end

-- -- Processes and middle boxes ---------------------------------------------------------------------------------------

--- Lets a node have so many sockets: beyond it a connect fails with "Too many open files", and a listener accepts and
--- closes. What is open stays. 0: no limit.
---@param node string
---@param count integer
function World:limit_fds(node, count)
  if math.type(count) ~= "integer" or count < 0 then
    core.complain("world:limit_fds needs a number of descriptors, or 0 for no limit, not " .. shown(count))
  end
  core.limit_fds(node, count)
end

--- A node accepts connections so long after their handshakes: the client is connected, and what it sends waits; many of
--- them fill the backlog. 0: at once, as usual.
---@param node string
---@param delay string
function World:slow_accept(node, delay)
  core.slow_accept(node, units.duration(delay))
end

--- The socket thread of a node does nothing until it is resumed, as skynet's while it resolves a name: nothing is read,
--- accepted or told. The kernel goes on taking bytes until the window is full, and what services write goes out.
---@param node string
function World:stall_sockets(node) core.stall_sockets(node, true) end
---@param node string
function World:resume_sockets(node) core.stall_sockets(node, false) end

--- A middle box (NAT, firewall, load balancer) forgets connections that `from` made to `to` when nothing has passed for
--- `idle`, and then loses what either end sends ("drop"), or answers it with a RST ("reset"). 0: there is no such box.
---@param from string
---@param to string
---@param idle string|integer
---@param how? "drop"|"reset"
function World:forget_idle(from, to, idle, how)
  if how ~= nil and how ~= "drop" and how ~= "reset" then
    core.complain('world:forget_idle: the box answers with "drop" or "reset", not ' .. shown(how))
  end
  core.forget_idle(from, to, units.duration(idle), how == "reset")
end

-- -- Messages in flight -----------------------------------------------------------------------------------------------

--- What is on its way now or kept at the far end of a link, in order of sending: { { id =, from =, to =, kind = "data",
--- bytes =, fin =, sent =, arrives =, held =, connection = }, ... }. Kinds: "syn", "syn-ack", "ack" (the handshake's),
--- "data", "fin", "rst", "probe", "datagram"; `connection` is the id in world:connections(); what is held has no
--- `arrives`.
---@param from? string only what this node has sent
---@param to? string only what is for this node
---@return table
function World:in_flight(from, to)
  return core.in_flight(from, to)
end

local function act(verb, message)
  local id = type(message) == "table" and message.id or message
  if math.type(id) ~= "integer" then
    core.complain(("world:%s needs a message of world:in_flight() or its id, not %s"):format(verb, shown(message)))
  end
  core.act_on_message(verb, id)
end

--- It arrives now, even if its link is held; bytes of a stream not before those in front of them.
---@param message table|integer
function World:deliver(message) act("deliver", message) end

--- It is lost: a datagram for good, bytes of a stream (and those behind them) until they are sent again.
---@param message table|integer
function World:drop(message) act("drop", message) end

--- It waits at the far end until it is released, delivered or dropped; bytes of a stream behind it wait too.
---@param message table|integer
function World:hold(message) act("hold", message) end

--- Undoes hold.
---@param message table|integer
function World:release(message) act("release", message) end

--- Adds the verbs to the classes of world.lua.
---@param world sim.World
---@param link sim.Link
return function(world, link)
  for class, verbs in pairs { [world] = World, [link] = Link } do
    for name, verb in pairs(verbs) do
      class[name] = verb
    end
  end
end
