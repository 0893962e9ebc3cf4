-- Claim:  callers go on in the order in which the answers to their calls come back, also when eight answers are read
--         at once.
-- Kind:   guarantee.
-- Source: skynet issue 587 (2017): answers arrived u, r and callers went on r, u, because woken coroutines stood in a
--         table and not in a list. Put back by `--legacy wakeup-unordered`.
--
-- Eight tasks of a.caller call b.holder. The holder answers when it has all eight, in their order or in reverse; one
-- identical round more, and two reversed ones, so that no lucky order of a table passes. Scripted: the link back is
-- held meanwhile, so that a gets all answers in one piece. Else they come together only where the delays have it so.
--
-- `--set replies=2` makes it two tasks, and `--set order=reversed` (or same) four rounds of one kind. Scripted, with two
-- replies, reversed, the old code passes every seed by luck: the addresses of the two coroutines, and so their places in
-- the table, are always the same. Under `--any-order` it fails.

local sim = require "sim"

local IS_SCRIPTED = sim.setting("schedule", "random", { "random", "scripted" }) == "scripted"
local CALLS = sim.setting("replies", 8)
local ORDER = sim.setting("order", "mixed", { "mixed", "same", "reversed" })
local PAGE_BYTES = 8192       -- the first answer: makes read buffers grow, as a link in use has them
local ROUNDS = ORDER == "mixed" and { "same", "same", "reversed", "reversed" } or { ORDER, ORDER, ORDER, ORDER }

local function caller()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.warm_up()
    return #cluster.call("b", ".holder", "page", PAGE_BYTES)
  end

  function command.round(order)
    local done = {}
    local round = coroutine.running()
    for i = 1, CALLS do
      skynet.fork(function()
        local answer = cluster.call("b", ".holder", "hold", i, order)
        done[#done + 1] = answer
        if #done == CALLS then
          skynet.wakeup(round)
        end
      end)
    end
    skynet.wait(round)
    return done
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      skynet.retpack(command[name](...))
    end)
    skynet.register ".caller"
  end)
end

local function holder()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local held = {}
  local command = {}

  function command.page(bytes)
    skynet.retpack(string.rep("x", bytes))
  end

  function command.hold(i, order)
    held[#held + 1] = { number = i, respond = skynet.response() }
    if #held < CALLS then
      return
    end
    local answered = {}
    for k = 1, CALLS do
      local call = held[order == "reversed" and CALLS + 1 - k or k]
      answered[k] = call.number
      call.respond(true, call.number)
    end
    held = {}
    sim.probe("answered", answered)
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name, ...)
      command[name](...)
    end)
    skynet.register ".holder"
    cluster.open "b"
  end)
end

sim.scenario "answers read at once resume their callers in the order of the answers" {
  kind = "guarantee",
  source = "skynet issue 587",
  legacy = "wakeup-unordered",
  nodes = {
    a = { start = "caller", cluster = "10.0.0.1:7001" },
    b = { start = "holder", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("200us", "3ms") },
  services = { caller = caller, holder = holder },

  story = function(world)
    local back = world:link("b", "a")
    world:call("a", ".caller", "warm_up")

    for number, order in ipairs(world:shuffle(ROUNDS)) do
      if IS_SCRIPTED then
        back:hold()
      end
      local round = world:spawn(function()
        return world:call("a", ".caller", "round", order)
      end)
      world:wait_until(function() return #world:probes "answered" == number end)
      if IS_SCRIPTED then
        world:sleep "50ms"  -- every answer waits at a's door now
        back:release { one_chunk = true }
      end

      local answered = world:probes "answered"[number][1]
      sim.guarantee("callers go on in the order of the answers",
        sim.equal(answered, round:join(), "round " .. number))
    end
  end,
}
