-- Claim:  two nodes of a harbor network understand each other wherever the stream between them is cut, also within the
--         four bytes before a frame that say how long it is.
-- Kind:   guarantee.
-- Source: skynet 2014-08: those four bytes were read right only if they came in one piece; else the link died of a
--         "message too long", or waited for megabytes that nobody had sent. Put back by `--legacy harbor-whole-head`.
--
-- Scripted: the heads of the first four frames each way come as 1+3, 2+2, 3+1 and 1+1+1+1 bytes, and then the rest of
-- fifty messages. Else the seed cuts half of the deliveries somewhere, and says how many messages go out together.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local CUTS = { { 1, 3 }, { 2, 2 }, { 3, 1 }, { 1, 1, 1, 1 } }
local MESSAGES = 50

local function peer()
  local skynet = require "skynet"
  require "skynet.manager"
  local me, other = skynet.getenv "me", skynet.getenv "other"
  local command = {}

  function command.take(n)
    sim.probe("taken by " .. me, n)
  end

  function command.send(first, last)
    for n = first, last do
      skynet.send("PEER_" .. other, "lua", "take", n)
    end
  end

  -- Returns when the link stands both ways.
  function command.meet()
    skynet.retpack(skynet.call("PEER_" .. other, "lua", "hello"))
  end

  function command.hello()
    skynet.retpack(true)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      command[name](...)
    end)
    skynet.register(".peer")
    skynet.register("PEER_" .. me)
  end)
end

local function wait_for(world, node, count)
  return sim.liveness("everything arrives", function()
    return #world:probes("taken by " .. node) == count
  end, "10s")
end

-- One message whose head comes in pieces of these sizes. Its bytes come one by one to a link that holds them, and are
-- let through when a piece is together.
local function send_cut(world, from, to, number, sizes)
  local link = world:link(from, to):mss(1):bandwidth "1KB/s"
  world:send(from, ".peer", "send", number, number)
  for _, size in ipairs(sizes) do
    link:hold()
    world:wait_until(function() return link:held() == size end)
    link:release { one_chunk = true }
    world:sleep "1us"
  end
  link:mss(1460):bandwidth(0)
  wait_for(world, to, number)
end

local function scripted(world)
  for number, sizes in ipairs(CUTS) do
    send_cut(world, "a", "b", number, sizes)
    send_cut(world, "b", "a", number, sizes)
  end
  world:send("a", ".peer", "send", #CUTS + 1, MESSAGES)
  world:send("b", ".peer", "send", #CUTS + 1, MESSAGES)
end

local function random(world)
  world:link("a", "b"):split "50%"
  world:link("b", "a"):split "50%"
  local first = 1
  while first <= MESSAGES do
    local last = math.min(first + world:choose(4) - 1, MESSAGES)
    world:send("a", ".peer", "send", first, last)
    world:send("b", ".peer", "send", first, last)
    world:sleep(("%dus"):format(100 * world:choose(20)))
    first = last + 1
  end
end

local function check(world)
  for _, node in ipairs { "a", "b" } do
    if wait_for(world, node, MESSAGES) then
      local expected, seen = {}, {}
      for n = 1, MESSAGES do
        expected[n], seen[n] = n, world:probes("taken by " .. node)[n][1]
      end
      sim.guarantee("what arrives is in order", sim.equal(expected, seen, "at " .. node))
    end
  end
end

sim.scenario "a frame between harbor nodes may be cut anywhere, also within its head" {
  kind = "guarantee",
  source = "skynet's harbor service, 2014",
  legacy = "harbor-whole-head",
  nodes = {
    a = { start = "peer", standalone = true, config = { me = "a", other = "b" } },
    b = { start = "peer", harbor = 2, config = { me = "b", other = "a" } },
  },
  network = { delay = IS_SCRIPTED and "1ms" or sim.uniform("100us", "1ms") },
  services = { peer = peer },

  story = function(world)
    world:call("a", ".peer", "meet")
    world:call("b", ".peer", "meet")
    if IS_SCRIPTED then
      scripted(world)
    else
      random(world)
    end
    check(world)
  end,
}
