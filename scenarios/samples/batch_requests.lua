-- Claim:  requests of a batch are all under way before the first answer is there, over one connection; the results
--         come back in the order of the requests, and one that fails does not spoil the others. Two ways: a task for
--         each, and skynet.request over a proxy, which also tells which came first.
-- Kind:   guarantee.
-- Source: distributed services: batches of requests (both editions).
--
-- As printed, with pushes and a command wait_response of the sender, it cannot work: a push has no answer, and the
-- sender has no such command.

local sim = require "sim"

local REQUESTS = 10

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"
  local waiting = {}

  skynet.start(function()
    -- Answers when a whole batch is here, the last first: whoever waits for each answer in turn waits for ever.
    skynet.dispatch("lua", function(session, _, i)
      sim.probe("request", i)
      if session == 0 then
        return
      end
      waiting[#waiting + 1] = { answer = skynet.response(), i = i }
      if #waiting == REQUESTS then
        for index = REQUESTS, 1, -1 do
          local request = waiting[index]
          request.answer(request.i % 4 ~= 0, request.i * request.i)  -- every fourth fails
        end
        waiting = {}
      end
    end)
    cluster.register "squares"
    cluster.open "db"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local command = {}

  function command.with_tasks()
    local me, results, left = coroutine.running(), {}, REQUESTS
    for i = 1, REQUESTS do
      skynet.fork(function()
        local ok, square = pcall(cluster.call, "db", "@squares", i)
        results[i] = ok and square
        left = left - 1
        if left == 0 then
          skynet.wakeup(me)
        end
      end)
    end
    skynet.wait(me)
    return results
  end

  function command.with_requests()
    local proxy = cluster.proxy("db", "@squares")
    local requests, results, order = skynet.request(), {}, {}
    for i = 1, REQUESTS do
      requests:add { proxy, "lua", i, index = i }
    end
    for request, reply in requests:select() do
      results[request.index] = reply and reply[1] or false
      order[#order + 1] = request.index
    end
    return results, #order
  end

  function command.as_printed()
    local sender = cluster.get_sender "db"
    for i = 1, REQUESTS do
      skynet.send(sender, "lua", "push", "@squares", skynet.pack(i))
    end
    return pcall(skynet.call, sender, "lua", "wait_response")
  end

  skynet.start(function()
    skynet.dispatch("lua", function(_, _, name)
      skynet.retpack(command[name]())
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a batch of requests takes one round trip" {
  kind = "guarantee",
  source = "distributed services: batches of requests",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:9001" },
    game = { start = "client", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, server = server },

  story = function(world)
    local expected = {}
    for i = 1, REQUESTS do
      expected[i] = i % 4 ~= 0 and i * i
    end
    sim.guarantee("tasks: results stand where their requests stood",
      sim.equal(expected, world:call("game", ".client", "with_tasks")))
    local results, ended = world:call("game", ".client", "with_requests")
    sim.guarantee("skynet.request: results stand where their requests stood", sim.equal(expected, results))
    sim.guarantee("skynet.request: each ends once", sim.equal(REQUESTS, ended))

    sim.guarantee("as printed: there is nothing to wait for", world:call("game", ".client", "as_printed") == false)
    sim.liveness("as printed: the pushes arrive", function()
      return #world:probes "request" == 3 * REQUESTS
    end, "10s")
  end,
}
