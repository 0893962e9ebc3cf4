-- Claim:  the reply of b to a and a push of b to a sent right after it may swap; a push that is sent when a has
--         acknowledged the reply never does.
-- Kind:   allowed (a sweep must see both orders), and guarantee.
-- Source: the page "Cluster" of skynet's wiki, which cites issue 587: "two nodes that call each other have two TCP
--         connections; a request of A to B and A's answer to a request of B have no order". Issues 576 and 681 believed
--         otherwise, and `--legacy push-after-reply` believes it with them.
--
-- Scripted: an earlier answer is 50 ms late, and the reply stays behind it; the push passes on its own connection.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local IS_ORDER_BELIEVED = sim.legacy "push-after-reply"
local ROUNDS = { "enter", "enter", "enter", "enter_and_wait", "enter_and_wait", "enter_and_wait" }

local function agent()  -- on a: enters the room on b, and hears its notices
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local log
  local command = {}

  function command.enter(verb)
    log = {}
    cluster.call("b", ".room", verb)
    log[#log + 1] = "reply"
    if verb == "enter_and_wait" then
      cluster.send("b", ".room", "entered")
    end
    while #log < 2 do
      skynet.sleep(1)
    end
    return log
  end

  function command.look()
    cluster.call("b", ".room", "look")
  end

  function command.notice()
    log[#log + 1] = "push"
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      if name == "notice" then
        command.notice()
      else
        skynet.retpack(command[name](...))
      end
    end)
    skynet.register ".agent"
    cluster.open "a"
  end)
end

local function room()  -- on b: answers, and pushes a notice over its own connection
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.enter()
    skynet.retpack(true)
    cluster.send("a", ".agent", "notice")
  end

  function command.enter_and_wait()
    skynet.retpack(true)
  end

  function command.look()
    skynet.retpack(true)
    sim.probe "looked"
  end

  function command.entered()
    cluster.send("a", ".agent", "notice")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      command[name]()
    end)
    skynet.register ".room"
    cluster.open "b"
  end)
end

sim.scenario "a reply and the push sent after it may swap; with an acknowledgement between them never" {
  kind = "allowed",
  source = "skynet issues 576, 681",
  legacy = "push-after-reply",
  nodes = {
    a = { start = "agent", cluster = "10.0.0.1:7001" },
    b = { start = "room", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("1ms", "20ms") },
  services = { agent = agent, room = room },

  story = function(world)
    world:call("a", ".agent", "enter", "enter")  -- both connections stand from here on
    if IS_SCRIPTED then
      local back = world:link("b", "a")
      back:delay "50ms"
      world:spawn(function() world:call("a", ".agent", "look") end)
      world:wait_until(function() return #world:probes "looked" == 1 end)
      world:sleep "1ms"  -- and the answer has left
      back:delay "1ms"
    end
    for round, verb in ipairs(IS_SCRIPTED and ROUNDS or world:shuffle(ROUNDS)) do
      local log = world:call("a", ".agent", "enter", verb)
      if verb == "enter" and IS_ORDER_BELIEVED then
        sim.guarantee("a push comes after the reply before it",
          sim.equal({ "reply", "push" }, log, "round " .. round))
      elseif verb == "enter" then
        sim.allowed("the push comes before the reply", log[1] == "push")
      else
        sim.guarantee("an acknowledged reply comes before the push",
          sim.equal({ "reply", "push" }, log, "round " .. round))
      end
    end
  end,
}
