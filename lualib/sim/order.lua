-- The order of messages: what a scenario may declare of it, and how services say where a message is.
--
-- A contract is for a *flow*: a conversation that services name, in one direction, like the notices of a room to its
-- players. `order` of a scenario gives each flow its contract:
--
--     order = { notices = sim.order.cluster },
--
--     order = { notices = {
--       promised = { { "small send", "small send" } },   -- earlier, later
--       usual = { { "large send", "small send" } },
--     } },
--
-- Of two messages that one service sends to another, the earlier is handled first. Where that is promised, a violation
-- fails the run and names both messages, the order expected and the one seen; where it is merely usual, it is counted and
-- shown. Two messages are judged by the first pair that has their classes, `promised` before `usual`; a pair that is
-- nowhere is not judged.
--
-- A class is a kind, and "small" or "large" before it, or neither:
--   send, call   what the sender asked for; it takes the sender's own connection
--   reply        the answer to a call; it takes the connection of the caller, the opposite direction
--   request      send or call
--   message      anything
-- Large is what is cut into parts: 32 KiB packed or more, for a reply more than that.
--
-- Services mark the messages:
--     sim.sent("notices", id [, "send" [, bytes]])   right before it is sent; bytes: #skynet.packstring(...), 0 if absent
--     sim.handled("notices", id)                     in the handler of the message, or where a call has returned
-- The id is a string or a number that no other message of the flow has. A message that is never handled breaks nothing:
-- that all of them come is another claim.

local has_core, core = pcall(require, "sim.core")

local order = {}

-- One bit for each class, as simnet/check/order.h numbers them: send, call, reply; small before large.
local SIZES = { small = 0x15, large = 0x2a }
local KINDS = { send = 0x03, call = 0x0c, reply = 0x30, request = 0x0f, message = 0x3f }
local MARKED = { send = true, call = true, reply = true }

--- Between two nodes of a cluster, for an address that is a number or a name that was used before. A node has one
--- connection to another; what is large waits there behind what is small.
order.cluster = {
  promised = {
    { "small request", "request" }, { "large request", "large request" },
    { "small reply", "reply" }, { "large reply", "large reply" },
  },
  usual = {
    { "large request", "small request" }, { "large reply", "small reply" },
    { "request", "reply" }, { "reply", "request" },
  },
}

--- Between two nodes of a master/slave network, for one handle, or for one name that the node knows: one connection for
--- everything, and nothing is cut.
order.harbor = { promised = { { "message", "message" } }, usual = {} }

--- Within one node.
order.node = order.harbor

local function read_class(what, text)
  local size, kind = string.match(text, "^(%l+) (%l+)$")
  kind = kind or string.match(text, "^%l+$")
  local set = KINDS[kind] and (size == nil and 0x3f or SIZES[size])
  if not set then
    core.complain(('%s: a class of messages is send, call, reply, request or message, after small, large or nothing, '
      .. 'not "%s"'):format(what, text))
  end
  return set & KINDS[kind]
end

local function read_pair(what, flow, claim, pair)
  if type(pair) ~= "table" or #pair ~= 2 or type(pair[1]) ~= "string" or type(pair[2]) ~= "string" then
    core.complain(what .. ': a pair is the class of the earlier message and that of the later one, '
      .. '{ "small send", "send" }')
  end
  return {
    name = ("order of %s: %s, then %s"):format(flow, pair[1], pair[2]), claim = claim,
    earlier = read_class(what, pair[1]), later = read_class(what, pair[2]),
  }
end

local function read_contract(flow, contract)
  local what = "order of " .. tostring(flow)
  if type(flow) ~= "string" or type(contract) ~= "table" then
    core.complain "order is a table of flow = contract, like { notices = sim.order.cluster }"
  end
  for key, pairs_of in pairs(contract) do
    if key ~= "promised" and key ~= "usual" or type(pairs_of) ~= "table" then
      core.complain(('%s: a contract has lists of pairs, promised and usual, and no %s'):format(what, tostring(key)))
    end
  end
  local rules, seen = {}, {}
  for _, list in ipairs { { "guarantee", contract.promised or {} }, { "usual", contract.usual or {} } } do
    for _, pair in ipairs(list[2]) do
      local rule = read_pair(what, flow, list[1], pair)
      if seen[rule.name] then
        core.complain(("%s: %s, then %s is there twice"):format(what, pair[1], pair[2]))
      end
      seen[rule.name] = true
      rules[#rules + 1] = rule
    end
  end
  return { flow = flow, rules = rules }
end

-- What `order` of a scenario declares, as a list that does not depend on the order of a table.
function order._read(given)
  local contracts = {}
  for flow, contract in pairs(given) do
    contracts[#contracts + 1] = read_contract(flow, contract)
  end
  table.sort(contracts, function(a, b) return a.flow < b.flow end)
  return contracts
end

-- The id of a message, as text.
local function check_mark(verb, flow, id)
  if core.role == "story" then
    core.complain(verb .. " is for services, which send and handle messages")
  elseif type(flow) ~= "string" then
    core.complain(verb .. " needs the name of a flow, not a " .. type(flow))
  elseif type(id) ~= "string" and math.type(id) ~= "integer" then
    core.complain(verb .. " needs the id of a message, a string or an integer, not a " .. type(id))
  end
  return tostring(id)
end

--- sim.sent
function order._sent(flow, id, kind, bytes)
  if not has_core then
    return
  end
  local text = check_mark("sim.sent", flow, id)
  if kind ~= nil and not MARKED[kind] then
    core.complain(('sim.sent: the kind of a message is "send", "call" or "reply", not %s'):format(tostring(kind)))
  elseif bytes ~= nil and (math.type(bytes) ~= "integer" or bytes < 0) then
    core.complain("sim.sent: the size of a message is a number of bytes, not " .. tostring(bytes))
  end
  core.sent(flow, text, kind or "send", bytes or 0)
end

--- sim.handled
function order._handled(flow, id)
  if has_core then
    core.handled(flow, check_mark("sim.handled", flow, id))
  end
end

return order
