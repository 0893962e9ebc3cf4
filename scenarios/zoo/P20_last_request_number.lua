-- Claim:  a cluster node answers the requests with the last numbers that there are, and those that begin anew behind
--         them.
-- Kind:   guarantee.
-- Source: skynet issues 773 and 809 (2017-18): after 2^31 requests to a node the test for the end of the numbers was
--         gone (a compiler may take it for granted that a sum does not overflow), and every request failed. Put back by
--         `--legacy sessions-overflow`.
--
-- Nobody waits for two billion requests: a line of Lua, injected into the service that numbers them, sets the counter.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local LAST = 2^31 - 1 | 0
local LARGE_BYTES = 40000  -- travels in parts, which bear its number

-- For the console's inject: sets the counter to its argument, if there is one, and prints it. The counter is a local
-- number that only the function `request` knows, and that one only the command `req`.
local COUNTER = [[
local function find_upvalue(f, wanted)
  local index, name, value = 0, nil, nil
  repeat
    index = index + 1
    name, value = debug.getupvalue(f, index)
  until name == wanted
  return value, index
end

local request = find_upvalue(_U.command.req, "request")
local counter, index = find_upvalue(request, "session")
if (...) then
  counter = math.tointeger(...)
  debug.setupvalue(request, index, counter)
end
print(counter)
]]

local function caller()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.warm_up()
    cluster.call("b", ".echo", "hello")
    return cluster.get_sender "b"
  end

  function command.call(text)
    return cluster.call("b", ".echo", text) == text
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".caller"
  end)
end

local function echo()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, text)
      skynet.retpack(text)
    end)
    skynet.register ".echo"
    cluster.open "b"
  end)
end

sim.scenario "the numbers of requests begin anew behind the last one" {
  kind = "guarantee",
  source = "skynet issues 773, 809",
  legacy = "sessions-overflow",
  nodes = {
    a = { start = "caller", cluster = "10.0.0.1:7001", files = { ["counter.lua"] = COUNTER } },
    b = { start = "echo", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { caller = caller, echo = echo },

  story = function(world)
    local sender = world:call("a", ".caller", "warm_up")
    local function counter(number)
      local line = ("inject :%08x counter.lua %s"):format(sender, number or "")
      return math.tointeger(assert(world:console("a", line)))
    end

    local texts = { "1", "2", "3", "4", "5", "6", string.rep("x", LARGE_BYTES) }
    if not IS_SCRIPTED then
      texts = world:shuffle(texts)
    end
    counter(LAST - (IS_SCRIPTED and 2 or world:choose(20) - 1))
    for _, text in ipairs(texts) do
      local ok, answer = pcall(world.call, world, "a", ".caller", "call", text)
      sim.guarantee("every request is answered", ok and answer)
      local number = counter()
      sim.guarantee("the next number is one of 1 .. 2^31-1", number >= 1 and number <= LAST, "it is %d", number)
    end
  end,
}
