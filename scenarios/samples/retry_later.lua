-- Claim:  a caller that closes a node after a failed call and opens it again after a pause sends nothing there
--         meanwhile: its calls raise at once; after the pause they reach the node if it is back, else the next pause
--         begins.
-- Kind:   guarantee, and liveness.
-- Source: distributed services: connection errors (both editions): mark the node as closed, close its sender, try again
--         after a pause.

local sim = require "sim"

local PAUSE_CS = 100  -- the document's is 5 s
local BOUND = "5s"    -- a few pauses

local function server()
  local skynet = require "skynet"
  local cluster = require "skynet.cluster"

  skynet.start(function()
    skynet.dispatch("lua", function()
      sim.probe "asked"
      skynet.retpack "here"
    end)
    cluster.register "server"
    cluster.open "db"
  end)
end

local function client()
  local skynet = require "skynet"
  require "skynet.manager"
  local cluster = require "skynet.cluster"
  local address_of = { db = "10.0.0.1:9001" }
  local closed = {}

  local function on_error(node, reason)
    skynet.error(string.format("%s is closed for %d cs: %s", node, PAUSE_CS, reason))
    closed[node] = true
    cluster.reload { [node] = false }
    skynet.timeout(PAUSE_CS, function()
      cluster.reload { [node] = address_of[node] }
      closed[node] = nil
      sim.probe "opened"
    end)
  end

  local function call(node, ...)
    local ok, answer = pcall(cluster.call, node, ...)
    if ok then
      return answer
    end
    if not closed[node] then
      on_error(node, answer)
    end
    return "raised"
  end

  skynet.start(function()
    cluster.reload(address_of)
    skynet.dispatch("lua", function()
      skynet.retpack(call("db", "@server"))
    end)
    skynet.register ".client"
  end)
end

sim.scenario "a node that fails is left alone for a while" {
  kind = "guarantee",
  source = "distributed services: connection errors",
  nodes = {
    db = { start = "server", cluster = "10.0.0.1:9001" },
    game = { start = "client", cluster = "10.0.0.2:7001" },
  },
  network = { delay = sim.uniform("500us", "5ms") },
  services = { client = client, server = server },

  story = function(world)
    local function expect(claim, expected)
      sim.guarantee(claim, sim.equal(expected, (world:call("game", ".client"))))
    end
    local function wait_for_opening(count)
      sim.liveness("a node is opened again after the pause", function()
        return #world:probes "opened" == count
      end, BOUND)
    end

    expect("a call is answered", "here")
    world:crash "db"
    expect("a call to a node that is down raises", "raised")
    world:start "db"
    for _ = 1, 3 do
      expect("while it is closed calls raise, although it is back", "raised")
    end
    sim.guarantee("nothing is sent there meanwhile", sim.equal(1, #world:probes "asked"))
    wait_for_opening(1)
    expect("then it is reached again", "here")

    world:crash "db"
    expect("down once more", "raised")
    wait_for_opening(2)
    expect("still down after the pause", "raised")
    world:start "db"
    wait_for_opening(3)
    expect("reached after the second pause", "here")
  end,
}
